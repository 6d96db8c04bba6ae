"""Fills an initialised Tryton with the tests' documents. Runs in the live environment.

    python -m tests.live.tryton.seed DATABASE CONFIG

Prints JSON: the key of the connector's user, and the ids that Tryton gave.
"""

# proteus and trytond are installed in the live environment alone and carry no types.
# mypy: disable-error-code="import-not-found,import-untyped,no-any-unimported"

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
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
    PRODUCTS,
    RATES,
    RELATION_OF_ROLE,
    SELLER,
    SELLER_CURRENCY,
    SHARED_ADDRESS,
    Document,
    Outcome,
)

#: Tryton's groups whose rights the connector's user needs, and no others.
GROUPS = ("Sales", "Stock", "Accounting")

#: Which outcomes lie beyond each step of a document's life.
QUOTED = set(Outcome) - {Outcome.UNNUMBERED}
PROCESSED = {
    Outcome.WAITING,
    Outcome.PICKED,
    Outcome.PARTIAL,
    Outcome.SENT,
    Outcome.INVOICED,
    Outcome.PAID,
    Outcome.BLOCKED,
}
DELIVERED = {Outcome.SENT, Outcome.INVOICED, Outcome.PAID}


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


def main(database: str, config_file: str) -> None:
    config = proteus_config.set_trytond(database, config_file=config_file)
    config.skip_warning = True  # of a due date in the past: the documents keep their days
    books = Books()
    add_currencies(books)
    seller = Model.get("party.party")(name=SELLER)
    seller.save()
    create_company(party=seller, currency=books.currencies[SELLER_CURRENCY])
    create_chart()
    for year in (2025, 2026):
        add_fiscal_year(year)
    add_payment(books)
    add_products(books)
    add_customers(books)
    add_people(books)
    (books.numbers,) = Model.get("ir.sequence").find([("name", "=", "Sale")])
    # Tryton numbers invoices by date and takes none that is older than the last.
    by_day = sorted(DOCUMENTS, key=lambda document: document.ordered_on)
    sales = {document.number: add_document(books, document) for document in by_day}
    key = add_reader(config)
    json.dump(
        {
            "key": key,
            "parties": {number: party.id for number, party in books.parties.items()},
            "people": {email: party.id for email, party in books.people.items()},
            "sales": {number: sale.id for number, sale in sales.items()},
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


def add_products(books: Books) -> None:
    accounts = get_accounts()
    category = Model.get("product.category")(name="Drywall", accounting=True)
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.save()
    units = {unit.symbol: unit for unit in Model.get("product.uom").find([])}
    for product in PRODUCTS:
        template = Model.get("product.template")(name=product.name, type="goods", salable=True)
        template.default_uom = units[product.unit]
        template.list_price = product.price
        template.account_category = category
        template.save()
        (variant,) = template.products
        variant.suffix_code = product.code
        variant.save()
        books.products[product.code] = variant


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


def add_document(books: Books, document: Document) -> Any:
    customer = next(found for found in CUSTOMERS if found.number == document.customer)
    sale = Model.get("sale.sale")(party=books.parties[document.customer])
    sale.currency = books.currencies[customer.currency]
    sale.reference = document.reference
    sale.invoice_method = "fulfillment"
    for line in document.lines:
        new = sale.lines.new(product=books.products[line.product.code], sequence=line.position)
        new.quantity, new.unit_price = float(line.quantity), line.price
    if document.outcome is Outcome.WAITING:
        sale.lines.new(type="comment", description="Un comentario no es una posición", sequence=99)
    if document.outcome is not Outcome.UNNUMBERED:
        sale.sale_date = document.ordered_on
        sale.shipping_date = document.requested_on
    sale.save()
    _take_further(books, sale, document)
    return sale


def _take_further(books: Books, sale: Any, document: Document) -> None:
    outcome = document.outcome
    if outcome in QUOTED:
        books.numbers.number_next = int(document.number)
        books.numbers.save()
        sale.click("quote")
    if outcome is Outcome.DRAFT:
        sale.click("draft")
    if outcome is Outcome.CANCELLED:
        sale.click("cancel")
    if outcome in PROCESSED | {Outcome.CONFIRMED}:
        sale.click("confirm")
    if outcome not in PROCESSED:
        return
    sale.click("process")
    (shipment,) = sale.shipments
    shipment.planned_date = document.ordered_on + timedelta(days=5)
    shipment.save()
    if outcome is Outcome.BLOCKED:
        shipment.click("cancel")
    if outcome in DELIVERED | {Outcome.PICKED, Outcome.PARTIAL}:
        _deliver(shipment, document)
    if outcome in {Outcome.INVOICED, Outcome.PAID}:
        sale.click("process")
        _bill(books, sale, document)
    if outcome is not Outcome.WAITING:
        sale.click("process")


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
    sale.reload()
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
    main(sys.argv[1], sys.argv[2])
