"""The short way of a POST: bounds, turns and ends of a connection are those of every other way."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field

import pytest

from gateway.http.direct import LARGEST, Direct
from gateway.http.guard import Bounds
from gateway.http.headers import Head
from gateway.http.replies import Reply
from tests.gateway.http.served import LARGE, Server, statuses

pytestmark = pytest.mark.anyio

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop that the gateway runs on: it takes writing to what is closed less lightly."""
    return "asyncio", {"use_uvloop": True}


def post(body: bytes, more: bytes = b"") -> bytes:
    head = b"POST /graphql HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n"
    return head % (more, len(body)) + body


CLOSE = b"Connection: close\r\n"
CHUNKED = (
    b"POST /graphql HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
)


@dataclass(slots=True)
class Echo:
    """Answers with the body that it was sent, with much for "large", and late for "late", "never"
    and "broken"."""

    seen: list[bytes] = field(default_factory=list)
    finished: list[bytes] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def reply(self, head: Head, body: bytes) -> Reply:
        self.seen.append(body)
        if body in (b"late", b"never"):
            await self.go.wait()
        if body == b"broken":
            raise RuntimeError("a secret")
        self.finished.append(body)
        told = LARGE if body == b"large" else b"<" + body + b">"
        headers = [(b"content-length", b"%d" % len(told))]
        if body == b"bye":
            headers.append((b"connection", b"close"))
        if body == b"two":
            headers.append((b"x-a", b"b\r\nx-c: d"))
        return Reply(200, headers, told)


@dataclass(slots=True)
class Ways:
    """Both ways on one server: what has the header X-Asgi goes by ASGI."""

    bounds: Bounds = field(default_factory=Bounds)
    echo: Echo = field(default_factory=Echo)

    def server(self) -> Server:
        def takes(head: Head) -> bool:
            return "x-asgi" not in head.headers

        return Server(self.bounds, direct=Direct(self.echo, takes, "/graphql"))


@pytest.fixture
def ways() -> Ways:
    return Ways()


async def test_a_post_is_answered_in_one_piece(ways: Ways) -> None:
    answer = await ways.server().told(post(b"abc", CLOSE))
    assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n<abc>"


async def test_a_body_may_come_in_pieces(ways: Ways) -> None:
    whole = post(b"abc", CLOSE)
    async with ways.server().connected() as (reader, writer):
        for at in range(len(whole)):
            writer.write(whole[at : at + 1])
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert (await reader.read()).endswith(b"<abc>")
    assert ways.echo.seen == [b"abc"]


@pytest.mark.parametrize(
    "sent",
    [
        GET,
        b"POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na",
        b"POST /graphql?a=b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na",
        b"PUT /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na",
        b"POST /graphql HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\n\r\na",
        CHUNKED,
        b"POST /graphql HTTP/1.1\r\nHost: a\r\n\r\n",
        post(b"a", b"X-Asgi: 1\r\n"),
        post(b"a" * (LARGEST + 1)),
        post(b"a", b"Expect: 100-continue\r\n"),
    ],
)
async def test_all_else_goes_by_asgi(ways: Ways, sent: bytes) -> None:
    # What was asked before on the connection makes no difference.
    before = post(b"x")
    last = sent.replace(b"Host: a\r\n", b"Host: a\r\nConnection: close\r\n")
    answer = await ways.server().told(before + last)
    assert statuses(answer) in ([200, 200], [200, 100, 200])
    assert ways.echo.seen == [b"x"]


async def test_heads_like_those_before_are_told_from_others(ways: Ways) -> None:
    sent = [
        post(b"1"),
        post(b"22"),
        post(b"3", b"X-Asgi: 1\r\n"),
        post(b"4"),
        post(b"5", b"X-Other: 1\r\n"),
        post(b"6", b"X-Other: 2\r\n"),
        b"PUT" + post(b"7", b"X-Other: 2\r\n")[4:],
        post(b"8", b"X-Other: 2\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"),
    ]
    async with ways.server().connected() as (reader, writer):
        for one in sent[:-1]:
            writer.write(one)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
        writer.write(sent[-1])
        assert statuses(await reader.read()) == [200]
    assert ways.echo.seen == [b"1", b"22", b"4", b"5", b"6"]


@pytest.mark.parametrize(
    "order", ["dd", "da", "ad", "aa", "dad", "ada", "ddddd", "aadda", "dddaaadddaaa"]
)
async def test_requests_that_wait_for_their_turn_are_answered_in_it(ways: Ways, order: str) -> None:
    sent, expected = b"", []
    for turn, way in enumerate(order):
        more = b"X-Asgi: 1\r\n" if way == "a" else b""
        more += CLOSE if turn == len(order) - 1 else b""
        sent += post(b"%d" % turn, more)
        expected.append(b"<%d>" % turn if way == "d" else b"/graphql %d" % turn)
    answer = await ways.server().told(sent)
    assert [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 ")[1:]] == expected


@pytest.mark.parametrize("seed", range(12))
async def test_however_the_bytes_come_the_requests_are_the_same(ways: Ways, seed: int) -> None:
    dice = random.Random(seed)
    sent, expected = [], []
    for turn in range(8):
        body = b"%d" % turn * dice.choice((1, 1, 12))
        sent.append(post(body, dice.choice((b"", b"", b"X-Other: 1\r\n"))))
        expected.append(body)
    sent.append(post(b"bye"))
    for cuts in (0, 3, 30):
        ways.echo.seen.clear()
        answer = await told_in_parts(ways, cut(dice, sent, cuts))
        assert statuses(answer) == [200] * 9
        assert ways.echo.seen == [*expected, b"bye"]


def cut(dice: random.Random, sent: list[bytes], cuts: int) -> list[bytes]:
    """Requests in pieces: as they are, or cut without regard to where they begin."""
    if not cuts:
        return sent
    whole = b"".join(sent)
    places = sorted(dice.sample(range(1, len(whole)), cuts))
    return [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]


async def told_in_parts(ways: Ways, parts: list[bytes]) -> bytes:
    """What is answered to bytes of which each part is read by itself, and answered if it can be."""
    server = ways.server()
    async with server.connected() as (reader, writer):
        server.protocol.timeout_keep_alive = 0.1
        answer = b""
        for part in parts:
            writer.write(part)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.002):
                    answer += await reader.read(65_536)
        async with asyncio.timeout(10):
            return answer + await reader.read()


@pytest.mark.parametrize(
    "between",
    [
        b"POST /gra",
        b"P",
        b"POST /graphql HTTP/1.1\r\nHost: a\r\n",
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nX: ",
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n",
    ],
)
async def test_what_has_begun_is_not_taken_for_a_request_of_its_own(
    ways: Ways, between: bytes
) -> None:
    """The bytes of a request that was taken before are no request where one has begun."""
    ways.bounds = Bounds(head_seconds=0.05, body_seconds=0.05)
    one = post(b"a")
    assert len(one) < 90
    for parts in ([one, one + between, one], [one, between, one], [one, one, between + one]):
        ways.echo.seen.clear()
        answer = await told_in_parts(ways, parts)
        assert len(ways.echo.seen) == b"".join(parts[:-1]).count(one)
        assert statuses(answer)[-1] in (400, 408)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (post(b"b").replace(b"Length: 1", b"Length: 01"), [b"b"]),
        (post(b"b").replace(b"Length: 1", b"Length: 2") + b"c", [b"bc"]),
        (post(b"b").replace(b"Length: 1", b"Length: 1 "), []),
        (post(b"b").replace(b"Length: 1", b"Length: +1"), []),
        (post(b"b").replace(b"Length: 1", b"Length:"), []),
        (post(b"b").replace(b"Length: 1", b"Length: 00001"), [b"b"]),
        (post(b"b").replace(b"Length: 1", b"Length: 0") + post(b"c"), [b""]),
        (post(b"b" * 9).replace(b"Length: 9", b"Length: 999999"), []),
    ],
)
async def test_the_length_is_read_as_the_parser_reads_it(
    ways: Ways, sent: bytes, seen: list[bytes]
) -> None:
    ways.bounds = Bounds(head_seconds=0.05, body_seconds=0.05)
    long = await told_in_parts(Ways(ways.bounds), [sent])
    short = await told_in_parts(ways, [post(b"a"), post(b"a"), sent])
    assert ways.echo.seen[2:3] == seen
    assert statuses(short) == [200, 200, *statuses(long)]


async def test_too_many_requests_do_not_wait(ways: Ways) -> None:
    ways.bounds = Bounds(pipelined=3)
    assert statuses(await ways.server().told(post(b"a") * 20)) == []
    assert len(ways.echo.seen) <= 1


@pytest.mark.parametrize(
    ("begin", "status"),
    [
        (post(b"a")[:12], [408]),
        (post(b"a")[:-1], [408]),
        (post(b"a") + post(b"b")[:-1], [200, 408]),
    ],
)
async def test_what_does_not_come_is_not_waited_for(
    ways: Ways, begin: bytes, status: list[int]
) -> None:
    ways.bounds = Bounds(head_seconds=0.05, body_seconds=0.05)
    async with ways.server().connected() as (reader, writer):
        writer.write(begin)
        async with asyncio.timeout(10):
            assert statuses(await reader.read()) == status


async def test_what_follows_and_is_no_request_is_refused(ways: Ways) -> None:
    assert statuses(await ways.server().told(post(b"a") + b"\x00\x00\r\n\r\n")) == [400]


@pytest.mark.parametrize("body", [b"broken", b"two"])
async def test_what_breaks_is_told_and_shows_nothing(
    ways: Ways, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ways.server().told(post(body))
    assert statuses(answer) == [500]
    assert b"connection: close" in answer
    assert b"x-c" not in answer
    assert b"secret" not in answer
    assert [one.message for one in caplog.records] == ["a request broke"]


async def test_an_answer_may_be_the_last(ways: Ways) -> None:
    answer = await ways.server().told(post(b"bye"))
    assert answer.count(b"connection: close") == 1


async def test_who_leaves_is_not_answered_and_the_work_is_done(
    ways: Ways, caplog: pytest.LogCaptureFixture
) -> None:
    server = ways.server()
    async with server.connected() as (_, writer):
        writer.write(post(b"late"))
        await server.until(lambda: bool(ways.echo.seen))
        writer.transport.abort()
        await server.until(lambda: not server.state.connections)
        ways.echo.go.set()
        await server.until(lambda: not server.state.tasks)
    assert ways.echo.finished == [b"late"]
    assert caplog.records == []


async def test_who_takes_nothing_in_is_dropped_and_holds_one_answer(ways: Ways) -> None:
    ways.bounds = Bounds(send_seconds=0.1)
    server = ways.server()
    async with server.connected() as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(post(b"large") * 5)
        await server.until(lambda: bool(server.state.connections))
        await server.until(lambda: not server.state.connections)
        await server.until(lambda: not server.state.tasks)
    # The second was made, and waited for the first to leave.
    assert ways.echo.finished == [b"large"] * 2


async def test_so_is_who_asks_on_and_takes_nothing_in(ways: Ways) -> None:
    ways.bounds = Bounds(send_seconds=0.1)
    server = ways.server()
    async with server.connected() as (reader, writer):
        for body in (b"1", b"2"):
            writer.write(post(body))
            await reader.readuntil(b"<" + body + b">")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(5):
            writer.write(post(b"large"))
            await asyncio.sleep(0.01)
        await server.until(lambda: not server.state.connections)
        await server.until(lambda: not server.state.tasks)
    assert ways.echo.finished == [b"1", b"2", b"large", b"large"]


async def test_who_takes_in_slowly_gets_all(ways: Ways) -> None:
    async with ways.server().connected() as (reader, writer):
        writer.write(post(b"large") + post(b"a") + post(b"large", CLOSE))
        await asyncio.sleep(0.05)
        answer = await reader.read()
    assert statuses(answer) == [200] * 3
    assert len(answer) > 2 * len(LARGE)


async def test_the_end_waits_for_what_is_being_answered(ways: Ways) -> None:
    server = ways.server()
    async with server.connected() as (reader, writer):
        writer.write(post(b"late"))
        await server.until(lambda: bool(ways.echo.seen))
        server.protocol.shutdown()
        ways.echo.go.set()
        answer = await reader.read()
    assert answer.endswith(b"connection: close\r\n\r\n<late>")


async def test_work_that_the_end_cannot_wait_for_is_told(
    ways: Ways, caplog: pytest.LogCaptureFixture
) -> None:
    server = ways.server()
    async with server.connected() as (reader, writer):
        writer.write(post(b"never"))
        await server.until(lambda: bool(ways.echo.seen))
        for task in server.state.tasks:
            task.cancel()
        assert statuses(await reader.read()) == [500]
    assert len(caplog.records) == 1


async def test_a_connection_that_nothing_is_asked_on_is_closed(ways: Ways) -> None:
    server = ways.server()
    async with server.connected() as (reader, writer):
        server.protocol.timeout_keep_alive = 0.1
        for body in (b"1", b"2", b"3"):
            writer.write(post(body))
            await reader.readuntil(b"<" + body + b">")
            await asyncio.sleep(0.04)
        async with asyncio.timeout(10):
            assert await reader.read() == b""


async def test_a_connection_is_not_closed_while_it_waits_for_an_answer(ways: Ways) -> None:
    server = ways.server()
    async with server.connected() as (reader, writer):
        server.protocol.timeout_keep_alive = 0.02
        writer.write(post(b"1"))
        await reader.readuntil(b"<1>")
        writer.write(post(b"late"))
        await asyncio.sleep(0.1)
        ways.echo.go.set()
        assert (await reader.readuntil(b"<late>")).startswith(b"HTTP/1.1 200")
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                assert await reader.read() == b""
