"""Answers of routes that are not GraphQL: without a body, or with an error as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.types import Send

from gateway.http.refusals import Refusal


async def send_empty(send: Send, status: int, headers: Mapping[str, str]) -> None:
    """An answer without a body."""
    await send_head(send, status, headers)
    await send({"type": "http.response.body", "body": b""})


async def send_error(
    send: Send,
    error: Refusal | Mapping[str, Any],
    language: str,
    headers: Mapping[str, str],
    *,
    bodiless: bool = False,
) -> None:
    """An error as a GraphQL answer would have it. error: or one that is masked already. bodiless:
    for HEAD."""
    if isinstance(error, Refusal):
        status, told, more = error.status, error.told(language), error.headers
    else:
        status, told, more = 500, dict(error), {}
    body = b"" if bodiless else json.dumps({"errors": [told]}, ensure_ascii=False).encode()
    said = {"content-type": "application/json; charset=utf-8"} if body else {}
    length = {"content-length": str(len(body))}
    await send_head(send, status, {**headers, **said, **length, **more})
    await send({"type": "http.response.body", "body": body})


async def send_head(send: Send, status: int, headers: Mapping[str, str]) -> None:
    """The beginning of an answer."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
