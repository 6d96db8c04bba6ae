"""What the libraries alone make of it: Strawberry on graphql-core, httpx and aiodataloader behind
uvicorn, with the settings that their documentation shows.

python -m bench.gateways.plain --port N
"""

from __future__ import annotations

import argparse
import os
from datetime import date
from typing import Any
from urllib.parse import quote

import httpx
import strawberry
import uvicorn
from aiodataloader import DataLoader
from starlette.applications import Starlette
from starlette.requests import Request
from strawberry.asgi import GraphQL

_ACCOUNT, _CONTACT, _CUSTOMER = "'001SB00000ANDNAQA1'", "'003SB00000ANATQAA1'", "'17100001'"
_client = httpx.AsyncClient(base_url=os.environ.get("UPSTREAM", "http://127.0.0.1:9"))


async def _ask(path: str) -> Any:
    reply = await _client.get(path)
    reply.raise_for_status()
    return reply.json()


async def _soql(text: str) -> list[dict[str, Any]]:
    answer = await _ask("/services/data/v60.0/query?q=" + quote(text, safe=""))
    found: list[dict[str, Any]] = answer["records"]
    return found


async def _by_id(table: str, columns: str, ids: list[str]) -> list[dict[str, Any] | None]:
    listed = ",".join(f"'{one}'" for one in ids)
    rows = await _soql(f"SELECT Id,{columns} FROM {table} WHERE Id IN ({listed})")
    found = {row["Id"]: row for row in rows}
    return [found.get(one) for one in ids]


async def _contacts(ids: list[str]) -> list[Any]:
    return await _by_id("Contact", "Name,Email,Title", ids)


async def _accounts(ids: list[str]) -> list[Any]:
    return await _by_id("Account", "Name,AccountNumber", ids)


@strawberry.type
class Contact:
    name: str
    email: str | None
    job_title: str | None


def _contact(row: dict[str, Any]) -> Contact:
    return Contact(name=row["Name"], email=row["Email"], job_title=row.get("Title"))


@strawberry.type
class Account:
    name: str
    number: str | None


@strawberry.type
class Case:
    number: str | None
    subject: str
    team: str | None
    contact_id: strawberry.Private[str]
    account_id: strawberry.Private[str]

    @strawberry.field
    async def contact(self, info: strawberry.Info) -> Contact | None:
        row = await info.context["contacts"].load(self.contact_id)
        return _contact(row) if row else None

    @strawberry.field
    async def account(self, info: strawberry.Info) -> Account | None:
        row = await info.context["accounts"].load(self.account_id)
        return Account(name=row["Name"], number=row["AccountNumber"]) if row else None


def _case(row: dict[str, Any]) -> Case:
    return Case(
        number=row["CaseNumber"],
        subject=row["Subject"],
        team=row["Team__c"],
        contact_id=row["ContactId"],
        account_id=row["AccountId"],
    )


@strawberry.input
class DateRange:
    to: date | None = None


@strawberry.input
class CaseFilter:
    number: str | None = None
    created_on: DateRange | None = None


@strawberry.input
class OrderFilter:
    ordered_on: DateRange | None = None


def _until(days: DateRange | None, form: str) -> str:
    return form.format(days.to.isoformat()) if days and days.to else ""


@strawberry.type
class CaseConnection:
    nodes: list[Case]


@strawberry.type
class Product:
    code: str
    name: str


@strawberry.type
class OrderLine:
    position: str
    quantity: str
    unit: str
    product: Product


@strawberry.type
class OrderLineConnection:
    nodes: list[OrderLine]


@strawberry.type
class Order:
    number: str
    customer_reference: str | None
    rows: strawberry.Private[list[dict[str, Any]]]

    @strawberry.field
    def lines(self, first: int | None = None) -> OrderLineConnection:
        return OrderLineConnection(
            nodes=[
                OrderLine(
                    position=row["SalesOrderItem"],
                    quantity=row["RequestedQuantity"],
                    unit=row.get("RequestedQuantityUnit", ""),
                    product=Product(code=row["Material"], name=row["SalesOrderItemText"]),
                )
                for row in self.rows
            ]
        )


@strawberry.type
class OrderConnection:
    nodes: list[Order]


@strawberry.type
class NewsArticle:
    slug: str
    title: str


@strawberry.type
class NewsArticleConnection:
    nodes: list[NewsArticle]


@strawberry.type
class Viewer:
    contact: Contact | None


@strawberry.type
class Query:
    @strawberry.field
    async def viewer(self) -> Viewer | None:
        rows = await _soql(
            "SELECT ContactId,Contact.Name,Contact.Email FROM AccountContactRelation "
            f"WHERE ContactId IN ({_CONTACT})"
        )
        return Viewer(contact=_contact(rows[0]["Contact"]))

    @strawberry.field
    async def cases(
        self,
        first: int = 20,
        filter: CaseFilter | None = None,  # noqa: A002
    ) -> CaseConnection | None:
        until = _until(filter.created_on if filter else None, " AND CreatedDate < {}T05:00:00Z")
        number = ((filter and filter.number) or "").replace("\\", "\\\\").replace("'", "\\'")
        of = f" AND CaseNumber = '{number}'" if number else ""
        rows = await _soql(
            "SELECT Id,AccountId,CaseNumber,Subject,CreatedDate,Team__c,ContactId FROM Case "
            f"WHERE AccountId IN ({_ACCOUNT}){of}{until} "
            f"ORDER BY CreatedDate DESC,Id DESC LIMIT {first + 1}"
        )
        return CaseConnection(nodes=[_case(row) for row in rows[:first]])

    @strawberry.field
    async def orders(
        self,
        first: int = 20,
        filter: OrderFilter | None = None,  # noqa: A002
    ) -> OrderConnection | None:
        until = _until(
            filter.ordered_on if filter else None,
            "%20and%20SalesOrderDate%20le%20datetime'{}T00:00:00'",
        )
        answer = await _ask(
            "/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder?$select=SalesOrder,SoldToParty,"
            "SalesOrderDate,PurchaseOrderByCustomer,to_Item/SalesOrderItem,to_Item/Material,"
            "to_Item/SalesOrderItemText,to_Item/RequestedQuantity,to_Item/RequestedQuantityUnit"
            f"&$expand=to_Item&$filter=SoldToParty%20eq%20{_CUSTOMER}{until}"
            f"&$orderby=SalesOrderDate%20desc,SalesOrder%20desc&$top={first + 1}"
        )
        return OrderConnection(
            nodes=[
                Order(
                    number=row["SalesOrder"],
                    customer_reference=row["PurchaseOrderByCustomer"],
                    rows=row["to_Item"]["results"],
                )
                for row in answer["d"]["results"][:first]
            ]
        )

    @strawberry.field
    async def news(self, first: int = 20) -> NewsArticleConnection | None:
        rows = await _ask(
            "/wp-json/wp/v2/posts?_fields=id%2Cslug%2Ctitle%2Cdate_gmt&categories=8&orderby=date"
            f"&order=desc&per_page={first + 1}"
        )
        found = [NewsArticle(slug=row["slug"], title=row["title"]["rendered"]) for row in rows]
        return NewsArticleConnection(nodes=found[:first])


class Plain(GraphQL[Any, Any]):
    async def get_context(self, request: Any, response: Any) -> Any:
        return {"contacts": DataLoader(_contacts), "accounts": DataLoader(_accounts)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    app = Starlette()
    graphql: Any = Plain(strawberry.Schema(query=Query))
    app.mount("/graphql", graphql)
    app.add_route("/graphql", graphql)
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="error", access_log=False)


__all__ = ["Request", "main"]

if __name__ == "__main__":
    main()
