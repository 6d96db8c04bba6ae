"""Deliveries and invoices of orders: two calls for any number of them, and only the asker's."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.port.records import Delivery, DeliveryStatus, Invoice, Money
from tests.connectors.sap.fake import BILLING, DELIVERIES, FakeSap, Row, always, answer
from tests.connectors.sap.opened import BOTH, ONE, opened

pytestmark = pytest.mark.anyio

DELIVERY_FIELDS = frozenset(
    {"number", "status", "planned_on", "shipped_on", "carrier", "tracking_url"}
)
INVOICE_FIELDS = frozenset({"number", "issued_on", "due_on", "total", "outstanding"})


def delivery(number: str, sold_to: str = "17100001", **more: Any) -> Row:
    return {
        "DeliveryDocument": number,
        "SoldToParty": sold_to,
        "OverallProofOfDeliveryStatus": "",
        "OverallGoodsMovementStatus": "A",
        "OverallPickingStatus": "A",
        "ProofOfDeliveryDate": None,
        "ActualGoodsMovementDate": None,
        "PlannedGoodsIssueDate": date(2026, 3, 5),
        "DeliveryDate": date(2026, 3, 7),
        "MeansOfTransport": "Andes Cargo",
        "BillOfLading": "AC/77 1",
        **more,
    }


def invoice(number: str, sold_to: str = "17100001", **more: Any) -> Row:
    return {
        "BillingDocument": number,
        "SoldToParty": sold_to,
        "SDDocumentCategory": "M",
        "BillingDocumentIsCancelled": False,
        "CancelledBillingDocument": "",
        "BillingDocumentDate": date(2026, 3, 6),
        "TotalNetAmount": Decimal("100000.000"),
        "TaxAmount": Decimal("19000.000"),
        "TotalGrossAmount": Decimal("119000.000"),
        "TransactionCurrency": "CLP",
        "InvoiceClearingStatus": "A",
        **more,
    }


def shipping(items: list[tuple[str, str]], *headers: Row) -> FakeSap:
    rows = [{"DeliveryDocument": n, "ReferenceSDDocument": order} for n, order in items]
    return FakeSap(
        tables={
            (DELIVERIES, "A_OutbDeliveryItem"): rows,
            (DELIVERIES, "A_OutbDeliveryHeader"): list(headers),
        }
    )


def billing(items: list[tuple[str, str]], *headers: Row) -> FakeSap:
    rows = [{"BillingDocument": n, "SalesDocument": order} for n, order in items]
    return FakeSap(
        tables={
            (BILLING, "A_BillingDocumentItem"): rows,
            (BILLING, "A_BillingDocument"): list(headers),
        }
    )


async def test_the_deliveries_of_many_orders_are_two_calls() -> None:
    items = [("80000001", "4500001"), ("80000001", "4500001"), ("80000002", "4500001")]
    items += [("80000002", "4500002")]
    fake = shipping(items, delivery("80000001"), delivery("80000002"))
    orders = ["4500002", "bad'", "0004500001", "4500003"]
    async with opened(fake) as erp:
        found = await erp.orders.deliveries_by_order(orders, frozenset({"number"}), BOTH)
    numbers = [[one.number for one in held] for held in found]
    assert numbers == [["80000002"], [], ["80000001", "80000002"], []]
    assert [fake.options(i) for i in (0, 1)] == [
        {
            "$select": "DeliveryDocument,ReferenceSDDocument",
            "$filter": (
                "ReferenceSDDocument eq '4500002' or ReferenceSDDocument eq '4500001' or "
                "ReferenceSDDocument eq '4500003'"
            ),
        },
        {
            "$select": "DeliveryDocument,SoldToParty",
            "$filter": (
                "(SoldToParty eq '17100001' or SoldToParty eq '17100002') and "
                "(DeliveryDocument eq '80000001' or DeliveryDocument eq '80000002')"
            ),
        },
    ]
    assert len(erp.calls) == 2


@pytest.mark.parametrize(
    ("letters", "status"),
    [
        ({}, DeliveryStatus.PLANNED),
        ({"OverallPickingStatus": "B"}, DeliveryStatus.PLANNED),
        ({"OverallPickingStatus": "C"}, DeliveryStatus.PICKED),
        ({"OverallGoodsMovementStatus": "B"}, DeliveryStatus.PICKED),
        ({"OverallGoodsMovementStatus": "C"}, DeliveryStatus.SHIPPED),
        ({"ActualGoodsMovementDate": date(2026, 3, 6)}, DeliveryStatus.SHIPPED),
        (
            {"OverallGoodsMovementStatus": "C", "OverallProofOfDeliveryStatus": "A"},
            DeliveryStatus.SHIPPED,
        ),
        (
            {"OverallGoodsMovementStatus": "C", "OverallProofOfDeliveryStatus": "C"},
            DeliveryStatus.DELIVERED,
        ),
        ({"ProofOfDeliveryDate": date(2026, 3, 8)}, DeliveryStatus.DELIVERED),
    ],
)
async def test_a_delivery_stands_where_its_letters_say(
    letters: dict[str, Any], status: DeliveryStatus
) -> None:
    fake = shipping([("80000001", "4500001")], delivery("80000001", **letters))
    async with opened(fake) as erp:
        found = await erp.orders.deliveries_by_order(["4500001"], DELIVERY_FIELDS, ONE)
    assert found[0][0].status is status


async def test_a_delivery_is_told_whole() -> None:
    fake = shipping([("80000001", "4500001")], delivery("80000001"))
    async with opened(fake) as erp:
        found = await erp.orders.deliveries_by_order(["4500001"], DELIVERY_FIELDS, ONE)
    planned = Delivery("80000001", DeliveryStatus.PLANNED, date(2026, 3, 5), None, None, None)
    assert found == [[planned]]


async def test_the_settings_say_where_carrier_and_tracking_are() -> None:
    fake = shipping([("80000001", "4500001")], delivery("80000001"))
    names = {
        "planned_on": "DeliveryDate",
        "carrier": "MeansOfTransport",
        "tracking": "BillOfLading",
        "tracking_url": "https://carrier.example/t?n={tracking}",
    }
    async with opened(fake, deliveries=names) as erp:
        ((found,),) = await erp.orders.deliveries_by_order(["4500001"], DELIVERY_FIELDS, ONE)
    assert found.planned_on == date(2026, 3, 7)
    assert found.carrier == "Andes Cargo"
    assert found.tracking_url == "https://carrier.example/t?n=AC%2F77%201"


async def test_a_foreign_orders_documents_are_nobodys() -> None:
    fake = shipping([("80000001", "4500009")], delivery("80000001", "17100009"))
    async with opened(fake) as erp:
        assert await erp.orders.deliveries_by_order(["4500009"], DELIVERY_FIELDS, ONE) == [[]]
    bills = billing([("90000001", "4500009")], invoice("90000001", "17100009"))
    async with opened(bills) as erp:
        assert await erp.orders.invoices_by_order(["4500009"], INVOICE_FIELDS, ONE) == [[]]


async def test_a_foreign_document_is_dropped_even_if_the_system_sends_it() -> None:
    fake = FakeSap()
    header = {"SoldToParty": "17100009", "TransactionCurrency": "CLP", "TotalGrossAmount": "1"}
    sent = {"DeliveryDocument": "80000001", "BillingDocument": "90000001", **header}
    item = {**sent, "ReferenceSDDocument": "4500001", "SalesDocument": "4500001"}
    fake.first = [always(answer({"d": {"results": [row]}})) for row in (item, sent, item, sent)]
    async with opened(fake) as erp:
        assert await erp.orders.deliveries_by_order(["4500001"], DELIVERY_FIELDS, ONE) == [[]]
        assert await erp.orders.invoices_by_order(["4500001"], frozenset({"total"}), ONE) == [[]]
    assert len(fake.asked) == 4


async def test_without_documents_there_is_no_second_call() -> None:
    fake = shipping([])
    async with opened(fake) as erp:
        assert await erp.orders.deliveries_by_order(["4500001"], DELIVERY_FIELDS, ONE) == [[]]
    assert len(erp.calls) == 1


async def test_an_invoice_is_told_whole_and_cancelled_ones_are_left_out() -> None:
    headers = [
        invoice("90000002", InvoiceClearingStatus="C"),
        invoice("90000001"),
        invoice("90000003", BillingDocumentIsCancelled=True),
        invoice("90000004", SDDocumentCategory="N", CancelledBillingDocument="0090000003"),
        invoice("90000005", CancelledBillingDocument="0090000003", SDDocumentCategory=""),
        invoice("90000006", SDDocumentCategory="U"),
        invoice("90000007", InvoiceClearingStatus="B"),
    ]
    fake = billing([(row["BillingDocument"], "4500001") for row in headers], *headers)
    async with opened(fake) as erp:
        (found,) = await erp.orders.invoices_by_order(["4500001"], INVOICE_FIELDS, ONE)
    whole, none = Money(Decimal(119000), "CLP"), Money(Decimal(0), "CLP")
    day = date(2026, 3, 6)
    assert found == [
        Invoice("90000001", day, None, whole, whole),
        Invoice("90000002", day, None, whole, none),
        Invoice("90000007", day, None, whole, None),
    ]
    assert str(found[0].total.amount) == "119000"
    assert len(erp.calls) == 2


async def test_net_invoices_still_owe_their_taxes() -> None:
    fake = billing([("90000001", "4500001")], invoice("90000001", TotalGrossAmount=None))
    async with opened(fake, prices="net") as erp:
        ((found,),) = await erp.orders.invoices_by_order(["4500001"], INVOICE_FIELDS, ONE)
    assert found.total == Money(Decimal(100000), "CLP")
    assert found.outstanding == Money(Decimal(119000), "CLP")


async def test_invoices_select_only_what_is_wanted() -> None:
    fake = billing([("90000001", "4500001")], invoice("90000001"))
    async with opened(fake) as erp:
        await erp.orders.invoices_by_order(["4500001"], frozenset({"issued_on"}), ONE)
    assert fake.options()["$select"] == (
        "BillingDocument,SoldToParty,BillingDocumentIsCancelled,CancelledBillingDocument,"
        "SDDocumentCategory,BillingDocumentDate"
    )


async def test_long_chains_of_orders_are_split() -> None:
    orders = [str(4500000 + n) for n in range(120)]
    items = [(str(80000000 + n), order) for n, order in enumerate(orders)]
    fake = shipping(items, *(delivery(number) for number, _ in items))
    async with opened(fake, url_limit_bytes=1500) as erp:
        found = await erp.orders.deliveries_by_order(orders, frozenset({"number"}), ONE)
    assert [held[0].number for held in found] == [number for number, _ in items]
    assert all(len(str(request.url)) <= 1500 for request in fake.asked)
