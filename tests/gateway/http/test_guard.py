"""What bytes meet first: requests that are none, that come too slowly or are too large are refused,
and all others are answered."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json

import pytest

from gateway.http.guard import Bounds
from gateway.http.places import Places
from tests.gateway.http.served import LARGE, Server, statuses
from tests.gateway.http.shapes import SHAPES

pytestmark = pytest.mark.anyio

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop that the gateway runs on: it takes writing to what is closed less lightly."""
    return "asyncio", {"use_uvloop": True}


@pytest.mark.parametrize("name", SHAPES)
async def test_what_can_be_read_in_two_ways_is_refused(name: str) -> None:
    status, shape = SHAPES[name]
    answer = await Server().told(shape)
    assert statuses(answer) == [status]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("request_bytes", "told"),
    [
        (b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"/a "),
        (b"GET /a HTTP/1.0\r\n\r\n", b"/a "),
        (b"\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"/a "),
        (
            b"POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
            b"/a abc",
        ),
        (CHUNKED + b"2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"/a abc"),
        # Another protocol is offered and not taken; nothing can follow.
        (
            b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
            b"/a ",
        ),
    ],
)
async def test_what_can_be_read_in_one_way_is_answered(request_bytes: bytes, told: bytes) -> None:
    answer = await Server().told(request_bytes)
    assert statuses(answer) == [200]
    assert answer.endswith(told)


async def test_a_connection_takes_one_request_after_another() -> None:
    async with Server().connected() as (reader, writer):
        for _ in range(3):
            writer.write(GET)
            assert (await reader.readuntil(b"/hello ")).startswith(b"HTTP/1.1 200")


async def test_requests_may_wait_for_their_turn_but_not_too_many() -> None:
    bounds = Bounds(pipelined=3)
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert statuses(await Server(bounds).told(GET * 3 + last)) == [200] * 4
    assert statuses(await Server(bounds).told(GET * 20)) == []


@pytest.mark.parametrize(
    ("begin", "status"),
    [
        (b"", []),
        (b"GET / HT", [408]),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", [408]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", [408]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", [408]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", [408]),
    ],
)
async def test_what_does_not_come_is_not_waited_for(begin: bytes, status: list[int]) -> None:
    server = Server(Bounds(head_seconds=0.02, body_seconds=0.02))
    assert statuses(await server.told(begin)) == status


async def test_what_trickles_in_is_not_waited_for_either() -> None:
    server = Server(Bounds(head_seconds=0.05, body_seconds=0.05))
    for begin in (
        b"GET / HTTP/1.1\r\nX: ",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n",
    ):
        async with server.connected() as (reader, writer):
            writer.write(begin)
            trickling = asyncio.create_task(trickle(writer))
            with contextlib.suppress(ConnectionError):  # it wrote to what was closed
                async with asyncio.timeout(10):
                    assert statuses(await reader.read()) in ([408], [])
            trickling.cancel()
            await asyncio.gather(trickling, return_exceptions=True)


async def trickle(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.005)


async def test_the_second_request_of_a_connection_is_not_waited_for() -> None:
    async with Server(Bounds(head_seconds=0.05)).connected() as (reader, writer):
        writer.write(GET)
        await reader.readuntil(b"/hello ")
        writer.write(b"GET / HT")
        async with asyncio.timeout(10):
            assert statuses(await reader.read()) == [408]


async def test_a_body_that_comes_steadily_may_take_its_time() -> None:
    server = Server(Bounds(body_seconds=0.1, body_rate=100))
    size = 300
    begin = b"POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
    async with server.connected() as (reader, writer):
        writer.write(begin)
        for _ in range(size // 10):
            writer.write(b"0123456789")
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            assert statuses(await reader.read()) == [200]


async def test_who_takes_nothing_in_is_dropped() -> None:
    server = Server(Bounds(send_seconds=0.05))
    async with server.connected() as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET.replace(b"/hello", b"/large"))
        await server.until(lambda: not server.state.connections)
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(len(LARGE))


async def test_a_chunked_body_that_is_mostly_framing_is_refused() -> None:
    begin = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(await Server().told(begin + b"1;" + b"x" * 40_000)) == [400]


async def test_one_address_has_so_many_connections() -> None:
    server = Server(peers=Places(10, 1))
    async with server.connected() as (reader, writer):
        answer = await server.told(b"")
        assert statuses(answer) == [503]
        assert b"retry-after" in answer
        writer.write(GET)
        await reader.readuntil(b"/hello ")
    async with server.connected() as (reader, writer):
        writer.write(GET)
        await reader.readuntil(b"/hello ")


async def test_a_websocket_keeps_the_place_of_its_connection() -> None:
    server = Server(peers=Places(10, 1))
    key = base64.b64encode(b"0123456789abcdef")
    async with server.connected() as (reader, writer):
        writer.write(
            b"GET /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        assert statuses(await server.told(b"")) == [503]
    assert statuses(
        await server.told(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    ) == [200]


async def test_who_leaves_with_requests_waiting_leaves_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server(Bounds(send_seconds=0.05))
    async with server.connected() as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET.replace(b"/hello", b"/parts") * 5)
        await server.until(lambda: bool(server.state.connections))
        await server.until(lambda: not server.state.connections)
        await server.until(lambda: not server.state.tasks)
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == []
