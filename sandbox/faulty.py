"""Every answer of the sandbox passes through here, to leave late, broken or never, as asked."""

from __future__ import annotations

import asyncio
import json
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import Faults

_SLOW_PIECES: Final = 20
_MAINTENANCE: Final = (
    b"<!DOCTYPE html><html><head><title>Down for maintenance</title></head>"
    b"<body><h1>We are down for maintenance</h1><p>Please come back later.</p></body></html>"
)


class Faulty:
    """ASGI middleware that makes one part late, down, silent or broken as its faults say."""

    def __init__(self, app: ASGIApp, part: str, faults: Faults) -> None:
        self._app = app
        self._part = part
        self._faults = faults.of(part)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        faults = self._faults
        if faults.latency:
            await asyncio.sleep(faults.latency)
        if faults.take("hang"):
            await _until_gone(receive)
            return
        html, status = faults.html, faults.status
        if faults.take("html"):
            await _answer(send, html, b"text/html; charset=utf-8", _MAINTENANCE, self._retry(html))
        elif faults.take("status"):
            body = json.dumps(_error_body(self._part, status)).encode()
            await _answer(send, status, b"application/json", body, self._retry(status))
        else:
            await self._app(scope, receive, self._distorted(send))

    def _retry(self, status: int) -> int | None:
        # The CRM vendor names no time to come back; the other two sit behind proxies that do.
        if self._faults.retry_after is not None or self._part == "crm":
            return self._faults.retry_after
        return 1 if status in (429, 503) else None

    def _distorted(self, send: Send) -> Send:
        slow = self._faults.slow
        if self._faults.take("truncated"):
            return _Truncating(send)
        if self._faults.take("slow"):
            return _Slow(send, slow)
        return send


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(
    send: Send, status: int, kind: bytes, body: bytes, retry_after: int | None
) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _error_body(part: str, status: int) -> object:
    text = f"The server answered {status} because the sandbox was asked to."
    if part == "crm":
        code = "SERVER_UNAVAILABLE" if status == 503 else "UNKNOWN_EXCEPTION"
        return [{"message": text, "errorCode": code}]
    if part == "erp":
        message = {"lang": "en", "value": text}
        return {"error": {"code": f"SANDBOX/{status}", "message": message}}
    return {"code": "sandbox_fault", "message": text, "data": {"status": status}}


class _Truncating:
    """Promises the whole body in Content-Length and sends the first half of it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False) or self._start is None:
            return
        headers = [one for one in self._start["headers"] if one[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(self._body)).encode()))
        await self._send({**self._start, "headers": headers})
        half = bytes(self._body[: len(self._body) // 2])
        await self._send({"type": "http.response.body", "body": half})


class _Slow:
    """Lets every body trickle, in even pieces, over the seconds given."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._pause = seconds / _SLOW_PIECES

    async def __call__(self, message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or not body:
            await self._send(message)
            return
        size = max(1, -(-len(body) // _SLOW_PIECES))
        for at in range(0, len(body), size):
            await asyncio.sleep(self._pause)
            last = at + size >= len(body)
            more = not last or message.get("more_body", False)
            piece = body[at : at + size]
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})
