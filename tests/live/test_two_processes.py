"""Two gateways on one database, one Redis and one CRM: what a customer sends to one of them is
heard of by those who follow at the other."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.live.portal import Gateway, Settings, embedded_default, gateway
from tests.live.postgresql import postgresql
from tests.live.processes import started, wait_until
from tests.live.redis import redis_server

pytestmark = pytest.mark.live

ANA, LUIS = "ana.torres@andina.example", "luis.rojas@pacifico.example"
CREATE = """mutation($input: CreateCaseInput!) { createCase(input: $input) {
  case { id status } userErrors { code } } }"""
COMMENT = """mutation($input: AddCaseCommentInput!) { addCaseComment(input: $input) {
  comment { body } userErrors { code } } }"""
FOLLOW = """subscription { casesChanged { event
  case { id status comments(first: 5) { nodes { body } } } } }"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Gateway]]:
    folder = tmp_path_factory.mktemp("both")
    log = folder / "sandbox.log"
    words = [sys.executable, "-m", "sandbox", "--db", str(folder / "data.sqlite"), "--port", "0"]

    def address() -> str | None:
        found = re.search(r"listening on (http://\S+)", log.read_text())
        return found[1] if found else None

    with postgresql() as cluster, redis_server() as redis, started(words, log) as process:
        wait_until(lambda: address() is not None, process, log)
        settings = embedded_default()
        settings["redis"], settings["sandbox"] = redis.url, {"enabled": False}
        settings["identity"]["database"] = cluster.database()
        settings["submissions"] = {"workflows": cluster.database()}
        settings["access"]["key"] = str(folder / "signing.json")
        for system in settings["systems"].values():
            if "url" in system:
                system["url"] = address()
        with (
            gateway(_made(folder / "one"), settings) as one,
            gateway(_made(folder / "two"), _copied(settings)) as two,
        ):
            yield one, two


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _copied(settings: Settings) -> Settings:
    copy: Settings = json.loads(json.dumps(settings))
    return copy


@contextmanager
def followed(at: Gateway, by: str) -> Iterator[ClientConnection]:
    """Follows all cases of a person."""
    url = at.url.replace("http", "ws") + "/graphql"
    protocols: Any = ["graphql-transport-ws"]
    with connect(url, subprotocols=protocols, proxy=None) as socket:
        payload = {"authorization": f"Bearer {at.token(by)}"}
        socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(socket.recv(10)) == {"type": "connection_ack"}
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": FOLLOW}}))
        socket.send(json.dumps({"type": "ping"}))  # what is sent first is worked on first
        assert json.loads(socket.recv(10)) == {"type": "pong"}
        yield socket


def heard(socket: ClientConnection) -> Any:
    told = json.loads(socket.recv(20))
    assert told["type"] == "next", told
    return told["payload"]["data"]["casesChanged"]


def test_what_is_sent_to_one_is_heard_of_at_the_other(both: tuple[Gateway, Gateway]) -> None:
    one, two = both
    with followed(two, ANA) as ana, followed(two, LUIS) as luis:
        sent = {"category": "QUERY", "description": "¿Cuándo llega?"}
        case = one.ask(CREATE, {"input": sent}, by=ANA)["createCase"]["case"]
        change = heard(ana)
        assert change["event"] == "OPENED"
        while change["case"]["status"] != "NEW":
            change = heard(ana)
        said = {"caseId": case["id"], "body": "Es urgente."}
        assert one.ask(COMMENT, {"input": said}, by=ANA)["addCaseComment"]["userErrors"] == []
        while change["event"] != "COMMENTED":
            change = heard(ana)
        assert [one["body"] for one in change["case"]["comments"]["nodes"]] == ["Es urgente."]
        with pytest.raises(TimeoutError):
            luis.recv(0.5)
