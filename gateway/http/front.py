"""The first thing that a request meets: it gets an id, its answer is made safe, and the way to the
graph is short. Everything else goes on to the router."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from random import getrandbits

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.graphql import PATH
from gateway.http.headers import Head, Pair
from gateway.http.replies import Replies, Reply
from gateway.telemetry import request_id

_HEADER, _NAME = "x-request-id", b"x-request-id"
#: What a proxy in front may have called the request already.
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")

#: What every answer says, unless it says otherwise itself: a page that may load and do nothing, in
#: nobody's frame, and whose address goes to nobody.
_SAFE = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_SAFE_NAMES = frozenset(name for name, _ in _SAFE)


class Front:
    """An ASGI application. graphql: answers its own path. sockets: WebSockets. rest: all others,
    and the lifespan. direct: answers what need not go by ASGI."""

    def __init__(self, graphql: ASGIApp, sockets: ASGIApp, rest: ASGIApp, direct: Replies) -> None:
        self._graphql, self._sockets, self._rest = graphql, sockets, rest
        self._direct = direct

    async def reply(self, head: Head, body: bytes) -> Reply:
        """What a request gets that does not come by ASGI."""
        identifier = _identifier(head)
        token = request_id.set(identifier)
        try:
            reply = await self._direct.reply(head, body)
        finally:
            request_id.reset(token)
        reply.headers = safe(reply.headers, identifier)
        return reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._rest(scope, receive, send)
            return
        identifier = _identifier(Head.of(scope))
        token = request_id.set(identifier)

        answered = False

        async def safely(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                message["headers"] = safe(message.get("headers", ()), identifier)
            await send(message)
            answered = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            if scope["type"] == "websocket":
                await self._sockets(scope, receive, send)
            else:
                app = self._graphql if scope["path"] == PATH else self._rest
                await app(scope, receive, safely)
        except Exception:
            # The router raises what it has told and logged already; a half answer is cut off.
            if not answered:
                raise
        finally:
            request_id.reset(token)


def _identifier(head: Head) -> str:
    """What a request is called: as a proxy in front did, or anew."""
    if _HEADER in head.headers:
        for given in head.headers[_HEADER].split(", "):
            if _GIVEN.fullmatch(given):
                return given
    # No secret, only another one each time: asking the system would cost more than all else here.
    return f"{getrandbits(64):016x}"


def safe(headers: Iterable[Pair], identifier: str) -> Sequence[Pair]:
    """The headers of an answer with those that every answer has."""
    found = [*headers, (_NAME, identifier.encode())]
    said = _SAFE_NAMES.intersection([name for name, _ in found])
    found += [pair for pair in _SAFE if pair[0] not in said] if said else _SAFE
    return found
