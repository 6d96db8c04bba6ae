"""An answer in parts as `multipart/mixed`, each as soon as it is there.

https://specs.apollo.dev/incremental/v0.2/
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import Final

from starlette.types import Receive, Send

from gateway.http.streams import disconnected
from gateway.operations import errors
from gateway.operations.parts import InParts, Part, last
from gateway.operations.requests import Outcome, encoded

#: Seconds that all parts may take to be made and to leave, and the last word after that.
SECONDS: Final = 30.0
_LAST_WORD: Final = 5.0

_HEADERS: Final = (
    (b"content-type", b'multipart/mixed; boundary="-"; incrementalSpec=v0.2'),
    (b"cache-control", b"no-store"),
    # Proxies of the nginx family would keep parts until they have a page of them.
    (b"x-accel-buffering", b"no"),
    (b"vary", b"Accept, Accept-Language, Authorization"),
)
# Clients read a part when the boundary after it has come, so that goes along.
_BOUNDARY: Final = b"\r\n---"
_HEAD: Final = b"\r\ncontent-type: application/json; charset=utf-8\r\n\r\n"
_END: Final = b"--\r\n"


async def send_parts(asked: InParts, receive: Receive, send: Send) -> Outcome | None:
    """Runs a query and sends its answer in parts; an answer that has none is given back, to be sent
    as any other. The work ends when the client leaves."""
    gone = asyncio.create_task(disconnected(receive))
    work = asyncio.create_task(_sent(asked, send))
    try:
        await asyncio.wait({gone, work}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        gone.cancel()
        work.cancel()
        await asyncio.gather(gone, work, return_exceptions=True)


async def _sent(asked: InParts, send: Send) -> Outcome | None:
    until = asyncio.get_running_loop().time() + SECONDS
    begun = False
    try:
        async with aclosing(asked.parts()) as parts:
            while True:
                async with asyncio.timeout_at(until):
                    part = await anext(parts)
                    if isinstance(part, Outcome):
                        return part
                    if not begun:
                        begun = True
                        await _begin(asked, send)
                    await _put(part, send)
                if not part["hasNext"]:
                    return None
    except TimeoutError as late:
        told = errors.masked(late, asked.context.language)
        if not begun:
            return Outcome.failed(told, 500)
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LAST_WORD):
                await _put(last(told), send)
    except OSError:
        pass  # nobody reads it any more
    return None


async def _begin(asked: InParts, send: Send) -> None:
    more = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in asked.headers.items()
    ]
    headers = [*_HEADERS, *more]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BOUNDARY, "more_body": True})


async def _put(part: Part, send: Send) -> None:
    body = _HEAD + encoded(part) + _BOUNDARY
    more: bool = part["hasNext"]
    await send(
        {"type": "http.response.body", "body": body if more else body + _END, "more_body": more}
    )
