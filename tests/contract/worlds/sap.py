"""The sandbox's ERP, with a service for credit such as a company publishes one of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

from connectors.port.scope import AccountRef
from sandbox.people import CUSTOMERS
from tests.contract import boxed
from tests.contract.world import Facts, Filter, World, connectors

_CREDIT = "/sap/opu/odata/sap/ZCREDIT_SRV"

SETTINGS: dict[str, Any] = {
    "url": boxed.URL,
    "basic": {"user": "SANDBOX", "password": "sandbox-secret"},
    "credit": {
        "path": _CREDIT,
        "entity_set": "Positions",
        "customer": "Customer",
        "currency": "Currency",
        "limit": "Ceiling",
        "exposure": "Exposure",
    },
}
_TEXT = re.compile(r"'(?:[^']|'')*'")
_CUSTOMER = re.compile(r"Customer eq '(\d+)'")


class _WithCredit(httpx.AsyncBaseTransport):
    """The sandbox has no service for credit, since there is none that is the same everywhere."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith(_CREDIT):
            return await self._inner.handle_async_request(request)
        asked = _CUSTOMER.findall(request.url.params.get("$filter", ""))
        results = [
            {
                "Customer": one.number.rjust(10, "0"),
                "Currency": one.currency,
                "Ceiling": f"{place + 1}0000",
                "Exposure": "1234",
            }
            for place, one in enumerate(CUSTOMERS)
            if one.number in asked
        ]
        return httpx.Response(200, json={"d": {"results": results}})


def world(database: Path) -> World:
    return World(
        connector=connectors()["sap"],
        settings=SETTINGS,
        facts=_facts(database),
        transport=lambda: _WithCredit(boxed.way(database)),
        # Items by order, then headers by customer.
        calls={"deliveries_by_order": 2, "invoices_by_order": 2},
        given={"Order": frozenset({"number"})},
        structure=lambda request: _TEXT.sub("?", unquote(request.url.raw_path.decode())),
    )


def _unknown(kind: str, number: int) -> Any:
    if kind == "account_ref":
        return AccountRef(f"001ZZ0000{number:06}AAA", f"9{number:07}", "CO")
    return f"99{number:06}"


def _facts(database: Path) -> Facts:
    def found(customers: Any) -> dict[str, list[Any]]:
        sold_to = ", ".join(f"'{one.number.rjust(10, '0')}'" for one in customers)
        orders = f"SELECT SalesOrder FROM erp_sales_order WHERE SoldToParty IN ({sold_to})"
        shown = f"SELECT ltrim(SalesOrder, '0') FROM ({orders}) ORDER BY 1"
        delivered = "SELECT DISTINCT ltrim(ReferenceSDDocument, '0') FROM erp_delivery_item"
        billed = (
            "SELECT DISTINCT ltrim(SalesDocument, '0') FROM erp_billing_document_item NATURAL JOIN"
            " erp_billing_document WHERE SDDocumentCategory NOT IN ('N', 'O', 'S', 'U')"
            " AND NOT BillingDocumentIsCancelled"
        )
        return {
            "order": boxed.column(database, shown),
            "order_number": boxed.column(database, shown),
            "delivered_order": boxed.column(
                database,
                f"{delivered} WHERE ReferenceSDDocument IN ({orders})",
            ),
            "billed_order": boxed.column(database, f"{billed} AND SalesDocument IN ({orders})"),
            "account_ref": [boxed.ref(one) for one in customers],
        }

    own, foreign = found(boxed.OWN), found(boxed.FOREIGN)
    quoted = (
        "SELECT PurchaseOrderByCustomer FROM erp_sales_order WHERE ltrim(SoldToParty, '0') = ?"
        " AND PurchaseOrderByCustomer LIKE '%''%' ORDER BY SalesOrder DESC"
    )
    references = [
        boxed.column(database, quoted, one[0].number)[0] for one in (boxed.OWN, boxed.FOREIGN)
    ]
    return Facts(
        scope=boxed.SCOPE,
        others=boxed.OTHERS,
        own=own,
        foreign=foreign,
        unknown=_unknown,
        filters={
            "find_orders": [
                Filter({"number": own["order"][0]}, {"number": foreign["order"][0]}),
                Filter({"search": own["order"][0]}, {"search": foreign["order"][0]}),
                Filter(
                    {"customer_reference": references[0]}, {"customer_reference": references[1]}
                ),
            ]
        },
        totals={"find_orders": len(own["order"])},
    )
