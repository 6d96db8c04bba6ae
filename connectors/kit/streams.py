"""Bodies that are too large to be held: bytes pass through here as they come, and as they go.

A body under way has no deadline as a whole, since its length and the other end's speed decide; but
it may not stand still.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Final

import httpx

from connectors.port.errors import SourceError, TimedOut, Unavailable, Unreadable

#: A body that can be sent again: its bytes from the beginning, anew at each call.
Body = Callable[[], AsyncIterator[bytes]]
#: Told how a body ended: with which failure, and how many of its bytes came.
Ended = Callable[[SourceError | None, int], None]

_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/(?:([0-9]{1,18})|\*)")


class Download:
    """The body of an answer, from byte `first` of a file of `size` bytes on. `chunks` may be walked
    once; `close` lets the connection go, is to be called in any case, and may be called twice.

    idle: seconds that may pass without a byte. ended: told once. Raises Unreadable for an answer
    that says that it is another file, or another part of it.
    """

    def __init__(
        self,
        source: str,
        operation: str,
        response: httpx.Response,
        *,
        size: int,
        first: int,
        idle: float,
        ended: Ended,
    ) -> None:
        self._source, self._operation, self._response = source, operation, response
        self._left, self._idle = max(0, size - first), idle
        self._skip = first - self._begins(size, first)
        self._ended: Ended | None = ended
        self._failure: SourceError | None = None
        self._came = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        """Exactly the bytes that are left. Raises TimedOut where they stand still, Unavailable
        where they break off, and Unreadable where there are more."""
        try:
            body = self._response.aiter_bytes()
            while (chunk := await self._next(body)) is not None:
                self._came += len(chunk)
                kept = chunk[self._skip :]
                self._skip = max(0, self._skip - len(chunk))
                self._left -= len(kept)
                if self._left < 0:
                    raise Unreadable(self._source, f"{self._operation}: the file does not end")
                if kept:
                    yield kept
            if self._left:
                raise Unavailable(self._source, f"{self._operation}: the file broke off")
        except SourceError as error:
            self._failure = error
            raise

    async def close(self) -> None:
        ended, self._ended = self._ended, None
        if ended is None:
            return
        try:
            await self._response.aclose()
        finally:
            ended(self._failure, self._came)

    def _begins(self, size: int, first: int) -> int:
        """The first byte of the answer: whoever knows no ranges sends the whole."""
        headers = self._response.headers
        if self._response.status_code == 206:
            found = _RANGE.fullmatch(headers.get("content-range", ""))
            if found is None or int(found[1]) > first or int(found[2] or size) != size:
                raise self._other()
            return int(found[1])
        length = headers.get("content-length", "")
        plain = "content-encoding" not in headers and length.isascii() and length.isdigit()
        if plain and int(length[:19]) != size:
            raise self._other()
        return 0

    def _other(self) -> Unreadable:
        return Unreadable(self._source, f"{self._operation}: answered with something else")

    async def _next(self, body: AsyncIterator[bytes]) -> bytes | None:
        try:
            async with asyncio.timeout(self._idle):
                return await anext(body, None)
        except (httpx.TimeoutException, TimeoutError):
            raise stood_still(self._source, self._operation, self._idle) from None
        except httpx.DecodingError as error:
            message = f"{self._operation}: answered with a broken content encoding"
            raise Unreadable(self._source, message, detail=str(error)) from None
        except httpx.TransportError as error:
            message = f"{self._operation}: the file broke off"
            raise Unavailable(self._source, message, detail=type(error).__name__) from None


async def moving(body: Body, limit: asyncio.Timeout, idle: float) -> AsyncIterator[bytes]:
    """The bytes of a body that is sent; each chunk that is taken moves the limit on."""
    clock = asyncio.get_running_loop().time
    async for chunk in body():
        limit.reschedule(clock() + idle)
        yield chunk
    limit.reschedule(clock() + idle)


def stood_still(source: str, operation: str, idle: float) -> TimedOut:
    return TimedOut(source, f"{operation}: stood still for {idle:g} s")
