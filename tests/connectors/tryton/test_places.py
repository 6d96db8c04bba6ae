"""Places in a list: walking a list page by page sees each record once, in Tryton's own order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port.pages import Keyset, Slice, cut
from connectors.systems.tryton import places
from connectors.systems.tryton.domain import all_of, listed
from tests.connectors.tryton.interpreter import meets

NUMBER = places.Line("number", str, by_length=True)
NAME = places.Line("name", str)
DAY = places.Line("sale_date", date)

Row = dict[str, Any]


def tryton_orders(rows: list[Row], line: places.Line, ordering: Any) -> list[Row]:
    """As `order_number` of sale.sale does: by the length, then by the text, then by id."""
    (_, direction), (second, again) = ordering
    assert second == "id"
    assert direction == again

    def place(row: Row) -> tuple[int, str, int]:
        value = row[line.path]
        return (len(value) if line.by_length else 0, value, row["id"])

    return sorted(rows, key=place, reverse=direction == "DESC")


@given(
    st.lists(st.text("019A", min_size=1, max_size=3), max_size=9),
    st.sampled_from([NUMBER, NAME]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 4),
)
def test_pages_cover_a_list_once(
    values: list[str], line: places.Line, descending: bool, backward: bool, limit: int
) -> None:
    rows = [{"id": key, line.path: value} for key, value in enumerate(values, start=1)]
    first = Slice(100)
    whole = tryton_orders(rows, line, places.ordering(line, descending, first))
    seen: list[Row] = []
    mark: Keyset | None = None
    for _ in range(len(values) + 1):
        part = Slice(limit, before=mark, backward=True) if backward else Slice(limit, after=mark)
        domain = listed(all_of(places.bounds(line, descending, part)))
        ordering = places.ordering(line, descending, part)
        found = tryton_orders([row for row in rows if meets(row, domain)], line, ordering)
        page = cut(found[: limit + 1], part)
        seen = [*page.items, *seen] if backward else [*seen, *page.items]
        if not (page.has_previous if backward else page.has_next):
            break
        edge = page.items[0 if backward else -1]
        mark = Keyset(edge[line.path], str(edge["id"]))
    assert seen == whole


def test_what_lies_beyond_a_day() -> None:
    mark = Keyset(date(2026, 3, 9), "12")
    day = {"__class__": "date", "year": 2026, "month": 3, "day": 9}
    earlier = ["OR", ["sale_date", "<", day], [["sale_date", "=", day], ["id", "<", 12]]]
    later = ["OR", ["sale_date", ">", day], [["sale_date", "=", day], ["id", ">", 12]]]
    for part, descending, expected in (
        (Slice(5, after=mark), True, earlier),
        (Slice(5, after=mark), False, later),
        (Slice(5, before=mark), True, later),
        (Slice(5, before=mark, backward=True), False, earlier),
    ):
        assert listed(all_of(places.bounds(DAY, descending, part))) == [expected]


@pytest.mark.parametrize(
    "mark",
    [
        Keyset("2026-03-09", "12"),
        Keyset(datetime(2026, 3, 9, tzinfo=UTC), "12"),
        Keyset(7, "12"),
        Keyset(date(2026, 3, 9), "x"),
        Keyset(date(2026, 3, 9), "99999999999"),
    ],
)
def test_a_place_of_another_list_is_none(mark: Keyset) -> None:
    with pytest.raises(places.NoSuchPlace):
        places.bounds(DAY, True, Slice(5, after=mark))
    with pytest.raises(places.NoSuchPlace):
        places.bounds(DAY, True, Slice(5, before=mark))


def test_a_place_that_no_database_holds_is_none() -> None:
    with pytest.raises(places.NoSuchPlace):
        places.bounds(NUMBER, True, Slice(5, after=Keyset("\0", "1")))
