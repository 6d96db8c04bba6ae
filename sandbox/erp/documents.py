"""What follows an order: deliveries that add up to its stage, and invoices for what was sent."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from itertools import count
from random import Random

from sandbox.erp.orders import Line, Order, cents
from sandbox.erp.places import CARRIERS
from sandbox.erp.tables import Rows, Value


class Way(IntEnum):
    """How far a delivery has come."""

    PLANNED = 0
    PICKED = 1
    SHIPPED = 2
    ARRIVED = 3


@dataclass(slots=True)
class Delivery:
    """parts: line and how much of it, in thousandths."""

    number: str
    way: Way
    created: date
    planned: date
    left: date | None
    arrived: date | None
    parts: list[tuple[Line, int]]


class Documents:
    """Draws documents one after the other, numbered as they come."""

    def __init__(self, rows: Rows, today: date, rng: Random) -> None:
        self._rows = rows
        self._today = today
        self._rng = rng
        self._deliveries = count(800_000_001)
        self._invoices = count(900_000_001)

    def follow(self, order: Order) -> None:
        """All deliveries and invoices of the order; its lines learn what was delivered of them."""
        deliveries = [self._delivery(order, parts) for parts in self._portions(order)]
        for delivery in deliveries:
            for line, quantity in delivery.parts:
                line.delivered += quantity
            self._write_delivery(order, delivery)
        if order.stage.billing == "C":
            self._bill(order, self._billed_whole(order, deliveries))
        elif order.stage.billing == "B":
            self._bill(order, deliveries[:1])

    def _billed_whole(self, order: Order, deliveries: list[Delivery]) -> list[Delivery]:
        if deliveries:
            return deliveries
        done = min(self._today, order.day + timedelta(days=self._rng.randint(2, 9)))
        parts = [(line, line.quantity) for line in order.live()]
        return [Delivery("", Way.ARRIVED, done, done, done, done, parts)]

    def _portions(self, order: Order) -> list[list[tuple[Line, int]]]:
        """How the goods were divided: nothing, a part, all at once, or all in two."""
        stage, rng = order.stage, self._rng
        if stage.delivery not in ("B", "C"):
            return []
        every = [(line, line.quantity) for line in order.live()]
        if len(every) == 1:
            line, quantity = every[0]
            half = quantity // 2000 * 1000
            first, rest = [(line, half)], [(line, quantity - half)]
        else:
            cut = rng.randint(1, len(every) - 1)
            first, rest = every[:cut], every[cut:]
        if stage.delivery == "B":
            return [first[:1], first[1:]] if len(first) > 1 and rng.random() < 0.5 else [first]
        # What is billed in part was sent in parts: invoices follow deliveries.
        divided = stage.billing == "B" or (len(every) > 1 and rng.random() < 0.35)
        return [first, rest] if divided else [every]

    def _delivery(self, order: Order, parts: list[tuple[Line, int]]) -> Delivery:
        rng, today = self._rng, self._today
        created = min(today, order.day + timedelta(days=rng.randint(1, 2)))
        planned = created + timedelta(days=rng.randint(1, 3))
        way = self._way(order)
        left = arrived = None
        if way >= Way.SHIPPED:
            left = min(today, planned + timedelta(days=rng.choice((0, 0, 1))))
        if way is Way.ARRIVED and left is not None:
            arrived = min(today, left + timedelta(days=rng.randint(0, 4)))
        order.touched = max(order.touched, created, left or created, arrived or created)
        number = str(next(self._deliveries))
        return Delivery(number, way, created, planned, left, arrived, parts)

    def _way(self, order: Order) -> Way:
        if order.stage.billing == "C":
            return self._rng.choice((Way.SHIPPED, Way.ARRIVED, Way.ARRIVED, Way.ARRIVED))
        if order.stage.delivery == "C" or order.stage.billing == "B":
            return self._rng.choice((Way.SHIPPED, Way.ARRIVED))
        return self._rng.choice(list(Way))

    def _write_delivery(self, order: Order, one: Delivery) -> None:
        ready = _letter(one.way >= Way.PICKED)
        gone = _letter(one.way >= Way.SHIPPED)
        proved = _letter(one.way is Way.ARRIVED)
        weight = sum(quantity * line.product.weight // 1000 for line, quantity in one.parts)
        supplier, _ = self._rng.choice(CARRIERS)
        billed = _letter(order.stage.billing == "C")
        self._rows.add("erp_delivery", {
            "DeliveryDocument": one.number,
            "DeliveryDocumentType": "LF",
            "SDDocumentCategory": "J",
            "CreationDate": one.created.isoformat(),
            "CreationTime": "08:30:00",
            "CreatedByUser": "CB9980000012",
            "DocumentDate": one.created.isoformat(),
            "DeliveryDate": (one.planned + timedelta(days=2)).isoformat(),
            "PlannedGoodsIssueDate": one.planned.isoformat(),
            "PickingDate": one.planned.isoformat(),
            "LoadingDate": one.planned.isoformat(),
            "ActualGoodsMovementDate": _iso(one.left),
            "ActualGoodsMovementTime": "14:05:00" if one.left else None,
            "ProofOfDeliveryDate": _iso(one.arrived),
            "BillOfLading": f"GR-{one.number[3:]}" if one.left else "",
            "HeaderGrossWeight": weight,
            "HeaderNetWeight": weight,
            "HeaderWeightUnit": "KG",
            "IncotermsClassification": "CPT",
            "LastChangeDate": (one.arrived or one.left or one.created).isoformat(),
            "MeansOfTransport": f"CAM {self._rng.randint(100, 999)}" if one.left else "",
            "OverallDelivReltdBillgStatus": billed,
            "OverallPickingStatus": ready,
            "OverallGoodsMovementStatus": gone,
            "OverallPackingStatus": ready,
            "OverallProofOfDeliveryStatus": proved,
            "OverallSDProcessStatus": "C" if proved == billed == "C" else _begun(ready),
            "SalesOrganization": order.market.organisation,
            "ShippingPoint": order.market.plant,
            "ShippingCondition": "01",
            "ShipToParty": order.customer.number,
            "SoldToParty": order.customer.number,
            "TotalNumberOfPackage": str(len(one.parts)).zfill(5),
        })  # fmt: skip
        for place, (line, quantity) in enumerate(one.parts, start=1):
            self._write_part(order, one, 10 * place, line, quantity)
        for function, values in (
            ("SP", {"Customer": order.customer.number}),
            ("SH", {"Customer": order.customer.number, "AddressID": order.ship_to.number}),
            ("CR", {"Supplier": supplier}),
        ):
            key = {"SDDocument": one.number, "PartnerFunction": function}
            self._rows.add("erp_delivery_partner", key | values)
        self._flow(order, one.number, "J", one.created, "C" if proved == "C" else "B")

    def _write_part(
        self, order: Order, one: Delivery, place: int, line: Line, quantity: int
    ) -> None:
        product, weight = line.product, quantity * line.product.weight // 1000
        portuguese = order.market.language == "PT"
        self._rows.add("erp_delivery_item", {
            "DeliveryDocument": one.number,
            "DeliveryDocumentItem": str(place),
            "DeliveryDocumentItemCategory": "TAN",
            "DeliveryDocumentItemText": product.portuguese if portuguese else product.spanish,
            "ActualDeliveryQuantity": quantity,
            "ActualDeliveredQtyInBaseUnit": quantity,
            "OriginalDeliveryQuantity": quantity,
            "DeliveryQuantityUnit": product.unit,
            "BaseUnit": product.unit,
            "CreationDate": one.created.isoformat(),
            "GoodsMovementStatus": _letter(one.way >= Way.SHIPPED),
            "PickingStatus": _letter(one.way >= Way.PICKED),
            "ProofOfDeliveryStatus": _letter(one.way is Way.ARRIVED),
            "DeliveryRelatedBillingStatus": _letter(order.stage.billing == "C"),
            "SDProcessStatus": _letter(one.way is Way.ARRIVED),
            "ItemGrossWeight": weight,
            "ItemNetWeight": weight,
            "ItemWeightUnit": "KG",
            "Material": product.code,
            "MaterialGroup": product.group,
            "Plant": order.market.plant,
            "StorageLocation": "171A",
            "ReferenceSDDocument": order.number,
            "ReferenceSDDocumentItem": line.number,
            "ReferenceSDDocumentCategory": "C",
            "SDDocumentCategory": "J",
        })  # fmt: skip

    def _bill(self, order: Order, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            last = delivery.arrived or delivery.left or delivery.created
            day = min(self._today, last + timedelta(days=self._rng.randint(0, 3)))
            if self._rng.random() < 0.05:
                wrong = self._invoice(order, delivery, day, cancelled=True)
                day = min(self._today, day + timedelta(days=1))
                self._invoice(order, delivery, day, cancels=wrong)
            self._invoice(order, delivery, day)
            order.touched = max(order.touched, day)

    def _invoice(
        self, order: Order, delivery: Delivery, day: date, cancelled: bool = False,
        cancels: str = "",
    ) -> str:  # fmt: skip
        """Write one billing document. cancels: the number of the one that it takes back."""
        number, currency = str(next(self._invoices)), order.customer.currency
        amounts = [self._amounts(line, part, currency) for line, part in delivery.parts]
        net, tax = (sum(one[n] for one in amounts) for n in (0, 1))
        category = "N" if cancels else "M"
        self._rows.add("erp_billing_document", {
            "BillingDocument": number,
            "SDDocumentCategory": category,
            "BillingDocumentCategory": "A" if cancels else "L",
            "BillingDocumentType": "S1" if cancels else "F2",
            "CreationDate": day.isoformat(),
            "CreationTime": "17:40:00",
            "LastChangeDate": day.isoformat(),
            "LastChangeDateTime": f"{day}T04:59:30.000Z",
            "SalesOrganization": order.market.organisation,
            "DistributionChannel": "10",
            "Division": "00",
            "BillingDocumentDate": day.isoformat(),
            "BillingDocumentIsCancelled": int(cancelled),
            "CancelledBillingDocument": cancels,
            "TotalNetAmount": net,
            "TransactionCurrency": currency,
            "TaxAmount": tax,
            "TotalGrossAmount": net + tax,
            "PayerParty": order.customer.number,
            "CustomerPaymentTerms": "NT30",
            "CompanyCode": order.market.organisation,
            "FiscalYear": str(day.year),
            "AccountingDocument": f"19{number[2:]}",
            "DocumentReferenceID": number,
            "SoldToParty": order.customer.number,
            "PurchaseOrderByCustomer": order.reference,
            "Country": order.customer.country,
            "OverallSDProcessStatus": "C",
            "OverallBillingStatus": "C",
            "AccountingPostingStatus": "C",
            "AccountingTransferStatus": "C",
            "InvoiceClearingStatus": "C" if cancelled or cancels else self._cleared(day),
        })  # fmt: skip
        portuguese = order.market.language == "PT"
        for place, ((line, part), amount) in enumerate(
            zip(delivery.parts, amounts, strict=True), 1
        ):
            sent: dict[str, Value] = {
                "ReferenceSDDocument": delivery.number or order.number,
                "ReferenceSDDocumentItem": str(10 * place) if delivery.number else line.number,
                "ReferenceSDDocumentCategory": "J" if delivery.number else "C",
            }
            self._rows.add("erp_billing_document_item", sent | {
                "BillingDocument": number,
                "BillingDocumentItem": str(10 * place),
                "SalesDocumentItemCategory": "TAN" if delivery.number else "TAD",
                "CreationDate": day.isoformat(),
                "Material": line.product.code,
                "MaterialGroup": line.product.group,
                "Plant": order.market.plant,
                "BillingDocumentItemText":
                    line.product.portuguese if portuguese else line.product.spanish,
                "BillingQuantity": part,
                "BillingQuantityUnit": line.product.unit,
                "NetAmount": amount[0],
                "TransactionCurrency": currency,
                "GrossAmount": sum(amount),
                "TaxAmount": amount[1],
                "SalesDocument": order.number,
                "SalesDocumentItem": line.number,
                "SalesSDDocumentCategory": "C",
            })  # fmt: skip
        self._flow(order, number, category, day, "C")
        return number

    @staticmethod
    def _amounts(line: Line, part: int, currency: str) -> tuple[int, int]:
        """Net and tax of a part of a line."""
        if part == line.quantity:
            return line.net, line.tax
        return tuple(cents(each * part // line.quantity, currency) for each in (line.net, line.tax))  # type: ignore[return-value]  # two of two

    def _cleared(self, day: date) -> str:
        age, chance = (self._today - day).days, self._rng.random()
        if age > 45:
            return "C" if chance < 0.93 else "A"
        return "C" if chance < 0.2 else "B" if chance < 0.25 else "A"

    def _flow(self, order: Order, number: str, category: str, day: date, process: str) -> None:
        self._rows.add("erp_order_flow", {
            "SalesOrder": order.number,
            "DocRelationshipUUID": str(uuid.UUID(int=self._rng.getrandbits(128))),
            "SubsequentDocument": number,
            "SubsequentDocumentCategory": category,
            "ProcessFlowLevel": "01" if category == "J" else "02",
            "OverallSDProcessStatus": process,
            "CreationDate": day.isoformat(),
            "CreationTime": "08:30:00",
            "LastChangeDate": day.isoformat(),
        })  # fmt: skip


def _letter(done: bool) -> str:
    return "C" if done else "A"


def _begun(ready: str) -> str:
    return "B" if ready == "C" else "A"


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
