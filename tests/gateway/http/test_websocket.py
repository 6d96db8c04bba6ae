"""graphql-transport-ws as its specification has it, and what a client that does not keep to it
gets: always one close code with a reason, never a crash."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.http.places import Places
from gateway.http.websocket.connection import Limits
from tests.gateway.clock import Clock
from tests.gateway.http.rehearsal import (
    BROKEN,
    EXPIRES,
    FOREVER,
    ONCE,
    REFUSED,
    SLOW,
    Rehearsal,
    route,
)
from tests.gateway.http.sockets import PROTOCOL, Client, connected

pytestmark = pytest.mark.anyio

INIT = {"type": "connection_init"}


@pytest.fixture
def rehearsal() -> Rehearsal:
    return Rehearsal()


async def closed(client: Client) -> int:
    """The code that the connection ends with, after whatever else is said."""
    while (await client.hear()) is not None:
        pass
    assert client.closed is not None
    code, reason = client.closed
    assert reason
    assert len(reason.encode()) <= 123
    return code


# ------------------------------------------------------------------------------------ letting in


async def test_our_subprotocol_is_taken(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal), subprotocols=["graphql-ws", PROTOCOL]) as client:
        assert client.accepted == PROTOCOL
        await client.init()


@pytest.mark.parametrize("asked", [[], ["graphql-ws"], ["mqtt"], ["graphql-transport-ws2"]])
async def test_other_subprotocols_are_not(rehearsal: Rehearsal, asked: list[str]) -> None:
    async with connected(route(rehearsal), subprotocols=asked) as client:
        assert await closed(client) == 4406


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, None),
        ("https://portal.example", None),
        ("https://PORTAL.example", None),
        ("https://shop.example", None),
        ("https://evil.example", 403),
        ("https://portal.example.evil.example", 403),
        ("https://portal.example:8443", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_pages_of_other_sites_may_not_connect(
    rehearsal: Rehearsal, origin: str | None, status: int | None
) -> None:
    headers = {} if origin is None else {"origin": origin}
    pages = ["https://shop.example"]
    async with connected(route(rehearsal, pages=pages), headers=headers) as client:
        assert client.status == status


async def test_another_path_holds_nothing(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal), path="/other") as client:
        assert client.status == 404


async def test_one_address_has_so_many_connections(rehearsal: Rehearsal) -> None:
    app = route(rehearsal, addresses=Places(100, 2))
    async with connected(app), connected(app), connected(app) as third:
        assert third.status == 503
    async with connected(app) as later:
        assert later.accepted == PROTOCOL


async def test_one_caller_has_so_many_connections(rehearsal: Rehearsal) -> None:
    app = route(rehearsal, callers=Places(100, 1))
    async with connected(app) as first, connected(app) as second, connected(app) as other:
        await first.init({"authorization": "Bearer ana"})
        await other.init({"authorization": "Bearer luis"})
        second.say({**INIT, "payload": {"authorization": "Bearer ana"}})
        assert await closed(second) == 1013
    async with connected(app) as later:
        await later.init({"authorization": "Bearer ana"})


# ------------------------------------------------------------------------------- saying who it is


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "Bearer ana"},
        {"Authorization": "Bearer ana"},
        {"headers": {"AUTHORIZATION": "Bearer ana", "x-other": "y"}},
        {"headers": {"authorization": "Bearer bad"}, "authorization": "Bearer ana", "more": [1]},
    ],
)
async def test_a_token_comes_in_the_payload(rehearsal: Rehearsal, payload: dict[str, Any]) -> None:
    async with connected(route(rehearsal), headers={"authorization": "Bearer bad"}) as client:
        await client.init(payload)
        assert rehearsal.heads[0].headers["authorization"] == "Bearer ana"
        assert "x-other" not in rehearsal.heads[0].headers


async def test_or_in_the_header(rehearsal: Rehearsal) -> None:
    headers = {"authorization": "Bearer ana", "accept-language": "pt"}
    async with connected(route(rehearsal), headers=headers) as client:
        await client.init()
        assert rehearsal.heads[0].headers["accept-language"] == "pt"


@pytest.mark.parametrize("value", [5, ["Bearer ana"], "x" * 20_001])
async def test_a_token_is_a_string(rehearsal: Rehearsal, value: object) -> None:
    async with connected(route(rehearsal)) as client:
        client.say({**INIT, "payload": {"authorization": value}})
        assert await closed(client) == 4400


async def test_a_token_that_proves_nothing_is_forbidden(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        client.say({**INIT, "payload": {"authorization": "Bearer bad"}})
        assert await closed(client) == 4403


async def test_who_says_nothing_is_let_go(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal, limits=Limits(init_seconds=0.01))) as client:
        assert await closed(client) == 4408


async def test_it_is_said_once(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        await client.init()
        client.say(INIT)
        assert await closed(client) == 4429


async def test_and_before_anything_is_asked(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        client.subscribe(ONCE)
        assert await closed(client) == 4401


async def test_the_end_of_the_token_ends_the_connection(rehearsal: Rehearsal) -> None:
    clock = Clock()
    clock.now = EXPIRES.replace(hour=15, minute=59, second=59, microsecond=990_000)
    async with connected(route(rehearsal, clock=clock)) as client:
        await client.init({"authorization": "Bearer ana"})
        client.subscribe(FOREVER)
        assert (await client.hear())["type"] == "next"
        clock.now = EXPIRES
        assert await closed(client) == 4403
        assert rehearsal.running == 0


async def test_so_does_the_end_of_the_session_as_soon_as_something_is_asked(
    rehearsal: Rehearsal,
) -> None:
    async with connected(route(rehearsal)) as client:
        await client.init({"authorization": "Bearer ana"})
        rehearsal.ended = True
        client.subscribe(ONCE)
        assert await closed(client) == 4403


# ------------------------------------------------------------------------------------- operations


async def test_a_query_is_answered_once(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        await client.init()
        client.subscribe(ONCE, key="a")
        assert await client.hear() == {
            "id": "a",
            "type": "next",
            "payload": {"data": {"asked": ONCE}},
        }
        assert await client.hear() == {"id": "a", "type": "complete"}
        client.subscribe(ONCE, key="a")  # its id is free again
        assert (await client.hear())["type"] == "next"


async def test_what_is_not_run_is_an_error(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        await client.init()
        client.subscribe(REFUSED)
        assert await client.hear() == {"id": "1", "type": "error", "payload": [{"message": "no"}]}
        assert await client.silent()


async def test_what_nobody_foresaw_is_masked(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        await client.init()
        client.subscribe(BROKEN)
        told = await client.hear()
        assert told["payload"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert "secret" not in json.dumps(told)


async def test_a_subscription_lasts_until_it_is_completed(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        await client.init()
        client.subscribe(FOREVER)
        client.subscribe(FOREVER, key="2")
        assert {(await client.hear())["id"] for _ in range(2)} == {"1", "2"}
        client.say({"id": "1", "type": "complete"})
        client.say({"id": "unknown", "type": "complete"})
        assert await client.silent()
        assert rehearsal.running == 1
    assert rehearsal.running == 0


async def test_an_id_is_of_one_operation(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        await client.init()
        client.subscribe(FOREVER)
        client.subscribe(FOREVER)
        assert await closed(client) == 4409


async def test_so_many_operations_run_at_once(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal, limits=Limits(operations=1))) as client:
        await client.init()
        client.subscribe(FOREVER)
        client.subscribe(ONCE, key="2")
        told = [await client.hear(), await client.hear()]
        (refused,) = [one for one in told if one["type"] == "error"]
        assert refused["id"] == "2"
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"


async def test_a_ping_is_answered(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        client.say({"type": "ping"})
        assert await client.hear() == {"type": "pong"}
        client.say({"type": "ping", "payload": {"a": 1}})
        assert await client.hear() == {"type": "pong", "payload": {"a": 1}}
        client.say({"type": "pong"})
        assert await client.silent()


# ---------------------------------------------------------------------------------------- rubbish


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "5",
        "null",
        '"x"',
        "[]",
        "[1]",
        "{}",
        "NaN",
        "[" * 50_000,
        "\ud800",
        '{"type": null}',
        '{"type": 5}',
        '{"type": ["ping"]}',
        '{"type": "start"}',
        '{"type": "connection_ack"}',
        '{"type": "next", "id": "1"}',
        '{"type": "connection_init", "payload": 5}',
        '{"type": "ping", "payload": []}',
        '{"type": "pong", "payload": "x"}',
        '{"type": "complete"}',
        '{"type": "subscribe", "payload": {"query": "once"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "once"}}',
        '{"type": "subscribe", "id": 5, "payload": {"query": "once"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": "once"}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "once", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "once", "operationName": {}}}',
    ],
)
@pytest.mark.parametrize("initialised", [False, True])
async def test_what_is_no_message_ends_the_connection(
    rehearsal: Rehearsal, message: str, initialised: bool
) -> None:
    async with connected(route(rehearsal)) as client:
        if initialised:
            await client.init()
        client.say(message)
        assert await closed(client) == 4400


async def test_so_do_bytes(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal)) as client:
        client.say_bytes(b'{"type": "connection_init"}')
        assert await closed(client) == 4400


async def test_a_message_that_is_too_big(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal, limits=Limits(message_bytes=100))) as client:
        client.say({"type": "ping", "payload": {"a": "x" * 100}})
        assert await closed(client) == 1009


async def test_too_many_messages(rehearsal: Rehearsal) -> None:
    async with connected(route(rehearsal, limits=Limits(burst=5, per_second=0.001))) as client:
        for _ in range(6):
            client.say({"type": "pong"})
        assert await closed(client) == 1008


# ---------------------------------------------------------------------------------------- stopping


async def test_when_the_gateway_stops_who_waits_is_answered_first(rehearsal: Rehearsal) -> None:
    app = route(rehearsal)
    async with connected(app) as client:
        await client.init()
        client.subscribe(SLOW, key="slow")
        client.subscribe(FOREVER, key="forever")
        assert (await client.hear())["id"] == "forever"
        draining = asyncio.create_task(app.drain(5))
        await asyncio.sleep(0)
        async with connected(app) as late:
            assert late.status == 503
        rehearsal.go.set()
        said = []
        while (told := await client.hear()) is not None:
            said.append((told["id"], told["type"]))
        assert ("slow", "next") in said
        assert ("slow", "complete") in said
        assert ("forever", "complete") not in said  # its client subscribes again elsewhere
        assert client.closed is not None
        assert client.closed[0] == 1001
        await draining


async def test_a_client_that_takes_nothing_in_is_dropped(rehearsal: Rehearsal) -> None:
    stuck = asyncio.Event()
    asked = asyncio.Queue[dict[str, Any]]()
    for message in (
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": json.dumps(INIT)},
    ):
        asked.put_nowait(message)

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            await stuck.wait()

    scope = {
        "type": "websocket",
        "path": "/graphql",
        "headers": [],
        "subprotocols": [PROTOCOL],
        "client": ("203.0.113.7", 1),
    }
    app = route(rehearsal, limits=Limits(send_seconds=0.01))
    async with asyncio.timeout(10):
        await app(scope, asked.get, send)


# ------------------------------------------------------------------------------------- any sequence

#: The codes that the specification knows, and those of RFC 6455 that are used here.
LEGAL = {1001, 1008, 1009, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429}

ids = st.sampled_from(["1", "2", "3"])
queries = st.sampled_from([ONCE, FOREVER, REFUSED, SLOW])
tokens = st.sampled_from([None, "Bearer ana", "Bearer bad", 5])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
good = st.one_of(
    st.just({"type": "ping"}),
    st.just({"type": "pong"}),
    st.builds(lambda i: {"type": "complete", "id": i}, ids),
    st.builds(lambda i, q: {"type": "subscribe", "id": i, "payload": {"query": q}}, ids, queries),
)
types = st.sampled_from(["connection_init", "ping", "pong", "subscribe", "complete", "next", ""])
odd = st.one_of(
    json_values,
    st.builds(
        lambda t, i, p: {"type": t, "id": i, "payload": p}, types, ids | json_values, json_values
    ),
    st.builds(lambda t: {**INIT, "payload": {"authorization": t}}, tokens),
)
conversations = st.tuples(
    st.just([]) | st.just([INIT]), st.lists(good, max_size=8), st.lists(odd, max_size=2)
)


@given(conversations)
@settings(max_examples=300)
async def test_any_conversation_ends_by_the_book(conversation: tuple[list[Any], ...]) -> None:
    rehearsal = Rehearsal()
    before, middle, after = conversation
    async with connected(route(rehearsal)) as client:
        for message in (*before, *middle, *after):
            client.say(json.dumps(message))
        for _ in range(30):
            await asyncio.sleep(0)
        open_ids: set[str] = set()
        while not client._from_gateway.empty():
            told = await client.hear()
            if told is None:
                assert client.closed is not None
                assert client.closed[0] in LEGAL
                break
            assert told["type"] in {"connection_ack", "ping", "pong", "next", "error", "complete"}
            if told["type"] in ("error", "complete"):
                open_ids.discard(told["id"])
            elif told["type"] == "next":
                open_ids.add(told["id"])
    assert rehearsal.running == 0
