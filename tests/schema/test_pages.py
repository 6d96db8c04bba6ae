"""Cursors come back as they went, and anything else is refused by the name of its argument."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port.pages import Keyset, Slice, slice_sorted
from schema.errors import InputError
from schema.pages import Listing, Order, wanted

CREATED = Order("created_at", datetime)
NUMBER = Order("number", str)
DAY = Order("ordered_on", date)
IDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=30)


@given(st.datetimes(timezones=st.just(UTC)), IDS)
def test_a_cursor_of_a_moment_comes_back(moment: datetime, key: str) -> None:
    place = Keyset(moment, key)
    assert CREATED.place("after", CREATED.cursor(place)) == place


@given(st.text(st.characters(categories=["L", "N", "Zs"]), max_size=30), IDS)
def test_a_cursor_of_a_text_comes_back(number: str, key: str) -> None:
    if not (number.isprintable()):
        return
    place = Keyset(number, key)
    assert NUMBER.place("after", NUMBER.cursor(place)) == place


@given(st.dates(), IDS)
def test_a_cursor_of_a_day_comes_back(day: date, key: str) -> None:
    place = Keyset(day, key)
    assert DAY.place("after", DAY.cursor(place)) == place


@given(st.text(max_size=80))
def test_any_other_text_is_refused_or_of_this_order(text: str) -> None:
    refused: InputError | None = None
    place: Keyset | None = None
    try:
        place = CREATED.place("after", text)
    except InputError as error:
        refused = error
    if refused is None:
        assert place is not None
        assert isinstance(place.value, datetime)
    else:
        assert refused.extensions == {"argument": "after"}


@pytest.mark.parametrize(
    "packed",
    [
        '["created_at","2026-01-01T00:00:00","a"]',  # no offset
        '["created_at","yesterday","a"]',
        '["created_at",5,"a"]',
        '["created_at","2026-01-01T00:00:00+00:00",""]',
        '["created_at","2026-01-01T00:00:00+00:00","a\\u0000b"]',
        '["created_at","2026-01-01T00:00:00+00:00"]',
        '{"created_at":1}',
        "[" * 400,
    ],
)
def test_a_forged_cursor_is_refused(packed: str) -> None:
    cursor = base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")
    with pytest.raises(InputError):
        CREATED.place("before", cursor)


def test_a_cursor_of_another_order_is_refused() -> None:
    cursor = CREATED.cursor(Keyset(datetime(2026, 1, 1, tzinfo=UTC), "a"))
    with pytest.raises(InputError, match="another order"):
        Order("updated_at", datetime).place("after", cursor)


@pytest.mark.parametrize("count", [0, -1, 101, 2**31])
def test_a_page_has_1_to_100_items(count: int) -> None:
    for argument in ("first", "last"):
        with pytest.raises(InputError) as raised:
            wanted(CREATED, **{argument: count})  # type: ignore[arg-type]
        assert raised.value.extensions["argument"] == argument


def test_first_and_last_exclude_each_other() -> None:
    with pytest.raises(InputError):
        wanted(CREATED, first=1, last=1)
    assert wanted(CREATED) == Slice(20)
    assert wanted(CREATED, last=3) == Slice(3, backward=True)


@dataclass(frozen=True)
class Row:
    id: str
    created_at: datetime


@given(
    st.lists(st.integers(0, 5), max_size=30),
    st.integers(1, 7),
    st.booleans(),
    st.booleans(),
)
def test_walking_a_list_by_cursor_sees_everything_once(
    minutes: list[int], step: int, descending: bool, backward: bool
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = sorted(
        (Row(f"{n:03}", start + timedelta(minutes=m)) for n, m in enumerate(minutes)),
        key=lambda row: (row.created_at, row.id),
        reverse=descending,
    )
    seen: list[Row] = []
    cursor: str | None = None
    while True:
        part = (
            wanted(CREATED, last=step, before=cursor)
            if backward
            else wanted(CREATED, first=step, after=cursor)
        )
        page = slice_sorted(rows, part, CREATED.keyset, descending=descending, with_total=True)
        listing = Listing.of(page, CREATED)
        assert listing.total_count == len(rows)
        assert len(listing.nodes) <= step
        seen = [*listing.nodes, *seen] if backward else [*seen, *listing.nodes]
        info = listing.page_info
        more = info.has_previous_page if backward else info.has_next_page
        if not more:
            break
        cursor = info.start_cursor if backward else info.end_cursor
    assert seen == rows
