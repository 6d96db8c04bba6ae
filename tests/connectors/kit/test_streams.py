"""Files on the wire: whole or in part, broken off or standing still, and none of them held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from connectors.kit.auth import Fetched
from connectors.kit.connector import Call, Wiring
from connectors.kit.http import HttpClient, HttpSettings
from connectors.port.errors import (
    Refused,
    Rejected,
    Throttled,
    TimedOut,
    Unavailable,
    Unreadable,
)

pytestmark = pytest.mark.anyio

DATA = bytes(range(250)) * 40
SIZE = len(DATA)


class Chunks(httpx.AsyncByteStream):
    """A body in pieces of 1,000 bytes. until: what happens after so many of them."""

    def __init__(self, data: bytes, until: Callable[[int], Any] = lambda count: None) -> None:
        self._data, self._until = data, until
        self.sent, self.closed = 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._data), 1000):
            trouble = self._until(self.sent)
            if trouble is not None:
                await trouble
            self.sent += 1
            yield self._data[at : at + 1000]

    async def aclose(self) -> None:
        self.closed = True


Answer = Callable[[httpx.Request], Any]


class Wire(httpx.AsyncBaseTransport):
    """A client whose calls are answered one by one, and what was heard of them."""

    def __init__(self, *answers: Answer, **settings: Any) -> None:
        self.answers, self.requests, self.heard = list(answers), list[httpx.Request](), list[Call]()
        wiring = Wiring(self, heard=self.heard.append, sleep=_no_sleep)
        self.client = HttpClient("crm", "https://crm.example", HttpSettings(**settings), wiring)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)(request)
        return answer if isinstance(answer, httpx.Response) else await answer

    async def read(self, first: int = 0) -> bytes:
        found = await self.client.download("file", "/file", size=SIZE, first=first)
        try:
            return b"".join([chunk async for chunk in found.chunks()])
        finally:
            await found.close()


async def _no_sleep(seconds: float) -> None: ...


def whole(body: httpx.AsyncByteStream | None = None, **headers: str) -> Answer:
    stream = body or Chunks(DATA)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(200, headers=named, stream=stream)


def part(first: int, given: str, data: bytes | None = None) -> Answer:
    stream = Chunks(DATA[first:] if data is None else data)
    return lambda request: httpx.Response(206, headers={"content-range": given}, stream=stream)


async def test_a_file_comes_as_it_is_sent() -> None:
    body = Chunks(DATA)
    wire = Wire(whole(body, content_length=str(SIZE)))
    found = await wire.client.download("file", "/file", size=SIZE)
    chunks = found.chunks()
    assert await anext(chunks) == DATA[:1000]
    assert body.sent == 1, "more was read than was asked for"
    assert wire.heard == []
    assert b"".join([chunk async for chunk in chunks]) == DATA[1000:]
    await found.close()
    await found.close()
    assert body.closed
    assert [(call.outcome, call.status, call.bytes) for call in wire.heard] == [("ok", 200, SIZE)]
    assert "range" not in wire.requests[0].headers


@pytest.mark.parametrize("first", [1, 999, 1000, 1001, 5555, SIZE - 1])
async def test_it_begins_where_it_is_wanted_whether_ranges_are_known_or_not(first: int) -> None:
    last = SIZE - 1
    for answer in (
        whole(),
        part(first, f"bytes {first}-{last}/{SIZE}"),
        part(first, f"bytes {first}-{last}/*"),
        part(first - 1, f"bytes {first - 1}-{last}/{SIZE}"),
    ):
        wire = Wire(answer)
        assert await wire.read(first) == DATA[first:]
        assert wire.requests[0].headers["range"] == f"bytes={first}-"


@pytest.mark.parametrize(
    "answer",
    [
        whole(content_length=str(SIZE + 1)),
        whole(Chunks(b"<html>"), content_length="6"),
        whole(Chunks(DATA + b"x")),
        whole(Chunks(DATA), content_encoding="gzip"),
        part(700, f"bytes 700-{SIZE - 1}/{SIZE}"),
        part(500, f"bytes 500-{SIZE}/{SIZE + 1}"),
        part(500, "items 500-600/700"),
        lambda request: httpx.Response(206, stream=Chunks(DATA)),
        lambda request: httpx.Response(204),
        lambda request: httpx.Response(302, headers={"location": "https://elsewhere.example"}),
    ],
)
async def test_what_is_not_the_file_is_unreadable(answer: Answer) -> None:
    wire = Wire(answer)
    with pytest.raises(Unreadable):
        await wire.read(500)
    assert [call.outcome for call in wire.heard] == [Unreadable.code]


def _broken(count: int) -> Any:
    if count == 3:
        raise httpx.ReadError("gone")


@pytest.mark.parametrize("body", [Chunks(DATA, _broken), Chunks(DATA[:-1])])
async def test_what_breaks_off_is_told_and_not_sent_twice(body: Chunks) -> None:
    wire = Wire(whole(body))
    with pytest.raises(Unavailable):
        await wire.read()
    assert (len(wire.requests), body.closed) == (1, True)
    assert [call.outcome for call in wire.heard] == [Unavailable.code]


async def test_what_stands_still_is_given_up_on() -> None:
    body = Chunks(DATA, lambda count: asyncio.sleep(30) if count == 3 else None)
    wire = Wire(whole(body), idle=0.02)
    with pytest.raises(TimedOut):
        await wire.read()
    assert body.closed


async def test_a_file_may_take_longer_than_a_call_as_long_as_it_moves() -> None:
    body = Chunks(DATA, lambda count: asyncio.sleep(0.01))
    assert await Wire(whole(body), deadline=0.05, idle=5).read() == DATA


async def test_a_file_that_does_not_begin_is_given_up_on_at_the_deadline() -> None:
    wire = Wire(lambda request: asyncio.sleep(30), deadline=0.02)
    with pytest.raises(TimedOut):
        await wire.read()
    assert [call.outcome for call in wire.heard] == [TimedOut.code]


async def test_a_file_that_cannot_be_had_now_is_asked_for_again() -> None:
    wire = Wire(lambda request: httpx.Response(503), whole())
    assert await wire.read() == DATA
    gone = Wire(lambda request: httpx.Response(404))
    with pytest.raises(Rejected):
        await gone.read()


async def test_files_under_way_do_not_keep_calls_waiting() -> None:
    def ok(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={})

    wire = Wire(whole(), ok, streams=1, concurrency=1, deadline=0.1)
    found = await wire.client.download("file", "/file", size=SIZE)
    assert (await wire.client.get("things", "/things")).status == 200
    with pytest.raises(TimedOut):
        await wire.client.download("file", "/file", size=SIZE)
    await found.close()
    wire.answers.append(whole())
    assert await wire.read() == DATA


# ------------------------------------------------------------------------------------------ sending


class Taken(Wire):
    """Reads what is sent to it. pause: seconds before each piece is taken."""

    def __init__(self, *statuses: int, pause: float = 0.0, **settings: Any) -> None:
        super().__init__(*(self._answer(status) for status in statuses), **settings)
        self.bodies: list[bytes] = []
        self._pause = pause

    def _answer(self, status: int) -> Answer:
        async def answer(request: httpx.Request) -> httpx.Response:
            body = b""
            assert isinstance(request.stream, httpx.AsyncByteStream)
            async for chunk in request.stream:
                body += chunk
                await asyncio.sleep(self._pause)
            self.bodies.append(body)
            return httpx.Response(status, json={"id": "1"})

        return answer

    async def send(self, body: Callable[[], AsyncIterator[bytes]] | None = None) -> Any:
        kind = {"content-type": "application/octet-stream"}
        upload = self.client.upload("put", "/files", body or pieces, size=SIZE, headers=kind)
        return (await upload).json()


async def pieces() -> AsyncIterator[bytes]:
    for at in range(0, SIZE, 1000):
        yield DATA[at : at + 1000]


async def test_a_body_is_sent_as_it_is_read_and_says_how_long_it_is() -> None:
    wire = Taken(201)
    assert await wire.send() == {"id": "1"}
    assert wire.bodies == [DATA]
    headers = wire.requests[0].headers
    assert headers["content-length"] == str(SIZE)
    assert "transfer-encoding" not in headers
    assert headers["content-type"] == "application/octet-stream"


async def test_a_body_may_take_long_as_long_as_it_moves() -> None:
    assert await Taken(201, pause=0.01, deadline=0.03, idle=5).send() == {"id": "1"}


@pytest.mark.parametrize("before", [True, False])
async def test_a_body_or_an_answer_that_stands_still_is_given_up_on(before: bool) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield DATA[:1000]
        if before:
            await asyncio.sleep(30)
        yield DATA[1000:]

    wire = Taken(201, pause=0.0 if before else 30.0, idle=0.02)
    with pytest.raises(TimedOut):
        await wire.send(slow)
    assert [call.outcome for call in wire.heard] == [TimedOut.code]


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_body_is_never_sent_twice(status: int) -> None:
    wire = Taken(status)
    with pytest.raises((Unavailable, Throttled)):
        await wire.send()
    assert len(wire.requests) == 1


async def test_a_refused_credential_is_renewed_and_the_body_read_anew() -> None:
    tokens = iter(("old", "new"))

    async def fetch(client: HttpClient) -> str:
        return next(tokens)

    wire = Taken(401, 201)
    wire.client = HttpClient(
        "crm", "https://crm.example", HttpSettings(), Wiring(wire), credential=Fetched(fetch)
    )
    assert await wire.send() == {"id": "1"}
    assert wire.bodies == [DATA, DATA]
    shown = [request.headers["authorization"] for request in wire.requests]
    assert shown == ["Bearer old", "Bearer new"]
    refusing = Taken(401)
    with pytest.raises(Refused):
        await refusing.send()
