"""Writing people into a CRM that keeps them: what is sent, what is there afterwards, and that
asking twice changes it once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.kit.connector import Wiring
from connectors.port.errors import Rejected, SourceError, Unavailable, Unreadable
from connectors.port.records import ContactChanges, MembershipRole, NewContact
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import CustomerSource, CustomerWriter, System
from connectors.systems.salesforce import connector
from sandbox.crm import ids, moments, objects
from sandbox.crm.app import app
from sandbox.database import Database, create, insert
from sandbox.faults import Faults
from sandbox.people import CUSTOMERS, PEOPLE

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
ANDINA, PACIFICO = (AccountRef(c.crm_id, c.number, c.country) for c in CUSTOMERS[:2])
SCOPE = Scope([ANDINA])
ANA = PEOPLE[0]
LOGIN = {
    "grant": "client_credentials",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
}


@dataclass
class Org:
    database: Database
    system: System
    writes: list[tuple[str, str, Any]]
    #: Paths whose answer is lost on the way, after the org has done what was asked.
    lost: set[str]

    @property
    def writer(self) -> CustomerWriter:
        assert self.system.customer_writer is not None
        return self.system.customer_writer

    @property
    def source(self) -> CustomerSource:
        assert self.system.customers is not None
        return self.system.customers

    def contact(self, email: str) -> dict[str, Any]:
        return self._one("SELECT * FROM crm_Contact WHERE Email = ?", email)

    def relation(self, contact_id: str, account: AccountRef) -> dict[str, Any]:
        sql = "SELECT * FROM crm_AccountContactRelation WHERE ContactId = ? AND AccountId = ?"
        return self._one(sql, contact_id, account.id)

    def relate(self, state: dict[str, Any]) -> None:
        """Somebody at the company changes the only relation there is."""
        sets = ", ".join(f"{name} = ?" for name in state)
        values = tuple(state.values())
        self.database.execute(f"UPDATE crm_AccountContactRelation SET {sets}", values)

    def _one(self, sql: str, *values: str) -> dict[str, Any]:
        found = self.database.connection.execute(sql, values)
        names = [column[0] for column in found.description]
        [row] = found.fetchall()
        return dict(zip(names, row, strict=True))


@pytest.fixture
async def org(request: pytest.FixtureRequest) -> AsyncIterator[Org]:
    database = Database(":memory:")
    create(database.connection, objects.tables())
    for customer in CUSTOMERS[:2]:
        row = {"Id": customer.crm_id, "Name": customer.name, "AccountNumber": customer.number}
        insert(database.connection, "crm_Account", {**row, "BillingCountryCode": customer.country})
    person: dict[str, Any] = {
        "Id": ANA.crm_id,
        "AccountId": ANDINA.id,
        "FirstName": "Ana",
        "LastName": "Torres",
    }
    person |= {"Name": "Ana Torres", "Email": ANA.email, "MobilePhone": "300 555 0101"}
    insert(database.connection, "crm_Contact", person | {"CreatedDate": moments.written(NOW)})
    relation: dict[str, Any] = {
        "Id": ids.numbered("07k", 900),
        "AccountId": ANDINA.id,
        "ContactId": ANA.crm_id,
    }
    relation |= {"Roles": "Decision Maker;Portal Admin", "IsActive": 1, "IsDirect": 1}
    insert(database.connection, "crm_AccountContactRelation", relation)

    served = httpx.ASGITransport(app(database, Faults(), lambda: NOW))
    writes: list[tuple[str, str, Any]] = []
    lost: set[str] = set()

    class Wire(httpx.AsyncBaseTransport):
        async def handle_async_request(self, asked: httpx.Request) -> httpx.Response:
            path = asked.url.path.partition("/sobjects/")[2]
            if path and asked.method != "GET":
                writes.append((asked.method, path, json.loads(asked.content)))
            answer = await served.handle_async_request(asked)
            if path in lost:
                raise httpx.ReadError("the connection broke")
            return answer

    table = {"url": "http://127.0.0.1:9", "login": LOGIN, **getattr(request, "param", {})}
    wiring = Wiring(transport=Wire(), clock=lambda: NOW)
    opened = await connector.start("crm", table, wiring)
    yield Org(database, opened, writes, lost)
    await opened.close()
    database.close()


def somebody(**changes: Any) -> NewContact:
    given: dict[str, Any] = {
        "account": ANDINA,
        "email": "eva.rios@andina.example",
        "name": "Eva Ríos Cano",
        "role": MembershipRole.MEMBER,
        "phone": "+57 300 555 0199",
        "job_title": "Compras",
    }
    return NewContact(**(given | changes))


async def test_a_profile_is_changed_in_its_own_columns(org: Org) -> None:
    changes = ContactChanges("Ana Torres Gómez", "+57 601 555 0000", "Gerente", "pt-BR")
    assert await org.writer.update_contact(ANA.crm_id, changes, SCOPE)
    values = {"FirstName": "Ana", "LastName": "Torres Gómez", "Phone": "+57 601 555 0000"}
    values |= {"Title": "Gerente", "Language__c": "pt_BR"}
    assert org.writes == [("PATCH", f"Contact/{ANA.crm_id}", values)]
    fields = frozenset({"name", "phone", "job_title", "locale"})
    [read] = await org.source.contacts_by_id([ANA.crm_id], fields, SCOPE)
    assert read is not None
    assert (read.name, read.phone) == ("Ana Torres Gómez", "+57 601 555 0000")
    assert (read.job_title, read.locale) == ("Gerente", "pt-BR")


async def test_what_is_left_out_stays_and_what_is_empty_goes(org: Org) -> None:
    assert await org.writer.update_contact(ANA.crm_id, ContactChanges(phone=""), SCOPE)
    # The mobile number would answer in its place.
    assert org.writes[0][2] == {"Phone": None, "MobilePhone": None}
    found = org.contact(ANA.email)
    assert (found["Name"], found["Phone"], found["MobilePhone"]) == ("Ana Torres", None, None)


@pytest.mark.parametrize(
    ("name", "given", "family"),
    [
        ("Ana Lucía Prado", "Ana", "Lucía Prado"),
        ("Anabel Prado", "Anabel", "Prado"),
        ("Pelé", None, "Pelé"),
        ("A" * 41 + " B", None, "A" * 41 + " B"),
    ],
)
async def test_a_name_has_two_columns(org: Org, name: str, given: str | None, family: str) -> None:
    await org.writer.update_contact(ANA.crm_id, ContactChanges(name=name), SCOPE)
    found = org.contact(ANA.email)
    assert (found["FirstName"], found["LastName"]) == (given, family)


@pytest.mark.parametrize("contact_id", ["", "x", "003SB00000zzzzzAAA", ANA.crm_id])
async def test_nobody_outside_the_scope_is_changed(org: Org, contact_id: str) -> None:
    for scope in (Scope([PACIFICO]), Scope()):
        assert not await org.writer.update_contact(contact_id, ContactChanges(phone="1"), scope)
    assert org.writes == []


@pytest.mark.parametrize("org", [{"columns": {"contact": {"locale": ""}}}], indirect=True)
async def test_what_the_org_has_no_column_for_is_named(org: Org) -> None:
    with pytest.raises(Rejected) as raised:
        await org.writer.update_contact(ANA.crm_id, ContactChanges(locale="en"), SCOPE)
    assert raised.value.field == "locale"
    assert org.writes == []


async def test_a_new_person_gets_a_contact_and_a_role(org: Org) -> None:
    assert await org.writer.ensure_contact(somebody(), SCOPE) is MembershipRole.MEMBER
    found = org.contact("eva.rios@andina.example")
    assert (found["FirstName"], found["LastName"]) == ("Eva", "Ríos Cano")
    assert (found["AccountId"], found["Title"]) == (ANDINA.id, "Compras")
    # The org relates a contact to its account by itself: there is one relation, not two.
    relation = org.relation(found["Id"], ANDINA)
    assert (relation["Roles"], relation["IsActive"], relation["IsDirect"]) == (
        "Portal Member",
        1,
        1,
    )
    identity = await org.source.identity_by_email("eva.rios@andina.example")
    assert identity is not None
    assert [(m.account, m.role) for m in identity.memberships] == [(ANDINA, MembershipRole.MEMBER)]


async def test_asking_twice_makes_one(org: Org) -> None:
    await org.writer.ensure_contact(somebody(), SCOPE)
    before = list(org.writes)
    assert await org.writer.ensure_contact(somebody(), SCOPE) is MembershipRole.MEMBER
    assert org.writes == before
    other = somebody(role=MembershipRole.ADMIN, name="Otro Nombre")
    assert await org.writer.ensure_contact(other, SCOPE) is MembershipRole.MEMBER
    assert org.contact("eva.rios@andina.example")["Name"] == "Eva Ríos Cano"


async def test_a_write_whose_answer_is_lost_is_not_repeated_but_found(org: Org) -> None:
    org.lost.add("Contact")
    with pytest.raises(Unavailable):
        await org.writer.ensure_contact(somebody(), SCOPE)
    assert [path for _, path, _ in org.writes] == ["Contact"]
    org.lost.clear()
    assert await org.writer.ensure_contact(somebody(), SCOPE) is MembershipRole.MEMBER
    assert [method for method, _, _ in org.writes] == ["POST", "PATCH"]
    assert org.relation(org.contact("eva.rios@andina.example")["Id"], ANDINA)["Roles"]


async def test_somebody_of_another_company_may_act_for_this_one_too(org: Org) -> None:
    person = somebody(account=PACIFICO, email=ANA.email, role=MembershipRole.READER, name="Otra")
    scope = Scope([PACIFICO])
    assert await org.writer.ensure_contact(person, scope) is MembershipRole.READER
    assert org.contact(ANA.email)["Name"] == "Ana Torres"
    assert org.relation(ANA.crm_id, PACIFICO)["Roles"] == "Portal Reader"
    assert org.relation(ANA.crm_id, ANDINA)["Roles"] == "Decision Maker;Portal Admin"


@pytest.mark.parametrize(
    "state", [{"IsActive": 0}, {"EndDate": "2026-03-30"}, {"StartDate": "2026-04-01"}]
)
async def test_a_relation_that_was_ended_stays_so(org: Org, state: dict[str, Any]) -> None:
    org.relate(state)
    person = somebody(email=ANA.email, role=MembershipRole.READER)
    assert await org.writer.ensure_contact(person, SCOPE) is None
    assert org.writes == []


async def test_a_relation_without_a_role_of_ours_gets_one(org: Org) -> None:
    org.relate({"Roles": "Decision Maker"})
    person = somebody(email=ANA.email, role=MembershipRole.READER)
    assert await org.writer.ensure_contact(person, SCOPE) is MembershipRole.READER
    assert org.relation(ANA.crm_id, ANDINA)["Roles"] == "Decision Maker;Portal Reader"


async def test_two_contacts_with_one_address_are_told_and_left_alone(org: Org) -> None:
    insert(
        org.database.connection, "crm_Contact", {"Id": ids.numbered("003", 77), "Email": ANA.email}
    )
    with pytest.raises(Unreadable):
        await org.writer.ensure_contact(somebody(email=ANA.email), SCOPE)
    assert org.writes == []


async def test_an_account_outside_the_scope_gets_nobody(org: Org) -> None:
    with pytest.raises(SourceError):
        await org.writer.ensure_contact(somebody(account=PACIFICO), SCOPE)
    assert org.writes == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (ContactChanges(job_title="x" * 129), "job_title"),
        (ContactChanges(name="Ana " + "x" * 81), "name"),
        (ContactChanges(phone="1" * 41), "phone"),
    ],
)
async def test_a_value_that_the_org_does_not_take_is_named(
    org: Org, changes: ContactChanges, field: str
) -> None:
    with pytest.raises(Rejected) as raised:
        await org.writer.update_contact(ANA.crm_id, changes, SCOPE)
    assert raised.value.field == field
    assert org.contact(ANA.email)["Name"] == "Ana Torres"
