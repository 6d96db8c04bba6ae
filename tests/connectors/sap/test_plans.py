"""Plans read what `translate` reads, or leave it to it; they never read something else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from connectors.kit.odata import answers
from connectors.kit.odata.expressions import Version
from connectors.port.records import Order
from connectors.systems.sap import dialects
from connectors.systems.sap.columns import OrderColumns
from connectors.systems.sap.keys import Owners
from connectors.systems.sap.plans import Plans
from connectors.systems.sap.settings import Settings
from connectors.systems.sap.statuses import StatusMap
from connectors.systems.sap.translate import OrderWords
from tests.connectors.sap.opened import BOTH, EVERYTHING

_PLANNED = EVERYTHING - {"ship_to", "lines.delivered_quantity"}
OWNERS = Owners(BOTH)
ORG: dict[str, Any] = {"url": "https://erp.example", "basic": {"user": "x", "password": "y"}}


def _columns(**more: Any) -> OrderColumns:
    table = msgspec.convert({**ORG, **more}, Settings)
    dialect = dialects.of(table)
    return OrderColumns(dialect, table, StatusMap.of_settings(table, dialect.local))


COLUMNS = [
    _columns(),
    _columns(sales_orders="v4"),
    _columns(prices="net", tax_of_rejected_items=True),
]
fields = st.frozensets(st.sampled_from(sorted(_PLANNED))).map(
    lambda found: found | ({"lines"} if any("." in name for name in found) else set())
)
numbers = st.sampled_from(["0", "1.000", "12.50", "1250.00", "-3.333", "99999999999.99", None]) | (
    st.decimals(-1000, 1000, places=3).map(str)
)
texts = st.sampled_from([None, "", " ", "A", "C", " B ", "PEN", "COP", "CLP", "000123", "x1"])
days = st.sampled_from([None, "", "/Date(1793923200000)/", "2026-11-18", "2026-11-18T00:00:00"])
odd = st.sampled_from([1, 1.5, True, [], {}, "NaN", "Infinity", "1e3", " 7 ", "?", "/Date(x)/"])


def _value(draw: st.DrawFn, column: str) -> Any:
    if draw(st.integers(0, 200)) == 0:
        return draw(odd)
    if column == "SoldToParty":
        return draw(st.sampled_from(["17100001", "0017100002", "17100009"]))
    if column == "SalesOrder":
        return draw(st.sampled_from(["1", "0000004711", "A1"]))
    if column == "SalesOrderItem":
        return draw(st.sampled_from(["10", "000020", "100", "A"]))
    if column.endswith("Date"):
        return draw(days if column != "SalesOrderDate" else days.filter(bool))
    if "Amount" in column or ("Quantity" in column and "Unit" not in column):
        return draw(numbers if column != "TotalNetAmount" else numbers.filter(bool))
    return draw(texts)


def _row(draw: st.DrawFn, select: tuple[str, ...]) -> dict[str, Any]:
    return {column: _value(draw, column) for column in select if draw(st.integers(0, 200)) != 0} | {
        "__metadata": {"uri": "x"}
    }


@st.composite
def asked(draw: st.DrawFn) -> tuple[OrderColumns, frozenset[str], tuple[str, ...], bytes]:
    """Fields, columns, and an answer to them: some values empty, odd or missing."""
    columns, wanted = draw(st.sampled_from(COLUMNS)), draw(fields)
    also = draw(st.sampled_from([(), ("SalesOrderDate", "SalesOrder")]))
    select = columns.header(wanted, also)
    v2 = columns.dialect.service.version is Version.V2
    rows = []
    for _ in range(draw(st.integers(0, 3))):
        row = _row(draw, select)
        for embedded in columns.embedded(wanted):
            items: Any = [_row(draw, embedded.select) for _ in range(draw(st.integers(0, 3)))]
            if v2:
                items = {"results": items}
            if draw(st.integers(0, 100)) == 0:
                items = draw(st.sampled_from([None, {"__deferred": {}}, "x", {"results": None}]))
            row[embedded.navigation] = items
        rows.append(row)
    count = draw(st.sampled_from([None, "3", 3, "x"]))
    whole: dict[str, Any] = {"value": rows, "@odata.count": count}
    if v2:
        whole = {"d": {"results": rows, "__count": count}}
    return columns, wanted, select, msgspec.json.encode(whole)


def _by_rows(columns: OrderColumns, wanted: frozenset[str], body: bytes) -> list[Order]:
    words = OrderWords(columns, wanted, {})
    found = answers.read(body, columns.dialect.service.version).rows
    owned = [(row, OWNERS.of(answers.text(row, "SoldToParty"))) for row in found]
    return [words.order(row, owner) for row, owner in owned if owner is not None]


@settings(max_examples=500)
@given(asked())
def test_a_plan_reads_as_rows_are_read(
    given_: tuple[OrderColumns, frozenset[str], tuple[str, ...], bytes],
) -> None:
    columns, wanted, select, body = given_
    read = Plans(columns).reading(wanted, select, OWNERS)
    assert read
    planned = read(body)
    event("planned" if planned is not None else "left to rows")
    if planned is None:
        return  # whatever it was, it is read row by row
    found = _by_rows(columns, wanted, body)
    assert planned.made == found
    assert repr(planned.made) == repr(found)
    assert planned.count == answers.read(body, columns.dialect.service.version).count


@pytest.mark.parametrize("columns", COLUMNS)
def test_what_is_documented_is_planned(columns: OrderColumns) -> None:
    select = columns.header(_PLANNED, ("SalesOrderDate",))
    row: dict[str, Any] = {
        column: "2026-11-18" if column.endswith("Date") else "5.00" if "Amount" in column else "1"
        for column in select
    } | {"SoldToParty": "17100001"}
    for embedded in columns.embedded(_PLANNED):
        items: Any = [dict.fromkeys(embedded.select, "10"), dict.fromkeys(embedded.select, "9")]
        v2 = columns.dialect.service.version is Version.V2
        row[embedded.navigation] = {"results": items} if v2 else items
    body = msgspec.json.encode({"d": {"results": [row]}, "value": [row]})
    read = Plans(columns).reading(_PLANNED, select, OWNERS)
    assert read
    planned = read(body)
    assert planned
    assert planned.made == _by_rows(columns, _PLANNED, body)
    assert [line.position for line in planned.made[0].lines] == ["9", "10"]


@pytest.mark.parametrize(
    "more",
    [
        {"d": {"results": [], "__next": "https://erp.example/next"}},
        {"d": []},
        {"d": {"results": [{"SalesOrder": "1"}]}},
        {"d": {"results": [{"SalesOrder": "1", "SoldToParty": "17100001"}], "__count": "x"}},
    ],
)
def test_what_goes_on_or_lacks_something_is_left_to_rows(more: dict[str, Any]) -> None:
    read = Plans(COLUMNS[0]).reading(frozenset({"number"}), ("SalesOrder", "SoldToParty"), OWNERS)
    assert read
    assert read(msgspec.json.encode(more)) is None


def test_lines_that_the_server_did_not_finish_are_left_to_rows() -> None:
    wanted = frozenset({"lines"})
    (items,) = COLUMNS[0].embedded(wanted)
    row = {
        "SalesOrder": "1",
        "SoldToParty": "17100001",
        "to_Item": {"results": [dict.fromkeys(items.select, "10")], "__next": "more"},
    }
    read = Plans(COLUMNS[0]).reading(wanted, COLUMNS[0].header(wanted), OWNERS)
    assert read
    assert read(msgspec.json.encode({"d": {"results": [row]}})) is None


def test_what_is_rare_has_no_plan() -> None:
    for wanted in ({"ship_to"}, {"lines", "lines.delivered_quantity"}):
        assert Plans(COLUMNS[0]).reading(frozenset(wanted), ("SalesOrder",), OWNERS) is None
