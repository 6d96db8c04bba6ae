"""Requests of the ERP: past its door, to the service that the path names, and back as its version
writes answers and refusals."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.erp import access, batch, errors, services
from sandbox.erp.errors import ODataError
from sandbox.erp.filters import Version
from sandbox.erp.metadata import metadata_v2, metadata_v4
from sandbox.erp.model import Service
from sandbox.erp.reading import opened
from sandbox.erp.v2 import Answer, Asked, answer_v2
from sandbox.erp.v4 import answer_v4

_LONGEST_URL: Final = 8192
_LARGEST_BATCH: Final = 2_000_000


class Trouble(Protocol):
    """The faults of the ERP: `take` says whether one of a kind is due now."""

    def take(self, kind: str, /) -> bool: ...


class Troubles(Protocol):
    """Whatever keeps the faults of all parts."""

    @property
    def erp(self) -> Trouble: ...


@dataclass(frozen=True, slots=True)
class _Known:
    """A service and the version it speaks."""

    service: Service
    version: Version


class Erp:
    """All services over one file. now: for the times in error messages."""

    def __init__(
        self, database: Path, trouble: Trouble, now: datetime, page_limit: int,
        lacking: Collection[str],
    ) -> None:  # fmt: skip
        self._database = database
        self._trouble = trouble
        self._now = now
        self._page_limit = page_limit
        self._sessions = access.Sessions()
        self._services = {
            one.path: _Known(one.without(lacking), version)
            for version, listed in ((Version.V2, services.V2), (Version.V4, services.V4))
            for one in listed
        }

    async def answer(self, request: Request) -> Response:
        """Any request below /sap/."""
        line = request.scope.get("raw_path", b"") + b"?" + request.scope["query_string"]
        if len(line) > _LONGEST_URL:
            return Response(access.TOO_LONG, 414, media_type="text/html")
        if not access.is_known(request.headers.get("authorization", "")):
            realm = {"www-authenticate": 'Basic realm="SAP NetWeaver Application Server"'}
            return Response(access.UNAUTHORISED, 401, realm, "text/html")
        found = self._found(request.scope["path"])
        if found is None:
            text = f"No service found for namespace '', name '{request.scope['path']}'"
            error = ODataError(403, "/IWFND/MED/170", text)
            return self._refused(error, _Known(services.SALES_ORDERS, Version.V2), request.headers)
        known, path = found
        if request.method not in ("GET", "HEAD"):
            return await self._changed(known, path, request)
        root = f"{request.url.scheme}://{request.url.netloc}{known.service.path}"
        query = request.scope["query_string"].decode("latin-1")
        reply = await run_in_threadpool(
            self._read, known, root, path, query, dict(request.headers.items())
        )
        response = Response(
            reply.body, reply.status, dict(reply.headers), media_type=reply.content_type
        )
        if request.headers.get("x-csrf-token", "").lower() == "fetch":
            token, cookies = self._sessions.begin()
            response.headers["x-csrf-token"] = token
            for cookie in cookies:
                response.headers.append("set-cookie", cookie)
        return response

    def _found(self, path: str) -> tuple[_Known, str] | None:
        for root, known in self._services.items():
            if path == root or path.startswith((root + "/", root + ";")):
                # A matrix parameter such as ;v=0002 picks a version; there is one here.
                rest = path[len(root) :]
                return known, (rest.partition("/")[2] if rest else "").strip("/")
        return None

    def _read(
        self, known: _Known, root: str, path: str, query: str, headers: dict[str, str]
    ) -> batch.Reply:
        """One GET, in a worker thread; a refusal is an answer as well."""
        try:
            with opened(self._database) as connection:
                answer = self._answer(known, root, path, query, headers, connection)
        except ODataError as error:
            refused = self._refused(error, known, headers, query)
            kind = refused.headers["content-type"]
            return batch.Reply(refused.status_code, kind, bytes(refused.body), _version(known))
        said = {**_version(known), **(answer.headers or {})}
        return batch.Reply(answer.status, answer.content_type, answer.body, said)

    def _answer(
        self, known: _Known, root: str, path: str, query: str, headers: dict[str, str],
        connection: sqlite3.Connection,
    ) -> Answer:  # fmt: skip
        v2 = known.version is Version.V2
        if path == "$metadata":
            drawn = metadata_v2(known.service) if v2 else metadata_v4(known.service)
            return Answer(drawn, "application/xml")
        asked = Asked(known.service, root, path, query, self._page_limit)
        if v2:
            return answer_v2(asked, connection)
        accept, prefer = headers.get("accept", ""), headers.get("prefer", "")
        return answer_v4(asked, accept, prefer, connection)

    async def _changed(self, known: _Known, path: str, request: Request) -> Response:
        """Everything but GET: needs a token; then `$batch` is read and the rest is not modelled."""
        if self._trouble.take("csrf"):
            self._sessions.expire()
        if not self._sessions.holds(request.headers.get("x-csrf-token", ""), _session(request)):
            required = {"x-csrf-token": "Required"}
            return Response("CSRF token validation failed", 403, required, "text/plain")
        if request.method != "POST" or path != "$batch":
            return self._refused(_read_only(path), known, request.headers)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_BATCH:
                return Response(b"", 413)
        try:
            wanted = batch.requests_of(request.headers.get("content-type", ""), bytes(body))
        except ODataError as error:
            return self._refused(error, known, request.headers)
        root = f"{request.url.scheme}://{request.url.netloc}{known.service.path}"
        partial = bool(wanted) and self._trouble.take("partial")
        replies = await run_in_threadpool(self._parts, known, root, wanted, partial)
        kind = f"multipart/mixed; boundary={batch.BOUNDARY}"
        status = 202 if known.version is Version.V2 else 200
        return Response(batch.together(replies), status, _version(known), kind)

    def _parts(
        self, known: _Known, root: str, wanted: list[batch.Inner], partial: bool
    ) -> list[batch.Reply]:
        replies = []
        for place, inner in enumerate(wanted, start=1):
            if inner.method != "GET":
                error = _read_only(inner.target)
            elif partial and place == len(wanted):
                error = batch.failed_part()
            else:
                path, _, query = self._relative(inner.target, known).partition("?")
                decoded = unquote(path)
                replies.append(self._read(known, root, decoded, query, dict(inner.headers)))
                continue
            refused = self._refused(error, known, inner.headers)
            kind = refused.headers["content-type"]
            replies.append(batch.Reply(error.status, kind, bytes(refused.body), _version(known)))
        return replies

    @staticmethod
    def _relative(target: str, known: _Known) -> str:
        root = known.service.path
        return target.partition(root)[2].lstrip("/") if root in target else target.lstrip("/")

    def _refused(
        self, error: ODataError, known: _Known, headers: Mapping[str, str], query: str = ""
    ) -> Response:
        if known.version is Version.V4:
            body, kind = errors.v4_json(error, self._now), "application/json"
        elif (
            "json" in headers.get("accept", "")
            or "$format=json" in query
            or "%24format=json" in query
        ):
            body, kind = (
                errors.v2_json(error, known.service.namespace, self._now),
                "application/json",
            )
        else:
            body, kind = errors.v2_xml(error, self._now), "application/xml"
        return Response(body, error.status, _version(known), kind)


def _version(known: _Known) -> dict[str, str]:
    return (
        {"dataserviceversion": "2.0"} if known.version is Version.V2 else {"odata-version": "4.0"}
    )


def _session(request: Request) -> str | None:
    try:
        cookie = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookie.get(access.COOKIE)
    return found.value if found is not None else None


def _read_only(path: str) -> ODataError:
    text = f"Method 'CHANGE' for '{path}' is not implemented: this ERP is read only"
    return ODataError(501, "/IWBEP/CM_MGW_RT/021", text)


def app(
    database: Path | str,
    faults: Troubles,
    now: datetime,
    *,
    page_limit: int = 1000,
    lacking: Collection[str] = (),
) -> Starlette:
    """The ERP over the SQLite file `database`, which `seed` has filled.

    page_limit: entities that the server gives at once. lacking: `EntitySet/Property` or
    `EntitySet/Navigation` that this release does not have.
    """
    erp = Erp(Path(database), faults.erp, now, page_limit, lacking)
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "MERGE", "DELETE"]
    return Starlette(routes=[Route("/sap/{rest:path}", erp.answer, methods=methods)])
