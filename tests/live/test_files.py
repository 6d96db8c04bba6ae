"""Files over a real socket: sent by clients that others wrote, read again, and the same."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.live.clients.installation import told_by
from tests.live.portal import Gateway

pytestmark = pytest.mark.live

ANA = "ana.torres@andina.example"
#: Much more than what is under way on a connection when it is cut.
SIZE, CUTS = 160_000_000, 3
CREATE_UPLOAD = """mutation($input: CreateUploadInput!) { createUpload(input: $input) {
  upload { id url } userErrors { code } } }"""
CREATE_CASE = """mutation($input: CreateCaseInput!) { createCase(input: $input) {
  case { id } userErrors { code message } } }"""
CASE = """query($id: ID!) { node(id: $id) { ... on Case {
  attachments { nodes { filename size pending downloadUrl } } } } }"""
NEW_CASE = {"category": "QUERY", "description": "Adjunto un plano."}


def arrived(gateway: Gateway, case_id: str) -> list[dict[str, Any]]:
    """The files of a case, once the CRM has them."""
    for _ in range(300):
        nodes = gateway.ask(CASE, {"id": case_id}, by=ANA)["node"]["attachments"]["nodes"]
        if nodes and not any(file["pending"] for file in nodes):
            return list(nodes)
        time.sleep(0.1)
    raise AssertionError("the files did not reach the CRM")


def test_tus_js_client_goes_on_where_it_was_cut_off(gateway_server: Gateway) -> None:
    given = {"filename": "plano.pdf", "contentType": "application/pdf", "size": SIZE}
    upload = gateway_server.ask(CREATE_UPLOAD, {"input": given}, by=ANA)["createUpload"]["upload"]
    assert upload["url"].startswith(gateway_server.url)
    told = told_by("tus.mjs", upload["url"], str(SIZE), str(CUTS))
    assert len(told["offsets"]) >= 1 + CUTS
    assert told["offsets"][0] == 0
    assert sorted(told["offsets"]) == told["offsets"]
    assert told["offsets"][-1] > 0, "what had arrived was not sent again"
    sent = {"input": {**NEW_CASE, "uploadIds": [upload["id"]]}}
    payload = gateway_server.ask(CREATE_CASE, sent, by=ANA)["createCase"]
    assert payload["userErrors"] == []
    [file] = arrived(gateway_server, payload["case"]["id"])
    content = httpx.get(file["downloadUrl"], timeout=120, trust_env=False).content
    assert (file["size"], hashlib.sha256(content).hexdigest()) == (SIZE, told["digest"])
    asked = {"range": "bytes=1000-1999"}
    part = httpx.get(file["downloadUrl"], headers=asked, timeout=60, trust_env=False)
    assert (part.status_code, part.content) == (206, content[1_000:2_000])


def test_curl_sends_a_form_as_the_manual_has_it(gateway_server: Gateway, tmp_path: Path) -> None:
    note = tmp_path / "nota ñ.txt"
    note.write_text("El pedido llegó incompleto.\n" * 100_000)
    operations = {"query": CREATE_CASE, "variables": {"input": {**NEW_CASE, "files": [None]}}}
    command = ["curl", "--silent", "--noproxy", "*", f"{gateway_server.url}/graphql"]
    command += ["-H", f"Authorization: Bearer {gateway_server.token(ANA)}"]
    command += ["-H", "GraphQL-Require-Preflight: 1", "-F", f"operations={json.dumps(operations)}"]
    command += ["-F", 'map={"0": ["variables.input.files.0"]}', "-F", f"0=@{note}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    payload = json.loads(done.stdout)["data"]["createCase"]
    assert payload["userErrors"] == []
    [file] = arrived(gateway_server, payload["case"]["id"])
    assert file["filename"] == "nota ñ.txt"
    assert httpx.get(file["downloadUrl"], trust_env=False).content == note.read_bytes()


def test_a_large_form_without_a_token_gets_its_answer(gateway_server: Gateway) -> None:
    """It is refused before it was read, and says so before the connection ends."""
    address = urlsplit(gateway_server.url)
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {address.netloc}\r\nGraphQL-Require-Preflight: 1\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 50000000\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0), 10) as client:
        client.sendall(head.encode() + b"--x\r\n")
        answer = b""
        while data := client.recv(65_536):
            answer += data
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"UNAUTHENTICATED" in answer
