"""The gateway behind HAProxy as `deploy/` has it: everything that works without works with it, and
slow clients, floods and forged headers do not get through."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.gateway.http.shapes import SHAPES
from tests.live.haproxy import Proxy, haproxy
from tests.live.portal import Gateway, embedded_default, gateway
from tests.live.processes import free_port

pytestmark = pytest.mark.live

ANA = "ana.torres@andina.example"
NAME = {"query": "{ viewer { name } }"}


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = embedded_default()
    settings["server"] = {"trusted_proxies": ["127.0.0.1"]}
    with gateway(tmp_path_factory.mktemp("gateway"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(behind: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    # One of the two is down, and nobody notices.
    both = (behind.url.removeprefix("http://"), f"127.0.0.1:{free_port()}")
    with haproxy(tmp_path_factory.mktemp("haproxy"), both) as running:
        yield running


def raw(proxy: Proxy, *parts: bytes, seconds: float = 30) -> bytes:
    """All that is answered until the proxy closes."""
    link = socket.create_connection(("127.0.0.1", proxy.port), seconds)
    with proxy.context.wrap_socket(link, server_hostname="127.0.0.1") as secure:
        answer = b""
        try:
            for part in parts:
                secure.sendall(part)
            while more := secure.recv(65_536):
                answer += more
        except (ConnectionError, ssl.SSLError, TimeoutError):
            pass
        return answer


def test_a_question_is_answered(behind: Gateway, proxy: Proxy) -> None:
    with proxy.client() as client:
        headers = {"authorization": f"Bearer {behind.token(ANA)}"}
        answer = client.post("/graphql", json=NAME, headers=headers)
    assert answer.json() == {"data": {"viewer": {"name": "Ana Torres"}}}
    assert answer.headers["strict-transport-security"]
    assert len(answer.headers["x-request-id"]) == 36


def test_without_tls_one_is_sent_to_it(proxy: Proxy) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain}/graphql?query={{x}}", trust_env=False)
    assert answer.status_code == 308
    assert answer.headers["location"].startswith("https://127.0.0.1")


def test_an_address_cannot_be_forged(behind: Gateway, proxy: Proxy) -> None:
    with proxy.client("127.0.0.9") as client:
        headers = {"authorization": "Bearer nonsense", "x-forwarded-for": "198.51.100.6"}
        assert client.post("/graphql", json=NAME, headers=headers).status_code == 401
    log = Path(behind.config.parent, "var", "audit.jsonl").read_text()
    assert "127.0.0.9" in log
    assert "198.51.100.6" not in log


def test_which_systems_answer_is_not_told_to_everybody(proxy: Proxy) -> None:
    with proxy.client() as client:
        assert client.get("/health/ready").status_code == 404
        assert client.get("/metrics").status_code == 404


def test_a_websocket_goes_through(behind: Gateway, proxy: Proxy) -> None:
    url = proxy.url.replace("https", "wss") + "/graphql"
    protocols = ["graphql-transport-ws"]
    with connect(url, ssl=proxy.context, subprotocols=protocols, proxy=None) as socket:  # type: ignore[arg-type]
        payload = {"authorization": f"Bearer {behind.token(ANA)}"}
        socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(socket.recv(10)) == {"type": "connection_ack"}
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": NAME}))
        assert json.loads(socket.recv(10))["payload"]["data"] == {"viewer": {"name": "Ana Torres"}}


def test_events_come_as_they_happen(behind: Gateway, proxy: Proxy) -> None:
    headers = {"authorization": f"Bearer {behind.token(ANA)}", "accept": "text/event-stream"}
    query = {"query": "subscription { casesChanged { event } }"}
    with (
        proxy.client() as client,
        client.stream("POST", "/graphql", json=query, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert next(answer.iter_text()) == ":\n\n"  # the sign of life, not kept back


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /graphql HTTP/1.1\r\nHost: a\r\nX: ",
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
    ],
)
def test_who_sends_slowly_is_let_go(proxy: Proxy, begin: bytes) -> None:
    assert raw(proxy, begin).startswith(b"HTTP/1.1 408")


#: HAProxy knows where these end, says no or leaves the other protocol out, and goes on behind them.
ENDED = {"a tunnel", "another protocol with a body"}


@pytest.mark.parametrize("name", [name for name in SHAPES if name not in ENDED])
def test_what_can_be_read_in_two_ways_has_one_answer(proxy: Proxy, name: str) -> None:
    _, shape = SHAPES[name]
    answer = raw(proxy, shape, seconds=1)
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b" 200 " not in answer


def test_a_flood_is_told_to_wait(behind: Gateway, tmp_path: Path) -> None:
    both = (behind.url.removeprefix("http://"),) * 2
    with (
        haproxy(tmp_path, both, PORTAL_REQUESTS="20") as proxy,
        proxy.client("127.0.0.8") as client,
    ):
        statuses = [client.get("/health/live").status_code for _ in range(25)]
        assert statuses == [200] * 20 + [429] * 5
        refused = client.get("/health/live")
        assert refused.headers["retry-after"] == "10"
        assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
