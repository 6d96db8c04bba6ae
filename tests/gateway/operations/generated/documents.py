"""Generated documents: valid for their schema by the way they are put together."""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

from tests.gateway.operations.generated.dice import Dice

#: Variables by the type that they are declared with, and values that a caller may give: the first
#: is "left out" where the declaration allows it.
_DECLARED: dict[str, tuple[str, list[Any]]] = {
    "b0": ("Boolean!", [True, False]),
    "b1": ("Boolean = true", [..., True, False]),
    "n": ("Int", [..., None, 4]),
    "m": ("Int = 9", [..., 4, "x"]),
    "s": ("String!", ["s", "t"]),
    "c": ("Color", [..., "RED", "PINK"]),
    "l": ("[Int!]", [..., [1, 2], 3, []]),
    "o": ("Options", [..., {"a": 1, "d": {"c": "BLUE"}}, {"b": ["x"]}, {"z": 1}]),
}
_LITERALS: dict[str, list[str]] = {
    "n": ["1", "null", "$n", "$m"],
    "five": ["7", "$n", "$m"],
    "must": ['"here"', "$s"],
    "color": ["RED", "BLUE", "$c"],
    "many": ["[1, 2]", "4", "null", "$l"],
    "options": ["{}", '{a: 2, b: ["y", "z"]}', "{c: $c, a: $n}", "$o", "null"],
    "yes": ["true", "$b0", "$b1"],
}


class Document:
    """A text, and values for its variables. width: how many selections a set has at most."""

    def __init__(self, schema: GraphQLSchema, seed: str, width: int = 5) -> None:
        self._schema, self._dice, self._width = schema, Dice(f"document {seed}"), width
        self._fragments: dict[str, tuple[Any, str]] = {}
        self._open: set[str] = set()
        self._variables: set[str] = set()
        self._aliases: dict[str, dict[str, str]] = {}
        self.mutates = self._dice.chance(25)
        root: Any = schema.mutation_type if self.mutates else schema.query_type
        body = self._selections(root, 4 if self._dice.chance(40) else 3)
        declared = ", ".join(f"${name}: {_DECLARED[name][0]}" for name in sorted(self._variables))
        head = f"{'mutation' if self.mutates else 'query'} Q{f'({declared})' if declared else ''}"
        fragments = [
            f"fragment {name} on {kind.name} {text}"
            for name, (kind, text) in self._fragments.items()
        ]
        self.text = "\n".join([f"{head} {body}", *fragments])

    def values(self, seed: str) -> dict[str, Any]:
        """Values for the variables: mostly good ones."""
        dice = Dice(f"values {seed}")
        values = {}
        for name in sorted(self._variables):
            value = dice.one(_DECLARED[name][1])
            if value in ("x", "PINK", {"z": 1}) and dice.chance(85):
                value = _DECLARED[name][1][1]
            if value is not ...:
                values[name] = value
        return values

    def _selections(self, kind: Any, depth: int) -> str:
        dice = self._dice
        parts = [self._selection(kind, depth) for _ in range(1 + dice.below(self._width))]
        parts.append(dice.one(["__typename", "kind: __typename", parts[0]]))
        return "{ " + " ".join(parts) + " }"

    def _selection(self, kind: Any, depth: int) -> str:
        dice = self._dice
        throw = dice.below(10)
        if throw == 0 and depth > 1:
            other = self._overlapping(kind)
            on = f" on {other.name}" if other is not kind or dice.chance(50) else ""
            return f"...{on}{self._condition()} {self._selections(other, depth - 1)}"
        if throw <= 2 and depth > 1:
            return f"...{self._spread(kind, depth)}{self._condition()}"
        return self._field(kind, depth)

    def _spread(self, kind: Any, depth: int) -> str:
        fitting = [
            name
            for name, (on, _) in self._fragments.items()
            if name not in self._open and self._overlap(on, kind)
        ]
        if fitting and self._dice.chance(60):
            return self._dice.one(fitting)
        name = f"F{len(self._fragments)}"
        on = self._overlapping(kind)
        self._fragments[name] = (on, "")
        self._open.add(name)
        self._fragments[name] = (on, self._selections(on, depth - 1))
        self._open.discard(name)
        return name

    def _field(self, kind: Any, depth: int) -> str:
        dice = self._dice
        if isinstance(kind, GraphQLUnionType):
            return "__typename"
        names = [
            name
            for name, field in kind.fields.items()
            if depth > 1 or not is_composite_type(get_named_type(field.type))
        ]
        if not names:
            return "__typename"
        name = dice.one(names)
        field = kind.fields[name]
        arguments = self._arguments(field)
        named = get_named_type(field.type)
        inside = f" {self._selections(named, depth - 1)}" if is_composite_type(named) else ""
        return f"{self._alias(name, arguments)}{arguments}{self._condition()}{inside}"

    def _alias(self, name: str, arguments: str) -> str:
        """The name, or an alias before it: one for each way to give the arguments."""
        known = self._aliases.setdefault(name, {})
        if arguments not in known:
            known[arguments] = f"{name}_{len(known)}: {name}" if known else name
        if self._dice.chance(15):
            return f"a{list(known).index(arguments)}_{name}: {name}"
        return known[arguments]

    def _arguments(self, field: Any) -> str:
        given = []
        for name, argument in field.args.items():
            if isinstance(argument.type, GraphQLNonNull) or self._dice.chance(60):
                literal = self._dice.one(_LITERALS[name])
                given.append(f"{name}: {literal}")
                self._use(literal)
        return f"({', '.join(given)})" if given else ""

    def _use(self, literal: str) -> None:
        self._variables |= {name for name in _DECLARED if f"${name}" in literal}

    def _condition(self) -> str:
        if not self._dice.chance(15):
            return ""
        literal = self._dice.one(["true", "false", "$b0", "$b0", "$b1"])
        self._use(literal)
        return f" @{self._dice.one(['skip', 'include'])}(if: {literal})"

    def _possible(self, kind: Any) -> set[Any]:
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            return set(self._schema.get_possible_types(kind))
        return {kind}

    def _overlap(self, one: Any, other: Any) -> bool:
        return bool(self._possible(one) & self._possible(other))

    def _overlapping(self, kind: Any) -> Any:
        fitting = [
            other
            for other in self._schema.type_map.values()
            if isinstance(other, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
            and not other.name.startswith("__")
            and self._overlap(kind, other)
        ]
        return self._dice.one([kind, *fitting])
