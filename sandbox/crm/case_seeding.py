"""Invents the cases of five customers: who asked what about which order, and what came of it."""

from __future__ import annotations

import json
import random
import sqlite3
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from typing import Any, Final

from sandbox.crm import ids, moments, samples
from sandbox.crm.calls import Blob
from sandbox.crm.files import next_number, store_file
from sandbox.crm.history import seed_history
from sandbox.crm.objects import CLOSED_STATUSES, STATUSES, SUBCATEGORIES, TYPES
from sandbox.database import insert
from sandbox.people import CUSTOMERS, PEOPLE, Customer, Person

CASES: Final = 300
_NUMBERED_FROM: Final = 1_001
_OTHER: Final = "Other Request"
_DAYS: Final = 729
_TEAMS: Final = {
    "Query": "Customer Service",
    "Invoice Claim": "Billing",
    "Service Claim": "Logistics",
    "Product Claim": "Product Quality",
    "Database Update": "Master Data",
    "Technical Support": "Technical Support",
    "Document Request": "Customer Service",
    "Training": "Training",
}
# Share of cases that name an order; a claim about a service is always about one.
_WITH_ORDER: Final = {"Service Claim": 1.0, "Product Claim": 0.5, _OTHER: 0.1}
_FILES: Final = ("foto-etiqueta.png", "soporte.pdf", "observaciones.txt")
_NAMES: Final = ("Mateo Salazar", "Lucía Paredes", "Tomás Echeverría", "Renata D'Ávila")

Texts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Staff:
    """User ids. customers: contact id -> the user that this contact signs in as."""

    integration: str
    agents: tuple[str, ...]
    customers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is decided of a case before its number is: they are numbered by date."""

    created: datetime
    customer: Customer
    person: Person
    type: str
    status: str
    subcategory: str | None


class _Ledger:
    """The orders and invoices that a customer had by a certain day. From the ERP's tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        orders = "SELECT SoldToParty, SalesOrderDate, SalesOrder FROM erp_sales_order ORDER BY 2, 3"
        invoices = (
            "SELECT SoldToParty, BillingDocumentDate, BillingDocument "
            "FROM erp_billing_document ORDER BY 2, 3"
        )
        self._orders = _by_customer(connection.execute(orders).fetchall())
        self._invoices = _by_customer(connection.execute(invoices).fetchall())

    def order(self, customer: str, day: date, rng: random.Random) -> str:
        return _recent(self._orders[customer], day, rng)

    def invoice(self, customer: str, day: date, rng: random.Random) -> str:
        return _recent(self._invoices[customer], day, rng)


def _by_customer(rows: list[tuple[str, str, str]]) -> dict[str, list[tuple[str, str]]]:
    # The ERP keeps its numbers at full width; people, and so the CRM, write them without zeros.
    found: dict[str, list[tuple[str, str]]] = {}
    for customer, day, number in rows:
        found.setdefault(customer.lstrip("0"), []).append((day[:10], number.lstrip("0")))
    return found


def _recent(dated: list[tuple[str, str]], day: date, rng: random.Random) -> str:
    """One of the last twenty before a day, or the first of all."""
    end = bisect_right(dated, (day.isoformat(), "~"))
    return rng.choice(dated[max(0, end - 20) : end] or dated[:1])[1]


def seed_cases(
    connection: sqlite3.Connection, texts: Texts, staff: Staff, today: date, rng: random.Random
) -> None:
    """Write all cases with their comments and files. Every customer has every type and status."""
    ledger = _Ledger(connection)
    number = {"name": "CaseNumber", "value": _NUMBERED_FROM - 1}
    insert(connection, "crm_counter", number)
    midnight = datetime.combine(today, time(), UTC)
    for draft in sorted(_drafts(midnight, rng), key=lambda one: one.created):
        _Writer(connection, texts, staff, ledger, midnight, rng).write(draft)


def _drafts(midnight: datetime, rng: random.Random) -> list[_Draft]:
    kinds = [(kind, status) for kind in TYPES for status in STATUSES]
    each = CASES // len(CUSTOMERS)
    drafts = []
    for customer in CUSTOMERS:
        people = [
            one
            for one in PEOPLE
            if customer.number in (one.customer, *(number for number, _ in one.also))
        ]
        for at in range(each):
            kind, status = kinds[at % len(kinds)]
            subcategory = SUBCATEGORIES[at % len(SUBCATEGORIES)] if kind == _OTHER else None
            created = _created(status, midnight, rng)
            draft = _Draft(created, customer, rng.choice(people), kind, status, subcategory)
            drafts.append(draft)
    return drafts


def _created(status: str, midnight: datetime, rng: random.Random) -> datetime:
    """In working hours of the last 24 months; what is still open is younger."""
    finished = status in ("Resolved", "Closed")
    days = 8 + int((_DAYS - 8) * rng.random()) if finished else 1 + int(500 * rng.random() ** 2.5)
    seconds = rng.randrange(12 * 3_600, 22 * 3_600)
    return midnight - timedelta(days=days) + timedelta(seconds=seconds)


class _Writer:
    """Writes one case after the other; what is written draws on rng in a fixed order."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        texts: Texts,
        staff: Staff,
        ledger: _Ledger,
        midnight: datetime,
        rng: random.Random,
    ) -> None:
        self._connection = connection
        self._texts = texts
        self._staff = staff
        self._ledger = ledger
        self._midnight = midnight
        self._rng = rng

    def write(self, draft: _Draft) -> None:
        rng, day = self._rng, draft.created.date()
        language = "pt" if draft.customer.country == "BR" else "es"
        share = _WITH_ORDER.get(draft.type, 0.25)
        order = None
        if rng.random() < share:
            order = self._ledger.order(draft.customer.number, day, rng)
        filled = {
            "order": order or "",
            "invoice": self._ledger.invoice(draft.customer.number, day, rng),
            "product": rng.choice(self._texts["products"]),
            "quantity": str(rng.randrange(2, 60)),
            "city": draft.customer.city,
            "name": rng.choice(_NAMES),
        }
        subject, description = self._story(draft, language, order is not None)
        number = next_number(self._connection, "CaseNumber")
        identity = ids.numbered("500", next_number(self._connection, "500"))
        moments_of = self._moments(draft)
        self._comments(identity, draft, language, moments_of)
        self._files(identity, draft, number, moments_of)
        changed = max([draft.created, *moments_of])
        closed = draft.status in CLOSED_STATUSES
        row = {
            "Id": identity,
            "CaseNumber": f"{number:08}",
            "Subject": subject.format_map(filled),
            "Description": description.format_map(filled),
            "Status": draft.status,
            "IsClosed": int(closed),
            "Type": draft.type,
            "Subcategory__c": draft.subcategory,
            "Origin": rng.choice(("Portal", "Portal", "Portal", "Email", "Phone")),
            "Priority": "High" if draft.status == "Escalated" else rng.choice(("Low", "Medium")),
            "AccountId": draft.customer.crm_id,
            "ContactId": draft.person.crm_id,
            "Order_Number__c": order,
            "Portal_Details__c": json.dumps(self._details(draft, filled), ensure_ascii=False),
            "Team__c": _TEAMS[draft.subcategory or draft.type],
            "ClosedDate": moments.written(changed) if closed else None,
            **_system(draft.created, self._staff.integration, changed),
        }
        insert(self._connection, "crm_Case", row)
        begun = (draft.created, self._staff.integration)
        staff = self._staff.agents
        seed_history(self._connection, identity, draft.status, staff, begun, changed)

    def _story(self, draft: _Draft, language: str, with_order: bool) -> list[str]:
        kind = draft.subcategory or draft.type
        [group] = [one for one in self._texts["cases"] if one["type"] == kind]
        fitting = [one for one in group[language] if with_order or "{order}" not in "".join(one)]
        chosen: list[str] = self._rng.choice(fitting)
        return chosen

    def _details(self, draft: _Draft, filled: Mapping[str, str]) -> dict[str, str]:
        """What the form of the category asks for, by the names of its fields."""
        rng, person = self._rng, draft.person
        match draft.subcategory or draft.type:
            case "Invoice Claim":
                reason = rng.choice(("PRICE", "FREIGHT", "TAX", "OTHER"))
                return {"invoice": filled["invoice"], "reason": reason}
            case "Service Claim":
                stage = rng.choice(("ATTENTION", "LOGISTICS", "DELIVERY"))
                return {"order": filled["order"], "stage": stage}
            case "Product Claim":
                batch = f"L{rng.randrange(10_000, 99_999)}"
                return {
                    "product": filled["product"],
                    "batch": batch,
                    "quantity": filled["quantity"],
                }
            case "Database Update":
                name = filled["name"]
                email = f"{name.split()[0].lower()}@{draft.customer.site}"
                email = email.replace("í", "i").replace("á", "a")
                phone, title = person.phone, person.title
                return {"full_name": name, "email": email, "phone": phone, "job_title": title}
            case "Technical Support":
                return {"materials": filled["product"]}
            case "Document Request":
                return {"certificate": filled["product"]}
            case "Training":
                return {
                    "company": draft.customer.name,
                    "site_name": f"Obra {filled['city']}",
                    "address": draft.customer.street,
                    "city": filled["city"],
                    "people": filled["quantity"],
                    "reason": "Equipo nuevo",
                }
        return {}

    def _moments(self, draft: _Draft) -> list[datetime]:
        """When something happened to it afterwards: in order, and before today."""
        count = self._rng.randrange(7)
        if draft.status == "New":
            count = min(count, 1)
        last = self._midnight - timedelta(minutes=10)
        room = min((last - draft.created).total_seconds(), 30 * 86_400)
        steps = sorted(self._rng.random() for _ in range(count))
        found = [draft.created + timedelta(seconds=60 + int(step * (room - 60))) for step in steps]
        if not found and draft.status not in ("New", "Working"):
            found = [draft.created + timedelta(seconds=int(room / 2))]
        return found

    def _comments(
        self, case: str, draft: _Draft, language: str, moments_of: list[datetime]
    ) -> None:
        rng = self._rng
        author = self._staff.customers[draft.person.crm_id]
        for moment in moments_of:
            kind = rng.choice(("agent", "agent", "agent", "customer", "customer", "internal"))
            by = author if kind == "customer" else rng.choice(self._staff.agents)
            row = {
                "Id": ids.numbered("00a", next_number(self._connection, "00a")),
                "ParentId": case,
                "CommentBody": rng.choice(self._texts["comments"][kind][language]),
                "IsPublished": int(kind != "internal"),
                **_system(moment, by, moment),
            }
            insert(self._connection, "crm_CaseComment", row)

    def _files(self, case: str, draft: _Draft, number: int, moments_of: list[datetime]) -> None:
        rng = self._rng
        for name in rng.sample(_FILES, rng.choice((0, 0, 1, 1, 2, 3))):
            customers = rng.random() < 0.8
            by = self._staff.integration
            if customers:
                by = self._staff.customers[draft.person.crm_id]
            moment = rng.choice([draft.created, *moments_of])
            values = {"PathOnClient": name, "FirstPublishLocationId": case}
            data = _content(name, number, rng)
            blob = Blob(BytesIO(data), len(data))
            visibility = "AllUsers" if customers or rng.random() < 0.5 else "InternalUsers"
            store_file(self._connection, values, blob, _system(moment, by, moment), visibility)


def _content(name: str, number: int, rng: random.Random) -> bytes:
    if name.endswith(".png"):
        return samples.png(rng.randrange(256), rng.randrange(256), rng.randrange(256))
    if name.endswith(".pdf"):
        return samples.pdf(f"Soporte del caso {number:08}")
    return f"Observaciones del caso {number:08}.\r\nRevisión en obra: sin novedad.\r\n".encode()


def _system(created: datetime, by: str, changed: datetime) -> dict[str, Any]:
    written = moments.written(changed)
    return {
        "CreatedDate": moments.written(created),
        "CreatedById": by,
        "LastModifiedDate": written,
        "SystemModstamp": written,
    }
