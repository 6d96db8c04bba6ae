"""What a customer sends while the CRM is well, down, or cuts connections, as their page sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.portal import Portal

pytestmark = pytest.mark.anyio

CREATE = """
mutation($input: CreateCaseInput!) {
  createCase(input: $input) {
    message case { id number status } userErrors { code message field }
  }
}
"""
ONE = """
query($id: ID!) {
  case(by: {id: $id}) { id number status subject comments { nodes { body pending } } }
}
"""
LISTED = "query($f: CaseFilter) { cases(filter: $f, first: 3) { nodes { id number status } } }"
COMMENT = """
mutation($input: AddCaseCommentInput!) {
  addCaseComment(input: $input) { message comment { pending } userErrors { code } }
}
"""


def question(**more: Any) -> dict[str, Any]:
    values = {"category": "QUERY", "subject": "¿Cuándo llega?", "description": "El de ayer."}
    return {"input": values | more}


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def settled(portal: Portal) -> None:
    submissions = portal.gateway.submissions
    assert submissions is not None
    await until(lambda: submissions.pending.waiting == 0)


async def test_a_case_is_there_at_once(house: Portal) -> None:
    before = (await house.ask(LISTED)).data["cases"]["nodes"]
    answer = await house.ask(CREATE, question())
    made = answer.data["createCase"]
    assert answer.cost == {"crm": 1}
    assert made["userErrors"] == []
    assert made["message"] == "Se ha enviado correctamente"
    assert made["case"]["status"] == "NEW"
    listed = (await house.ask(LISTED)).data["cases"]["nodes"]
    assert made["case"] in listed
    assert made["case"] not in before


async def test_a_case_waits_for_the_crm_and_keeps_its_id(house: Portal) -> None:
    await house.ask(LISTED)
    house.faults.update({"fail": ["crm=503"]})
    made = (await house.ask(CREATE, question(idempotencyKey="uno"))).data["createCase"]
    assert made["message"] == "Se ha enviado correctamente"
    assert (made["case"]["number"], made["case"]["status"]) == (None, "SUBMITTED")
    key = made["case"]["id"]
    said = await house.ask(COMMENT, {"input": {"caseId": key, "body": "¿Alguna novedad?"}})
    assert said.data["addCaseComment"]["comment"] == {"pending": True}

    waiting = await house.ask(LISTED, {"f": {"statuses": ["SUBMITTED"]}})
    assert waiting.data["cases"]["nodes"] == [made["case"]]
    assert waiting.cost == {}
    shown = await house.ask(ONE, {"id": key})
    assert shown.data["case"]["subject"] == "¿Cuándo llega?"
    assert shown.data["case"]["comments"]["nodes"] == [
        {"body": "¿Alguna novedad?", "pending": True}
    ]
    assert shown.cost == {}

    health = (await house.client.get("/health/ready")).json()
    assert health["submissions"]["waiting"] == 2
    assert health["submissions"]["oldest"] is not None

    house.faults.update({"reset": True})
    # Whoever reads sees that the CRM is back, and what waits is tried at once.
    await house.ask("{ cases(first: 7) { nodes { number } } }")
    await settled(house)
    case = (await house.ask(ONE, {"id": key})).data["case"]
    assert case["id"] == key
    assert case["status"] == "NEW"
    assert case["number"] is not None
    assert [one["pending"] for one in case["comments"]["nodes"]] == [False]
    listed = (await house.ask(LISTED)).data["cases"]["nodes"]
    assert [one["number"] for one in listed].count(case["number"]) == 1

    again = (await house.ask(CREATE, question(idempotencyKey="uno"))).data["createCase"]
    assert again["case"]["number"] == case["number"]
    other = question(idempotencyKey="uno", subject="Otra cosa")
    (error,) = (await house.ask(CREATE, other)).data["createCase"]["userErrors"]
    assert (error["code"], error["field"]) == ("CONFLICT", ["input", "idempotencyKey"])


async def test_a_connection_that_is_cut_after_the_crm_has_it(house: Portal) -> None:
    await house.ask(LISTED)
    house.faults.update({"fail": ["crm=cutx1"]})
    made = (await house.ask(CREATE, question(subject="Cortado"))).data["createCase"]
    assert made["case"]["status"] == "SUBMITTED"
    await house.ask("{ cases(first: 8) { nodes { number } } }")
    await settled(house)
    found = await house.ask('{ cases(filter: {search: "Cortado"}) { nodes { number subject } } }')
    assert len(found.data["cases"]["nodes"]) == 1


async def test_ten_clients_with_one_key(house: Portal) -> None:
    asked = question(idempotencyKey="diez", subject="Diez veces")
    answers = await asyncio.gather(*(house.ask(CREATE, asked) for _ in range(10)))
    cases = [answer.data["createCase"]["case"] for answer in answers]
    assert len({case["number"] for case in cases}) == 1
    found = await house.ask('{ cases(filter: {search: "Diez veces"}) { nodes { number } } }')
    assert len(found.data["cases"]["nodes"]) == 1


async def test_what_the_crm_refuses_is_told_in_the_callers_language(house: Portal) -> None:
    house.faults.update({"fail": ["crm=reject:veneno"]})
    answer = await house.ask(CREATE, question(subject="veneno"))
    (error,) = answer.data["createCase"]["userErrors"]
    assert error["code"] == "INVALID"
    assert error["message"] in {
        "Este dato no fue aceptado.",
        "El sistema de servicio no aceptó este envío.",
    }
    listed = await house.ask(LISTED, {"f": {"statuses": ["REJECTED", "SUBMITTED"]}})
    assert listed.data["cases"]["nodes"] == []
