"""Gives every request an id, in the answer's headers and in each of its log lines."""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.telemetry import request_id

_HEADER = "x-request-id"
#: What a proxy in front may have called the request already.
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIds:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(_HEADER, "")
        identifier = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
        token = request_id.set(identifier)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[_HEADER] = identifier
            await send(message)

        try:
            await self._app(scope, receive, named)
        finally:
            request_id.reset(token)
