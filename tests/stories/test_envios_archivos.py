"""Agregar archivos: de la carpeta del computador al caso, y de vuelta a quien puede verlos."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.stories.portal import ANA, Answer, Portal

pytestmark = pytest.mark.anyio

SENT = "Se ha enviado correctamente"
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"
    b"\x90wS\xde\x00\x00\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)
Files = Sequence[tuple[str, bytes]]

#: Llamadas: saber de quién es el caso, cómo está y qué archivos tiene; abrirlo; leerlo al final.
COST_OF_LOOK = COST_OF_OPENING = COST_OF_READING = 1
#: Comprobar que el caso es suyo, que el archivo no ha llegado ya, enviarlo, y leer su nombre.
COST_OF_A_FILE = 4

ATTACH = """mutation($input: AddCaseAttachmentsInput!) { addCaseAttachments(input: $input) {
  message attachments { id filename contentType size } userErrors { code message field } } }"""
CREATE = """mutation($input: CreateCaseInput!) { createCase(input: $input) {
  message case { id number attachments { nodes { filename } } }
  userErrors { code message field } } }"""
SHOWN = """query($id: ID!) { case(by: {id: $id}) { viewerCanAttach
  attachments { nodes { filename contentType size pending downloadUrl author { name } } }
  timeline(last: 50) { nodes { __typename ... on Attachment { filename } } } } }"""


async def send(
    portal: Portal, document: str, files: Files, by: str = ANA, language: str = "es", **sent: Any
) -> Answer:
    """Un formulario con archivos, como lo envía una página."""
    sent["files"] = [None] * len(files)
    operations = {"query": document, "variables": {"input": sent}}
    places = {str(n): [f"variables.input.files.{n}"] for n in range(len(files))}
    headers = {
        "authorization": f"Bearer {portal.gateway.tokens.issue(by)}",
        "graphql-require-preflight": "1",
        "accept-language": language,
    }
    await portal.gateway.callers.caller(
        portal.gateway.tokens.check(portal.gateway.tokens.issue(by))
    )
    before = len(portal.recorder.calls)
    response = await portal.client.post(
        "/graphql",
        data={"operations": json.dumps(operations), "map": json.dumps(places)},
        files={str(n): file for n, file in enumerate(files)},
        headers=headers,
    )
    calls = portal.recorder.calls[before:]
    return Answer(response.status_code, response.json(), response.headers, calls)


async def open_case(portal: Portal) -> str:
    """Un caso de Mis casos que sigue abierto y no tiene archivos."""
    found = await portal.ask(
        "{ cases(filter: {statuses: [NEW, IN_PROGRESS]}) { nodes { id attachments { nodes { id } } } } }"
    )
    nodes = found.data["cases"]["nodes"]
    return str(next(case["id"] for case in nodes if not case["attachments"]["nodes"]))


async def test_agregar_archivos(house: Portal) -> None:
    """En detalles, agregar archivos: se selecciona el documento y se da clic en enviar."""
    case = await open_case(house)
    answer = await send(house, ATTACH, [("plano.pdf", PDF), ("foto.png", PNG)], caseId=case)
    payload = answer.data["addCaseAttachments"]
    assert (payload["message"], payload["userErrors"]) == (SENT, [])
    assert [(a["filename"], a["contentType"], a["size"]) for a in payload["attachments"]] == [
        ("plano.pdf", "application/pdf", len(PDF)),
        ("foto.png", "image/png", len(PNG)),
    ]
    assert answer.cost == {"crm": COST_OF_LOOK + 2 * COST_OF_A_FILE}
    shown = (await house.ask(SHOWN, {"id": case})).data["case"]
    files = shown["attachments"]["nodes"]
    assert sorted(file["filename"] for file in files) == ["foto.png", "plano.pdf"]
    assert not any(file["pending"] for file in files)
    events = [event for event in shown["timeline"]["nodes"] if event["__typename"] == "Attachment"]
    assert sorted(event["filename"] for event in events) == ["foto.png", "plano.pdf"]
    url = next(file["downloadUrl"] for file in files if file["filename"] == "plano.pdf")
    download = await house.client.get(url)
    assert (download.status_code, download.content) == (200, PDF)
    assert download.headers["content-disposition"].startswith("attachment")


async def test_una_solicitud_con_sus_archivos(house: Portal) -> None:
    answer = await send(
        house, CREATE, [("foto.png", PNG)], category="QUERY", description="Así llegó."
    )
    payload = answer.data["createCase"]
    assert (payload["message"], payload["userErrors"]) == (SENT, [])
    assert payload["case"]["number"]
    assert answer.cost == {"crm": COST_OF_OPENING + COST_OF_A_FILE + COST_OF_READING}
    shown = (await house.ask(SHOWN, {"id": payload["case"]["id"]})).data["case"]
    assert [file["filename"] for file in shown["attachments"]["nodes"]] == ["foto.png"]
    assert shown["viewerCanAttach"] is True


async def test_un_archivo_grande_enviado_antes(house: Portal) -> None:
    """Desde el celular: se reserva el lugar, se envía por partes, y se agrega al caso."""
    case = await open_case(house)
    data = PDF + b"\n" * 200_000
    reserved = await house.ask(
        """mutation($input: CreateUploadInput!) { createUpload(input: $input) {
           upload { id url } userErrors { code message } } }""",
        {"input": {"filename": "plano.pdf", "contentType": "application/pdf", "size": len(data)}},
    )
    upload = reserved.data["createUpload"]["upload"]
    headers = {"tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream"}
    for start in (0, 100_000):
        part = data[start : start + 100_000] if start == 0 else data[start:]
        sent = await house.client.patch(
            upload["url"], content=part, headers={**headers, "upload-offset": str(start)}
        )
        assert sent.status_code == 204, sent.text
    body = {"input": {"caseId": case, "uploadIds": [upload["id"]]}}
    answer = await house.ask(ATTACH, body)
    payload = answer.data["addCaseAttachments"]
    assert answer.cost == {"crm": COST_OF_LOOK + COST_OF_A_FILE}
    assert (payload["message"], payload["userErrors"]) == (SENT, [])
    again = (await house.ask(ATTACH, {"input": {**body["input"], "idempotencyKey": "2"}})).data
    [error] = again["addCaseAttachments"]["userErrors"]
    assert (error["code"], error["field"]) == ("EXPIRED", ["input", "uploadIds", "0"])
    shown = (await house.ask(SHOWN, {"id": case})).data["case"]
    assert [file["size"] for file in shown["attachments"]["nodes"]] == [len(data)]


async def test_lo_que_no_se_recibe_se_dice_y_no_se_envia_nada(house: Portal) -> None:
    case = await open_case(house)
    wrong: Files = [
        ("plano.pdf", PDF),
        ("virus.pdf", b"MZ\x90\x00" + b"\0" * 60),
        ("nada.pdf", b""),
    ]
    answer = await send(house, ATTACH, wrong, caseId=case)
    payload = answer.data["addCaseAttachments"]
    assert payload["message"] is payload["attachments"] is None
    told = {tuple(e["field"]): (e["code"], e["message"]) for e in payload["userErrors"]}
    assert told.keys() == {("input", "files", "1"), ("input", "files", "2")}
    assert told["input", "files", "1"][0] == "FILE_TYPE_NOT_ALLOWED"
    assert all(message.strip() for _, message in told.values())
    shown = (await house.ask(SHOWN, {"id": case})).data["case"]
    assert shown["attachments"]["nodes"] == []
    none = await house.ask(ATTACH, {"input": {"caseId": case}})
    [error] = none.data["addCaseAttachments"]["userErrors"]
    assert (error["code"], error["field"]) == ("REQUIRED", ["input", "files"])


async def test_a_un_caso_cerrado_o_de_otro_no_se_agrega(house: Portal) -> None:
    closed = await house.ask("{ cases(filter: {statuses: [CLOSED]}, first: 1) { nodes { id } } }")
    theirs = await house.ask(
        "{ cases(first: 1) { nodes { id } } }", by="luis.rojas@pacifico.example"
    )
    for found, code in ((closed, "CONFLICT"), (theirs, "NOT_FOUND")):
        case = found.data["cases"]["nodes"][0]["id"]
        answer = await send(house, ATTACH, [("plano.pdf", PDF)], caseId=case)
        [error] = answer.data["addCaseAttachments"]["userErrors"]
        assert (error["code"], error["field"]) == (code, ["input", "caseId"])
