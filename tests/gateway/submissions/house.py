"""Submissions of a gateway with what they stand on: a database, an audit, DBOS, a CRM and a file
store in memory, and time that passes when a test says so.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.kit.connector import Wiring
from connectors.port.records import NewCase
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import CaseSource, CaseWriter
from gateway.audit import Audit, Event, EventFilter, open_audit, read_events
from gateway.database.engine import Database
from gateway.database.migrate import open_database
from gateway.submissions.opened import OpenSubmissions, open_submissions
from gateway.submissions.settings import SubmissionSettings
from schema.context import Caller
from schema.files.service import StoredFile
from tests.gateway.submissions.crm import Crm

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ANDINA = AccountRef("001A", "1000", "CO")
PACIFICO = AccountRef("001P", "2000", "PE")


class Time:
    """Stands still until a test lets it pass; who sleeps is woken in order."""

    def __init__(self) -> None:
        self.now = NOW
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self.slept = 0

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until = self.now + timedelta(seconds=seconds)
        self.slept += 1
        heapq.heappush(self._sleepers, (until, next(self._count), woken))
        await woken

    @property
    def sleeping(self) -> int:
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def forward(self, seconds: float) -> None:
        """Whoever wakes may do something and sleep again within."""
        end = self.now + timedelta(seconds=seconds)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            until, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self.now = max(self.now, until)
                asleep = self.slept
                woken.set_result(None)
                # Whoever wakes sleeps again in a moment, or is done.
                for _ in range(100):
                    await asyncio.sleep(0.002)
                    if self.slept > asleep:
                        break
        self.now = end
        await settle()


async def settle(rounds: int = 12) -> None:
    """Lets everybody do what they can do now: databases answer from threads of their own."""
    for _ in range(rounds):
        await asyncio.sleep(0.001)


async def until(true: Callable[[], bool], what: str = "it") -> None:
    """Waits for something that happens soon, without time passing for the gateway."""
    for _ in range(2_000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{what} did not happen")


@dataclass(slots=True)
class Store:
    """HeldFiles in memory."""

    contents: dict[str, bytes] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    released: list[str] = field(default_factory=list)

    def put(self, file_id: str, body: bytes) -> StoredFile:
        import hashlib

        self.contents[file_id] = body
        digest = hashlib.sha256(body).hexdigest()
        return StoredFile(file_id, f"{file_id}.txt", "text/plain", len(body), digest)

    async def claim(
        self, connection: AsyncConnection, ids: Sequence[str], holder: str
    ) -> list[str]:
        gone = [
            one
            for one in ids
            if one not in self.contents or self.holders.get(one, holder) != holder
        ]
        if not gone:
            self.holders.update(dict.fromkeys(ids, holder))
        return gone

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        if file_id not in self.contents:
            raise FileNotFoundError(file_id)
        yield self.contents[file_id]

    async def read_from(self, file_id: str, first: int) -> AsyncGenerator[bytes]:
        async for data in self.read(file_id):
            yield data[first:]

    async def release(self, ids: Sequence[str]) -> None:
        for one in ids:
            self.released.append(one)
            self.contents.pop(one, None)


@dataclass(slots=True)
class House:
    """A gateway's submissions. `again` opens them once more, as after a restart."""

    folder: Path
    time: Time
    crm: Crm
    source: CaseSource
    writer: CaseWriter
    store: Store
    settings: SubmissionSettings
    database: Database
    audit: Audit
    open: OpenSubmissions
    cases: CaseSource
    url: str

    @property
    def service(self) -> object:
        return self.open.service

    async def again(self, *, clean: bool = True) -> None:
        """clean: whether the one before was closed well."""
        if clean:
            await self.open.close()
        else:
            await crash(self.open)
        await self.reopen()

    async def reopen(self) -> None:
        self.open = await opened(self)
        self.cases = self.open.over(self.source, self.store.read_from)
        await self.open.sweep()

    async def events(self) -> list[Event]:
        return list(await read_events(self.database, EventFilter(event="submission.")))


async def crash(submissions: OpenSubmissions) -> None:
    """Everything stops where it is, and nothing is tidied up."""
    for task in submissions._tasks:
        task.cancel()
    await asyncio.gather(*submissions._tasks, return_exceptions=True)
    await submissions._engine.close()


async def opened(house: House) -> OpenSubmissions:
    wiring = Wiring(clock=house.time.clock, sleep=house.time.sleep)
    return await open_submissions(
        house.settings,
        house.database,
        house.url,
        house.audit,
        house.writer,
        house.source,
        house.store,
        wiring,
        source="crm",
        root=house.folder,
    )


@asynccontextmanager
async def house(
    folder: Path,
    settings: SubmissionSettings | None = None,
    url: str | None = None,
    real: Callable[[Time], Awaitable[tuple[CaseSource, CaseWriter]]] | None = None,
) -> AsyncIterator[House]:
    """url: of the database, None for SQLite in the folder. real: opens a CRM to stand in the place
    of the one in memory."""
    time = Time()
    crm = Crm(time.clock)
    source, writer = await real(time) if real else (crm, crm)
    url = url or f"sqlite:///{folder / 'identity.sqlite'}"
    database = await open_database(url)
    audit = await open_audit(folder / "audit.jsonl", database, time.clock)
    made = House(
        folder,
        time,
        crm,
        source,
        writer,
        Store(),
        settings or SubmissionSettings(),
        database,
        audit,
        None,  # type: ignore[arg-type] # made in a moment
        None,  # type: ignore[arg-type]
        url,
    )
    await made.reopen()
    try:
        yield made
    finally:
        await made.open.close()
        await audit.close()
        await database.close()


def caller(name: str = "ana", account: AccountRef = ANDINA) -> Caller:
    return Caller(
        contact_id=f"003{name}",
        email=f"{name}@company.example",
        name=name.title(),
        memberships=(),
        scope=Scope([account]),
        expires_at=NOW + timedelta(hours=1),
    )


def new_case(
    subject: str = "Una consulta", account: AccountRef = ANDINA, **more: object
) -> NewCase:
    values = {
        "category": "QUERY",
        "description": f"{subject}, con detalle",
        "created_at": NOW,
        "contact_id": "003ana",
        **more,
    }
    return NewCase(account=account, subject=subject, **values)  # type: ignore[arg-type]
