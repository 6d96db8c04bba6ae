"""Which pages of other origins may ask from a browser, and what they may send and read."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message

from gateway.http.headers import Head
from gateway.http.preflight import HEADERS
from gateway.http.replies import Replies, Reply

#: What a page may send beyond what every page may.
_SENT = (
    "authorization",
    "content-type",
    "portal-acting-for",
    "portal-cost",
    "range",
    "tus-resumable",
    "upload-checksum",
    "upload-offset",
    "x-request-id",
    *HEADERS,
)
#: What a page may read of an answer beyond what every page may.
_READ = (
    "accept-ranges",
    "content-disposition",
    "content-range",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "tus-extension",
    "tus-max-size",
    "tus-resumable",
    "tus-version",
    "upload-expires",
    "upload-length",
    "upload-offset",
    "x-request-id",
)
#: Seconds that a browser may remember this.
_REMEMBERED = 7_200


class OpenedTo(CORSMiddleware):
    """An application and its direct way, open to pages of these origins. Callers prove themselves
    by a header, never by a cookie, so no credentials of the browser are let in."""

    def __init__(self, origins: Sequence[str], app: ASGIApp, direct: Replies) -> None:
        super().__init__(
            app,
            allow_origins=list(origins),
            allow_methods=("GET", "HEAD", "POST", "PATCH", "DELETE"),
            allow_headers=_SENT,
            expose_headers=_READ,
            max_age=_REMEMBERED,
        )
        self._direct = direct

    async def reply(self, head: Head, body: bytes) -> Reply:
        """An answer with what a browser has to hear about it."""
        reply = await self._direct.reply(head, body)
        start: Message = {"type": "http.response.start", "headers": list(reply.headers)}
        await self.send(start, _nowhere, Headers(head.headers))
        reply.headers = start["headers"]
        return reply


async def _nowhere(message: Message) -> None:
    """The answer is sent by whoever asked for it."""
