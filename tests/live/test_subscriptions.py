"""Clients that others wrote follow a case: graphql-ws and graphql-sse, over real sockets, while
another process says through a real Redis what happened."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis as Client
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from sandbox.people import CUSTOMERS
from tests.live.clients.installation import script
from tests.live.conftest import StartGateway
from tests.live.portal import Gateway, Settings, embedded_default, gateway, written
from tests.live.processes import free_port, started, wait_until
from tests.live.redis import Redis, redis_server

pytestmark = [pytest.mark.live, pytest.mark.anyio]

ANA = "ana.torres@andina.example"
CASES = "{ cases(first: 1) { nodes { id } } }"


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def portal(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = embedded_default()
    settings["redis"] = redis.url
    with gateway(tmp_path_factory.mktemp("gateway"), settings) as running:
        yield running


async def told_by(name: str, portal: Gateway, redis: Redis, url: str) -> Any:
    """What a client prints, while something happens to a case all the time."""
    case = await asyncio.to_thread(lambda: portal.ask(CASES, by=ANA)["cases"]["nodes"][0]["id"])
    event = {
        "by": "another",
        "what": "CASE_COMMENTED",
        "id": base64.urlsafe_b64decode(case + "==").decode().partition(":")[2],
        "account": CUSTOMERS[0].crm_id,
    }
    words = ["node", str(script(name)), url, portal.token(ANA), case]
    client = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    printing = asyncio.create_task(client.communicate())
    async with Client.from_url(redis.url) as channel, asyncio.timeout(60):
        while not printing.done():
            await channel.publish("portal:events", json.dumps(event))
            await asyncio.wait([printing], timeout=0.2)
    output, _ = await printing
    assert client.returncode == 0
    return case, json.loads(output)


async def test_graphql_ws(portal: Gateway, redis: Redis) -> None:
    url = portal.url.replace("http", "ws") + "/graphql"
    case, told = await told_by("websocket.mjs", portal, redis, url)
    assert told["query"] == {"told": [{"data": {"viewer": {"name": "Ana Torres"}}}]}
    assert told["mutation"] == {"told": [{"data": {"addCaseComment": {"userErrors": []}}}]}
    assert told["mistake"]["error"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    change = {"caseChanged": {"event": "COMMENTED", "case": {"id": case}}}
    assert told["event"] == {"told": [{"data": change}]}
    assert told["forbidden"]["error"]["code"] == 4403
    assert told["legacy"] == 4406
    assert told["pongs"] > 0


async def test_graphql_sse(portal: Gateway, redis: Redis) -> None:
    case, told = await told_by("events.mjs", portal, redis, f"{portal.url}/graphql")
    assert told["query"] == {"told": [{"data": {"viewer": {"name": "Ana Torres"}}}]}
    assert told["mutation"] == {"told": [{"data": {"addCaseComment": {"userErrors": []}}}]}
    assert told["mistake"] == {"told": [], "error": "400"}
    change = {"caseChanged": {"event": "COMMENTED", "case": {"id": case}}}
    assert told["event"] == {"told": [{"data": change}]}


async def test_a_gateway_that_stops_lets_its_clients_go(tmp_path: Path) -> None:
    settings = embedded_default()
    settings["sockets"] = {"ping_seconds": 0.5}
    config, port = written(tmp_path, settings), free_port()
    words = [sys.executable, "-m", "gateway", "--config", str(config), "serve", "--port", str(port)]
    log = tmp_path / "gateway.log"
    with started(words, log) as process:
        here = Gateway(f"http://127.0.0.1:{port}", config)
        wait_until(here.is_ready, process, log)
        url = f"ws://127.0.0.1:{port}/graphql"
        async with connect(url, subprotocols=["graphql-transport-ws"], proxy=None) as socket:  # type: ignore[list-item]
            token = await asyncio.to_thread(here.token, ANA)
            init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
            await socket.send(json.dumps(init))
            assert json.loads(await socket.recv()) == {"type": "connection_ack"}
            query = "subscription { casesChanged { event } }"
            message = {"id": "1", "type": "subscribe", "payload": {"query": query}}
            await socket.send(json.dumps(message))
            await asyncio.sleep(1.5)  # pings come and are answered
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
        await asyncio.to_thread(process.wait, 15)
        assert process.returncode == -signal.SIGTERM  # uvicorn passes it on when all is done
    assert "exception" not in log.read_text()


async def test_a_client_that_gives_no_sign_of_life_is_let_go(
    start_gateway: StartGateway,
) -> None:
    def often(settings: Settings) -> None:
        settings["sockets"] = {"ping_seconds": 0.3}

    here = await asyncio.to_thread(start_gateway, often)
    port = int(here.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    async with asyncio.timeout(5):  # it would wait ten seconds for connection_init
        frames = await reader.read()
    assert frames[0] == 0x89  # a ping that nobody answered
    assert b"keepalive ping timeout" in frames
    writer.close()
