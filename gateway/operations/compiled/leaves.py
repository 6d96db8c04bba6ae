"""Completion of scalars and enums, a column at a time: values that are what the type wants are
passed on after one look at their classes, all others go through the schema's own serializer."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from enum import Enum, Flag
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import inspect

from gateway.operations.compiled.kinds import AWAITABLE, ERROR, NOTHING, PLAIN, sort

if TYPE_CHECKING:
    from gateway.operations.compiled.execution import Execution
    from gateway.operations.compiled.positions import Column

_NONE: Final = type(None)
_LARGEST, _SMALLEST = 2**31 - 1, -(2**31)


def _small(values: Sequence[Any]) -> bool:
    return bool(max(values) <= _LARGEST and min(values) >= _SMALLEST)


def _finite(values: Sequence[Any]) -> bool:
    return all(map(math.isfinite, values))


#: The class whose values are the answer as they are, and what else has to hold of them.
_AS_IS: dict[GraphQLLeafType, tuple[type, Callable[[Sequence[Any]], bool] | None]] = {
    GraphQLString: (str, None),
    GraphQLID: (str, None),
    GraphQLBoolean: (bool, None),
    GraphQLInt: (int, _small),
    GraphQLFloat: (float, _finite),
}


class _Names(dict[int, str]):
    """The name of each member of one class by its identity, by the enum's own serializer: a member
    is there for as long as its class, and hashing one is slow."""

    def __init__(self, kind: type[Enum], serialize: Callable[[Any], Any]) -> None:
        super().__init__()
        self._members = list(kind)
        for member in self._members:
            with contextlib.suppress(Exception):  # who meets it is told when it is serialized
                self[id(member)] = serialize(member)


class Leaf:
    """How values of a scalar or an enum are completed. nullable: of the position."""

    __slots__ = ("_fits", "_names", "_serialize", "as_is", "nullable", "type")

    def __init__(self, kind: GraphQLLeafType, nullable: bool) -> None:
        self.type, self.nullable = kind, nullable
        self._serialize = kind.coerce_output_value
        as_is, fits = _AS_IS.get(kind, (None, None))
        self._fits: Callable[[Sequence[Any]], bool] | None = fits
        #: Sets of classes that need no work.
        self.as_is: frozenset[type] = frozenset() if as_is is None else frozenset({as_is})
        if as_is is not None and nullable:
            self.as_is |= {_NONE}
        self._names: dict[type, _Names] | None = {} if isinstance(kind, GraphQLEnumType) else None

    def complete(
        self, execution: Execution, column: Column, values: Sequence[Any]
    ) -> Sequence[Any]:
        done = self.quick(values)
        return self._slow(execution, column, values) if done is None else done

    def quick(self, values: Sequence[Any]) -> Sequence[Any] | None:
        """The answers, if all values are of sorts that need no look at each; else None."""
        kinds = set(map(type, values))
        if kinds <= self.as_is:
            if self._fits is None:
                return values
            numbers = [v for v in values if v is not None] if _NONE in kinds else values
            return values if not numbers or self._fits(numbers) else None
        if self.as_is and not self.as_is.isdisjoint(kinds):
            return None  # mixed: the serializer decides on each
        nothing = _NONE in kinds
        if nothing:
            if not self.nullable:
                return None
            kinds.discard(_NONE)
        if any(sort(kind) != PLAIN for kind in kinds):
            return None
        try:
            return self._serialized(values, kinds, nothing)
        except Exception:  # noqa: BLE001 - each value is then tried by itself
            return None

    def _serialized(
        self, values: Sequence[Any], kinds: set[type], nothing: bool
    ) -> Sequence[Any] | None:
        serialize = self._serialize
        if self._names is not None and not nothing and len(kinds) == 1:
            (kind,) = kinds
            if issubclass(kind, Enum) and not issubclass(kind, Flag):
                names = self._names.get(kind)
                if names is None:
                    names = self._names[kind] = _Names(kind, serialize)
                return list(map(names.__getitem__, map(id, values)))
        if nothing:
            done = [None if value is None else serialize(value) for value in values]
            checked = set(
                map(type, (d for d, v in zip(done, values, strict=True) if v is not None))
            )
        else:
            done = list(map(serialize, values))
            checked = set(map(type, done))
        return None if any(sort(kind) & NOTHING for kind in checked) else done

    def _slow(self, execution: Execution, column: Column, values: Sequence[Any]) -> Sequence[Any]:
        if execution.deferred(self, column, values):
            return [None] * len(values)
        return [self._one(execution, column, index, value) for index, value in enumerate(values)]

    def _one(self, execution: Execution, column: Column, index: int, value: Any) -> Any:
        found = sort(type(value)) & ~AWAITABLE
        if found != PLAIN:
            error = value if found & ERROR else None
            if error is None and not self.nullable:
                error = no_null(column)
            if error is not None:
                execution.fail(column, index, error)
            return None
        try:
            done = self._serialize(value)
            if done is None or done is Undefined:
                raise TypeError(
                    f"Expected `{inspect(self.type)}.coerce_output_value({inspect(value)})` to"
                    f" return non-nullable value, returned: {inspect(done)}"
                )
        except Exception as error:  # noqa: BLE001 - it becomes the error of its position
            execution.fail(column, index, error)
            return None
        return done


def no_null(column: Column) -> TypeError:
    """The error of a position that must not be null and is."""
    field = column.field
    return TypeError(f"Cannot return null for non-nullable field {field.parent.name}.{field.name}.")
