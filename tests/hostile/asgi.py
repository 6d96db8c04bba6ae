"""Puts a request to an ASGI application, without a socket and without a client to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp

from tests.hostile.requests import Sent


@dataclass(frozen=True, slots=True)
class Got:
    """An answer. headers: by name, in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


async def put(app: ASGIApp, sent: Sent) -> Got:
    """The answer to a request."""
    waiting: Iterator[bytes] = iter(sent.parts)
    left = len(sent.parts)
    heard: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal left
        left -= 1
        if left < 0:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": next(waiting), "more_body": left > 0}

    async def send(message: Any) -> None:
        heard.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": sent.query_string,
        "headers": sent.headers,
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8_000),
    }
    await app(scope, receive, send)
    start, *parts = heard
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Got(start["status"], headers, b"".join(part.get("body", b"") for part in parts))
