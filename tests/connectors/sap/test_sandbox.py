"""Against an ERP that reads OData for itself: its answers are compared with the rows it keeps."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.port.errors import Refused
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import OrderSort
from connectors.port.records import Order, OrderStatus
from connectors.port.scope import AccountRef, Scope
from sandbox.erp import app, seed
from sandbox.erp.access import PASSWORD, USER
from sandbox.faults import Faults
from sandbox.people import CUSTOMERS
from tests.connectors.sap.opened import EVERYTHING, Opened, opened, query

pytestmark = pytest.mark.anyio

TODAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 9, 30, tzinfo=UTC)
ACCOUNTS = [AccountRef(c.crm_id, c.number, c.country) for c in CUSTOMERS]
ANDINA, PACIFICO, AUSTRAL = ACCOUNTS[:3]
ALL, ONE = Scope(ACCOUNTS), Scope([ANDINA])
SORTED = frozenset({"number", "ordered_on"})


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("erp") / "erp.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        seed(connection, TODAY, random.Random(7))
        connection.commit()
    return path


@pytest.fixture
def rows(file: Path) -> Iterator[sqlite3.Connection]:
    """What the ERP keeps, asked in SQL."""
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


@dataclass
class World:
    """Opens the connector on the ERP; options of the ERP are named by `lacking` and `page`."""

    file: Path
    faults: Faults = field(default_factory=Faults)

    @asynccontextmanager
    async def erp(
        self, *, lacking: tuple[str, ...] = (), page: int | None = None, **raw: Any
    ) -> AsyncIterator[Opened]:
        options: dict[str, Any] = {"page_limit": page} if page else {}
        served = app(self.file, self.faults, NOW, lacking=lacking, **options)
        settings = {"basic": {"user": USER, "password": PASSWORD}, "url": "http://erp.test", **raw}
        async with opened(httpx.ASGITransport(served), clock=lambda: NOW, **settings) as erp:
            yield erp


@pytest.fixture
def world(file: Path) -> World:
    return World(file)


def shown(number: str) -> str:
    return number.lstrip("0")


async def walked(erp: Opened, scope: Scope, backward: bool = False, **more: Any) -> list[Order]:
    """The whole list, page by page, in list order."""
    found: list[Order] = []
    more.setdefault("fields", SORTED)
    part = Slice(100, backward=backward)
    while True:
        page: Page[Order] = await erp.orders.find_orders(query(scope, part=part, **more))
        items = list(page.items)
        found = items + found if backward else found + items
        if not (page.has_previous if backward else page.has_next):
            return found
        edge = items[0] if backward else items[-1]
        mark = Keyset(edge.ordered_on, edge.id)
        part = Slice(
            100,
            after=None if backward else mark,
            before=mark if backward else None,
            backward=backward,
        )


@pytest.mark.parametrize("version", ["v2", "v4"])
async def test_walking_the_pages_meets_every_order_once(
    world: World, rows: sqlite3.Connection, version: str
) -> None:
    held = rows.execute(
        "SELECT SalesOrder FROM erp_sales_order WHERE SoldToParty LIKE '%17100001'"
        " ORDER BY SalesOrderDate DESC, SalesOrder DESC"
    )
    expected = [shown(row[0]) for row in held]
    assert len(expected) > 500
    async with world.erp(sales_orders=version, page=40) as erp:
        forward = await walked(erp, ONE)
        backward = await walked(erp, ONE, backward=True)
    assert [order.id for order in forward] == expected
    assert [order.id for order in backward] == expected
    assert {order.owner for order in forward} == {ANDINA}


async def test_both_versions_tell_the_same_records(world: World) -> None:
    fields = EVERYTHING - {"ship_to"}
    async with world.erp() as v2, world.erp(sales_orders="v4") as v4:
        for sort in OrderSort:
            asked = query(ALL, 100, fields=fields, sort=sort, with_total=True)
            one, other = await v2.orders.find_orders(asked), await v4.orders.find_orders(asked)
            assert list(one.items) == list(other.items)
            assert one.total == other.total == 3000
    assert [len(erp.calls) for erp in (v2, v4)] == [2, 2]


async def test_an_order_adds_up(world: World, rows: sqlite3.Connection) -> None:
    async with world.erp() as erp:
        page = await erp.orders.find_orders(query(ALL, 100, fields=EVERYTHING))
    assert len(erp.calls) == 1
    for order in page.items:
        subtotal, tax = order.subtotal, order.tax
        assert subtotal is not None
        assert tax is not None
        held = rows.execute(
            "SELECT TotalNetAmount, TransactionCurrency, SoldToParty FROM erp_sales_order"
            " WHERE SalesOrder = ?",
            (order.id.rjust(10, "0"),),
        ).fetchone()
        assert subtotal.amount == Decimal(held[0]) / 1000
        assert {order.total.currency, subtotal.currency} == {held[1]}
        assert order.total.amount == subtotal.amount + tax.amount
        assert order.owner.number == shown(held[2])
        assert order.lines
        assert order.ship_to is not None
        assert order.ship_to.country == order.owner.country
        if order.status is not OrderStatus.CANCELLED:
            assert tax.amount > 0
        if order.total.currency == "CLP":
            assert order.total.amount == order.total.amount.to_integral()


@pytest.mark.parametrize("version", ["v2", "v4"])
async def test_each_status_finds_what_is_told_as_it(world: World, version: str) -> None:
    async with world.erp(sales_orders=version) as erp:
        every = await walked(erp, ONE, fields=SORTED | {"status"})
        for status in OrderStatus:
            expected = [order.id for order in every if order.status is status]
            assert bool(expected) == (status is not OrderStatus.DRAFT), status
            asked = query(ONE, 100, statuses=(status,), with_total=True, fields={"status"})
            page = await erp.orders.find_orders(asked)
            assert [order.id for order in page.items] == expected[:100]
            assert page.total == len(expected)


async def test_days_numbers_and_references_find_what_they_say(
    world: World, rows: sqlite3.Connection
) -> None:
    quoted = rows.execute(
        "SELECT SalesOrder, SoldToParty, PurchaseOrderByCustomer FROM erp_sales_order"
        " WHERE PurchaseOrderByCustomer LIKE '%''%' LIMIT 1"
    ).fetchone()
    assert quoted is not None
    async with world.erp() as erp:
        by_reference = await erp.orders.find_orders(
            query(ALL, customer_reference=quoted[2], number=quoted[0])
        )
        by_words = await erp.orders.find_orders(
            query(ALL, search=quoted[2].upper(), number=quoted[0])
        )
        by_number = await erp.orders.find_orders(query(ALL, number=quoted[0]))
        by_part = await erp.orders.find_orders(query(ALL, search=shown(quoted[0])[2:]))
        days = await erp.orders.find_orders(
            query(ALL, 100, ordered_from=TODAY, ordered_to=TODAY, fields=SORTED, with_total=True)
        )
        injected = await erp.orders.find_orders(
            query(ONE, search="' or SoldToParty ne '", with_total=True)
        )
    number = shown(quoted[0])
    assert [order.id for order in by_reference.items] == [number]
    assert [order.id for order in by_number.items] == [number]
    assert number in [order.id for order in by_part.items]
    assert [order.id for order in by_words.items] in ([], [number])
    held = rows.execute(
        "SELECT count(*) FROM erp_sales_order WHERE SalesOrderDate = ?", (TODAY.isoformat(),)
    ).fetchone()
    assert days.total == held[0]
    assert {order.ordered_on for order in days.items} <= {TODAY}
    assert (list(injected.items), injected.total) == ([], 0)


async def test_fifty_orders_of_any_customer_are_one_call_and_foreign_ones_unknown(
    world: World, rows: sqlite3.Connection
) -> None:
    held = rows.execute(
        "SELECT SalesOrder, SoldToParty FROM erp_sales_order ORDER BY SalesOrder LIMIT 50"
    ).fetchall()
    async with world.erp() as erp:
        numbers = [row[0] for row in held]
        found = await erp.orders.orders_by_number(numbers, EVERYTHING, ONE)
        lines = await erp.orders.lines_by_order(numbers, frozenset({"product"}), ONE)
    own = [shown(row[1]) == ANDINA.number for row in held]
    assert any(own)
    assert not all(own)
    assert [order is not None for order in found] == own
    assert [len(some) > 0 for some in lines] == own
    assert len(erp.calls) == 2


async def test_deliveries_and_invoices_are_those_of_the_order(
    world: World, rows: sqlite3.Connection
) -> None:
    held = rows.execute(
        "SELECT SalesOrder FROM erp_sales_order WHERE SoldToParty LIKE '%17100003'"
        " AND OverallOrdReltdBillgStatus = 'C' LIMIT 40"
    )
    own = [shown(row[0]) for row in held]
    foreign = rows.execute(
        "SELECT SalesOrder FROM erp_sales_order WHERE SoldToParty LIKE '%17100001'"
        " AND OverallOrdReltdBillgStatus = 'C' LIMIT 5"
    )
    orders = [*own, *(shown(row[0]) for row in foreign)]
    fields = frozenset({"number", "status", "planned_on", "shipped_on", "issued_on", "total"})
    async with world.erp() as erp:
        deliveries = await erp.orders.deliveries_by_order(orders, fields, Scope([AUSTRAL]))
        invoices = await erp.orders.invoices_by_order(orders, fields, Scope([AUSTRAL]))
    assert [call.operation for call in erp.calls] == [
        *["deliveries_by_order"] * 2,
        *["invoices_by_order"] * 2,
    ]
    assert [len(held) for held in deliveries[len(own) :]] == [0] * 5
    assert [len(held) for held in invoices[len(own) :]] == [0] * 5
    for order, shipped, billed in zip(own, deliveries, invoices, strict=False):
        key = (order.rjust(10, "0"),)
        sent = rows.execute(
            "SELECT DISTINCT DeliveryDocument FROM erp_delivery_item"
            " WHERE ReferenceSDDocument = ? ORDER BY 1",
            key,
        )
        assert [one.number for one in shipped] == [shown(row[0]) for row in sent]
        owed = rows.execute(
            "SELECT DISTINCT b.BillingDocument, b.TotalGrossAmount FROM erp_billing_document b"
            " JOIN erp_billing_document_item i USING (BillingDocument)"
            " WHERE i.SalesDocument = ? AND NOT b.BillingDocumentIsCancelled"
            " AND b.CancelledBillingDocument = '' ORDER BY 1",
            key,
        ).fetchall()
        assert [(one.number, one.total.amount) for one in billed] == [
            (shown(row[0]), Decimal(row[1]) / 1000) for row in owed
        ]
    assert any(invoices)
    assert any(deliveries)


async def test_addresses_are_those_of_the_customer(world: World) -> None:
    async with world.erp() as erp:
        stranger = AccountRef("x", "17100099")
        asked = [PACIFICO, stranger, ANDINA]
        found = await erp.orders.shipping_addresses_by_account(asked, Scope([*ACCOUNTS, stranger]))
        narrow = await erp.orders.shipping_addresses_by_account([PACIFICO], ONE)
    assert found[1] is None
    assert narrow == [None]
    for held, country in ((found[0], "PE"), (found[2], "CO")):
        assert held
        assert {address.country for address in held} == {country}
        assert all(address.line1 and address.city for address in held)
    assert len(erp.calls) == 1


async def test_an_older_release_is_read_as_far_as_it_goes(world: World) -> None:
    lacking = ("A_SalesOrderHeaderPartner/to_Address", "A_SalesOrderItem/to_ScheduleLine")
    async with world.erp(lacking=lacking) as erp:
        page = await erp.orders.find_orders(query(ALL, 10, fields=EVERYTHING))
    assert len(page.items) == 10
    assert all(order.ship_to is not None for order in page.items)
    assert {line.delivered_quantity for order in page.items for line in order.lines} == {None}
    assert [call.operation for call in erp.calls] == [
        "find_orders",
        "find_orders.metadata",
        "find_orders",
        "find_orders.ship_to",
    ]


@pytest.mark.parametrize("version", ["v2", "v4"])
async def test_a_batch_survives_an_expired_token_and_a_failed_part(
    world: World, rows: sqlite3.Connection, version: str
) -> None:
    held = rows.execute(
        "SELECT SalesOrder FROM erp_sales_order WHERE SoldToParty LIKE '%17100001' LIMIT 120"
    )
    numbers = [shown(row[0]) for row in held]
    settings: dict[str, Any] = {
        "sales_orders": version,
        "long_questions": "batch",
        "keys_per_question": 40,
    }
    async with world.erp(**settings) as erp:
        first = await erp.orders.orders_by_number(numbers, EVERYTHING - {"ship_to"}, ONE)
        assert len(erp.calls) == 2
        world.faults.erp.arm("csrf", times=1)
        second = await erp.orders.orders_by_number(numbers, EVERYTHING - {"ship_to"}, ONE)
        assert len(erp.calls) == 5
        world.faults.erp.arm("partial", times=1)
        third = await erp.orders.orders_by_number(numbers, EVERYTHING - {"ship_to"}, ONE)
        assert len(erp.calls) == 7
    assert [order and order.id for order in first] == numbers
    assert first == second == third


async def test_a_scope_of_very_many_customers_is_asked_in_pieces(world: World) -> None:
    crowd = Scope([*ACCOUNTS, *(AccountRef(f"n{n}", str(18000000 + n)) for n in range(400))])
    async with world.erp() as erp, world.erp() as plain:
        whole = await erp.orders.find_orders(query(crowd, 30, fields=SORTED, with_total=True))
        few = await plain.orders.find_orders(query(ALL, 30, fields=SORTED, with_total=True))
    assert list(whole.items) == list(few.items)
    assert whole.total == few.total
    assert len(erp.calls) > 1


async def test_the_door_is_shut_to_a_wrong_password_and_check_says_so(world: World) -> None:
    async with world.erp() as erp:
        await erp.system.check()
    async with world.erp(basic={"user": USER, "password": "wrong"}) as erp:
        with pytest.raises(Refused):
            await erp.system.check()
