"""Opens the connector on a transport of the tests, as the catalog would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx

from connectors.kit.connector import Call, Wiring
from connectors.port.pages import Slice
from connectors.port.queries import OrderQuery
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import OrderSource, System
from connectors.systems.sap import connector

URL = "https://erp.example"
SECRET = "pass-phrase-5d1"
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)

ANDINA = AccountRef("acc-1", "17100001", "CO")
PACIFICO = AccountRef("acc-2", "17100002", "PE")
BOTH = Scope([ANDINA, PACIFICO])
ONE = Scope([ANDINA])

EVERYTHING = frozenset(
    "number customer_reference status ordered_on requested_delivery_on ship_to subtotal freight "
    "tax total lines lines.position lines.product lines.quantity lines.unit lines.unit_price "
    "lines.total lines.delivered_quantity".split()
)


@dataclass
class Opened:
    """orders: the source under test. calls: what the wiring heard of, in order."""

    system: System
    orders: OrderSource
    calls: list[Call]


@asynccontextmanager
async def opened(
    transport: httpx.AsyncBaseTransport, *, clock: Callable[[], datetime] = lambda: NOW, **raw: Any
) -> AsyncIterator[Opened]:
    """The connector under a table of settings, over the transport. No test waits for a retry."""
    calls: list[Call] = []

    async def at_once(seconds: float) -> None:
        return None

    table = {"url": URL, "basic": {"user": "GATEWAY", "password": SECRET}, **raw}
    wiring = Wiring(transport=transport, clock=clock, sleep=at_once, heard=calls.append)
    system = await connector.start("erp", {k: v for k, v in table.items() if v is not None}, wiring)
    assert system.orders is not None
    try:
        yield Opened(system, system.orders, calls)
    finally:
        await system.close()


def query(scope: Scope = BOTH, limit: int = 25, **more: Any) -> OrderQuery:
    part = more.pop("part", Slice(limit))
    fields = frozenset(more.pop("fields", {"number"}))
    return OrderQuery(scope, fields, part, **more)


def on(day: int) -> date:
    return date(2026, 3, day)
