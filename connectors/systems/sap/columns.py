"""Turns the attributes that are wanted of an order into the columns to ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.kit.odata.queries import Embedded
from connectors.port.fields import Fields, inside, own
from connectors.systems.sap.dialects import Dialect
from connectors.systems.sap.settings import Settings
from connectors.systems.sap.statuses import StatusMap

#: Always asked for: the key, and whose order it is.
KEY, OWNER = "SalesOrder", "SoldToParty"
ORDERED_ON, REFERENCE, NET = "SalesOrderDate", "PurchaseOrderByCustomer", "TotalNetAmount"
REQUESTED_ON, CURRENCY = "RequestedDeliveryDate", "TransactionCurrency"
POSITION, ITEM_TEXT, QUANTITY = "SalesOrderItem", "SalesOrderItemText", "RequestedQuantity"
ITEM_NET, ITEM_TAX, REJECTED = "NetAmount", "TaxAmount", "SalesDocumentRjcnReason"
DELIVERED = "DeliveredQtyInOrderQtyUnit"
PARTNER_FUNCTION, PARTNER_CUSTOMER = "PartnerFunction", "Customer"

_HEADER: Mapping[str, tuple[str, ...]] = {
    "ordered_on": (ORDERED_ON,),
    "customer_reference": (REFERENCE,),
    "requested_delivery_on": (REQUESTED_ON,),
    "subtotal": (NET, CURRENCY),
    "tax": (CURRENCY,),
    "total": (NET, CURRENCY),
}

#: Of an address on the order. Release by release some are missing: none is required.
ORDER_ADDRESS = (
    "AddressRepresentationCode",
    "StreetName",
    "HouseNumber",
    "StreetPrefixName1",
    "DistrictName",
    "CityName",
    "Region",
    "PostalCode",
    "Country",
)


@dataclass(frozen=True, slots=True)
class OrderColumns:
    """Which columns answer which attributes of an order, in the words of a dialect."""

    dialect: Dialect
    settings: Settings
    statuses: StatusMap

    def header(self, fields: Fields, also: Iterable[str] = ()) -> tuple[str, ...]:
        """Columns of the order itself. also: what the list is ordered by."""
        wanted = own(fields)
        columns = [KEY, OWNER, *also]
        for attribute, properties in _HEADER.items():
            if attribute in wanted:
                columns += properties
        if "status" in wanted:
            columns += self.statuses.properties
        return tuple(dict.fromkeys(columns))

    def embedded(self, fields: Fields) -> tuple[Embedded, ...]:
        """Lines, taxes and the ship-to address, which come in the same call."""
        found = [*self._items(fields)]
        if "ship_to" in own(fields) and self.settings.ship_to != "none":
            navigation = self.dialect.address if self.settings.ship_to == "order" else None
            address = (Embedded(navigation, ORDER_ADDRESS),) if navigation else ()
            partner = (PARTNER_FUNCTION, PARTNER_CUSTOMER)
            found.append(Embedded(self.dialect.partners, partner, address))
        return tuple(found)

    def sums_tax(self, fields: Fields) -> bool:
        """Whether the taxes of the items are needed: the header does not tell them."""
        wanted = own(fields)
        return "tax" in wanted or ("total" in wanted and self.settings.prices == "gross")

    def required(self) -> dict[str, str]:
        """What cannot be done without, with our name for it."""
        items, dialect = self.dialect.items, self.dialect
        return {
            KEY: "number",
            OWNER: "account",
            ORDERED_ON: "ordered_on",
            NET: "total",
            CURRENCY: "total",
            items: "lines",
            f"{items}/{POSITION}": "lines.position",
            f"{items}/{dialect.product}": "lines.product",
            f"{items}/{QUANTITY}": "lines.quantity",
            f"{items}/{dialect.unit}": "lines.unit",
            f"{items}/{ITEM_TAX}": "tax",
        }

    def _items(self, fields: Fields) -> Iterable[Embedded]:
        columns: list[str] = []
        expand: tuple[Embedded, ...] = ()
        if "lines" in own(fields):
            columns.append(POSITION)
            wanted = own(inside(fields, "lines"))
            for attribute, properties in self._line().items():
                if attribute in wanted:
                    columns += properties
            if "delivered_quantity" in wanted:
                expand = (Embedded(self.dialect.schedule_lines, (DELIVERED,)),)
        if self.sums_tax(fields):
            columns.append(ITEM_TAX)
            if not self.settings.tax_of_rejected_items:
                columns.append(REJECTED)
        if columns:
            yield Embedded(self.dialect.items, tuple(dict.fromkeys(columns)), expand)

    def _line(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "product": (self.dialect.product, ITEM_TEXT),
            "quantity": (QUANTITY,),
            "unit": (self.dialect.unit,),
            "unit_price": (ITEM_NET, QUANTITY, CURRENCY),
            "total": (ITEM_NET, CURRENCY),
        }
