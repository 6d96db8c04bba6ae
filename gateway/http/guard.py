"""The first thing that bytes meet: what takes too long, is too large or can be read in two ways is
refused here, before there is a request.

uvicorn waits for a head or a body as long as it takes; these protocols do not.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.http.direct import Direct, TwoWays
from gateway.http.places import Places
from gateway.operations import errors

_log = logging.getLogger("gateway.http")

#: Bytes of a body's framing that may come, beside so many for each byte of the body.
_FRAMING, _FRAMING_A_BYTE = 32_768, 8
#: What the WebSocket library takes of one header.
_LONGEST_OF_HANDSHAKE = 8_000


class ConnectionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one process takes of its clients. most: open at once. per_address: of one address that
    is no trusted proxy. head_seconds: for a request's head to come. body_seconds: after which a
    body must come steadily. send_seconds: for a client to take in anything of an answer.
    keep_alive_seconds: until a connection that nothing is asked on is closed."""

    most: Annotated[int, msgspec.Meta(ge=1)] = 4_000
    per_address: Annotated[int, msgspec.Meta(ge=1)] = 300
    head_seconds: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    body_seconds: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    send_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    keep_alive_seconds: Annotated[int, msgspec.Meta(ge=1)] = 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection may take. head_seconds: until a request's head is there, from the first
    byte of the connection or of the request. head_bytes, headers: of a head. body_seconds: the time
    after which a body has to come with at least body_rate bytes a second, whenever somebody reads
    it. send_seconds: for a client to take in anything of an answer. pipelined: requests that may
    wait for their turn."""

    head_seconds: float = 10.0
    head_bytes: int = 32_768
    headers: int = 100
    body_seconds: float = 10.0
    body_rate: int = 1_000
    send_seconds: float = 30.0
    pipelined: int = 16


@dataclass(frozen=True, slots=True)
class Guard:
    """What all connections of a server share. peers: how many there may be, and of one address.
    exempt: addresses that may have as many as there are, since they are proxies of ours. direct:
    answers what need not go by ASGI."""

    bounds: Bounds
    peers: Places
    exempt: Callable[[str], bool] = field(default=lambda address: False)
    direct: Direct | None = None

    def http(self, **given: Any) -> GuardedHttp:
        """A protocol for one connection, as uvicorn makes it."""
        return GuardedHttp(self, **given)

    def websocket(self, **given: Any) -> GuardedWebSocket:
        """The same for a connection that became a WebSocket."""
        return GuardedWebSocket(self, **given)


class _Seat:
    """A connection's place among all."""

    def __init__(self, guard: Guard) -> None:
        self._peers, self._exempt = guard.peers, guard.exempt
        self._key: str | None = None

    def take(self, transport: asyncio.BaseTransport, key: int) -> bool:
        address = (get_remote_addr(transport) or ("-", 0))[0]  # type: ignore[arg-type]
        wanted = f"{address} {key}" if self._exempt(address) else address
        if not self._peers.take(wanted):
            return False
        self._key = wanted
        return True

    def free(self) -> None:
        if self._key is not None:
            self._peers.free(self._key)
            self._key = None


class _SlowReader:
    """Drops a connection whose client takes nothing in."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def waits(self, drop: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._late, drop)

    def goes_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self, drop: Callable[[], None]) -> None:
        _log.warning("a client that takes nothing in was dropped")
        drop()


class GuardedHttp(TwoWays):
    """uvicorn's protocol, and the short way beside it, with bounds."""

    def __init__(self, guard: Guard, **given: Any) -> None:
        super().__init__(guard.direct, **given)
        self._bounds = guard.bounds
        self._seat, self._slow = _Seat(guard), _SlowReader(guard.bounds.send_seconds)
        self._timer: asyncio.TimerHandle | None = None
        self._in_head = True
        self._head_bytes = self._body_bytes = self._recent_bytes = self._wire_bytes = 0
        self._refused = False

    # ------------------------------------------------------------------------------- connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._seat.take(transport, id(self)):
            self._refuse(503, "Too many connections. Try again later.", retry=True)
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self._slow.goes_on()
        self._seat.free()
        self._leave()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._slow.waits(self._drop)

    def resume_writing(self) -> None:
        self._slow.goes_on()
        super().resume_writing()

    def handle_websocket_upgrade(self) -> None:
        self._stop()
        self._slow.goes_on()
        self._seat.free()  # the next protocol takes it
        super().handle_websocket_upgrade()

    # ------------------------------------------------------------------------------------- bytes

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        between = self.between
        if between and self.takes_again(data):
            return
        if self._in_head:
            self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self._refuse(400, "This is no HTTP request.")
        else:
            self._count(len(data))
            if between and self.between:
                self.learn(data)

    def _count(self, size: int) -> None:
        """What came and is not a whole request yet."""
        if self._refused:
            return
        if self._in_head:
            if self._head_bytes > self._bounds.head_bytes:
                self._refuse(431, "The head of the request is too large.")
            elif self._head_bytes and self._timer is None:
                self._await_head()
            return
        if self._timer is None:
            self._later(self._bounds.body_seconds, self._look_at_body)
        self._wire_bytes += size
        if self._wire_bytes - self._body_bytes > _FRAMING + _FRAMING_A_BYTE * self._body_bytes:
            self._refuse(400, "The body has more framing than content.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            self._refuse(400, "Headers after the body are not taken.")
            raise _RefusedError
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._stop()
        super().on_headers_complete()
        if len(self.pipeline) > self._bounds.pipelined:
            self._refuse(429, "Too many requests wait on one connection.")
            raise _RefusedError
        self._body_bytes = self._recent_bytes = self._wire_bytes = 0

    def check_head(self) -> None:
        wrong = self._wrong()
        if wrong is not None:
            self._refuse(*wrong)
            raise _RefusedError

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._recent_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop()
        self._in_head, self._head_bytes = True, 0
        super().on_message_complete()

    # ------------------------------------------------------------------------------------ bounds

    def _wrong(self) -> tuple[int, str] | None:
        """What of a whole head is against the bounds, or may be read in two ways."""
        if len(self.headers) > self._bounds.headers:
            return 431, "The request has too many headers."
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self._bounds.head_bytes:
            return 431, "The head of the request is too large."
        version, names = self.parser.get_http_version(), [name for name, _ in self.headers]
        if version not in ("1.0", "1.1"):
            return 505, "Speak HTTP/1.1."
        hosts = names.count(b"host")
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            return 400, "The request must name one host."
        lengths = names.count(b"content-length") + names.count(b"transfer-encoding")
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        if lengths > 1 or (codings and version == "1.0"):
            return 400, "The length of the body is told in two ways."
        if codings and codings[0].strip().lower() != b"chunked":
            return 501, "Send the body chunked, or tell its length."
        return self._wrong_upgrade(lengths) if self.parser.should_upgrade() else None

    def _wrong_upgrade(self, lengths: int) -> tuple[int, str] | None:
        if self.parser.get_method() != b"GET" or lengths:
            return 400, "A request for another protocol must be a GET without a body."
        longest = max(len(name) + len(value) for name, value in self.headers)
        if self._should_upgrade() and longest > _LONGEST_OF_HANDSHAKE:
            return 431, "A header is too large for a WebSocket."
        return None

    def _await_head(self) -> None:
        self._later(self._bounds.head_seconds, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._is_answering():
            return
        if self._head_bytes == 0:
            self.transport.close()  # nothing was begun, so there is nothing to answer
        else:
            self._refuse(408, "The request took too long.")

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _look_at_body(self) -> None:
        """Again and again while a body comes. What nobody reads yet may wait."""
        self._timer = None
        least = self._bounds.body_rate * self._bounds.body_seconds
        if not self.flow.read_paused and self._recent_bytes < least:
            self._too_slow()
            return
        self._recent_bytes = 0
        self._later(self._bounds.body_seconds, self._look_at_body)

    def _too_slow(self) -> None:
        if self.cycle.response_started:
            self._drop()
        else:
            self._refuse(408, "The body took too long.")

    def _leave(self) -> None:
        """Whoever works on a request hears that the client is gone. uvicorn tells only the last
        request of several that wait for their turn."""
        for cycle in (self.working, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()

    def _drop(self) -> None:
        self._leave()
        self.transport.abort()

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, what)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int, text: str, *, retry: bool = False) -> None:
        """Answers and closes; nothing more is read."""
        self._refused = True
        self._stop()
        if self.transport.is_closing():
            return
        if self._is_answering() and (self.cycle.response_started or self.pipeline):
            self.transport.close()  # an answer here would be taken for that to another request
            return
        self._leave()
        body = json.dumps({"errors": [errors.refusal(errors.BAD_REQUEST, text)]}).encode()
        head = [
            STATUS_LINE[status],
            b"content-type: application/json; charset=utf-8\r\n",
            b"content-length: %d\r\n" % len(body),
            b"cache-control: no-store\r\n",
            *([b"retry-after: 10\r\n"] if retry else []),
            b"connection: close\r\n\r\n",
        ]
        self.transport.write(b"".join([*head, body]))
        self.transport.close()


class _RefusedError(Exception):
    """Ends the parsing of a request that was answered already."""


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol with bounds."""

    def __init__(self, guard: Guard, **given: Any) -> None:
        super().__init__(**given)
        self._seat, self._slow = _Seat(guard), _SlowReader(guard.bounds.send_seconds)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._seat.take(transport, id(self)):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._slow.goes_on()
        self._seat.free()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._slow.waits(self.transport.abort)

    def resume_writing(self) -> None:
        self._slow.goes_on()
        super().resume_writing()
