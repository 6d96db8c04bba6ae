"""Orders: what is asked of Tryton, how often, and what its answers become."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.port.errors import Rejected, Unreadable
from connectors.port.fields import NOT_FETCHED
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import OrderQuery, OrderSort
from connectors.port.records import (
    AccountRef,
    Address,
    CreditPosition,
    Delivery,
    DeliveryStatus,
    Invoice,
    Money,
    OrderLine,
    OrderStatus,
    Product,
)
from connectors.port.scope import Scope
from tests.connectors.tryton.fake_tryton import Opener, amount, day, numbered, sale

pytestmark = pytest.mark.anyio

ONE, TWO = AccountRef("a", "100", "CO"), AccountRef("b", "200", "PE")
SCOPE = Scope([ONE, TWO])
VISIBLE = [
    ["party.code", "in", ["100", "200"]],
    ["number", "!=", None],
    ["sale_date", "!=", None],
]
CURRENCY = {"id": 1, "code": "COP"}


def query(**more: Any) -> OrderQuery:
    given = {"scope": SCOPE, "fields": frozenset({"number"}), "part": Slice(2), **more}
    return OrderQuery(**given)


async def test_a_list_is_one_call_for_what_is_selected(opened: Opener) -> None:
    tryton = await opened([])
    fields = frozenset({"number", "lines.quantity", "lines.product", "deliveries.status"})
    page = await tryton.orders.find_orders(query(fields=fields | {"total"}, part=Slice(100)))
    asked = tryton.only
    assert (asked.method, asked.path) == ("GET", "/sale.sale")
    assert asked.domain == VISIBLE
    assert asked.fields == [
        "currency.code",
        "id",
        "line_lines.description",
        "line_lines.product.code",
        "line_lines.product.name",
        "line_lines.quantity",
        "line_lines.sequence",
        "number",
        "party.code",
        "shipments.number",
        "shipments.state",
        "total_amount",
    ]
    assert asked.order == [["sale_date", "DESC"], ["id", "DESC"]]
    assert asked.limit == 101
    assert asked.headers["authorization"] == "Bearer a-secret-key"
    assert asked.context == {"language": "en"}
    assert page.total is None


async def test_every_condition_becomes_a_clause(opened: Opener) -> None:
    tryton = await opened([], company=3)
    await tryton.orders.find_orders(
        query(
            search="7_0",
            number="070",
            customer_reference="50%",
            ordered_from=date(2026, 1, 2),
            ordered_to=date(2026, 3, 4),
            statuses=(OrderStatus.DRAFT,),
            part=Slice(5, after=Keyset(date(2026, 2, 3), "9")),
        )
    )
    assert tryton.only.context == {"language": "en", "company": 3}
    assert tryton.only.domain == [
        ["party.code", "in", ["100", "200"]],
        ["company", "=", 3],
        ["number", "!=", None],
        ["sale_date", "!=", None],
        ["OR", ["number", "ilike", "%7\\_0%"], ["reference", "ilike", "%7\\_0%"]],
        ["number", "in", ["070", "70"]],
        ["reference", "ilike", "%50\\%%"],
        ["sale_date", ">=", day(2026, 1, 2)],
        ["sale_date", "<=", day(2026, 3, 4)],
        ["OR", [["state", "in", ["draft"]]]],
        [
            "OR",
            ["sale_date", "<", day(2026, 2, 3)],
            [["sale_date", "=", day(2026, 2, 3)], ["id", "<", 9]],
        ],
    ]


async def test_numbers_are_ordered_by_length_first(opened: Opener) -> None:
    tryton = await opened([])
    part = Slice(5, before=Keyset("99", "4"), backward=True)
    await tryton.orders.find_orders(query(sort=OrderSort.NUMBER, descending=False, part=part))
    assert tryton.only.order == [["number", "DESC"], ["id", "DESC"]]
    assert tryton.only.domain[-1] == [
        "OR",
        ["number", "not like", "__%"],
        [["number", "like", "__"], ["number", "<", "99"]],
        [["number", "=", "99"], ["id", "<", 4]],
    ]


async def test_another_date_may_be_the_orders_day(opened: Opener) -> None:
    row = sale(number="1", quotation_date=day(2026, 5, 6))
    tryton = await opened([row], dated_by="quotation_date")
    page = await tryton.orders.find_orders(query(fields=frozenset({"ordered_on"})))
    assert page.items[0].ordered_on == date(2026, 5, 6)
    assert tryton.only.order[0] == ["quotation_date", "DESC"]
    assert "quotation_date" in tryton.only.fields


async def test_a_page_has_one_row_more_to_know_what_follows(opened: Opener) -> None:
    tryton = await opened(numbered([3, 2, 1]))
    page = await tryton.orders.find_orders(query())
    assert [order.number for order in page.items] == ["3", "2"]
    assert (page.has_next, page.has_previous) == (True, False)
    assert tryton.only.limit == 3


async def test_a_total_is_one_call_more_over_the_whole_list(opened: Opener) -> None:
    tryton = await opened(numbered([1]), 41)
    part = Slice(2, after=Keyset(date(2026, 1, 1), "9"))
    page = await tryton.orders.find_orders(query(part=part, with_total=True))
    assert page.total == 41
    search, count = tryton.asked
    assert (count.method, count.path) == ("POST", "/sale.sale/search_count")
    assert count.domain == VISIBLE
    assert search.domain[:-1] == VISIBLE


@pytest.mark.parametrize("empty", [{"scope": Scope()}, {"statuses": ()}])
async def test_what_can_find_nothing_is_not_asked(opened: Opener, empty: dict[str, Any]) -> None:
    tryton = await opened()
    assert await tryton.orders.find_orders(query(**empty)) == Page([])
    assert (await tryton.orders.find_orders(query(**empty, with_total=True))).total == 0
    assert tryton.asked == []


async def test_an_account_without_a_number_has_no_orders(opened: Opener) -> None:
    tryton = await opened()
    nameless = Scope([AccountRef("a")])
    assert (await tryton.orders.find_orders(query(scope=nameless))).items == []
    assert await tryton.orders.orders_by_id(["1"], frozenset(), nameless) == [None]
    assert tryton.asked == []


async def test_a_foreign_row_is_dropped(opened: Opener) -> None:
    """Whatever the system answers, the scope decides."""
    tryton = await opened(
        [sale(3, "999", number="3", line_lines=[]), sale(2, number="2", line_lines=[])]
    )
    page = await tryton.orders.find_orders(query())
    assert [(order.id, order.owner) for order in page.items] == [("2", ONE)]
    assert await tryton.orders.orders_by_id(["3"], frozenset(), SCOPE) == [None]
    assert await tryton.orders.orders_by_number(["3"], frozenset(), SCOPE) == [None]
    parts = await tryton.orders.lines_by_order(["3"], frozenset(), SCOPE)
    assert parts == [[]]


async def test_many_ids_are_few_calls_answered_in_order(opened: Opener) -> None:
    tryton = await opened(numbered(range(1, 101)), numbered(range(101, 151)))
    ids = [str(key) for key in range(150, 0, -1)]
    asked = ["x", *ids, ids[0], "0", "151"]
    found = await tryton.orders.orders_by_id(asked, frozenset({"number"}), SCOPE)
    assert [order.id if order else None for order in found] == [None, *ids, ids[0], None, None]
    assert [len(one.domain[0][2]) for one in tryton.asked] == [100, 51]
    assert tryton.asked[0].domain[1:] == VISIBLE


async def test_numbers_are_found_as_people_write_them(opened: Opener) -> None:
    rows = [sale(1, number="25"), sale(2, number="0030"), sale(3, number="A7")]
    tryton = await opened(rows, number_digits=4)
    found = await tryton.orders.orders_by_number(["00025", "30", "A7", "000"], frozenset(), SCOPE)
    assert [order.id if order else None for order in found] == ["1", "2", "3", None]
    (spelled,) = [clause[2] for clause in tryton.only.domain if clause[1] == "in"][:1]
    assert spelled == ["00025", "25", "0025", "30", "0030", "A7", "00A7", "000", "0000"]
    assert all(order.number is NOT_FETCHED for order in found if order)


async def test_an_order_in_full(opened: Opener) -> None:
    address = {
        "id": 4,
        "street": "Calle 1\n  Piso 2 \n\nTorre B",
        "city": "Bogotá",
        "postal_code": None,
        "country": {"id": 1, "code": "co"},
        "subdivision": {"id": 2, "name": "Cundinamarca"},
    }
    lines = [
        {
            "id": 11,
            "sequence": 20,
            "product": None,
            "description": " Flete \n",
            "quantity": 0.1,
            "unit": None,
            "unit_price": amount("10.5000"),
            "amount": amount("1.05"),
            "moves": [],
        },
        {
            "id": 12,
            "sequence": 10,
            "product": {"id": 1, "code": "P-1", "name": "Placa"},
            "description": "Placa especial",
            "quantity": 4.0,
            "unit": {"id": 1, "symbol": "u"},
            "unit_price": None,
            "amount": amount("42.00"),
            "moves": [
                {"id": 1, "state": "done", "quantity": 2.5},
                {"id": 2, "state": "draft", "quantity": 1.5},
            ],
        },
    ]
    shipments = [
        {
            "id": 1,
            "number": "S1",
            "state": "packed",
            "planned_date": day(2026, 2, 1),
            "effective_date": None,
        },
        {"id": 2, "number": "S2", "state": "cancelled", "planned_date": None},
        {"id": 3, "number": None, "state": "draft", "planned_date": None},
    ]
    invoice = {
        "state": "posted",
        "invoice_date": day(2026, 3, 1),
        "total_amount": amount("43.05"),
        "amount_to_pay": amount("3.05"),
        "currency": CURRENCY,
        "lines_to_pay": [
            {"id": 1, "maturity_date": day(2026, 4, 30)},
            {"id": 2, "maturity_date": day(2026, 3, 31)},
            {"id": 3, "maturity_date": None},
        ],
    }
    invoices = [
        {"id": 1, "number": "F1", **invoice},
        {"id": 2, "number": "F2", **invoice, "state": "cancelled"},
        {"id": 3, "number": None, **invoice, "state": "draft"},
        {"id": 4, "number": "F4", **invoice, "invoice_date": None},
    ]
    row = sale(
        number="25",
        reference="",
        state="processing",
        shipment_state="partially shipped",
        invoice_state="none",
        sale_date=day(2026, 1, 31),
        shipping_date=None,
        shipment_address=address,
        currency=CURRENCY,
        untaxed_amount=amount("43.05"),
        tax_amount=amount("0"),
        total_amount=amount("43.05"),
        line_lines=lines,
        shipments=shipments,
        invoices=invoices,
    )
    tryton = await opened([row])
    fields = frozenset(
        {
            *("number", "customer_reference", "status", "ordered_on", "requested_delivery_on"),
            *("ship_to", "subtotal", "freight", "tax", "total"),
            *("lines.product", "lines.quantity", "lines.unit", "lines.unit_price", "lines.total"),
            *("lines.delivered_quantity", "deliveries.status", "deliveries.planned_on"),
            *("deliveries.shipped_on", "deliveries.carrier", "deliveries.tracking_url"),
            *("invoices.issued_on", "invoices.due_on", "invoices.total", "invoices.outstanding"),
        }
    )
    (order,) = await tryton.orders.orders_by_id(["7"], fields, SCOPE)
    assert order is not None
    money = Money(Decimal("43.05"), "COP")
    assert (order.id, order.owner, order.number) == ("7", ONE, "25")
    assert (order.customer_reference, order.status) == (None, OrderStatus.IN_DELIVERY)
    assert (order.ordered_on, order.requested_delivery_on) == (date(2026, 1, 31), None)
    assert order.ship_to == Address(
        "Calle 1", "Piso 2, Torre B", "Bogotá", "Cundinamarca", None, "CO"
    )
    assert (order.subtotal, order.freight, order.total) == (money, None, money)
    assert order.lines == [
        OrderLine(
            "10",
            Product("P-1", "Placa"),
            Decimal(4),
            "u",
            None,
            Money(Decimal("42.00"), "COP"),
            Decimal("2.5"),
        ),
        OrderLine(
            "20",
            Product("", "Flete"),
            Decimal("0.1"),
            "",
            Money(Decimal("10.5000"), "COP"),
            Money(Decimal("1.05"), "COP"),
            Decimal(0),
        ),
    ]
    assert order.deliveries == [
        Delivery("S1", DeliveryStatus.PICKED, date(2026, 2, 1), None, None, None)
    ]
    assert order.invoices == [
        Invoice("F1", date(2026, 3, 1), date(2026, 3, 31), money, Money(Decimal("3.05"), "COP"))
    ]


async def test_lines_without_a_whole_sequence_are_counted(opened: Opener) -> None:
    for sequences in ([None, 5], [5, 5]):
        rows = [{"id": key, "sequence": place} for key, place in enumerate(sequences)]
        tryton = await opened([sale(line_lines=rows)])
        (lines,) = await tryton.orders.lines_by_order(["7"], frozenset(), SCOPE)
        assert [line.position for line in lines] == ["1", "2"]
        assert lines[0].quantity is NOT_FETCHED


async def test_a_returned_line_counts_what_came_back(opened: Opener) -> None:
    line = {
        "id": 1,
        "sequence": 1,
        "quantity": -3.0,
        "moves": [{"id": 1, "state": "done", "quantity": 2.0}],
    }
    tryton = await opened([sale(line_lines=[line])])
    fields = frozenset({"delivered_quantity"})
    ((found,),) = await tryton.orders.lines_by_order(["7"], fields, SCOPE)
    assert found.delivered_quantity == Decimal(-2)


async def test_shipping_addresses_are_those_for_deliveries(opened: Opener) -> None:
    place = {"id": 1, "city": None, "postal_code": None, "country": None, "subdivision": None}
    addresses = [
        {**place, "street": "Calle 1", "delivery": 0},
        {**place, "street": "Calle 2", "delivery": 1},
        {**place, "street": "Calle 3", "delivery": True},
    ]
    tryton = await opened([{"id": 1, "code": "100", "addresses": addresses}])
    stranger = AccountRef("c", "300")
    found = await tryton.orders.shipping_addresses_by_account([stranger, ONE, TWO], SCOPE)
    assert found == [
        None,
        [Address("Calle 2"), Address("Calle 3")],
        None,
    ]
    assert (tryton.only.path, tryton.only.domain) == (
        "/party.party",
        [["code", "in", ["100", "200"]]],
    )


async def test_credit_is_not_tryton_s(opened: Opener) -> None:
    tryton = await opened()
    nothing: list[CreditPosition | None] = [None, None]
    assert await tryton.orders.credit_by_account([ONE, TWO], SCOPE) == nothing
    assert tryton.asked == []


async def test_a_long_question_travels_in_a_body_and_is_answered_alike(opened: Opener) -> None:
    row = {"id": 7, "number": "1", "party.": {"id": 1, "code": "100"}, "currency.": CURRENCY}
    line = {"id": 1, "sequence": 1, "amount": amount("2"), "product.": None}
    tryton = await opened([{**row, "line_lines.": [line]}])
    scope = Scope([ONE, *(AccountRef(f"x{place}", f"77{place:06}") for place in range(700))])
    fields = frozenset({"number", "lines.total"})
    page = await tryton.orders.find_orders(query(scope=scope, fields=fields))
    asked = tryton.only
    assert (asked.method, asked.path) == ("POST", "/sale.sale/search_read")
    assert len(asked.domain[0][2]) == 701
    assert "line_lines.amount" in asked.fields
    assert (asked.order, asked.limit) == ([["sale_date", "DESC"], ["id", "DESC"]], 3)
    (order,) = page.items
    assert order.lines[0].total == Money(Decimal(2), "COP")


@pytest.mark.parametrize(
    "mark", [Keyset("x", "1"), Keyset(date(2026, 1, 1), "x"), Keyset(date(2026, 1, 1), "")]
)
async def test_a_cursor_of_another_list_is_rejected(opened: Opener, mark: Keyset) -> None:
    tryton = await opened()
    with pytest.raises(Rejected, match="cursor"):
        await tryton.orders.find_orders(query(part=Slice(5, after=mark)))
    assert tryton.asked == []


async def test_what_the_key_may_not_read_is_named(opened: Opener) -> None:
    row = numbered([1])[0]
    tryton = await opened([{**row, "currency": CURRENCY}])
    with pytest.raises(Unreadable, match="total_amount"):
        await tryton.orders.find_orders(query(fields=frozenset({"total"})))


@pytest.mark.parametrize(
    "wrong", [{"sale_date": "2026-01-01"}, {"sale_date": day(2026, 13, 1)}, {"party": 5}]
)
async def test_a_row_of_another_shape_is_unreadable(opened: Opener, wrong: dict[str, Any]) -> None:
    tryton = await opened([{**numbered([1])[0], **wrong}])
    with pytest.raises(Unreadable, match="another shape"):
        await tryton.orders.find_orders(query(fields=frozenset({"ordered_on"})))


async def test_a_number_that_is_none_is_unreadable(opened: Opener) -> None:
    tryton = await opened([sale(number=["70"])])
    with pytest.raises(Unreadable, match="another shape"):
        await tryton.orders.orders_by_number(["70"], frozenset(), SCOPE)
