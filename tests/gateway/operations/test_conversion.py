"""Arguments are converted as Strawberry converts them, for every field of the product and for types
that only Strawberry knows what to do with."""

from __future__ import annotations

import enum
from typing import Annotated, Any, cast

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from hypothesis import given
from hypothesis import strategies as st
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from gateway.operations.compiled import conversion
from gateway.operations.compiled.conversion import converting
from schema.root import SCHEMA

GRAPH = SCHEMA._schema


def _taking(graph: GraphQLSchema) -> list[tuple[str, Any]]:
    """The fields of a schema that take arguments."""
    return [
        (f"{kind.name}.{name}", field)
        for kind in graph.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if field.args
    ]


def _values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type as GraphQL's coercion makes them."""
    if isinstance(kind, GraphQLNonNull):
        return _some(kind.of_type)
    return st.one_of(st.none(), _some(kind))


def _some(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, GraphQLList):
        return st.lists(_values(kind.of_type), max_size=2)
    if isinstance(kind, GraphQLEnumType):
        return st.sampled_from([value.value for value in kind.values.values()])
    if isinstance(kind, GraphQLInputObjectType):
        return _given(kind.fields)
    return st.sampled_from(["text", 5, True])


def _given(places: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A value for each place that must have one and for some others."""
    must, may = dict[str, Any](), dict[str, Any]()
    for name, place in places.items():
        required = isinstance(place.type, GraphQLNonNull) and place.default_value is Undefined
        (must if required else may)[place.out_name or name] = _values(place.type)
    return st.fixed_dictionaries(must, optional=may)


def _theirs(graph: GraphQLSchema, definition: StrawberryField, values: dict[str, Any]) -> Any:
    own: Any = graph._strawberry_schema  # type: ignore[attr-defined]
    scalars = own.schema_converter.scalar_registry
    return convert_arguments(
        values, definition.arguments, scalar_registry=scalars, config=own.config
    )


def _compare(graph: GraphQLSchema, field: Any) -> None:
    definition = field.extensions["strawberry-definition"]
    convert = converting(graph, definition)

    @given(_given(field.args))
    def one(values: dict[str, Any]) -> None:
        ours, theirs = convert(values), _theirs(graph, definition, values)
        assert ours == theirs
        assert list(ours) == list(theirs)
        again = convert(values)
        for name, value in ours.items():
            # Whoever changes what they got changes nobody else's.
            assert again[name] is not value or not isinstance(value, list)

    one()


@pytest.mark.parametrize("field", [pytest.param(field, id=name) for name, field in _taking(GRAPH)])
def test_arguments_of_the_product_are_converted_as_strawberry_does(
    field: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: Any, **__: Any) -> Any:
        raise AssertionError("it was left to Strawberry")

    monkeypatch.setattr(conversion, "convert_arguments", slow)
    _compare(GRAPH, field)


# ------------------------------------------------------------------------------- all that there is


@strawberry.enum
class Color(enum.Enum):
    RED = 1
    BLUE = "b"


@strawberry.input
class Inner:
    must: int
    color: Color | None = None
    from_: str | None = strawberry.field(name="from", default="here")
    left: str | None = strawberry.UNSET
    many: list[Color | None] | None = None


@strawberry.input
class Outer:
    inner: Inner | None
    inners: list[Inner | None] = strawberry.field(default_factory=list)
    lists: list[list[Inner]] | None = None


@strawberry.input
class Nested:
    within: Nested | None = None


@strawberry.input
class Maybe:
    name: strawberry.Maybe[str | None]


@strawberry.type
class Query:
    @strawberry.field
    def all(
        self,
        outer: Outer,
        other: Annotated[Outer | None, strawberry.argument(name="else")] = None,
        inners: list[Inner] | None = None,
    ) -> str:
        return ""

    @strawberry.field
    def nested(self, nested: Nested | None = None) -> str:
        return ""

    @strawberry.field
    def maybe(self, maybe: Maybe | None = None) -> str:
        return ""


OTHER: GraphQLSchema = strawberry.Schema(Query)._schema


def _of(name: str) -> Any:
    return cast("GraphQLObjectType", OTHER.query_type).fields[name]


def test_input_types_in_lists_and_in_each_other() -> None:
    _compare(OTHER, _of("all"))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("nested", {"nested": {"within": {"within": None}}}),
        ("maybe", {"maybe": {"name": None}}),
        ("maybe", {"maybe": {"name": "x"}}),
        ("maybe", {"maybe": {}}),
    ],
)
def test_what_is_not_known_here_is_left_to_strawberry(name: str, values: dict[str, Any]) -> None:
    definition = _of(name).extensions["strawberry-definition"]
    assert converting(OTHER, definition)(values) == _theirs(OTHER, definition, values)


def test_a_value_that_is_none_of_its_type_ends_as_it_would() -> None:
    definition = _of("all").extensions["strawberry-definition"]
    with pytest.raises(TypeError) as ours:
        converting(OTHER, definition)({"outer": 5})
    with pytest.raises(TypeError) as theirs:
        _theirs(OTHER, definition, {"outer": 5})
    assert str(ours.value) == str(theirs.value)
