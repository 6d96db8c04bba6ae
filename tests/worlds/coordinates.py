"""Every place of a schema by its coordinate: "Case.number", "Case.comments(first:)",
"CaseFilter.search". What can be asked at all, what a document asks, and how far it is to the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


def roots(schema: GraphQLSchema) -> dict[str, GraphQLObjectType]:
    """The types that operations begin with. Subscriptions are left to those that can listen."""
    found = {"query": schema.query_type, "mutation": schema.mutation_type}
    return {name: kind for name, kind in found.items() if kind is not None}


def possible(schema: GraphQLSchema, kind: Any) -> list[Any]:
    """The composite types that an object found here may have, itself among them."""
    if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
        return [kind, *schema.get_possible_types(kind)]
    return [kind] if isinstance(kind, GraphQLObjectType) else []


def fields_of(kind: Any) -> Mapping[str, GraphQLField]:
    """The fields of a composite type; a union has none."""
    found: Mapping[str, GraphQLField] = getattr(kind, "fields", {})
    return found


def inputs(kind: Any, seen: set[str] | None = None) -> Iterator[str]:
    """The coordinates inside an input type."""
    seen = set() if seen is None else seen
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType) and named.name not in seen:
        seen.add(named.name)
        for name, one in named.fields.items():
            yield f"{named.name}.{name}"
            yield from inputs(one.type, seen)


def of_field(kind: Any, name: str, one: GraphQLField) -> Iterator[str]:
    """The coordinates that a field can be asked by."""
    yield f"{kind.name}.{name}"
    for argument, declared in one.args.items():
        yield f"{kind.name}.{name}({argument}:)"
        yield from inputs(declared.type)


def reachable(schema: GraphQLSchema) -> frozenset[str]:
    """All coordinates that a query or mutation can ask."""
    found: set[str] = set()
    waiting: list[Any] = [*roots(schema).values()]
    known: set[str] = set()
    while waiting:
        for kind in possible(schema, waiting.pop()):
            if kind.name in known:
                continue
            known.add(kind.name)
            for name, one in fields_of(kind).items():
                found.update(of_field(kind, name, one))
                waiting.append(get_named_type(one.type))
    return frozenset(found)


def distances(schema: GraphQLSchema, unseen: Iterable[str]) -> dict[str, int]:
    """For each composite type, how many fields deep the nearest unseen coordinate lies. A type
    from which none can be reached is missing."""
    left = frozenset(unseen)
    kinds = [
        kind
        for kind in schema.type_map.values()
        if isinstance(kind, Composite) and not kind.name.startswith("__")
    ]
    found: dict[str, int] = {}
    changed = True
    while changed:
        changed = False
        for kind in kinds:
            near = min(_ways(schema, kind, left, found), default=None)
            if near is not None and near < found.get(kind.name, 1_000):
                found[kind.name] = near
                changed = True
    return found


def _ways(
    schema: GraphQLSchema, kind: Any, left: frozenset[str], found: Mapping[str, int]
) -> Iterator[int]:
    for name, one in fields_of(kind).items():
        yield from [0] if not left.isdisjoint(of_field(kind, name, one)) else []
        for inner in possible(schema, get_named_type(one.type)):
            if inner.name in found:
                yield found[inner.name] + 1
