"""Reads from a document what a field selects, and says it as attributes of a record.

A graph field stands for the record's attribute of the same name unless it declares otherwise with
`needs` (attributes that its resolver reads) and `embeds` (a record inside the record, whose own
selection goes along as dotted names). Connections are looked through: what `nodes` and `edges.node`
select is selected of the record. What is selected of a type in a union is said as dotted names too:
"CaseComment.body".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution.values import VariableValues, get_directive_values
from strawberry.types.field import StrawberryField

from connectors.port.fields import Fields, nested
from schema.context import Context

Info = GraphQLResolveInfo[Any]


class Reading(NamedTuple):
    """What a document is read with: as much of graphql-core's info as is needed here.
    variable_values: those that @skip and @include depend on."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variable_values: VariableValues


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
        known = frozenset(_attributes(_reading(info), named, info.field_nodes))
        context.selections[key] = known
    return known


def selects(asked: strawberry.Info, field_name: str) -> bool:
    """Whether the field being resolved selects a field of this GraphQL name directly."""
    info = raw(asked)
    key = (field_name, "selects", *map(id, info.field_nodes))
    context: Context = info.context
    known: bool | None = context.selections.get(key)
    if known is None:
        known = has_field(_reading(info), info.return_type, info.field_nodes, field_name)
        context.selections[key] = known
    return known


def attributes(reading: Reading, kind: GraphQLOutputType, nodes: Sequence[FieldNode]) -> Fields:
    """Attributes of the record that a field answers with. kind, nodes: of the field."""
    return frozenset(_attributes(reading, get_named_type(kind), nodes))


def has_field(
    reading: Reading, kind: GraphQLOutputType, nodes: Sequence[FieldNode], name: str
) -> bool:
    """Whether a field selects a field of this GraphQL name directly. kind, nodes: of the field."""
    named = get_named_type(kind)
    if not isinstance(named, GraphQLObjectType):
        return False
    return any(node.name.value == name for node in _fields(reading, named, nodes))


def _reading(info: Info) -> Reading:
    return Reading(info.schema, info.fragments, info.variable_values)


def _attributes(reading: Reading, named: Any, parents: Iterable[FieldNode]) -> Iterator[str]:
    if isinstance(named, GraphQLUnionType):
        for kind in reading.schema.get_possible_types(named):
            yield from nested(kind.name, _attributes(reading, kind, parents))
        return
    if not isinstance(named, GraphQLObjectType):
        return
    if "pageInfo" in named.fields:
        yield from _through_connection(reading, named, parents)
        return
    by_name: dict[str, list[FieldNode]] = {}
    for node in _fields(reading, named, parents):
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
            inner = _attributes(reading, get_named_type(field.type), nodes)
            yield from {embedded, *nested(embedded, inner)}


def _through_connection(
    reading: Reading, connection: GraphQLObjectType, parents: Iterable[FieldNode]
) -> Iterator[str]:
    item = get_named_type(connection.fields["nodes"].type)
    edge = get_named_type(connection.fields["edges"].type)
    for node in _fields(reading, connection, parents):
        if node.name.value == "nodes":
            yield from _attributes(reading, item, [node])
        elif node.name.value == "edges" and isinstance(edge, GraphQLObjectType):
            inner = [n for n in _fields(reading, edge, [node]) if n.name.value == "node"]
            yield from _attributes(reading, item, inner)


def _fields(
    reading: Reading, named: GraphQLObjectType, parents: Iterable[FieldNode]
) -> Iterator[FieldNode]:
    seen: set[str] = set()
    for parent in parents:
        if parent.selection_set:
            yield from _flat(reading, named, parent.selection_set, seen)


def _flat(
    reading: Reading,
    named: GraphQLObjectType,
    selection_set: SelectionSetNode,
    seen: set[str],
) -> Iterator[FieldNode]:
    for node in selection_set.selections:
        if not _included(reading, node):
            continue
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else None
            if _applies(reading, condition, named):
                yield from _flat(reading, named, node.selection_set, seen)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            fragment = reading.fragments[node.name.value]
            if _applies(reading, fragment.type_condition.name.value, named):
                yield from _flat(reading, named, fragment.selection_set, seen)


def _applies(reading: Reading, condition: str | None, named: GraphQLObjectType) -> bool:
    if condition is None or condition == named.name:
        return True
    other = reading.schema.get_type(condition)
    if isinstance(other, GraphQLInterfaceType | GraphQLUnionType):
        return reading.schema.is_sub_type(other, named)
    return False


def _included(reading: Reading, node: Any) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, reading.variable_values)
    if skip and skip["if"]:
        return False
    include = get_directive_values(GraphQLIncludeDirective, node, reading.variable_values)
    return not include or bool(include["if"])
