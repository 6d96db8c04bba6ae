"""Which object type a value of an interface or a union is of, told as graphql-core tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLAbstractType,
    GraphQLError,
    GraphQLObjectType,
    default_type_resolver,
)
from graphql.pyutils import inspect

from gateway.operations.compiled.shapes import resolves_by_predicates, tells_by_class
from schema.recognition import CLASSES

if TYPE_CHECKING:
    from gateway.operations.compiled.execution import Execution
    from gateway.operations.compiled.positions import Column


#: Classes of values that are remembered for one abstract type.
_MOST = 1_000


class AbstractTypes:
    """The object types of one abstract type. known: the types of values by their class, where
    nothing else tells them apart."""

    __slots__ = ("_by_class", "_resolve", "known", "type")

    def __init__(self, kind: GraphQLAbstractType, possible: Sequence[GraphQLObjectType]) -> None:
        self.type = kind
        self._resolve = kind.resolve_type or default_type_resolver
        self._by_class = resolves_by_predicates(self._resolve) and all(
            one.is_type_of is None or hasattr(one.is_type_of, CLASSES) for one in possible
        )
        self.known: dict[type, GraphQLObjectType] = {}

    def learn(self, value: Any, kind: GraphQLObjectType) -> None:
        """Remembers what a value turned out to be, where all of its class are the same."""
        if self._by_class and tells_by_class(type(value)) and len(self.known) < _MOST:
            self.known[type(value)] = kind

    def of(self, execution: Execution, column: Column, index: int, value: Any) -> Any:
        """The name of a value's type, or an awaitable of it."""
        return self._resolve(value, execution.info_at(column, index), self.type)

    def valid(
        self, execution: Execution, column: Column, name: Any, value: Any
    ) -> GraphQLObjectType:
        """The type of a name. Raises GraphQLError when it is none of these."""
        found = execution.variant.schema.get_type(name) if isinstance(name, str) else None
        if isinstance(found, GraphQLObjectType) and execution.variant.schema.is_sub_type(
            self.type, found
        ):
            return found
        raise GraphQLError(self._mistake(column, name, found, value), column.field.nodes)

    def _mistake(self, column: Column, name: Any, found: Any, value: Any) -> str:
        field = f"{column.field.parent.name}.{column.field.name}"
        must = f"Abstract type '{self.type}' must resolve to an Object type at runtime for field"
        if name is None:
            return (
                f"{must} '{field}'. Either the '{self.type}' type should provide a 'resolve_type'"
                " function or each possible type should provide an 'is_type_of' function."
            )
        if not isinstance(name, str):
            return (
                f"{must} '{field}' with value {inspect(value)}, received '{inspect(name)}', which"
                " is not a valid Object type name."
            )
        if found is None:
            return (
                f"Abstract type '{self.type}' was resolved to a type '{name}' that does not exist"
                " inside the schema."
            )
        if not isinstance(found, GraphQLObjectType):
            return f"Abstract type '{self.type}' was resolved to a non-object type '{name}'."
        return f"Runtime Object type '{found}' is not a possible type for '{self.type}'."
