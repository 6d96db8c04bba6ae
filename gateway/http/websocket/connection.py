"""One connection: its messages in order, its operations side by side, until it ends for one reason
that the client is told."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.types import Receive, Send

from gateway.http.headers import Head
from gateway.http.places import Places
from gateway.http.refusals import Refusal
from gateway.http.streams import Streams, caller_key, ends_at
from gateway.http.websocket import messages
from gateway.http.websocket.messages import Closing
from gateway.operations import errors
from gateway.operations.requests import Outcome, Request, encoded
from gateway.telemetry import request_id

_log = logging.getLogger("gateway.http")

#: Seconds between two looks at whether the token still holds.
_LOOK = 5.0
#: Seconds that a close frame may take on its way out.
_LAST_WORD = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may take. init_seconds: until it says who it is. send_seconds: for one
    message to leave. message_bytes: of one message. burst, per_second: of messages. operations:
    at the same time."""

    init_seconds: float = 10.0
    send_seconds: float = 30.0
    message_bytes: int = 262_144
    burst: int = 100
    per_second: float = 20.0
    operations: int = 50


@dataclass(slots=True)
class _Running:
    """lasts: it is a subscription, which does not end by itself."""

    task: asyncio.Task[None]
    lasts: bool = False


class Connection:
    """A client that speaks graphql-transport-ws. callers: how many connections one may have."""

    def __init__(
        self,
        streams: Streams,
        head: Head,
        receive: Receive,
        send: Send,
        limits: Limits,
        callers: Places,
        clock: Callable[[], datetime],
    ) -> None:
        self._streams, self._head, self._limits = streams, head, limits
        self._receive, self._send = receive, send
        self._callers, self._clock = callers, clock
        self._running: dict[str, _Running] = {}
        self._ended: asyncio.Future[Closing | None] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._initialised = self._acknowledged = self._draining = False
        self._key: str | None = None
        self._watch: asyncio.Task[None] | None = None
        self._budget, self._filled = float(limits.burst), asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Until the connection has ended."""
        reader = asyncio.create_task(self._read())
        late = asyncio.get_running_loop().call_later(self._limits.init_seconds, self._late)
        try:
            closing = await self._ended
            await self._stop(reader)
            if closing is not None:
                await self._close(closing)
        finally:
            late.cancel()
            await self._stop(reader)
            if self._key is not None:
                self._callers.free(self._key)
            self._over.set()

    async def drain(self, seconds: float) -> None:
        """Ends the connection as soon as nothing runs that will end by itself, or after so long."""
        self._draining = True
        ending = [one.task for one in self._running.values() if not one.lasts]
        if ending:
            await asyncio.wait(ending, timeout=seconds)
        # Without `complete`: that would tell clients not to come back.
        self._end(Closing(messages.GOING_AWAY, "Going away: connect again."))
        await self._over.wait()

    def _end(self, closing: Closing | None) -> None:
        """closing: None where the other end is gone."""
        if not self._ended.done():
            self._ended.set_result(closing)

    async def _stop(self, reader: asyncio.Task[None]) -> None:
        tasks = [reader, *(one.task for one in self._running.values())]
        if self._watch is not None:
            tasks.append(self._watch)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _close(self, closing: Closing) -> None:
        message = {"type": "websocket.close", "code": closing.code, "reason": closing.reason}
        try:
            async with asyncio.timeout(_LAST_WORD):
                await self._send(message)
        except (OSError, TimeoutError):
            return  # nobody is there to hear it

    # ------------------------------------------------------------------------------ coming in

    async def _read(self) -> None:
        try:
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    self._end(None)
                    return
                await self._handle(self._text(message))
        except Closing as closing:
            self._end(closing)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told that it ends
            errors.masked(error, "en")
            self._end(Closing(messages.INTERNAL, "Something went wrong on our side."))

    def _text(self, message: Mapping[str, Any]) -> str:
        text = message.get("text")
        if not isinstance(text, str):
            raise Closing(messages.BAD_REQUEST, "Messages must be text.")
        if len(text) > self._limits.message_bytes:
            raise Closing(messages.TOO_BIG, "The message is too big.")
        now = asyncio.get_running_loop().time()
        earned = (now - self._filled) * self._limits.per_second
        self._budget = min(self._limits.burst, self._budget + earned) - 1
        self._filled = now
        if self._budget < 0:
            raise Closing(messages.POLICY, "Too many messages at once.")
        return text

    async def _handle(self, text: str) -> None:
        match messages.read(text):
            case messages.Init(headers):
                await self._init(headers)
            case messages.Ping(payload):
                await self._say({"type": "pong", **({"payload": payload} if payload else {})})
            case messages.Pong():
                pass
            case messages.Subscribe(key, request):
                await self._subscribe(key, request)
            case messages.Complete(key):
                running = self._running.pop(key, None)
                if running is not None:
                    running.task.cancel()

    async def _init(self, headers: Mapping[str, str]) -> None:
        if self._initialised:
            raise Closing(messages.TOO_MANY_INITS, "Too many initialisation requests")
        self._initialised = True
        self._head = messages.renewed(self._head, headers)
        try:
            visitor = await self._streams.receive(self._head)
        except Refusal:
            raise Closing(messages.FORBIDDEN, "Forbidden: the token is not valid.") from None
        key = caller_key(visitor)
        if not self._callers.take(key):
            raise Closing(messages.TRY_LATER, "Too many connections of one caller.")
        self._key = key
        self._watch = asyncio.create_task(self._look_after(ends_at(visitor, self._clock())))
        await self._say({"type": "connection_ack"})
        self._acknowledged = True

    async def _subscribe(self, key: str, request: Request) -> None:
        if not self._acknowledged:
            raise Closing(messages.UNAUTHORIZED, "Unauthorized")
        if key in self._running:
            raise Closing(messages.DUPLICATE, f"Subscriber for {key[:50]} already exists")
        if self._draining:
            return  # the connection is about to end, and the client asks again on the next one
        if len(self._running) >= self._limits.operations:
            text = f"{self._limits.operations} operations run already; this one is too many."
            await self._say_errors(key, [errors.refusal(errors.TOO_MANY_OPERATIONS, text)])
            return
        task = asyncio.create_task(self._operate(key, request))
        self._running[key] = _Running(task)

    def _late(self) -> None:
        if not self._initialised:
            self._end(Closing(messages.TOO_LATE, "Connection initialisation timeout"))

    async def _look_after(self, until: datetime | None) -> None:
        """Ends the connection when its token does."""
        while True:
            left = _LOOK if until is None else (until - self._clock()).total_seconds()
            await asyncio.sleep(max(0.0, min(_LOOK, left)))
            if until is not None and until <= self._clock():
                self._end(Closing(messages.FORBIDDEN, "Forbidden: the token has expired."))
                return
            try:
                await self._streams.still(self._head)
            except Refusal:
                self._end(Closing(messages.FORBIDDEN, "Forbidden: the token has ended."))
                return

    # ------------------------------------------------------------------------------ going out

    async def _operate(self, key: str, request: Request) -> None:
        request_id.set(secrets.token_hex(8))
        try:
            done = await self._answered(key, request)
        except Refusal:
            self._end(Closing(messages.FORBIDDEN, "Forbidden: the token has ended."))
            return
        except Exception as error:  # noqa: BLE001 - nothing a caller sends may end in a stack trace
            done = False
            told = errors.masked(error, self._streams.language(self._head))
            await self._last(key, {"type": "error", "payload": [told]})
        if done:
            await self._last(key, {"type": "complete"})

    async def _answered(self, key: str, request: Request) -> bool:
        """Whether the operation came to its end, of which the client is to be told still."""
        visitor = await self._streams.receive(self._head)
        async with self._streams.opened(visitor, self._head, request) as answer:
            if isinstance(answer, Outcome):
                return await self._tell(key, answer)
            if key in self._running:
                self._running[key].lasts = True
            async for outcome in answer:
                if not await self._tell(key, outcome):
                    return False
            return True

    async def _tell(self, key: str, outcome: Outcome) -> bool:
        if outcome.started:
            await self._say({"id": key, "type": "next", "payload": outcome.body})
            return True
        await self._last(key, {"type": "error", "payload": outcome.body["errors"]})
        return False

    async def _last(self, key: str, message: Mapping[str, Any]) -> None:
        """The last that is said of an operation; its id is free before the client knows it."""
        running = self._running.get(key)
        if running is None or running.task is not asyncio.current_task():
            return  # the client has said that it listens no more
        del self._running[key]
        await self._say({"id": key, **message})

    async def _say_errors(self, key: str, told: list[dict[str, Any]]) -> None:
        await self._say({"id": key, "type": "error", "payload": told})

    async def _say(self, message: Mapping[str, Any]) -> None:
        text = encoded(message).decode()
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._send({"type": "websocket.send", "text": text})
        except TimeoutError:
            _log.warning("a client that takes nothing in was dropped")
            self._end(Closing(messages.POLICY, "Too slow."))
            raise asyncio.CancelledError from None
        except OSError:
            self._end(None)
            raise asyncio.CancelledError from None
