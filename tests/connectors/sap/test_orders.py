"""Orders over the wire: which calls, which columns, whose rows."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.port.fields import NOT_FETCHED
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import OrderSort
from connectors.port.records import Address, Money, Order, OrderLine, OrderStatus, Product
from connectors.port.scope import AccountRef, Scope
from tests.connectors.sap.fake import ORDERS_V2, PARTNERS, FakeSap, item, order
from tests.connectors.sap.opened import ANDINA, BOTH, EVERYTHING, ONE, PACIFICO, opened, query

pytestmark = pytest.mark.anyio

OWNED = "(SoldToParty eq '17100001' or SoldToParty eq '17100002')"


def sap(*rows: dict[str, object], **more: object) -> FakeSap:
    return FakeSap(tables={(ORDERS_V2, "A_SalesOrder"): list(rows)}, **more)  # type: ignore[arg-type]  # passed on


async def test_a_hundred_orders_with_lines_are_one_call() -> None:
    fake = sap(*(order(str(4500000 + n)) for n in range(120)))
    async with opened(fake) as erp:
        page = await erp.orders.find_orders(query(limit=100, fields=EVERYTHING))
    assert len(page.items) == 100
    assert all(len(found.lines) == 1 for found in page.items)
    assert page.has_next
    assert [call.operation for call in erp.calls] == ["find_orders"]


async def test_only_what_is_wanted_is_selected() -> None:
    fake = sap(order("4500001"))
    async with opened(fake) as erp:
        await erp.orders.find_orders(query(fields={"number"}))
    assert fake.options() == {
        "$select": "SalesOrder,SoldToParty,SalesOrderDate",
        "$filter": OWNED[1:-1],
        "$orderby": "SalesOrderDate desc,SalesOrder desc",
        "$top": "26",
    }


@pytest.mark.parametrize(
    ("fields", "select", "expand"),
    [
        ({"customer_reference"}, "PurchaseOrderByCustomer", None),
        ({"ordered_on"}, "SalesOrderDate", None),
        ({"requested_delivery_on"}, "RequestedDeliveryDate", None),
        ({"subtotal"}, "TotalNetAmount,TransactionCurrency", None),
        ({"freight"}, None, None),
        (
            {"tax"},
            "TransactionCurrency,to_Item/TaxAmount,to_Item/SalesDocumentRjcnReason",
            "to_Item",
        ),
        (
            {"total"},
            "TotalNetAmount,TransactionCurrency,to_Item/TaxAmount,to_Item/SalesDocumentRjcnReason",
            "to_Item",
        ),
        (
            {"lines", "lines.product", "lines.quantity"},
            (
                "to_Item/SalesOrderItem,to_Item/Material,to_Item/SalesOrderItemText,"
                "to_Item/RequestedQuantity"
            ),
            "to_Item",
        ),
        (
            {"lines", "lines.delivered_quantity"},
            "to_Item/SalesOrderItem,to_Item/to_ScheduleLine/DeliveredQtyInOrderQtyUnit",
            "to_Item/to_ScheduleLine",
        ),
        (
            {"status"},
            (
                "OverallSDDocumentRejectionSts,TotalBlockStatus,DeliveryBlockReason,"
                "HeaderBillingBlockReason,OverallOrdReltdBillgStatus,OverallTotalDeliveryStatus,"
                "OverallSDProcessStatus"
            ),
            None,
        ),
    ],
)
async def test_each_attribute_selects_its_own_columns(
    fields: set[str], select: str | None, expand: str | None
) -> None:
    fake = sap(order("4500001"))
    async with opened(fake) as erp:
        await erp.orders.orders_by_id(["4500001"], frozenset(fields), BOTH)
    assert fake.options()["$select"] == ",".join(filter(None, ("SalesOrder,SoldToParty", select)))
    assert fake.options().get("$expand") == expand


async def test_an_order_is_told_whole() -> None:
    lines = [
        item(20, Material="000000000000000042", NetAmount=Decimal("10.000"), TaxAmount=Decimal(0)),
        item(10),
        item(30, SalesDocumentRjcnReason="01"),
    ]
    fake = sap(order("4500001", to_Item=lines, OverallSDProcessStatus="B"))
    async with opened(fake, units={"ST": "PC"}) as erp:
        (found,) = await erp.orders.orders_by_id(["4500001"], EVERYTHING, BOTH)

    def pen(amount: str) -> Money:
        return Money(Decimal(amount), "PEN")

    def line(position: str, product: Product, price: str, total: str) -> OrderLine:
        return OrderLine(position, product, Decimal(4), "PC", pen(price), pen(total), Decimal(3))

    board = Product("PLA-ST-12", "Placa estándar 12,7 mm")
    assert found == Order(
        id="4500001",
        owner=ANDINA,
        number="4500001",
        customer_reference="OC-2026-0117",
        status=OrderStatus.CONFIRMED,
        ordered_on=date(2026, 3, 1),
        requested_delivery_on=date(2026, 3, 10),
        ship_to=Address(
            "Av. Javier Prado Este 4200", "Puerta 3, Surco", "Lima", "15", "15023", "PE"
        ),
        subtotal=pen("100.00"),
        freight=None,
        tax=pen("18.00"),
        total=pen("118.00"),
        lines=(
            line("10", board, "25.0000", "100.00"),
            line("20", Product("42", board.name), "2.5000", "10.00"),
            line("30", board, "25.0000", "100.00"),
        ),
    )
    assert [call.operation for call in erp.calls] == ["orders_by_id"]


async def test_what_was_not_asked_for_is_not_there() -> None:
    async with opened(sap(order("4500001"))) as erp:
        (found,) = await erp.orders.orders_by_id(["4500001"], frozenset({"tax"}), BOTH)
    assert found is not None
    assert found.tax == Money(Decimal("18.00"), "PEN")
    for name in ("status", "total", "subtotal", "lines", "ship_to", "deliveries", "invoices"):
        assert getattr(found, name) is NOT_FETCHED, name


async def test_deliveries_and_invoices_are_left_to_their_own_questions() -> None:
    async with opened(sap(order("4500001"))) as erp:
        fields = frozenset({"deliveries", "deliveries.number", "invoices", "number"})
        page = await erp.orders.find_orders(query(fields=fields))
    assert page.items[0].deliveries is NOT_FETCHED
    assert page.items[0].invoices is NOT_FETCHED
    assert len(erp.calls) == 1


async def test_net_prices_need_no_lines() -> None:
    fake = sap(order("4500001"))
    async with opened(fake, prices="net") as erp:
        (found,) = await erp.orders.orders_by_id(["4500001"], frozenset({"total"}), BOTH)
    assert found is not None
    assert found.total == Money(Decimal("100.00"), "PEN")
    assert "$expand" not in fake.options()


async def test_the_tax_of_rejected_items_counts_where_the_settings_say_so() -> None:
    rejected = item(20, SalesDocumentRjcnReason="01")
    fake = sap(order("4500001", to_Item=[item(10), rejected]))
    async with opened(fake, tax_of_rejected_items=True) as erp:
        (found,) = await erp.orders.orders_by_id(["4500001"], frozenset({"tax"}), BOTH)
    assert found is not None
    assert found.tax == Money(Decimal("36.00"), "PEN")
    assert "SalesDocumentRjcnReason" not in fake.options()["$select"]


# ---------------------------------------------------------------------------------------- scope


async def test_a_scope_without_customer_numbers_asks_nothing() -> None:
    fake = sap(order("4500001"))
    async with opened(fake) as erp:
        for scope in (Scope(), Scope([AccountRef("acc-9")]), Scope([AccountRef("x", "a'b")])):
            asked = query(scope, with_total=True)
            assert await erp.orders.find_orders(asked) == Page((), total=0)
            assert await erp.orders.orders_by_id(["4500001"], EVERYTHING, scope) == [None]
            assert await erp.orders.lines_by_order(["4500001"], EVERYTHING, scope) == [[]]
            assert await erp.orders.deliveries_by_order(["4500001"], EVERYTHING, scope) == [[]]
            assert await erp.orders.invoices_by_order(["4500001"], EVERYTHING, scope) == [[]]
    assert fake.asked == []


async def test_a_foreign_row_is_dropped_even_if_the_system_sends_it() -> None:
    async with opened(Careless(order("4500001", "17100009"), order("4500002"))) as erp:
        page = await erp.orders.find_orders(query(ONE))
        by_id = await erp.orders.orders_by_id(["4500001", "4500002"], frozenset(), ONE)
        lines = await erp.orders.lines_by_order(["4500001", "4500002"], frozenset(), ONE)
    assert [found.id for found in page.items] == ["4500002"]
    assert [found and found.id for found in by_id] == [None, "4500002"]
    assert [len(found) for found in lines] == [0, 1]


class Careless(FakeSap):
    """Forgets the condition on the customer, as a service user's view would."""

    def __init__(self, *rows: dict[str, object]) -> None:
        super().__init__(tables={(ORDERS_V2, "A_SalesOrder"): list(rows)})

    def _found(self, root, name, options, v4):  # type: ignore[no-untyped-def]  # as its base
        options = {key: value for key, value in options.items() if key != "$filter"}
        return super()._found(root, name, options, v4)


async def test_customers_are_known_with_and_without_their_zeros() -> None:
    scope = Scope([AccountRef("acc-1", "0017100001")])
    fake = sap(order("4500001"), order("4500002", "0017100001"))
    async with opened(fake) as erp:
        found = await erp.orders.orders_by_id(["4500001"], frozenset(), scope)
        assert fake.options()["$filter"].startswith("SoldToParty eq '17100001' and ")
    assert found[0] is not None
    assert found[0].owner == AccountRef("acc-1", "0017100001")


async def test_keys_are_written_with_zeros_where_the_settings_say_so() -> None:
    fake = sap(order("4500001"))
    async with opened(fake, padded_keys=True) as erp:
        await erp.orders.orders_by_id(["4500001"], frozenset(), ONE)
    expected = "SoldToParty eq '0017100001' and SalesOrder eq '0004500001'"
    assert fake.options()["$filter"] == expected


# ----------------------------------------------------------------------------------------- keys


async def test_malformed_ids_are_unknown_without_a_call() -> None:
    fake = sap(order("4500001"))
    ids = ["", "0", "0000", "4500001'", "1 or 1 eq 1", "12345678901", "é", "A_SalesOrder", "1\n"]
    async with opened(fake) as erp:
        assert await erp.orders.orders_by_id(ids, EVERYTHING, BOTH) == [None] * len(ids)
        assert fake.asked == []
        found = await erp.orders.orders_by_id([*ids, "4500001"], frozenset(), BOTH)
    assert [order and order.id for order in found] == [None] * len(ids) + ["4500001"]
    assert "SalesOrder eq '4500001'" in fake.options()["$filter"]
    assert fake.options()["$filter"].count("SalesOrder eq") == 1


async def test_numbers_are_found_with_or_without_zeros_in_the_order_asked() -> None:
    fake = sap(order("4500001"), order("4500002", "17100002"))
    async with opened(fake) as erp:
        numbers = ["0004500002", "4500009", " 4500001 ", "4500002"]
        found = await erp.orders.orders_by_number(numbers, frozenset({"number"}), BOTH)
    assert [order and order.number for order in found] == ["4500002", None, "4500001", "4500002"]
    assert [order and order.owner for order in found] == [PACIFICO, None, ANDINA, PACIFICO]
    assert fake.options()["$filter"].count("SalesOrder eq") == 3


async def test_fifty_numbers_are_one_call() -> None:
    fake = sap(*(order(str(4500000 + n)) for n in range(50)))
    async with opened(fake) as erp:
        numbers = [str(4500000 + n) for n in range(50)]
        found = await erp.orders.orders_by_number(numbers, EVERYTHING, BOTH)
    assert [order and order.number for order in found] == numbers
    assert len(erp.calls) == 1


async def test_a_long_question_is_split_by_the_bytes_of_its_address() -> None:
    numbers = [str(4500000 + n) for n in range(150)]
    fake = sap(*(order(number) for number in numbers))
    async with opened(fake, url_limit_bytes=1500) as erp:
        found = await erp.orders.orders_by_number(numbers, frozenset({"status"}), BOTH)
    assert [order and order.number for order in found] == numbers
    assert 3 < len(fake.asked) < 12
    assert all(len(str(request.url)) <= 1500 for request in fake.asked)
    asked = [n for request in fake.targets for n in numbers if f"'{n}'" in request]
    assert sorted(asked) == numbers


async def test_many_customers_are_split_too_and_merged_in_order() -> None:
    accounts = [AccountRef(f"acc-{n}", str(17100000 + n)) for n in range(90)]
    rows = [
        order(
            str(4500000 + n * 7 % 90), str(17100000 + n), SalesOrderDate=date(2026, 1, 1 + n % 20)
        )
        for n in range(90)
    ]
    fake = sap(*rows)
    asked = query(Scope(accounts), 10, with_total=True, fields={"number", "ordered_on"})
    async with opened(fake, url_limit_bytes=1500) as erp:
        page = await erp.orders.find_orders(asked)
        by_id = await erp.orders.orders_by_id(["4500003", "4500080"], frozenset(), asked.scope)
    places = [(found.ordered_on, found.id) for found in page.items]
    every = sorted(((row["SalesOrderDate"], row["SalesOrder"]) for row in rows), reverse=True)
    assert places == every[:10]
    assert page.total == 90
    assert page.has_next
    assert [found and found.id for found in by_id] == ["4500003", "4500080"]
    assert all(len(str(request.url)) <= 1500 for request in fake.asked)


# -------------------------------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("more", "condition"),
    [
        ({"number": "0004500001"}, "SalesOrder eq '4500001'"),
        (
            {"customer_reference": "oc-1"},
            (
                "(substringof('oc-1',PurchaseOrderByCustomer) or "
                "substringof('OC-1',PurchaseOrderByCustomer))"
            ),
        ),
        (
            {"search": "O'Brien"},
            (
                "(substringof('O''Brien',PurchaseOrderByCustomer) or "
                "substringof('O''BRIEN',PurchaseOrderByCustomer) or "
                "substringof('o''brien',PurchaseOrderByCustomer))"
            ),
        ),
        (
            {"search": "450"},
            "(substringof('450',SalesOrder) or substringof('450',PurchaseOrderByCustomer))",
        ),
        (
            {"search": "0004500001"},
            (
                "(substringof('0004500001',SalesOrder) or SalesOrder eq '4500001' or "
                "substringof('0004500001',PurchaseOrderByCustomer))"
            ),
        ),
        (
            {"ordered_from": date(2026, 1, 1), "ordered_to": date(2026, 1, 31)},
            (
                "SalesOrderDate ge datetime'2026-01-01T00:00:00' and "
                "SalesOrderDate le datetime'2026-01-31T00:00:00'"
            ),
        ),
        (
            {"statuses": (OrderStatus.CANCELLED,)},
            "OverallSDDocumentRejectionSts eq 'C'",
        ),
        ({"search": "  "}, None),
    ],
)
async def test_each_filter_becomes_a_condition(more: dict[str, Any], condition: str | None) -> None:
    fake = sap(order("4500001"))
    async with opened(fake) as erp:
        await erp.orders.find_orders(query(ONE, **more))
    expected = "SoldToParty eq '17100001'"
    assert fake.options()["$filter"] == (f"{expected} and {condition}" if condition else expected)


@pytest.mark.parametrize(
    "more",
    [
        {"number": "no such'"},
        {"number": ""},
        {"customer_reference": "x" * 36},
        {"search": "x" * 36},
        {"statuses": (OrderStatus.DRAFT,)},
        {"statuses": ()},
        {"part": Slice(5, after=Keyset("not a day", "4500001"))},
        {"part": Slice(5, before=Keyset(date(2026, 1, 1), "'"))},
        {"part": Slice(5, after=Keyset("'", "4500001")), "sort": OrderSort.NUMBER},
    ],
)
async def test_what_no_order_can_meet_is_not_asked(more: dict[str, Any]) -> None:
    fake = sap(order("4500001"))
    async with opened(fake) as erp:
        page = await erp.orders.find_orders(query(ONE, with_total=True, **more))
    assert list(page.items) == []
    assert page.total == 0
    assert fake.asked == []


async def test_capital_letters_are_left_to_sap_where_it_can() -> None:
    fake = sap(order("4500001", PurchaseOrderByCustomer="Oc-Mixed"))
    async with opened(fake, case_insensitive_search=True) as erp:
        page = await erp.orders.find_orders(query(ONE, customer_reference="oC-mIX"))
    assert len(page.items) == 1
    assert "substringof('OC-MIX',toupper(PurchaseOrderByCustomer))" in fake.options()["$filter"]


async def test_the_number_is_searched_exactly_where_sap_converts_what_it_is_given() -> None:
    fake = sap(order("4500001"))
    async with opened(fake, search_in_number="exact") as erp:
        page = await erp.orders.find_orders(query(ONE, search="04500001"))
    assert len(page.items) == 1
    assert "(SalesOrder eq '4500001' or " in fake.options()["$filter"]


async def test_statuses_find_what_they_are_told_as() -> None:
    rows = [
        order("4500001", OverallSDProcessStatus="B", OverallTotalDeliveryStatus="B"),
        order("4500002", OverallSDDocumentRejectionSts="C", DeliveryBlockReason="01"),
        order("4500003", DeliveryBlockReason="01"),
        order("4500004"),
    ]
    async with opened(sap(*rows)) as erp:
        wanted = (OrderStatus.BLOCKED, OrderStatus.IN_DELIVERY)
        page = await erp.orders.find_orders(query(ONE, statuses=wanted, fields={"status"}))
    assert {(found.id, found.status) for found in page.items} == {
        ("4500001", OrderStatus.IN_DELIVERY),
        ("4500003", OrderStatus.BLOCKED),
    }


# -------------------------------------------------------------------------------------- ship-to


async def test_a_ship_to_address_comes_with_the_order() -> None:
    fake = sap(order("4500001"))
    async with opened(fake) as erp:
        (found,) = await erp.orders.orders_by_id(["4500001"], frozenset({"ship_to"}), BOTH)
    assert found is not None
    assert found.ship_to is not None
    assert found.ship_to.city == "Lima"
    assert fake.options()["$expand"] == "to_Partner/to_Address"
    assert len(fake.asked) == 1


async def test_an_order_without_a_ship_to_partner_has_none() -> None:
    async with opened(sap(order("4500001", to_Partner=[]))) as erp:
        (found,) = await erp.orders.orders_by_id(["4500001"], frozenset({"ship_to"}), BOTH)
    assert found is not None
    assert found.ship_to is None


@pytest.mark.parametrize("how", ["v4", "partner", "older"])
async def test_elsewhere_it_is_looked_up_once_for_all_orders(how: str) -> None:
    fake = sap(
        order("4500001"), order("4500002"), lacks={"to_Address"} if how == "older" else set()
    )
    address = {"StreetName": "Calle 1", "HouseNumber": "", "Country": "CO", "CityName": "Bogotá"}
    fake.tables[PARTNERS, "A_BusinessPartner"] = [
        {"Customer": "17100001", "to_BusinessPartnerAddress": [address]}
    ]
    settings: dict[str, Any] = {
        "v4": {"sales_orders": "v4"},
        "partner": {"ship_to": "partner"},
        "older": {},
    }[how]
    async with opened(fake, **settings) as erp:
        page = await erp.orders.find_orders(query(ONE, fields={"ship_to"}))
    assert [found.ship_to for found in page.items] == [
        Address("Calle 1", None, "Bogotá", country="CO")
    ] * 2
    looked_up = [call.operation for call in erp.calls if call.operation.endswith("ship_to")]
    assert looked_up == ["find_orders.ship_to"]
    assert len(erp.calls) == (4 if how == "older" else 2)


async def test_no_address_is_asked_for_where_the_settings_say_so() -> None:
    fake = sap(order("4500001"))
    async with opened(fake, ship_to="none") as erp:
        (found,) = await erp.orders.orders_by_id(["4500001"], frozenset({"ship_to"}), BOTH)
    assert found is not None
    assert found.ship_to is None
    assert "$expand" not in fake.options()
