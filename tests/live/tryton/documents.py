"""What the real Tryton is seeded with and what the tests expect of it. Standard library only: the
seeding runs in another environment than the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sandbox.people import CUSTOMERS, PEOPLE, Customer, Person

#: Our roles of the sandbox, in the words that Tryton's relation types get.
RELATION_OF_ROLE = {
    "Portal Admin": "Portal admin of",
    "Portal Member": "Portal member of",
    "Portal Reader": "Portal reader of",
}

#: The seller, whose Tryton it is.
SELLER = "Muros Livianos S.A."
SELLER_CURRENCY = "COP"


class Outcome(StrEnum):
    """How far a document is taken after it was entered."""

    DRAFT = "draft"
    QUOTATION = "quotation"
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    PICKED = "picked"
    PARTIAL = "partial"
    SENT = "sent"
    INVOICED = "invoiced"
    PAID = "paid"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    UNNUMBERED = "unnumbered"  # a draft as Tryton makes it: neither number nor date


@dataclass(frozen=True, slots=True)
class Product:
    """price: of one unit in the seller's currency."""

    code: str
    name: str
    unit: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    position: int
    product: Product
    quantity: Decimal
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return (self.quantity * self.price).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Document:
    """number: what Tryton is told to call it, so that both sides know it by one name."""

    number: str
    customer: str
    reference: str | None
    ordered_on: date
    outcome: Outcome
    lines: tuple[Line, ...]
    requested_on: date | None = None

    @property
    def untaxed(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal())


#: Tryton's symbols of its own units: u is the piece, kg, m, m².
PRODUCTS = (
    Product("PL-STD-127", "Placa estándar 12,7 mm", "u", Decimal("38900.00")),
    Product("PL-RH-127", "Placa resistente a la humedad 12,7 mm", "u", Decimal("52400.00")),
    Product("PF-OMEGA", "Perfil omega 3,05 m", "u", Decimal("9850.00")),
    Product("MS-20", "Masilla lista para usar", "kg", Decimal("4125.50")),
    Product("CN-75", "Cinta de papel", "m", Decimal("310.25")),
)

#: Units of a currency for one of the seller's, only so that Tryton can keep its books.
RATES = {
    "COP": Decimal(1),
    "PEN": Decimal("0.00091"),
    "CLP": Decimal("0.23"),
    "ARS": Decimal("0.34"),
    "BRL": Decimal("0.0013"),
}

ANDINA, PACIFICO, AUSTRAL, PLATA, HORIZONTE = (customer.number for customer in CUSTOMERS)

#: Two people with one address, who must not be told apart by guessing.
SHARED_ADDRESS = "compras@dos.example"


def _lines(*wanted: tuple[int, str]) -> tuple[Line, ...]:
    return tuple(
        Line(10 * place, PRODUCTS[index], Decimal(quantity), PRODUCTS[index].price)
        for place, (index, quantity) in enumerate(wanted, start=1)
    )


def _document(
    number: int,
    customer: str,
    reference: str | None,
    on: str,
    outcome: Outcome,
    *wanted: tuple[int, str],
    requested: str | None = None,
) -> Document:
    requested_on = date.fromisoformat(requested) if requested else None
    lines = _lines(*(wanted or ((number % 5, "12"), ((number + 2) % 5, "3"))))
    day = date.fromisoformat(on)
    return Document(str(number), customer, reference, day, outcome, lines, requested_on)


DOCUMENTS: tuple[Document, ...] = (
    _document(70001, ANDINA, "OC-2026-0101", "2026-02-03", Outcome.PAID, (0, "40"), (3, "12.5")),
    _document(70002, ANDINA, "OC-2026-0102", "2026-02-17", Outcome.INVOICED),
    _document(70003, ANDINA, "OC-2026-0103", "2026-03-02", Outcome.INVOICED),
    _document(70004, ANDINA, "OC-2026-0104", "2026-03-19", Outcome.SENT, requested="2026-03-24"),
    _document(70005, ANDINA, "OC-2026-0105", "2026-04-08", Outcome.SENT),
    _document(70006, ANDINA, "OC-2026-0106", "2026-04-30", Outcome.PARTIAL, (1, "20"), (2, "8")),
    _document(70007, ANDINA, "OC-2026-0107", "2026-05-11", Outcome.PICKED),
    _document(70008, ANDINA, "OC-2026-0108", "2026-05-26", Outcome.WAITING),
    _document(70009, ANDINA, "OC-2026-0109", "2026-06-09", Outcome.CONFIRMED),
    _document(70010, ANDINA, "OC-2026-0110", "2026-06-23", Outcome.QUOTATION),
    _document(70011, ANDINA, "OC-2026-0111", "2026-07-07", Outcome.DRAFT),
    _document(70012, ANDINA, "OC-2026-0112", "2026-07-21", Outcome.BLOCKED),
    _document(70013, ANDINA, "OC-2026-0113", "2026-08-04", Outcome.CANCELLED),
    # What people type, which must stay data on its way through a domain and an SQL pattern.
    _document(70014, ANDINA, "O'Higgins 'A'", "2026-08-18", Outcome.CONFIRMED),
    _document(70015, ANDINA, "50% anticipo", "2026-08-18", Outcome.CONFIRMED),
    _document(70016, ANDINA, "50 anticipo", "2026-08-18", Outcome.CONFIRMED),
    _document(70017, ANDINA, "obra_7", "2026-08-18", Outcome.CONFIRMED),
    _document(70018, ANDINA, "obra 7", "2026-08-18", Outcome.CONFIRMED),
    _document(70019, ANDINA, "bodega\\norte", "2026-08-18", Outcome.CONFIRMED),
    _document(70020, ANDINA, 'dice "urgente"', "2026-09-01", Outcome.CONFIRMED),
    _document(70021, ANDINA, None, "2026-09-15", Outcome.CONFIRMED),
    # One digit less: Tryton orders numbers by their length first.
    _document(9100, ANDINA, "OC-2025-0999", "2026-01-12", Outcome.PAID),
    _document(70100, ANDINA, None, "2026-10-01", Outcome.UNNUMBERED),
    _document(80001, PACIFICO, "OC-2026-0101", "2026-02-05", Outcome.SENT),
    _document(80002, PACIFICO, "PED-77", "2026-03-12", Outcome.WAITING),
    _document(80003, PACIFICO, "PED-78", "2026-06-16", Outcome.QUOTATION),
    _document(80004, PACIFICO, "50% anticipo", "2026-08-18", Outcome.CONFIRMED),
    _document(80005, PACIFICO, "PED-79", "2026-04-21", Outcome.INVOICED),
    _document(81001, PLATA, "OC-7", "2026-04-14", Outcome.WAITING),
    _document(81002, PLATA, "OC-8", "2026-05-14", Outcome.SENT),
    _document(82001, HORIZONTE, "PC-2026-1", "2026-04-14", Outcome.CONFIRMED),
    _document(82002, HORIZONTE, "PC-2026-2", "2026-07-14", Outcome.CONFIRMED),
)


def packed(documents: Iterable[Document]) -> str:
    """As JSON, for the way into the environment of the seeding."""
    return json.dumps([asdict(document) for document in documents], default=str)


def unpacked(text: str) -> tuple[Document, ...]:
    return tuple(_document_of(raw) for raw in json.loads(text))


def _document_of(raw: dict[str, Any]) -> Document:
    lines = []
    for line in raw["lines"]:
        product = Product(**{**line["product"], "price": Decimal(line["product"]["price"])})
        quantity, price = Decimal(line["quantity"]), Decimal(line["price"])
        lines.append(Line(line["position"], product, quantity, price))
    day, outcome = date.fromisoformat(raw["ordered_on"]), Outcome(raw["outcome"])
    number, customer, reference = raw["number"], raw["customer"], raw["reference"]
    return Document(number, customer, reference, day, outcome, tuple(lines))


def customer(number: str) -> Customer:
    return next(found for found in CUSTOMERS if found.number == number)


def person(email: str) -> Person:
    return next(found for found in PEOPLE if found.email == email)
