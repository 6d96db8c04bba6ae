"""Pages of orders are the pages of the whole list, in either version and every direction."""

from dataclasses import replace
from datetime import date
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.port.pages import Keyset, Page, Slice, slice_sorted
from connectors.port.queries import OrderQuery, OrderSort
from connectors.port.records import Order
from tests.connectors.sap.fake import ORDERS_V2, FakeSap, order
from tests.connectors.sap.opened import BOTH, EVERYTHING, opened, query

ROWS = [
    order(
        str(4500000 + n * 37 % 23),
        "17100001" if n % 3 else "17100002",
        SalesOrderDate=date(2026, 1, 1 + n % 4),
    )
    for n in range(23)
]


def place(found: Order, sort: OrderSort) -> Keyset:
    return Keyset(found.number if sort is OrderSort.NUMBER else found.ordered_on, found.id)


async def ask(asked: OrderQuery, **raw: Any) -> tuple[Page[Order], list[str], FakeSap]:
    fake = FakeSap(tables={(ORDERS_V2, "A_SalesOrder"): ROWS}, page=raw.pop("page", None))
    async with opened(fake, **raw) as erp:
        page = await erp.orders.find_orders(asked)
        return page, [call.operation for call in erp.calls], fake


@settings(max_examples=60)
@given(data=st.data())
def test_any_slice_is_the_same_as_of_the_whole_list(data: st.DataObject) -> None:
    sort, descending = data.draw(st.sampled_from(OrderSort)), data.draw(st.booleans())
    fields = frozenset({"number", "ordered_on"})
    base = query(BOTH, 100, sort=sort, descending=descending, fields=fields)
    whole = list(anyio.run(lambda: ask(base))[0].items)
    keys = st.none() | st.sampled_from([place(found, sort) for found in whole])
    part = Slice(
        data.draw(st.integers(1, 30)), data.draw(keys), data.draw(keys), data.draw(st.booleans())
    )
    raw = {
        "sales_orders": data.draw(st.sampled_from(["v2", "v4"])),
        "url_limit_bytes": data.draw(st.sampled_from([8000, 1000])),
        "page": data.draw(st.sampled_from([None, 4])),
    }
    page, *_ = anyio.run(lambda: ask(replace(base, part=part, with_total=True), **raw))
    expected = slice_sorted(
        whole, part, lambda found: place(found, sort), descending=descending, with_total=True
    )
    assert list(page.items) == list(expected.items)
    assert (page.has_next, page.has_previous) == (expected.has_next, expected.has_previous)
    assert page.total == 23


@pytest.mark.anyio
@pytest.mark.parametrize(("version", "option"), [("v2", "$inlinecount"), ("v4", "$count")])
async def test_a_total_costs_a_call_only_on_a_later_page(version: str, option: str) -> None:
    _, calls, fake = await ask(query(BOTH, 5), sales_orders=version)
    assert calls == ["find_orders"]
    assert option not in fake.options()

    page, calls, fake = await ask(query(BOTH, 5, with_total=True), sales_orders=version)
    assert calls == ["find_orders"]
    assert fake.options()[option] == ("allpages" if version == "v2" else "true")
    assert page.total == 23

    later = query(BOTH, with_total=True, part=Slice(5, after=Keyset(date(2026, 1, 3), "4500005")))
    page, calls, fake = await ask(later, sales_orders=version)
    assert sorted(calls) == ["find_orders", "find_orders.count"]
    assert page.total == 23
    counted = next(i for i, r in enumerate(fake.asked) if r.url.path.endswith("/$count"))
    assert set(fake.options(counted)) == {"$filter"}
    assert "SalesOrderDate" not in fake.options(counted)["$filter"]
    assert option not in fake.options(1 - counted)


@pytest.mark.anyio
async def test_a_place_is_a_day_and_a_number() -> None:
    part = Slice(5, after=Keyset(date(2026, 1, 3), "4500005"))
    _, _, fake = await ask(query(BOTH, part=part))
    assert fake.options()["$filter"].endswith(
        "and (SalesOrderDate lt datetime'2026-01-03T00:00:00' or "
        "(SalesOrderDate eq datetime'2026-01-03T00:00:00' and SalesOrder lt '4500005'))"
    )
    _, _, fake = await ask(query(BOTH, part=part), sales_orders="v4")
    assert fake.options()["$filter"].endswith(
        "and (SalesOrderDate lt 2026-01-03 or "
        "(SalesOrderDate eq 2026-01-03 and SalesOrder lt '4500005'))"
    )


@pytest.mark.anyio
async def test_both_versions_tell_the_same_records() -> None:
    fields = EVERYTHING - {"ship_to"}
    v2, *_ = await ask(query(BOTH, 100, fields=fields))
    v4, _, fake = await ask(query(BOTH, 100, fields=fields), sales_orders="v4")
    assert list(v2.items) == list(v4.items)
    assert len(v4.items) == 23
    assert fake.asked[0].url.path.endswith("/salesorder/0001/SalesOrder")
    assert fake.options()["$expand"] == (
        "_Item($select=SalesOrderItem,Product,SalesOrderItemText,RequestedQuantity,"
        "RequestedQuantitySAPUnit,NetAmount,TransactionCurrency,TaxAmount,SalesDocumentRjcnReason;"
        "$expand=_ScheduleLine($select=DeliveredQtyInOrderQtyUnit))"
    )


@pytest.mark.anyio
async def test_the_servers_own_pages_are_put_together() -> None:
    page, calls, _ = await ask(query(BOTH, 20), page=8)
    assert len(page.items) == 20
    assert page.has_next
    assert calls == ["find_orders"] * 3
