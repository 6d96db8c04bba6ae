"""Files, from a portal's page to the CRM and back: sent in the request or beforehand, read by links,
with the upstream calls that it takes."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.gateway.files import samples
from tests.gateway.files.cabinet import Clamd
from tests.stories.doors import SIGN_OUT, do, in_crm, later, member
from tests.stories.portal import ANA, LUIS, Answer, Portal, opened

pytestmark = pytest.mark.anyio

_ERRORS = "userErrors { code message field }"
_FILE = "id filename contentType size pending"
CREATE_UPLOAD = f"""mutation($input: CreateUploadInput!) {{ createUpload(input: $input) {{
  upload {{ id url expiresAt }} {_ERRORS} }} }}"""
CREATE_CASE = f"""mutation($input: CreateCaseInput!) {{ createCase(input: $input) {{
  case {{ id number attachments {{ nodes {{ {_FILE} }} }} }} message {_ERRORS} }} }}"""
ADD_FILES = f"""mutation($input: AddCaseAttachmentsInput!) {{ addCaseAttachments(input: $input) {{
  attachments {{ {_FILE} }} message {_ERRORS} }} }}"""
CASE = f"""query($id: ID!) {{ node(id: $id) {{ ... on Case {{ status attachments {{ nodes {{
  {_FILE} downloadUrl downloadUrlExpiresAt }} }} }} }} }}"""
TUS = {"tus-resumable": "1.0.0"}


async def send(
    portal: Portal, query: str, contents: dict[str, bytes], by: str = ANA, **given: Any
) -> Answer:
    """An operation with files in the same request, named by their names."""
    variables = {"input": {**given, "files": [None] * len(contents)}}
    where = {str(at): [f"variables.input.files.{at}"] for at in range(len(contents))}
    form: dict[str, Any] = {
        "operations": (None, json.dumps({"query": query, "variables": variables})),
        "map": (None, json.dumps(where)),
        **{str(at): (name, data) for at, (name, data) in enumerate(contents.items())},
    }
    headers = {
        "authorization": f"Bearer {portal.gateway.tokens.issue(by)}",
        "accept-language": "es",
        "apollo-require-preflight": "true",
    }
    before = len(portal.recorder.calls)
    response = await portal.client.post("/graphql", files=form, headers=headers)
    calls = portal.recorder.calls[before:]
    return Answer(response.status_code, response.json(), response.headers, calls)


async def sent_beforehand(portal: Portal, name: str, content: bytes, by: str = ANA) -> str:
    """A file sent by tus over three connections that break, and one that does not; its id."""
    wanted = {"filename": name, "contentType": "application/octet-stream", "size": len(content)}
    told = (await portal.ask(CREATE_UPLOAD, {"input": wanted}, by=by)).data["createUpload"]
    assert told["userErrors"] == []
    path = urlsplit(told["upload"]["url"]).path
    for part in (0.2, 0.5, 0.9, 1):
        state = await portal.client.head(path, headers=TUS)
        offset, end = int(state.headers["upload-offset"]), int(len(content) * part)
        await _patch(portal, path, content, offset, end)
    return str(told["upload"]["id"])


async def _patch(portal: Portal, path: str, content: bytes, offset: int, end: int) -> None:
    """Sends until `end`, where the connection breaks unless that is the end of the file."""
    pieces = [content[at : min(at + 50_000, end)] for at in range(offset, end, 50_000)]
    scope = {
        "type": "http",
        "method": "PATCH",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [
            (b"tus-resumable", b"1.0.0"),
            (b"content-type", b"application/offset+octet-stream"),
            (b"upload-offset", str(offset).encode()),
            (b"content-length", str(len(content) - offset).encode()),
        ],
    }
    statuses = []

    async def receive() -> Any:
        if pieces:
            more = len(pieces) > 1 or end < len(content)
            return {"type": "http.request", "body": pieces.pop(0), "more_body": more}
        return {"type": "http.disconnect"}

    async def put(message: Any) -> None:
        statuses.append(message.get("status"))

    await portal.gateway.app(scope, receive, put)
    assert statuses[0] == (204 if end == len(content) else 400)


async def files_of(portal: Portal, case_id: str, by: str = ANA) -> list[dict[str, Any]]:
    """The files of a case, waited for until the CRM has them all."""
    for _ in range(200):
        node = (await portal.ask(CASE, {"id": case_id}, by=by)).data["node"]
        found: list[dict[str, Any]] = node["attachments"]["nodes"]
        if not any(file["pending"] for file in found):
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("the files did not reach the CRM")


async def link(portal: Portal, name: str = "nota.txt", content: bytes = b"hola") -> dict[str, Any]:
    """A file of a new case, as the CRM has it."""
    answer = await send(portal, CREATE_CASE, {name: content}, **NEW_CASE)
    [file] = await files_of(portal, answer.data["createCase"]["case"]["id"])
    return file


async def read(portal: Portal, file: dict[str, Any], **headers: str) -> Any:
    return await portal.client.get(urlsplit(file["downloadUrl"]).path, headers=headers)


def stored(portal: Portal) -> list[Path]:
    return [path for path in (portal.folder / "files").rglob("*") if path.is_file()]


async def emptied(portal: Portal) -> bool:
    """Whether the store is soon empty: what the CRM has is removed once that is written down."""
    for _ in range(200):
        if not stored(portal):
            return True
        await asyncio.sleep(0.02)
    return False


LARGE = samples.PDF + bytes(range(256)) * 20_000
_ANNOUNCED = {"filename": "nota.txt", "contentType": "text/plain", "size": 10}
_ANY_FILE = "{ cases(first: 50) { nodes { attachments { nodes { size downloadUrl } } } } }"
#: How many files a case takes.
MOST = 20
NEW_CASE = {"category": "QUERY", "description": "Adjunto la factura."}


async def test_a_case_is_opened_with_files_of_both_ways(house: Portal) -> None:
    upload_id = await sent_beforehand(house, "plano.pdf", LARGE)
    contents = {"../factura á.pdf": samples.PDF, "foto.jpg": samples.PNG}
    answer = await send(house, CREATE_CASE, contents, **NEW_CASE, uploadIds=[upload_id])
    payload = answer.data["createCase"]
    assert (payload["userErrors"], payload["message"]) == ([], "Se ha enviado correctamente")
    found = await files_of(house, payload["case"]["id"])
    assert [(file["filename"], file["contentType"], file["size"]) for file in found] == [
        ("factura á.pdf", "application/pdf", len(samples.PDF)),
        ("foto.png", "image/png", len(samples.PNG)),
        ("plano.pdf", "application/pdf", len(LARGE)),
    ]
    for file, content in zip(found, (samples.PDF, samples.PNG, LARGE), strict=True):
        answer = await read(house, file)
        assert answer.status_code == 200
        assert answer.content == content
    assert await emptied(house)


async def test_files_are_added_to_a_case_and_cost_what_they_cost(house: Portal) -> None:
    opened_case = (await house.ask(CREATE_CASE, {"input": NEW_CASE})).data["createCase"]["case"]
    upload_id = await sent_beforehand(house, "plano.pdf", LARGE)
    given = {"caseId": opened_case["id"], "uploadIds": [upload_id]}
    answer = await send(house, ADD_FILES, {"nota.txt": samples.TEXT}, **given)
    payload = answer.data["addCaseAttachments"]
    assert payload["userErrors"] == []
    assert [file["filename"] for file in payload["attachments"]] == ["nota.txt", "plano.pdf"]
    found = await files_of(house, opened_case["id"])
    assert [file["size"] for file in found] == [len(samples.TEXT), len(LARGE)]
    before = len(house.recorder.calls)
    assert (await read(house, found[1])).content == LARGE
    calls = [call.url.rpartition("/")[2] for call in house.recorder.calls[before:]]
    assert calls == ["composite", "VersionData"], "the person was asked for a moment ago"


async def test_a_request_that_is_repeated_adds_nothing(house: Portal) -> None:
    upload_id = await sent_beforehand(house, "plano.pdf", LARGE)
    given: dict[str, Any] = {**NEW_CASE, "uploadIds": [upload_id], "idempotencyKey": "k-1"}
    first = await send(house, CREATE_CASE, {"nota.txt": b"hola"}, **given)
    case = first.data["createCase"]["case"]
    await files_of(house, case["id"])
    again = await send(house, CREATE_CASE, {"nota.txt": b"hola"}, **given)
    assert again.data["createCase"]["userErrors"] == []
    assert again.data["createCase"]["case"]["id"] == case["id"]
    assert len(await files_of(house, case["id"])) == 2
    other = await send(house, CREATE_CASE, {"nota.txt": b"otra"}, **given)
    [error] = other.data["createCase"]["userErrors"]
    assert error["code"] == "CONFLICT"
    taken = await send(house, CREATE_CASE, {}, **{**given, "idempotencyKey": "k-2"})
    assert taken.data["createCase"]["userErrors"][0]["code"] == "EXPIRED"
    assert await emptied(house)


async def test_a_repetition_is_answered_as_before_when_the_case_has_become_full(
    house: Portal,
) -> None:
    new = (await house.ask(CREATE_CASE, {"input": NEW_CASE})).data["createCase"]["case"]
    for key, expected in (("first", 10), ("last", MOST), ("last", MOST), ("first", MOST)):
        contents = {f"{key}{n}.txt": f"nota {n}".encode() for n in range(10)}
        given = {"caseId": new["id"], "idempotencyKey": key}
        payload = (await send(house, ADD_FILES, contents, **given)).data["addCaseAttachments"]
        assert payload["userErrors"] == []
        assert [file["filename"] for file in payload["attachments"]] == list(contents)
        assert len(await files_of(house, new["id"])) == expected
    more = await send(house, ADD_FILES, {"one.txt": b"more"}, caseId=new["id"])
    [error] = more.data["addCaseAttachments"]["userErrors"]
    assert (error["code"], error["field"]) == ("TOO_MANY_FILES", ["input", "files"])
    assert len(await files_of(house, new["id"])) == MOST
    assert await emptied(house)


async def test_a_part_of_a_file_can_be_read_and_no_link_leads_further(house: Portal) -> None:
    file = await link(house, "plano.pdf", LARGE)
    part = await read(house, file, range="bytes=1000-1999")
    assert (part.status_code, part.content) == (206, LARGE[1000:2000])
    end = await read(house, file, range="bytes=-5")
    assert (end.status_code, end.content) == (206, LARGE[-5:])
    whole = await read(house, file)
    assert whole.headers["content-disposition"].startswith("attachment; filename=")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["cache-control"] == "private, no-store"
    changed = urlsplit(file["downloadUrl"]).path[:-1] + "x"
    assert (await house.client.get(changed)).status_code == 404
    house.clock.now += timedelta(minutes=11)
    gone = await read(house, file)
    assert gone.status_code == 404
    assert gone.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_link_ends_with_the_session_it_was_made_in(house: Portal) -> None:
    session = await member(house)
    asked = await house.ask(_ANY_FILE, token=session["accessToken"])
    nodes = [node for case in asked.data["cases"]["nodes"] for node in case["attachments"]["nodes"]]
    assert (await read(house, nodes[0])).status_code == 200
    await do(house, SIGN_OUT, refreshToken=session["refreshToken"])
    assert (await read(house, nodes[0])).status_code == 404


async def test_a_link_ends_when_the_crm_takes_the_membership_away(house: Portal) -> None:
    file = await link(house)
    assert (await read(house, file)).content == b"hola"
    await in_crm(house, "UPDATE crm_AccountContactRelation SET IsActive = 0")
    await later(house, minutes=2)
    assert (await read(house, file)).status_code == 404


async def test_what_is_on_its_way_is_read_from_the_gateways_own_store(
    database: Path, tmp_path: Path
) -> None:
    shutil.copy(database, tmp_path / "sandbox.sqlite")
    tables = {"submissions": {"answer_seconds": 0}}
    async with opened(tmp_path / "sandbox.sqlite", tmp_path, tables=tables) as house:
        upload_id = await sent_beforehand(house, "plano.pdf", LARGE)
        house.faults.fail("crm=503")
        answer = await house.ask(CREATE_CASE, {"input": {**NEW_CASE, "uploadIds": [upload_id]}})
        case = answer.partial["createCase"]["case"]
        node = (await house.ask(CASE, {"id": case["id"]})).data["node"]
        [file] = node["attachments"]["nodes"]
        assert (node["status"], file["pending"]) == ("SUBMITTED", True)
        assert (await read(house, file)).content == LARGE
        part = await read(house, file, range="bytes=2097150-2097160")
        assert part.content == LARGE[2_097_150:2_097_161]
        assert (await read(house, file, range="bytes=-3")).content == LARGE[-3:]


async def test_files_that_are_wrong_are_told_in_the_callers_language(house: Portal) -> None:
    contents = {"factura.pdf": b"MZ" + bytes(100), "vacio.txt": b"", "nota.txt": b"hola"}
    given: dict[str, Any] = {"category": "QUERY", "description": "", "uploadIds": ["x"]}
    payload = (await send(house, CREATE_CASE, contents, **given)).data["createCase"]
    assert payload["case"] is None
    types = "csv, docx, heic, heif, jpg, odp, ods, odt, pdf, png, pptx, txt, webp, xlsx"
    told = {tuple(one["field"]): (one["code"], one["message"]) for one in payload["userErrors"]}
    assert told.pop(("input", "description"))[0] == "REQUIRED"
    assert told == {
        ("input", "files", "0"): (
            "FILE_TYPE_NOT_ALLOWED",
            f"No se aceptan archivos de este tipo. Envíe uno de estos: {types}.",
        ),
        ("input", "files", "1"): ("INVALID", "Este archivo está vacío."),
        ("input", "uploadIds", "0"): (
            "NOT_FOUND",
            "Este archivo no existe o su plazo terminó. Envíelo de nuevo.",
        ),
    }
    assert stored(house) == []


async def test_files_are_of_whoever_sent_them(house: Portal) -> None:
    upload_id = await sent_beforehand(house, "nota.txt", b"hola, esto es una nota")
    given = {"input": {**NEW_CASE, "uploadIds": [upload_id]}}
    answer = await house.ask(CREATE_CASE, given, by=LUIS)
    [error] = answer.data["createCase"]["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "uploadIds", "0"])
    nobody = await house.ask(CREATE_UPLOAD, {"input": _ANNOUNCED}, by=None)
    assert nobody.error["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("value", ["x", 5, True, [], {"id": "x", "filename": "y"}])
async def test_a_plain_value_is_no_file(house: Portal, value: object) -> None:
    answer = await house.ask(CREATE_CASE, {"input": {**NEW_CASE, "files": [value]}})
    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "Upload must be a file" in answer.error["message"]


async def test_a_file_cannot_stand_in_a_document(house: Portal) -> None:
    text = 'mutation { addCaseAttachments(input: {caseId: "x", files: ["y"]}) { message } }'
    answer = await house.ask(text)
    assert answer.error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_scanner_stands_before_the_crm(database: Path, tmp_path: Path) -> None:
    shutil.copy(database, tmp_path / "sandbox.sqlite")
    socket = f"unix:{tmp_path}/clamd"
    tables = {"files": {"store": str(tmp_path / "files"), "scanner": {"address": socket}}}
    async with opened(tmp_path / "sandbox.sqlite", tmp_path, tables=tables) as house:
        away = await send(house, CREATE_CASE, {"nota.txt": b"hola"}, **NEW_CASE)
        extensions = away.error["extensions"]
        assert (extensions["code"], extensions["retryAfterMs"]) == ("SOURCE_UNAVAILABLE", 30_000)
        assert stored(house) == []
        async with Clamd().listening(tmp_path / "clamd"):
            bad = await send(house, CREATE_CASE, {"nota.txt": b"EICAR"}, **NEW_CASE)
            [error] = bad.data["createCase"]["userErrors"]
            assert error["code"] == "FILE_INFECTED"
            assert stored(house) == []
            file = await link(house)
            assert (await read(house, file)).content == b"hola"


async def test_a_broken_request_is_told_as_json(house: Portal) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x", "apollo-require-preflight": "1"}
    unknown = await house.client.post("/graphql", content=b"--x--", headers=headers)
    assert unknown.status_code == 401
    assert unknown.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    headers["authorization"] = f"Bearer {house.gateway.tokens.issue(ANA)}"
    broken = await house.client.post("/graphql", content=b"--x\r\n", headers=headers)
    assert (broken.status_code, broken.headers["connection"]) == (400, "close")
    assert broken.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    del headers["apollo-require-preflight"]
    refused = await house.client.post("/graphql", content=b"--x--", headers=headers)
    assert refused.status_code == 403
