"""Lets WebSocket connections in: from pages that may, in our subprotocol, as many as there is room
for; and lets them go when the gateway stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send

from gateway.http.graphql import PATH
from gateway.http.headers import Head
from gateway.http.origins import Origins
from gateway.http.places import Places
from gateway.http.streams import Streams
from gateway.http.websocket.connection import Connection, Limits
from gateway.http.websocket.messages import NOT_OUR_PROTOCOL, PROTOCOL
from gateway.operations import errors
from gateway.operations.requests import encoded

#: What clients of before ask for; it is named in the answer only so that they can be told.
_LEGACY = "graphql-ws"


class WebSocketRoute:
    """An ASGI application. addresses: how many connections there may be, and of one address.
    callers: the same of one caller. pages: origins of other sites that may connect."""

    def __init__(
        self,
        streams: Streams,
        origins: Origins,
        limits: Limits,
        addresses: Places,
        callers: Places,
        clock: Callable[[], datetime],
        pages: Collection[str] = (),
    ) -> None:
        self._streams, self._origins, self._limits = streams, origins, limits
        self._addresses, self._callers = addresses, callers
        self._clock, self._pages = clock, frozenset(pages)
        self._open: set[Connection] = set()
        self._draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        head = Head.of(scope)
        if scope["path"] != PATH:
            await _refuse(scope, send, 404, "There is nothing here.")
        elif not _may_connect(head, self._pages):
            await _refuse(scope, send, 403, "Pages of this origin may not connect.")
        elif self._draining:
            await _refuse(scope, send, 503, "The gateway is stopping. Try again.")
        else:
            address = self._origins.address(head)
            if not self._addresses.take(address):
                await _refuse(scope, send, 503, "Too many connections. Try again later.")
                return
            try:
                await self._accepted(scope, head, receive, send)
            finally:
                self._addresses.free(address)

    async def drain(self, seconds: float) -> None:
        """Lets no more connections in, and ends those that are there; those that wait for an answer
        get it, within so long."""
        self._draining = True
        await asyncio.gather(*(connection.drain(seconds) for connection in tuple(self._open)))

    async def _accepted(self, scope: Scope, head: Head, receive: Receive, send: Send) -> None:
        asked = scope.get("subprotocols", ())
        if PROTOCOL not in asked:
            await send(_accept(_LEGACY if _LEGACY in asked else None))
            reason = "Subprotocol not acceptable: use graphql-transport-ws."
            await send({"type": "websocket.close", "code": NOT_OUR_PROTOCOL, "reason": reason})
            return
        await send(_accept(PROTOCOL))
        connection = Connection(
            self._streams, head, receive, send, self._limits, self._callers, self._clock
        )
        self._open.add(connection)
        try:
            await connection.run()
        finally:
            self._open.discard(connection)


def _accept(subprotocol: str | None) -> dict[str, object]:
    return {"type": "websocket.accept", "subprotocol": subprotocol, "headers": []}


def _may_connect(head: Head, pages: Collection[str]) -> bool:
    """Whether the page that connects is one of ours: browsers always say which it is, and connect
    to any site for any page."""
    origin = head.headers.get("origin")
    if origin is None or origin in pages or "*" in pages:
        return True
    return urlsplit(origin).netloc.lower() == head.headers.get("host", "").lower() != ""


async def _refuse(scope: Scope, send: Send, status: int, text: str) -> None:
    """Before it is accepted, so it is HTTP still."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": text})
        return
    body = encoded({"errors": [errors.refusal(errors.BAD_REQUEST, text)]})
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
