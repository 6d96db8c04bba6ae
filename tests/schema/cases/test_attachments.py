"""Files for cases: looked at with everything else, and handed on only when all is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from connectors.port.errors import Unavailable
from connectors.port.records import Attachment, CaseStatus
from schema.context import Caller
from schema.files.service import IncomingFile, StoredFile, UploadTarget
from schema.problems import Problem, ProblemCode, Problems
from tests.schema.cases.office import (
    ANDINA,
    CREATE,
    PACIFICO,
    READER,
    Crm,
    Office,
    case,
    case_id,
    program,
)
from tests.worlds.world import NOW

pytestmark = pytest.mark.anyio

ATTACH = """mutation($input: AddCaseAttachmentsInput!) { addCaseAttachments(input: $input) {
  message attachments { filename contentType size pending } case { id }
  userErrors { code message field } } }"""
PDF = StoredFile("u1", "plano.pdf", "application/pdf", 12, "00")


@dataclass(slots=True)
class Shelf:
    """A FileService that has one file. asked: what it was asked for. beside: what sizes are there.
    most: how many files a case takes."""

    asked: list[Sequence[str]] = field(default_factory=list)
    beside: list[Sequence[int]] = field(default_factory=list)
    most: int = 10
    away: bool = False

    async def create_upload(self, caller: Caller, *wanted: Any) -> UploadTarget:
        raise NotImplementedError

    async def taken(
        self,
        caller: Caller,
        files: Sequence[IncomingFile],
        upload_ids: Sequence[str],
    ) -> list[StoredFile]:
        self.asked.append(upload_ids)
        if self.away:
            raise Unavailable("files", "no answer")
        wrong = [
            Problem(ProblemCode.NOT_FOUND, "None.", field=("input", "uploadIds", str(place)))
            for place, one in enumerate(upload_ids)
            if one != PDF.id
        ]
        if wrong:
            raise Problems(*wrong)
        return [PDF for _ in upload_ids]

    def over(self, already: Sequence[int], files: Sequence[StoredFile]) -> Problem | None:
        self.beside.append(already)
        full = len(already) + len(files) > self.most
        return Problem(ProblemCode.TOO_MANY_FILES, "Full.") if full else None

    def download_url(self, caller: Caller, attachment_id: str) -> tuple[str, datetime]:
        return f"https://files.example/{attachment_id}", NOW


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def office(shelf: Shelf) -> Office:
    at = case("1").created_at
    files = [
        Attachment(f"f{n}", ANDINA, "1", f"{n}.pdf", "application/pdf", 1, at, None)
        for n in range(2)
    ]
    cases = [case("1"), case("3", status=CaseStatus.CLOSED), case("9", PACIFICO)]
    return Office(Crm(cases, files=files), files=shelf)


async def test_files_are_sent(office: Office, shelf: Shelf) -> None:
    sent: Any = {"caseId": case_id("1"), "uploadIds": ["u1"], "idempotencyKey": "k"}
    payload = await office.do(ATTACH, **sent)
    assert payload["message"] == "Se ha enviado correctamente"
    assert payload["attachments"] == [
        {"filename": "plano.pdf", "contentType": "application/pdf", "size": 12, "pending": True}
    ]
    assert office.took is not None
    assert [(to.id, key) for _, to, _, key in office.took.added] == [("1", "k")]
    assert (shelf.asked, shelf.beside) == ([["u1"]], [[1, 1]])
    assert sorted(office.crm.asked) == ["cases", "files"]


async def test_a_new_case_brings_its_files(office: Office, shelf: Shelf) -> None:
    sent: Any = {"category": "QUERY", "description": "Hola", "uploadIds": ["u1"]}
    assert (await office.do(CREATE, **sent))["userErrors"] == []
    assert office.took is not None
    assert office.took.opened[0][2] == [PDF]
    assert (shelf.asked, shelf.beside) == ([["u1"]], [])


async def test_what_is_wrong_with_files_is_told_with_the_rest(office: Office) -> None:
    found = await office.problems(
        CREATE, category="QUERY", description="", uploadIds=["u1", "gone"]
    )
    assert {place: code for place, (code, _) in found.items()} == {
        "description": "REQUIRED",
        "uploadIds.1": "NOT_FOUND",
    }
    found = await office.problems(ATTACH, caseId=case_id("3"), uploadIds=["gone"])
    assert {place: code for place, (code, _) in found.items()} == {
        "caseId": "CONFLICT",
        "uploadIds.0": "NOT_FOUND",
    }
    found = await office.problems(ATTACH, caseId=case_id("9"), uploadIds=[])
    assert {place: code for place, (code, _) in found.items()} == {
        "caseId": "NOT_FOUND",
        "files": "REQUIRED",
    }


async def test_a_case_that_is_full_is_told_with_the_rest(office: Office, shelf: Shelf) -> None:
    shelf.most = 2
    given: Any = {"caseId": case_id("1"), "uploadIds": ["u1"]}
    payload = await office.do(ATTACH, **given)
    assert [error["code"] for error in payload["userErrors"]] == ["TOO_MANY_FILES"]
    payload = await office.do(ATTACH, **given, idempotencyKey="no key")
    codes = {error["code"] for error in payload["userErrors"]}
    assert codes == {"INVALID", "TOO_MANY_FILES"}


@pytest.mark.parametrize("who", [None, READER, program("cases:read", acting_for=ANDINA)])
async def test_who_may_not_write_sends_no_files(office: Office, who: Any) -> None:
    body = await office.ask(ATTACH, {"input": {"caseId": case_id("1"), "uploadIds": ["u1"]}}, who)
    [error] = body["errors"]
    assert error["extensions"]["code"] == ("NOT_ALLOWED" if who else "UNAUTHENTICATED")
    assert office.took is not None
    assert not office.took.added


async def test_a_program_that_only_writes_is_told_that_it_was_sent(office: Office) -> None:
    who = program("cases:write", acting_for=ANDINA)
    body = await office.ask(ATTACH, {"input": {"caseId": case_id("1"), "uploadIds": ["u1"]}}, who)
    payload = body["data"]["addCaseAttachments"]
    assert payload["message"] == "Se ha enviado correctamente"
    assert payload["attachments"] is payload["case"] is None


async def test_files_that_cannot_be_looked_at_now_are_an_error_to_try_again() -> None:
    office = Office(Crm([case("1")]), files=Shelf(away=True))
    sent = {"category": "QUERY", "description": "Hola", "uploadIds": ["u1"]}
    body = await office.ask(CREATE, {"input": sent})
    assert body["errors"][0]["extensions"]["retryable"] is True
    assert office.took is not None
    assert not office.took.opened


async def test_where_nobody_keeps_files_none_are_taken() -> None:
    sent = {"category": "QUERY", "description": "Hola", "uploadIds": ["u1"]}
    body = await Office().ask(CREATE, {"input": sent})
    assert body["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"


async def test_whether_files_may_be_sent_is_told(office: Office) -> None:
    text = "query($id: ID!) { case(by: {id: $id}) { viewerCanAttach } }"
    for key, may in (("1", True), ("3", False)):
        shown = await office.ask(text, {"id": case_id(key)})
        assert shown["data"]["case"]["viewerCanAttach"] is may
