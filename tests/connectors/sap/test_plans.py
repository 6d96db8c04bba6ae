"""Plans read what `translate` reads, or leave it to it; they never read something else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
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
from connectors.systems.sap.plans import Plans, _Products
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
ODD: list[Any] = [
    *(None, "", " ", 0, 1, 1.5, -2, 1e300, True, False, [], {}, [None], "?", "\u00b2", "\u0663"),
    *(
        "NaN",
        "-NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1e3",
        "1E+3",
        "-1e-3",
        "1_000",
        "0e9",
        "-0.00",
    ),
    *(
        " 7 ",
        "+7",
        "0000",
        "007",
        "1" * 50,
        "0." + "3" * 50,
        "A1",
        "a",
        "x" * 300,
        "\ud7ff",
        "null",
    ),
    *("/Date(x)/", "/Date(1793923200000+0060)/", "/Date(99999999999999999)/", "2026-02-30", "0"),
]
odd = st.sampled_from(ODD)


def _value(draw: st.DrawFn, column: str) -> Any:
    if draw(st.integers(0, 200)) == 0:
        return draw(odd)
    if column == "SoldToParty":
        return draw(st.sampled_from(["17100001", "0017100002", "17100009"]))
    if column == "SalesOrder":
        return draw(st.sampled_from(["1", "0000004711", "A1"]))
    if column == "SalesOrderItem":
        return draw(st.sampled_from(["10", "000020", "20", "100", " 30 ", "9", "10"]))
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


def _documented(columns: OrderColumns, wanted: frozenset[str], orders: int = 1) -> dict[str, Any]:
    """An answer as the service documents it, for either version."""
    select = columns.header(wanted, ("SalesOrderDate",))
    rows = []
    for number in range(1, orders + 1):
        row: dict[str, Any] = {
            column: "2026-11-18"
            if column.endswith("Date")
            else "5.00"
            if "Amount" in column
            else "1"
            for column in select
        } | {"SalesOrder": str(number), "SoldToParty": "17100001"}
        for embedded in columns.embedded(wanted):
            items: Any = [dict.fromkeys(embedded.select, "10"), dict.fromkeys(embedded.select, "9")]
            v2 = columns.dialect.service.version is Version.V2
            row[embedded.navigation] = {"results": items} if v2 else items
        rows.append(row)
    return {"d": {"results": rows}, "value": rows}


@pytest.mark.parametrize("columns", COLUMNS)
def test_what_is_documented_is_planned(columns: OrderColumns) -> None:
    body = msgspec.json.encode(_documented(columns, _PLANNED))
    read = Plans(columns).reading(_PLANNED, columns.header(_PLANNED, ("SalesOrderDate",)), OWNERS)
    assert read
    planned = read(body)
    assert planned
    assert planned.made == _by_rows(columns, _PLANNED, body)
    assert [line.position for line in planned.made[0].lines] == ["9", "10"]


def _spoiled(answer: dict[str, Any], items: str) -> Iterator[tuple[str, bytes]]:
    """The answer with one odd value in one place, or without that place, for all of both."""
    for inside in (False, True):
        _, row = _places(answer, items)[inside]
        for column in row:
            for value in (*ODD, ...):
                spoiled = deepcopy(answer)
                for held in _places(spoiled, items)[inside]:
                    if value is ...:
                        del held[column]
                    else:
                        held[column] = value
                    break
                yield f"{column}={value!r}", msgspec.json.encode(spoiled)


def _places(answer: dict[str, Any], items: str) -> list[list[dict[str, Any]]]:
    """The rows of the orders, and those of the first one's lines."""
    rows = answer["value"]
    lines = rows[0][items]
    return [rows, lines if isinstance(lines, list) else lines["results"]]


@pytest.mark.parametrize("columns", COLUMNS)
def test_one_odd_value_anywhere_is_read_as_rows_are_or_left_to_them(columns: OrderColumns) -> None:
    read = Plans(columns).reading(_PLANNED, columns.header(_PLANNED, ("SalesOrderDate",)), OWNERS)
    assert read
    answer = _documented(columns, _PLANNED, 2)
    outcomes = set()
    for place, body in _spoiled(answer, columns.dialect.items):
        by_rows = None
        with suppress(ValueError, ArithmeticError):
            by_rows = _by_rows(columns, _PLANNED, body)
        # Twice: what was worked out of a value is kept for the next.
        for planned in (read(body), read(body)):
            outcomes.add((planned is None, by_rows is None))
            if planned is not None:
                assert repr(planned.made) == repr(by_rows), place
    assert outcomes == {(False, False), (True, False), (True, True)}


@pytest.mark.parametrize("columns", COLUMNS)
def test_lines_stand_in_order_of_position_and_equal_ones_as_they_came(
    columns: OrderColumns,
) -> None:
    wanted = frozenset({"lines", "lines.product"})
    read = Plans(columns).reading(wanted, columns.header(wanted), OWNERS)
    assert read
    answer = _documented(columns, wanted)
    lines = _places(answer, columns.dialect.items)[1]
    came = ["10", "000100", "20", "10", "9", " 20 ", "000010"]
    material, text = columns.dialect.product, "SalesOrderItemText"
    lines[:] = [
        {"SalesOrderItem": position, material: "00042", text: f"{place % 2} of 2"}
        for place, position in enumerate(came)
    ]
    body = msgspec.json.encode(answer)
    planned = read(body)
    assert planned
    order: Order = planned.made[0]  # type: ignore[index]  # it is planned
    found = order.lines
    assert [line.position for line in found] == ["9", "10", "10", "10", "20", "20", "100"]
    assert {line.product.code for line in found} == {"42"}
    assert [line.product.name[0] for line in found] == ["0", "0", "1", "0", "0", "1", "1"]
    assert found == _by_rows(columns, wanted, body)[0].lines


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


def test_a_status_told_by_a_column_of_another_use_is_left_to_rows() -> None:
    rule = {"status": "BLOCKED", "when": {"PurchaseOrderByCustomer": ["*"]}}
    columns = _columns(status_rules=[rule])
    wanted = frozenset({"status", "customer_reference"})
    assert Plans(columns).reading(wanted, columns.header(wanted), OWNERS) is None


def test_products_are_kept_in_a_bounded_number_and_without_the_answer_they_were_in() -> None:
    products = _Products()
    body = msgspec.json.encode(["Steel", "x" * 200, None, 7])
    before = sys.getrefcount(body)
    steel, long, none, number = msgspec.json.decode(body, type=list[msgspec.Raw])
    assert products["1"] == (None, None)
    assert products.made("0001", steel).code == "1"
    assert products.made("2", none).name == "2"
    assert products.made("3", long).name == "x" * 200
    with pytest.raises(ValueError, match=r"Expected `str \| null`"):
        products.made("4", number)
    assert [*products] == ["0001", "2"]
    assert products["0001"][0] == steel
    for code in range(5_000):
        products.made(str(code), steel)
    assert len(products) < 5_000
    del steel, long, none, number
    assert sys.getrefcount(body) == before
