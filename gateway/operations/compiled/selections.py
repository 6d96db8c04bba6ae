"""What is selected inside a field, made into a plan for each object type that turns up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphql import GraphQLAbstractType, GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails, collect_subfields

if TYPE_CHECKING:
    from gateway.operations.compiled.objects import ObjectPlan
    from gateway.operations.compiled.variant import Variant


class Selections:
    """The selection sets of all the nodes of a field, merged."""

    __slots__ = ("_nodes", "_plans", "_variant")

    def __init__(self, variant: Variant, nodes: Sequence[FieldDetails]) -> None:
        self._variant, self._nodes = variant, list(nodes)
        self._plans: dict[GraphQLObjectType, ObjectPlan] = {}

    def possible(self, kind: GraphQLAbstractType) -> Sequence[GraphQLObjectType]:
        """The object types of an abstract one."""
        return self._variant.schema.get_possible_types(kind)

    def plan(self, kind: GraphQLObjectType) -> ObjectPlan:
        """The plan for one type, made when the first object of it turns up."""
        known = self._plans.get(kind)
        if known is None:
            variant = self._variant
            collected = collect_subfields(
                variant.schema,
                variant.details,
                variant.conditions,
                variant.operation,
                kind,
                self._nodes,
            )
            known = variant.planned(kind, collected.grouped_field_set)
            self._plans[kind] = known
        return known
