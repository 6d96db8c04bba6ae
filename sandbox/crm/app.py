"""The CRM on HTTP: reads requests, lets the right callers in, and writes the vendor's answers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox.crm.api import DAILY_CALLS, VERSIONS, Api, versions
from sandbox.crm.calls import Answer, Blob, Call, Download
from sandbox.crm.errors import Refusal, not_found
from sandbox.crm.multipart import Multipart
from sandbox.crm.session import Session
from sandbox.database import Database
from sandbox.faults import Faults

LONGEST_ADDRESS: Final = 16_384
LARGEST_JSON: Final = 50 * 1024 * 1024
LARGEST_FILE: Final = 2 * 1024 * 1024 * 1024
_BATCH_SIZE: Final = re.compile(r"\bbatchSize\s*=\s*(\d{1,6})")
_METHODS: Final = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]
_BAD_GATEWAY: Final = "<html><head><title>502 Bad Gateway</title></head></html>"
_EXPIRED: Final = Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
_OVER_QUOTA: Final = Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def app(database: Database, faults: Faults, clock: Callable[[], datetime]) -> Starlette:
    """Everything below `/services`. clock: what time it is, with a zone."""
    server = _Server(database, faults, clock)
    return Starlette(
        routes=[
            Route("/services/oauth2/token", server.token, methods=["POST"]),
            Route("/services/data", server.versions, methods=["GET"]),
            Route("/services/data/", server.versions, methods=["GET"]),
            Route("/services/{rest:path}", server.data, methods=_METHODS),
        ]
    )


class _Server:
    def __init__(self, database: Database, faults: Faults, clock: Callable[[], datetime]) -> None:
        self._api = Api(database, faults.crm, clock)
        self._connection = database.connection
        self._faults = faults.crm
        self._clock = clock
        self._session = Session()

    async def token(self, request: Request) -> Response:
        try:
            pairs = parse_qsl((await _body(request, 65_536)).decode(errors="replace"))
        except Refusal as refusal:
            return _json(Answer(refusal.status, refusal.body()))
        origin = f"{request.url.scheme}://{request.url.netloc}"
        authorization = request.headers.get("authorization", "")
        status, body = self._session.grant(dict(pairs), authorization, origin, self._clock())
        return _json(Answer(status, body, {"Cache-Control": "no-store"}))

    async def versions(self, _: Request) -> Response:
        return _json(Answer(200, versions()))

    async def data(self, request: Request) -> Response:
        query = request.scope.get("query_string", b"")
        raw = request.scope.get("raw_path") or request.url.path.encode()
        if len(raw) + len(query) > LONGEST_ADDRESS:
            return Response(
                "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>",
                414,
                media_type="text/html",
            )
        before = self._connection.total_changes
        try:
            answer = self._counted(await self._admitted(request, raw, query))
            if self._connection.total_changes != before and self._faults.take("cut"):
                return Response(_BAD_GATEWAY, 502, media_type="text/html")
            return _json(answer)
        except Refusal as refusal:
            return _json(self._counted(Answer(refusal.status, refusal.body())))

    async def _admitted(self, request: Request, raw: bytes, query: bytes) -> Answer:
        if self._faults.take("expire"):
            self._session.expire()
            raise _EXPIRED
        if not self._session.admits(request.headers.get("authorization", "")):
            raise _EXPIRED
        if self._faults.take("quota"):
            self._api.used = max(self._api.used, DAILY_CALLS)
            raise _OVER_QUOTA
        self._api.used += 1
        call = await _call(request, raw, query)
        try:
            return self._api.handle(call)
        finally:
            if call.blob is not None:
                call.blob.file.close()

    def _counted(self, answer: Answer) -> Answer:
        if answer.status == 401:
            return answer
        usage = f"api-usage={self._api.used}/{DAILY_CALLS}"
        headers = {**answer.headers, "Sforce-Limit-Info": usage}
        return Answer(answer.status, answer.body, headers)


async def _call(request: Request, raw: bytes, query: bytes) -> Call:
    """The call that a request makes. Raises Refusal for what cannot be read."""
    # Split before decoding, so that a key with a slash in it stays one piece.
    pieces = [unquote(one) for one in raw.decode("latin-1").split("?")[0].rstrip("/").split("/")]
    if pieces[1:3] != ["services", "data"] or "".join(pieces[3:4])[1:] not in VERSIONS:
        raise not_found()
    body, blob = await _content(request)
    return Call(
        "GET" if request.method == "HEAD" else request.method,
        tuple(pieces[4:]),
        "/".join(pieces[:4]),
        dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)),
        body,
        blob,
        _page_size(request.headers.get("sforce-query-options", "")),
    )


async def _content(request: Request) -> tuple[Any, Blob | None]:
    if request.method not in ("POST", "PATCH"):
        return None, None
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        return await _file(request, Multipart(kind))
    if not kind.startswith("application/json"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type {kind!r} is not supported")
    return _parsed(await _body(request, LARGEST_JSON)), None


async def _file(request: Request, multipart: Multipart) -> tuple[Any, Blob | None]:
    try:
        async for piece in _pieces(request, LARGEST_FILE):
            multipart.take(piece)
        described, blob = multipart.found()
        return _parsed(described), blob
    except BaseException:
        multipart.close()
        raise


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "JSON_PARSER_ERROR", str(error)) from error


async def _body(request: Request, most: int) -> bytes:
    return b"".join([piece async for piece in _pieces(request, most)])


async def _pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise Refusal(413, "REQUEST_ENTITY_TOO_LARGE", f"more than {most} bytes")
            yield piece
    except ClientDisconnect:
        raise Refusal(400, "UNKNOWN_EXCEPTION", "the caller went away") from None


def _page_size(options: str) -> int:
    found = _BATCH_SIZE.search(options)
    return min(max(int(found[1]), 200), 2_000) if found else 2_000


async def _one_by_one(download: Download) -> AsyncIterator[bytes]:
    # On the event loop's own thread, as everything that asks the database.
    for piece in download.pieces:
        yield piece


def _json(answer: Answer) -> Response:
    headers = dict(answer.headers)
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(answer.body, Download):
        kind = "application/octetstream"  # as the vendor spells it
        headers["Content-Length"] = str(answer.body.size)
        return StreamingResponse(_one_by_one(answer.body), answer.status, headers, kind)
    body = orjson.dumps(answer.body)
    return Response(body, answer.status, headers, media_type="application/json;charset=UTF-8")
