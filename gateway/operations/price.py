"""What an operation costs before it runs: objects at most, and calls to each source at most.

Both are worked out once for a document. Where page sizes are variables, what is left is a sum that
each request fills in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from schema.nodes import asked_for
from schema.pages import LARGEST_PAGE
from schema.price import COUNT, SIZED, ListSize, Price, is_list, price_of

#: The sources that calls are counted to, by their names in schema.context.Sources.
SOURCES = ("customers", "cases", "orders", "news", "questions")
#: Keys that one call to a system takes, as systems in use have it: more keys take more calls.
_KEYS = 100
#: Larger numbers are not told apart.
_MOST = 1e15
#: What looking at the schema weighs: all of it, and one type.
_SCHEMA, _TYPE = 500.0, 20.0

#: cost, calls that all parents of a level share, calls that each parent takes; by SOURCES.
_Amount = tuple[float, ...]
_N = len(SOURCES)
_NOTHING: _Amount = (0.0,) * (1 + 2 * _N)

_Variables = Mapping[str, Any]
#: How long a list is, with the variables of a request.
_Size = Callable[[_Variables], float]


@dataclass(frozen=True, slots=True)
class Worth:
    """What an operation may cost at most. calls: to each source that it asks."""

    cost: int
    calls: Mapping[str, int]


@dataclass(slots=True)
class _Step:
    """A sum that depends on variables. parts: a size, and the step or amount that it multiplies.
    most: the parts stand for each other, so that only the largest costs."""

    fixed: _Amount
    parts: list[tuple[_Size | float, _Amount | int]]
    most: bool = False


@dataclass(slots=True)
class Bill:
    """What one operation costs, to be filled in."""

    _total: _Amount | int
    _steps: list[_Step] = field(default_factory=list)
    _fixed: Worth | None = None

    def worth(self, variables: _Variables | None) -> Worth:
        """With the variables of a request."""
        if isinstance(self._total, tuple):
            if self._fixed is None:
                self._fixed = _worth(self._total)
            return self._fixed
        found: list[_Amount] = []
        given = {} if variables is None else variables
        for step in self._steps:
            found.append(_filled(step, found, given))
        return _worth(found[self._total])

    def most(self) -> Worth:
        """With the variables that make it dearest."""
        return self.worth(_Largest())


class _Largest(dict[str, Any]):
    """Variables that all ask for as much as they can."""

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> int:
        return LARGEST_PAGE


def bills(schema: GraphQLSchema, document: DocumentNode) -> dict[str | None, Bill]:
    """What each operation of a valid document costs, by its name."""
    found = {}
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode):
            found[one.name.value if one.name else None] = _Pricing(schema, document, one).bill()
    return found


def _worth(amount: _Amount) -> Worth:
    calls = {}
    for place, source in enumerate(SOURCES, start=1):
        count = min(amount[place] + amount[place + _N], _MOST)
        if count:
            calls[source] = int(count + 1e-9)
    return Worth(math.ceil(min(amount[0], _MOST)), calls)


def _filled(step: _Step, found: Sequence[_Amount], variables: _Variables) -> _Amount:
    parts = []
    for size, part in step.parts:
        factor = size if isinstance(size, float) else size(variables)
        parts.append(_times(found[part] if isinstance(part, int) else part, factor))
    return _sum(step.fixed, parts, step.most)


def _times(amount: _Amount, factor: float) -> _Amount:
    if factor == 1:
        return amount
    once, each = amount[1 : 1 + _N], amount[1 + _N :]
    if not factor:
        return _NOTHING
    return (amount[0] * factor, *once, *(one * factor for one in each))


def _sum(fixed: _Amount, parts: Sequence[_Amount], most: bool) -> _Amount:
    total = tuple(map(sum, zip(fixed, *parts, strict=True)))
    if most:
        # A list may hold objects of every type, and each type asks for itself.
        return (max((part[0] for part in parts), default=0.0), *total[1:])
    return total


class _Pricing:
    """One operation while it is worked out. Selections that are merged are worked out once for each
    type and length of list."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self._schema, self._operation = schema, operation
        self._roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
        self._fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self._defaults = {
            one.variable.name.value: one.default_value
            for one in operation.variable_definitions or ()
        }
        self._steps: list[_Step] = []
        self._known: dict[Any, _Amount | int] = {}

    def bill(self) -> Bill:
        root = self._schema.get_root_type(self._operation.operation)
        if root is None:
            return Bill(_NOTHING)
        total = self._selected(root, (self._operation.selection_set,), None)
        return Bill(total, self._steps)

    def _selected(
        self, kind: GraphQLNamedType, sets: tuple[SelectionSetNode, ...], page: _Length | None
    ) -> _Amount | int:
        """One object of a type with what is selected of it. page: how long the list of a page
        is."""
        key = (kind.name, page, *map(id, sets))
        known = self._known.get(key)
        if known is None:
            if is_abstract_type(kind):
                kinds = self._schema.get_possible_types(kind)
                parts = [(1.0, self._selected(one, sets, page)) for one in kinds]
                known = self._step(_NOTHING, parts, most=True)
            elif isinstance(kind, GraphQLObjectType):
                fields = self._collected(kind, sets)
                parts = [(1.0, self._field(kind, nodes, page)) for nodes in fields.values()]
                known = self._step(_NOTHING, parts)
            else:
                known = _NOTHING
            self._known[key] = known
        return known

    def _field(
        self, parent: GraphQLObjectType, nodes: list[FieldNode], page: _Length | None
    ) -> _Amount | int:
        name = nodes[0].name.value
        definition = self._definition(parent, name)
        if definition is None:
            return _NOTHING
        price, named = price_of(definition), get_named_type(definition.type)
        sets = tuple(node.selection_set for node in nodes if node.selection_set)
        weight = price.weight
        if weight is None:
            weight = _introspected(name, named)
        length = self._length(price.size, nodes[0]) if price.size else None
        inner = self._selected(named, sets, length if price.size and _sized(price.size) else None)
        size: _Length = _ONE
        if is_list(definition.type):
            size = (page if page is not None and name in SIZED else length) or _ONE
        called = self._calls(price, parent, definition, sets)
        if size is _ONE:
            return self._step((weight, *called[1:]), [(1.0, inner)])
        # Calls of the field itself are made once for its list; only what is inside multiplies.
        within = self._step((weight, *_NOTHING[1:]), [(1.0, inner)])
        return self._step(called, [(size.of(), within)])

    def _definition(self, parent: GraphQLObjectType, name: str) -> GraphQLField | None:
        if parent is self._schema.query_type:
            if name == "__schema":
                return SchemaMetaFieldDef
            if name == "__type":
                return TypeMetaFieldDef
        found: GraphQLField | None = parent.fields.get(name)
        return found

    def _calls(
        self,
        price: Price,
        parent: GraphQLObjectType,
        definition: GraphQLField,
        sets: Sequence[SelectionSetNode],
    ) -> _Amount:
        """The calls that a field takes itself."""
        amount = list(_NOTHING)
        if price.asks is not None:
            place = 1 + SOURCES.index(price.asks.source)
            named = get_named_type(definition.type)
            times = 2 if self._counts(named, sets) else 1
            if price.asks.apart:
                amount[place + _N] = times
            else:
                amount[place] = times
                amount[place + _N] = 0.0 if parent in self._roots else times / (_KEYS + 1)
        elif (named := get_named_type(definition.type)).name == "Node":
            for one in self._schema.get_possible_types(named):  # type: ignore[arg-type]
                source = asked_for(one.name)
                if source is not None:
                    place = 1 + SOURCES.index(source)
                    several = is_list(definition.type)
                    amount[place] = amount[place] + 1 if several else 1
        return tuple(amount)

    def _counts(self, named: GraphQLNamedType, sets: Sequence[SelectionSetNode]) -> bool:
        """Whether a page is asked how long its whole list is."""
        if not isinstance(named, GraphQLObjectType):
            return False
        fields = self._collected(named, sets).values()
        return any(nodes[0].name.value == COUNT for nodes in fields)

    def _step(
        self,
        fixed: _Amount,
        parts: Sequence[tuple[_Size | float, _Amount | int]],
        most: bool = False,
    ) -> _Amount | int:
        """A sum, worked out at once where no variable is in it."""
        step = _Step(fixed, list(parts), most)
        if all(isinstance(s, float) and isinstance(part, tuple) for s, part in parts):
            return _filled(step, (), {})
        self._steps.append(step)
        return len(self._steps) - 1

    def _collected(
        self, kind: GraphQLObjectType, sets: Sequence[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        """Fields of an object by the name they answer to, as if no condition left one out."""
        found: dict[str, list[FieldNode]] = {}
        waiting, spread = list(reversed(sets)), set()
        while waiting:
            for node in waiting.pop().selections:
                if isinstance(node, FieldNode):
                    found.setdefault((node.alias or node.name).value, []).append(node)
                elif isinstance(node, FragmentSpreadNode):
                    fragment = self._fragments[node.name.value]
                    if node.name.value not in spread and self._applies(fragment, kind):
                        spread.add(node.name.value)
                        waiting.append(fragment.selection_set)
                elif isinstance(node, InlineFragmentNode) and self._applies(node, kind):
                    waiting.append(node.selection_set)
        return found

    def _applies(
        self, fragment: FragmentDefinitionNode | InlineFragmentNode, kind: GraphQLObjectType
    ) -> bool:
        condition = fragment.type_condition
        if condition is None or condition.name.value == kind.name:
            return True
        other = self._schema.get_type(condition.name.value)
        return is_abstract_type(other) and self._schema.is_sub_type(other, kind)

    def _length(self, size: ListSize, node: FieldNode) -> _Length:
        """How long the list of a field is, by the first of its arguments that tells."""
        told = [
            self._told(argument.value)
            for name in size.slicing_arguments or ()
            for argument in node.arguments or ()
            if argument.name.value == name
        ]
        assumed = float(size.assumed_size or 1)
        return _Length(tuple(one for one in told if one is not None), assumed)

    def _told(self, value: ValueNode) -> float | tuple[str, float | None] | None:
        """A length, or the variable that tells it with the length where it is not given."""
        if isinstance(value, VariableNode):
            name = value.name.value
            default = self._defaults.get(name)
            fallback = None if default is None else _literal(default)
            return (name, fallback)
        return _literal(value)


@dataclass(frozen=True, slots=True)
class _Length:
    """How long a list is. told: lengths, and variables with their defaults, first come first.
    assumed: when nothing is told."""

    told: tuple[float | tuple[str, float | None], ...]
    assumed: float

    def of(self) -> _Size | float:
        told = self.told
        if not told:
            return self.assumed
        if isinstance(told[0], float):
            return told[0]
        names, assumed = told, self.assumed

        def size(variables: _Variables) -> float:
            for one in names:
                if isinstance(one, float):
                    return one
                name, default = one
                if name in variables:
                    value = variables[name]
                    if value is not None:
                        return _bounded(len(value) if isinstance(value, list) else value)
                elif default is not None:
                    return default
            return assumed

        return size


_ONE = _Length((1.0,), 1.0)


def _sized(size: ListSize) -> bool:
    return bool(size.sized_fields)


def _literal(value: ValueNode) -> float | None:
    if isinstance(value, NullValueNode):
        return None
    if isinstance(value, ListValueNode):
        return _bounded(len(value.values))
    if isinstance(value, IntValueNode):
        # A number of many digits is no page size, and slow to read.
        return _bounded(int(value.value) if len(value.value) < 10 else LARGEST_PAGE)
    return float(LARGEST_PAGE)


def _bounded(value: Any) -> float:
    """A length that a caller told; what is none is refused later, and counts as the longest."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float(LARGEST_PAGE)
    return float(min(max(value, 0), LARGEST_PAGE))


def _introspected(name: str, named: GraphQLNamedType) -> float:
    if name == "__schema":
        return _SCHEMA
    if name == "__type":
        return _TYPE
    # What looking at the schema costs is in the weight of the field that begins it.
    return 1.0 if is_composite_type(named) and not named.name.startswith("__") else 0.0
