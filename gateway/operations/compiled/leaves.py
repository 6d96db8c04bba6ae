"""Completion of scalars and enums, a column at a time: values that are what the type wants are
passed on after one look at their classes, all others go through the schema's own serializer."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
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
from schema.recognition import AS_IS

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

#: The same of one value, as generated code says it: whether it does not hold.
_MISFITS: dict[Any, str] = {
    None: "",
    _small: f" or not {_SMALLEST} <= {{0}} <= {_LARGEST}",
    _finite: " or {0} - {0} != 0.0",
}
#: Most classes of values that are known at one place.
_MOST_CLASSES = 100


class _Names(dict[int, str]):
    """The name of each member of one class by its identity, by the enum's own serializer: a member
    is there for as long as its class, and hashing one is slow."""

    def __init__(self, kind: type[Enum], serialize: Callable[[Any], Any]) -> None:
        super().__init__()
        self._members = list(kind)
        for member in self._members:
            with contextlib.suppress(Exception):  # who meets it is told when it is serialized
                self[id(member)] = serialize(member)


class Odd(Exception):
    """A value that needs a closer look than generated code gives it."""


class Leaf:
    """How values of a scalar or an enum are completed. nullable: of the position."""

    __slots__ = (
        "_every_name",
        "_fits",
        "_names",
        "_serialize",
        "_texts",
        "as_is",
        "nullable",
        "type",
    )

    def __init__(self, kind: GraphQLLeafType, nullable: bool) -> None:
        self.type, self.nullable = kind, nullable
        self._serialize = kind.coerce_output_value
        as_is, fits = _AS_IS.get(kind, (None, None))
        if as_is is None:
            as_is = getattr(self._serialize, AS_IS, None)
        self._fits: Callable[[Sequence[Any]], bool] | None = fits
        #: Sets of classes that need no work.
        self.as_is: frozenset[type] = frozenset() if as_is is None else frozenset({as_is})
        if as_is is not None and nullable:
            self.as_is |= {_NONE}
        self._names: dict[type, _Names] | None = {} if isinstance(kind, GraphQLEnumType) else None
        #: What generated code goes by: the names of all members of the classes that were met, by
        #: identity, and the classes whose values the serializer makes texts of.
        self._every_name: dict[int, str] = {}
        self._texts: set[type] = set()

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
            names = self._names_of(kind)
            if names is not None:
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

    def _names_of(self, kind: type) -> _Names | None:
        """The names of all members of an enum's class; None for another class."""
        if self._names is None or not issubclass(kind, Enum) or issubclass(kind, Flag):
            return None
        names = self._names.get(kind)
        if names is None:
            names = self._names[kind] = _Names(kind, self._serialize)
        return names

    def inlined(self, value: str, given: Callable[[Any], str]) -> Iterator[str]:
        """Lines of Python that complete the value of a variable in place, and raise for what needs
        a closer look. given: the name by which they know a thing."""
        one, null = given(self._one_alone), f" and {value} is not None" if self.nullable else ""
        if self._names is not None:
            names = given(self._every_name)
            yield f"{value} = {names}.get(id({value})) or {one}({value})"
        elif self.as_is:
            (kind,) = (one for one in self.as_is if one is not _NONE)
            misfits = _MISFITS[self._fits].format(value)
            yield f"if ({value}.__class__ is not {kind.__name__}{misfits}){null}:"
            yield f" {value} = {one}({value})"
        else:
            texts, serialize = given(self._texts), given(self._serialize)
            yield f"if {value}.__class__ in {texts}:"
            yield f" {value} = {serialize}({value})"
            yield f" if {value}.__class__ is not str: raise Odd"
            yield f"el{'if ' + value + ' is not None' if self.nullable else 'se'}:"
            yield f" {value} = {one}({value})"

    def _one_alone(self, value: Any) -> Any:
        """The answer of one value. Raises for what needs a closer look."""
        if value is None and self.nullable:
            return None
        kind = type(value)
        if sort(kind) != PLAIN:
            raise Odd
        done = self._serialize(value)
        if sort(type(done)) & NOTHING:
            raise Odd
        if self._names is not None:
            self._every_name.update(self._names_of(kind) or ())
        elif type(done) is str and len(self._texts) < _MOST_CLASSES:
            self._texts.add(kind)
        return done

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
