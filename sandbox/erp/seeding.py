"""Fills the ERP: customers, carriers, and 3,000 orders with all that followed them."""

from __future__ import annotations

import random
import sqlite3
import uuid
from datetime import date, timedelta
from typing import Final

from sandbox.erp.documents import Documents
from sandbox.erp.orders import draw, write
from sandbox.erp.places import CARRIERS, MARKETS, Place, places
from sandbox.erp.stages import stage_at
from sandbox.erp.tables import Rows, create
from sandbox.people import CUSTOMERS, Customer

ORDERS: Final = 3000
FIRST_ORDER: Final = 4_500_001
_DAYS: Final = 729


def seed(connection: sqlite3.Connection, today: date, rng: random.Random) -> None:
    """Make and fill the tables `erp_...`. The same day and state of rng give the same rows."""
    rows = Rows()
    addresses = places()
    _partners(rows, addresses, rng)
    _orders(rows, addresses, today, rng)
    own = not connection.in_transaction
    if own:
        connection.execute("BEGIN")
    create(connection)
    rows.write(connection)
    if own:
        connection.execute("COMMIT")


def _orders(
    rows: Rows, addresses: dict[str, tuple[Place, ...]], today: date, rng: random.Random
) -> None:
    """The numbers follow the days. More orders are young than old; many share their day."""
    ages = sorted((int(_DAYS * rng.random() ** 1.6) for _ in range(ORDERS)), reverse=True)
    customers = list(CUSTOMERS) * (ORDERS // len(CUSTOMERS))
    rng.shuffle(customers)
    documents = Documents(rows, today, rng)
    for number, (age, customer) in enumerate(zip(ages, customers, strict=True), FIRST_ORDER):
        ship_to = rng.choice(addresses[customer.number])
        day = today - timedelta(days=age)
        order = draw(str(number), customer, stage_at(age, rng), day, ship_to, rng)
        documents.follow(order)
        write(order, rows, rng)


def _partners(rows: Rows, addresses: dict[str, tuple[Place, ...]], rng: random.Random) -> None:
    for customer in CUSTOMERS:
        market = MARKETS[customer.country]
        _partner(rows, customer.number, customer.name, market.language, rng, customer.number, "")
        _customer(rows, customer)
        for place in addresses[customer.number]:
            _address(rows, place, market.language, market.zone, rng)
    for number, name in CARRIERS:
        _partner(rows, number, name, "ES", rng, "", number)


def _partner(
    rows: Rows, number: str, name: str, language: str, rng: random.Random, customer: str,
    supplier: str,
) -> None:  # fmt: skip
    rows.add("erp_business_partner", {
        "BusinessPartner": number,
        "Customer": customer,
        "Supplier": supplier,
        "BusinessPartnerCategory": "2",
        "BusinessPartnerFullName": name,
        "BusinessPartnerName": name,
        "BusinessPartnerGrouping": "BPAB",
        "BusinessPartnerUUID": str(uuid.UUID(int=rng.getrandbits(128))),
        "CorrespondenceLanguage": language,
        "CreatedByUser": "CB9980000001",
        "CreationDate": "2019-03-04",
        "CreationTime": "09:15:00",
        "Language": language,
        "LastChangeDate": "2023-08-17",
        "LastChangeTime": "11:42:10",
        "OrganizationBPName1": name,
        "SearchTerm1": name.partition(" ")[0].upper(),
    })  # fmt: skip


def _customer(rows: Rows, customer: Customer) -> None:
    # The vendor keeps Brazil's number without its signs, and has sixteen places for all.
    tax = customer.tax_id
    rows.add("erp_customer", {
        "Customer": customer.number,
        "CreatedByUser": "CB9980000001",
        "CreationDate": "2019-03-04",
        "CustomerAccountGroup": "CUST",
        "CustomerFullName": customer.name,
        "CustomerName": customer.name,
        "TaxNumber1": "".join(c for c in tax if c.isdigit()) if customer.country == "BR" else tax,
    })  # fmt: skip


def _address(rows: Rows, place: Place, language: str, zone: str, rng: random.Random) -> None:
    rows.add("erp_business_partner_address", {
        "BusinessPartner": place.customer,
        "AddressID": place.number,
        "ValidityStartDate": "2019-03-04T00:00:00.000Z",
        "ValidityEndDate": "9999-12-31T23:59:59.000Z",
        "AddressUUID": str(uuid.UUID(int=rng.getrandbits(128))),
        "AddressTimeZone": zone,
        "CityName": place.city,
        "Country": place.country,
        "District": place.district,
        "FullName": place.name,
        "HouseNumber": place.house,
        "Language": language,
        "PostalCode": place.postal_code,
        "Region": place.region,
        "StreetName": place.street,
    })  # fmt: skip
