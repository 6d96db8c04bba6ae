"""One server for three systems: tells requests apart by path, and takes orders for trouble."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import crm, erp, site
from sandbox.database import Database
from sandbox.faults import PARTS, BadFault, Faults
from sandbox.faulty import Faulty

_PATHS: Final = {"services": "crm", "sap": "erp", "wp-json": "site", "uploads": "site"}
_TOKEN: Final = "/services/oauth2/token"  # noqa: S105 - an address
_REMEMBERED: Final = 500
_LARGEST_ORDER: Final = 65_536


def create(db: Path | str, faults: Faults, now: datetime) -> Starlette:
    """The sandbox over a file that `data.build` made. now: with a zone; time goes on from there."""
    path = Path(db)
    started = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - started)

    parts: dict[str, ASGIApp] = {
        "crm": crm.app(Database(path), faults, clock),
        "erp": erp.app(path, faults, now),
        "site": site.app(path, faults, now),
    }
    calls = Calls()
    doors = {part: Faulty(parts[part], part, faults) for part in PARTS}
    switchboard = _Switchboard(doors, calls)
    control = _Control(faults, calls)
    return Starlette(
        routes=[
            Route("/_faults", control.faults, methods=["GET", "POST"]),
            Route("/_calls", control.calls, methods=["GET", "DELETE"]),
            Route("/{rest:path}", switchboard),
        ]
    )


class Calls:
    """How often each part was called, and the last of these calls; tokens are counted apart."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.counts = dict.fromkeys((*PARTS, "tokens"), 0)
        self.last: deque[str] = deque(maxlen=_REMEMBERED)

    def note(self, part: str, scope: Scope) -> None:
        self.counts["tokens" if scope["path"] == _TOKEN else part] += 1
        query = scope["query_string"].decode("latin-1")
        self.last.append(f"{scope['method']} {scope['path']}{'?' if query else ''}{query}")

    def as_json(self) -> dict[str, Any]:
        return {**self.counts, "last": list(self.last)}


class _Switchboard:
    """Hands a request to the part that its path names, and counts it."""

    def __init__(self, parts: Mapping[str, ASGIApp], calls: Calls) -> None:
        self._parts = parts
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        part = _PATHS.get(scope["path"].split("/")[1])
        if part is None:
            await Response("Not Found", 404)(scope, receive, send)
            return
        self._calls.note(part, scope)
        await self._parts[part](scope, receive, send)


class _Control:
    """The addresses that no real system has: what goes wrong, and what was asked."""

    def __init__(self, faults: Faults, calls: Calls) -> None:
        self._faults = faults
        self._calls = calls

    async def faults(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self._faults.update(await _order(request))
            except BadFault as error:
                return _json({"error": str(error)}, 400)
        return _json(self._faults.as_json())

    async def calls(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._calls.reset()
        return _json(self._calls.as_json())


async def _order(request: Request) -> Mapping[str, Any]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_ORDER:
            raise BadFault("the body is too large")
    try:
        wanted = orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        raise BadFault(f"the body is no JSON: {error}") from error
    if not isinstance(wanted, dict):
        raise BadFault("the body must be an object such as {'crm': {'status': 503}}")
    return wanted


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
