"""Where in an answer a value stands: its path, its order, and how to write it there.

Nothing here is touched while all goes well. A position is a column of values and an index in it;
a column knows what it lies in, so that the path of a value is worked out from below, once there is
an error to tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLError, located_error
from graphql.pyutils import Path

if TYPE_CHECKING:
    from gateway.operations.compiled.fields import FieldPlan
    from gateway.operations.compiled.objects import ObjectPlan


class Frame:
    """A selection set that is being answered for many objects of one type.

    rows: the objects. made: their answers, in the same order. column, picks: where the objects
    stand, None for the root; without picks, row by row."""

    __slots__ = ("_paths", "column", "made", "picks", "plan", "rows")

    def __init__(
        self,
        plan: ObjectPlan,
        rows: Sequence[Any],
        column: Column | None,
        picks: Sequence[int] | None,
    ) -> None:
        self.plan, self.rows, self.column, self.picks = plan, rows, column, picks
        self.made: list[dict[str, Any]] = []
        self._paths: dict[int, Path] = {}

    def place(self, row: int) -> int:
        """The index of a row in the column that the objects stand in."""
        return row if self.picks is None else self.picks[row]

    def path(self, row: int) -> Path | None:
        """The path of a row, as resolvers get it; None at the root."""
        if self.column is None:
            return None
        known = self._paths.get(row)
        if known is None:
            known = self._paths[row] = self.column.path(self.place(row))
        return known


class FieldColumn:
    """The values of one field, a row of its frame each."""

    __slots__ = ("field", "frame")

    def __init__(self, frame: Frame, field: FieldPlan) -> None:
        self.frame, self.field = frame, field

    @property
    def nullable(self) -> bool:
        return self.field.nullable

    def path(self, index: int) -> Path:
        return Path(self.frame.path(index), self.field.key, self.frame.plan.type.name)

    def step(self, index: int) -> tuple[int, tuple[Column, int] | None]:
        """The place among its neighbours, and the position that it lies in."""
        frame = self.frame
        outer = None if frame.column is None else (frame.column, frame.place(index))
        return self.field.order, outer

    def row(self, index: int) -> tuple[Frame, int]:
        return self.frame, index

    def put(self, index: int, value: Any) -> None:
        self.frame.made[index][self.field.key] = value


class ItemColumn:
    """The items of all the lists of a column, one after the other.

    lengths: of each list, None where there is no list. lists: what was made of them, once it is.
    """

    __slots__ = ("_origins", "lengths", "lists", "nullable", "outer")

    def __init__(self, outer: Column, lengths: Sequence[int | None], nullable: bool) -> None:
        self.outer, self.lengths, self.nullable = outer, lengths, nullable
        self.lists: Sequence[list[Any] | None] = ()
        self._origins: list[tuple[int, int]] | None = None

    @property
    def field(self) -> FieldPlan:
        return self.outer.field

    def origin(self, index: int) -> tuple[int, int]:
        """Which list an item is of, and its place in it."""
        if self._origins is None:
            self._origins = [
                (place, inner)
                for place, length in enumerate(self.lengths)
                for inner in range(length or 0)
            ]
        return self._origins[index]

    def path(self, index: int) -> Path:
        place, inner = self.origin(index)
        return Path(self.outer.path(place), inner, None)

    def step(self, index: int) -> tuple[int, tuple[Column, int] | None]:
        place, inner = self.origin(index)
        return inner, (self.outer, place)

    def row(self, index: int) -> tuple[Frame, int]:
        return self.outer.row(self.origin(index)[0])

    def put(self, index: int, value: Any) -> None:
        place, inner = self.origin(index)
        made = self.lists[place]
        if made is not None:
            made[inner] = value


Column = FieldColumn | ItemColumn


class Failure:
    """An error at a position, before it is told. late: it came after the position's own items."""

    __slots__ = ("column", "error", "index", "late")

    def __init__(self, column: Column, index: int, error: Exception, late: bool = False) -> None:
        self.column, self.index, self.error, self.late = column, index, error, late

    def order(self) -> tuple[float, ...]:
        """Where the position comes in the answer, read from its beginning."""
        steps: list[float] = [math.inf] if self.late else []
        position: tuple[Column, int] | None = (self.column, self.index)
        while position is not None:
            column, index = position
            step, position = column.step(index)
            steps.append(step)
        return tuple(reversed(steps))

    def nulled(self) -> tuple[int, tuple[Column, int] | None]:
        """The nearest position that can be null, and how many steps above the error it lies. None
        for the whole answer."""
        position: tuple[Column, int] | None = (self.column, self.index)
        up = 0
        while position is not None:
            column, index = position
            if column.nullable:
                return up, position
            _, position = column.step(index)
            up += 1
        return up, None

    def told(self) -> GraphQLError:
        nodes: list[FieldNode] = self.column.field.nodes
        return located_error(self.error, nodes, self.column.path(self.index).as_list())


def settled(failures: Sequence[Failure]) -> tuple[list[GraphQLError], bool]:
    """The errors in the order of the answer, each position nulled that one of them takes, and
    whether that is the whole answer. An error at a position that an earlier one took is not told:
    running field by field, it would not have been reached."""
    errors: list[GraphQLError] = []
    taken: set[tuple[float, ...]] = set()
    for order, failure in sorted(((f.order(), f) for f in failures), key=lambda pair: pair[0]):
        place = order[:-1] if failure.late else order
        if any(place[:length] in taken for length in range(len(place) + 1)):
            continue
        errors.append(failure.told())
        up, position = failure.nulled()
        taken.add(place[: len(place) - up])
        if position is not None:
            column, index = position
            column.put(index, None)
    return errors, () in taken


def takes_all(failures: Sequence[Failure]) -> bool:
    """Whether one of the errors takes the whole answer."""
    return any(failure.nulled()[1] is None for failure in failures)
