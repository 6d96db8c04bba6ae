"""Server-sent events: only for who likes them best, told as clients of graphql-sse read them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.http.accept import ANSWER_TYPES, EVENT_STREAM, chosen
from gateway.http.headers import Head
from gateway.http.places import Places
from gateway.http.refusals import Refusal
from gateway.http.sse import EventStreams
from gateway.operations.requests import Request
from tests.gateway.clock import Clock
from tests.gateway.http.rehearsal import EXPIRES, FOREVER, ONCE, REFUSED, Rehearsal

pytestmark = pytest.mark.anyio

JSON, RESPONSE = "application/json", "application/graphql-response+json"
BEGIN = 'event: next\ndata: {"data":{"number":0}}\n\n'
COMPLETE = "event: complete\ndata:\n\n"


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("text/event-stream", EVENT_STREAM),
        ("text/event-stream, application/json", EVENT_STREAM),
        ("application/json;q=0.5, text/event-stream", EVENT_STREAM),
        (
            f"{RESPONSE}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed",
            RESPONSE,
        ),
        (f"{JSON}, text/event-stream", JSON),
        ("text/event-stream;q=0.1, */*", JSON),
        ("*/*", JSON),
        ("", JSON),
        ("text/*", EVENT_STREAM),
        ("text/event-stream;q=0", None),
    ],
)
def test_who_likes_events_best_gets_them(accept: str, answer: str | None) -> None:
    assert chosen(accept, ANSWER_TYPES) == answer


class Wire:
    """What is sent, and a client that may go."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.put_nowait(message)

    async def part(self) -> str:
        async with asyncio.timeout(5):
            message = await self.sent.get()
        return str(message["body"].decode())

    def rest(self) -> str:
        parts = []
        while not self.sent.empty():
            parts.append(self.sent.get_nowait())
        assert [part.get("more_body", False) for part in parts[-1:]] == [False]
        return "".join(part.get("body", b"").decode() for part in parts)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def streams(rehearsal: Rehearsal, clock: Clock | None = None, **more: Any) -> EventStreams:
    known: Any = rehearsal
    return EventStreams(known, more.pop("callers", Places(9, 9)), clock or Clock(), **more)


def asked(events: EventStreams, wire: Wire, query: str, who: str = "ana") -> asyncio.Task[Any]:
    head = Head({"authorization": f"Bearer {who}"})
    return asyncio.create_task(events.answer(head, Request(query), wire.receive, wire.send))


async def test_a_query_is_one_event(wire: Wire) -> None:
    assert await asked(streams(Rehearsal()), wire, ONCE) is None
    start = await wire.sent.get()
    assert start["status"] == 200
    assert (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]
    assert wire.rest() == 'event: next\ndata: {"data":{"asked":"once"}}\n\n' + COMPLETE


async def test_what_is_not_run_is_no_stream(wire: Wire) -> None:
    outcome = await asked(streams(Rehearsal()), wire, REFUSED)
    assert outcome.status == 400
    assert wire.sent.empty()


async def test_a_subscription_ends_with_its_client(wire: Wire) -> None:
    rehearsal = Rehearsal()
    running = asked(streams(rehearsal), wire, FOREVER)
    await wire.sent.get()
    assert await wire.part() == BEGIN
    wire.gone.set()
    await running
    assert rehearsal.running == 0


async def test_silence_is_filled_with_comments(wire: Wire) -> None:
    running = asked(streams(Rehearsal(), heartbeat=0.01), wire, FOREVER)
    await wire.sent.get()
    assert [await wire.part() for _ in range(3)] == [BEGIN, ":\n\n", ":\n\n"]
    wire.gone.set()
    await running


@pytest.mark.parametrize("how", ["expired", "ended"])
async def test_the_end_of_the_token_is_told_last(wire: Wire, how: str) -> None:
    clock, rehearsal = Clock(), Rehearsal()
    running = asked(streams(rehearsal, clock, heartbeat=0.01), wire, FOREVER)
    await wire.sent.get()
    assert await wire.part() == BEGIN
    if how == "expired":
        clock.now = EXPIRES
    else:
        rehearsal.ended = True
    await running
    told = wire.rest()
    assert '"code":"UNAUTHENTICATED"' in told
    assert told.endswith(COMPLETE)


async def test_when_the_gateway_stops_streams_break_off(wire: Wire) -> None:
    events = streams(Rehearsal())
    running = asked(events, wire, FOREVER)
    await wire.sent.get()
    assert await wire.part() == BEGIN
    events.drain()
    await running
    assert wire.rest() == ""
    with pytest.raises(Refusal):
        await asked(events, wire, ONCE)


async def test_one_caller_has_so_many_streams(wire: Wire) -> None:
    events = streams(Rehearsal(), callers=Places(9, 1))
    running = asked(events, wire, FOREVER)
    await wire.sent.get()
    with pytest.raises(Refusal) as refused:
        await asked(events, Wire(), ONCE)
    assert refused.value.status == 429
    await asked(events, Wire(), ONCE, "luis")
    wire.gone.set()
    await running
    await asked(events, Wire(), ONCE)


async def test_a_client_that_takes_nothing_in_is_dropped() -> None:
    rehearsal = Rehearsal()
    events = streams(rehearsal, send_seconds=0.01)

    async def send(message: Any) -> None:
        if message["type"] != "http.response.start":
            await asyncio.Event().wait()

    head = Head({})
    async with asyncio.timeout(5):
        await events.answer(head, Request(FOREVER), Wire().receive, send)
    assert rehearsal.running == 0
