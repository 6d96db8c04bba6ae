"""Turns Tryton's words into ours. Pure: no I/O, no clock.

Raises KeyError for a field that is missing, and ValueError, TypeError, AttributeError or
ArithmeticError for one of another shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.port.fields import NOT_FETCHED, Fields, inside, own
from connectors.port.records import (
    Account,
    AccountRef,
    Address,
    Contact,
    Delivery,
    Identity,
    Invoice,
    Membership,
    Money,
    Order,
    OrderLine,
    Product,
)
from connectors.systems.tryton.settings import TrytonSettings
from connectors.systems.tryton.statuses import status_of

Row = Mapping[str, Any]
#: How attributes are read from a row, by their names.
Readers = Mapping[str, Callable[[Row], Any]]

#: Invoices that the customer never got, or that count no more.
_UNSEEN = frozenset({"draft", "validated", "cancelled"})


def _read(row: Row, readers: Readers, fields: Fields) -> dict[str, Any]:
    return {name: readers[name](row) for name in own(fields) if name in readers}


# ------------------------------------------------------------------------------------------ values


def text(value: Any) -> str | None:
    """Tryton says null or "" for no text."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def day(value: Any) -> date | None:
    return None if value is None else date(value["year"], value["month"], value["day"])


def number(value: Any) -> Decimal:
    """A Decimal in its wrapping, or a quantity, which Tryton keeps as a float: 2.0 is 2."""
    if isinstance(value, Mapping):
        return Decimal(value["decimal"])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    return Decimal(int(value)) if value == int(value) else Decimal(repr(value))


def money(value: Any, row: Row) -> Money | None:
    """In the currency of the row."""
    return None if value is None else Money(number(value), row["currency"]["code"])


def named(row: Row, relation: str, name: str) -> str | None:
    """A text of the one record that a relation leads to, if it leads to one."""
    other = row[relation]
    return None if other is None else text(other[name])


def address(row: Row) -> Address:
    first, *rest = [line.strip() for line in (row["street"] or "").splitlines()] or [""]
    return Address(
        line1=text(first),
        line2=text(", ".join(line for line in rest if line)),
        city=text(row["city"]),
        region=named(row, "subdivision", "name"),
        postal_code=text(row["postal_code"]),
        country=_country(row),
    )


def _country(row: Row) -> str | None:
    code = named(row, "country", "code")
    return code.upper() if code else None


def _locale(row: Row) -> str | None:
    code = named(row, "lang", "code")
    return code.replace("_", "-") if code else None


# --------------------------------------------------------------------------------------- customers


def country(party: Row) -> str | None:
    """Of the first address that has one."""
    return next(filter(None, map(_country, party["addresses"])), None)


def account(row: Row, owner: AccountRef, fields: Fields, settings: TrytonSettings) -> Account:
    readers: Readers = {
        "number": lambda party: text(party["code"]),
        "name": lambda party: party["name"] or party["code"] or "",
        "tax_id": lambda party: _tax_id(party, settings.tax_identifiers),
        "country": country,
        "phone": _phone,
        "billing_address": _billing_address,
    }
    return Account(str(row["id"]), owner, **_read(row, readers, fields))


def _tax_id(party: Row, types: Sequence[str]) -> str | None:
    if not types:
        return named(party, "tax_identifier", "code")
    found = (text(one["code"]) for one in party["identifiers"] if (one["type"] or "") in types)
    return next(found, None)


def _phone(party: Row) -> str | None:
    return text(party["phone"]) or text(party["mobile"])


def _billing_address(party: Row) -> Address | None:
    """The first one for invoices, else the first."""
    every = party["addresses"]
    chosen = next((one for one in every if one["invoice"]), every[0] if every else None)
    return None if chosen is None else address(chosen)


def delivery_addresses(party: Row) -> list[Address]:
    # SQLite has no booleans: there Tryton says 0 and 1.
    return [address(one) for one in party["addresses"] if one["delivery"]]


def portal_relations(person: Row, settings: TrytonSettings) -> list[Row]:
    """What a person is to accounts, oldest first. Tryton leaves out those not valid today."""
    named_ones = [one for one in person["relations"] if one["type"]["name"] in settings.relations]
    return sorted(named_ones, key=lambda one: int(one["id"]))


def contact(
    row: Row, account_id: str, owner: AccountRef, fields: Fields, settings: TrytonSettings
) -> Contact:
    """account_id: of the account through which the asker sees this person, which `owner` is."""
    readers: Readers = {
        "name": lambda person: person["name"] or person["code"] or "",
        "given_name": _unknown,
        "family_name": _unknown,
        "email": lambda person: text(person["email"]),
        "phone": _phone,
        "job_title": _unknown,
        "locale": _locale,
    }
    seen = NOT_FETCHED
    if "account" in own(fields):
        found = next(one["to"] for one in row["relations"] if str(one["to"]["id"]) == account_id)
        seen = account(found, owner, inside(fields, "account"), settings)
    return Contact(str(row["id"]), owner, account=seen, **_read(row, readers, fields))


def _unknown(row: Row) -> None:
    """Tryton has no such field."""


def emails(person: Row) -> list[str]:
    found = (one["value"] for one in person["contact_mechanisms"] if one["type"] == "email")
    return [value for value in found if value]


def identity(row: Row, email: str, settings: TrytonSettings) -> Identity:
    return Identity(
        contact_id=str(row["id"]),
        email=email,
        name=row["name"] or email,
        memberships=tuple(_memberships(row, settings)),
        locale=_locale(row),
    )


def _memberships(person: Row, settings: TrytonSettings) -> Iterable[Membership]:
    for one in portal_relations(person, settings):
        party = one["to"]
        if party["active"]:
            ref = AccountRef(str(party["id"]), text(party["code"]), country(party))
            role = settings.relations[one["type"]["name"]]
            yield Membership(ref, role, day(one["start_date"]), day(one["end_date"]))


# ------------------------------------------------------------------------------------------ orders


def order(row: Row, owner: AccountRef, fields: Fields, settings: TrytonSettings) -> Order:
    readers: Readers = {
        "number": lambda sale: sale["number"],
        "customer_reference": lambda sale: text(sale["reference"]),
        "status": lambda sale: status_of(sale, settings.statuses),
        "ordered_on": lambda sale: day(sale[settings.dated_by]),
        "requested_delivery_on": lambda sale: day(sale["shipping_date"]),
        "ship_to": lambda sale: _ship_to(sale["shipment_address"]),
        "subtotal": lambda sale: money(sale["untaxed_amount"], sale),
        "freight": _unknown,
        "tax": lambda sale: money(sale["tax_amount"], sale),
        "total": lambda sale: money(sale["total_amount"], sale),
        "lines": lambda sale: lines(sale, inside(fields, "lines")),
        "deliveries": lambda sale: deliveries(sale, inside(fields, "deliveries"), settings),
        "invoices": lambda sale: invoices(sale, inside(fields, "invoices")),
    }
    return Order(str(row["id"]), owner, **_read(row, readers, fields))


def _ship_to(row: Row | None) -> Address | None:
    return None if row is None else address(row)


def lines(sale: Row, fields: Fields) -> list[OrderLine]:
    """In the order of the document. Tryton numbers lines by a sequence, which people may leave out
    or give twice; then they are counted."""
    rows = sale["line_lines"]
    places = [row["sequence"] for row in rows]
    if None in places or len(set(places)) < len(places):
        places = list(range(1, len(rows) + 1))
    readers: Readers = {
        "product": _product,
        "quantity": lambda line: number(line["quantity"]),
        "unit": lambda line: named(line, "unit", "symbol") or "",
        "unit_price": lambda line: money(line["unit_price"], sale),
        "total": lambda line: money(line["amount"], sale),
        "delivered_quantity": _delivered,
    }
    return [
        OrderLine(str(place), **_read(row, readers, fields))
        for place, row in sorted(zip(places, rows, strict=True), key=lambda pair: pair[0])
    ]


def _product(line: Row) -> Product:
    """A line without a product has only a text."""
    told = text((line["description"] or "").strip())
    code, name = named(line, "product", "code"), named(line, "product", "name")
    return Product(code or "", name or told or code or "")


def _delivered(line: Row) -> Decimal:
    """What has left the warehouse; what came back is a negative line's."""
    done = (number(move["quantity"]) for move in line["moves"] if move["state"] == "done")
    moved = sum(done, Decimal())
    return -moved if line["quantity"] < 0 else moved


def deliveries(sale: Row, fields: Fields, settings: TrytonSettings) -> list[Delivery]:
    """Without cancelled ones, which have no status of ours, and without unnumbered ones."""
    readers: Readers = {
        "status": lambda shipment: settings.deliveries[shipment["state"]],
        "planned_on": lambda shipment: day(shipment["planned_date"]),
        "shipped_on": lambda shipment: day(shipment["effective_date"]),
        "carrier": _unknown,
        "tracking_url": _unknown,
    }
    return [
        Delivery(row["number"], **_read(row, readers, fields))
        for row in sale["shipments"]
        if row["number"] and row["state"] in settings.deliveries
    ]


def invoices(sale: Row, fields: Fields) -> list[Invoice]:
    """Those that were posted."""
    readers: Readers = {
        "issued_on": lambda invoice: day(invoice["invoice_date"]),
        "due_on": _due_on,
        "total": lambda invoice: money(invoice["total_amount"], invoice),
        "outstanding": lambda invoice: money(invoice["amount_to_pay"], invoice),
    }
    return [
        Invoice(row["number"], **_read(row, readers, fields))
        for row in sale["invoices"]
        if row["number"] and row["invoice_date"] and row["state"] not in _UNSEEN
    ]


def _due_on(invoice: Row) -> date | None:
    """The first day on which something is due."""
    days = filter(None, (day(one["maturity_date"]) for one in invoice["lines_to_pay"]))
    return min(days, default=None)
