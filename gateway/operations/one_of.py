"""A validation rule of the specification that the GraphQL library forgets where an argument must be
given: what stands for the one field of a @oneOf input must be a variable that is never null."""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLNonNull,
    NonNullTypeNode,
    OperationDefinitionNode,
    ValidationRule,
)


class OneOfVariables(ValidationRule):
    """For the places that `VariablesInAllowedPositionRule` does not look at."""

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        declared = {one.variable.name.value: one for one in operation.variable_definitions or ()}
        for usage in self.context.get_recursive_variable_usages(operation):
            parent: Any = usage.parent_type
            variable = declared.get(usage.node.name.value)
            if variable is None or not isinstance(parent, GraphQLNonNull):
                continue
            kind = parent.of_type
            nullable = not isinstance(variable.type, NonNullTypeNode)
            if nullable and isinstance(kind, GraphQLInputObjectType) and kind.is_one_of:
                text = (
                    f"Variable '${usage.node.name.value}' must be non-nullable to be used for "
                    f"OneOf Input Object '{kind}'."
                )
                self.report_error(GraphQLError(text, [usage.node, variable]))
