"""A slice of an ordered list: asked for by keyset, answered with what lies before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: What a list can be ordered by. Never None: a record without the value has no place in the list,
#: so connectors leave it out (an ERP may number and date an order only once it is confirmed).
SortValue = str | int | date | datetime


@dataclass(frozen=True, slots=True)
class Keyset:
    """A place in an ordered list: the value it is ordered by and, among equals, the record's id.
    The id "" is the place before all records of that value, where the list ascends."""

    value: SortValue
    id: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of the list: `limit` items after `after` and before `before`, both exclusive.

    backward takes the last `limit` items of that part instead of the first. Items are answered in
    list order either way. limit is from 1 to 100.
    """

    limit: int
    after: Keyset | None = None
    before: Keyset | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in list order. total counts the whole list and is None unless it was asked for."""

    items: Sequence[T]
    has_next: bool = False
    has_previous: bool = False
    total: int | None = None


def cut(found: Sequence[T], part: Slice, total: int | None = None) -> Page[T]:
    """The page out of up to `limit + 1` rows, asked in the direction of reading.

    found: rows that begin at the keyset, in list order when forward, in reverse when backward; one
    more than the limit says that there is more. In the other direction a bound says so.
    """
    more = len(found) > part.limit
    items = list(found[: part.limit])
    if part.backward:
        items.reverse()
        return Page(items, has_next=part.before is not None, has_previous=more, total=total)
    return Page(items, has_next=more, has_previous=part.after is not None, total=total)


def slice_sorted(
    ordered: Sequence[T],
    part: Slice,
    key: Callable[[T], Keyset],
    *,
    descending: bool = False,
    with_total: bool = False,
) -> Page[T]:
    """The page of a list that is in memory as a whole, sorted by `key` (value, then id)."""

    def beyond(item: Keyset, mark: Keyset) -> bool:
        place, other = (item.value, item.id), (mark.value, mark.id)
        return place < other if descending else place > other

    total = len(ordered) if with_total else None
    rest = [
        item
        for item in ordered
        if (part.after is None or beyond(key(item), part.after))
        and (part.before is None or beyond(part.before, key(item)))
    ]
    if part.backward:
        rest.reverse()
    return cut(rest[: part.limit + 1], part, total)
