"""Reads from a document what a field selects, and says it as attributes of a record.

A graph field stands for the record's attribute of the same name unless it declares otherwise with
`needs` (attributes that its resolver reads) and `embeds` (a record inside the record, whose own
selection goes along as dotted names). Connections are looked through: what `nodes` and `edges.node`
select is selected of the record. What is selected of a type in a union is said as dotted names too:
"CaseComment.body".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import strawberry
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution.values import get_directive_values
from strawberry.types.field import StrawberryField

from connectors.port.fields import Fields, nested
from schema.context import Context

Info = GraphQLResolveInfo[Any]

_BACKREF = "strawberry-definition"
NEEDS, EMBEDS = "needs", "embeds"


def raw(info: strawberry.Info) -> Info:
    """graphql-core's own info. The one place that looks inside strawberry's."""
    return info._raw_info  # noqa: SLF001 - strawberry offers no other way to it


def selected(asked: strawberry.Info, type_name: str | None = None) -> Fields:
    """Attributes of the record that the field being resolved answers with. type_name: of which
    object type, where the field's own type is an interface."""
    info = raw(asked)
    key = (type_name, *map(id, info.field_nodes))
    context: Context = info.context
    known: Fields | None = context.selections.get(key)
    if known is None:
        named = get_named_type(info.return_type)
        if type_name is not None:
            named = info.schema.type_map[type_name]
        known = frozenset(_attributes(info, named, info.field_nodes))
        context.selections[key] = known
    return known


def selects(asked: strawberry.Info, field_name: str) -> bool:
    """Whether the field being resolved selects a field of this GraphQL name directly."""
    info = raw(asked)
    named = get_named_type(info.return_type)
    if not isinstance(named, GraphQLObjectType):
        return False
    return any(node.name.value == field_name for node in _fields(info, named, info.field_nodes))


def _attributes(info: Info, named: Any, parents: Iterable[FieldNode]) -> Iterator[str]:
    if isinstance(named, GraphQLUnionType):
        for kind in info.schema.get_possible_types(named):
            yield from nested(kind.name, _attributes(info, kind, parents))
        return
    if not isinstance(named, GraphQLObjectType):
        return
    if "pageInfo" in named.fields:
        yield from _through_connection(info, named, parents)
        return
    by_name: dict[str, list[FieldNode]] = {}
    for node in _fields(info, named, parents):
        by_name.setdefault(node.name.value, []).append(node)
    for name, nodes in by_name.items():
        field = named.fields.get(name)
        definition = field.extensions.get(_BACKREF) if field else None
        if field is None or not isinstance(definition, StrawberryField):
            continue  # __typename
        metadata = definition.metadata
        if NEEDS not in metadata and definition.base_resolver is None:
            yield definition.python_name
        yield from metadata.get(NEEDS, ())
        embedded = metadata.get(EMBEDS)
        if embedded:
            inner = _attributes(info, get_named_type(field.type), nodes)
            yield from {embedded, *nested(embedded, inner)}


def _through_connection(
    info: Info, connection: GraphQLObjectType, parents: Iterable[FieldNode]
) -> Iterator[str]:
    item = get_named_type(connection.fields["nodes"].type)
    edge = get_named_type(connection.fields["edges"].type)
    for node in _fields(info, connection, parents):
        if node.name.value == "nodes":
            yield from _attributes(info, item, [node])
        elif node.name.value == "edges" and isinstance(edge, GraphQLObjectType):
            inner = [n for n in _fields(info, edge, [node]) if n.name.value == "node"]
            yield from _attributes(info, item, inner)


def _fields(
    info: Info, named: GraphQLObjectType, parents: Iterable[FieldNode]
) -> Iterator[FieldNode]:
    seen: set[str] = set()
    for parent in parents:
        if parent.selection_set:
            yield from _flat(info, named, parent.selection_set, seen)


def _flat(
    info: Info,
    named: GraphQLObjectType,
    selection_set: SelectionSetNode,
    seen: set[str],
) -> Iterator[FieldNode]:
    for node in selection_set.selections:
        if not _included(info, node):
            continue
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else None
            if _applies(info, condition, named):
                yield from _flat(info, named, node.selection_set, seen)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            fragment = info.fragments[node.name.value]
            if _applies(info, fragment.type_condition.name.value, named):
                yield from _flat(info, named, fragment.selection_set, seen)


def _applies(info: Info, condition: str | None, named: GraphQLObjectType) -> bool:
    if condition is None or condition == named.name:
        return True
    other = info.schema.get_type(condition)
    if isinstance(other, GraphQLInterfaceType | GraphQLUnionType):
        return info.schema.is_sub_type(other, named)
    return False


def _included(info: Info, node: Any) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, info.variable_values)
    if skip and skip["if"]:
        return False
    include = get_directive_values(GraphQLIncludeDirective, node, info.variable_values)
    return not include or bool(include["if"])
