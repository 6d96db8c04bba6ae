"""Arguments of a field, from the document and the variables, by graphql-core's rules."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    Undefined,
    ValueNode,
    VariableNode,
    is_leaf_type,
    is_required_argument,
)
from graphql.execution.values import VariableValues, get_argument_values

#: Classes whose values nobody can change, so that all calls can get the same.
_FIXED = (str, int, float, bool, type(None))
_UNKNOWN: Final[Any] = object()

#: The name that the resolver knows, the variable and whether it must be there, or the constant.
_Step = tuple[str, str | None, bool, Any]


class Arguments:
    """How the arguments of one field are worked out. none: there is nothing to work out."""

    __slots__ = ("_definition", "_node", "_steps", "none")

    def __init__(self, definition: GraphQLField, node: FieldNode) -> None:
        self._definition, self._node = definition, node
        self.none = not definition.args and not node.arguments
        steps = list(self._simple())
        #: None when an argument is more than a plain constant or a plain variable.
        self._steps: list[_Step] | None = None if None in steps else steps  # type: ignore[assignment]

    def values(self, variables: VariableValues) -> dict[str, Any]:
        """The arguments of one call. Raises GraphQLError."""
        if self.none:
            return {}
        quick = self._quick(variables.coerced)
        if quick is not None:
            return quick
        return get_argument_values(self._definition, self._node, variables)

    def _quick(self, coerced: dict[str, Any]) -> dict[str, Any] | None:
        if self._steps is None:
            return None
        values: dict[str, Any] = {}
        for out, variable, required, constant in self._steps:
            if variable is None:
                values[out] = constant
                continue
            value = coerced.get(variable, _UNKNOWN)
            if value is _UNKNOWN and not required:
                continue
            if value is _UNKNOWN or (required and value is None):
                return None
            values[out] = value
        return values

    def _simple(self) -> Iterator[_Step | None]:
        given = {argument.name.value: argument.value for argument in self._node.arguments or ()}
        for name, argument in self._definition.args.items():
            value, out = given.get(name), argument.out_name or name
            required = is_required_argument(argument)
            if argument.default is not None or argument.default_value is not Undefined:
                yield None
            elif isinstance(value, VariableNode):
                yield (out, value.name.value, required, None)
            elif value is not None:
                known = self._constant(name, argument, value)
                yield None if known is _UNKNOWN else (out, None, required, known)
            elif required:
                yield None

    def _constant(self, name: str, argument: GraphQLArgument, value: ValueNode) -> Any:
        """The value of a literal, when it is one that all calls can share."""
        kind: Any = getattr(argument.type, "of_type", argument.type)
        if not is_leaf_type(kind):
            return _UNKNOWN
        only = GraphQLField(self._definition.type, args={name: argument})
        try:
            (known,) = get_argument_values(only, self._node).values()
        except Exception:  # noqa: BLE001 - it is then told anew to each request
            return _UNKNOWN
        return known if type(known) in _FIXED or isinstance(known, Enum) else _UNKNOWN
