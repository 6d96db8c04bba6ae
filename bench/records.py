"""What it costs to turn a system's answer into records, and to ask for it: no wire, one process.

python -m bench.records [--profile]

50 cases with contact and account from the CRM, 100 orders of 5 lines from the ERP. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.catalog import start
from connectors.kit.connector import Wiring
from connectors.kit.wire import Headers, Incoming, Outgoing
from connectors.port.pages import Slice
from connectors.port.queries import CaseQuery, OrderQuery
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import CaseSource, OrderSource, System
from gateway.sources.cached import Answers
from gateway.sources.freshness import CacheSettings
from gateway.sources.guarded import GuardedCases, GuardedOrders

OWNER = AccountRef("001A000001aaaaaIAA", "100001", "CO")
SCOPE = Scope([OWNER])
CASE_FIELDS = frozenset(
    "number subject status category created_at contact.name contact.email contact account"
    " account.name account.number".split()
)
ORDER_FIELDS = frozenset(
    "number status ordered_on total customer_reference lines lines.position lines.product"
    " lines.quantity lines.unit lines.unit_price lines.total".split()
)
CRM: Mapping[str, Any] = {
    "connector": "salesforce",
    "url": "http://crm.example",
    "login": {"grant": "client_credentials", "client_id": "x", "client_secret": "y"},
}
ERP: Mapping[str, Any] = {
    "connector": "sap",
    "url": "http://erp.example",
    "basic": {"user": "x", "password": "y"},
}


def cases(count: int = 50) -> bytes:
    """As the CRM answers, with the attributes that it adds to each object."""
    rows = []
    for n in range(count):
        account = {
            "attributes": {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{n}"},
            "Name": "Constructora Andina S.A.S.",
            "AccountNumber": "100001",
        }
        contact = {
            "attributes": {"type": "Contact", "url": f"/services/data/v62.0/sobjects/Contact/{n}"},
            "AccountId": OWNER.id,
            "Name": f"Ana Torres {n}",
            "Email": f"ana.torres{n}@andina.example",
        }
        rows.append(
            {
                "attributes": {"type": "Case", "url": f"/services/data/v62.0/sobjects/Case/{n}"},
                "Id": f"500A00000{n:06d}IAA",
                "AccountId": OWNER.id,
                "CaseNumber": f"{n:08d}",
                "Type": "Claim",
                "Subject": f"El pedido {n} llegó incompleto",
                "CreatedDate": f"2026-11-{n % 27 + 1:02d}T10:15:{n % 60:02d}.000+0000",
                "Status": "New",
                "IsClosed": False,
                "ContactId": f"003A00000{n % 7:06d}IAA",
                "Contact": contact,
                "Account": account,
            }
        )
    return json.dumps({"totalSize": count, "done": True, "records": rows}).encode()


def orders(count: int = 100, lines: int = 5) -> bytes:
    """As the ERP answers in OData V2."""
    rows = []
    for n in range(count):
        items = [
            {
                "__metadata": {"uri": f"http://erp.example/A_SalesOrderItem('{n}','{i}')"},
                "SalesOrderItem": f"{(i + 1) * 10}",
                "Material": f"{1000 + i:018d}",
                "SalesOrderItemText": f"Lámina ondulada {i}",
                "RequestedQuantity": f"{i + 1}.000",
                "RequestedQuantityUnit": "EA",
                "NetAmount": f"{(i + 1) * 1250}.00",
                "TaxAmount": f"{(i + 1) * 200}.00",
                "SalesDocumentRjcnReason": "",
                "TransactionCurrency": "COP",
            }
            for i in range(lines)
        ]
        rows.append(
            {
                "__metadata": {"uri": f"http://erp.example/A_SalesOrder('{n}')"},
                "SalesOrder": f"{4500000000 + n}",
                "SoldToParty": OWNER.number,
                "SalesOrderDate": f"/Date({1793923200000 - n * 86400000})/",
                "PurchaseOrderByCustomer": f"OC-{n}",
                "TotalNetAmount": "18750.00",
                "TransactionCurrency": "COP",
                "OverallSDProcessStatus": "A",
                "HeaderBillingBlockReason": "",
                "OverallTotalDeliveryStatus": "",
                "OverallOrdReltdBillgStatus": "",
                "OverallSDDocumentRejectionSts": "A",
                "TotalBlockStatus": "",
                "DeliveryBlockReason": "",
                "to_Item": {"results": items},
            }
        )
    return json.dumps({"d": {"results": rows}}).encode()


class Canned:
    """A wire that answers everything with the same bytes, but for whoever asks for a token."""

    def __init__(self, body: bytes) -> None:
        headers = Headers([("content-type", "application/json")])
        self._answer = Incoming(200, headers, body)
        self._token = Incoming(200, headers, b'{"access_token":"t"}')

    async def exchange(self, request: Outgoing, cap: int) -> Incoming:
        return self._token if "token" in request.url else self._answer

    async def close(self) -> None:
        return None


async def opened(name: str, table: Mapping[str, Any], body: bytes, part: str) -> System:
    """A system whose client has a canned wire. part: the source that holds the client."""
    system = await start(name, dict(table), Wiring())
    source: Any = getattr(system, part)
    source._client._http._wire = Canned(body)  # noqa: SLF001 - nothing of the wire is measured
    return system


async def _measure(profile: bool) -> None:
    crm = await opened("crm", CRM, cases(), "cases")
    erp = await opened("erp", ERP, orders(), "orders")
    found_cases, found_orders = crm.cases, erp.orders
    if found_cases is None or found_orders is None:
        raise TypeError
    answers = Answers(CacheSettings())
    await _line("50 cases, contact, account", _cases(found_cases), profile)
    await _line("the same, once and guarded", _cases(_walled(answers, crm).cases), profile)
    await _line("100 orders of 5 lines", _orders(found_orders), profile)
    await _line("the same, once and guarded", _orders(_walled(answers, erp).orders), profile)
    await answers.close()
    await crm.close()
    await erp.close()


@dataclass(frozen=True, slots=True)
class _Walled:
    cases: CaseSource
    orders: OrderSource


def _walled(answers: Answers, system: System) -> _Walled:
    """As the graph asks: equal questions once, owners checked again."""
    cases, orders = (answers.before(one, "x") for one in (system.cases, system.orders))
    return _Walled(GuardedCases(cases), GuardedOrders(orders))


def _cases(source: CaseSource) -> Callable[[], Awaitable[int]]:
    query = CaseQuery(SCOPE, CASE_FIELDS, Slice(50))

    async def ask() -> int:
        return len((await source.find_cases(query)).items)

    return ask


def _orders(source: OrderSource) -> Callable[[], Awaitable[int]]:
    query = OrderQuery(SCOPE, ORDER_FIELDS, Slice(100))

    async def ask() -> int:
        return len((await source.find_orders(query)).items)

    return ask


async def _line(name: str, ask: Callable[[], Awaitable[int]], profile: bool) -> None:
    found = await ask()
    times = []
    for _ in range(9):
        began = time.process_time()
        for _ in range(20):
            await ask()
        times.append((time.process_time() - began) / 20 * 1e6)
    print(f"{name:30}{found:6} records{statistics.median(times):9.0f} us")
    if profile:
        profiler = cProfile.Profile()
        profiler.enable()
        for _ in range(20):
            await ask()
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, microseconds of CPU a question, medians")
    asyncio.run(_measure(options.profile))


if __name__ == "__main__":
    main()
