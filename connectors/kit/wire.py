"""One exchange of bytes with a system: what is sent, what comes back, and httpx as one way to it.

`connectors.kit.sockets` is the other way, for the network. This one stands on whatever httpx
transport it is given, as tests do, and bodies of files pass through httpx always.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import httpx

#: What every call says of itself; a call may say otherwise.
DEFAULT_HEADERS: Mapping[str, str] = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": "portal-gateway",
}


class Headers(dict[str, str]):
    """Of an answer. Names are lower case; values of one name are joined by a comma, as RFC 9110
    5.3 allows for all but cookies: `get_list` has each value by itself."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = [(name.lower(), value) for name, value in pairs]
        super().__init__(self._pairs)
        if len(self) < len(self._pairs):
            for name in self:
                self[name] = ", ".join(self.get_list(name))

    def get_list(self, name: str) -> list[str]:
        """Each value of a name, which is lower case."""
        return [value for known, value in self._pairs if known == name]


@dataclass(slots=True)
class Outgoing:
    """What is sent. url: absolute, percent-encoded or not. headers: lower-case names."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None


@dataclass(slots=True)
class Incoming:
    """A complete answer, its content encoding undone."""

    status: int
    headers: Headers
    body: bytes


class WireError(Exception):
    """No answer, or none that can be read."""


class TimedOutOnWire(WireError):
    """No connection within its time."""


class NotReached(WireError):
    """No connection, or one that ended or spoke something else than HTTP."""


class TooLarge(WireError):
    """The body is larger than the cap."""


class BadEncoding(WireError):
    """The content encoding is broken, or none that was asked for."""


class Wire(Protocol):
    """A way to a system. exchange: raises WireError, UnicodeEncodeError for a header or an address
    that cannot be written; cap is of the decoded body, in bytes."""

    async def exchange(self, request: Outgoing, cap: int) -> Incoming: ...

    async def close(self) -> None: ...


class HttpxWire:
    """httpx, by a client that somebody else closes."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def exchange(self, request: Outgoing, cap: int) -> Incoming:
        with httpx_errors():
            built = self._client.build_request(
                request.method, request.url, headers=request.headers, content=request.body
            )
            return await whole(await self._client.send(built, stream=True), cap)

    async def close(self) -> None:
        return None


@contextmanager
def httpx_errors() -> Iterator[None]:
    """What goes wrong with httpx, as a WireError."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise TimedOutOnWire(type(error).__name__) from None
    except httpx.DecodingError as error:
        raise BadEncoding(str(error)) from None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise NotReached(type(error).__name__) from None


async def whole(response: httpx.Response, cap: int) -> Incoming:
    """The answer with its body, and closed. Raises TooLarge, and what httpx raises."""
    parts, size = [], 0
    try:
        async for part in response.aiter_bytes():
            size += len(part)
            if size > cap:
                raise TooLarge
            parts.append(part)
    finally:
        await response.aclose()
    headers = Headers(response.headers.multi_items())
    return Incoming(response.status_code, headers, b"".join(parts))


def unpacked(body: bytes, encodings: str, cap: int) -> bytes:
    """The body without its content encodings, a header's value. Raises BadEncoding, TooLarge."""
    names = [name.strip().lower() for name in encodings.split(",")]
    for name in reversed(names):
        if name in ("", "identity"):
            continue
        if name not in ("gzip", "x-gzip", "deflate"):
            raise BadEncoding("an encoding that was not asked for")
        body = _inflated(body, name, cap)
    return body


def _inflated(body: bytes, name: str, cap: int) -> bytes:
    # 32: finds out whether it is gzip or zlib; "deflate" is bare at some servers. RFC 9110, 8.4.1.
    bare = name == "deflate" and not (body[:1] == b"\x78" and int.from_bytes(body[:2]) % 31 == 0)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)
    try:
        found = inflater.decompress(body, cap + 1)
    except zlib.error as error:
        raise BadEncoding(str(error)) from None
    if len(found) > cap:
        raise TooLarge
    if not inflater.eof and body:
        raise BadEncoding("it breaks off")
    return found
