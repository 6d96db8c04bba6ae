"""GraphQL as server-sent events: one stream for each operation, which is what clients of
graphql-sse call the mode of distinct connections.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.types import Receive, Send

from gateway.http.headers import Head
from gateway.http.places import Places
from gateway.http.reception import expired
from gateway.http.refusals import Refusal
from gateway.http.streams import Streams, caller_key, disconnected, ends_at
from gateway.operations.requests import Outcome, Request, encoded

#: Seconds of silence after which a comment keeps proxies from closing the stream, and within which
#: the end of a token is noticed.
_HEARTBEAT = 10.0
#: Seconds that one event may take to leave.
_SEND = 30.0

_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Proxies of the nginx family would keep events until they have a page of them.
    (b"x-accel-buffering", b"no"),
    (b"vary", b"Accept, Accept-Language, Authorization"),
)
_COMMENT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


class EventStreams:
    """Answers by streams of events. callers: how many streams one may have at once. heartbeat:
    seconds between signs of life. send_seconds: for one event to leave."""

    def __init__(
        self,
        streams: Streams,
        callers: Places,
        clock: Callable[[], datetime],
        heartbeat: float = _HEARTBEAT,
        send_seconds: float = _SEND,
    ) -> None:
        self._streams, self._callers, self._clock = streams, callers, clock
        self._heartbeat, self._send_seconds = heartbeat, send_seconds
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Ends all streams. Without `complete`: that would tell clients not to come back."""
        self._draining.set()

    async def answer(
        self, head: Head, request: Request, receive: Receive, send: Send
    ) -> Outcome | None:
        """Sends the answer. What was not run is given back, to be sent as any other refusal is.
        Raises Refusal before anything is sent."""
        visitor = await self._streams.receive(head)
        key = caller_key(visitor)
        if self._draining.is_set():
            raise Refusal(503, "The gateway is stopping. Try again.")
        if not self._callers.take(key):
            raise Refusal(429, "Too many streams of one caller.", headers={"retry-after": "10"})
        try:
            async with self._streams.opened(visitor, head, request) as answer:
                if isinstance(answer, Outcome) and not answer.started:
                    return answer
                with contextlib.suppress(OSError, TimeoutError):
                    await _begin(send)
                    if isinstance(answer, Outcome):
                        await self._put(send, _next(answer) + _COMPLETE, last=True)
                    else:
                        told = _Told(head, ends_at(visitor, self._clock()), answer)
                        await self._tell(told, receive, send)
        finally:
            self._callers.free(key)
        return None

    async def _tell(self, told: _Told, receive: Receive, send: Send) -> None:
        """Every answer as it comes, until one of four ends: of the answers, of the token, of the
        client and of the gateway."""
        gone = asyncio.create_task(disconnected(receive))
        stopping = asyncio.create_task(self._draining.wait())
        coming: asyncio.Task[Outcome | None] | None = None
        try:
            while True:
                coming = coming or asyncio.create_task(_following(told.answers))
                await asyncio.wait(
                    {coming, gone, stopping},
                    timeout=self._pause(told),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if gone.done():
                    return
                if stopping.done():
                    await self._put(send, b"", last=True)
                    return
                if not coming.done():
                    await self._still(told)
                    await self._put(send, _COMMENT)
                    continue
                outcome, coming = coming.result(), None
                await self._put(send, _next(outcome) if outcome else b"")
                if outcome is None or not outcome.started:
                    break
            await self._put(send, _COMPLETE, last=True)
        except Refusal as refused:
            language = self._streams.language(told.head)
            outcome = Outcome.failed(refused.told(language), refused.status)
            await self._put(send, _next(outcome) + _COMPLETE, last=True)
        finally:
            tasks = [task for task in (coming, gone, stopping) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _put(self, send: Send, part: bytes, *, last: bool = False) -> None:
        async with asyncio.timeout(self._send_seconds):
            await send({"type": "http.response.body", "body": part, "more_body": not last})

    def _pause(self, told: _Told) -> float:
        if told.until is None:
            return self._heartbeat
        left = (told.until - self._clock()).total_seconds()
        return min(self._heartbeat, left) if left > 0 else self._heartbeat

    async def _still(self, told: _Told) -> None:
        """Raises Refusal when the token has ended."""
        if told.until is not None and told.until <= self._clock():
            raise expired()
        await self._streams.still(told.head)


@dataclass(slots=True)
class _Told:
    """A stream that is open. until: when its token ends, None when it had ended before, as far as
    this clock knows, or there is none."""

    head: Head
    until: datetime | None
    answers: AsyncIterator[Outcome]


async def _following(answers: AsyncIterator[Outcome]) -> Outcome | None:
    return await anext(answers, None)


async def _begin(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})


def _next(outcome: Outcome) -> bytes:
    return b"event: next\ndata: " + encoded(outcome.body) + b"\n\n"
