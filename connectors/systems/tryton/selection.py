"""Which fields of Tryton answer the attributes that are asked for, dotted through its relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from connectors.port.fields import Fields, inside, own

Paths = Mapping[str, tuple[str, ...]]

ADDRESS = ("street", "city", "postal_code", "subdivision.name", "country.code")


def under(prefix: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Paths of the records that `prefix` leads to."""
    return tuple(f"{prefix}.{path}" for path in paths)


#: Tells whose an order is.
ORDER_OWNER = "party.code"

_CURRENCY = "currency.code"
_ORDER: Paths = {
    "number": ("number",),
    "customer_reference": ("reference",),
    "status": ("state", "shipment_state", "invoice_state"),
    "requested_delivery_on": ("shipping_date",),
    "ship_to": under("shipment_address", ADDRESS),
    "subtotal": ("untaxed_amount", _CURRENCY),
    "tax": ("tax_amount", _CURRENCY),
    "total": ("total_amount", _CURRENCY),
}
_LINE: Paths = {
    "product": ("product.code", "product.name", "description"),
    "quantity": ("quantity",),
    "unit": ("unit.symbol",),
    "unit_price": ("unit_price",),
    "total": ("amount",),
    "delivered_quantity": ("quantity", "moves.quantity", "moves.state"),
}
_DELIVERY: Paths = {"planned_on": ("planned_date",), "shipped_on": ("effective_date",)}
_INVOICE: Paths = {
    "due_on": ("lines_to_pay.maturity_date",),
    "total": ("total_amount", _CURRENCY),
    "outstanding": ("amount_to_pay", _CURRENCY),
}

_ACCOUNT: Paths = {
    "number": ("code",),
    "name": ("name",),
    "country": ("addresses.country.code",),
    "phone": ("phone", "mobile"),
    "billing_address": (*under("addresses", ADDRESS), "addresses.invoice"),
}
_CONTACT: Paths = {
    "name": ("name", "code"),
    "email": ("email",),
    "phone": ("phone", "mobile"),
    "locale": ("lang.code",),
}
#: Tells what a person is to which accounts.
RELATIONS = ("relations.type.name", "relations.to.id")
IDENTITY = (
    "name",
    "lang.code",
    "contact_mechanisms.type",
    "contact_mechanisms.value",
    *RELATIONS,
    "relations.start_date",
    "relations.end_date",
    *under("relations.to", ("code", "active", "addresses.country.code")),
)


def order_paths(fields: Fields, dated_by: str) -> set[str]:
    wanted = own(fields)
    paths = {ORDER_OWNER, *_chosen(_ORDER, wanted)}
    if "ordered_on" in wanted:
        paths.add(dated_by)
    if "lines" in wanted:
        paths.update(line_paths(inside(fields, "lines")))
    if "deliveries" in wanted:
        paths.update(delivery_paths(inside(fields, "deliveries")))
    if "invoices" in wanted:
        paths.update(invoice_paths(inside(fields, "invoices")))
    return paths


def line_paths(fields: Fields) -> set[str]:
    wanted = own(fields)
    paths = {"line_lines.sequence", *under("line_lines", _chosen(_LINE, wanted))}
    if wanted & {"unit_price", "total"}:
        paths.add(_CURRENCY)
    return paths


def delivery_paths(fields: Fields) -> set[str]:
    named = ("number", "state", *_chosen(_DELIVERY, own(fields)))
    return set(under("shipments", named))


def invoice_paths(fields: Fields) -> set[str]:
    named = ("number", "state", "invoice_date", *_chosen(_INVOICE, own(fields)))
    return set(under("invoices", named))


def account_paths(fields: Fields, tax_identifiers: tuple[str, ...]) -> set[str]:
    wanted = own(fields)
    paths = set(_chosen(_ACCOUNT, wanted))
    if "tax_id" in wanted and tax_identifiers:
        paths.update(("identifiers.type", "identifiers.code"))
    elif "tax_id" in wanted:
        paths.add("tax_identifier.code")
    return paths


def contact_paths(fields: Fields, tax_identifiers: tuple[str, ...]) -> set[str]:
    paths = {*RELATIONS, *_chosen(_CONTACT, own(fields))}
    account = account_paths(inside(fields, "account"), tax_identifiers)
    return paths | set(under("relations.to", account))


def _chosen(paths: Paths, wanted: Fields) -> Iterator[str]:
    return (path for name in wanted for path in paths.get(name, ()))
