"""What running an operation costs, from the checked document to the encoded answer, by plan and on
graphql-core: the real schema, checks and guards, on systems that answer from memory at once.

python -m bench.execution
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from connectors.port.fields import Fields
from connectors.port.pages import Page
from connectors.port.queries import CaseQuery, OrderQuery
from connectors.port.records import (
    Account,
    Case,
    CaseStatus,
    Contact,
    Order,
    OrderLine,
    OrderStatus,
    Product,
)
from connectors.port.scope import AccountRef, Scope
from gateway.operations.requests import Request, encoded
from gateway.operations.run import Operations, Ready
from gateway.sources.guarded import GuardedCases, GuardedCustomers, GuardedOrders
from schema.cases.catalogue import Catalogue
from schema.context import Caller, Context, Sources
from schema.root import SCHEMA
from schema.support.desks import Desks

_NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
_ROOT = Path(__file__).parent.parent
#: Rounds, and the time that one of a round's measurements takes at least, in seconds.
_ROUNDS, _SECONDS = 7, 0.15

_OWNER = AccountRef("A1", "100", "CO")
_CATALOGUE = Catalogue.read(_ROOT / "content" / "catalogue.toml")
_DESKS = Desks.read(_ROOT / "content" / "desks.toml", ZoneInfo("America/Bogota"))
_CALLER = Caller("C1", "ana@x.example", "Ana", (), Scope([_OWNER]), _NOW + timedelta(hours=1))

DOCUMENTS = {
    "a tiny one": "{ cases(first: 1) { nodes { number subject } } }",
    "50 cases with contact and account": "query ($first: Int) { cases(first: $first) { nodes { id"
    " number subject status createdAt contact { id name email } account { id name number } } } }",
    "100 orders of 5 lines": "{ orders(first: 100) { nodes { id number customerReference"
    " lines(first: 20) { nodes { position quantity unit product { code name } } } } } }",
}


class _Customers:
    async def accounts_by_id(self, ids: Sequence[str], *_: object) -> list[Account | None]:
        return [Account(key, _OWNER, "100", "Andina") for key in ids]

    async def contacts_by_id(self, ids: Sequence[str], *_: object) -> list[Contact | None]:
        return [Contact(key, _OWNER, "Ana Torres", email="ana@x.example") for key in ids]


class _Cases:
    async def find_cases(self, query: CaseQuery) -> Page[Case]:
        return Page(_CASES[: query.part.limit])


class _Orders:
    async def find_orders(self, query: OrderQuery) -> Page[Order]:
        return Page(_ORDERS[: query.part.limit])

    async def lines_by_order(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[OrderLine]]:
        return [_LINES for _ in ids]


_CASES = [
    Case(
        f"case-{n}",
        _OWNER,
        f"{n:08}",
        subject=f"Subject {n}",
        status=CaseStatus.NEW,
        created_at=_NOW,
        contact_id=f"contact-{n % 7}",
    )
    for n in range(50)
]
_LINES = [
    OrderLine(f"{n}0", Product(f"P-{n}", f"Product {n}"), Decimal("12.000"), "PC") for n in range(5)
]
_ORDERS = [
    Order(
        f"order-{n}",
        _OWNER,
        f"{n:010}",
        f"reference {n}",
        OrderStatus.OPEN,
        _NOW.date(),
    )
    for n in range(100)
]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to run operations."""

    name: str
    operations: Operations

    async def once(self, request: Request) -> bytes:
        ready = self.operations.prepare(request)
        if not isinstance(ready, Ready):
            raise SystemExit(f"refused: {ready.body}")
        outcome = await self.operations.run(ready, _context())
        if "errors" in outcome.body:
            raise SystemExit(f"failed: {outcome.body}")
        return encoded(outcome.body)

    async def cost(self, request: Request) -> float:
        """Microseconds of CPU for one operation."""
        count, begun = 0, time.process_time()
        while time.process_time() - begun < _SECONDS:
            await self.once(request)
            count += 1
        return (time.process_time() - begun) / count * 1e6


def main() -> None:
    print(f"{_processor()}, Python {sys.version.split()[0]}\n")
    print(f"{'microseconds of CPU for one':36}{'graphql-core':>14}{'plan':>10}{'ratio':>8}")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_measured())


async def _measured() -> None:
    graph = SCHEMA._schema  # noqa: SLF001 - strawberry offers no other way to it
    ways = [Way("graphql-core", Operations(graph, compiled=False)), Way("plan", Operations(graph))]
    for name, document in DOCUMENTS.items():
        request = Request(document, variables={"first": 50})
        answers = [await way.once(request) for way in ways]
        if answers[0] != answers[1]:
            raise SystemExit(f"the answers to {name} differ")
        gc.collect()
        gc.freeze()
        rounds = [[await way.cost(request) for way in ways] for _ in range(_ROUNDS)]
        slow, quick = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{name:36}{slow:14.0f}{quick:10.0f}{slow / quick:8.1f}")


def _context() -> Context:
    sources = Sources(
        customers=GuardedCustomers(cast("Any", _Customers())),
        cases=GuardedCases(cast("Any", _Cases())),
        orders=GuardedOrders(cast("Any", _Orders())),
        news=cast("Any", None),
        questions=cast("Any", None),
    )
    return Context(sources, _CATALOGUE, _DESKS, lambda: _NOW, _CALLER)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()}, {os.cpu_count()} CPUs"
    return f"{os.cpu_count()} CPUs"


if __name__ == "__main__":
    main()
