"""Puts cases that only the gateway has into a page of cases of the CRM's. Pure: no I/O, no clock.

A list is ordered by value, then by whether the CRM has the case (ours come first), then by id.
Because ours come first among equals, a place of one of ours can be told to the CRM as the place
before all of its own with that value: a keyset with the id "".
"""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import CaseQuery, CaseSort
from connectors.port.records import Case, CaseStatus
from gateway.submissions.records import named
from schema.cases.filters import UNNUMBERED

#: Statuses that no CRM knows.
OURS = frozenset({CaseStatus.SUBMITTED, CaseStatus.REJECTED})

_Place = tuple[Any, bool, str]


@dataclass(frozen=True, slots=True)
class Ordering:
    """What a list of cases is ordered by."""

    sort: CaseSort = CaseSort.CREATED_AT
    descending: bool = True

    def place(self, case: Case) -> _Place:
        value = getattr(case, self.sort.value)
        return (UNNUMBERED if value is None else value, named(case.id) is None, case.id)

    def in_reach(self, place: _Place, part: Slice) -> bool:
        """Whether a place lies between the bounds of a slice."""
        after, before = _mark(part.after), _mark(part.before)
        if self.descending:
            after, before = before, after
        return (after is None or place > after) and (before is None or place < before)

    def upstream(self, part: Slice) -> Slice | None:
        """The slice as the CRM is asked for it; None where it cannot have anything there."""
        # In a list by number, all of the CRM's are on one side of ours.
        by_number = self.sort is CaseSort.NUMBER
        after, before = part.after, part.before
        if after is not None and named(after.id):
            if by_number and not self.descending:
                return None
            after = None if by_number else Keyset(after.value, "")
        if before is not None and named(before.id):
            if by_number and self.descending:
                return None
            before = None if by_number else Keyset(before.value, "")
        return replace(part, after=after, before=before)


def _mark(keyset: Keyset | None) -> _Place | None:
    if keyset is None:
        return None
    return (keyset.value, bool(keyset.id) and named(keyset.id) is None, keyset.id)


def merged(page: Page[Case], own: Iterable[Case], part: Slice, ordering: Ordering) -> Page[Case]:
    """The page with our cases in their places. page: of the slice that `upstream` says. own: those
    that meet the question, wherever they lie. The total counts them all."""
    own = list(own)
    total = None if page.total is None else page.total + len(own)
    near = [case for case in own if ordering.in_reach(ordering.place(case), part)]
    near.sort(key=ordering.place, reverse=ordering.descending)
    # The CRM's own order stays as it is, whatever it thinks of letters.
    found = list(heapq.merge(page.items, near, key=ordering.place, reverse=ordering.descending))
    more_upstream = page.has_previous if part.backward else page.has_next
    if part.backward:
        items = found[-part.limit :]
        more = more_upstream or len(found) > part.limit
        return Page(items, has_next=part.before is not None, has_previous=more, total=total)
    items = found[: part.limit]
    more = more_upstream or len(found) > part.limit
    return Page(items, has_next=more, has_previous=part.after is not None, total=total)


def fits(case: Case, query: CaseQuery) -> bool:
    """Whether a case meets every condition of a question, as the CRM would say."""
    among: Sequence[tuple[tuple[Any, ...] | None, Any]] = (
        (query.categories, case.category),
        (query.subcategories, case.subcategory),
        (query.statuses, case.status),
    )
    return (
        case.owner in query.scope
        and all(values is None or value in values for values, value in among)
        and (query.number is None or bare(query.number) == bare(case.number))
        and (query.created_from is None or query.created_from <= case.created_at)
        and (query.created_before is None or case.created_at < query.created_before)
        and (query.search is None or _holds(query.search, case.subject, case.description))
        and (
            query.order_numbers is None
            or bare(case.order_number) in {bare(number) for number in query.order_numbers}
        )
    )


def bare(number: str | None) -> str | None:
    """A number as people compare it; None is like no number."""
    return None if not number else number.strip().lstrip("0").casefold()


def _holds(words: str, *texts: str) -> bool:
    """Whether each word is in one of the texts, whatever its case."""
    everything = _folded("\n".join(texts))
    return all(word in everything for word in _folded(words).split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
