"""Writing cases into a CRM that keeps them: what is sent, in how many calls, and what is there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.kit.connector import Wiring
from connectors.port.errors import Refused, Rejected, SourceError, Unavailable, Unreadable
from connectors.port.records import Author, CaseDetail, CaseStatus, NewCase, NewComment, NewFile
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import CaseSource, CaseWriter, System
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
KEY = "5d8e7b2c-1c1f-4a55-9f0e-3a41f0f4b7d2"
CASE, FOREIGN = ids.numbered("500", 1), ids.numbered("500", 2)
AUTHOR = frozenset({"author", "body", "filename"})
LOGIN = {
    "grant": "client_credentials",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
}
NOTHING = {"totalSize": 0, "done": True}
Row = dict[str, Any]


@dataclass
class Org:
    """A CRM with two cases. calls: what came in, logins apart, each with its body. instead: what
    the parts of a composite with these references are answered, status and body."""

    database: Database
    faults: Faults
    calls: list[tuple[str, str, bytes]] = field(default_factory=list)
    instead: dict[str, tuple[int, Any]] = field(default_factory=dict)
    system: System = field(init=False)

    @property
    def writer(self) -> CaseWriter:
        assert self.system.case_writer is not None
        return self.system.case_writer

    @property
    def source(self) -> CaseSource:
        assert self.system.cases is not None
        return self.system.cases

    @property
    def steps(self) -> list[Row]:
        """The parts of the last call, a composite."""
        parts: list[Row] = json.loads(self.calls[-1][2])["compositeRequest"]
        return parts

    def rows(self, sql: str, *values: Any) -> list[Row]:
        found = self.database.connection.execute(sql, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def one(self, sql: str, *values: Any) -> Row:
        [row] = self.rows(sql, *values)
        return row

    async def handle(self, request: httpx.Request, inner: httpx.ASGITransport) -> httpx.Response:
        body = await request.aread()
        if request.url.path.endswith("/token"):
            return await inner.handle_async_request(request)
        self.calls.append((request.method, request.url.path.partition("v60.0")[2], body))
        if self.instead and {part["referenceId"] for part in self.steps} == set(self.instead):
            parts = [
                {"referenceId": name, "httpStatusCode": status, "body": answer, "httpHeaders": {}}
                for name, (status, answer) in self.instead.items()
            ]
            return httpx.Response(200, json={"compositeResponse": parts})
        return await inner.handle_async_request(request)


@pytest.fixture
async def org(request: pytest.FixtureRequest) -> AsyncIterator[Org]:
    database, faults = Database(":memory:"), Faults()
    create(database.connection, objects.tables())
    for customer in CUSTOMERS[:2]:
        row = {"Id": customer.crm_id, "Name": customer.name, "AccountNumber": customer.number}
        insert(database.connection, "crm_Account", {**row, "BillingCountryCode": customer.country})
    person = {"Id": ANA.crm_id, "AccountId": ANDINA.id, "Name": "Ana Torres"}
    insert(database.connection, "crm_Contact", {**person, "CreatedDate": moments.written(NOW)})
    user = {"Id": ids.numbered("005", 1), "Name": "Portal Integration"}
    insert(database.connection, "crm_User", user)
    database.execute("INSERT INTO crm_counter VALUES ('500', 2)")
    for case_id, account in ((CASE, ANDINA), (FOREIGN, PACIFICO)):
        case: Row = {"Id": case_id, "AccountId": account.id, "Status": "Working", "IsClosed": 0}
        insert(database.connection, "crm_Case", {**case, "CreatedDate": moments.written(NOW)})
    opened = Org(database, faults)
    inner = httpx.ASGITransport(app(database, faults, lambda: NOW))

    class Wire(httpx.AsyncBaseTransport):
        async def handle_async_request(self, asked: httpx.Request) -> httpx.Response:
            return await opened.handle(asked, inner)

    table = {"url": "http://127.0.0.1:9", "login": LOGIN, "writes": {}}
    table |= getattr(request, "param", {})
    opened.system = await connector.start("crm", table, Wiring(Wire(), clock=lambda: NOW))
    yield opened
    await opened.system.close()
    database.close()


def case(**changes: Any) -> NewCase:
    given: Row = {
        "account": ANDINA,
        "category": "OTHER_REQUEST",
        "subcategory": "TRAINING",
        "subject": "Capacitación",
        "description": "Para diez personas.",
        "created_at": NOW,
        "details": (CaseDetail("people", "10"), CaseDetail("city", 'O"Higgins')),
        "contact_id": ANA.crm_id,
        "order_number": "4500017",
        "team": "Training",
    }
    return NewCase(**(given | changes))


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"a piece of it\r\n--"


def file(**changes: Any) -> NewFile:
    given: Row = {"case_id": CASE, "filename": "FOTO 1.JPG", "content_type": "image/jpeg"}
    given |= {"size": 51, "read": pieces, "contact_id": ANA.crm_id}
    return NewFile(**(given | changes))


# ------------------------------------------------------------------------------------------- cases


async def test_a_case_is_made_and_its_number_read_in_one_call(org: Org) -> None:
    made = await org.writer.open_case(KEY, case(), SCOPE)
    row = org.one("SELECT * FROM crm_Case WHERE Portal_Key__c = ?", KEY)
    assert (made.id, made.number) == (row["Id"], row["CaseNumber"])
    assert len(org.calls) == 1
    create_, known = org.steps
    assert json.loads(org.calls[0][2])["allOrNone"] is False
    assert (create_["method"], known["method"]) == ("POST", "GET")
    assert create_["body"] == {
        "Subject": "Capacitación",
        "Description": "Para diez personas.",
        "Type": "Other Request",
        "Subcategory__c": "Training",
        "Portal_Details__c": '{"people": "10", "city": "O\\"Higgins"}',
        "Order_Number__c": "4500017",
        "Team__c": "Training",
        "ContactId": ANA.crm_id,
        "Origin": "Portal",
        "AccountId": ANDINA.id,
        "Portal_Key__c": KEY,
    }


async def test_a_second_try_changes_nothing_that_was_done_since(org: Org) -> None:
    made = await org.writer.open_case(KEY, case(), SCOPE)
    org.database.execute("UPDATE crm_Case SET Status = 'Escalated', Subject = 'Curso'")
    assert await org.writer.open_case(KEY, case(), SCOPE) == made
    row = org.one("SELECT * FROM crm_Case WHERE Portal_Key__c = ?", KEY)
    assert (row["Status"], row["Subject"]) == ("Escalated", "Curso")
    assert len(org.calls) == 2


async def test_a_text_that_looks_like_a_reference_travels_in_a_call_of_its_own(org: Org) -> None:
    odd = case(description="Use @{new.id} aquí")
    made = await org.writer.open_case(KEY, odd, SCOPE)
    assert [path.partition("?")[0] for _, path, _ in org.calls] == ["/sobjects/Case", "/query"]
    assert await org.writer.open_case(KEY, odd, SCOPE) == made
    row = org.one("SELECT * FROM crm_Case WHERE Portal_Key__c = ?", KEY)
    assert row["Description"] == "Use @{new.id} aquí"


@pytest.mark.parametrize(
    "org",
    [
        {
            "columns": {
                "case": {
                    "subcategory": "",
                    "details": "",
                    "team": "Team__r.Name",
                    "order_number": "",
                }
            },
            "writes": {"origin": ""},
        }
    ],
    indirect=True,
)
async def test_what_the_org_has_no_column_for_is_left_out(org: Org) -> None:
    await org.writer.open_case(KEY, case(contact_id=None), SCOPE)
    names = {"Subject", "Description", "Type", "AccountId", "Portal_Key__c"}
    assert set(org.steps[0]["body"]) == names


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"category": "NO_SUCH"}, "category"),
        ({"subcategory": "NO_SUCH"}, "subcategory"),
        ({"subject": "x" * 256}, "subject"),
        ({"description": "x" * 32_001}, "description"),
        ({"details": (CaseDetail("a", "x" * 32_001),)}, "details"),
        ({"order_number": "x" * 21}, "order_number"),
        ({"contact_id": "x"}, "contact_id"),
        ({"account": PACIFICO}, "account"),
    ],
)
async def test_what_is_not_taken_is_named(org: Org, changes: Row, named: str) -> None:
    with pytest.raises(Rejected) as raised:
        await org.writer.open_case(KEY, case(**changes), SCOPE)
    assert raised.value.field == named
    assert org.rows("SELECT * FROM crm_Case WHERE Portal_Key__c IS NOT NULL") == []


async def test_a_rule_of_the_org_is_a_rejection_without_its_words(org: Org) -> None:
    org.faults.fail("crm=reject:granizo")
    with pytest.raises(Rejected) as raised:
        await org.writer.open_case(KEY, case(subject="Hubo granizo"), SCOPE)
    assert "granizo" not in str(raised.value)
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in (raised.value.detail or "")


async def test_an_answer_that_is_lost_is_found_again(org: Org) -> None:
    org.faults.fail("crm=cutx1")
    with pytest.raises(Unavailable):
        await org.writer.open_case(KEY, case(), SCOPE)
    assert len(org.calls) == 1, "a write is not tried again by itself"
    made = await org.writer.open_case(KEY, case(), SCOPE)
    assert made.id == org.one("SELECT Id FROM crm_Case WHERE Portal_Key__c = ?", KEY)["Id"]


async def test_the_part_that_reads_may_fail_alone(org: Org) -> None:
    org.faults.fail("crm=partialx1")
    with pytest.raises(Unavailable):
        await org.writer.open_case(KEY, case(), SCOPE)
    assert (await org.writer.open_case(KEY, case(), SCOPE)).number


async def test_a_key_that_two_cases_have_is_told(org: Org) -> None:
    await org.writer.open_case(KEY, case(), SCOPE)
    # As in an org whose column was not made unique.
    org.database.execute("CREATE TABLE copy AS SELECT * FROM crm_Case")
    org.database.execute("DROP TABLE crm_Case")
    org.database.execute("ALTER TABLE copy RENAME TO crm_Case")
    with pytest.raises(Unreadable):
        await org.writer.open_case(KEY, case(), SCOPE)


async def test_a_case_that_went_to_another_company_is_not_told_of(org: Org) -> None:
    await org.writer.open_case(KEY, case(), SCOPE)
    org.database.execute("UPDATE crm_Case SET AccountId = ?", (PACIFICO.id,))
    with pytest.raises(Rejected) as raised:
        await org.writer.open_case(KEY, case(), SCOPE)
    assert raised.value.field == "key"


async def test_a_case_is_closed_in_one_call_and_once(org: Org) -> None:
    assert await org.writer.close_case(CASE, SCOPE)
    assert len(org.calls) == 1
    first = org.one("SELECT * FROM crm_Case WHERE Id = ?", CASE)
    assert (first["Status"], first["IsClosed"]) == ("Closed", 1)
    assert await org.writer.close_case(CASE, SCOPE)
    assert org.one("SELECT * FROM crm_Case WHERE Id = ?", CASE) == first
    assert not await org.writer.close_case(FOREIGN, SCOPE)
    assert not await org.writer.close_case("x", SCOPE)
    org.faults.fail("crm=partialx1")
    org.database.execute("UPDATE crm_Case SET IsClosed = 0, Status = 'Working'")
    with pytest.raises(Unavailable):
        await org.writer.close_case(CASE, SCOPE)


# ---------------------------------------------------------------------------------------- comments


async def test_a_comment_and_whose_it_is_are_written_together(org: Org) -> None:
    made = await org.writer.add_comment(KEY, NewComment(CASE, "Gracias.", ANA.crm_id), SCOPE)
    assert len(org.calls) == 1
    assert json.loads(org.calls[0][2])["allOrNone"] is True
    row = org.one("SELECT * FROM crm_CaseComment")
    assert (row["Id"], row["ParentId"], row["IsPublished"]) == (made, CASE, 1)
    entry = org.one("SELECT * FROM crm_Portal_Entry__c")
    assert (entry["Comment_Id__c"], entry["Case__c"]) == (made, CASE)
    assert (entry["Contact__c"], entry["Portal_Key__c"]) == (ANA.crm_id, KEY)


async def test_a_comment_reads_as_its_contacts(org: Org) -> None:
    made = await org.writer.add_comment(KEY, NewComment(CASE, "Gracias.", ANA.crm_id), SCOPE)
    program = await org.writer.add_comment("k-2", NewComment(CASE, "Aviso."), SCOPE)
    org.calls.clear()
    [comments] = await org.source.comments_by_case([CASE], AUTHOR, SCOPE)
    assert len(org.calls) == 1
    authors = {comment.id: comment.author for comment in comments}
    ana = Author("Ana Torres", is_service_team=False, contact_id=ANA.crm_id)
    team = Author("Portal Integration", is_service_team=True, contact_id=None)
    assert authors == {made: ana, program: team}
    found = await org.source.comments_by_id([program, made], AUTHOR, SCOPE)
    assert [comment and comment.author for comment in found] == [team, ana]
    assert len(org.calls) == 2
    await org.source.comments_by_case([CASE], frozenset({"body"}), SCOPE)
    assert (org.calls[-1][0], len(org.calls)) == ("GET", 3), "authors were asked for in vain"


async def test_a_second_try_finds_the_comment_and_leaves_no_other(org: Org) -> None:
    said = NewComment(CASE, "Gracias.", ANA.crm_id)
    org.faults.fail("crm=cutx1")
    with pytest.raises(Unavailable):
        await org.writer.add_comment(KEY, said, SCOPE)
    org.calls.clear()
    made = await org.writer.add_comment(KEY, said, SCOPE)
    assert org.one("SELECT Id FROM crm_CaseComment")["Id"] == made
    assert len(org.calls) == 2


async def test_what_fails_leaves_nothing_behind(org: Org) -> None:
    org.faults.fail("crm=partialx1")
    with pytest.raises(Unavailable):
        await org.writer.add_comment(KEY, NewComment(CASE, "Gracias."), SCOPE)
    assert org.rows("SELECT * FROM crm_CaseComment") == []
    unknown = NewComment(CASE, "Gracias.", ids.numbered("003", 4711))
    with pytest.raises(Refused):
        await org.writer.add_comment(KEY, unknown, SCOPE)
    assert org.rows("SELECT * FROM crm_CaseComment") == []


@pytest.mark.parametrize("text", ["ñ" * 2001, "x" * 4001, "@{" * 1400])
async def test_a_comment_is_measured_in_bytes_before_it_travels(org: Org, text: str) -> None:
    with pytest.raises(Rejected) as raised:
        await org.writer.add_comment(KEY, NewComment(CASE, text), SCOPE)
    assert raised.value.field == "body"
    assert org.calls == []
    await org.writer.add_comment(KEY, NewComment(CASE, "ñ" * 2000), SCOPE)


async def test_a_comment_on_somebody_elses_case_is_not_made(org: Org) -> None:
    for case_id in (FOREIGN, ids.numbered("500", 4711), "x", ""):
        with pytest.raises(Rejected) as raised:
            await org.writer.add_comment(KEY, NewComment(case_id, "Hola"), SCOPE)
        assert raised.value.field == "case_id"
    assert org.rows("SELECT * FROM crm_CaseComment") == []
    made = await org.writer.add_comment(KEY, NewComment(CASE, "Hola"), SCOPE)
    both = Scope([ANDINA, PACIFICO])
    with pytest.raises(Rejected) as raised:
        await org.writer.add_comment(KEY, NewComment(FOREIGN, "Hola"), both)
    assert raised.value.field == "key"
    assert [row["Id"] for row in org.rows("SELECT Id FROM crm_CaseComment")] == [made]


# ------------------------------------------------------------------------------------------- files


async def test_a_file_travels_as_it_is_and_is_read_back(org: Org) -> None:
    made = await org.writer.add_file(KEY, file(), SCOPE)
    assert [(method, path.partition("?")[0]) for method, path, _ in org.calls] == [
        ("POST", "/composite"),
        ("POST", "/sobjects/ContentVersion"),
        ("POST", "/composite"),
    ]
    sent = org.calls[1][2]
    assert b'"PathOnClient":"FOTO 1.JPG"' in sent
    assert b"Content-Type: image/jpeg\r\n\r\na piece of it\r\n--a piece" in sent
    [found] = await org.source.attachments_by_id([made], AUTHOR | {"size", "content_type"}, SCOPE)
    assert found is not None
    assert (found.filename, found.size, found.content_type) == ("FOTO 1.JPG", 51, "image/jpeg")
    assert found.author == Author("Ana Torres", is_service_team=False, contact_id=ANA.crm_id)
    content = await org.source.attachment_content(made, SCOPE, 5)
    assert content is not None
    assert b"".join([chunk async for chunk in content.chunks]) == (b"a piece of it\r\n--" * 3)[5:]
    await content.close()


async def test_bytes_do_not_travel_twice(org: Org) -> None:
    org.faults.fail("crm=cutx1")
    with pytest.raises(Unavailable):
        await org.writer.add_file(KEY, file(), SCOPE)
    org.calls.clear()
    made = await org.writer.add_file(KEY, file(), SCOPE)
    assert [path.partition("?")[0] for _, path, _ in org.calls] == ["/composite", "/composite"]
    document = org.one("SELECT ContentDocumentId FROM crm_ContentVersion")["ContentDocumentId"]
    assert made == f"{CASE}-{document}"


async def test_a_link_that_customers_do_not_see_is_opened_to_them(org: Org) -> None:
    made = await org.writer.add_file(KEY, file(contact_id=None), SCOPE)
    org.database.execute("UPDATE crm_ContentDocumentLink SET Visibility = 'InternalUsers'")
    assert await org.source.attachments_by_id([made], frozenset(), SCOPE) == [None]
    org.calls.clear()
    assert await org.writer.add_file(KEY, file(), SCOPE) == made
    assert [method for method, _, _ in org.calls] == ["POST", "POST", "PATCH"]
    assert await org.source.attachments_by_id([made], frozenset(), SCOPE) != [None]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"filename": "x" * 256}, "filename"),
        ({"filename": ""}, "filename"),
        ({"case_id": FOREIGN}, "case_id"),
        ({"case_id": "x"}, "case_id"),
        ({"contact_id": "x"}, "contact_id"),
        ({"size": 2_000_000_001}, "file"),
        ({"size": 50}, "file"),
        ({"size": 52}, "file"),
    ],
)
async def test_a_file_that_is_not_taken_is_named(org: Org, changes: Row, named: str) -> None:
    with pytest.raises(Rejected) as raised:
        await org.writer.add_file(KEY, file(**changes), SCOPE)
    assert raised.value.field == named
    assert org.rows("SELECT * FROM crm_ContentVersion") == []


async def test_a_media_type_that_is_none_is_not_repeated(org: Org) -> None:
    await org.writer.add_file(KEY, file(content_type="image/jpeg\r\nX: y"), SCOPE)
    assert b"X: y" not in org.calls[1][2]


async def test_a_file_is_found_by_its_key_on_its_own_case_alone(org: Org) -> None:
    await org.writer.add_file(KEY, file(), SCOPE)
    both = Scope([ANDINA, PACIFICO])
    with pytest.raises(Rejected) as raised:
        await org.writer.add_file(KEY, file(case_id=FOREIGN), both)
    assert raised.value.field == "key"


async def test_a_faster_try_with_the_same_key_is_found(org: Org) -> None:
    async def slow() -> AsyncIterator[bytes]:
        await org.writer.add_file(KEY, replace(file(), read=pieces), SCOPE)
        async for piece in pieces():
            yield piece

    made = await org.writer.add_file(KEY, file(read=slow), SCOPE)
    document = org.one("SELECT ContentDocumentId FROM crm_ContentVersion")["ContentDocumentId"]
    assert made == f"{CASE}-{document}"


# --------------------------------------------------------------------------------------- otherwise


@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "STORAGE_LIMIT_EXCEEDED"])
async def test_what_cannot_be_done_now_may_be_done_later(org: Org, code: str) -> None:
    failed = [{"errorCode": code, "message": "?"}]
    halted = [{"errorCode": "PROCESSING_HALTED", "message": "?"}]
    org.instead = {"case": (400, halted), "said": (400, failed), "entry": (400, halted)}
    with pytest.raises(Unavailable):
        await org.writer.add_comment(KEY, NewComment(CASE, "Hola"), SCOPE)
    org.instead = {"new": (400, failed), "known": (200, {**NOTHING, "records": []})}
    with pytest.raises(Unavailable):
        await org.writer.open_case(KEY, case(), SCOPE)
    found = {**NOTHING, "records": [{"Id": CASE}]}
    org.instead = {"any": (200, found), "case": (200, found), "closed": (400, failed)}
    with pytest.raises(Unavailable):
        await org.writer.close_case(CASE, SCOPE)
    org.instead = {}
    assert await org.writer.close_case(CASE, SCOPE)


async def test_parts_that_nobody_can_tell_of_are_unreadable(org: Org) -> None:
    halted = (400, [{"errorCode": "PROCESSING_HALTED", "message": "?"}])
    org.instead = {"case": halted, "said": halted, "entry": halted}
    with pytest.raises(Unreadable):
        await org.writer.add_comment(KEY, NewComment(CASE, "Hola"), SCOPE)


@pytest.mark.parametrize("org", [{"writes": None}], indirect=True)
async def test_an_org_without_columns_for_it_takes_nothing(org: Org) -> None:
    assert org.system.case_writer is None
    [comments] = await org.source.comments_by_case([CASE], AUTHOR, SCOPE)
    assert comments == []
    assert org.calls[-1][0] == "GET"


async def test_the_largest_file_is_the_settings(org: Org) -> None:
    assert org.writer.largest_file == 2_000_000_000


async def test_how_the_status_went_is_read(org: Org) -> None:
    await org.writer.close_case(CASE, SCOPE)
    [changes, none] = await org.source.status_changes_by_case([CASE, FOREIGN], SCOPE)
    steps = [(one.before, one.after, one.at) for one in changes]
    assert steps == [(CaseStatus.IN_PROGRESS, CaseStatus.CLOSED, NOW)]
    assert none == []
    for old, new in (("Closed", "Escalated"), ("Escalated", "Working"), ("Working", "Archived")):
        insert(
            org.database.connection,
            "crm_CaseHistory",
            {
                "Id": ids.numbered("017", 50 + len(old)),
                "CaseId": CASE,
                "Field": "Status",
                "OldValue": old,
                "NewValue": new,
                "CreatedDate": moments.written(NOW),
            },
        )
    org.database.execute("UPDATE crm_Case SET Status = 'Archived', IsClosed = 1")
    [changes] = await org.source.status_changes_by_case([CASE], SCOPE)
    found = [(one.before, one.after) for one in changes]
    # Working to Escalated is none of ours; Archived is nobody's word, but the case is closed in it.
    assert (CaseStatus.CLOSED, CaseStatus.IN_PROGRESS) in found
    assert (CaseStatus.IN_PROGRESS, CaseStatus.CLOSED) in found
    assert len(found) == 3


@pytest.mark.parametrize("org", [{"status_history": ""}], indirect=True)
async def test_an_org_without_history_is_not_asked_for_it(org: Org) -> None:
    assert await org.source.status_changes_by_case([CASE], SCOPE) == [[]]
    assert org.calls == []


async def test_no_error_of_a_write_tells_what_was_written(org: Org) -> None:
    org.faults.fail("crm=reject:granizo")
    with pytest.raises(SourceError) as raised:
        await org.writer.add_comment(KEY, NewComment(CASE, "el granizo"), SCOPE)
    assert "granizo" not in repr(raised.value)
