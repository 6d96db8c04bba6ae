"""Lo que se agrega a un caso mientras el CRM no responde: se recibe, y llega una sola vez a un caso que
es suyo. Si no lo es, no llega, y nadie más se entera."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from typing import Any

import pytest

from gateway.audit import EventFilter, read_events
from schema.nodes import to_global
from tests.stories.portal import ANA, CARLA, Answer, Portal
from tests.stories.test_envios_archivos import PDF, send

pytestmark = pytest.mark.anyio

SENT = "Se ha enviado correctamente"
JORGE, LUIS = "jorge.pineda@andina.example", "luis.rojas@pacifico.example"
FROM = "userErrors { code message field }"
COMMENT = f"""mutation($input: AddCaseCommentInput!) {{ addCaseComment(input: $input) {{
  message comment {{ id body pending author {{ name }} }} case {{ id status }} {FROM} }} }}"""
ATTACH = f"""mutation($input: AddCaseAttachmentsInput!) {{ addCaseAttachments(input: $input) {{
  message attachments {{ filename pending }} case {{ id }} {FROM} }} }}"""
CLOSE = f"""mutation($input: CloseCaseInput!) {{ closeCase(input: $input) {{
  message case {{ id status }} {FROM} }} }}"""
CREATE = """mutation($input: CreateCaseInput!) { createCase(input: $input) {
  case { id } userErrors { code } } }"""
SHOWN = """query($id: ID!) { case(by: {id: $id}) { status
  comments(last: 5) { nodes { body pending } } attachments { nodes { filename pending } }
  timeline(last: 5) { nodes { __typename ... on CaseRejection { message } } } } }"""


async def a_case(portal: Portal, by: str = ANA, status: str = "NEW") -> str:
    """Un caso que solo el CRM conoce."""
    text = "query($s: [CaseStatus!]) { cases(filter: {statuses: $s}, first: 1) { nodes { id } } }"
    found = await portal.ask(text, {"s": [status]}, by=by)
    return str(found.data["cases"]["nodes"][0]["id"])


async def down(portal: Portal, *people: str) -> None:
    """Quiénes son, el portal ya lo sabe."""
    for email in (ANA, *people):
        await portal.ask("{ viewer { name } }", by=email)
    portal.faults.of("crm").arm("status", 503)


async def up(portal: Portal) -> None:
    """El CRM vuelve, alguien lee, y lo que espera llega."""
    portal.faults.of("crm").reset()
    await portal.ask("{ cases(first: 9) { nodes { number } } }", by=CARLA)
    submissions = portal.gateway.submissions
    assert submissions is not None
    for _ in range(1_000):
        if submissions.pending.waiting == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it still waits")


async def rows(portal: Portal) -> dict[str, int]:
    """Cuántos hay de cada cosa en el CRM."""

    def read() -> dict[str, int]:
        connection = sqlite3.connect(portal.folder / "sandbox.sqlite", timeout=5)
        count = {
            table: int(connection.execute(f"SELECT count(*) FROM crm_{table}").fetchone()[0])
            for table in ("CaseComment", "ContentVersion")
        }
        connection.close()
        return count

    return await asyncio.to_thread(read)


async def noted(portal: Portal, many: int) -> Counter[str]:
    """Lo que la auditoría cuenta de los envíos, cuando ya son tantos."""
    found: Counter[str] = Counter()
    for _ in range(1_000):
        events = EventFilter(event="submission.")
        rows = await read_events(portal.gateway.entrance.database, events)
        found = Counter(event.event for event in rows)
        if found.total() >= many:
            break
        await asyncio.sleep(0.01)
    return found


def received(answer: Answer, name: str) -> dict[str, Any]:
    """Recibido; del caso, nadie puede decir nada ahora."""
    payload: dict[str, Any] = answer.partial[name]
    assert (payload["message"], payload["userErrors"]) == (SENT, [])
    assert payload["case"] is None
    [error] = answer.errors
    assert (error["path"], error["extensions"]["code"]) == ([name, "case"], "SOURCE_UNAVAILABLE")
    return payload


async def test_un_comentario(house: Portal) -> None:
    case = await a_case(house)
    before = await rows(house)
    await down(house)
    body = {"input": {"caseId": case, "body": "¿Y mi pedido?", "idempotencyKey": "k"}}
    answer = await house.ask(COMMENT, body)
    comment = received(answer, "addCaseComment")["comment"]
    assert comment | {"id": ""} == {
        "id": "",
        "body": "¿Y mi pedido?",
        "pending": True,
        "author": {"name": "Ana Torres"},
    }
    # De quién es el caso se pregunta para decidir y para mostrarlo, y quien lo lleva pregunta lo
    # mismo mientras tanto: tres preguntas, cada una con sus tres intentos a lo sumo.
    assert {call.method for call in answer.calls} == {"GET"}
    assert 2 <= answer.cost["crm"] <= 3 * 3
    again = await house.ask(COMMENT, body)
    assert received(again, "addCaseComment")["comment"] == comment
    assert {call.method for call in again.calls} == {"GET"}
    assert 2 <= again.cost["crm"] <= 3 * 3
    assert await rows(house) == before
    await up(house)
    shown = (await house.ask(SHOWN, {"id": case})).data["case"]
    said = [one for one in shown["comments"]["nodes"] if one["body"] == "¿Y mi pedido?"]
    assert said == [{"body": "¿Y mi pedido?", "pending": False}]
    # El mismo envío, ahora que el CRM responde, es el mismo comentario.
    payload = (await house.ask(COMMENT, body)).data["addCaseComment"]
    assert payload["message"] == SENT
    assert (await rows(house))["CaseComment"] == before["CaseComment"] + 1


async def test_un_archivo(house: Portal) -> None:
    case = await a_case(house)
    before = await rows(house)
    await down(house)
    answer = await send(house, ATTACH, [("plano.pdf", PDF)], caseId=case)
    payload = received(answer, "addCaseAttachments")
    assert payload["attachments"] == [{"filename": "plano.pdf", "pending": True}]
    await up(house)
    shown = (await house.ask(SHOWN, {"id": case})).data["case"]
    assert {"filename": "plano.pdf", "pending": False} in shown["attachments"]["nodes"]
    assert (await rows(house))["ContentVersion"] == before["ContentVersion"] + 1


async def test_cerrar_y_lo_que_llega_despues(house: Portal) -> None:
    """Llega en el orden en que se envió; lo que se dijo después de cerrarlo no llega, y se cuenta."""
    case = await a_case(house)
    before = await rows(house)
    await down(house)
    closing = {"caseId": case, "comment": "Gracias, resuelto."}
    received(await house.ask(CLOSE, {"input": closing}), "closeCase")
    late = {"caseId": case, "body": "Una cosa más"}
    received(await house.ask(COMMENT, {"input": late}, by=ANA), "addCaseComment")
    await up(house)
    shown = (await house.ask(SHOWN, {"id": case}, by=JORGE)).data["case"]
    assert shown["status"] == "CLOSED"
    bodies = [one["body"] for one in shown["comments"]["nodes"]]
    assert bodies[-1] == "Gracias, resuelto."
    told = [one for one in shown["timeline"]["nodes"] if one["__typename"] == "CaseRejection"]
    assert [one["message"] for one in told] == ["Este caso está cerrado. Abre uno nuevo."]
    assert (await rows(house))["CaseComment"] == before["CaseComment"] + 1


@pytest.mark.parametrize("away", [True, False])
async def test_cerrar_otra_vez_con_la_misma_clave(house: Portal, away: bool) -> None:
    """Quien no oyó la respuesta envía otra vez, y oye lo mismo, aunque el caso ya esté cerrado."""
    made = await house.ask(CREATE, {"input": {"category": "QUERY", "description": "Hola"}})
    if away:
        await down(house)
        made = await house.ask(CREATE, {"input": {"category": "QUERY", "description": "Otra"}})
    case = made.data["createCase"]["case"]["id"]
    said = {"caseId": case, "body": "Hola", "idempotencyKey": "hola"}
    closing = {"caseId": case, "comment": "Resuelto.", "idempotencyKey": "una"}
    comment = (await house.ask(COMMENT, {"input": said})).data["addCaseComment"]["comment"]
    for _ in range(2):
        payload = (await house.ask(CLOSE, {"input": closing})).data["closeCase"]
        assert (payload["message"], payload["case"]["status"]) == (SENT, "CLOSED")
    again = (await house.ask(COMMENT, {"input": said})).data["addCaseComment"]
    assert (again["message"], again["comment"]["id"]) == (SENT, comment["id"])
    for document, sent in ((CLOSE, closing), (COMMENT, said)):
        other = {**sent, "idempotencyKey": "otra"}
        [payload] = (await house.ask(document, {"input": other})).data.values()
        assert payload["message"] is None
        [error] = payload["userErrors"]
        assert (error["code"], error["field"]) == ("CONFLICT", ["input", "caseId"])
    await up(house)
    shown = (await house.ask(SHOWN, {"id": case})).data["case"]
    assert [one["body"] for one in shown["comments"]["nodes"]] == ["Hola", "Resuelto."]


async def test_el_caso_de_otro_es_como_el_que_no_existe(house: Portal) -> None:
    """Se recibe igual, no llega a ninguna parte, y ni unos ni otros ven nada."""
    theirs = await a_case(house, by=LUIS)
    before = await rows(house)
    story = (await house.ask(SHOWN, {"id": theirs}, by=LUIS)).data
    await down(house)
    payloads = []
    for case in (theirs, to_global("Case", "500SB00000NOTHERE1")):
        body = {"caseId": case, "body": "Hola"}
        comment = received(await house.ask(COMMENT, {"input": body}), "addCaseComment")
        received(await send(house, ATTACH, [("plano.pdf", PDF)], caseId=case), "addCaseAttachments")
        received(await house.ask(CLOSE, {"input": {"caseId": case}}), "closeCase")
        comment["comment"].pop("id")
        payloads.append(comment)
    assert payloads[0] == payloads[1]
    await up(house)
    assert await rows(house) == before
    assert (await house.ask(SHOWN, {"id": theirs}, by=LUIS)).data == story
    for case in (theirs, to_global("Case", "500SB00000NOTHERE1")):
        assert (await house.ask(SHOWN, {"id": case})).data["case"] is None
    assert await noted(house, 12) == {"submission.accepted": 6, "submission.rejected": 6}


async def test_lo_de_otro_no_hace_esperar_a_nadie(house: Portal) -> None:
    theirs = await a_case(house, by=LUIS)
    await down(house, LUIS)
    body = {"input": {"caseId": theirs, "body": "Hola"}}
    received(await house.ask(COMMENT, body, by=ANA), "addCaseComment")
    received(await house.ask(COMMENT, body, by=LUIS), "addCaseComment")
    await up(house)
    shown = (await house.ask(SHOWN, {"id": theirs}, by=LUIS)).data["case"]
    assert [one["body"] for one in shown["comments"]["nodes"]].count("Hola") == 1


async def test_quien_solo_lee_no_envia_tampoco_ahora(house: Portal) -> None:
    case = await a_case(house)
    maria = "maria.nanez@andina.example"
    await down(house, maria)
    answer = await house.ask(COMMENT, {"input": {"caseId": case, "body": "Hola"}}, by=maria)
    assert answer.error["extensions"]["code"] == "SOURCE_UNAVAILABLE"
    submissions = house.gateway.submissions
    assert submissions is not None
    assert submissions.pending.waiting == 0
