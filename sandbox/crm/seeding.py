"""Fills the CRM: accounts, contacts, what they may do for whom, users, and published articles."""

from __future__ import annotations

import random
import sqlite3
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from sandbox.crm import ids, moments
from sandbox.crm.case_seeding import Staff, seed_cases
from sandbox.crm.files import next_number
from sandbox.crm.objects import tables
from sandbox.database import create, insert
from sandbox.people import CUSTOMERS, PEOPLE, Person

_COUNTRIES: Final = {
    "CO": "Colombia",
    "PE": "Peru",
    "CL": "Chile",
    "AR": "Argentina",
    "BR": "Brazil",
}
_INTEGRATION: Final = "Portal Integration"
_AGENTS: Final = (
    "Laura Cárdenas",
    "Andrés Felipe Mejía",
    "Paola Huamán",
    "Ignacio Fuentes",
    "Juliana Ribeiro",
)
_LANGUAGES: Final = {"es": "es", "en": "en_US", "pt": "pt_BR"}


def seed(connection: sqlite3.Connection, today: date, rng: random.Random) -> None:
    """Make and fill the tables `crm_...`. Reads the ERP's orders, so its tables must be filled.

    The same day and state of rng give the same rows. The caller owns the transaction.
    """
    create(connection, tables())
    texts = tomllib.loads((Path(__file__).parent / "texts.toml").read_text(encoding="utf-8"))
    start = _moment(today - timedelta(days=900))
    _seed_customers(connection, start, today)
    staff = _seed_users(connection, start)
    _seed_articles(connection, texts["articles"], today)
    seed_cases(connection, texts, staff, today, rng)


def _moment(day: date) -> str:
    return moments.written(datetime.combine(day, time(12), UTC))


def _system(moment: str) -> dict[str, Any]:
    return {
        "CreatedDate": moment,
        "CreatedById": ids.numbered("005", 1),
        "LastModifiedDate": moment,
        "SystemModstamp": moment,
    }


def _add(connection: sqlite3.Connection, entity: str, prefix: str, row: Mapping[str, Any]) -> str:
    identity = ids.numbered(prefix, next_number(connection, prefix))
    insert(connection, f"crm_{entity}", {"Id": identity, **row})
    return identity


def _seed_customers(connection: sqlite3.Connection, start: str, today: date) -> None:
    system = _system(start)
    accounts = {one.number: one.crm_id for one in CUSTOMERS}
    for customer in CUSTOMERS:
        row = {
            "Id": customer.crm_id,
            "Name": customer.name,
            "AccountNumber": customer.number,
            "TaxId__c": customer.tax_id,
            "BillingStreet": customer.street,
            "BillingCity": customer.city,
            "BillingState": customer.region,
            "BillingPostalCode": customer.postal_code,
            "BillingCountry": _COUNTRIES[customer.country],
            "BillingCountryCode": customer.country,
            "Phone": customer.phone,
            "Website": f"https://www.{customer.site}",
        }
        insert(connection, "crm_Account", {**row, **system})
    for at, person in enumerate(PEOPLE):
        _seed_person(connection, person, at, accounts, system)
    _seed_idle_relations(connection, accounts, system, today)


def _seed_person(
    connection: sqlite3.Connection,
    person: Person,
    at: int,
    accounts: Mapping[str, str],
    system: Mapping[str, Any],
) -> None:
    row = {
        "Id": person.crm_id,
        "AccountId": accounts[person.customer],
        "Name": f"{person.first_name} {person.last_name}",
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "Email": person.email,
        # Some have a mobile phone only, as contacts in a CRM do.
        "Phone": None if at % 3 == 2 else person.phone,
        "MobilePhone": person.phone if at % 3 else None,
        "Title": person.title,
        "Language__c": person.language,
    }
    insert(connection, "crm_Contact", {**row, **system})
    for number, role in ((person.customer, person.role), *person.also):
        direct = number == person.customer
        roles = f"Decision Maker;{role}" if direct and role == "Portal Admin" else role
        relation = {"AccountId": accounts[number], "ContactId": person.crm_id, "Roles": roles}
        state = {"IsActive": 1, "IsDirect": int(direct), "StartDate": None, "EndDate": None}
        _add(connection, "AccountContactRelation", "07k", {**relation, **state, **system})


def _seed_idle_relations(
    connection: sqlite3.Connection,
    accounts: Mapping[str, str],
    system: Mapping[str, Any],
    today: date,
) -> None:
    """One that ended, one that was switched off, one that has yet to begin: none gives a right."""
    month = timedelta(days=30)
    people = {one.email.partition("@")[0]: one.crm_id for one in PEOPLE}
    for name, number, role, active, begins, ends in (
        ("jorge.pineda", "17100002", "Portal Admin", 1, today - 12 * month, today - month),
        ("rosa.quispe", "17100001", "Portal Admin", 0, None, None),
        ("camila.soto", "17100004", "Portal Member", 1, today + month, None),
    ):
        relation = {"AccountId": accounts[number], "ContactId": people[name], "Roles": role}
        state = {
            "IsActive": active,
            "IsDirect": 0,
            "StartDate": begins.isoformat() if begins else None,
            "EndDate": ends.isoformat() if ends else None,
        }
        _add(connection, "AccountContactRelation", "07k", {**relation, **state, **system})


def _seed_users(connection: sqlite3.Connection, start: str) -> Staff:
    system = _system(start)

    def add(name: str, email: str, contact: str | None) -> str:
        row = {"Name": name, "Username": email, "Email": email, "ContactId": contact}
        return _add(connection, "User", "005", {**row, "IsActive": 1, **system})

    integration = add(_INTEGRATION, "integration@portal.example", None)
    agents = tuple(
        add(name, f"agent{at}@portal.example", None) for at, name in enumerate(_AGENTS, 1)
    )
    customers = {
        one.crm_id: add(f"{one.first_name} {one.last_name}", one.email, one.crm_id)
        for one in PEOPLE
    }
    return Staff(integration, agents, customers)


def _seed_articles(connection: sqlite3.Connection, articles: list[Any], today: date) -> None:
    """Every article in three languages; then a draft, an archived one, and one kept inside."""
    for at, article in enumerate(articles, 1):
        for language, code in _LANGUAGES.items():
            published = _moment(today - timedelta(days=17 * at))
            _add_article(connection, at, article["slug"], code, article[language], published)
    title = ["Nota", "Todavía no publicada.", "<p>Texto de trabajo.</p>"]
    published = _moment(today - timedelta(days=200))
    hidden: tuple[tuple[str, dict[str, Any]], ...] = (
        ("borrador", {"PublishStatus": "Draft", "LastPublishedDate": None}),
        ("archivado", {"PublishStatus": "Archived"}),
        ("solo-agentes", {"IsVisibleInCsp": 0}),
    )
    for at, (slug, change) in enumerate(hidden, len(articles) + 1):
        _add_article(connection, at, slug, "es", title, published, change)


def _add_article(
    connection: sqlite3.Connection,
    number: int,
    slug: str,
    language: str,
    texts: list[str],
    published: str,
    change: Mapping[str, Any] | None = None,
) -> None:
    title, summary, body = texts
    row = {
        "KnowledgeArticleId": ids.numbered("kA0", number),
        "ArticleNumber": f"{number:09}",
        "Title": title,
        "UrlName": slug if language == "es" else f"{slug}-{language[:2]}",
        "Summary": summary,
        "Body__c": body,
        "Language": language,
        "PublishStatus": "Online",
        "LastPublishedDate": published,
        "IsVisibleInCsp": 1,
    }
    _add(connection, "Knowledge__kav", "ka0", {**row, **(change or {}), **_system(published)})
