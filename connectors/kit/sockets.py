"""The way to a system over the network: HTTP/1.1 on asyncio's protocols, each call one write and
one future. httpx's own objects and transport cost more than all the rest of a call together.

Connections are kept and used again. One that did anything odd (bytes that nobody asked for, a
broken or abandoned answer) is closed: what it says next could belong to another question.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import httptools
import httpx

from connectors.kit.wire import (
    DEFAULT_HEADERS,
    Headers,
    Incoming,
    NotReached,
    Outgoing,
    TimedOutOnWire,
    TooLarge,
    WireError,
    unpacked,
)

P = TypeVar("P", bound=asyncio.BaseProtocol)

#: Seconds that a connection may lie idle. Servers close theirs after 5 to 120.
_IDLE = 30.0
#: Bytes and number of an answer's headers, interim answers included.
_HEAD, _FIELDS = 65_536, 200
#: Sets of headers whose lines are kept. A system's calls have two or three, until a token changes.
_KNOWN = 32

#: Addresses that httpx would leave as they are: no other sign needs looking at.
_PLAIN = re.compile(r"/[A-Za-z0-9\-._~:/?@!$&'()*+,;=%]*")
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LINE_ENDS = re.compile(r"[\r\n\0]")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Dial(Protocol):
    """Opens a connection. tls: None for plain TCP. Raises OSError, ssl.SSLError among them."""

    async def __call__(
        self, host: str, port: int, tls: ssl.SSLContext | None, protocol: Callable[[], P]
    ) -> P: ...


async def dial(host: str, port: int, tls: ssl.SSLContext | None, protocol: Callable[[], P]) -> P:
    """By the network."""
    loop = asyncio.get_running_loop()
    _, made = await loop.create_connection(protocol, host, port, ssl=tls)
    return made


class Origin(NamedTuple):
    """Whom an address leads to. host: as it is dialled. name: as the Host header says it."""

    tls: bool
    host: str
    port: int
    name: str


class SocketWire:
    """Connections to a system and to whoever else it names, such as its token endpoint.

    connect: seconds. most: connections kept open of one origin."""

    def __init__(self, base_url: str, connect: float, most: int, dialling: Dial = dial) -> None:
        self._connect, self._most, self._dial = connect, most, dialling
        self._base = base_url
        self._origin: Origin | None = None
        with suppress(NotReached):  # each call says so
            self._origin, path = _split(base_url)
            self._prefix = path.rstrip("/")
        self._pools: dict[Origin, deque[_Connection]] = {}
        self._lines: dict[tuple[tuple[str, str], ...], str] = {}
        self._tls: ssl.SSLContext | None = None

    async def exchange(self, request: Outgoing, cap: int) -> Incoming:
        origin, target = self._aimed(request.url)
        message = _message(request, origin, target, self._said(request.headers))
        connection = self._kept(origin) or await self._opened(origin)
        status, headers, body = await connection.exchange(message, cap)
        if connection.usable:
            self._keep(origin, connection)
        encodings = headers.get("content-encoding")
        return Incoming(status, headers, unpacked(body, encodings, cap) if encodings else body)

    async def close(self) -> None:
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            for connection in pool:
                connection.close()
        await asyncio.sleep(0)

    def _aimed(self, url: str) -> tuple[Origin, str]:
        if self._origin is not None and url.startswith(self._base):
            rest = url[len(self._base) :]
            target = self._prefix + rest
            # Without the slash it could be the rest of another host's name.
            plain = rest.startswith("/") and "/." not in target and _PLAIN.fullmatch(target)
            if plain and not _BROKEN.search(target):
                return self._origin, target
        return _split(url)

    def _said(self, headers: dict[str, str]) -> str:
        """The lines of headers, which are the same from call to call."""
        key = tuple(headers.items())
        lines = self._lines.get(key)
        if lines is None:
            if len(self._lines) >= _KNOWN:
                self._lines.clear()
            lines = self._lines[key] = _lines(headers)
        return lines

    def _kept(self, origin: Origin) -> _Connection | None:
        pool = self._pools.get(origin)
        while pool:
            connection = pool.pop()
            if connection.usable and time.monotonic() - connection.idle_since < _IDLE:
                return connection
            connection.close()
        return None

    def _keep(self, origin: Origin, connection: _Connection) -> None:
        now = connection.idle_since = time.monotonic()
        pool = self._pools.setdefault(origin, deque())
        pool.append(connection)
        while pool and (len(pool) > self._most or now - pool[0].idle_since > _IDLE):
            pool.popleft().close()

    async def _opened(self, origin: Origin) -> _Connection:
        if origin.tls and self._tls is None:
            self._tls = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        try:
            async with asyncio.timeout(self._connect):
                return await self._dial(
                    origin.host, origin.port, self._tls if origin.tls else None, _Connection
                )
        except TimeoutError:
            raise TimedOutOnWire("ConnectTimeout") from None
        except (OSError, ssl.CertificateError, UnicodeError) as error:
            raise NotReached(type(error).__name__) from None


def _split(url: str) -> tuple[Origin, str]:
    """Raises NotReached for an address that leads nowhere."""
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        raise NotReached("InvalidURL") from None
    if read.scheme not in ("http", "https") or not read.host:
        raise NotReached("UnsupportedProtocol")
    tls = read.scheme == "https"
    host = read.raw_host.decode("ascii")
    origin = Origin(tls, host, read.port or (443 if tls else 80), read.netloc.decode("ascii"))
    return origin, read.raw_path.decode("ascii")


def _lines(headers: Mapping[str, str]) -> str:
    """Raises NotReached for a header that would be another, or two."""
    lines = []
    for name, value in {**DEFAULT_HEADERS, **headers}.items():
        if not _NAME.fullmatch(name) or _LINE_ENDS.search(value):
            raise NotReached("LocalProtocolError")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines)


def _message(request: Outgoing, origin: Origin, target: str, lines: str) -> bytes:
    """What travels. Raises UnicodeEncodeError for a header that is no ASCII."""
    body = request.body
    head = f"{request.method} {target} HTTP/1.1\r\nhost: {origin.name}\r\n{lines}"
    if body is not None or request.method in ("POST", "PUT", "PATCH"):
        head = f"{head}content-length: {len(body or b'')}\r\n"
    message = f"{head}\r\n".encode("ascii")
    return message + body if body else message


class _Connection(asyncio.Protocol):
    """One connection, one question at a time."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._parser: Any = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[tuple[int, Headers, bytes]] | None = None
        self._kept = True
        self._cap = 0
        self._begin()

    @property
    def usable(self) -> bool:
        """Whether another question may be asked."""
        return self._kept and self._transport is not None and not self._transport.is_closing()

    async def exchange(self, message: bytes, cap: int) -> tuple[int, Headers, bytes]:
        """Sends a question and waits for its answer: status, headers, body. Raises WireError."""
        if self._transport is None:
            raise NotReached("ReadError")
        self._cap, self._head = cap, 0
        self._begin()
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        try:
            return await self._waiter
        except BaseException:
            self._abandon()
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        """Closes an idle connection."""
        self._kept = False
        if self._transport is not None:
            self._transport.close()

    # --------------------------------------------------------------------------- the transport's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._waiter.done():
            self._abandon()  # nobody asked for this
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._fail(cause if isinstance(cause, WireError) else NotReached("RemoteProtocolError"))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(NotReached("RemoteProtocolError"))
        else:
            if self._complete:
                self._deliver()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport, self._kept = None, False
        # A body without a length ends with its connection. Any other that ends here is torn.
        if self._headers is not None and not self._bounded and exc is None:
            self._deliver()
        else:
            self._fail(NotReached("ReadError" if exc else "RemoteProtocolError"))

    # ------------------------------------------------------------------------------ the parser's

    def _begin(self) -> None:
        self._pairs: list[tuple[str, str]] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._status = 0
        self._headers: Headers | None = None
        self._bounded = True
        self._complete = False

    def on_message_begin(self) -> None:
        if self._complete:
            raise NotReached("RemoteProtocolError")  # a second answer to one question

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value) + 4
        if self._head > _HEAD or len(self._pairs) >= _FIELDS:
            raise NotReached("RemoteProtocolError")
        self._pairs.append((name.decode("latin-1"), value.decode("latin-1").strip()))

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        self._headers = Headers(self._pairs)
        self._bounded = (
            "content-length" in self._headers
            or "transfer-encoding" in self._headers
            or self._status in (204, 304)
        )

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._cap:
            raise TooLarge
        self._parts.append(body)

    def on_message_complete(self) -> None:
        if 100 <= self._status < 200:
            # An interim answer: the real one follows. Its headers count against the same limit.
            self._head += 1_000
            if self._head > _HEAD:
                raise NotReached("RemoteProtocolError")
            self._begin()
            return
        self._complete = True
        self._kept = self._kept and self._parser.should_keep_alive()

    # ------------------------------------------------------------------------------------- ends

    def _deliver(self) -> None:
        if self._waiter is not None and not self._waiter.done() and self._headers is not None:
            self._waiter.set_result((self._status, self._headers, b"".join(self._parts)))
        if not self._kept and self._transport is not None:
            self._transport.close()

    def _fail(self, error: WireError) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
        self._abandon()

    def _abandon(self) -> None:
        self._kept = False
        if self._transport is not None:
            with suppress(OSError):
                self._transport.abort()
