"""What a real Tryton answered, kept in the connector's folder, becomes what its README says."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.port.errors import Refused
from connectors.port.records import (
    AccountRef,
    DeliveryStatus,
    MembershipRole,
    Money,
    OrderStatus,
)
from connectors.port.scope import Scope
from connectors.systems import tryton
from connectors.systems.tryton.settings import TrytonSettings
from tests.connectors.tryton.fake_tryton import Opener

EXAMPLES = Path(tryton.__file__).with_name("examples")


def example(name: str) -> Any:
    return msgspec.json.decode((EXAMPLES / name).read_bytes())


@pytest.mark.anyio
async def test_a_sale(opened: Opener) -> None:
    andina = AccountRef("2", "17100001", "CO")
    fake = await opened(example("sales.json"))
    fields = frozenset(
        {"number", "customer_reference", "status", "ordered_on", "total", "ship_to"}
        | {"lines.product", "lines.delivered_quantity", "lines.total", "deliveries.status"}
        | {"invoices.due_on", "invoices.outstanding"}
    )
    (order,) = await fake.orders.orders_by_number(["70001"], fields, Scope([andina]))
    assert order is not None
    assert (order.owner, order.customer_reference) == (andina, "OC-2026-0101")
    assert (order.status, order.ordered_on) == (OrderStatus.INVOICED, date(2026, 2, 3))
    total = Money(Decimal("1607568.75"), "COP")
    assert order.total == total
    assert sum(line.total.amount for line in order.lines if line.total) == total.amount
    assert [line.product.code for line in order.lines] == ["PL-STD-127", "MS-20"]
    assert [line.delivered_quantity for line in order.lines] == [Decimal(40), Decimal("12.5")]
    assert [one.status for one in order.deliveries] == [DeliveryStatus.DELIVERED]
    assert [(one.due_on, one.outstanding) for one in order.invoices] == [
        (date(2026, 3, 12), Money(Decimal(0), "COP"))
    ]


@pytest.mark.anyio
async def test_a_person(opened: Opener) -> None:
    fake = await opened(example("people.json"))
    found = await fake.customers.identity_by_email("CARLA.mendes@horizonte.example")
    assert found is not None
    assert (found.name, found.locale) == ("Carla Mendes", "pt")
    assert [(one.account.number, one.account.country, one.role) for one in found.memberships] == [
        ("17100005", "BR", MembershipRole.ADMIN),
        ("17100004", "AR", MembershipRole.MEMBER),
    ]


@pytest.mark.anyio
async def test_a_refusal(opened: Opener) -> None:
    fake = await opened(httpx.Response(400, json=example("refused.json")))
    with pytest.raises(Refused) as caught:
        await fake.system.check()
    assert "Sale" not in str(caught.value)
    assert "Sale" in (caught.value.detail or "")


def test_settings_with_and_without_what_is_commented_out() -> None:
    text = (EXAMPLES / "settings.toml").read_text()
    lines = text.splitlines()
    words = [line.removeprefix("# ") if _is_setting(line) else line for line in lines]
    assert _settings(text).company == 1
    settings = _settings("\n".join(words))
    assert len(settings.statuses) == 3
    plain = msgspec.convert({"url": settings.url, "database": "d", "key": "k"}, TrytonSettings)
    assert (settings.relations, settings.deliveries) == (plain.relations, plain.deliveries)
    assert (settings.language, settings.dated_by, settings.number_digits) == (
        plain.language,
        plain.dated_by,
        plain.number_digits,
    )


def _settings(text: str) -> TrytonSettings:
    table = tomllib.loads(text)["systems"]["erp"]
    assert table.pop("connector") == "tryton"
    return msgspec.convert(table, TrytonSettings)


def _is_setting(line: str) -> bool:
    return line.startswith(("# [", '# "')) or (line.startswith("# ") and " = " in line)
