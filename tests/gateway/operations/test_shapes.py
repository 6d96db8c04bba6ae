"""What the compiler makes of the product's own resolvers: none of the quick sorts goes unrecognised,
and none of the others is taken for one."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry
from graphql import GraphQLField, GraphQLObjectType, build_schema, parse
from strawberry.types.field import StrawberryField

from connectors.port import records
from connectors.port.scope import AccountRef
from gateway.operations.compiled.abstract import AbstractTypes
from gateway.operations.compiled.plans import Plans
from gateway.operations.compiled.shapes import (
    Attribute,
    Batched,
    Derived,
    Ordinary,
    shape_of,
    tells_by_class,
)
from schema.access import Guard
from schema.batched import BATCHED, DERIVED, TYPED, derived
from schema.recognition import instances_of
from schema.root import SCHEMA

GRAPH = SCHEMA._schema
FIELDS = [
    (kind.name, name, field)
    for kind in GRAPH.type_map.values()
    if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
    for name, field in kind.fields.items()
]


def _declared(field: GraphQLField) -> type:
    """The shape that a field is written in."""
    definition = field.extensions["strawberry-definition"]
    assert isinstance(definition, StrawberryField)
    if definition.base_resolver is None:
        return Attribute
    wrapped: Any = definition.base_resolver.wrapped_func
    if hasattr(wrapped, BATCHED):
        return Batched
    return Derived if hasattr(wrapped, DERIVED) or hasattr(wrapped, TYPED) else Ordinary


@pytest.mark.parametrize(
    ("parent", "name", "field"), FIELDS, ids=[f"{parent}.{name}" for parent, name, _ in FIELDS]
)
def test_a_field_of_the_schema_runs_as_it_is_written(
    parent: str, name: str, field: GraphQLField
) -> None:
    shape, guard = shape_of(GRAPH, parent, field)
    assert type(shape) is _declared(field)
    assert (guard is not None) == isinstance(field.resolve, Guard)


def test_only_entry_points_and_few_others_are_called_for_each_parent() -> None:
    ordinary = {
        f"{parent}.{name}"
        for parent, name, field in FIELDS
        if isinstance(shape_of(GRAPH, parent, field)[0], Ordinary)
        and parent not in ("Query", "Mutation")
    }
    assert len(ordinary) < 10, ordinary


def _label(parent: Any, context: Any) -> str:
    return "label"


@strawberry.type
class _Query:
    plain: str
    label: str = derived(_label, description=".")


def _wrapped(field: GraphQLField) -> GraphQLField:
    run: Any = field.resolve

    def around(source: Any, info: Any, **arguments: Any) -> Any:
        return run(source, info, **arguments)

    around.__wrapped__ = run  # type: ignore[attr-defined]
    around.__qualname__ = run.__qualname__
    return GraphQLField(field.type, resolve=around, extensions=field.extensions)


@pytest.mark.parametrize("name", ["plain", "label"])
def test_a_resolver_that_somebody_wrapped_is_called(name: str) -> None:
    graph = strawberry.Schema(_Query)._schema
    assert graph.query_type is not None
    field = graph.query_type.fields[name]
    assert not isinstance(shape_of(graph, "Query", field)[0], Ordinary)
    assert isinstance(shape_of(graph, "Query", _wrapped(field))[0], Ordinary)


def test_a_schema_that_reads_attributes_in_its_own_way_does_so() -> None:
    def backwards(source: Any, name: str) -> Any:
        return getattr(source, name)[::-1]

    config = strawberry.schema.config.StrawberryConfig(default_resolver=backwards)
    graph = strawberry.Schema(_Query, config=config)._schema
    assert graph.query_type is not None
    assert isinstance(shape_of(graph, "Query", graph.query_type.fields["plain"])[0], Ordinary)


# ------------------------------------------------------------------ types of interfaces and unions


class Telling:
    """Says itself of which type it is: two of one class can be of two types."""

    def __init__(self, type_name: str) -> None:
        self._Telling__typename = type_name


class Answering:
    """Answers for attributes that it does not have."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __getattr__(self, name: str) -> Any:
        if name == "_Answering__typename":
            return self.type_name
        raise AttributeError(name)


class Mapped(dict[str, str]):
    """Says it as a mapping does."""

    __slots__ = ()

    def __init__(self, type_name: str) -> None:
        super().__init__(__typename=type_name)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [Telling, Answering, Mapped])
async def test_values_of_one_class_can_be_of_two_types(kind: Any) -> None:
    schema = build_schema(
        "union U = A | B  type A { a: Int } type B { b: Int } type Query { all: [U] }"
    )
    assert schema.query_type is not None
    schema.query_type.fields["all"].resolve = lambda *_: [kind("A"), kind("B"), kind("A")]
    plan = Plans(schema).plan(parse("{ all { __typename } }"), None)
    for _ in range(2):
        data = (await plan.run(None, {})).data
        assert data is not None
        assert [one["__typename"] for one in data["all"]] == ["A", "B", "A"]
    assert not tells_by_class(kind)


@strawberry.type
class _Cast:
    is_type_of = instances_of(dict)
    name: str


def test_what_is_a_graph_type_itself_is_asked_each_time() -> None:
    assert not tells_by_class(_Cast)
    assert tells_by_class(records.Case)


@pytest.mark.parametrize("name", ["Node", "CaseEvent"])
def test_types_of_the_product_are_told_by_class(name: str) -> None:
    kind: Any = GRAPH.type_map[name]
    types = AbstractTypes(kind, GRAPH.get_possible_types(kind))
    case = records.Case("c", AccountRef("a"))
    types.learn(case, GRAPH.type_map["Case"])  # type: ignore[arg-type]
    assert types.known == {records.Case: GRAPH.type_map["Case"]}


def test_a_type_that_looks_at_its_values_is_asked_each_time() -> None:
    schema = build_schema(
        "union U = A | B  type A { a: Int } type B { b: Int } type Query { u: U }"
    )
    kind: Any = schema.type_map["U"]
    possible = schema.get_possible_types(kind)
    possible[0].is_type_of = lambda value, info: value.id == "a"
    types = AbstractTypes(kind, possible)
    types.learn(records.Case("c", AccountRef("a")), possible[1])
    assert not types.known
