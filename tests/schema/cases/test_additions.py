"""What is added to a case, and that it is over: whoever may, as long as the case takes it."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.port.errors import Rejected, Unavailable
from connectors.port.records import Case, CaseStatus, MembershipRole
from connectors.port.scope import Scope
from schema.cases.service import Unproven
from schema.problems import Problem, ProblemCode, Problems
from tests.schema.cases.office import (
    ANDINA,
    CLOSE,
    COMMENT,
    CREATE,
    PACIFICO,
    READER,
    Crm,
    Office,
    Took,
    case,
    case_id,
    person,
    program,
)

pytestmark = pytest.mark.anyio

OURS, THEIRS, OVER = case("1"), case("9", PACIFICO), case("3", status=CaseStatus.CLOSED)
REFUSED = case("4", status=CaseStatus.REJECTED)
REQUIRED = ("REQUIRED", "Error- campo requerido")
NO_CASE = ("NOT_FOUND", "No existe ese caso.")
OVER_TOLD = ("CONFLICT", "Este caso está cerrado. Abre uno nuevo.")


@pytest.fixture
def office() -> Office:
    return Office(Crm([OURS, THEIRS, OVER, REFUSED]))


async def test_a_comment_is_sent(office: Office) -> None:
    body = " Ya llegó \r\n la mitad. "
    payload = await office.do(COMMENT, caseId=case_id("1"), body=body, idempotencyKey="k1")
    assert payload["message"] == "Se ha enviado correctamente"
    assert payload["comment"]["pending"] is True
    assert payload["comment"]["author"] == {"name": "Ana Torres"}
    assert payload["case"]["status"] == "NEW"
    assert office.took is not None
    [(caller, to, said, key)] = office.took.added
    assert isinstance(to, Case)
    assert (caller.contact_id, to.id, to.owner) == ("C1", "1", ANDINA)
    assert (said, key) == ("Ya llegó\n la mitad.", "k1")
    # Once to see whose it is, once for what is shown of it now.
    assert office.crm.asked == ["cases", "cases"]


async def test_a_comment_costs_one_question_where_nothing_is_selected_of_the_case(
    office: Office,
) -> None:
    text = "mutation($input: AddCaseCommentInput!) { addCaseComment(input: $input) { message } }"
    await office.do(text, caseId=case_id("1"), body="Hola")
    assert office.crm.asked == ["cases"]


async def test_a_case_is_closed_with_and_without_a_word(office: Office) -> None:
    for comment in (None, "  ", "Gracias"):
        payload = await office.do(CLOSE, caseId=case_id("1"), comment=comment)
        assert payload["message"] == "Se ha enviado correctamente"
        assert payload["case"]["id"] == case_id("1")
    assert office.took is not None
    assert [said for _, _, said, _ in office.took.added] == ["", "", "Gracias"]


@pytest.mark.parametrize(
    ("document", "key", "word", "problem"),
    [
        (COMMENT, "9", "Hola", {"caseId": NO_CASE}),
        (COMMENT, "nothing", "Hola", {"caseId": NO_CASE}),
        (COMMENT, "3", "Hola", {"caseId": OVER_TOLD}),
        (COMMENT, "4", "Hola", {"caseId": OVER_TOLD}),
        (COMMENT, "1", " \n ", {"body": REQUIRED}),
        (COMMENT, "3", "", {"caseId": OVER_TOLD, "body": REQUIRED}),
        (COMMENT, "9", "", {"caseId": NO_CASE, "body": REQUIRED}),
        (COMMENT, "1", "a" * 4_001, {"body": ("TOO_LONG", "Tiene más de 4000 caracteres.")}),
        (
            *(COMMENT, "1", "ñ" * 2_001),
            {
                "body": (
                    "TOO_LONG",
                    "Es demasiado largo: las letras con tilde cuentan doble. Envíalo como archivo.",
                )
            },
        ),
        (
            *(COMMENT, "1", "a\u202eb"),
            {"body": ("INVALID", "Contiene caracteres que no se pueden usar.")},
        ),
        (CLOSE, "9", None, {"caseId": NO_CASE}),
        (CLOSE, "3", None, {"caseId": OVER_TOLD}),
        (
            *(CLOSE, "1", "a\u0007b"),
            {"comment": ("INVALID", "Contiene caracteres que no se pueden usar.")},
        ),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_kept(
    office: Office, document: str, key: str, word: str | None, problem: Any
) -> None:
    name = "body" if document is COMMENT else "comment"
    sent = {"caseId": case_id(key), name: word}
    assert await office.problems(document, **sent) == problem


async def test_a_comment_may_take_all_bytes_that_fit(office: Office) -> None:
    payload = await office.do(COMMENT, caseId=case_id("1"), body="ñ" * 2_000)
    assert payload["userErrors"] == []


@pytest.mark.parametrize("document", [COMMENT, CLOSE])
@pytest.mark.parametrize(
    ("who", "code"),
    [
        (None, "UNAUTHENTICATED"),
        (READER, "NOT_ALLOWED"),
        (program("cases:read", acting_for=ANDINA), "NOT_ALLOWED"),
        (person((ANDINA, MembershipRole.READER), (PACIFICO, MembershipRole.ADMIN)), "NOT_ALLOWED"),
        (person((ANDINA, MembershipRole.ADMIN)), None),
        (program("cases:read", "cases:write", acting_for=ANDINA), None),
    ],
)
async def test_who_may_add_to_a_case(
    office: Office, document: str, who: Any, code: str | None
) -> None:
    sent = {"caseId": case_id("1"), **({"body": "Hola"} if document is COMMENT else {})}
    body = await office.ask(document, {"input": sent}, who)
    assert [error["extensions"]["code"] for error in body.get("errors", [])] == (
        [code] if code else []
    )
    assert office.took is not None
    assert bool(office.took.added) is (code is None)


@pytest.mark.parametrize("document", [COMMENT, CLOSE])
async def test_while_the_crm_is_away_it_is_taken_for_one_of_those_for_whom_one_may_write(
    document: str,
) -> None:
    office = Office(Crm([OURS], down=True))
    who = person((ANDINA, MembershipRole.READER), (PACIFICO, MembershipRole.MEMBER))
    sent = {"caseId": case_id("1"), **({"body": "Hola"} if document is COMMENT else {})}
    body = await office.ask(document, {"input": sent}, who)
    [(name, payload)] = body["data"].items()
    assert (payload["message"], payload["userErrors"]) == ("Se ha enviado correctamente", [])
    [error] = body["errors"]
    assert (error["path"], error["extensions"]["code"]) == ([name, "case"], "SOURCE_UNAVAILABLE")
    assert office.took is not None
    [(_, to, *_)] = office.took.added
    assert isinstance(to, Unproven)
    assert (to.id, to.among) == ("1", Scope([PACIFICO]))


async def test_who_only_reads_is_told_that_the_crm_is_away() -> None:
    office = Office(Crm([OURS], down=True))
    body = await office.ask(COMMENT, {"input": {"caseId": case_id("1"), "body": "Hola"}}, READER)
    [error] = body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["retryable"]) == (
        *("SOURCE_UNAVAILABLE", True),
    )
    assert office.took is not None
    assert not office.took.added


async def test_what_is_wrong_is_told_while_the_crm_is_away_too() -> None:
    office = Office(Crm([OURS], down=True))
    payload = await office.do(COMMENT, caseId=case_id("1"), body=" ")
    assert [one["field"] for one in payload["userErrors"]] == [["input", "body"]]
    assert office.took is not None
    assert not office.took.added


class Refusing(Took):
    """Refuses what it is sent. error: how."""

    error: Exception

    async def open_case(self, *sent: Any) -> Any:
        raise self.error

    async def add_comment(self, *sent: Any) -> Any:
        raise self.error


def refusing(error: Exception) -> Office:
    took = Refusing(None)  # type: ignore[arg-type]
    took.error = error
    return Office(Crm([OURS]), took=took)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            Problems(Problem(ProblemCode.CONFLICT, "Used.", field=("input", "idempotencyKey"))),
            ("CONFLICT", ["input", "idempotencyKey"]),
        ),
        (Rejected("crm", "no", field="order_number"), ("INVALID", ["input", "orderNumber"])),
    ],
)
async def test_what_whoever_takes_it_refuses_is_a_user_error(error: Exception, told: Any) -> None:
    both: Any = (
        (CREATE, {"category": "QUERY", "description": "Hola"}),
        (COMMENT, {"caseId": case_id("1"), "body": "Hola"}),
    )
    for document, sent in both:
        payload = await refusing(error).do(document, **sent)
        assert payload["message"] is payload["case"] is None
        assert [(one["code"], one["field"]) for one in payload["userErrors"]] == [told]


async def test_what_was_not_kept_is_an_error_to_try_again() -> None:
    office = refusing(Unavailable("submissions", "no room"))
    body = await office.ask(CREATE, {"input": {"category": "QUERY", "description": "Hola"}})
    assert body["data"] == {"createCase": None}
    assert body["errors"][0]["extensions"]["retryable"] is True
    assert office.notes == []


# ----------------------------------------------------------------------- what the viewer may do

MAY = """query($id: ID!) { case(by: {id: $id}) {
  viewerCanComment viewerCanAttach viewerCanClose } }"""


@pytest.mark.parametrize("status", list(CaseStatus))
async def test_what_may_be_done_goes_by_the_status(status: CaseStatus) -> None:
    office = Office(Crm([case("1", status=status)]))
    shown = (await office.ask(MAY, {"id": case_id("1")}))["data"]["case"]
    may = status not in (CaseStatus.CLOSED, CaseStatus.REJECTED)
    assert shown == {"viewerCanComment": may, "viewerCanAttach": False, "viewerCanClose": may}


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (READER, False),
        (person((ANDINA, MembershipRole.READER), (PACIFICO, MembershipRole.ADMIN)), False),
        (person((ANDINA, MembershipRole.ADMIN)), True),
        (program("cases:read", acting_for=ANDINA), False),
        (program("cases:read", "cases:write", acting_for=ANDINA), True),
    ],
)
async def test_what_may_be_done_goes_by_the_role(office: Office, who: Any, may: bool) -> None:
    shown = (await office.ask(MAY, {"id": case_id("1")}, who))["data"]["case"]
    assert (shown["viewerCanComment"], shown["viewerCanClose"]) == (may, may)


async def test_nothing_may_be_done_where_nobody_takes_it() -> None:
    office = Office(Crm([OURS]), took=None)
    shown = (await office.ask(MAY, {"id": case_id("1")}))["data"]["case"]
    assert not any(shown.values())


# ------------------------------------------------------------------------- what payloads show


async def test_of_a_new_case_only_what_is_not_known_is_asked(office: Office) -> None:
    """The account embedded in a case is asked for by its own field; the rest was just sent."""
    text = """mutation($input: CreateCaseInput!) { createCase(input: $input) { case {
      id number subject description status createdAt updatedAt closedAt team answerDueAt
      category { code label } subcategory { code } details { name label value }
      viewerCanComment } } }"""
    payload = await office.do(text, category="QUERY", description="Hola")
    assert payload["case"]["category"] == {"code": "QUERY", "label": "Consulta"}
    assert payload["case"]["viewerCanComment"] is True
    assert office.crm.asked == []


class Partly(Took):
    """Knows of a new case only what the CRM told it."""

    async def open_case(self, caller: Any, case: Any, *rest: Any) -> Case:
        return Case(OURS.id, ANDINA, subject=case.subject)


async def test_what_is_not_known_of_a_new_case_is_asked_by_its_id() -> None:
    office = Office(Crm([OURS]), took=Partly(None))  # type: ignore[arg-type]
    sent: Any = {"category": "QUERY", "description": "Hola"}
    opens = "mutation($input: CreateCaseInput!) { createCase(input: $input) { case { %s } } }"
    assert (await office.do(opens % "id subject", **sent))["case"]["subject"] == "Consulta"
    assert office.crm.asked == []
    assert (await office.do(opens % "number", **sent))["case"] == {"number": "01"}
    assert office.crm.asked == ["cases"]
