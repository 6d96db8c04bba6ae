"""What followed an order: its deliveries and its invoices, by the items that name the order.

Two calls for any number of orders: the items that refer to them, then the headers of the documents
found. The items say nothing of the customer, so the headers are asked for, and taken, only if they
are sold to a customer of the scope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from connectors.kit.odata.answers import Row, text
from connectors.kit.odata.expressions import Expression
from connectors.kit.odata.queries import Query
from connectors.port.errors import Unreadable
from connectors.port.fields import Fields, own
from connectors.port.records import Delivery, Invoice
from connectors.port.scope import Scope
from connectors.systems.sap import columns as c
from connectors.systems.sap import translate
from connectors.systems.sap.client import SapClient
from connectors.systems.sap.dialects import Service
from connectors.systems.sap.filters import one_of, questions
from connectors.systems.sap.keys import Owners, normal, normal_all
from connectors.systems.sap.settings import Deliveries as DeliveryNames
from connectors.systems.sap.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of document. number: its own; reference: where its items name the sales order."""

    service: Service
    headers: str
    items: str
    number: str
    reference: str


class Documents:
    """Deliveries and invoices by order."""

    def __init__(self, client: SapClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._deliveries = _Kind(
            Service(settings.services.outbound_delivery),
            headers="A_OutbDeliveryHeader",
            items="A_OutbDeliveryItem",
            number="DeliveryDocument",
            reference="ReferenceSDDocument",
        )
        self._invoices = _Kind(
            Service(settings.services.billing_document),
            headers="A_BillingDocument",
            items="A_BillingDocumentItem",
            number="BillingDocument",
            reference="SalesDocument",
        )

    async def deliveries_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Delivery]]:
        operation, names = "deliveries_by_order", self._settings.deliveries
        columns = _delivery_columns(names, fields)
        try:
            found = await self._by_order(operation, self._deliveries, order_ids, columns, scope)
            made = {n: translate.delivery(row, names, fields) for n, row in found.headers.items()}
        except ValueError as error:
            raise Unreadable(self._client.source, f"{operation}: {error}") from None
        return found.by_order(order_ids, made)

    async def invoices_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Invoice]]:
        operation, names = "invoices_by_order", self._settings.invoices
        gross = self._settings.prices == "gross"
        columns = _invoice_columns(fields)
        try:
            found = await self._by_order(operation, self._invoices, order_ids, columns, scope)
            made = {
                number: translate.invoice(row, names, gross=gross, fields=fields)
                for number, row in found.headers.items()
                if translate.is_invoice(row, names)
            }
        except ValueError as error:
            raise Unreadable(self._client.source, f"{operation}: {error}") from None
        return found.by_order(order_ids, made)

    async def _by_order(
        self,
        operation: str,
        kind: _Kind,
        order_ids: Sequence[str],
        columns: tuple[str, ...],
        scope: Scope,
    ) -> _Found:
        owners, orders = Owners(scope), normal_all(order_ids)
        if not owners.numbers or not orders:
            return _Found({}, {})
        numbers: dict[str, dict[str, None]] = {}
        for row in await self._items(operation, kind, orders):
            order, number = normal(text(row, kind.reference)), normal(text(row, kind.number))
            if order is not None and number is not None:
                numbers.setdefault(order, {})[number] = None
        documents = list(dict.fromkeys(n for held in numbers.values() for n in held))
        if not documents:
            return _Found({}, {})
        headers = {}
        for row in await self._headers(operation, kind, documents, owners, columns):
            number = normal(text(row, kind.number))
            if number is not None and owners.of(text(row, c.OWNER)) is not None:
                headers[number] = row
        return _Found(numbers, headers)

    async def _items(self, operation: str, kind: _Kind, orders: Sequence[str]) -> list[Row]:
        def make(condition: Expression) -> Query:
            return Query(kind.items, (kind.number, kind.reference), filter=condition)

        return await self._ask(operation, kind, make, (), self._keys(kind.reference, orders))

    async def _headers(
        self,
        operation: str,
        kind: _Kind,
        documents: Sequence[str],
        owners: Owners,
        columns: Sequence[str],
    ) -> list[Row]:
        def make(condition: Expression) -> Query:
            return Query(kind.headers, (kind.number, c.OWNER, *columns), filter=condition)

        sold_to = self._keys(c.OWNER, owners.numbers)
        return await self._ask(operation, kind, make, sold_to, self._keys(kind.number, documents))

    async def _ask(
        self,
        operation: str,
        kind: _Kind,
        make: Callable[[Expression], Query],
        owners: Sequence[Expression],
        keys: Sequence[Expression],
    ) -> list[Row]:
        queries = list(
            questions(
                make,
                owners,
                keys,
                version=kind.service.version,
                room=self._client.room(kind.service),
                limit=self._settings.keys_per_question,
            )
        )
        required = {kind.number: "number", c.OWNER: "account", kind.reference: "order"}
        found = await self._client.ask(operation, kind.service, lambda _: queries, required)
        return [row for answer in found for row in answer.rows]

    def _keys(self, column: str, numbers: Sequence[str]) -> list[Expression]:
        return one_of(column, numbers, padded=self._settings.padded_keys)


@dataclass(frozen=True, slots=True)
class _Found:
    """Which documents follow which order, and the headers of those that are the asker's."""

    numbers: Mapping[str, Mapping[str, None]]
    headers: Mapping[str, Row]

    def by_order(self, order_ids: Sequence[str], made: Mapping[str, T]) -> list[list[T]]:
        """The records made of the headers, for each order by number; none for a foreign order."""
        return [
            [made[n] for n in sorted(self.numbers.get(normal(order) or "", ())) if n in made]
            for order in order_ids
        ]


def _columns(names: Mapping[str, tuple[str, ...]], fields: Fields) -> tuple[str, ...]:
    wanted = own(fields)
    return tuple(dict.fromkeys(c for name, held in names.items() if name in wanted for c in held))


def _delivery_columns(names: DeliveryNames, fields: Fields) -> tuple[str, ...]:
    letters = ("OverallProofOfDeliveryStatus", "OverallGoodsMovementStatus", "OverallPickingStatus")
    days = ("ProofOfDeliveryDate", "ActualGoodsMovementDate")
    columns = {
        "status": (*letters, *days),
        "planned_on": (names.planned_on,),
        "shipped_on": ("ActualGoodsMovementDate",),
        "carrier": (names.carrier,) if names.carrier else (),
        "tracking_url": (names.tracking,) if names.tracking else (),
    }
    return _columns(columns, fields)


def _invoice_columns(fields: Fields) -> tuple[str, ...]:
    kind = ("BillingDocumentIsCancelled", "CancelledBillingDocument", "SDDocumentCategory")
    amounts = ("TotalGrossAmount", "TotalNetAmount", "TaxAmount", c.CURRENCY)
    columns = {
        "issued_on": ("BillingDocumentDate",),
        "total": amounts,
        "outstanding": (*amounts, "InvoiceClearingStatus"),
    }
    return (*kind, *_columns(columns, fields))
