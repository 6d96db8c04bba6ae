"""Generated schemas: a handful of fields, each of one type wherever it turns up, so that documents
can be put together without conflicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDefaultInput,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    Undefined,
)

from tests.gateway.operations.generated.dice import Dice
from tests.gateway.operations.generated.outcomes import Thing, brought, late


def _odd(value: Any) -> Any:
    if value == "raise":
        raise ValueError("the scalar takes no such thing")
    if value == "none":
        return None
    return Undefined if value == "undefined" else f"<{value}>"


ODD = GraphQLScalarType("Odd", serialize=_odd)
COLOR = GraphQLEnumType(
    "Color",
    {"RED": GraphQLEnumValue(1), "GREEN": GraphQLEnumValue("g"), "BLUE": GraphQLEnumValue(2.5)},
)
OPTIONS: GraphQLInputObjectType = GraphQLInputObjectType(
    "Options",
    lambda: {
        "a": GraphQLInputField(GraphQLInt, default=GraphQLDefaultInput(value=3)),
        "b": GraphQLInputField(GraphQLList(GraphQLNonNull(GraphQLString))),
        "c": GraphQLInputField(COLOR),
        "d": GraphQLInputField(OPTIONS),
    },
)
LEAVES = (
    GraphQLInt,
    GraphQLFloat,
    GraphQLString,
    GraphQLString,
    GraphQLBoolean,
    GraphQLID,
    COLOR,
    ODD,
)
_ARGUMENTS: dict[str, Callable[[], GraphQLArgument]] = {
    "n": lambda: GraphQLArgument(GraphQLInt),
    "five": lambda: GraphQLArgument(GraphQLInt, default=GraphQLDefaultInput(value=5)),
    "must": lambda: GraphQLArgument(GraphQLNonNull(GraphQLString)),
    "color": lambda: GraphQLArgument(COLOR, default=GraphQLDefaultInput(value="GREEN")),
    "many": lambda: GraphQLArgument(GraphQLList(GraphQLNonNull(GraphQLInt)), out_name="several"),
    "options": lambda: GraphQLArgument(OPTIONS),
    "yes": lambda: GraphQLArgument(GraphQLBoolean),
}


class Generated:
    """A schema, and what a document can be made of."""

    def __init__(self, seed: int) -> None:
        dice = Dice(f"schema {seed}")
        self._dice = dice
        self._kinds: dict[str, Any] = {}
        self.objects = [f"T{place}" for place in range(2 + dice.below(3))]
        interfaces = [f"I{place}" for place in range(1 + dice.below(2))]
        names = [f"f{place}" for place in range(5 + dice.below(6))]
        implements = {name: dice.some(interfaces) for name in self.objects}
        fields_of = {name: dice.some(names, least=2) for name in interfaces}
        for name in self.objects:
            inherited = {one for face in implements[name] for one in fields_of[face]}
            own = dice.some(names, least=2)
            fields_of[name] = [one for one in names if one in inherited or one in own]
        members = dice.some(self.objects, least=1)
        self._possible = {
            **{face: [n for n in self.objects if face in implements[n]] for face in interfaces},
            "U": members,
        }
        abstract = [name for name in (*interfaces, "U") if self._possible[name]]
        bases = [*LEAVES, *LEAVES, *self.objects, *self.objects, *abstract]
        self._types = {name: (dice.one(bases), dice.below(7), dice.below(16)) for name in names}
        self._arguments = {
            name: dice.some([*_ARGUMENTS]) if dice.chance(35) else [] for name in names
        }
        self._resolved = {name: dice.chance(60) for name in names}
        for face in interfaces:
            self._kinds[face] = self._interface(face, fields_of[face])
        for name in self.objects:
            self._kinds[name] = self._object(name, fields_of[name], implements[name])
        self._kinds["U"] = self._union(members)
        query = self._object("Query", names, [])
        mutation = self._object("Mutation", names, [])
        self.schema = GraphQLSchema(query, mutation, types=list(self._kinds.values()))

    def _field(self, owner: str, name: str) -> GraphQLField:
        base, wrapping, nulls = self._types[name]
        kind: Any = self._kinds[base] if isinstance(base, str) else base
        kind = GraphQLNonNull(kind) if nulls & 1 else kind
        for place in range({5: 1, 6: 2}.get(wrapping, 1 if wrapping == 4 else 0)):
            kind = GraphQLList(kind)
            kind = GraphQLNonNull(kind) if nulls & (2 << place) else kind
        arguments = {one: _ARGUMENTS[one]() for one in self._arguments[name]}
        resolved = self._resolved[name] or owner in ("Query", "Mutation")
        resolve = (lambda source, info, **given: brought(source, info, given)) if resolved else None
        return GraphQLField(kind, arguments, resolve)

    def _interface(self, name: str, fields: list[str]) -> GraphQLInterfaceType:
        return GraphQLInterfaceType(
            name,
            lambda: {one: self._field(name, one) for one in fields},
            resolve_type=self._resolver_of_types(name),
            extensions={"possible": self._possible[name]},
        )

    def _union(self, members: list[str]) -> GraphQLUnionType:
        return GraphQLUnionType(
            "U",
            [self._kinds[one] for one in members],
            resolve_type=self._resolver_of_types("U"),
            extensions={"possible": members},
        )

    def _resolver_of_types(self, name: str) -> Any:
        if self._dice.chance(40):
            return None
        slow = self._dice.chance(40)

        def resolve_type(value: Any, info: Any, kind: Any) -> Any:
            if not isinstance(value, Thing):
                raise TypeError(f"{name} cannot be {value!r}")
            dice = Dice(f"type {value.seed}")
            told: Any = value.type_name
            if dice.chance(info.context.trouble):
                told = dice.one([None, 17, "Nowhere", "Color", "Query"])
            return late(told, dice.below(2), info.context) if slow and info.context.waits else told

        return resolve_type

    def _object(self, name: str, fields: list[str], faces: list[str]) -> GraphQLObjectType:
        return GraphQLObjectType(
            name,
            lambda: {one: self._field(name, one) for one in fields},
            interfaces=[self._kinds[face] for face in faces],
            is_type_of=None if name in ("Query", "Mutation") else self._predicate(name),
        )

    def _predicate(self, name: str) -> Any:
        sort = self._dice.below(4)
        if sort == 0:
            return None

        def is_type_of(value: Any, info: Any) -> Any:
            dice = Dice(f"is {getattr(value, 'seed', value)!r}")
            if dice.chance(info.context.trouble // 2):
                raise RuntimeError("the predicate failed")
            holds = isinstance(value, Thing) and value.type_name == name
            return late(holds, 1, info.context) if sort == 1 and info.context.waits else holds

        return is_type_of
