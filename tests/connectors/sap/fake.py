"""An SAP of a few tables in memory, that answers OData V2 and V4 and remembers what it was asked.

Conditions are decided by the reader of the OData tests, which shares nothing with the builder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx

from tests.connectors.odata.reader import met, parse

ORDERS_V2 = "/sap/opu/odata/sap/API_SALES_ORDER_SRV"
ORDERS_V4 = "/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/salesorder/0001"
DELIVERIES = "/sap/opu/odata/sap/API_OUTBOUND_DELIVERY_SRV"
BILLING = "/sap/opu/odata/sap/API_BILLING_DOCUMENT_SRV"
PARTNERS = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"

Row = dict[str, Any]
_RENAMED = {
    "to_Item": "_Item",
    "to_Partner": "_Partner",
    "to_ScheduleLine": "_ScheduleLine",
    "Material": "Product",
    "RequestedQuantityUnit": "RequestedQuantitySAPUnit",
    "OverallTotalDeliveryStatus": "OverallDeliveryStatus",
}


def order(number: str, sold_to: str = "17100001", **more: Any) -> Row:
    """An order's row in V2's words, with everything that a release has."""
    return {
        "SalesOrder": number,
        "SoldToParty": sold_to,
        "SalesOrderDate": date(2026, 3, 1),
        "PurchaseOrderByCustomer": "OC-2026-0117",
        "RequestedDeliveryDate": date(2026, 3, 10),
        "TotalNetAmount": Decimal("100.000"),
        "TransactionCurrency": "PEN",
        "OverallSDProcessStatus": "A",
        "OverallTotalDeliveryStatus": "A",
        "OverallOrdReltdBillgStatus": "A",
        "OverallSDDocumentRejectionSts": "A",
        "TotalBlockStatus": "",
        "DeliveryBlockReason": "",
        "HeaderBillingBlockReason": "",
        "to_Item": [item(10)],
        "to_Partner": [partner("AG", sold_to), partner("SH", sold_to)],
        **more,
    }


def item(position: int, **more: Any) -> Row:
    return {
        "SalesOrderItem": str(position),
        "Material": "PLA-ST-12",
        "SalesOrderItemText": "Placa estándar 12,7 mm",
        "RequestedQuantity": Decimal(4),
        "RequestedQuantityUnit": "ST",
        "NetAmount": Decimal("100.000"),
        "TaxAmount": Decimal("18.000"),
        "TransactionCurrency": "PEN",
        "SalesDocumentRjcnReason": "",
        "to_ScheduleLine": [
            {"DeliveredQtyInOrderQtyUnit": Decimal("1.000")},
            {"DeliveredQtyInOrderQtyUnit": Decimal("2.000")},
        ],
        **more,
    }


def partner(function: str, customer: str) -> Row:
    return {
        "PartnerFunction": function,
        "Customer": customer,
        "to_Address": [
            {
                "AddressRepresentationCode": "",
                "StreetName": "Av. Javier Prado Este",
                "HouseNumber": "4200",
                "StreetPrefixName1": "Puerta 3",
                "DistrictName": "Surco",
                "CityName": "Lima",
                "Region": "15",
                "PostalCode": "15023",
                "Country": "PE",
            }
        ],
    }


@dataclass
class FakeSap(httpx.AsyncBaseTransport):
    """tables: rows by service and V2's name of the entity set. lacks: properties and navigations
    that this release does not have. page: rows the server gives at most at a time. first: what to
    answer instead, called in turn; None leaves the call to the tables. logons: the credential of
    each call as it was sent, since a call that is made again is the same request."""

    tables: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    lacks: set[str] = field(default_factory=set)
    page: int | None = None
    first: list[Callable[[httpx.Request], httpx.Response | None]] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    logons: list[str] = field(default_factory=list)
    token: str = "t-1"
    parts: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request)
        self.logons.append(request.headers.get("authorization", ""))
        if self.first and (instead := self.first.pop(0)(request)) is not None:
            return instead
        path, query = request.url.path, request.url.query.decode()
        return self._answer(request, path, query)

    @property
    def targets(self) -> list[str]:
        """What was asked, decoded, without the path of the service."""
        return [
            unquote(str(request.url).rpartition("/")[2] if "?" not in str(request.url) else
                    request.url.path.rpartition("/")[2] + "?" + request.url.query.decode())
            for request in self.asked
        ]  # fmt: skip

    def options(self, index: int = -1) -> dict[str, str]:
        """The system options of one call, decoded."""
        pairs = self.asked[index].url.query.decode().split("&")
        return {unquote(k): unquote(v) for k, _, v in (pair.partition("=") for pair in pairs)}

    # ---------------------------------------------------------------------------------- answers

    def _answer(self, request: httpx.Request, path: str, query: str) -> httpx.Response:
        root = next(
            r for r in (ORDERS_V2, ORDERS_V4, DELIVERIES, BILLING, PARTNERS) if path.startswith(r)
        )
        rest = path[len(root) :].strip("/")
        v4 = root == ORDERS_V4
        if rest == "":
            headers = {
                "x-csrf-token": self.token,
                "set-cookie": f"SAP_SESSIONID_X_100={self.token}; path=/",
            }
            return httpx.Response(200, json={"d": {"EntitySets": []}}, headers=headers)
        if rest == "$metadata":
            return httpx.Response(
                200, text=self._metadata(root), headers={"content-type": "application/xml"}
            )
        if rest == "$batch":
            return self._batch(request, root)
        name, _, count = rest.partition("/")
        options = {
            unquote(k): unquote(v) for k, _, v in (p.partition("=") for p in query.split("&"))
        }
        missing = next(
            (
                lack
                for lack in sorted(self.lacks)
                if any(re.search(rf"\b{lack}\b", v) for v in options.values())
            ),
            None,
        )
        if missing is not None:
            return httpx.Response(
                400,
                json={
                    "error": {
                        "code": "005056A509B11EE1B9A8FEC11C21D78E",
                        "message": {"lang": "en", "value": f"Property {missing} not found in type"},
                    }
                },
            )
        rows = self._found(root, name, options, v4)
        if count == "$count":
            return httpx.Response(200, text=str(len(rows)))
        return httpx.Response(200, json=self._listed(rows, request, name, options, v4))

    def _found(self, root: str, name: str, options: Mapping[str, str], v4: bool) -> list[Row]:
        own = "A_SalesOrder" if v4 else name
        rows = [
            _renamed(row) if v4 else row
            for row in self.tables.get((ORDERS_V2 if v4 else root, own), [])
        ]
        if "$filter" in options:
            tree = parse(options["$filter"])
            rows = [row for row in rows if met(tree, _texts(row))]
        for by in reversed(options.get("$orderby", "").split(",")):
            if by:
                column, _, direction = by.partition(" ")
                rows = sorted(rows, key=lambda row: row[column], reverse=direction == "desc")
        return rows

    def _listed(
        self,
        rows: Sequence[Row],
        request: httpx.Request,
        name: str,
        options: Mapping[str, str],
        v4: bool,
    ) -> Row:
        whole, skip = len(rows), int(options.get("$skiptoken", 0))
        top = int(options.get("$top", whole))
        end = min(top, skip + self.page) if self.page else top
        shown = [_shaped_v4(r, options) if v4 else _shaped_v2(r, options) for r in rows[skip:end]]
        more = None
        if end < min(top, whole):
            left = [p for p in request.url.query.decode().split("&") if "skiptoken" not in p]
            more = "&".join([*left, f"$skiptoken={end}"])
        if v4:
            body: Row = {"@odata.context": "$metadata", "value": shown}
            if "$count" in options:
                body["@odata.count"] = whole
            if more:
                body["@odata.nextLink"] = f"{name}?{more}"
            return body
        inner: Row = {"results": shown}
        if "$inlinecount" in options:
            inner["__count"] = str(whole)
        if more:
            inner["__next"] = f"https://{request.url.host}{request.url.path}?{more}"
        return {"d": inner}

    def _batch(self, request: httpx.Request, root: str) -> httpx.Response:
        sent = (request.headers.get("x-csrf-token"), request.headers.get("cookie"))
        if sent != (self.token, f"SAP_SESSIONID_X_100={self.token}"):
            return httpx.Response(
                403, text="CSRF token validation failed", headers={"x-csrf-token": "Required"}
            )
        lines = ["HTTP/1.1"]
        for target in re.findall(
            r"^GET (\S+) HTTP/1\.1\r?$", request.content.decode(), re.MULTILINE
        ):
            self.parts.append(unquote(target))
            path, _, query = target.partition("?")
            part = self._answer(request, f"{root}/{path}", query)
            lines += [
                "--ejjeeffe0",
                "Content-Type: application/http",
                "",
                f"HTTP/1.1 {part.status_code} OK",
            ]
            lines += [f"Content-Type: {part.headers['content-type']}", "", part.text]
        body = "\r\n".join([*lines[1:], "--ejjeeffe0--", ""])
        return httpx.Response(
            202, text=body, headers={"content-type": "multipart/mixed; boundary=ejjeeffe0"}
        )

    def _metadata(self, root: str) -> str:
        kinds, ends, sets = [], [], []

        def draw(name: str, rows: Sequence[Row]) -> None:
            inside = ""
            for key in dict.fromkeys(k for row in rows for k in row if k not in self.lacks):
                lists = [row[key] for row in rows if isinstance(row.get(key), list)]
                if not lists:
                    inside += f'<Property Name="{key}" Type="Edm.String"/>'
                    continue
                draw(f"{name}{key}", [child for held in lists for child in held])
                end = f'<End Type="S.{name}{key}" Role="to"/>'
                ends.append(f'<Association Name="{name}{key}">{end}</Association>')
                to = f'Relationship="S.{name}{key}" ToRole="to"'
                inside += f'<NavigationProperty Name="{key}" {to}/>'
            kinds.append(f'<EntityType Name="{name}">{inside}</EntityType>')

        for (service, name), rows in self.tables.items():
            if service == root:
                draw(name, rows)
                sets.append(f'<EntitySet Name="{name}" EntityType="S.{name}"/>')
        return f'<Edmx><Schema Namespace="S">{"".join((*kinds, *ends, *sets))}</Schema></Edmx>'


def _texts(row: Row) -> dict[str, str]:
    return {k: v.isoformat() if isinstance(v, date) else str(v) for k, v in row.items()}


def _renamed(row: Row) -> Row:
    return {_RENAMED.get(key, key): _renamed_in(value) for key, value in row.items()}


def _renamed_in(value: Any) -> Any:
    return [_renamed(one) for one in value] if isinstance(value, list) else value


def _plain(value: Any, v4: bool) -> Any:
    if isinstance(value, date):
        if v4:
            return value.isoformat()
        ticks = datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
        return f"/Date({int(ticks) * 1000})/"
    if isinstance(value, Decimal):
        return float(value) if v4 else str(value)
    return value


def _shaped_v2(row: Row, options: Mapping[str, str]) -> Row:
    return _v2(row, options["$select"].split(","), "")


def _v2(row: Row, select: Iterable[str], prefix: str) -> Row:
    shown: Row = {"__metadata": {"type": "T"}}
    for key, value in row.items():
        path = prefix + key
        if isinstance(value, list):
            if any(column.startswith(path + "/") for column in select):
                shown[key] = {"results": [_v2(one, select, path + "/") for one in value]}
        elif path in select:
            shown[key] = _plain(value, v4=False)
    return shown


def _shaped_v4(row: Row, options: Mapping[str, str]) -> Row:
    shown = {key: _plain(row[key], v4=True) for key in options["$select"].split(",")}
    for navigation, inner in _expands(options.get("$expand", "")):
        shown[navigation] = [_shaped_v4(one, inner) for one in row[navigation]]
    return shown


def _expands(source: str) -> list[tuple[str, dict[str, str]]]:
    found = []
    for part in _apart(source, ","):
        navigation, _, inner = part.partition("(")
        options = dict(o.split("=", 1) for o in _apart(inner.removesuffix(")"), ";"))
        found.append((navigation, options))
    return found


def _apart(source: str, sign: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for place, character in enumerate(source + sign):
        depth += (character == "(") - (character == ")")
        if depth == 0 and character == sign and source:
            parts.append(source[start:place])
            start = place + 1
    return parts


def answer(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    """A JSON answer."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return httpx.Response(
        status, content=json.dumps(body), headers={"content-type": "application/json", **named}
    )


def always(reply: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    """What to put into `first` for an answer that does not look at the question."""
    return lambda request: reply
