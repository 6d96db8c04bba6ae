"""The examples that ship with the connector are what it reads."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.port.errors import Rejected
from connectors.port.records import (
    Address,
    Delivery,
    DeliveryStatus,
    Invoice,
    Money,
    Order,
    OrderLine,
    OrderStatus,
    Product,
)
from connectors.systems import sap
from connectors.systems.sap.settings import Settings
from tests.connectors.sap.fake import ORDERS_V2, FakeSap, always, order
from tests.connectors.sap.opened import ANDINA, EVERYTHING, ONE, opened, query

pytestmark = pytest.mark.anyio

FOLDER = Path(sap.__file__).parent
TYPES = {".json": "application/json;charset=utf-8", ".xml": "application/xml;charset=utf-8"}


def answering(*names: str, status: int = 200) -> FakeSap:
    fake = FakeSap()
    for name in names:
        path = FOLDER / "examples" / name
        headers = {"content-type": TYPES[path.suffix]}
        reply = httpx.Response(status, content=path.read_bytes(), headers=headers)
        fake.first.append(always(reply))
    return fake


def cop(amount: str) -> Money:
    return Money(Decimal(amount), "COP")


ORDER = Order(
    id="4500117",
    owner=ANDINA,
    number="4500117",
    customer_reference="PO 4512/B O'Brien",
    status=OrderStatus.IN_DELIVERY,
    ordered_on=date(2026, 3, 1),
    requested_delivery_on=None,
    subtotal=cop("1840500.00"),
    freight=None,
    tax=cop("349695.00"),
    total=cop("2190195.00"),
    lines=(
        OrderLine(
            "10",
            Product("PLA-RH-15", "Placa resistente a la humedad 15 mm"),
            Decimal(30),
            "ST",
            cop("60016.6667"),
            cop("1800500.00"),
            Decimal(12),
        ),
        OrderLine(
            "20",
            Product("SRV-CORTE", "Corte a medida"),
            Decimal(0),
            "H",
            None,
            cop("40000.00"),
            Decimal(0),
        ),
    ),
)


@pytest.mark.parametrize("version", ["v2", "v4"])
async def test_orders_of_either_version_are_the_same_record(version: str) -> None:
    fake = answering(f"orders_{version}.json")
    fields = EVERYTHING - {"ship_to"}
    async with opened(fake, sales_orders=version) as erp:
        page = await erp.orders.find_orders(query(ONE, fields=fields, with_total=True))
    assert list(page.items) == [ORDER]
    assert page.total == 1


async def test_what_followed_the_order() -> None:
    fields = frozenset({"status", "planned_on", "shipped_on", "issued_on", "total", "outstanding"})
    async with opened(answering("delivery_items.json", "delivery_headers.json")) as erp:
        delivered = await erp.orders.deliveries_by_order(["4500117"], fields, ONE)
    shipped = Delivery("80000412", DeliveryStatus.SHIPPED, date(2026, 3, 4), date(2026, 3, 5))
    assert delivered == [[shipped]]
    async with opened(answering("billing_items.json", "billing_headers.json")) as erp:
        billed = await erp.orders.invoices_by_order(["4500117"], fields, ONE)
    owed = cop("2142595.00")
    assert billed == [[Invoice("90000231", date(2026, 3, 6), total=owed, outstanding=owed)]]


async def test_addresses() -> None:
    async with opened(answering("business_partners.json")) as erp:
        found = await erp.orders.shipping_addresses_by_account([ANDINA], ONE)
    assert found == [[Address("Carrera 11 82-71", "Bodega 4", "Bogotá", "11", "110221", "CO")]]


async def test_refusals() -> None:
    fake = answering("error_v2.xml", status=400)
    fake.tables[ORDERS_V2, "A_SalesOrder"] = [order("4500001")]
    fake.lacks = {"HeaderBillingBlockReason"}
    async with opened(fake) as erp:
        page = await erp.orders.find_orders(query(ONE, fields={"status"}))
    assert len(page.items) == 1
    assert len(fake.asked) == 3
    async with opened(answering("error_v4.json", status=400), sales_orders="v4") as erp:
        with pytest.raises(Rejected) as refused:
            await erp.orders.find_orders(query(ONE))
    assert refused.value.detail == "SY/530: The request could not be processed"
    assert "SY/530" not in str(refused.value)


# ------------------------------------------------------------------------------------- settings


def example() -> dict[str, Any]:
    table = tomllib.loads((FOLDER / "examples" / "settings.toml").read_text())["systems"]["erp"]
    assert table.pop("connector") == sap.connector.name
    return dict(table)


def test_the_example_settings_are_whole_and_valid() -> None:
    table = example()
    read = msgspec.convert(table, Settings)
    assert read.deliveries.carrier == "MeansOfTransport"
    assert set(Settings.__struct_fields__) - set(table) == {"oauth", "sap_client"}


def test_the_readme_explains_every_key() -> None:
    readme = (FOLDER / "README.md").read_text()
    missing = [name for name in Settings.__struct_fields__ if f"`{name}`" not in readme]
    assert missing == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"oauth": {"token_url": "u", "client_id": "c", "client_secret": "s"}}, "either"),
        ({"basic": None}, "Expected `object`|either"),
        ({"url": "https://h/path"}, "without a path"),
        ({"url": "https://user:pw@h"}, "without a path"),
        ({"url": "h"}, "without a path"),
        ({"sap_client": "1"}, "three digits"),
        ({"language": "en\r\nx: y"}, "language tag"),
        ({"url_limit_bytes": 10}, "url_limit_bytes"),
        ({"max_pages": 0}, "max_pages"),
        ({"services": {"sales_order": "/a/../b"}}, "not a path"),
        ({"services": {"sales_order": "/a?x"}}, "not a path"),
        ({"status_rules": [{"status": "OPEN", "when": {"a b": ["C"]}}]}, "not the name"),
        ({"status_rules": [{"status": "OPEN", "when": {}}]}, "needs a property"),
        ({"status_rules": [{"status": "LOST", "when": {"A": ["C"]}}]}, "status"),
        ({"deliveries": {"carrier": "x y"}}, "not the name"),
        ({"deliveries": {"tracking": "X"}}, "together"),
        ({"deliveries": {"tracking": "X", "tracking_url": "javascript:{tracking}"}}, "https"),
        ({"credit": {"path": "/x", "entity_set": "a b", "customer": "c", "currency": "d"}}, "name"),
        ({"sales_orders": "v3"}, "sales_orders"),
        ({"pasword": "x"}, "pasword"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], named: str) -> None:
    table = {**example(), **change}
    with pytest.raises(msgspec.ValidationError, match=named) as caught:
        msgspec.convert(table, Settings)
    assert "change-me" not in str(caught.value)
