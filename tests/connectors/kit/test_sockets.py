"""Our own sockets: an answer belongs to its question, or the connection is done with."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit import sockets
from connectors.kit.sockets import SocketWire
from connectors.kit.wire import (
    BadEncoding,
    Headers,
    Incoming,
    NotReached,
    Outgoing,
    TimedOutOnWire,
    TooLarge,
    WireError,
)
from tests.connectors.kit.ways import Server

pytestmark = pytest.mark.anyio

URL = "http://crm.example"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Line:
    """A wire whose other end answers each request with the next of some bytes. `b""` hangs up."""

    def __init__(self, *answers: bytes, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.server = Server(self._speak, tls)
        url = URL.replace("http", "https") if tls else URL
        self.wire = SocketWire(url, 1.0, 4, self.server.dial)
        self.url = url

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            answer = self.answers.pop(0)
            if not answer:
                return
            ends, answer = answer.endswith(b"<end>"), answer.removesuffix(b"<end>")
            writer.write(answer)
            await writer.drain()
            if ends:
                return

    async def get(self, path: str = "/", **headers: str) -> Incoming:
        cap = 100_000
        async with asyncio.timeout(5):
            return await self.wire.exchange(Outgoing("GET", self.url + path, headers), cap)


@pytest.fixture
async def line() -> AsyncIterator[Callable[..., Line]]:
    made: list[Line] = []

    def make(*answers: bytes, tls: ssl.SSLContext | None = None) -> Line:
        made.append(Line(*answers, tls=tls))
        return made[-1]

    yield make
    for one in made:
        await one.wire.close()
        await one.server.close()


Make = Callable[..., Line]


async def test_a_connection_is_used_again(line: Make) -> None:
    one = line(OK, OK, OK)
    for _ in range(3):
        assert (await one.get()).body == b"ok"
    assert one.server.served == 1


async def test_what_is_sent(line: Make) -> None:
    one = line(OK)
    await one.get("/a?b=c", authorization="Bearer x", accept="*/*")
    assert one.requests[0] == (
        b"GET /a?b=c HTTP/1.1\r\nhost: crm.example\r\naccept: */*\r\n"
        b"accept-encoding: gzip, deflate\r\nuser-agent: portal-gateway\r\n"
        b"authorization: Bearer x\r\n\r\n"
    )
    assert one.server.dialled == [("crm.example", 80)]


async def test_headers_are_found_by_lower_case_and_cookies_stay_apart(line: Make) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nSet-Cookie: a=1; x, y\r\nSet-Cookie: b=2\r\n"
    found = await line(head + b"X-A: 2\r\nContent-Length: 0\r\n\r\n").get()
    assert found.headers["x-a"] == "1, 2"
    assert found.headers.get_list("set-cookie") == ["a=1; x, y", "b=2"]
    assert Headers([("A", "b")]) == {"a": "b"}


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nok<end>",
        b"HTTP/1.0 200 OK\r\n\r\nok<end>",
    ],
)
async def test_an_answer_that_ends_the_connection(line: Make, answer: bytes) -> None:
    one = line(answer, OK)
    assert (await one.get()).body == b"ok"
    assert (await one.get()).body == b"ok"
    assert one.server.served == 2


async def test_chunks_and_interim_answers(line: Make) -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    one = line(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + chunked, OK)
    found = await one.get()
    assert (found.status, found.body, "link" in found.headers) == (200, b"ok", False)
    assert (await one.get()).body == b"ok"
    assert one.server.served == 1


async def test_an_answer_without_a_body(line: Make) -> None:
    one = line(b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n", OK)
    assert [(await one.get()).status for _ in range(3)] == [204, 304, 200]
    assert one.server.served == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok<end>", id="torn"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n<end>",
            id="torn chunks",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n",
            id="a chunk of no size",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n"
            b"2\r\nok\r\n0\r\n\r\n",
            id="two lengths of two kinds",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok", id="two lengths"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok", id="a length below zero"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok", id="a space in a name"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx\0y: 2\r\n\r\nok", id="a name that is none"),
        pytest.param(OK + OK, id="two answers"),
        pytest.param(OK + b"more", id="more than its length"),
        pytest.param(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 300 + b"\r\n", id="many headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"HTTP/1.1 103 Hints\r\n\r\n" * 80, id="hints without end"),
    ],
)
async def test_an_odd_answer_is_none_and_ends_the_connection(line: Make, answer: bytes) -> None:
    one = line(answer, OK)
    with pytest.raises(NotReached):
        await one.get()
    assert (await one.get()).body == b"ok"
    assert one.server.served == 2


async def test_bytes_that_nobody_asked_for_end_an_idle_connection(line: Make) -> None:
    one = line(OK, OK)
    await one.get()
    ((connection,),) = one.wire._pools.values()
    connection.data_received(OK)
    assert (await one.get()).body == b"ok"
    assert one.server.served == 2


async def test_a_connection_that_the_other_side_closed_is_not_used(line: Make) -> None:
    one = line(OK + b"<end>", OK)
    await one.get()
    await asyncio.sleep(0.01)
    assert (await one.get()).body == b"ok"
    assert one.server.served == 2


async def test_an_abandoned_question_takes_its_connection_along(line: Make) -> None:
    one = line(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nha", OK)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await one.get()
    assert (await one.get()).body == b"ok"
    assert one.server.served == 2


async def test_an_old_connection_is_let_go(line: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = line(OK, OK)
    await one.get()
    monkeypatch.setattr(sockets, "_IDLE", -1.0)
    await one.get()
    assert one.server.served == 2


async def test_no_more_connections_are_kept_than_allowed(line: Make) -> None:
    one = line(*[OK] * 12)
    await asyncio.gather(*(one.get() for _ in range(12)))
    assert [len(pool) for pool in one.wire._pools.values()] == [4]


async def test_answers_of_many_questions_are_not_mixed_up() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
            await asyncio.sleep(int(path[1:]) % 7 / 1000)
            head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(path)
            writer.write(head + path[:1])
            await writer.drain()
            writer.write(path[1:])

    server = Server(echo)
    wire = SocketWire(URL, 1.0, 8, server.dial)

    async def ask(number: int) -> tuple[int, bytes]:
        asked = wire.exchange(Outgoing("GET", f"{URL}/{number}", {}), 100)
        if number % 5 == 0:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asked, 0.0005)
            return number, b"/%d" % number
        return number, (await asked).body

    for start in range(0, 200, 20):
        found = await asyncio.gather(*(ask(n) for n in range(start + 1, start + 21) if n % 35))
        assert all(body == b"/%d" % number for number, body in found)
    await wire.close()
    await server.close()


@pytest.mark.parametrize("headers", [{"x": "a\r\nb: c"}, {"x": "a\nb"}, {"x y": "a"}, {"": "a"}])
async def test_a_header_that_would_end_its_line_is_not_sent(
    line: Make, headers: dict[str, str]
) -> None:
    one = line(OK)
    with pytest.raises(NotReached):
        await one.get(**headers)
    assert one.requests == []


async def test_a_header_that_is_no_ascii_is_not_sent(line: Make) -> None:
    one = line(OK)
    with pytest.raises(UnicodeEncodeError):
        await one.get(authorization="señal")
    assert one.requests == []


@pytest.mark.parametrize("url", ["ftp://x", "http://", "nonsense", "http://[::1", "http://x:y/"])
async def test_an_address_that_leads_nowhere(line: Make, url: str) -> None:
    with pytest.raises(NotReached):
        await line().wire.exchange(Outgoing("GET", url, {}), 100)
    with pytest.raises(NotReached):
        await SocketWire(url, 1.0, 4).exchange(Outgoing("GET", url, {}), 100)


def _packed(encoding: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)  # the same in every process that collects these tests


def _bare(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    "answer",
    [
        _packed("gzip", _gzip(b"ok")),
        _packed("X-GZIP", _gzip(b"ok")),
        _packed("deflate", zlib.compress(b"ok")),
        _packed("deflate", _bare(b"ok")),
        _packed("identity", b"ok"),
        _packed("deflate, gzip", _gzip(zlib.compress(b"ok"))),
    ],
)
async def test_content_encodings_are_undone(line: Make, answer: bytes) -> None:
    assert (await line(answer).get()).body == b"ok"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_packed("gzip", b"nonsense"), BadEncoding),
        (_packed("gzip", _gzip(b"long enough to be torn")[:-9]), BadEncoding),
        (_packed("br", b"ok"), BadEncoding),
        (_packed("gzip", _gzip(b"0" * 1_000_000)), TooLarge),
        (_packed("identity", b"0" * 200_000), TooLarge),
    ],
)
async def test_encodings_that_cannot_be_undone(
    line: Make, answer: bytes, error: type[WireError]
) -> None:
    with pytest.raises(error):
        await line(answer).get()


async def test_nobody_listens() -> None:
    async def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    with pytest.raises(NotReached, match="ConnectionRefusedError"):
        await SocketWire(URL, 1.0, 4, refuse).exchange(Outgoing("GET", URL, {}), 100)  # type: ignore[arg-type]  # it opens nothing


async def test_a_connection_that_does_not_come_about_in_time() -> None:
    async def hang(*_: object) -> None:
        await asyncio.sleep(60)

    with pytest.raises(TimedOutOnWire):
        await SocketWire(URL, 0.01, 4, hang).exchange(Outgoing("GET", URL, {}), 100)  # type: ignore[arg-type]  # it opens nothing


# ------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of crm.example, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "crm.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("crm.example")]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_certificate_that_nobody_vouches_for(line: Make, certificate: Path) -> None:
    one = line(OK, tls=_server_tls(certificate))
    with pytest.raises(NotReached, match="SSLCertVerificationError"):
        await one.get()
    assert one.requests == []


async def test_a_certificate_of_another_host(line: Make, certificate: Path) -> None:
    one = line(OK, tls=_server_tls(certificate))
    one.wire._tls = ssl.create_default_context(cafile=str(certificate))
    with pytest.raises(NotReached, match="SSLCertVerificationError"):
        await one.wire.exchange(Outgoing("GET", "https://other.example/", {}), 100)
    assert one.requests == []


async def test_a_certificate_that_is_trusted(line: Make, certificate: Path) -> None:
    one = line(OK, OK, tls=_server_tls(certificate))
    one.wire._tls = ssl.create_default_context(cafile=str(certificate))
    assert (await one.get()).body == b"ok"
    assert (await one.get()).body == b"ok"
    assert one.server.served == 1
    assert one.server.dialled == [("crm.example", 443)]


# ------------------------------------------------------------------------------------- addresses


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.booleans())
def test_an_address_is_written_as_httpx_writes_it(text: str, in_query: bool) -> None:
    wire = SocketWire("https://crm.example:8443/api", 1.0, 1)
    url = f"https://crm.example:8443/api/x{'?' if in_query else '/'}{text}"
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        with pytest.raises(NotReached):
            wire._aimed(url)
        return
    origin, target = wire._aimed(url)
    assert target == read.raw_path.decode()
    assert (origin.host, origin.port, origin.name) == ("crm.example", 8443, "crm.example:8443")


async def test_a_host_that_only_begins_like_ours_is_another() -> None:
    wire = SocketWire("https://crm.example", 1.0, 1)
    assert wire._aimed("https://crm.example.evil.example/x")[0].host == "crm.example.evil.example"
    assert wire._aimed("https://crm.example@evil.example/x")[0].host == "evil.example"
    assert wire._aimed("https://crm.example:81/x")[0].port == 81
