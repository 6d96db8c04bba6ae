"""Against the sandbox as `make serve` offers it: its people, its 300 cases, its troubles."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.kit.connector import Call, Wiring
from connectors.port.errors import SourceError, Throttled, TimedOut, Unavailable, Unreadable
from connectors.port.pages import Keyset, Slice
from connectors.port.queries import CaseQuery, ContactQuery, QuestionQuery
from connectors.port.records import Case
from connectors.port.scope import Scope
from connectors.port.sources import System
from connectors.systems.salesforce import connector
from sandbox.app import create
from sandbox.data import build
from sandbox.faults import Faults
from sandbox.people import CUSTOMERS, PEOPLE

pytestmark = pytest.mark.anyio

TODAY = date(2026, 3, 31)
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
CASE = frozenset(
    {"number", "category", "subcategory", "subject", "description", "status", "details", "team"}
    | {"created_at", "updated_at", "closed_at", "contact_id", "order_number"}
    | {"contact", "contact.name", "account", "account.name", "account.billing_address"}
)


async def no_sleep(seconds: float) -> None:
    return None


class Sandbox:
    """The sandbox in this process, and what the connector heard of its calls."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults = Faults()
        self.heard: list[Call] = []
        self._transport = httpx.ASGITransport(create(path, self.faults, NOW))

    async def system(self, **changes: Any) -> System:
        login = {"grant": "client_credentials", "client_id": "sandbox-client"}
        table: dict[str, Any] = {"url": "http://127.0.0.1:9"}
        table["login"] = {**login, "client_secret": "sandbox-secret"}
        wiring = Wiring(transport=self._transport, sleep=no_sleep, heard=self.heard.append)
        return await connector.start("crm", table | changes, wiring)

    @property
    def calls(self) -> list[str]:
        return [call.operation for call in self.heard if call.operation != "login"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    path = tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite"
    build(path, TODAY)
    return Sandbox(path)


@pytest.fixture
def sandbox(built: Sandbox) -> Sandbox:
    built.faults.reset()
    built.heard.clear()
    return built


async def scope_of(system: System, email: str) -> Scope:
    assert system.customers is not None
    identity = await system.customers.identity_by_email(email)
    assert identity is not None
    return Scope(membership.account for membership in identity.memberships)


async def every_case(system: System, scope: Scope, **filters: Any) -> list[Case]:
    assert system.cases is not None
    found: list[Case] = []
    part = Slice(100)
    while True:
        page = await system.cases.find_cases(CaseQuery(scope, CASE, part, **filters))
        found += page.items
        if not page.has_next:
            return found
        part = Slice(100, after=Keyset(found[-1].created_at, found[-1].id))


async def test_each_person_has_the_accounts_that_the_sandbox_gives_them(sandbox: Sandbox) -> None:
    system = await sandbox.system()
    for person in PEOPLE:
        scope = await scope_of(system, person.email.upper())
        expected = {person.customer, *(number for number, _ in person.also)}
        # Relations that ended or have yet to begin are the gateway's to weigh, by their days.
        assert expected <= set(scope.numbers)
    assert sandbox.calls == ["identity_by_email"] * len(PEOPLE)


async def test_every_case_belongs_to_one_customer_and_reads_in_full(sandbox: Sandbox) -> None:
    system = await sandbox.system()
    assert system.cases is not None
    everyone, seen = await _everyone(system), set[str]()
    for customer in CUSTOMERS:
        scope = everyone.narrowed([customer.crm_id])
        cases = await every_case(system, scope)
        ids = [case.id for case in cases]
        assert not seen & set(ids)
        seen |= set(ids)
        assert {case.owner for case in cases} == set(scope)
        assert {case.account.name for case in cases if case.account} == {customer.name}
        comments, files = await asyncio.gather(
            system.cases.comments_by_case(ids, frozenset({"body", "author"}), scope),
            system.cases.attachments_by_case(ids, frozenset({"filename", "size"}), scope),
        )
        assert any(comments)
        assert any(files)
        assert all(file.size > 0 for held in files for file in held)
    assert len(seen) == 300


async def test_a_portal_page_is_one_call(sandbox: Sandbox) -> None:
    system = await sandbox.system()
    assert system.cases is not None
    assert system.customers is not None
    scope = await scope_of(system, "ana.torres@andina.example")
    ids = [case.id for case in await every_case(system, scope)][:50]
    sandbox.heard.clear()
    cases, page, people, comments = await asyncio.gather(
        system.cases.cases_by_id(ids, CASE, scope),
        system.cases.find_cases(CaseQuery(scope, CASE, Slice(20), with_total=True)),
        system.customers.contacts_by_account(
            ContactQuery(scope, frozenset({"name"}), scope.ids[0], Slice(10))
        ),
        system.cases.comments_by_case(ids, frozenset({"body"}), scope),
    )
    assert len(sandbox.calls) == 1
    assert [case and case.id for case in cases] == ids
    assert page.total is not None
    assert page.total >= 50
    assert len(people.items) >= 3
    assert len(comments) == 50


async def test_cases_by_order_agree_with_a_list_by_order(sandbox: Sandbox) -> None:
    system = await sandbox.system()
    assert system.cases is not None
    scope = await scope_of(system, "ana.torres@andina.example")
    about = {case.order_number for case in await every_case(system, scope)} - {None}
    numbers = sorted(number for number in about if number)[:50]
    assert len(numbers) > 5
    sandbox.heard.clear()
    pages = await system.cases.cases_by_order(numbers, frozenset({"number"}), scope, Slice(5))
    assert len(sandbox.calls) == 1
    for number, page in zip(numbers[:5], pages, strict=False):
        listed = await every_case(system, scope, order_numbers=(number,))
        assert [case.id for case in page.items] == [case.id for case in listed]


async def test_the_sandbox_keeps_what_customers_may_not_see(sandbox: Sandbox) -> None:
    connection = sqlite3.connect(sandbox.path)
    try:
        hidden = "SELECT Id FROM crm_CaseComment WHERE NOT IsPublished"
        internal = [row[0] for row in connection.execute(hidden)]
    finally:
        connection.close()
    assert internal
    system = await sandbox.system()
    assert system.cases is not None
    scope = await _everyone(system)
    assert set(await system.cases.comments_by_id(internal, frozenset(), scope)) == {None}


async def _everyone(system: System) -> Scope:
    scopes = [await scope_of(system, person.email) for person in PEOPLE]
    return Scope(account for scope in scopes for account in scope)


async def test_questions_come_in_each_language(sandbox: Sandbox) -> None:
    system = await sandbox.system(knowledge={})
    assert system.questions is not None
    for locale in ("es-CO", "en", "pt-BR"):
        page = await system.questions.find_questions(QuestionQuery(locale, Slice(100)))
        assert page.items
        assert {one.locale for one in page.items} == {locale[:2]}
        assert all(one.question and one.answer for one in page.items)


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        ("crm=503", Unavailable, 3),
        ("crm=500", Unavailable, 3),
        ("crm=429", Throttled, 1),
        ("crm=html", Unavailable, 3),
        ("crm=html200", Unreadable, 1),
        ("crm=quota", Throttled, 1),
        ("crm=hang", TimedOut, 1),
        ("crm=truncated", SourceError, None),
    ],
)
async def test_trouble_has_its_name(
    sandbox: Sandbox, fault: str, kind: type[SourceError], tries: int | None
) -> None:
    system = await sandbox.system(http={"deadline": 0.5})
    assert system.cases is not None
    scope = await scope_of(system, "ana.torres@andina.example")
    sandbox.heard.clear()
    sandbox.faults.fail(fault)
    with pytest.raises(kind) as caught:
        await system.cases.find_cases(CaseQuery(scope, CASE, Slice(5)))
    assert caught.value.source == "crm"
    assert tries is None or len(sandbox.calls) == tries
    if any(call.status != 200 for call in sandbox.heard):
        assert {call.outcome for call in sandbox.heard} == {caught.value.code}
    sandbox.faults.reset()
    assert (await system.cases.find_cases(CaseQuery(scope, CASE, Slice(5)))).items
    await system.check()
    await system.close()
