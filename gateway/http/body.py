"""From an HTTP request to a GraphQL request: what cannot be one gets a clear refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

from gateway.operations.run import Request


class Unacceptable(Exception):
    """A request that is not run. status: of the answer. text: for whoever wrote the client."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.text, self.headers = status, text, dict(headers or {})


async def request_of(http: HttpRequest, max_bytes: int) -> Request:
    """The GraphQL request of a GET or POST. Raises Unacceptable."""
    if http.method == "GET":
        return _shaped(_from_query(http))
    media_type = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Unacceptable(415, "Send the request as application/json.")
    return _shaped(_json(await _body(http, max_bytes)))


def _from_query(http: HttpRequest) -> dict[str, Any]:
    asked: dict[str, Any] = dict(http.query_params)
    for name in ("variables", "extensions"):
        if name in asked:
            asked[name] = _json(asked[name].encode())
    return asked


async def _body(http: HttpRequest, max_bytes: int) -> bytes:
    if http.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unacceptable(415, "Send the body without content encoding.")
    parts, size = [], 0
    try:
        async for part in http.stream():
            size += len(part)
            if size > max_bytes:
                raise Unacceptable(413, f"The body is larger than {max_bytes} bytes.")
            parts.append(part)
    except ClientDisconnect:
        raise Unacceptable(400, "The body broke off.") from None
    return b"".join(parts)


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise Unacceptable(400, "The body is no JSON.") from None


def _shaped(asked: object) -> Request:
    if not isinstance(asked, dict):
        raise Unacceptable(400, "The request must be a JSON object with a `query`.")
    query, name = asked.get("query"), asked.get("operationName")
    variables, extensions = asked.get("variables"), asked.get("extensions")
    if not isinstance(query, str) or not query.strip():
        raise Unacceptable(400, "`query` must be a GraphQL document.")
    if name is not None and not isinstance(name, str):
        raise Unacceptable(400, "`operationName` must be a string.")
    if variables is not None and not isinstance(variables, dict):
        raise Unacceptable(400, "`variables` must be an object.")
    if extensions is not None and not isinstance(extensions, dict):
        raise Unacceptable(400, "`extensions` must be an object.")
    return Request(query, name or None, variables)


def encoded(body: Mapping[str, Any]) -> bytes:
    """A response object as JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
