"""Fills an initialised Tryton with the tests' documents. Runs in the live environment.

    python -m tests.live.tryton.seed DATABASE CONFIG SHARED

SHARED: a file of more documents, those of the sandbox.

Prints JSON: the key of the connector's user, and the ids that Tryton gave.
"""

# proteus and trytond are installed in the live environment alone and carry no types.
# mypy: disable-error-code="import-not-found,import-untyped,no-any-unimported"

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from proteus import Model
from proteus import config as proteus_config
from trytond.modules.account.tests.tools import (
    create_chart,
    create_fiscalyear,
    get_accounts,
)
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
from trytond.modules.company.tests.tools import create_company

from sandbox.people import CUSTOMERS, PEOPLE, Person
from tests.live.tryton.documents import (
    ANDINA,
    DOCUMENTS,
    PACIFICO,
    RATES,
    RELATION_OF_ROLE,
    SELLER,
    SELLER_CURRENCY,
    SHARED_ADDRESS,
    Document,
    Outcome,
    unpacked,
)

#: Tryton's groups whose rights the connector's user needs, and no others.
GROUPS = ("Sales", "Stock", "Accounting")

#: How long after an order its last document follows.
_AFTERWARDS = timedelta(days=40)

#: Outcomes that end beyond a step of a document's life.
BILLED = {Outcome.INVOICED, Outcome.PAID}
PROCESSED = BILLED | {
    Outcome.WAITING,
    Outcome.PICKED,
    Outcome.PARTIAL,
    Outcome.SENT,
    Outcome.BLOCKED,
}


@dataclass
class Books:
    """Tryton's own records that documents point at, by our names."""

    currencies: dict[str, Any] = field(default_factory=dict)
    countries: dict[str, Any] = field(default_factory=dict)
    parties: dict[str, Any] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)
    products: dict[str, Any] = field(default_factory=dict)
    term: Any = None
    method: Any = None
    numbers: Any = None


def main(database: str, config_file: str, shared: str) -> None:
    config = proteus_config.set_trytond(database, config_file=config_file)
    config.skip_warning = True  # of a due date in the past: the documents keep their days
    books = Books()
    add_currencies(books)
    seller = Model.get("party.party")(name=SELLER)
    seller.save()
    create_company(party=seller, currency=books.currencies[SELLER_CURRENCY])
    create_chart()
    documents = [*DOCUMENTS, *unpacked(Path(shared).read_text())]
    days = [document.ordered_on for document in documents]
    for year in range(min(days).year, (max(days) + _AFTERWARDS).year + 1):
        add_fiscal_year(year)
    add_payment(books)
    add_products(books, documents)
    add_customers(books)
    add_people(books)
    (books.numbers,) = Model.get("ir.sequence").find([("name", "=", "Sale")])
    sales = add_documents(config, books, documents)
    key = add_reader(config)
    json.dump(
        {
            "key": key,
            "parties": {number: party.id for number, party in books.parties.items()},
            "people": {email: party.id for email, party in books.people.items()},
            "sales": sales,
        },
        sys.stdout,
    )


def add_currencies(books: Books) -> None:
    for code, rate in RATES.items():
        currency = Model.get("currency.currency")(name=code, code=code, symbol=code)
        currency.rounding = Decimal("0.01")
        currency.rates.new(date=date(2020, 1, 1), rate=rate)
        currency.save()
        books.currencies[code] = currency


def add_fiscal_year(year: int) -> None:
    whole = (date(year, 1, 1), date(year, 12, 31))
    new = create_fiscalyear(today=whole)
    new.start_date, new.end_date = whole
    set_fiscalyear_invoice_sequences(new).click("create_period")


def add_payment(books: Books) -> None:
    term = Model.get("account.invoice.payment_term")(name="30 days")
    term.lines.new(type="remainder").relativedeltas.new(days=30)
    term.save()
    journal, *_ = Model.get("account.journal").find([("type", "=", "cash")])
    cash = get_accounts()["cash"]
    method = Model.get("account.invoice.payment.method")(name="Cash", journal=journal)
    method.credit_account = method.debit_account = cash
    method.save()
    books.term, books.method = term, method


def add_products(books: Books, documents: Iterable[Document]) -> None:
    accounts = get_accounts()
    category = Model.get("product.category")(name="Drywall", accounting=True)
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.save()
    units = {unit.symbol: unit for unit in Model.get("product.uom").find([])}
    sold = {line.product.code: line.product for one in documents for line in one.lines}
    for product in sold.values():
        if product.unit not in units:
            units[product.unit] = _unit(product.unit)
        template = Model.get("product.template")(name=product.name, type="goods", salable=True)
        template.default_uom = units[product.unit]
        template.list_price = product.price
        template.account_category = category
        template.save()
        (variant,) = template.products
        variant.suffix_code = product.code
        variant.save()
        books.products[product.code] = variant


def _unit(symbol: str) -> Any:
    """A unit that Tryton does not know: pieces in boxes and on rolls."""
    (pieces,) = Model.get("product.uom.category").find([("name", "=", "Units")])
    unit = Model.get("product.uom")(name=symbol, symbol=symbol, category=pieces)
    unit.factor = unit.rate = 1.0
    unit.rounding, unit.digits = 0.001, 3
    unit.save()
    return unit


def add_customers(books: Books) -> None:
    for customer in CUSTOMERS:
        country = Model.get("country.country")(name=customer.country, code=customer.country)
        country.save()
        party = Model.get("party.party")(name=customer.name, code=customer.number)
        party.customer_payment_term = books.term
        party.identifiers.new(code=customer.tax_id)
        party.contact_mechanisms.new(type="phone", value=customer.phone)
        (address,) = party.addresses
        address.street, address.city = customer.street, customer.city
        address.postal_code, address.country = customer.postal_code, country
        address.invoice, address.delivery = True, customer.number != ANDINA
        if customer.number == ANDINA:
            party.addresses.new(
                street="Calle 13 # 68-90", city="Bogotá", country=country, delivery=True
            )
        party.save()
        books.countries[customer.country], books.parties[customer.number] = country, party


def add_people(books: Books) -> None:
    types = {}
    for name in RELATION_OF_ROLE.values():
        reverse = Model.get("party.relation.type")(name=f"({name})")
        reverse.save()
        types[name] = Model.get("party.relation.type")(name=name, reverse=reverse)
        types[name].save()
    for person in PEOPLE:
        relations = ((person.customer, person.role), *person.also)
        party = _party_of(person)
        for number, role in relations:
            party.relations.new(type=types[RELATION_OF_ROLE[role]], to=books.parties[number])
        party.save()
        books.people[person.email] = party
    _add_awkward_people(books, types["Portal member of"])


def _party_of(person: Person) -> Any:
    party = Model.get("party.party")(name=f"{person.first_name} {person.last_name}")
    party.contact_mechanisms.new(type="phone", value=person.phone)
    party.contact_mechanisms.new(type="email", value=person.email)
    spoken = person.language.partition("-")[0]
    (party.lang,) = Model.get("ir.lang").find([("code", "=", spoken)])
    return party


def _add_awkward_people(books: Books, member: Any) -> None:
    """Those who test a rule: an ended relation, one that ends later, one address for two people,
    an address that only differs by its accent, somebody without any relation."""
    today = date.today()  # noqa: DTZ011 - Tryton compares the same way
    ended, ending = today - timedelta(days=1), today + timedelta(days=30)
    people = (
        ("Elsa Antes", "elsa.antes@andina.example", ANDINA, ended),
        ("Tito Hastaluego", "tito.hastaluego@andina.example", ANDINA, ending),
        ("Uno Compras", SHARED_ADDRESS, ANDINA, None),
        ("Dos Compras", SHARED_ADDRESS, PACIFICO, None),
        ("Aña Torres", "áña.torres@andina.example", PACIFICO, None),
        ("Nadie Suelto", "nadie@suelto.example", None, None),
    )
    for name, email, number, until in people:
        party = Model.get("party.party")(name=name)
        party.contact_mechanisms.new(type="email", value=email)
        if number:
            party.relations.new(type=member, to=books.parties[number], end_date=until)
        party.save()
        books.people.setdefault(email, party)
    # A company that receives mail under the address of one of its people is no second person.
    company = books.parties[ANDINA]
    company.contact_mechanisms.new(type="email", value="ana.torres@andina.example")
    company.save()


def add_documents(config: Any, books: Books, documents: Sequence[Document]) -> dict[str, int]:
    """Ids by number. What many documents go through is asked of Tryton in one call: its client
    library works out every line anew with each field that is set."""
    sales = config.get_proxy("sale.sale")
    created = sales.create([_sale(books, one) for one in documents], config.context)
    ids = {document.number: key for document, key in zip(documents, created, strict=True)}

    def of(*outcomes: Outcome) -> list[int]:
        return [ids[one.number] for one in documents if one.outcome in outcomes]

    for document in documents:
        if document.outcome is not Outcome.UNNUMBERED:
            books.numbers.number_next = int(document.number)
            books.numbers.save()
            sales.quote([ids[document.number]], config.context)
    sales.draft(of(Outcome.DRAFT), config.context)
    sales.cancel(of(Outcome.CANCELLED), config.context)
    sales.confirm(of(Outcome.CONFIRMED, *PROCESSED), config.context)
    sales.process(of(*PROCESSED), config.context)
    for document in documents:
        if document.outcome in PROCESSED:
            _fulfil(Model.get("sale.sale")(ids[document.number]), document)
    sales.process(of(*PROCESSED), config.context)
    # Tryton numbers invoices by date and takes none that is older than the last.
    for document in sorted(documents, key=lambda one: one.ordered_on):
        if document.outcome in BILLED:
            _bill(books, Model.get("sale.sale")(ids[document.number]), document)
    sales.process(of(*BILLED), config.context)
    return ids


def _sale(books: Books, document: Document) -> dict[str, Any]:
    known = next(found for found in CUSTOMERS if found.number == document.customer)
    party = books.parties[document.customer]
    lines: list[dict[str, Any]] = [
        {
            "product": books.products[line.product.code].id,
            "unit": books.products[line.product.code].default_uom.id,
            "sequence": line.position,
            "quantity": float(line.quantity),
            "unit_price": line.price,
        }
        for line in document.lines
    ]
    lines.append({"type": "comment", "description": "Esto no es una posición", "sequence": 999})
    sale = {
        "party": party.id,
        "invoice_address": party.addresses[0].id,
        "shipment_address": party.addresses[-1].id,
        "payment_term": books.term.id,
        "currency": books.currencies[known.currency].id,
        "reference": document.reference,
        "invoice_method": "fulfillment",
        "lines": [("create", lines)],
    }
    if document.outcome is not Outcome.UNNUMBERED:
        sale |= {"sale_date": document.ordered_on, "shipping_date": document.requested_on}
    return sale


def _fulfil(sale: Any, document: Document) -> None:
    (shipment,) = sale.shipments
    shipment.planned_date = document.ordered_on + timedelta(days=5)
    shipment.save()
    if document.outcome is Outcome.BLOCKED:
        shipment.click("cancel")
    elif document.outcome is not Outcome.WAITING:
        _deliver(shipment, document)


def _deliver(shipment: Any, document: Document) -> None:
    if document.outcome is Outcome.PARTIAL:
        code = document.lines[0].product.code
        (move,) = [one for one in shipment.inventory_moves if one.product.code == code]
        move.quantity = move.quantity / 2
        shipment.save()
    shipment.click("assign_force")
    shipment.click("pick")
    if document.outcome is Outcome.PICKED:
        return
    shipment.click("pack")
    shipment.effective_date = document.ordered_on + timedelta(days=6)
    shipment.save()
    shipment.click("do")


def _bill(books: Books, sale: Any, document: Document) -> None:
    (invoice,) = sale.invoices
    invoice.invoice_date = document.ordered_on + timedelta(days=7)
    invoice.save()
    invoice.click("post")
    if document.outcome is Outcome.PAID:
        pay = invoice.click("pay")
        pay.form.payment_method = books.method
        pay.form.date = document.ordered_on + timedelta(days=20)
        pay.execute("choice")
        invoice.click("process")


def add_reader(config: Any) -> str:
    """The user of the connector, with a confirmed application key."""
    user = Model.get("res.user")(name="Portal", login="portal")
    for name in GROUPS:
        (group,) = Model.get("res.group").find([("name", "=", name)])
        user.groups.append(group)
    user.save()
    application = Model.get("res.user.application")(user=user, application="rest")
    application.save()
    return str(application.key)


if __name__ == "__main__":
    main(*sys.argv[1:])
