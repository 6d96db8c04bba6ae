"""One sales order at its stage: header, items, schedule lines and partners that agree on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from sandbox.erp.places import MARKETS, Market, Place
from sandbox.erp.products import ISO_UNITS, PRODUCTS, QUANTITIES, TRAINING, Product
from sandbox.erp.stages import Stage
from sandbox.erp.tables import Rows, Value
from sandbox.people import Customer

# What an amount is rounded to, in thousandths.
_SMALLEST: Final = {"CLP": 1000}


@dataclass(slots=True)
class Line:
    """An item. quantity, delivered, net and tax in thousandths. rejected: it will not be sent."""

    number: str
    product: Product
    quantity: int
    net: int
    tax: int
    rejected: bool = False
    delivered: int = 0


@dataclass(slots=True)
class Order:
    """What its documents need to know of an order. touched: the latest day something happened."""

    number: str
    customer: Customer
    market: Market
    stage: Stage
    day: date
    reference: str
    ship_to: Place
    lines: list[Line]
    touched: date = field(default=date.min)

    def live(self) -> list[Line]:
        return [line for line in self.lines if not line.rejected]


def cents(amount: int, currency: str) -> int:
    """Thousandths rounded to what the currency has."""
    step = _SMALLEST.get(currency, 10)
    return (amount + step // 2) // step * step


def draw(
    number: str, customer: Customer, stage: Stage, day: date, ship_to: Place, rng: Random
) -> Order:
    """An order of one to eight lines of different products."""
    market = MARKETS[customer.country]
    products = [TRAINING] if stage.is_service else rng.sample(PRODUCTS, rng.choice(_HOW_MANY))
    lines = [_line(10 * n, each, market, customer, rng) for n, each in enumerate(products, start=1)]
    if stage.rejection == "C":
        for line in lines:
            line.rejected = True
    elif stage.delivery == "C" and len(lines) > 2 and rng.random() < 0.06:
        lines[-1].rejected = True
    reference = _reference(day, number, rng)
    return Order(number, customer, market, stage, day, reference, ship_to, lines, day)


_HOW_MANY: Final = (1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8)


def _line(number: int, product: Product, market: Market, customer: Customer, rng: Random) -> Line:
    if product is TRAINING:
        quantity = rng.randint(1, 4) * 1000
    else:
        low, high, step = QUANTITIES[product.unit]
        quantity = rng.randrange(low, high + 1, step) * 1000
        if product.unit in ("M2", "KG") and rng.random() < 0.3:
            quantity += 500
    # Cents of a dollar, into thousandths of the currency, with this customer's own rebate.
    price = product.price * market.dollar // 100 * rng.randint(93, 106) // 100
    net = cents(price * quantity // 1000, customer.currency)
    tax = cents(net * market.tax // 1000, customer.currency)
    return Line(str(number), product, quantity, net, tax)


def _reference(day: date, number: str, rng: Random) -> str:
    """The customer's own number, as customers write such numbers."""
    count = int(number) % 10_000
    forms = (
        f"OC-{day.year}-{count:04}", f"OC-{day.year}-{count:04}", f"OC-{day.year}-{count:04}",
        f"PO {count}/{rng.choice('ABC')}", f"Pedido {count}", f"{count}-{day:%m%y}",
        f"Obra D'Angelo {count}", f"O'Brien {count}", f"Rev_{count} 100%", "",
    )  # fmt: skip
    return rng.choice(forms)


def write(order: Order, rows: Rows, rng: Random) -> None:
    """The rows of the order itself. Its deliveries and invoices must be drawn before."""
    customer, stage, day = order.customer, order.stage, order.day
    placed = day.isoformat()
    wanted = day + timedelta(days=rng.randint(3, 21))
    rejection = (
        "C" if stage.rejection == "C" else "B" if len(order.live()) < len(order.lines) else "A"
    )
    rows.add("erp_sales_order", {
        "SalesOrder": order.number,
        "SalesOrderType": "OR",
        "SalesOrganization": order.market.organisation,
        "DistributionChannel": "10",
        "OrganizationDivision": "00",
        "SoldToParty": customer.number,
        "CreationDate": placed,
        "CreatedByUser": "CB9980000012",
        "LastChangeDate": order.touched.isoformat(),
        "LastChangeDateTime": _moment(order.touched, rng),
        "PurchaseOrderByCustomer": order.reference,
        "CustomerPurchaseOrderDate": placed if order.reference else None,
        "SalesOrderDate": placed,
        "TotalNetAmount": sum(line.net for line in order.live()),
        "OverallDeliveryStatus": stage.delivery,
        "OverallTotalDeliveryStatus": stage.delivery,
        "TotalBlockStatus": stage.block,
        "OverallOrdReltdBillgStatus": stage.billing,
        "TransactionCurrency": customer.currency,
        "PricingDate": placed,
        "RequestedDeliveryDate": wanted.isoformat(),
        "ShippingCondition": "01",
        "CompleteDeliveryIsDefined": int(stage.delivery == "A" and rng.random() < 0.2),
        "HeaderBillingBlockReason": stage.billing_block,
        "DeliveryBlockReason": stage.delivery_block,
        "IncotermsClassification": "CPT",
        "IncotermsLocation1": order.ship_to.city,
        "CustomerPaymentTerms": "NT30",
        "OverallSDProcessStatus": stage.process,
        "TotalCreditCheckStatus": stage.credit,
        "OverallSDDocumentRejectionSts": rejection,
        "BillingDocumentDate": wanted.isoformat(),
    })  # fmt: skip
    for line in order.lines:
        _write_line(order, line, wanted, rows)
    _write_partners(order, rows)


def _moment(day: date, rng: Random) -> str:
    # Before the working day begins, so that an order of today was not changed in the future.
    return f"{day}T0{rng.randint(0, 4)}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}.125Z"


def _write_line(order: Order, line: Line, wanted: date, rows: Rows) -> None:
    product, unit, placed = line.product, line.product.unit, order.day.isoformat()
    portuguese = order.market.language == "PT"
    promised = order.stage.confirmed and not line.rejected
    confirmed = line.quantity if promised else 0
    ready = (wanted + timedelta(days=1)).isoformat() if promised else None
    common: dict[str, Value] = {
        "SalesOrder": order.number,
        "SalesOrderItem": line.number,
        "RequestedDeliveryDate": wanted.isoformat(),
        "ConfirmedDeliveryDate": ready,
    }
    rows.add("erp_sales_order_item", common | {
        "SalesOrderItemCategory": "TAD" if product is TRAINING else "TAN",
        "SalesOrderItemText": product.portuguese if portuguese else product.spanish,
        "PurchaseOrderByCustomer": order.reference,
        "Material": product.code,
        "PricingDate": placed,
        "RequestedQuantity": line.quantity,
        **dict.fromkeys(_UNITS, unit),
        "RequestedQuantityISOUnit": ISO_UNITS[unit],
        "ConfdDelivQtyInOrderQtyUnit": confirmed,
        "ItemGrossWeight": line.quantity * product.weight // 1000,
        "ItemNetWeight": line.quantity * product.weight // 1000,
        "ItemWeightUnit": "KG",
        "TransactionCurrency": order.customer.currency,
        "NetAmount": line.net,
        "MaterialGroup": product.group,
        "ProductionPlant": order.market.plant,
        "StorageLocation": "171A",
        "ShippingPoint": order.market.plant,
        "DeliveryPriority": "02",
        "IncotermsClassification": "CPT",
        "TaxAmount": line.tax,
        "CustomerPaymentTerms": "NT30",
        "SalesDocumentRjcnReason": "61" if line.rejected else "",
        "SDDocumentRejectionStatus": "C" if line.rejected else "A",
        **_line_letters(order, line),
    })  # fmt: skip
    rows.add("erp_schedule_line", common | {
        "ScheduleLine": "1",
        "OrderQuantityUnit": unit,
        "OrderQuantitySAPUnit": unit,
        "ScheduleLineOrderQuantity": line.quantity,
        "ConfdOrderQtyByMatlAvailCheck": confirmed,
        "DeliveredQtyInOrderQtyUnit": line.delivered,
        "OpenConfdDelivQtyInOrdQtyUnit": max(0, confirmed - line.delivered),
        "DelivBlockReasonForSchedLine": order.stage.delivery_block,
    })  # fmt: skip


_UNITS: Final = (
    "RequestedQuantityUnit", "RequestedQuantitySAPUnit", "OrderQuantityUnit",
    "OrderQuantitySAPUnit",
)  # fmt: skip


def _line_letters(order: Order, line: Line) -> dict[str, Value]:
    stage = order.stage
    if line.rejected:
        return {"SDProcessStatus": "C", "DeliveryStatus": "", "OrderRelatedBillingStatus": ""}
    delivery = stage.delivery
    if delivery == "B":
        delivery = "A" if not line.delivered else "C" if line.delivered == line.quantity else "B"
    # Of an order that is confirmed only, each line waits: it is begun as a whole.
    process = stage.process if stage.process != "B" or delivery != "A" else "A"
    if stage.name == "confirmed":
        process = "B"
    return {
        "SDProcessStatus": process,
        "DeliveryStatus": delivery,
        "OrderRelatedBillingStatus": stage.billing if delivery != "A" else "A",
    }


def _write_partners(order: Order, rows: Rows) -> None:
    customer = order.customer
    for function, code in (("SP", "AG"), ("SH", "WE")):
        place = order.ship_to if function == "SH" else None
        rows.add("erp_order_partner", {
            "SalesOrder": order.number,
            "PartnerFunction": function,
            "PartnerFunctionInternalCode": code,
            "Customer": customer.number,
            "ReferenceBusinessPartner": customer.number,
            "AddressID": place.number if place else "",
        })  # fmt: skip
        rows.add("erp_order_partner_address", {
            "SalesOrder": order.number,
            "PartnerFunction": function,
            "CorrespondenceLanguage": order.market.language,
            "OrganizationName1": customer.name,
            "OrganizationName2": place.name if place else "",
            "AddresseeFullName": customer.name,
            "StreetName": place.street if place else customer.street,
            "HouseNumber": place.house if place else "",
            "DistrictName": place.district if place else "",
            "CityName": place.city if place else customer.city,
            "PostalCode": place.postal_code if place else customer.postal_code,
            "Country": customer.country,
            "Region": place.region if place else order.market.region,
            "PhoneNumber": customer.phone,
        })  # fmt: skip
