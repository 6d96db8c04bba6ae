"""The short way of an ordinary POST to the graph: its body is there before anybody is asked, and
its answer leaves in one piece, so none of it needs ASGI.

Which requests go this way is seen at their heads. What they are answered is decided by the same
functions as on the way through ASGI.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.http.eager import Eager
from gateway.http.headers import Head, Pair
from gateway.http.replies import Replies, Reply

_log = logging.getLogger("gateway.http")

#: Largest body that is held for a request that waits for its turn, in bytes.
LARGEST: Final = 65_536
_LENGTH: Final = b"content-length"
_LENGTH_LINE: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)\r\n", re.IGNORECASE)
_END: Final = b"\r\n\r\n"
_ZERO: Final = ord("0")
_BROKEN: Final = Reply(
    500,
    (
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"21"),
        (b"connection", b"close"),
    ),
    b"Internal Server Error",
)


class _Nobody:
    """Stands where uvicorn tells an application that something came. Nobody waits for it here."""

    def set(self) -> None:
        pass


class Exchange:
    """A request on this way and what has become of it, with the attributes that uvicorn's protocol
    knows its own by."""

    __slots__ = (
        "body",
        "disconnected",
        "head",
        "keep_alive",
        "more_body",
        "response_complete",
        "response_started",
    )
    message_event: ClassVar = _Nobody()

    def __init__(self, head: Head, *, keep_alive: bool) -> None:
        self.head, self.keep_alive = head, keep_alive
        self.body, self.more_body = b"", True
        self.disconnected = self.response_started = self.response_complete = False


@dataclass(slots=True)
class Opening:
    """How requests of one connection begin that go this way: programs send the same head again and
    again, but for the length of the body. at: where that stands. raw: the bytes before and after
    it, of a head after which the connection stays open."""

    url: bytes
    headers: Sequence[Pair]
    at: int
    head: Head
    raw: tuple[bytes, bytes] | None = None

    def is_that_of(self, url: bytes, headers: Sequence[Pair]) -> bool:
        at, own = self.at, self.headers
        return (
            len(headers) == len(own)
            and headers[at][0] == _LENGTH
            and _is_short(headers[at][1])
            and url == self.url
            and headers[:at] == own[:at]
            and headers[at + 1 :] == own[at + 1 :]
        )

    def learn(self, data: bytes) -> None:
        """Remembers a head by its bytes. data: all that came with the last request, if that was no
        more and no less than one: then it ends where the first empty line has it end."""
        length = self.headers[self.at][1]
        end = data.find(_END) + len(_END)
        found = _LENGTH_LINE.search(data, 0, end)
        if found is not None and found[1] == length and len(data) == end + int(length):
            self.raw = data[: found.start(1)], data[found.end(1) : end]

    def body(self, data: bytes) -> bytes | None:
        """The body, where data is a request that begins so to the byte, and nothing else. To the
        parser it would be the same request again."""
        if self.raw is None:
            return None
        before, after = self.raw
        if not data.startswith(before):
            return None
        at = len(before)
        stop = data.find(b"\r", at, at + 6)
        if stop < 0 or not data.startswith(after, stop):
            return None
        length, start = data[at:stop], stop + len(after)
        if not _is_short(length) or length[0] == _ZERO or len(data) - start != int(length):
            return None
        return data[start:]


class Direct:
    """replies: answers. takes: whether it answers a POST that begins so. path: of the graph."""

    def __init__(self, replies: Replies, takes: Callable[[Head], bool], path: str) -> None:
        self._replies, self._takes, self._path = replies, takes, path.encode()
        self._eager: Eager | None = None

    def opening(
        self, url: bytes, headers: Sequence[Pair], client: tuple[str, int] | None
    ) -> Opening | None:
        """The beginning of a POST of HTTP/1.1, None where it does not go this way."""
        names = [name for name, _ in headers]
        if url != self._path or names.count(_LENGTH) != 1:
            return None
        if b"transfer-encoding" in names or b"expect" in names or b"upgrade" in names:
            return None
        at = names.index(_LENGTH)
        head = Head.read(headers, client)
        if not _is_short(headers[at][1]) or not self._takes(head):
            return None
        return Opening(url, headers, at, head)

    def begin(
        self,
        work: Coroutine[Any, Any, None],
        loop: asyncio.AbstractEventLoop,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        """Begins work on an answer at once."""
        if self._eager is None:
            self._eager = Eager(loop)
        self._eager.begin(work, tasks)

    async def reply(self, exchange: Exchange) -> Reply:
        """The answer to a request that is there as a whole. Raises nothing: a request is never
        without an answer, not even when the gateway stops."""
        try:
            return await self._replies.reply(exchange.head, exchange.body)
        except BaseException as error:  # noqa: BLE001 - as uvicorn does
            return _broken(error)


def _broken(error: BaseException) -> Reply:
    _log.error("a request broke", exc_info=error)
    return _BROKEN


def _is_short(length: bytes) -> bool:
    return len(length) < 6 and length.isdigit() and int(length) <= LARGEST


class TwoWays(HttpToolsProtocol):
    """uvicorn's protocol, which takes the requests that it can the short way. working: whose turn
    it is of those that came on this connection."""

    def __init__(self, direct: Direct | None, **given: Any) -> None:
        super().__init__(**given)
        self.working: Any = None
        self._direct = direct
        self._opening: Opening | None = None
        self._idle_since: float | None = None
        #: Whether the parser stands before a request, of which it has seen nothing.
        self.between = True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()

    def takes_again(self, data: bytes) -> bool:
        """Whether data is a whole request that begins as one before it on this connection, and is
        taken in so: the parser, which stands between two requests, would say what it said then."""
        opening, before = self._opening, self.cycle
        if opening is None or self._direct is None or self.pipeline:
            return False
        if not before.response_complete:
            return False
        body = opening.body(data)
        if body is None:
            return False
        self._unset_keepalive_if_required()
        exchange = Exchange(opening.head, keep_alive=True)
        exchange.body, exchange.more_body = body, False
        self.cycle = self.working = exchange
        # Nothing else came with it, so one packet is one piece of work, and others have their turn.
        self._direct.begin(self._answer(exchange), self.loop, self.tasks)
        return True

    def learn(self, data: bytes) -> None:
        """Remembers how the request began that came last. data: what it came with."""
        opening, exchange = self._opening, self.cycle
        if opening is None or opening.raw is not None or not isinstance(exchange, Exchange):
            return
        if exchange.keep_alive and exchange.head is opening.head:
            opening.learn(data)

    def check_head(self) -> None:
        """Of a request that begins as none before it. Raises to end the connection."""

    def on_message_begin(self) -> None:
        self.between = False
        # The rest of uvicorn's own is only for what goes by ASGI.
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        opening = self._opened()
        if opening is None:
            self._begin_asgi()
            return
        exchange = Exchange(opening.head, keep_alive=self.parser.should_keep_alive())
        before: Any = self.cycle
        self.cycle: Any = exchange
        if before is None or before.response_complete:
            self.working = exchange
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))  # type: ignore[arg-type]

    def on_body(self, body: bytes) -> None:
        if isinstance(self.cycle, Exchange):
            self.cycle.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self.between = True
        cycle = self.cycle
        if not isinstance(cycle, Exchange):
            super().on_message_complete()
            return
        cycle.more_body = False
        if cycle is self.working:
            self._start(cycle)

    def _opened(self) -> Opening | None:
        """How the request begins, where it goes the short way."""
        opening, parser = self._opening, self.parser
        ordinary = parser.get_method() == b"POST" and parser.get_http_version() == "1.1"
        if opening is not None and ordinary and opening.is_that_of(self.url, self.headers):
            return opening
        self.check_head()
        if self._direct is None or not ordinary:
            return None
        self._opening = self._direct.opening(self.url, self.headers, self.client)
        return self._opening

    def _begin_asgi(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        super().on_headers_complete()
        if self.parser.should_upgrade() and not self._should_upgrade():
            self.cycle.keep_alive = False  # the parser takes what follows for another protocol

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.working = cycle
        if not isinstance(cycle, Exchange):
            super()._start_asgi_task(cycle, app)
        elif not cycle.more_body:
            self._start(cycle)

    def _start(self, exchange: Exchange) -> None:
        """Begins work on a request that is whole and has its turn."""
        task = self.loop.create_task(self._answer(exchange))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer(self, exchange: Exchange) -> None:
        assert self._direct is not None  # noqa: S101 - without it there is no exchange
        reply = await self._direct.reply(exchange)
        if self.flow.write_paused and not exchange.disconnected:
            await self.flow.drain()
        if exchange.disconnected:
            return
        exchange.response_started = exchange.response_complete = True
        first = self.server_state.default_headers
        last = reply.closes or not exchange.keep_alive
        try:
            parts = reply.written(first, last=last)
        except ValueError as error:
            last = True
            parts = _broken(error).written(first, last=True)
        if len(parts) == 1:
            self.transport.write(parts[0])
        else:
            self.transport.writelines(parts)  # which is one call to the system too
        if last:
            self.transport.close()
        self.on_response_complete()

    # ------------------------------------------------------------------------------------- turns

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_later(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None  # what was to close it looks at that: a timer a request costs more

    def _look_later(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self._look_if_idle)

    def _look_if_idle(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_later(left)
        else:
            self.timeout_keep_alive_handler()
