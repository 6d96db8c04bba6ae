"""Completion of lists and objects: a column of values becomes a column of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    is_abstract_type,
    is_leaf_type,
)
from graphql.pyutils import inspect, is_async_iterable, is_iterable

from gateway.operations.compiled.abstract import AbstractTypes
from gateway.operations.compiled.kinds import AWAITABLE, ERROR, PLAIN, sort, sorts, waits
from gateway.operations.compiled.leaves import Leaf, no_null
from gateway.operations.compiled.positions import Column, ItemColumn
from schema.recognition import CLASSES

if TYPE_CHECKING:
    from gateway.operations.compiled.execution import Execution
    from gateway.operations.compiled.selections import Selections


class Completer(Protocol):
    """How values of one type are completed. nullable: of the position that they stand in."""

    nullable: bool

    def complete(
        self, execution: Execution, column: Column, values: Sequence[Any]
    ) -> Sequence[Any]: ...


def completer(kind: GraphQLOutputType, inner: Selections) -> Completer:
    """How values of a type are completed. inner: what is selected of its objects."""
    nullable = not isinstance(kind, GraphQLNonNull)
    named: Any = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(named, GraphQLList):
        return ListOf(completer(named.of_type, inner), nullable)
    if is_leaf_type(named):
        return Leaf(named, nullable)
    if is_abstract_type(named):
        return AbstractOf(AbstractTypes(named, inner.possible(named)), inner, nullable)
    return ObjectOf(named, inner, nullable)


class ListOf:
    """How lists are completed."""

    __slots__ = ("item", "nullable")

    def __init__(self, item: Completer, nullable: bool) -> None:
        self.item, self.nullable = item, nullable

    def complete(
        self, execution: Execution, column: Column, values: Sequence[Any]
    ) -> Sequence[Any]:
        if sorts(values) & AWAITABLE and execution.deferred(self, column, values):
            return [None] * len(values)
        flat: list[Any] = []
        lengths: list[int | None] = []
        for index, value in enumerate(values):
            if type(value) is list or type(value) is tuple:
                flat.extend(value)
                lengths.append(len(value))
            else:
                lengths.append(self._other(execution, column, index, value, flat))
        inner = ItemColumn(column, lengths, self.item.nullable)
        items = self.item.complete(execution, inner, flat) if flat else flat
        inner.lists = _grouped(items, lengths)
        return inner.lists

    def _other(
        self, execution: Execution, column: Column, index: int, value: Any, flat: list[Any]
    ) -> int | None:
        """Takes the items of what is no plain list, and tells how many; None: there is no list."""
        if refused(execution, self, column, index, value):
            return None
        if is_async_iterable(value):
            execution.later(_listed(self, execution, column, index, value))
            return None
        if not is_iterable(value):
            field = column.field
            message = (
                "Expected Iterable, but did not find one for field"
                f" '{field.parent.name}.{field.name}'."
            )
            execution.fail(column, index, GraphQLError(message))
            return None
        before = len(flat)
        try:
            flat.extend(value)
        except Exception as error:  # noqa: BLE001 - it becomes the error of the list
            execution.fail(column, index, error, late=True)
        return len(flat) - before


def _grouped(items: Sequence[Any], lengths: Sequence[int | None]) -> list[list[Any] | None]:
    every = items if type(items) is list else list(items)
    if len(lengths) == 1 and lengths[0] is not None:
        return [every]
    groups: list[list[Any] | None] = []
    begin = 0
    for length in lengths:
        if length is None:
            groups.append(None)
        else:
            groups.append(every[begin : begin + length])
            begin += length
    return groups


async def _listed(
    lists: ListOf, execution: Execution, column: Column, index: int, value: Any
) -> None:
    """Completes a list whose items come one by one."""
    flat: list[Any] = []
    try:
        async for item in value:
            flat.append(item)  # noqa: PERF401 - what came before an error has its own errors
    except Exception as error:  # noqa: BLE001 - it becomes the error of the list
        execution.fail(column, index, error, late=True)
    inner = ItemColumn(column, [*[None] * index, len(flat)], lists.item.nullable)
    items = lists.item.complete(execution, inner, flat) if flat else flat
    inner.lists = _grouped(items, inner.lengths)
    column.put(index, inner.lists[index])


class ObjectOf:
    """How objects of one type are completed."""

    __slots__ = ("inner", "nullable", "type")

    def __init__(self, kind: GraphQLObjectType, inner: Selections, nullable: bool) -> None:
        self.type, self.nullable, self.inner = kind, nullable, inner

    def complete(
        self, execution: Execution, column: Column, values: Sequence[Any]
    ) -> Sequence[Any]:
        picks: list[int] | None = None
        found = sorts(values)
        if found != PLAIN:
            if found & AWAITABLE and execution.deferred(self, column, values):
                return [None] * len(values)
            picks = present(execution, self, column, values)
        if self.type.is_type_of is not None:
            picks = checked(execution, self, self.type, column, values, picks)
        return run_picked(execution, self.inner, self.type, column, values, picks)


class AbstractOf:
    """How objects of an interface or a union are completed: by their types, group by group."""

    __slots__ = ("_types", "inner", "nullable")

    def __init__(self, types: AbstractTypes, inner: Selections, nullable: bool) -> None:
        self._types, self.inner, self.nullable = types, inner, nullable

    def complete(
        self, execution: Execution, column: Column, values: Sequence[Any]
    ) -> Sequence[Any]:
        if sorts(values) & AWAITABLE and execution.deferred(self, column, values):
            return [None] * len(values)
        answers: list[Any] = [None] * len(values)
        groups: dict[GraphQLObjectType, list[int]] = {}
        waiting: list[tuple[int, Any]] = []
        for index in present(execution, self, column, values):
            quick = self._types.known.get(type(values[index]))
            if quick is not None:
                groups.setdefault(quick, []).append(index)
                continue
            try:
                kind = self._types.of(execution, column, index, values[index])
                if waits(kind):
                    execution.keep([kind])
                    waiting.append((index, kind))
                else:
                    known = self._types.valid(execution, column, kind, values[index])
                    groups.setdefault(known, []).append(index)
                    self._types.learn(values[index], known)
            except Exception as error:  # noqa: BLE001 - it becomes the error of its position
                execution.fail(column, index, error)
        if waiting:
            execution.later(self._typed(execution, column, values, waiting))
        self._grouped(execution, column, values, groups, answers)
        return answers

    def _grouped(
        self,
        execution: Execution,
        column: Column,
        values: Sequence[Any],
        groups: dict[GraphQLObjectType, list[int]],
        answers: list[Any],
    ) -> None:
        for kind, group in groups.items():
            picks: list[int] = group
            if kind.is_type_of is not None:
                picks = checked(execution, self, kind, column, values, group) or []
            made = self.inner.plan(kind).run(
                execution, [values[index] for index in picks], column, picks
            )
            for index, answer in zip(picks, made, strict=True):
                answers[index] = answer

    async def _typed(
        self,
        execution: Execution,
        column: Column,
        values: Sequence[Any],
        waiting: Sequence[tuple[int, Any]],
    ) -> None:
        kinds = await execution.awaited([kind for _, kind in waiting])
        groups: dict[GraphQLObjectType, list[int]] = {}
        for (index, _), kind in zip(waiting, kinds, strict=True):
            try:
                if isinstance(kind, Exception):
                    raise kind
                known = self._types.valid(execution, column, kind, values[index])
                groups.setdefault(known, []).append(index)
            except Exception as error:  # noqa: BLE001 - it becomes the error of its position
                execution.fail(column, index, error)
        answers: list[Any] = [None] * len(values)
        self._grouped(execution, column, values, groups, answers)
        for group in groups.values():
            for index in group:
                column.put(index, answers[index])


# ---------------------------------------------------------------------- what all have in common


def refused(execution: Execution, of: Completer, column: Column, index: int, value: Any) -> bool:
    """Whether a value is nothing or an error, which is noted where it is one."""
    found = sort(type(value)) & ~AWAITABLE
    if found == PLAIN:
        return False
    if found & ERROR:
        execution.fail(column, index, value)
    elif not of.nullable:
        execution.fail(column, index, no_null(column))
    return True


def present(
    execution: Execution, of: Completer, column: Column, values: Sequence[Any]
) -> list[int]:
    """Where there is a value."""
    return [
        index
        for index, value in enumerate(values)
        if not refused(execution, of, column, index, value)
    ]


def checked(
    execution: Execution,
    of: Completer,
    kind: GraphQLObjectType,
    column: Column,
    values: Sequence[Any],
    picks: list[int] | None,
) -> list[int] | None:
    """Where a value is of its type, by the type's own predicate. None: everywhere."""
    predicate: Any = kind.is_type_of
    classes: Any = getattr(predicate, CLASSES, None)
    some = values if picks is None else [values[index] for index in picks]
    if classes is not None and all(issubclass(one, classes) for one in set(map(type, some))):
        return picks
    kept: list[int] = []
    waiting: list[tuple[int, Any]] = []
    for index in range(len(values)) if picks is None else picks:
        try:
            holds = predicate(values[index], execution.info_at(column, index))
        except Exception as error:  # noqa: BLE001 - it becomes the error of its position
            execution.fail(column, index, error)
            continue
        if waits(holds):
            execution.keep([holds])
            waiting.append((index, holds))
        elif holds:
            kept.append(index)
        else:
            execution.fail(column, index, _not_of(kind, column, values[index]))
    if waiting:
        execution.later(_held(execution, of, kind, column, values, waiting))
    return kept


async def _held(
    execution: Execution,
    of: Any,
    kind: GraphQLObjectType,
    column: Column,
    values: Sequence[Any],
    waiting: Sequence[tuple[int, Any]],
) -> None:
    brought = await execution.awaited([holds for _, holds in waiting])
    kept: list[int] = []
    for (index, _), holds in zip(waiting, brought, strict=True):
        if isinstance(holds, Exception):
            execution.fail(column, index, holds)
        elif holds:
            kept.append(index)
        else:
            execution.fail(column, index, _not_of(kind, column, values[index]))
    rows = [values[index] for index in kept]
    for index, answer in zip(
        kept, of.inner.plan(kind).run(execution, rows, column, kept), strict=True
    ):
        column.put(index, answer)


def _not_of(kind: GraphQLObjectType, column: Column, value: Any) -> GraphQLError:
    return GraphQLError(
        f"Expected value of type '{kind}' but got: {inspect(value)}.", column.field.nodes
    )


def run_picked(
    execution: Execution,
    inner: Selections,
    kind: GraphQLObjectType,
    column: Column,
    values: Sequence[Any],
    picks: list[int] | None,
) -> Sequence[Any]:
    """The answers of objects, None where no value was picked."""
    plan = inner.plan(kind)
    if picks is None or len(picks) == len(values):
        return plan.run(execution, values, column, None)
    answers: list[Any] = [None] * len(values)
    made = plan.run(execution, [values[index] for index in picks], column, picks)
    for index, answer in zip(picks, made, strict=True):
        answers[index] = answer
    return answers
