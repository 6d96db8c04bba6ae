"""Arguments of a field, from the document and the variables, by graphql-core's rules.

What a document says of them is written as a function of the variables once. It gives up on whatever
needs a closer look, and graphql-core then works the arguments out, or says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from gateway.operations.compiled.source import Source

_FIXED = (str, int, float, bool, type(None), date, datetime, time, Decimal)
#: Most values in the arguments of one field that are written as a function.
_MOST: Final = 200

Make = Callable[[Mapping[str, Any]], dict[str, Any]]


def fixed(value: Any) -> bool:
    """Whether nobody can change a value, so that all calls can get the same."""
    return type(value) in _FIXED or isinstance(value, Enum)


class Arguments:
    """How the arguments of one field are worked out. none: there is nothing to work out."""

    __slots__ = ("_definition", "_make", "_node", "none")

    def __init__(self, definition: GraphQLField, node: FieldNode) -> None:
        self._definition, self._node = definition, node
        self.none = not definition.args and not node.arguments
        self._make = None if self.none else _written(definition, node)

    def values(self, variables: VariableValues) -> dict[str, Any]:
        """The arguments of one call, as nobody else has them. Raises GraphQLError."""
        if self.none:
            return {}
        made = None
        if self._make is not None:
            try:
                made = self._make(variables.coerced)
            except Exception:  # noqa: BLE001 - whatever it is, it is met again and told
                made = None
        if made is not None:
            return made
        return get_argument_values(self._definition, self._node, variables)


class _Unsure(Exception):
    """Something needs a closer look."""


def _written(definition: GraphQLField, node: FieldNode) -> Make | None:
    """The function of the variables; None where there is none."""
    source = Source("arguments(given)", Unsure=_Unsure)
    try:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        made = _entries(source, given, definition.args)
    except Exception:  # noqa: BLE001 - it is then told anew to each request
        return None
    source.line(f"return {made}")
    function: Make = source.function()
    return function


def _entries(
    source: Source,
    given: Mapping[str, ValueNode],
    places: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField],
) -> str:
    """Writes how a dictionary is made of values for arguments or input fields; its name."""
    made = source.new("made")
    source.line(f"{made} = {{}}")
    for name, place in places.items():
        key, value = place.out_name or name, given.get(name)
        if isinstance(place, GraphQLArgument):
            required = is_required_argument(place)
        else:
            required = is_required_input_field(place)
        if isinstance(value, VariableNode):
            _variable(source, value, f"{made}[{key!r}]", place, required)
        elif value is not None:
            source.line(f"{made}[{key!r}] = {_value(source, value, place.type)}")
        elif required:
            raise _Unsure
        elif (default := coerce_default_value(place)) is not Undefined:
            # Every request that leaves the value out gets the same one.
            source.line(f"{made}[{key!r}] = {source.thing(default)}")
    return made


def _variable(
    source: Source,
    node: VariableNode,
    target: str,
    place: GraphQLArgument | GraphQLInputField,
    required: bool,
) -> None:
    """Writes how a variable is put somewhere, if it is given."""
    value = source.new("value")
    source.line(f"{value} = given.get({node.name.value!r}, Unsure)")
    if isinstance(place.type, GraphQLNonNull):
        source.line(f"if {value} is None: raise Unsure")
    source.line(f"if {value} is not Unsure: {target} = {value}")
    if required:
        source.line("else: raise Unsure")
    elif (default := coerce_default_value(place)) is not Undefined:
        source.line(f"else: {target} = {source.thing(default)}")


def _value(source: Source, node: ValueNode, kind: Any) -> str:
    """Writes how a literal is made; the expression that holds it. Raises _Unsure."""
    if source.count > _MOST:
        raise _Unsure
    if isinstance(kind, GraphQLNonNull):
        if isinstance(node, NullValueNode):
            raise _Unsure
        kind = kind.of_type
    if isinstance(node, NullValueNode):
        return "None"
    if isinstance(kind, GraphQLList):
        items = node.values if isinstance(node, ListValueNode) else (node,)
        return f"[{', '.join(_item(source, item, kind.of_type) for item in items)}]"
    if isinstance(kind, GraphQLInputObjectType):
        return _object(source, node, kind)
    if isinstance(node, ListValueNode | ObjectValueNode | VariableNode) or not is_leaf_type(kind):
        raise _Unsure
    known = coerce_input_literal(node, kind)
    if known is Undefined:
        raise _Unsure
    if fixed(known):
        return source.thing(known)
    return f"{source.thing(coerce_input_literal)}({source.thing(node)}, {source.thing(kind)})"


def _item(source: Source, node: ValueNode, kind: Any) -> str:
    if not isinstance(node, VariableNode):
        return _value(source, node, kind)
    value = source.new("value")
    # One that is not given may stand for null here: let graphql-core decide.
    source.line(f"{value} = given[{node.name.value!r}]")
    if isinstance(kind, GraphQLNonNull):
        source.line(f"if {value} is None: raise Unsure")
    return value


def _object(source: Source, node: ValueNode, kind: GraphQLInputObjectType) -> str:
    if not isinstance(node, ObjectValueNode) or kind.is_one_of:
        raise _Unsure
    given = {field.name.value: field.value for field in node.fields}
    if not given.keys() <= kind.fields.keys():
        raise _Unsure
    made = _entries(source, given, kind.fields)
    if kind.out_type is not GraphQLInputObjectType.out_type:
        source.line(f"{made} = {source.thing(kind.out_type)}({made})")
    return made
