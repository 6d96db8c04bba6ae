"""Keyset paging over a list that offers none: WordPress cuts by second and orders by date alone.

The list is ordered by (published at, id), newest first. WordPress can be asked for posts strictly
before or after an instant, ordered by date; posts of one second come in any order. So a question
reaches one second beyond the keyset, what was seen already is skipped, and the last second of an
answer counts only once all its posts are known. Posts of that second that are known are excluded
by id from the next question, so that neither offsets nor the order among equals matter. With
seconds that differ, a page is one question.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from connectors.port.pages import Keyset, Slice

#: WordPress answers no more at once.
PAGE = 100
#: Questions at most for one page.
ROUNDS = 16
#: Ids at most in one question: 400 ids fit into any server's longest address.
EXCLUDED = 400

_SECOND = timedelta(seconds=1)


class NoSuchPlace(ValueError):
    """A keyset that is not of this list."""


class NoEnd(ValueError):
    """More posts share one second than can be told apart, or the site ignores what it is asked."""


@dataclass(frozen=True, slots=True)
class Row:
    """A post as the site sent it, with its place in the list."""

    at: datetime
    id: int
    post: Mapping[str, Any]

    @property
    def place(self) -> tuple[datetime, int]:
        return self.at, self.id


@dataclass(frozen=True, slots=True)
class Window:
    """One question: posts strictly after and before instants, without some, in an order by date."""

    after: datetime | None
    before: datetime | None
    ascending: bool
    exclude: tuple[int, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One answer. more: there are posts in the window beyond these."""

    rows: Sequence[Row]
    more: bool


Ask = Callable[[Window], Awaitable[Glimpse]]


def days(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Strictly after and strictly before which instants the posts of these days (UTC) are."""
    after = before = None
    if first is not None and first > date.min:
        after = datetime.combine(first, time.min, UTC) - _SECOND
    if last is not None and last < date.max:
        before = datetime.combine(last + timedelta(days=1), time.min, UTC)
    return after, before


async def walk(
    ask: Ask, part: Slice, after: datetime | None = None, before: datetime | None = None
) -> list[Row]:
    """Up to `limit + 1` posts of the part, in the direction of reading, as `pages.cut` wants them.

    after, before: instants that bound the whole list, exclusive. Raises NoSuchPlace and NoEnd."""
    older_than, newer_than = _place(part.after), _place(part.before)
    if older_than is not None:
        before = _earlier(before, _second(older_than[0], 1))
    if newer_than is not None:
        after = _later(after, _second(newer_than[0], -1))
    found: dict[int, Row] = {}
    exclude: tuple[int, ...] = ()
    # One more for the post of the keyset itself, which the widening lets in again.
    start = newer_than if part.backward else older_than
    size = min(PAGE, part.limit + 1 + (start is not None))
    for turn in range(ROUNDS):
        answer = await ask(Window(after, before, part.backward, exclude, size))
        known = len(found)
        found.update((row.id, row) for row in answer.rows)
        rows = sorted(
            (row for row in found.values() if _between(row, older_than, newer_than)),
            key=lambda row: row.place,
            reverse=not part.backward,
        )
        if not answer.more or not answer.rows:
            return rows[: part.limit + 1]
        if len(found) == known:
            raise NoEnd("the site answers the same posts again")
        edge = (max if part.backward else min)(row.at for row in answer.rows)
        if len(rows) > part.limit and rows[part.limit - 1].at != edge:
            return rows[: part.limit + 1]
        if part.backward:
            after = _second(edge, -1)
        else:
            before = _second(edge, 1)
        exclude = tuple(row.id for row in found.values() if row.at == edge)
        if len(exclude) > EXCLUDED:
            break
        size = min(PAGE, max(part.limit + 1 - len(rows), 10 << min(turn, 4)))
    raise NoEnd("too many posts share one second")


def _place(keyset: Keyset | None) -> tuple[datetime, int] | None:
    if keyset is None:
        return None
    if not isinstance(keyset.value, datetime) or keyset.value.tzinfo is None:
        raise NoSuchPlace
    if not (keyset.id.isascii() and keyset.id.isdigit() and len(keyset.id) <= 18):
        raise NoSuchPlace
    try:
        return keyset.value.astimezone(UTC), int(keyset.id)
    except OverflowError:
        raise NoSuchPlace from None


def _between(
    row: Row, older_than: tuple[datetime, int] | None, newer_than: tuple[datetime, int] | None
) -> bool:
    return (older_than is None or row.place < older_than) and (
        newer_than is None or row.place > newer_than
    )


def _second(instant: datetime, step: int) -> datetime | None:
    """The whole second next to the instant's own; None beyond the calendar, where no bound is
    needed."""
    try:
        return instant.replace(microsecond=0) + step * _SECOND
    except OverflowError:
        return None


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((bound for bound in (one, other) if bound is not None), default=None)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((bound for bound in (one, other) if bound is not None), default=None)
