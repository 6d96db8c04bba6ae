"""The whole line over a real Tryton: from a token to orders, the same as on the sandbox."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.live.conftest import StartGateway
from tests.live.portal import Gateway, Settings
from tests.live.tryton.documents import (
    ANDINA,
    HORIZONTE,
    PACIFICO,
    PLATA,
    Outcome,
    customer,
)
from tests.live.tryton.installation import Seeded
from tests.live.tryton.server import TrytonServer

pytestmark = pytest.mark.live

ANA = "ana.torres@andina.example"
LUIS = "luis.rojas@pacifico.example"
#: Acts for two accounts.
CARLA = "carla.mendes@horizonte.example"

LISTED = """
query Orders($filter: OrderFilter) {
  orders(filter: $filter, first: 100) {
    totalCount
    nodes { number customerReference orderedOn status account { number } }
  }
}
"""
DOCUMENT = """
query Document($number: String!) {
  order(by: { number: $number }) {
    number customerReference orderedOn status
    account { number name }
    lines(first: 50) {
      nodes { position product { code name } quantity unit total { amount currency } }
    }
  }
}
"""
WHOLE = """
query Whole($number: String!) {
  order(by: { number: $number }) {
    total { amount currency }
    shipTo { line1 city country }
    lines { nodes { deliveredQuantity quantity } totalCount }
    deliveries { number status plannedOn shippedOn }
    invoices { number issuedOn dueOn total { amount } outstanding { amount } }
  }
}
"""


@pytest.fixture(scope="module")
def on_tryton(start_gateway: StartGateway, tryton_server: TrytonServer) -> Gateway:
    """Customers and orders from Tryton, everything else as in the embedded default."""

    def change(settings: Settings) -> None:
        settings["systems"]["tryton"] = tryton_server.table
        settings["sources"] |= {"customers": "tryton", "orders": "tryton"}

    return start_gateway(change)


@pytest.fixture(scope="module")
def orders_on_tryton(start_gateway: StartGateway, tryton_server: TrytonServer) -> Gateway:
    """Orders from Tryton, for the customers of the sandbox's CRM."""

    def change(settings: Settings) -> None:
        settings["systems"]["tryton"] = tryton_server.table
        settings["sources"]["orders"] = "tryton"

    return start_gateway(change)


@pytest.fixture(params=["on_tryton", "orders_on_tryton"])
def portal(request: pytest.FixtureRequest) -> Gateway:
    found: Gateway = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def seeded(tryton_server: TrytonServer) -> Seeded:
    return tryton_server.seeded


def listed(portal: Gateway, by: str, **asked: Any) -> list[dict[str, Any]]:
    orders = portal.ask(LISTED, {"filter": asked}, by=by)["orders"]
    assert orders["totalCount"] == len(orders["nodes"])
    nodes: list[dict[str, Any]] = orders["nodes"]
    return nodes


def numbers(orders: list[dict[str, Any]]) -> set[str]:
    return {order["number"] for order in orders}


def test_tryton_knows_who_asks(on_tryton: Gateway) -> None:
    query = """{ viewer { name email contact { locale } memberships {
        role account { number name taxId country billingAddress { line1 } }
    } } }"""
    viewer = on_tryton.ask(query, by=CARLA)["viewer"]
    assert (viewer["name"], viewer["email"]) == ("Carla Mendes", CARLA)
    assert viewer["contact"] == {"locale": "pt"}
    found = {one["account"]["number"]: one for one in viewer["memberships"]}
    assert {number: one["role"] for number, one in found.items()} == {
        HORIZONTE: "ADMIN",
        PLATA: "MEMBER",
    }
    known = customer(HORIZONTE)
    assert found[HORIZONTE]["account"] == {
        "number": HORIZONTE,
        "name": known.name,
        "taxId": known.tax_id,
        "country": "BR",
        "billingAddress": {"line1": known.street},
    }


def test_each_person_sees_their_customers_orders(portal: Gateway, seeded: Seeded) -> None:
    for person, accounts in ((ANA, [ANDINA]), (LUIS, [PACIFICO]), (CARLA, [HORIZONTE, PLATA])):
        orders = listed(portal, person)
        assert {order["account"]["number"] for order in orders} == set(accounts)
        assert numbers(orders) == {one.number for one in seeded.documents_of(*accounts)}
        days = [order["orderedOn"] for order in orders]
        assert days == sorted(days, reverse=True)


def test_nobody_sees_anothers(portal: Gateway, seeded: Seeded) -> None:
    for document in seeded.documents_of(ANDINA)[:4]:
        assert portal.ask(DOCUMENT, {"number": document.number}, by=LUIS)["order"] is None


def test_orders_by_reference_date_and_status(portal: Gateway, seeded: Seeded) -> None:
    known = seeded.documents_of(ANDINA)
    by_reference = listed(portal, ANA, customerReference="50%")
    assert "70015" in numbers(by_reference)
    assert "70016" not in numbers(by_reference)
    days = {"from": "2026-03-01", "to": "2026-04-30"}
    assert numbers(listed(portal, ANA, orderedOn=days)) == {
        one.number for one in known if days["from"] <= one.ordered_on.isoformat() <= days["to"]
    }
    invoiced = {one.number for one in known if one.outcome in (Outcome.INVOICED, Outcome.PAID)}
    assert numbers(listed(portal, ANA, statuses=["INVOICED"])) == invoiced
    found = listed(
        portal, ANA, customerReference="oc-2026-010", orderedOn=days, statuses=["DELIVERED"]
    )
    assert {"70004", "70005"} <= numbers(found)
    assert {order["status"] for order in found} == {"DELIVERED"}


def test_an_order_with_what_followed_it(portal: Gateway) -> None:
    order = portal.ask(WHOLE, {"number": "70001"}, by=ANA)["order"]
    assert (Decimal(order["total"]["amount"]), order["total"]["currency"]) == (
        Decimal("1607568.75"),
        "COP",
    )
    assert order["shipTo"] == {"line1": "Calle 13 # 68-90", "city": "Bogotá", "country": "CO"}
    assert order["lines"]["totalCount"] == 2
    for line in order["lines"]["nodes"]:
        assert Decimal(line["deliveredQuantity"]) == Decimal(line["quantity"])
    (delivery,) = order["deliveries"]
    assert delivery["status"] == "DELIVERED"
    assert (delivery["plannedOn"], delivery["shippedOn"]) == ("2026-02-08", "2026-02-09")
    (invoice,) = order["invoices"]
    assert (invoice["issuedOn"], invoice["dueOn"]) == ("2026-02-10", "2026-03-12")
    assert Decimal(invoice["outstanding"]["amount"]) == 0


def test_the_same_documents_as_on_the_sandbox(
    portal: Gateway, gateway_server: Gateway, seeded: Seeded
) -> None:
    """The sandbox's orders that Tryton was given read alike from both."""
    assert {one.customer for one in seeded.shared} == {ANDINA, PACIFICO}
    for document in seeded.shared:
        person = ANA if document.customer == ANDINA else LUIS
        asked = {"number": document.number}
        there = gateway_server.ask(DOCUMENT, asked, by=person)["order"]
        here = portal.ask(DOCUMENT, asked, by=person)["order"]
        assert there is not None
        assert _compared(here) == _compared(there)


def _compared(order: dict[str, Any]) -> dict[str, Any]:
    """With amounts as numbers: 2.50 is 2.5."""
    for line in order["lines"]["nodes"]:
        line["quantity"] = Decimal(line["quantity"])
        line["total"]["amount"] = Decimal(line["total"]["amount"])
    return order
