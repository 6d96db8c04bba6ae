"""Turns SAP's rows into our records. Pure: no I/O, no clock.

Raises ValueError for a row that is not what the service documents; the text names the column and
never its value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TypeVar
from urllib.parse import quote

from connectors.kit.odata.answers import Row, children, day, flag, moment, number, text
from connectors.port.fields import NOT_FETCHED, Fields, inside, own
from connectors.port.making import maker
from connectors.port.records import (
    Address,
    Delivery,
    DeliveryStatus,
    Invoice,
    Money,
    Order,
    OrderLine,
    Product,
)
from connectors.port.scope import AccountRef
from connectors.systems.sap import columns as c
from connectors.systems.sap.keys import normal
from connectors.systems.sap.settings import Deliveries, Invoices

T = TypeVar("T")

#: ISO 4217 currencies whose smaller unit is not a hundredth, by their number of decimals.
_DECIMALS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
_PRICES = Context(prec=40, rounding=ROUND_HALF_UP)
#: 0.01 for two digits after the point.
_STEPS = [Decimal(1).scaleb(-digits) for digits in range(7)]
_money = maker(Money)
QUANTIZE, DIVIDE = _PRICES.quantize, _PRICES.divide
_NOTHING = Decimal(0)


def decimals(currency: str) -> int:
    """Digits after the point of a currency's amounts."""
    return _DECIMALS.get(currency, 2)


def rounding(currency: str) -> tuple[Decimal, Decimal, str]:
    """The smallest amount of a currency, the smallest price of one unit, and the currency as it is
    told. A document without one is in XXX, which ISO 4217 keeps for that."""
    digits = decimals(currency)
    return _STEPS[digits], _STEPS[digits + 2], currency or "XXX"


def money(amount: Decimal, currency: str) -> Money:
    """An amount with the decimals of its currency, unless that would change it."""
    smallest, _, shown = rounding(currency)
    rounded = QUANTIZE(amount, smallest)
    return _money(rounded if rounded == amount else amount, shown)


def unit_price(net: Decimal, quantity: Decimal, currency: str) -> Money | None:
    """Net price of one unit, rounded to two digits more than the currency has; None for none."""
    if not quantity:
        return None
    _, smallest, shown = rounding(currency)
    return _money(QUANTIZE(DIVIDE(net, quantity), smallest), shown)


@dataclass(frozen=True, slots=True)
class OrderWords:
    """Makes orders of one answer. addresses: of ship-to customers that were looked up apart, by
    normal customer number."""

    columns: c.OrderColumns
    fields: Fields
    addresses: Mapping[str, Address]

    def order(self, row: Row, owner: AccountRef) -> Order:
        """One order, with its lines if they were asked for."""
        wanted, currency = own(self.fields), text(row, c.CURRENCY)
        net = number(row, c.NET)
        tax = self._tax(row) if self.columns.sums_tax(self.fields) else None
        key = order_key(row)
        ordered_on = day(row, c.ORDERED_ON)
        if c.ORDERED_ON in row and ordered_on is None:
            raise ValueError(f"{c.ORDERED_ON} is empty")

        def when(attribute: str, value: object) -> object:
            return value if attribute in wanted else NOT_FETCHED

        values = {
            "ordered_on": ordered_on if c.ORDERED_ON in row else NOT_FETCHED,
            "customer_reference": when("customer_reference", text(row, c.REFERENCE) or None),
            "requested_delivery_on": when("requested_delivery_on", day(row, c.REQUESTED_ON)),
            "freight": when("freight", None),
            "subtotal": when("subtotal", None if net is None else money(net, currency)),
            "tax": when("tax", None if tax is None else money(tax, currency)),
        }
        if "status" in wanted:
            statuses = self.columns.statuses
            values["status"] = statuses.of({name: text(row, name) for name in statuses.properties})
        if "total" in wanted:
            if net is None:
                raise ValueError(f"{c.NET} is empty")
            gross = self.columns.settings.prices == "gross"
            values["total"] = money(net + (tax or _NOTHING) if gross else net, currency)
        if "ship_to" in wanted:
            values["ship_to"] = self._ship_to(row)
        if "lines" in wanted:
            values["lines"] = self.lines(row)
        return Order(key, owner, key, **values)  # type: ignore[arg-type]  # by name, see `when`

    def lines(self, row: Row) -> Sequence[OrderLine]:
        """The lines of an order's row, in order of position."""
        wanted = own(inside(self.fields, "lines"))
        found = [self._line(item, wanted) for item in self._items(row)]
        return tuple(sorted(found, key=lambda line: (len(line.position), line.position)))

    def ship_to_customer(self, row: Row) -> str | None:
        """Whose address has to be looked up: the ship-to partner's, where the answer holds none."""
        partner = self._ship_to_partner(row)
        if partner is None or self._address_of(partner) is not None:
            return None
        return normal(text(partner, c.PARTNER_CUSTOMER))

    def _line(self, item: Row, wanted: Fields) -> OrderLine:
        dialect, units = self.columns.dialect, self.columns.settings.units
        position = text(item, c.POSITION).lstrip("0")
        if not position:
            raise ValueError(f"{c.POSITION} is empty")
        values: dict[str, object] = {}
        currency = text(item, c.CURRENCY)
        quantity = number(item, c.QUANTITY) or _NOTHING
        net = number(item, c.ITEM_NET)
        if "product" in wanted:
            code = text(item, dialect.product)
            # Materials of digits alone are kept with leading zeros, as documents are.
            code = (code.lstrip("0") or code) if code.isdigit() else code
            values["product"] = Product(code, text(item, c.ITEM_TEXT) or code)
        if "quantity" in wanted:
            values["quantity"] = quantity
        if "unit" in wanted:
            unit = text(item, dialect.unit)
            values["unit"] = units.get(unit, unit)
        if "unit_price" in wanted:
            values["unit_price"] = None if net is None else unit_price(net, quantity, currency)
        if "total" in wanted:
            values["total"] = None if net is None else money(net, currency)
        if "delivered_quantity" in wanted:
            values["delivered_quantity"] = self._delivered(item)
        return OrderLine(position, **values)  # type: ignore[arg-type]  # filled by name above

    def _delivered(self, item: Row) -> Decimal | None:
        found = children(item, self.columns.dialect.schedule_lines)
        if found is None:
            return None
        return sum((number(row, c.DELIVERED) or _NOTHING for row in found.rows), _NOTHING)

    def _items(self, row: Row) -> list[dict[str, object]]:
        found = children(row, self.columns.dialect.items)
        if found is None:
            raise ValueError(f"{self.columns.dialect.items} is missing")
        return found.rows

    def _tax(self, row: Row) -> Decimal:
        # A rejected item keeps its own amounts, but the order's net amount leaves it out.
        every_item = self.columns.settings.tax_of_rejected_items
        return sum(
            (
                number(item, c.ITEM_TAX) or _NOTHING
                for item in self._items(row)
                if every_item or not text(item, c.REJECTED)
            ),
            _NOTHING,
        )

    def _ship_to_partner(self, row: Row) -> Row | None:
        found = children(row, self.columns.dialect.partners)
        functions = self.columns.settings.ship_to_functions
        for partner in found.rows if found else ():
            if text(partner, c.PARTNER_FUNCTION) in functions:
                return partner
        return None

    def _address_of(self, partner: Row) -> Sequence[Row] | None:
        navigation = self.columns.dialect.address
        found = children(partner, navigation) if navigation else None
        return None if found is None else found.rows

    def _ship_to(self, row: Row) -> Address | None:
        partner = self._ship_to_partner(row)
        if partner is None:
            return None
        embedded = self._address_of(partner)
        if embedded is None:
            return self.addresses.get(normal(text(partner, c.PARTNER_CUSTOMER)) or "")
        # Other representations of the same address are in other scripts.
        ordered = sorted(embedded, key=lambda found: text(found, "AddressRepresentationCode"))
        return address(ordered[0]) if ordered else None


def order_key(row: Row) -> str:
    """The order's number, which is its id too."""
    key = normal(text(row, c.KEY))
    if key is None:
        raise ValueError(f"{c.KEY} is no document number")
    return key


def address(row: Row) -> Address:
    """An address of a business partner or of a document's partner."""
    street = " ".join(filter(None, (text(row, "StreetName"), text(row, "HouseNumber"))))
    more = [text(row, "StreetPrefixName1") or text(row, "StreetPrefixName")]
    more.append(text(row, "DistrictName") or text(row, "District"))
    country = text(row, "Country").upper()
    return Address(
        line1=street or None,
        line2=", ".join(filter(None, more)) or None,
        city=text(row, "CityName") or None,
        region=text(row, "Region") or None,
        postal_code=text(row, "PostalCode") or None,
        # SAP's own country keys are ISO's but for a few of three letters, which are no countries.
        country=country if len(country) == 2 and country.isascii() else None,
    )


def addresses_in_force(rows: Iterable[Row], at: datetime) -> list[Address]:
    """The addresses that are valid at a moment, in the system's order."""
    return [
        address(row)
        for row in rows
        if ((start := moment(row, "ValidityStartDate")) is None or start <= at)
        and ((end := _end(row, "ValidityEndDate")) is None or at <= end)
    ]


def _end(row: Row, column: str) -> datetime | None:
    value = row.get(column)
    # The end of time is written as the year 9999, in some zones a day after Python's last day.
    if isinstance(value, str) and value.startswith(("/Date(2534", "9999")):
        return None
    return moment(row, column)


def delivery(row: Row, names: Deliveries, fields: Fields) -> Delivery:
    """One delivery out of its header."""
    wanted = own(fields)
    values: dict[str, object] = {}
    if "status" in wanted:
        values["status"] = delivery_status(row)
    if "planned_on" in wanted:
        values["planned_on"] = day(row, names.planned_on)
    if "shipped_on" in wanted:
        values["shipped_on"] = day(row, "ActualGoodsMovementDate")
    if "carrier" in wanted:
        values["carrier"] = (text(row, names.carrier) or None) if names.carrier else None
    if "tracking_url" in wanted:
        tracking = text(row, names.tracking) if names.tracking else ""
        url = names.tracking_url
        values["tracking_url"] = (
            url.replace("{tracking}", quote(tracking, safe="")) if url and tracking else None
        )
    return Delivery(_document(row, "DeliveryDocument"), **values)  # type: ignore[arg-type]  # filled by name above


def delivery_status(row: Row) -> DeliveryStatus:
    """Where a delivery stands, by what was done last: proof of delivery, goods issue, picking."""
    if text(row, "OverallProofOfDeliveryStatus") == "C" or day(row, "ProofOfDeliveryDate"):
        return DeliveryStatus.DELIVERED
    if text(row, "OverallGoodsMovementStatus") == "C" or day(row, "ActualGoodsMovementDate"):
        return DeliveryStatus.SHIPPED
    if text(row, "OverallGoodsMovementStatus") == "B" or text(row, "OverallPickingStatus") == "C":
        return DeliveryStatus.PICKED
    return DeliveryStatus.PLANNED


def is_invoice(row: Row, names: Invoices) -> bool:
    """Whether a billing document asks for money: neither cancelled, nor a cancellation or another
    of the categories that are none."""
    if flag(row, "BillingDocumentIsCancelled") or text(row, "CancelledBillingDocument").strip("0"):
        return False
    return text(row, "SDDocumentCategory") not in names.other_categories


def invoice(row: Row, names: Invoices, *, gross: bool, fields: Fields) -> Invoice:
    """One invoice out of its header. gross: the total with its taxes; what is owed always is."""
    wanted = own(fields)
    values: dict[str, object] = {}
    if "issued_on" in wanted:
        values["issued_on"] = _there(day(row, "BillingDocumentDate"), "BillingDocumentDate")
    if "due_on" in wanted:
        values["due_on"] = None
    if "total" in wanted:
        values["total"] = money(_billed(row, gross), text(row, c.CURRENCY))
    if "outstanding" in wanted:
        values["outstanding"] = _outstanding(row, names)
    return Invoice(_document(row, "BillingDocument"), **values)  # type: ignore[arg-type]  # filled by name above


def _outstanding(row: Row, names: Invoices) -> Money | None:
    letter = text(row, "InvoiceClearingStatus")
    if letter in names.cleared:
        return money(_NOTHING, text(row, c.CURRENCY))
    # How much of a partly paid invoice is left, only accounting knows.
    return money(_billed(row, True), text(row, c.CURRENCY)) if letter in names.unpaid else None


def _billed(row: Row, gross: bool) -> Decimal:
    net = number(row, "TotalNetAmount")
    if not gross:
        return _there(net, "TotalNetAmount")
    whole = number(row, "TotalGrossAmount")
    if whole is None:
        whole = _there(net, "TotalNetAmount") + (number(row, "TaxAmount") or _NOTHING)
    return whole


def _document(row: Row, column: str) -> str:
    return _there(normal(text(row, column)), column)


def _there(value: T | None, column: str) -> T:
    if value is None:
        raise ValueError(f"{column} is empty")
    return value
