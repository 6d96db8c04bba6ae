"""Relay connections: what callers ask with first/after/last/before, and what they get back.

Cursors are our own: the name and value of what the list is ordered by, and the id of the record.
They are checked when they come back; what a forged one can do is begin at another place of a list
that the scope still bounds.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import strawberry

from connectors.port.pages import Keyset, Page, Slice, SortValue, slice_sorted
from schema.errors import InputError
from schema.recognition import Told
from schema.texts import N_

T = TypeVar("T")

DEFAULT_PAGE, LARGEST_PAGE = 20, 100

First = Annotated[
    int | None,
    strawberry.argument(description="How many from the beginning, 1 to 100; 20 if not told."),
]
After = Annotated[
    str | None, strawberry.argument(description="Begin after the item with this cursor.")
]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, 1 to 100.")]
Before = Annotated[
    str | None, strawberry.argument(description="End before the item with this cursor.")
]
#: Longest cursor that is looked at, in characters.
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is ordered by. name: of the record's attribute; kind: of its values; at: the
    place of a record, where that is not the attribute and the id."""

    name: str
    kind: type[str] | type[int] | type[date] | type[datetime]
    at: Callable[[Any], Keyset] | None = None

    def keyset(self, record: Any) -> Keyset:
        """The place of a record in the list."""
        return self.at(record) if self.at else Keyset(getattr(record, self.name), record.id)

    def cursor(self, place: Keyset) -> str:
        value = place.value if isinstance(place.value, str | int) else place.value.isoformat()
        packed = msgspec.json.encode([self.name, value, place.id])
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    def place(self, argument: str, cursor: str | None) -> Keyset | None:
        """The place that a cursor marks. Raises InputError, which names the argument."""
        if cursor is None:
            return None
        try:
            if len(cursor) > _LONGEST:
                raise ValueError
            padded = cursor + "=" * (-len(cursor) % 4)
            packed = base64.b64decode(padded, altchars=b"-_", validate=True)
            name, value, key = msgspec.json.decode(packed, type=tuple[str, str | int, str])
            if not key or len(key) > 200 or not key.isprintable():
                raise ValueError
            place = Keyset(self._value(value), key)
        except (ValueError, binascii.Error, msgspec.DecodeError, msgspec.ValidationError):
            raise InputError(
                argument, N_("{argument} is no cursor of this list. Use one that an answer gave.")
            ) from None
        if name != self.name:
            raise InputError(
                argument, N_("{argument} is a cursor of a list in another order. Start anew.")
            )
        return place

    def _value(self, value: str | int) -> SortValue:
        if self.kind is int and isinstance(value, int):
            return value
        if isinstance(value, int) or len(value) > 200 or not (value.isprintable() or not value):
            raise ValueError
        if self.kind is datetime:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError
            return moment
        if self.kind is date:
            return date.fromisoformat(value)
        if self.kind is str:
            return value
        raise ValueError


def wanted(
    order: Order,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Slice:
    """The part of a list that these arguments ask for. Raises InputError, which names the one."""
    if first is not None and last is not None:
        raise InputError("last", N_("Give first or last, not both."))
    for argument, count in (("first", first), ("last", last)):
        if count is not None and not 1 <= count <= LARGEST_PAGE:
            raise InputError(
                argument,
                N_("{argument} must be from 1 to {most}, not {count}."),
                most=LARGEST_PAGE,
                count=count,
            )
    limit = first if first is not None else last
    return Slice(
        limit=DEFAULT_PAGE if limit is None else limit,
        after=order.place("after", after),
        before=order.place("before", before),
        backward=last is not None,
    )


@dataclass(frozen=True, slots=True)
class EdgeOf:
    """An item with its cursor, worked out when read."""

    node: Any
    order: Order

    @Told
    def cursor(self) -> str:
        return self.order.cursor(self.order.keyset(self.node))


class Listing:
    """A page of the port, as a connection reads it. What is read most are plain attributes: a list
    of a hundred orders has a hundred pages of lines."""

    __slots__ = ("has_next_page", "has_previous_page", "nodes", "order", "total_count")

    def __init__(
        self,
        nodes: Sequence[Any],
        order: Order,
        has_next: bool = False,
        has_previous: bool = False,
        total: int | None = None,
    ) -> None:
        self.nodes, self.order, self.total_count = nodes, order, total
        self.has_next_page, self.has_previous_page = has_next, has_previous

    @classmethod
    def of(cls, page: Page[Any], order: Order) -> Listing:
        return cls(page.items, order, page.has_next, page.has_previous, page.total)

    @Told
    def edges(self) -> list[EdgeOf]:
        return [EdgeOf(item, self.order) for item in self.nodes]

    @Told
    def page_info(self) -> Listing:
        return self

    @Told
    def start_cursor(self) -> str | None:
        return EdgeOf(self.nodes[0], self.order).cursor if self.nodes else None

    @Told
    def end_cursor(self) -> str | None:
        return EdgeOf(self.nodes[-1], self.order).cursor if self.nodes else None


def slicing(part: Slice, order: Order, counted: bool = False) -> Callable[[Sequence[Any]], Listing]:
    """What makes pages of lists that are in memory as a whole, in order. counted: with their
    lengths."""
    limit = part.limit

    def beginning(rows: Sequence[Any]) -> Listing:
        total = len(rows)
        more = total > limit
        kept = rows[:limit] if more else rows
        return Listing(kept, order, more, False, total if counted else None)

    def anywhere(rows: Sequence[Any]) -> Listing:
        return Listing.of(slice_sorted(rows, part, order.keyset, with_total=counted), order)

    plain = part.after is None and part.before is None and not part.backward
    return beginning if plain else anywhere


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows: ask with `after`.")
    has_previous_page: bool = strawberry.field(
        description="Whether something comes before: ask with `last` and `before`."
    )
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first item; null when the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last item; null when the page is empty."
    )


@strawberry.type(description="An item of a list, with its place in it.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(
        description="The item's place, for `after` or `before`. Opaque; good for the same order."
    )
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    nodes: list[T] = strawberry.field(description="The items alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")


@strawberry.type(description="A page of a list whose items can be counted.")
class CountedConnection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    nodes: list[T] = strawberry.field(description="The items alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    total_count: int | None = strawberry.field(
        description="How many items the whole list has. Costs a call of its own: select if needed."
    )
