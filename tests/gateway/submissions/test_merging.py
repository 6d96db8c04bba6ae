"""Pages of cases that only the gateway has among those of the CRM: as if all lay in one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import CaseQuery, CaseSort
from connectors.port.records import Case, CaseStatus, NewCase
from connectors.port.scope import AccountRef, Scope
from gateway.submissions.cases import SubmittedCases
from gateway.submissions.merge import OURS, Ordering, fits, merged
from gateway.submissions.pending import Pending
from gateway.submissions.records import Deed, Entry, Part, Said, State, named
from schema.cases.filters import ORDERS
from schema.cases.service import Sent
from tests.gateway.submissions.crm import Crm
from tests.gateway.submissions.house import ANDINA, NOW, PACIFICO

BOTH = Scope([ANDINA, PACIFICO])

#: Few values, so that many are equal.
moments = st.integers(0, 6).map(lambda n: NOW + timedelta(milliseconds=500 * n))


@st.composite
def cases(draw: st.DrawFn, ours: bool) -> Case:
    count = draw(st.integers(0, 40))
    created = draw(moments)
    statuses = sorted(OURS) if ours else [CaseStatus.NEW, CaseStatus.CLOSED]
    return Case(
        id=f"sub-{count:032x}" if ours else f"500{count:012d}AAA",
        owner=draw(st.sampled_from([ANDINA, PACIFICO])),
        number=None if ours else f"{count:08d}",
        category=draw(st.sampled_from(["QUERY", "TRAINING"])),
        subcategory=draw(st.sampled_from([None, "A"])),
        subject=draw(st.sampled_from(["Ñandú rojo", "azul"])),
        description="",
        status=draw(st.sampled_from(statuses)),
        created_at=created,
        updated_at=created if ours else created + timedelta(seconds=draw(st.integers(0, 2))),
        order_number=draw(st.sampled_from([None, "77", "0077"])),
    )


def distinct(ours: bool) -> st.SearchStrategy[list[Case]]:
    return st.lists(cases(ours), max_size=12, unique_by=lambda case: case.id)


def condition(values: Sequence[object]) -> st.SearchStrategy[tuple[object, ...] | None]:
    return st.none() | st.lists(st.sampled_from(values), min_size=1, unique=True).map(tuple)


@st.composite
def queries(draw: st.DrawFn) -> CaseQuery:
    return CaseQuery(
        scope=Scope(draw(st.lists(st.sampled_from([ANDINA, PACIFICO]), min_size=1))),
        fields=frozenset(),
        part=Slice(draw(st.integers(1, 5)), backward=draw(st.booleans())),
        categories=draw(condition(["QUERY", "TRAINING"])),  # type: ignore[arg-type]
        statuses=draw(condition([*sorted(OURS), CaseStatus.NEW, CaseStatus.CLOSED])),  # type: ignore[arg-type]
        created_from=draw(st.none() | moments),
        created_before=draw(st.none() | moments),
        search=draw(st.sampled_from([None, "ñandú", "azul"])),
        order_numbers=draw(st.sampled_from([None, ("77",)])),
        sort=draw(st.sampled_from(list(CaseSort))),
        descending=draw(st.booleans()),
        with_total=True,
    )


def in_order(every: Sequence[Case], query: CaseQuery) -> list[Case]:
    ordering = Ordering(query.sort, query.descending)
    found = [case for case in every if fits(case, query)]
    return sorted(found, key=ordering.place, reverse=query.descending)


async def page_of(crm: Crm, own: Sequence[Case], query: CaseQuery) -> Page[Case]:
    """As `gateway.submissions.cases` asks for it."""
    ordering = Ordering(query.sort, query.descending)
    part = ordering.upstream(query.part)
    page = await crm.find_cases(replace(query, part=part or Slice(1)))
    if part is None:
        page = Page([], total=page.total)
    return merged(page, [case for case in own if fits(case, query)], query.part, ordering)


def turned(query: CaseQuery, page: Page[Case]) -> CaseQuery:
    """The question for the page that follows, with the cursor that the schema would give."""
    edge = page.items[0] if query.part.backward else page.items[-1]
    order = ORDERS[query.sort]
    place = order.place("after", order.cursor(order.keyset(edge)))
    assert place == Keyset(order.keyset(edge).value, edge.id)
    if query.part.backward:
        return replace(query, part=replace(query.part, before=place))
    return replace(query, part=replace(query.part, after=place))


@given(distinct(ours=True), distinct(ours=False), queries())
@pytest.mark.anyio
async def test_pages_one_after_the_other_are_the_list(
    own: list[Case], others: list[Case], query: CaseQuery
) -> None:
    crm = Crm(lambda: NOW, {case.id: case for case in others})
    expected = in_order([*own, *others], query)
    seen: list[Case] = []
    first = query
    while True:
        page = await page_of(crm, own, query)
        assert page.total == len(expected)
        backward = query.part.backward
        seen = [*page.items, *seen] if backward else [*seen, *page.items]
        more = page.has_previous if backward else page.has_next
        assert more == (len(seen) < len(expected))
        other_way = page.has_next if backward else page.has_previous
        assert other_way == (query is not first)
        if not more:
            break
        assert len(page.items) == query.part.limit
        query = turned(query, page)
    assert [case.id for case in seen] == [case.id for case in expected]


@given(distinct(ours=True), distinct(ours=False), queries(), st.data())
@pytest.mark.anyio
async def test_one_that_the_crm_takes_between_two_pages_is_seen_at_most_twice_and_never_lost(
    own: list[Case], others: list[Case], query: CaseQuery, data: st.DataObject
) -> None:
    """Newest first, it is seen once: the CRM's date is not earlier than ours."""
    query = replace(
        query,
        statuses=None,
        created_from=None,
        created_before=None,
        sort=CaseSort.CREATED_AT,
        descending=True,
        part=Slice(query.part.limit),
    )
    mine = [case for case in own if fits(case, query)]
    if not mine:
        return
    crm = Crm(lambda: NOW, {case.id: case for case in others})
    taken = data.draw(st.sampled_from(mine))
    page = await page_of(crm, own, query)
    seen = [case.id for case in page.items]
    real = replace(taken, id="500999999999999AAA", number="99999999", status=CaseStatus.NEW)
    real = replace(real, created_at=real.created_at + timedelta(seconds=1))
    crm.cases[real.id] = real
    own = [case for case in own if case is not taken]
    while page.has_next:
        query = turned(query, page)
        page = await page_of(crm, own, query)
        seen += [case.id for case in page.items]
    expected = {case.id for case in in_order([*own, *others], query)}
    assert expected <= set(seen)
    assert len(seen) == len(set(seen))
    assert not (taken.id in seen and real.id in seen)


def test_an_alias_is_no_id_of_a_crm() -> None:
    assert named("sub-" + "0" * 32) == ("0" * 32, None)
    assert named("sub-" + "0" * 32 + "-3") == ("0" * 32, 3)
    for other in ("500000000000001AAA", "sub-", "sub-" + "G" * 32, "sub-" + "0" * 32 + "-", ""):
        assert named(other) is None


def closing(case_id: str, owner: AccountRef, count: int) -> Entry:
    return Entry(
        id=f"f{count:031x}",
        kind=Sent.CLOSING,
        who="contact 003ana",
        account=owner,
        said=Said("Ana"),
        parts=[Part(0, Deed.CLOSE)],
        created_at=NOW,
        changed_at=NOW,
        case_id=case_id,
    )


def opening(case: Case) -> Entry:
    """The submission that a case of ours shows."""
    name = named(case.id)
    assert name is not None
    submitted = case.status is CaseStatus.SUBMITTED
    return Entry(
        id=name[0],
        kind=Sent.CASE,
        who="contact 003ana",
        account=case.owner,
        said=Said(
            "Ana",
            case=NewCase(
                case.owner,
                case.category,
                case.subject,
                case.description,
                NOW,
                subcategory=case.subcategory,
                order_number=case.order_number,
            ),
        ),
        parts=[Part(0, Deed.OPEN, State.WAITING if submitted else State.REJECTED)],
        created_at=case.created_at,
        changed_at=NOW,
        state=State.WAITING if submitted else State.REJECTED,
        done_at=None if submitted else NOW,
    )


@given(distinct(ours=True), distinct(ours=False), queries(), st.data())
@pytest.mark.anyio
async def test_pages_of_the_source_with_closings_are_the_list(
    own: list[Case], others: list[Case], query: CaseQuery, data: st.DataObject
) -> None:
    every = [*own, *others]
    closed = data.draw(st.lists(st.sampled_from(every), unique_by=id)) if every else []
    pending = Pending(lambda: NOW, timedelta(days=1))
    pending.apply([opening(case) for case in own])
    pending.apply([closing(c.id, c.owner, at) for at, c in enumerate(closed)])
    crm = Crm(lambda: NOW, {case.id: case for case in others})
    nothing: Any = None
    source = SubmittedCases(crm, pending, nothing, nothing)

    gone = {case.id for case in closed}
    shown = [replace(c, status=CaseStatus.CLOSED) if c.id in gone else c for c in every]
    expected = in_order(shown, query)
    seen: list[Case] = []
    while True:
        page = await source.find_cases(query)
        assert page.total == len(expected)
        seen = [*page.items, *seen] if query.part.backward else [*seen, *page.items]
        more = page.has_previous if query.part.backward else page.has_next
        assert len(page.items) == query.part.limit or not more
        if not page.items or not more:
            break
        query = turned(query, page)
    assert [(case.id, case.status) for case in seen] == [(c.id, c.status) for c in expected]
