"""The connector for Tryton against a real one: what it says is what Tryton holds, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.catalog import start
from connectors.kit.connector import Call, Wiring
from connectors.port.errors import Refused, Unavailable, Unreadable
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import ContactQuery, OrderQuery, OrderSort
from connectors.port.records import (
    AccountRef,
    Address,
    DeliveryStatus,
    MembershipRole,
    Money,
    Order,
    OrderStatus,
)
from connectors.port.scope import Scope
from connectors.port.sources import CustomerSource, OrderSource, System
from tests.live.tryton.documents import (
    ANDINA,
    DOCUMENTS,
    HORIZONTE,
    PACIFICO,
    PLATA,
    SHARED_ADDRESS,
    Document,
    Outcome,
    customer,
)
from tests.live.tryton.installation import Seeded
from tests.live.tryton.server import TrytonServer, tryton

pytestmark = [pytest.mark.live, pytest.mark.anyio]

WHOLE = frozenset(
    {
        "number",
        "customer_reference",
        "status",
        "ordered_on",
        "requested_delivery_on",
        "ship_to",
        "subtotal",
        "freight",
        "tax",
        "total",
        "lines.product",
        "lines.quantity",
        "lines.unit",
        "lines.unit_price",
        "lines.total",
        "lines.delivered_quantity",
        "deliveries.number",
        "deliveries.status",
        "deliveries.planned_on",
        "deliveries.shipped_on",
        "invoices.number",
        "invoices.issued_on",
        "invoices.due_on",
        "invoices.total",
        "invoices.outstanding",
    }
)
LISTED = frozenset({"number", "ordered_on"})

STATUS = {
    Outcome.DRAFT: OrderStatus.DRAFT,
    Outcome.QUOTATION: OrderStatus.OPEN,
    Outcome.CONFIRMED: OrderStatus.CONFIRMED,
    Outcome.WAITING: OrderStatus.CONFIRMED,
    Outcome.PICKED: OrderStatus.CONFIRMED,
    Outcome.PARTIAL: OrderStatus.IN_DELIVERY,
    Outcome.SENT: OrderStatus.DELIVERED,
    Outcome.INVOICED: OrderStatus.INVOICED,
    Outcome.PAID: OrderStatus.INVOICED,
    Outcome.BLOCKED: OrderStatus.BLOCKED,
    Outcome.CANCELLED: OrderStatus.CANCELLED,
}


class Asked:
    """The system, with every call that it made."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.system: System

    @property
    def orders(self) -> OrderSource:
        assert self.system.orders is not None
        return self.system.orders

    @property
    def customers(self) -> CustomerSource:
        assert self.system.customers is not None
        return self.system.customers

    def count(self) -> int:
        """Calls since this was last asked."""
        made = len(self.calls)
        self.calls.clear()
        return made


async def opened(table: dict[str, object]) -> Asked:
    asked = Asked()
    asked.system = await start("tryton", table, Wiring(heard=asked.calls.append))
    return asked


@pytest.fixture
async def real(tryton_server: TrytonServer) -> AsyncIterator[Asked]:
    asked = await opened(tryton_server.table)
    yield asked
    await asked.system.close()


@pytest.fixture
def scope_of(tryton_server: TrytonServer) -> Any:
    def scope(*numbers: str) -> Scope:
        parties = tryton_server.seeded.parties
        return Scope(
            AccountRef(str(parties[number]), number, customer(number).country) for number in numbers
        )

    return scope


def query(scope: Scope, limit: int = 100, **more: Any) -> OrderQuery:
    return OrderQuery(**{"scope": scope, "fields": LISTED, "part": Slice(limit), **more})


@pytest.fixture
def seeded(tryton_server: TrytonServer) -> Seeded:
    """What was entered into it."""
    return tryton_server.seeded


def numbers(page: Page[Order]) -> list[str]:
    return [order.number for order in page.items]


def document(number: str) -> Document:
    """One that every run enters."""
    return next(found for found in DOCUMENTS if found.number == number)


# ------------------------------------------------------------------------------------------ orders


async def test_each_order_is_told_as_it_was_entered_in_one_call(
    real: Asked, scope_of: Any, seeded: Seeded
) -> None:
    page = await real.orders.find_orders(query(scope_of(ANDINA), fields=WHOLE))
    assert real.count() == 1
    assert sorted(numbers(page)) == sorted(one.number for one in seeded.documents_of(ANDINA))
    known = {one.number: one for one in seeded.documents_of(ANDINA)}
    for order in page.items:
        entered = known[order.number]
        assert order.owner.number == ANDINA
        assert order.status is STATUS[entered.outcome]
        assert order.customer_reference == entered.reference
        assert order.ordered_on == entered.ordered_on
        assert order.requested_delivery_on == entered.requested_on
        assert order.total == order.subtotal == Money(entered.untaxed, "COP")
        assert order.tax == Money(Decimal(0), "COP")
        assert order.ship_to == Address(line1="Calle 13 # 68-90", city="Bogotá", country="CO")
        assert [
            (
                line.position,
                line.product.code,
                line.product.name,
                line.quantity,
                line.unit,
                line.unit_price,
                line.total,
            )
            for line in order.lines
        ] == [
            (
                str(line.position),
                line.product.code,
                line.product.name,
                line.quantity,
                line.product.unit,
                Money(line.price, "COP"),
                Money(line.amount, "COP"),
            )
            for line in entered.lines
        ]


async def test_amounts_are_in_the_customers_currency(real: Asked, scope_of: Any) -> None:
    (order,) = await real.orders.orders_by_number(
        ["82001"], frozenset({"total", "lines.total"}), scope_of(HORIZONTE)
    )
    assert order is not None
    assert order.total == Money(document("82001").untaxed, "BRL")
    assert {line.total.currency for line in order.lines if line.total} == {"BRL"}


@pytest.mark.parametrize(
    ("number", "status", "shipped", "delivered"),
    [
        ("70008", DeliveryStatus.PLANNED, False, [Decimal(0), Decimal(0)]),
        ("70007", DeliveryStatus.PICKED, False, [Decimal(0), Decimal(0)]),
        ("70004", DeliveryStatus.DELIVERED, True, None),
    ],
)
async def test_deliveries(
    real: Asked,
    scope_of: Any,
    number: str,
    status: DeliveryStatus,
    shipped: bool,
    delivered: list[Decimal] | None,
) -> None:
    (order,) = await real.orders.orders_by_number([number], WHOLE, scope_of(ANDINA))
    entered = document(number)
    assert order is not None
    (delivery,) = order.deliveries
    assert delivery.status is status
    assert delivery.planned_on == entered.ordered_on + timedelta(days=5)
    assert delivery.shipped_on == (entered.ordered_on + timedelta(days=6) if shipped else None)
    everything = [line.quantity for line in entered.lines]
    assert [line.delivered_quantity for line in order.lines] == (delivered or everything)


async def test_half_a_delivery_leaves_another_to_come(real: Asked, scope_of: Any) -> None:
    (order,) = await real.orders.orders_by_number(["70006"], WHOLE, scope_of(ANDINA))
    assert order is not None
    assert [one.status for one in order.deliveries] == [
        DeliveryStatus.DELIVERED,
        DeliveryStatus.PLANNED,
    ]
    assert [line.delivered_quantity for line in order.lines] == [Decimal(10), Decimal(8)]


async def test_a_cancelled_delivery_is_not_told(real: Asked, scope_of: Any) -> None:
    (order,) = await real.orders.orders_by_number(["70012"], WHOLE, scope_of(ANDINA))
    assert order is not None
    assert (order.status, list(order.deliveries)) == (OrderStatus.BLOCKED, [])


@pytest.mark.parametrize(("number", "is_paid"), [("70001", True), ("70002", False)])
async def test_invoices(real: Asked, scope_of: Any, number: str, is_paid: bool) -> None:
    (order,) = await real.orders.orders_by_number([number], WHOLE, scope_of(ANDINA))
    entered = document(number)
    assert order is not None
    (invoice,) = order.invoices
    issued = entered.ordered_on + timedelta(days=7)
    assert (invoice.issued_on, invoice.due_on) == (issued, issued + timedelta(days=30))
    assert invoice.total == Money(entered.untaxed, "COP")
    assert invoice.outstanding == Money(Decimal(0) if is_paid else entered.untaxed, "COP")


async def test_an_invoice_that_is_not_posted_is_not_told(real: Asked, scope_of: Any) -> None:
    (order,) = await real.orders.orders_by_number(["70004"], WHOLE, scope_of(ANDINA))
    assert order is not None
    assert list(order.invoices) == []


async def test_parts_of_orders_are_the_same_when_asked_by_order(real: Asked, scope_of: Any) -> None:
    scope = scope_of(ANDINA)
    whole = await real.orders.orders_by_number(["70006", "70001"], WHOLE, scope)
    ids = [order.id for order in whole if order is not None]
    assert len(ids) == 2
    real.count()
    fields = frozenset({"product", "quantity", "unit", "unit_price", "total", "delivered_quantity"})
    lines = await real.orders.lines_by_order(ids, fields, scope)
    told = frozenset({"number", "status", "planned_on", "shipped_on"})
    deliveries = await real.orders.deliveries_by_order(ids, told, scope)
    billed = frozenset({"number", "issued_on", "due_on", "total", "outstanding"})
    invoices = await real.orders.invoices_by_order(ids, billed, scope)
    assert real.count() == 3
    for place, order in enumerate(whole):
        assert order is not None
        assert lines[place] == order.lines
        assert [(one.number, one.status) for one in deliveries[place]] == [
            (one.number, one.status) for one in order.deliveries
        ]
        assert invoices[place] == order.invoices


@pytest.mark.parametrize("status", list(OrderStatus))
async def test_a_status_finds_exactly_its_orders(
    real: Asked, scope_of: Any, status: OrderStatus, seeded: Seeded
) -> None:
    scope = scope_of(ANDINA, PACIFICO, PLATA, HORIZONTE)
    page = await real.orders.find_orders(query(scope, statuses=(status,), with_total=True))
    expected = {
        one.number
        for one in seeded.documents_of(ANDINA, PACIFICO, PLATA, HORIZONTE)
        if STATUS[one.outcome] is status
    }
    assert set(numbers(page)) == expected
    assert page.total == len(expected)


async def test_days_are_inclusive(real: Asked, scope_of: Any, seeded: Seeded) -> None:
    first, last = document("70004").ordered_on, document("70007").ordered_on
    asked = query(scope_of(ANDINA), ordered_from=first, ordered_to=last)
    page = await real.orders.find_orders(asked)
    within = [one for one in seeded.documents_of(ANDINA) if first <= one.ordered_on <= last]
    assert set(numbers(page)) == {one.number for one in within}
    assert {"70004", "70005", "70006", "70007"} <= set(numbers(page))


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("oc-2026-011", True),
        ("O'Higgins 'A'", True),
        ("'", True),
        ("50%", True),
        ("%", True),
        ("obra_7", True),
        ("_", True),
        ("bodega\\norte", True),
        ("\\", True),
        ('"', True),
        ('"]],["id","!=",0', False),
        ("' OR '1'='1", False),
        ("\0", False),
        ("\ud800", False),
    ],
)
async def test_what_people_type_stays_data(
    real: Asked, scope_of: Any, seeded: Seeded, text: str, hits: bool
) -> None:
    documents = seeded.documents_of(ANDINA)
    expected = {one.number for one in documents if text.lower() in (one.reference or "").lower()}
    assert bool(expected) == hits
    assert len(expected) < len(documents)
    page = await real.orders.find_orders(query(scope_of(ANDINA), customer_reference=text))
    assert set(numbers(page)) == expected


async def test_search_looks_at_number_and_reference(real: Asked, scope_of: Any) -> None:
    by_number = await real.orders.find_orders(query(scope_of(ANDINA), search="7002"))
    assert set(numbers(by_number)) == {"70020", "70021"}
    by_reference = await real.orders.find_orders(query(scope_of(ANDINA), search="anticipo"))
    assert set(numbers(by_reference)) == {"70015", "70016"}
    exact = await real.orders.find_orders(query(scope_of(ANDINA), number="70002"))
    assert numbers(exact) == ["70002"]
    part = await real.orders.find_orders(query(scope_of(ANDINA), number="7000"))
    assert numbers(part) == []


async def test_a_number_is_found_with_leading_zeros(real: Asked, scope_of: Any) -> None:
    found = await real.orders.orders_by_number(
        ["0000009100", "70001", "nope", "80001", "\0"], frozenset({"number"}), scope_of(ANDINA)
    )
    assert [order.number if order else None for order in found] == [
        "9100",
        "70001",
        None,
        None,
        None,
    ]
    assert real.count() == 1


async def test_what_tryton_has_not_numbered_yet_is_no_order(
    real: Asked, scope_of: Any, tryton_server: TrytonServer
) -> None:
    key = str(tryton_server.seeded.sales["70100"])
    assert await real.orders.orders_by_id([key], LISTED, scope_of(ANDINA)) == [None]


async def test_the_total_is_asked_for_only_when_wanted(
    real: Asked, scope_of: Any, seeded: Seeded
) -> None:
    page = await real.orders.find_orders(query(scope_of(ANDINA), limit=2))
    assert (len(page.items), page.has_next, page.total, real.count()) == (2, True, None, 1)
    page = await real.orders.find_orders(query(scope_of(ANDINA), limit=2, with_total=True))
    assert (len(page.items), page.total) == (2, len(seeded.documents_of(ANDINA)))
    assert real.count() == 2


# ----------------------------------------------------------------------------------------- paging


async def walked(orders: OrderSource, asked: OrderQuery, *, backward: bool) -> list[str]:
    """Numbers of the whole list, in list order, page by page."""
    pages: list[list[Order]] = []
    mark: Keyset | None = None
    while True:
        part = replace(asked.part, backward=backward)
        part = replace(part, before=mark) if backward else replace(part, after=mark)
        page = await orders.find_orders(replace(asked, part=part))
        assert (page.has_previous if not backward else page.has_next) == (mark is not None)
        pages.append(list(page.items))
        if not (page.has_previous if backward else page.has_next):
            break
        edge = page.items[0 if backward else -1]
        value = edge.number if asked.sort is OrderSort.NUMBER else edge.ordered_on
        mark = Keyset(value, edge.id)
    if backward:
        pages.reverse()
    return [order.number for page in pages for order in page]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", list(OrderSort))
@pytest.mark.parametrize("limit", [1, 4])
async def test_pages_cover_the_list_once_over_ties(
    real: Asked,
    scope_of: Any,
    sort: OrderSort,
    descending: bool,
    backward: bool,
    limit: int,
    seeded: Seeded,
) -> None:
    """Five orders share one day, and one number is shorter than the others."""
    scope = scope_of(ANDINA, PACIFICO)
    asked = query(scope, limit=limit, sort=sort, descending=descending)
    whole = await real.orders.find_orders(replace(asked, part=Slice(100)))
    expected = numbers(whole)
    assert len(expected) == len(seeded.documents_of(ANDINA, PACIFICO))
    if sort is OrderSort.NUMBER:
        assert expected == sorted(expected, key=int, reverse=descending)
    else:
        days = [order.ordered_on for order in whole.items]
        assert days == sorted(days, reverse=descending)
    assert await walked(real.orders, asked, backward=backward) == expected


async def test_a_page_ends_before_a_mark(real: Asked, scope_of: Any) -> None:
    whole = (await real.orders.find_orders(query(scope_of(ANDINA)))).items
    after, before = (Keyset(order.ordered_on, order.id) for order in (whole[2], whole[9]))
    page = await real.orders.find_orders(query(scope_of(ANDINA), part=Slice(50, after, before)))
    assert numbers(page) == [order.number for order in whole[3:9]]


# ------------------------------------------------------------------------------------------ scope


async def test_nothing_of_another_customer_is_found(
    real: Asked, scope_of: Any, tryton_server: TrytonServer, seeded: Seeded
) -> None:
    scope, sales = scope_of(PACIFICO), tryton_server.seeded.sales
    foreign = [str(sales[one.number]) for one in seeded.documents_of(ANDINA)]
    assert await real.orders.orders_by_id(foreign, WHOLE, scope) == [None] * len(foreign)
    theirs = [one.number for one in seeded.documents_of(ANDINA)]
    assert await real.orders.orders_by_number(theirs, WHOLE, scope) == [None] * len(theirs)
    fields = frozenset({"product", "number"})
    assert await real.orders.lines_by_order(foreign, fields, scope) == [[]] * len(foreign)
    assert await real.orders.deliveries_by_order(foreign, fields, scope) == [[]] * len(foreign)
    assert await real.orders.invoices_by_order(foreign, fields, scope) == [[]] * len(foreign)
    for text, mine in (("50% anticipo", "80004"), ("OC-2026-0101", "80001")):
        page = await real.orders.find_orders(query(scope, customer_reference=text))
        assert {order.owner.number for order in page.items} == {PACIFICO}
        assert mine in numbers(page)
    mark = Keyset(date(2030, 1, 1), foreign[0])
    page = await real.orders.find_orders(query(scope, part=Slice(100, after=mark), with_total=True))
    assert set(numbers(page)) == {one.number for one in seeded.documents_of(PACIFICO)}
    assert page.total == len(seeded.documents_of(PACIFICO))


async def test_an_empty_scope_asks_nothing(real: Asked) -> None:
    nobody = Scope()
    assert await real.orders.find_orders(query(nobody, with_total=True)) == Page([], total=0)
    assert await real.orders.orders_by_id(["1"], LISTED, nobody) == [None]
    assert await real.orders.orders_by_number(["70001"], LISTED, nobody) == [None]
    assert await real.customers.accounts_by_id(["2"], frozenset({"name"}), nobody) == [None]
    assert await real.customers.contacts_by_id(["7"], frozenset({"name"}), nobody) == [None]
    assert real.count() == 0


@pytest.mark.parametrize("key", ["", "0", "-1", "x", "1,2", "²", "99999999999999999999", "1\0"])
async def test_a_malformed_id_is_an_unknown_one(real: Asked, scope_of: Any, key: str) -> None:
    scope = scope_of(ANDINA)
    assert await real.orders.orders_by_id([key], LISTED, scope) == [None]
    assert await real.orders.lines_by_order([key], LISTED, scope) == [[]]
    assert await real.customers.contacts_by_id([key], frozenset({"name"}), scope) == [None]
    assert await real.customers.identity_by_contact(key) is None
    assert real.count() == 0


# -------------------------------------------------------------------------------------- customers


async def test_a_person_and_what_they_may_do(
    real: Asked, scope_of: Any, tryton_server: TrytonServer
) -> None:
    ana = await real.customers.identity_by_email("Ana.Torres@ANDINA.example")
    assert ana is not None
    assert (ana.name, ana.email, ana.locale) == ("Ana Torres", "ana.torres@andina.example", "es")
    (membership,) = ana.memberships
    assert membership.account == scope_of(ANDINA).accounts[0]
    assert membership.role is MembershipRole.ADMIN
    assert ana.contact_id == str(tryton_server.seeded.people["ana.torres@andina.example"])
    assert await real.customers.identity_by_contact(ana.contact_id) == ana
    assert real.count() == 2


async def test_a_person_of_two_accounts(real: Asked, scope_of: Any) -> None:
    carla = await real.customers.identity_by_email("carla.mendes@horizonte.example")
    assert carla is not None
    assert [(one.account.number, one.role) for one in carla.memberships] == [
        (HORIZONTE, MembershipRole.ADMIN),
        (PLATA, MembershipRole.MEMBER),
    ]
    found = await real.orders.find_orders(query(Scope(one.account for one in carla.memberships)))
    assert sorted(numbers(found)) == ["81001", "81002", "82001", "82002"]
    assert {order.owner.number for order in found.items} == {HORIZONTE, PLATA}


async def test_a_relation_counts_from_its_first_day_to_its_last(real: Asked) -> None:
    ended = await real.customers.identity_by_email("elsa.antes@andina.example")
    assert ended is not None
    assert ended.memberships == ()
    ending = await real.customers.identity_by_email("tito.hastaluego@andina.example")
    assert ending is not None
    (membership,) = ending.memberships
    assert membership.valid_to is not None
    assert membership.valid_to > date(2026, 1, 1)


async def test_a_person_without_any_account(real: Asked) -> None:
    nobody = await real.customers.identity_by_email("nadie@suelto.example")
    assert nobody is not None
    assert nobody.memberships == ()


@pytest.mark.parametrize(
    "email",
    [
        "%@andina.example",
        "ana_torres@andina.example",
        "ana.torres@andina.example' OR '1'='1",
        "ana.torres@andina.exampl",
        "nana.torres@andina.example",
        "aña.torres@andina.example",
        "",
        "\0",
    ],
)
async def test_nobody_is_taken_for_another(real: Asked, email: str) -> None:
    assert await real.customers.identity_by_email(email) is None


async def test_an_address_of_two_people_is_nobodys(real: Asked) -> None:
    with pytest.raises(Unreadable) as caught:
        await real.customers.identity_by_email(SHARED_ADDRESS)
    assert SHARED_ADDRESS not in f"{caught.value} {caught.value.detail}"


async def test_accounts(real: Asked, scope_of: Any, tryton_server: TrytonServer) -> None:
    scope, parties = scope_of(ANDINA, PLATA), tryton_server.seeded.parties
    fields = frozenset({"number", "name", "tax_id", "country", "phone", "billing_address"})
    keys = [str(parties[number]) for number in (PLATA, PACIFICO, ANDINA)]
    plata, foreign, andina = await real.customers.accounts_by_id(keys, fields, scope)
    assert real.count() == 1
    assert foreign is None
    assert plata is not None
    assert plata.name == customer(PLATA).name
    assert andina is not None
    known = customer(ANDINA)
    assert andina.owner == scope.by_number(ANDINA)
    assert (andina.number, andina.tax_id, andina.country) == (ANDINA, known.tax_id, "CO")
    assert andina.phone == known.phone
    assert andina.billing_address == Address(
        line1=known.street, city=known.city, postal_code=known.postal_code, country="CO"
    )


async def test_contacts_are_seen_through_an_account_of_the_scope(
    real: Asked, scope_of: Any, tryton_server: TrytonServer
) -> None:
    people = tryton_server.seeded.people
    keys = [
        str(people[email])
        for email in ("carla.mendes@horizonte.example", "luis.rojas@pacifico.example")
    ]
    fields = frozenset(
        {"name", "given_name", "email", "phone", "locale", "account.name", "account.number"}
    )
    carla, luis = await real.customers.contacts_by_id(keys, fields, scope_of(PLATA))
    assert real.count() == 1
    assert luis is None
    assert carla is not None
    assert carla.owner.number == PLATA
    assert carla.account is not None
    assert (carla.account.number, carla.account.name) == (PLATA, customer(PLATA).name)
    assert (carla.name, carla.given_name, carla.locale) == ("Carla Mendes", None, "pt")
    assert carla.email == "carla.mendes@horizonte.example"
    (carla,) = await real.customers.contacts_by_id(keys[:1], fields, scope_of(PLATA, HORIZONTE))
    assert carla is not None
    assert carla.owner.number == HORIZONTE


@pytest.mark.parametrize("backward", [False, True])
async def test_contacts_of_an_account_by_name(
    real: Asked, scope_of: Any, tryton_server: TrytonServer, backward: bool
) -> None:
    scope, key = scope_of(ANDINA, PACIFICO), str(tryton_server.seeded.parties[ANDINA])
    seen: list[str] = []
    mark: Keyset | None = None
    while True:
        part = Slice(2, before=mark, backward=True) if backward else Slice(2, after=mark)
        asked = ContactQuery(scope, frozenset({"name"}), key, part)
        page = await real.customers.contacts_by_account(asked)
        names = [contact.name for contact in page.items]
        assert {contact.owner.number for contact in page.items} == {ANDINA}
        seen = names + seen if backward else seen + names
        if not (page.has_previous if backward else page.has_next):
            break
        edge = page.items[0 if backward else -1]
        mark = Keyset(edge.name, edge.id)
    expected = ["Ana Torres", "Jorge Pineda", "María José Ñáñez", "Tito Hastaluego", "Uno Compras"]
    assert seen == expected


async def test_contacts_of_a_foreign_account_are_none(
    real: Asked, scope_of: Any, tryton_server: TrytonServer
) -> None:
    foreign = str(tryton_server.seeded.parties[ANDINA])
    asked = ContactQuery(scope_of(PACIFICO), frozenset({"name"}), foreign, Slice(10))
    assert await real.customers.contacts_by_account(asked) == Page([])
    assert real.count() == 0


async def test_shipping_addresses(real: Asked, scope_of: Any) -> None:
    scope = scope_of(ANDINA, PLATA)
    stranger = scope_of(PACIFICO).accounts[0]
    asked = [*scope.accounts, stranger]
    found = await real.orders.shipping_addresses_by_account(asked, scope)
    by_number = dict(zip((account.number for account in asked), found, strict=True))
    assert by_number[ANDINA] == [Address(line1="Calle 13 # 68-90", city="Bogotá", country="CO")]
    plata = by_number[PLATA]
    assert plata is not None
    assert [address.line1 for address in plata] == [customer(PLATA).street]
    assert by_number[PACIFICO] is None
    assert await real.orders.credit_by_account(asked, scope) == [None, None, None]


async def test_a_long_question_travels_in_a_body(real: Asked, scope_of: Any) -> None:
    """A scope of a thousand customers is longer than an address may be."""
    strangers = [AccountRef(f"9{place:05}", f"99{place:06}") for place in range(1000)]
    scope = Scope([*scope_of(ANDINA), *strangers])
    page = await real.orders.find_orders(query(scope, fields=WHOLE))
    short = await real.orders.find_orders(query(scope_of(ANDINA), fields=WHOLE))
    assert page == short
    assert real.count() == 2


# ----------------------------------------------------------------------------------------- failures


async def test_check_is_well(real: Asked) -> None:
    await real.system.check()


async def failing(table: dict[str, object], kind: type[Exception], secret: str = "") -> None:
    asked = await opened(table)
    try:
        with pytest.raises(kind) as caught:
            await asked.system.check()
        told = f"{caught.value!r} {caught.value} {getattr(caught.value, 'detail', '')}"
        assert not secret or secret not in told
    finally:
        await asked.system.close()


async def test_a_wrong_key_is_refused(tryton_server: TrytonServer) -> None:
    await failing({**tryton_server.table, "key": "a-wrong-key"}, Refused, "a-wrong-key")


async def test_another_database_is_no_tryton(tryton_server: TrytonServer) -> None:
    await failing({**tryton_server.table, "database": "other"}, Unreadable)


async def test_a_stopped_server_is_unavailable(tmp_path: Path) -> None:
    with tryton(tmp_path) as server:
        asked = await opened(server.table)
        await asked.system.check()
        server.stop()
        with pytest.raises(Unavailable):
            await asked.system.check()
        await asked.system.close()


def test_the_documents_reach_every_status(seeded: Seeded) -> None:
    """Guards the tests above: an outcome nobody has would be tested by nothing."""
    seen: Sequence[OrderStatus] = [STATUS[one.outcome] for one in seeded.documents_of(ANDINA)]
    assert set(seen) == set(OrderStatus)
