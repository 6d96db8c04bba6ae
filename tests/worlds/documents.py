"""Makes GraphQL documents from the schema itself, valid by construction: whatever type, field or
argument is added tomorrow is asked for tomorrow.

The dice may be a seeded random.Random or hypothesis's own, which can shrink what it found.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveLocation,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
)

from schema.files.service import IncomingFile
from tests.worlds.coordinates import distances, fields_of, possible, roots
from tests.worlds.values import COUNTS, Pool

#: Where a document may say a directive that the generator knows a place for.
_SPREADS = (DirectiveLocation.INLINE_FRAGMENT, DirectiveLocation.FRAGMENT_SPREAD)
#: Named types whose names mean "the place of an item", not an object.
_PLACES = ("after", "before")


@dataclass(frozen=True, slots=True)
class Asked:
    """A document with its variables. coordinates: what it asks, see `coordinates`."""

    text: str
    variables: dict[str, Any]
    coordinates: frozenset[str]
    operation: str

    @property
    def told(self) -> str:
        """Everything that the asker wrote."""
        return self.text + json.dumps(self.variables, ensure_ascii=False, default=str)

    def __repr__(self) -> str:
        return f"{self.text}\n{json.dumps(self.variables, ensure_ascii=False, default=str)}"


@dataclass(slots=True)
class _Place:
    """One object of the answer: which names are taken there, what may be asked once more."""

    names: set[str] = field(default_factory=set)
    again: list[tuple[str, str, Any, _Place]] = field(default_factory=list)
    #: The types that fragments here are on.
    kinds: set[str] = field(default_factory=set)


class Generator:
    """Makes one document.

    unseen: coordinates that are sought; without any, all are alike. size: about how many
    fields. depth: of selections within selections."""

    def __init__(
        self,
        schema: GraphQLSchema,
        dice: random.Random,
        pool: Pool,
        *,
        unseen: frozenset[str] = frozenset(),
        size: int = 24,
        depth: int = 7,
    ) -> None:
        self._schema, self._dice, self._pool = schema, dice, pool
        self._left, self._depth = size, depth
        self._unseen = unseen
        self._far = distances(schema, self._unseen) if self._unseen else {}
        self._asked: set[str] = set()
        self._variables: dict[str, Any] = {}
        self._declared: list[str] = []
        self._fragments: list[str] = []
        self._done: list[tuple[str, Any]] = []
        self._count = 0
        #: The types that the field whose arguments are being written answers with.
        self._aims: set[str] = set()

    def document(self, operation: str | None = None) -> Asked:
        """A document of one operation: "query", "mutation" or either."""
        kinds = roots(self._schema)
        name = operation or self._operation(list(kinds))
        body = self._selection(kinds[name], self._depth, _Place())
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        text = "\n".join([f"{name} Generated{declared} {body}", *self._fragments])
        return Asked(text, self._variables, frozenset(self._asked), name)

    def _operation(self, names: list[str]) -> str:
        near = min(self._far.get(kind.name, 9) for kind in roots(self._schema).values())
        wanted = [n for n, kind in roots(self._schema).items() if self._far.get(kind.name) == near]
        if wanted and self._chance(0.8):
            return self._dice.choice(wanted)
        return "query" if self._chance(0.75) else self._dice.choice(names)

    def _chance(self, of_one: float) -> bool:
        return self._dice.random() < of_one

    def _name(self, start: str) -> str:
        self._count += 1
        return f"{start}_{self._count}"

    # ---------------------------------------------------------------------------- selections

    def _selection(self, kind: Any, depth: int, place: _Place) -> str:
        count = self._dice.randint(1, 5) if self._left > 0 else 1
        parts = [self._part(kind, depth, place) for _ in range(count)]
        return "{ " + " ".join(parts) + " }"

    def _part(self, kind: Any, depth: int, place: _Place) -> str:
        others = [one for one in possible(self._schema, kind) if one is not kind]
        if depth > 0 and self._left > 0:
            if others and self._chance(0.7):
                return self._inline(self._nearest(others), depth, place)
            if place.again and self._chance(0.06):
                return self._once_more(kind, depth, place)
            if self._chance(0.1):
                ways: Sequence[Callable[[Any, int, _Place], str]]
                ways = (self._inline, self._spread, self._widened)
                return self._dice.choice(ways)(kind, depth, place)
        if not fields_of(kind) or self._chance(0.03):
            return "__typename"
        return self._field(kind, depth, place)

    def _nearest(self, kinds: list[Any]) -> Any:
        known = [kind for kind in kinds if kind.name in self._far]
        if known and self._chance(0.6):
            return min(known, key=lambda kind: (self._far[kind.name], self._dice.random()))
        return self._dice.choice(kinds)

    def _inline(self, kind: Any, depth: int, place: _Place) -> str:
        """An inline fragment on a type that fits, at times without saying so."""
        directives = self._directives(DirectiveLocation.INLINE_FRAGMENT)
        place.kinds.add(kind.name)
        return f"... on {kind.name}{directives} {self._selection(kind, depth - 1, place)}"

    def _widened(self, kind: Any, depth: int, place: _Place) -> str:
        """A fragment on an interface of the type, or on none."""
        wider = [*getattr(kind, "interfaces", ()), None]
        chosen = self._dice.choice(wider)
        on = f" on {chosen.name}" if chosen else ""
        inner = self._selection(chosen or kind, depth - 1, place)
        return f"...{on}{self._directives(DirectiveLocation.INLINE_FRAGMENT)} {inner}"

    def _spread(self, kind: Any, depth: int, place: _Place) -> str:
        """A named fragment: one that is there already, or a new one."""
        known = [name for name, on in self._done if on is kind]
        if known and self._chance(0.5):
            name = self._dice.choice(known)
        else:
            name = self._name("F")
            # Names inside are told apart everywhere, so that it can be spread anywhere.
            body = self._selection(kind, min(depth - 1, 3), _Place(names={"*"}))
            self._fragments.append(f"fragment {name} on {kind.name} {body}")
            self._done.append((name, kind))
        return f"...{name}{self._directives(DirectiveLocation.FRAGMENT_SPREAD)}"

    def _once_more(self, kind: Any, depth: int, place: _Place) -> str:
        """A field that was asked already, with another selection: answers are merged."""
        fitting = [one for one in place.again if one[0] == kind.name]
        if not fitting:
            return "__typename"
        _, head, inner, where = self._dice.choice(fitting)
        return f"{head} {self._selection(inner, depth - 1, where)}"

    def _field(self, kind: Any, depth: int, place: _Place) -> str:
        name, one = self._chosen(kind, depth)
        self._left -= 1
        self._asked.add(f"{kind.name}.{name}")
        inner = get_named_type(one.type)
        where = _Place(names=set(place.names & {"*"}), kinds={inner.name})
        body = ""
        if is_composite_type(inner):
            # First, because what is selected tells which ids make sense as arguments.
            body = self._selection(inner, depth - 1, where)
        self._aims = where.kinds
        head = self._key(kind, name, place) + self._arguments(kind, name, one)
        head += self._directives(DirectiveLocation.FIELD)
        if body:
            place.again.append((kind.name, head, inner, where))
        return f"{head} {body}".rstrip()

    def _chosen(self, kind: Any, depth: int) -> tuple[str, GraphQLField]:
        fields = list(fields_of(kind).items())
        if depth <= 0 or self._left <= 0:
            flat = [one for one in fields if not is_composite_type(get_named_type(one[1].type))]
            fields = flat or fields
        if self._far and self._chance(0.85):
            near = min(self._way(kind, one) for one in fields) + self._dice.choice((0, 0, 1))
            fields = [one for one in fields if self._way(kind, one) <= near]
        return self._dice.choice(fields)

    def _way(self, kind: Any, named: tuple[str, GraphQLField]) -> int:
        name, one = named
        start = f"{kind.name}.{name}"
        left = self._unseen - self._asked
        if start in left or any(f"{start}({argument}:)" in left for argument in one.args):
            return 0
        inner = possible(self._schema, get_named_type(one.type))
        return 1 + min((self._far.get(kind.name, 90) for kind in inner), default=90)

    def _key(self, kind: Any, name: str, place: _Place) -> str:
        """The plain name once in a place, else an alias that tells where the value is from."""
        plain = 0.05 if self._unseen else 0.3
        if "*" not in place.names and name not in place.names and self._chance(plain):
            place.names.add(name)
            return name
        return f"{self._name(f'{kind.name}_{name}')}: {name}"

    # ---------------------------------------------------------------- directives and arguments

    def _directives(self, location: DirectiveLocation) -> str:
        if not self._chance(0.06):
            return ""
        fitting = [one for one in self._schema.directives if location in one.locations]
        return f" {self._directive(self._dice.choice(fitting))}" if fitting else ""

    def _directive(self, one: GraphQLDirective) -> str:
        given = [
            f"{name}: {self._written(argument.type, self._value(argument.type, name))}"
            for name, argument in one.args.items()
        ]
        return f"@{one.name}({', '.join(given)})" if given else f"@{one.name}"

    def _arguments(self, kind: Any, name: str, one: GraphQLField) -> str:
        given = []
        for argument, declared in one.args.items():
            coordinate = f"{kind.name}.{name}({argument}:)"
            if not self._given(declared.type, coordinate, argument):
                continue
            self._asked.add(coordinate)
            value = self._value(declared.type, argument)
            given.append(f"{argument}: {self._written(declared.type, value)}")
        return f"({', '.join(given)})" if given else ""

    def _given(self, kind: Any, coordinate: str, name: str) -> bool:
        if isinstance(kind, GraphQLNonNull):
            return True
        if coordinate in self._unseen:
            return self._chance(0.8)
        # A page from both ends is refused, and a cursor of another list: not too often.
        often = 0.12 if name in (*_PLACES, "last") else 0.3
        # Conditions leave little to be answered: whoever seeks answers gives few.
        return self._chance(often / 4 if self._unseen else often)

    def _written(self, kind: Any, value: Any) -> str:
        """A value as a literal, or any part of it as a variable."""
        if self._chance(0.2) or isinstance(value, IncomingFile):  # no document can hold a file
            return self._variable(kind, value)
        if value is None:
            return "null"
        return self._literal(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, value)

    def _literal(self, kind: Any, value: Any) -> str:
        if isinstance(kind, GraphQLList):
            return f"[{', '.join(self._written(kind.of_type, one) for one in value)}]"
        if isinstance(kind, GraphQLInputObjectType):
            parts = [self._member(kind, name, one) for name, one in value.items()]
            return "{" + ", ".join(parts) + "}"
        if isinstance(kind, GraphQLEnumType):
            return str(value)
        return json.dumps(value, ensure_ascii=False)

    def _member(self, kind: GraphQLInputObjectType, name: str, value: Any) -> str:
        declared: Any = kind.fields[name].type
        if _is_one_of(kind) and not isinstance(declared, GraphQLNonNull):
            declared = GraphQLNonNull(declared)
        return f"{name}: {self._written(declared, value)}"

    def _variable(self, kind: Any, value: Any) -> str:
        name = self._name("v")
        self._declared.append(f"${name}: {kind}")
        self._variables[name] = value
        return f"${name}"

    # -------------------------------------------------------------------------------- values

    def _value(self, kind: Any, name: str) -> Any:
        """A value of an input type, as JSON has it."""
        if isinstance(kind, GraphQLNonNull):
            return self._present(kind.of_type, name)
        return None if self._chance(0.08) else self._present(kind, name)

    def _present(self, kind: Any, name: str) -> Any:
        if isinstance(kind, GraphQLList):
            count = self._dice.choice((0, 1, 1, 2, 3, 9))
            return [self._value(kind.of_type, name) for _ in range(count)]
        if isinstance(kind, GraphQLEnumType):
            return self._dice.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind)
        return self._scalar(kind, name)

    def _object(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        fields = list(kind.fields.items())
        if _is_one_of(kind):
            name, one = self._dice.choice(fields)
            self._asked.add(f"{kind.name}.{name}")
            return {name: self._present(one.type, name)}
        made = {}
        for name, one in fields:
            if self._given(one.type, f"{kind.name}.{name}", name):
                self._asked.add(f"{kind.name}.{name}")
                made[name] = self._value(one.type, name)
        return made

    def _scalar(self, kind: Any, name: str) -> Any:
        if kind.name == "Boolean":
            return self._chance(0.5)
        if kind.name == "Int":
            return self._dice.choice(COUNTS)
        if kind.name == "Float":
            return self._dice.choice((0.0, 1.5, -1e300))
        if kind.name == "ID" and self._chance(0.98):
            return self._dice.choice(self._ids(name))
        if name in _PLACES and self._chance(0.9):
            return self._dice.choice(self._pool.cursors)
        likely = [*self._pool.named.get(name, ())] if self._chance(0.8) else []
        for values in (likely, self._pool.texts, self._pool.days, _FORMATS):
            taken = [one for one in values if _takes(kind, one)]
            if taken:
                return self._dice.choice(taken)
        raise AssertionError(f"no value is known for the scalar {kind.name}: add one to _FORMATS")

    def _ids(self, name: str) -> Sequence[str]:
        """Ids of the type that the argument's name or the field's own type tells, mostly."""
        fitting = [
            ids
            for kind, ids in self._pool.ids.items()
            if ids and (name.lower().startswith(kind.lower()) or kind in self._aims)
        ]
        if fitting and self._chance(0.85):
            return self._dice.choice(fitting)
        return self._pool.all_ids


#: Texts that scalars with a form of their own take, when nothing of the world does.
_FORMATS = (
    "https://portal.example/a",
    "a@b.example",
    "CO",
    "COP",
    "es",
    "12.50",
    "2026-11-18",
    "2026-11-18T15:30:00Z",
    "10:30:00",
    "P1D",
    "00000000-0000-4000-8000-000000000000",
    "+57 1 555 0100",
    7,
    IncomingFile("f-1", "nota.txt"),
)


def _is_one_of(kind: GraphQLInputObjectType) -> bool:
    """strawberry says it in its own definition, and checks it with a rule of its own."""
    definition = kind.extensions.get("strawberry-definition")
    return bool(kind.is_one_of or getattr(definition, "is_one_of", False))


def _takes(kind: Any, value: Any) -> bool:
    try:
        kind.parse_value(value)
    except (GraphQLError, ValueError, TypeError):
        return False
    return True
