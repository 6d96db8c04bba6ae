"""A whole gateway in one process: the real connectors on the sandbox, without sockets, with every
upstream call written down."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

import sandbox.app
from connectors.kit.connector import Wiring
from gateway.app import Gateway, open_gateway
from gateway.settings import parse
from sandbox.faults import Faults

ROOT = Path(__file__).parent.parent.parent
#: When the sandbox's data ends, and what every clock says. A Wednesday, 10:30 in Bogotá.
NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)

ANA = "ana.torres@andina.example"
LUIS = "luis.rojas@pacifico.example"
#: Acts for two accounts.
CARLA = "carla.mendes@horizonte.example"

#: Which system a path of the sandbox stands for.
_PARTS = {"services": "crm", "sap": "erp", "wp-json": "site"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One upstream call."""

    system: str
    method: str
    url: str
    body: str


class Recorder(httpx.AsyncBaseTransport):
    """Writes down every call, but for those that fetch a credential."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.calls: list[Seen] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if not path.endswith("/oauth2/token"):
            system = _PARTS[path.split("/")[1]]
            body = (await request.aread()).decode("utf-8", "replace")
            self.calls.append(Seen(system, request.method, str(request.url), body))
        return await self._inner.handle_async_request(request)


@dataclass(slots=True)
class Answer:
    """What a caller got, and what it cost upstream."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]
    calls: list[Seen] = field(default_factory=list)

    @property
    def data(self) -> Any:
        """The data of an answer without errors."""
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def partial(self) -> Any:
        """The data of an answer that may have errors."""
        return self.body["data"]

    @property
    def errors(self) -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = self.body.get("errors", [])
        return errors

    @property
    def error(self) -> dict[str, Any]:
        """The one error there is."""
        assert len(self.errors) == 1, self.errors
        return self.errors[0]

    @property
    def cost(self) -> dict[str, int]:
        """Upstream calls by system."""
        return dict(Counter(call.system for call in self.calls))


@dataclass(slots=True)
class Clock:
    """What every clock of the gateway says."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Portal:
    """A gateway to ask, and the sandbox behind it to break. folder: where its own files are."""

    gateway: Gateway
    client: httpx.AsyncClient
    recorder: Recorder
    faults: Faults
    clock: Clock
    folder: Path

    async def ask(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        by: str | None = ANA,
        language: str = "es",
        token: str | None = None,
    ) -> Answer:
        """An operation of a person (None: of nobody), over HTTP. What the gateway has to know of
        the person first is fetched before, so that only the operation's own calls are counted.
        token: sent as it is, in place of one for the person."""
        headers = {"accept-language": language}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        elif by is not None:
            headers["authorization"] = f"Bearer {self.gateway.tokens.issue(by)}"
            with contextlib.suppress(Exception):
                await self.gateway.callers.caller(
                    self.gateway.tokens.check(self.gateway.tokens.issue(by))
                )
        before = len(self.recorder.calls)
        body = {"query": query, "variables": variables}
        response = await self.client.post("/graphql", json=body, headers=headers)
        calls = self.recorder.calls[before:]
        return Answer(response.status_code, response.json(), response.headers, calls)


@contextlib.asynccontextmanager
async def opened(
    database: Path,
    folder: Path,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    identity: Mapping[str, Any] | None = None,
    tables: Mapping[str, Mapping[str, Any]] | None = None,
    redis: str = "",
) -> AsyncIterator[Portal]:
    """A portal on a sandbox's data. folder: for the gateway's own files. changes: for tables of
    portal.toml under `systems`. identity: for its table of that name. tables: for any others. redis:
    what it shares with others."""
    import tomllib

    faults = Faults()
    app = sandbox.app.create(database, faults, NOW)
    recorder = Recorder(httpx.ASGITransport(app))
    raw = tomllib.loads((ROOT / "portal.toml").read_text(encoding="utf-8"))
    raw["access"] |= {"key": str(folder / "signing.json"), "staff": str(folder / "staff.json")}
    raw["identity"] |= {
        "database": f"sqlite:///{folder / 'identity.sqlite'}",
        "audit_file": str(folder / "audit.jsonl"),
        "mail": {"folder": str(folder / "mail")},
        # What a hash costs is tested elsewhere.
        "passwords": {"passes": 1, "memory_kib": 1024},
        **(identity or {}),
    }
    raw["files"] = {"store": str(folder / "files")}
    for system, values in (changes or {}).items():
        raw["systems"][system] = {**raw["systems"][system], **values}
    for name, values in (tables or {}).items():
        raw[name] = {**raw.get(name, {}), **values}
    raw["redis"] = redis
    settings = parse(raw, ROOT / "portal.toml", {"SANDBOX_URL": "http://sandbox.example"})
    clock = Clock()
    gateway = await open_gateway(settings, Wiring(transport=recorder, clock=clock))
    transport = httpx.ASGITransport(gateway.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
        yield Portal(gateway, client, recorder, faults, clock, folder)
    await gateway.close()
