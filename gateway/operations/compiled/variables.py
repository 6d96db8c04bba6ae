"""Values of an operation's variables, by graphql-core's rules: what is the same for every request
is worked out once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from graphql import (
    GraphQLError,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    is_leaf_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    get_variable_values,
    input_is_nested_too_deeply,
)
from graphql.utilities import coerce_input_literal, coerce_input_value

from gateway.operations.compiled.arguments import fixed

#: Most mistakes that are told, as many as graphql-core tells.
_MOST_ERRORS: Final = 50


class _Variable(NamedTuple):
    """nullable: of its type. coerce: makes the value of what a caller sent, and gives Undefined or
    raises for what it cannot be made of. default: Undefined where there is none."""

    name: str
    nullable: bool
    coerce: Callable[[Any], Any]
    default: Any
    absent: VariableValueSource
    signature: Any


class Variables:
    """The variables of one operation."""

    __slots__ = ("_definitions", "_schema", "_variables")

    def __init__(
        self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode] | None
    ) -> None:
        self._schema, self._definitions = schema, definitions or ()
        #: None when one of them has to be worked out anew each time.
        self._variables: list[_Variable] | None = None
        try:
            self._variables = [_variable(schema, definition) for definition in self._definitions]
        except Exception:  # noqa: BLE001 - it is then told anew to each request
            self._variables = None

    def values(self, given: Mapping[str, Any] | None) -> VariableValues | list[GraphQLError]:
        """The values for one request, or what is wrong with them."""
        if not self._definitions:
            return VariableValues({}, {})
        quick = self._quick(given or {}) if self._variables is not None else None
        if quick is not None:
            return quick
        return get_variable_values(
            self._schema, self._definitions, dict(given or {}), max_errors=_MOST_ERRORS
        )

    def _quick(self, given: Mapping[str, Any]) -> VariableValues | None:
        """The values; None when something needs a closer look."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        try:
            for name, nullable, coerce, default, absent, signature in self._variables or ():
                value = given.get(name, Undefined)
                if value is Undefined:
                    if default is not Undefined:
                        coerced[name] = default
                    elif not nullable:
                        return None
                    sources[name] = absent
                    continue
                sources[name] = VariableValueSource(signature, value)
                if value is None and nullable:
                    coerced[name] = None
                    continue
                made = coerce(value)
                if value is None or made is Undefined:
                    return None
                coerced[name] = made
        except Exception:  # noqa: BLE001 - whatever it is, it is met again and told
            return None
        return VariableValues(sources, coerced)


def _variable(schema: GraphQLSchema, definition: VariableDefinitionNode) -> _Variable:
    """Raises whatever it likes where it has to be worked out for each request."""
    signature = get_variable_signature(schema, definition)
    if isinstance(signature, GraphQLError):
        raise signature
    default: Any = Undefined
    if definition.default_value:
        default = coerce_input_literal(definition.default_value, signature.type)
        if not fixed(default):
            raise TypeError("what can be changed must not be the same for two requests")
    kind: Any = signature.type
    nullable = not isinstance(kind, GraphQLNonNull)
    named = kind if nullable else kind.of_type
    coerce = named.coerce_input_value if is_leaf_type(named) else _coercing(kind)
    absent = VariableValueSource(signature)
    return _Variable(signature.name, nullable, coerce, default, absent, signature)


def _coercing(kind: Any) -> Callable[[Any], Any]:
    """What makes values of a type that holds others."""

    def coerce(value: Any) -> Any:
        if input_is_nested_too_deeply(value, kind):
            return Undefined
        return coerce_input_value(value, kind)

    return coerce
