"""The plan of an operation for one choice of its conditions: what @skip and @include depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields
from graphql.execution.values import VariableValues

from gateway.operations.compiled.objects import ObjectPlan
from gateway.operations.compiled.refusals import NotCompiled
from schema.selection import Reading


class Variant:
    """conditions: the values of the variables that conditions use, and of no others, so that
    nothing of a request is kept. selections: what fields select, worked out once; see
    schema.selection."""

    __slots__ = (
        "conditions",
        "details",
        "fragments",
        "operation",
        "plan",
        "reading",
        "schema",
        "selections",
        "serially",
    )

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        conditions: Mapping[str, bool],
    ) -> None:
        self.schema, self.operation, self.fragments = schema, operation, dict(fragments)
        self.details = {name: FragmentDetails(node) for name, node in fragments.items()}
        self.conditions = VariableValues({}, dict(conditions))
        self.reading = Reading(schema, self.fragments, self.conditions)
        self.selections: dict[Any, Any] = {}
        self.serially = operation.operation is OperationType.MUTATION
        root = schema.get_root_type(operation.operation)
        if root is None:
            raise NotCompiled("no_operation")
        grouped = collect_fields(schema, self.details, self.conditions, root, operation)
        self.plan = self.planned(root, grouped.grouped_field_set)

    def planned(
        self, kind: GraphQLObjectType, grouped: Mapping[str, Sequence[FieldDetails]]
    ) -> ObjectPlan:
        """The plan of fields that were collected of one object type."""
        return ObjectPlan(self, kind, grouped)
