"""A POST to the graph is answered the same by ASGI and by the short way past it: status, headers
and body, over sockets as clients have them."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.http.direct import LARGEST, Direct, Exchange
from gateway.http.replies import Reply
from schema.root import SCHEMA
from tests.gateway.http.served import Server
from tests.hostile.requests import Hostile, Sent
from tests.stories.portal import ANA, LUIS, Portal, opened
from tests.worlds.people import world_of
from tests.worlds.values import pool_of

pytestmark = pytest.mark.anyio

NEW = "application/graphql-response+json"
ORIGIN = "https://portal.company.example"
NEWS = "{ news(first: 1) { nodes { title } } }"
CASES = "query($n: Int) { cases(first: $n) { nodes { number } } }"
#: Requests by chance.
REQUESTS = 150


@dataclass(slots=True)
class Watched(Direct):
    """The short way, with what it was asked."""

    inner: Direct
    asked: list[bytes] = field(default_factory=list)

    def opening(self, *given: Any) -> Any:
        return self.inner.opening(*given)

    def begin(self, *given: Any) -> None:
        self.inner.begin(*given)

    async def reply(self, exchange: Exchange) -> Reply:
        self.asked.append(exchange.body)
        return await self.inner.reply(exchange)


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(slots=True)
class Ways:
    """One gateway behind both."""

    portal: Portal

    async def asked(self, sent: bytes) -> tuple[list[Answer], list[Answer], int]:
        """What is answered by ASGI, what by the short way, and how many requests that took."""
        watched = Watched(self.portal.gateway.direct)
        long = await Server(asgi=self.portal.gateway.app).told(sent)
        short = await Server(asgi=self.portal.gateway.app, direct=watched).told(sent)
        return answers(long), answers(short), len(watched.asked)

    async def asked_again(self, sent: bytes, times: int) -> tuple[list[Answer], list[Answer], int]:
        """The same of one request that is sent again and again on a connection that stays open."""
        watched = Watched(self.portal.gateway.direct)
        found = []
        for direct in (None, watched):
            async with Server(asgi=self.portal.gateway.app, direct=direct).connected() as wires:
                wire = b"".join([await exchanged(*wires, sent) for _ in range(times)])
                found.append(answers(wire))
        return found[0], found[1], len(watched.asked)


async def exchanged(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes
) -> bytes:
    writer.write(sent)
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(re.findall(rb"content-length: (\d+)", head)[0])
        return head + await reader.readexactly(size)


def answers(wire: bytes) -> list[Answer]:
    found = []
    while wire:
        head, _, wire = wire.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = sorted(line.partition(": ")[::2] for line in lines)
        size = int(dict(headers).get("content-length", len(wire)))
        body, wire = wire[:size], wire[size:]
        found.append(Answer(status, [settled(*pair) for pair in headers], masked(body)))
    return found


def settled(name: str, value: str) -> tuple[str, str]:
    """A header without what differs between any two requests."""
    if name == "x-request-id" and re.fullmatch("[0-9a-f]{16}", value):
        return name, "made here"
    if name == "ratelimit":
        return name, re.sub(r"[rt]=\d+", "", value)
    return name, value


def masked(body: bytes) -> bytes:
    return re.sub(rb'"(errorId|remaining)":("\w+"|\d+)', b"", body)


def request(
    body: bytes, headers: Sequence[tuple[str, str]] = (), method: str = "POST", last: bool = True
) -> bytes:
    told = {"host": "a", "content-type": "application/json", "content-length": str(len(body))}
    told |= {"connection": "close"} if last else {}
    told |= {name: value for name, value in headers if name in told}
    lines = [*told.items(), *(pair for pair in headers if pair[0] not in told)]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines if value != "-")
    return f"{method} /graphql HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def asks(query: str, **more: Any) -> bytes:
    return json.dumps({"query": query, **more}).encode()


@pytest.fixture
async def ways(database: Path, keys: Path) -> AsyncIterator[Ways]:
    tables: dict[str, dict[str, Any]] = {
        "server": {"origins": [ORIGIN]},
        "answers": {"private_seconds": 30},
    }
    async with opened(database, keys, tables=tables) as portal:
        yield Ways(portal)


def bearer(portal: Portal, who: str = ANA) -> tuple[str, str]:
    return "authorization", f"Bearer {portal.gateway.tokens.issue(who)}"


#: Requests that go the short way where it is open: body and headers.
SHORT: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "public": (asks(NEWS), []),
    "a caller": (asks(CASES, variables={"n": 2}), [("authorization", "ANA")]),
    "with a language": (asks(NEWS), [("accept-language", "pt-BR,pt;q=0.9")]),
    "the other media type": (asks(NEWS), [("accept", NEW)]),
    "partly": (asks("{ viewer { name } }"), [("accept", NEW)]),
    "not valid": (asks("{ nothing }"), []),
    "not valid, by the other media type": (asks("{ nothing }"), [("accept", NEW)]),
    "no document": (asks("{"), [("accept", NEW)]),
    "too deep": (asks("{ viewer " * 300 + "}" * 300), [("accept", NEW)]),
    "too large a page": (asks(CASES, variables={"n": 100_000}), [("authorization", "ANA")]),
    "a wrong variable": (asks(CASES, variables={"n": "x"}), [("authorization", "ANA")]),
    "no operation of that name": (asks(NEWS, operationName="Other"), []),
    "an unknown hash": (
        json.dumps(
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "a" * 64}}}
        ).encode(),
        [],
    ),
    "no JSON": (b"{", []),
    "no object": (b"[]", []),
    "nothing": (b"", []),
    "no UTF-8": (b"\xff", []),
    "nested": (b"[" * 20_000, []),
    "a bad token": (asks(NEWS), [("authorization", "Bearer x.y.z")]),
    "another scheme": (asks(NEWS), [("authorization", "Basic eDp4")]),
    "an empty token": (asks(NEWS), [("authorization", "Bearer ")]),
    "an account that is none": (asks(NEWS), [("portal-acting-for", "x")]),
    "with its price": (asks(NEWS), [("portal-cost", "1")]),
    "a subscription": (asks("subscription { casesChanged { id } }"), []),
    "a mutation": (asks('mutation { signOut(input: {refreshToken: "x"}) { __typename } }'), []),
    "a name": (asks(NEWS), [("x-request-id", "from-a-proxy-1")]),
    "a name that is none": (asks(NEWS), [("x-request-id", "no\xff")]),
    "a page that may ask": (asks(NEWS), [("origin", ORIGIN)]),
    "a page that may not": (asks(NEWS), [("origin", "https://other.example")]),
    "with a charset": (asks(NEWS), [("content-type", "APPLICATION/json; Charset=UTF-8")]),
    "as large as may be": (asks(NEWS + " " * (LARGEST - len(asks(NEWS)))), []),
    "kept, conditionally": (asks(NEWS), [("if-none-match", "*")]),
}
#: Those that do not.
LONG: dict[str, tuple[bytes, list[tuple[str, str]], str]] = {
    "OPTIONS": (b"", [("origin", ORIGIN), ("access-control-request-method", "POST")], "OPTIONS"),
    "PUT": (asks(NEWS), [], "PUT"),
    "GET": (b"", [], "GET"),
    "larger": (asks(NEWS + " " * (LARGEST + 1 - len(asks(NEWS)))), [], "POST"),
    "too large": (asks(NEWS + " " * 300_000), [], "POST"),
    "text": (asks(NEWS), [("content-type", "text/plain")], "POST"),
    "no type": (asks(NEWS), [("content-type", "-")], "POST"),
    "another charset": (asks(NEWS), [("content-type", "application/json; charset=x")], "POST"),
    "a form": (asks(NEWS), [("content-type", "multipart/form-data; boundary=x")], "POST"),
    "compressed": (asks(NEWS), [("content-encoding", "gzip")], "POST"),
    "nothing is taken": (asks(NEWS), [("accept", "image/png")], "POST"),
    "events": (asks(NEWS), [("accept", "text/event-stream")], "POST"),
    "in parts": (
        asks(NEWS),
        [("accept", "multipart/mixed;incrementalSpec=v0.2, application/json")],
        "POST",
    ),
}


@pytest.mark.parametrize("name", SHORT)
async def test_the_short_way_answers_as_asgi_does(ways: Ways, name: str) -> None:
    body, headers = SHORT[name]
    told = [bearer(ways.portal) if pair == ("authorization", "ANA") else pair for pair in headers]
    for _ in range(2):  # the second may be answered from memory
        long, short, taken = await ways.asked(request(body, told))
        assert short == long
        assert len(short) == taken == 1


@pytest.mark.parametrize("name", SHORT)
async def test_so_it_does_for_what_is_asked_again(ways: Ways, name: str) -> None:
    body, headers = SHORT[name]
    told = [bearer(ways.portal) if pair == ("authorization", "ANA") else pair for pair in headers]
    long, short, taken = await ways.asked_again(request(body, told, last=False), 4)
    assert short == long
    assert len(short) == taken == 4


async def test_a_token_that_ended_is_refused_on_a_connection_that_stays_open(ways: Ways) -> None:
    query = asks(CASES, variables={"n": 1})
    sent = request(query, [bearer(ways.portal)], last=False)
    server = Server(asgi=ways.portal.gateway.app, direct=ways.portal.gateway.direct)
    async with server.connected() as wires:
        found = [answers(await exchanged(*wires, sent))[0] for _ in range(3)]
        ways.portal.clock.now += timedelta(days=1)
        found.append(answers(await exchanged(*wires, sent))[0])
    assert [one.status[9:12] for one in found] == ["200", "200", "200", "401"]


@pytest.mark.parametrize("name", LONG)
async def test_all_else_is_answered_by_asgi(ways: Ways, name: str) -> None:
    body, headers, method = LONG[name]
    long, short, taken = await ways.asked(request(body, headers, method))
    assert short == long
    assert (len(short), taken) == (1, 0)


async def test_a_connection_may_ask_by_both(ways: Ways) -> None:
    own = [bearer(ways.portal)]
    other = [bearer(ways.portal, LUIS)]
    query = asks(CASES, variables={"n": 1})
    sent = b"".join(
        [
            request(query, own, last=False),
            request(query, other, last=False),
            request(b"", [("accept", "application/json")], "GET", last=False),
            request(asks(NEWS), [("accept", "text/event-stream;q=0")], "POST", last=False),
            request(query, own, last=False),
            request(query, last=False),
            request(b"5"),
        ]
    )
    long, short, taken = await ways.asked(sent)
    assert short == long
    assert (len(short), taken) == (7, 5)
    # Whose cases they are is told by the token of each, never by one before it.
    assert short[0].body == short[4].body != short[1].body
    assert b"UNAUTHENTICATED" in short[5].body


async def test_who_asks_too_much_hears_it_on_both(database: Path, tmp_path: Path) -> None:
    tables = {"rates": {"enabled": True, "seconds": 3_600, "anonymous": 1}}
    async with opened(database, tmp_path, tables=tables) as portal:
        sent = request(asks("{ __typename }"))
        await Ways(portal).asked(sent)
        long, short, _ = await Ways(portal).asked(sent)
        assert short[0].status == long[0].status == "HTTP/1.1 429 Too Many Requests"
        assert "retry-after" in dict(short[0].headers)
        assert short[0].headers == long[0].headers


async def test_requests_by_chance_are_answered_alike(database: Path, keys: Path) -> None:
    async with opened(database, keys) as portal:
        tokens = [portal.gateway.tokens.issue(person) for person in (ANA, LUIS)]
        hostile = Hostile(SCHEMA._schema, pool_of(world_of(random.Random(0))), tokens)
        ways, dice, taken = Ways(portal), random.Random(7), 0
        for _ in range(REQUESTS):
            sent = hostile.request(dice)
            if sent.method == "POST" and b"mutation" not in b"".join(sent.parts):
                long, short, by_short = await ways.asked(wire(sent))
                assert short == long, sent
                taken += by_short
        assert taken > REQUESTS / 2


def wire(sent: Sent) -> bytes:
    body = b"".join(sent.parts)
    names = {name for name, _ in sent.headers}
    headers = [(b"host", b"a"), (b"connection", b"close"), *sent.headers]
    if b"content-length" not in names:
        headers.append((b"content-length", b"%d" % len(body)))
    lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
    return b"%b /graphql HTTP/1.1\r\n%b\r\n%b" % (sent.method.encode(), lines, body)
