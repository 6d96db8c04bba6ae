"""Writes audit events: many at once, to a file that is synced and to a table, off the event loop.

`note` returns when its event is on the disk, so that nothing is done that the audit forgot. An
audit that cannot be written stops nobody, but says so at once in the log.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.events import Event, Outcome
from gateway.audit.table import AuditRow
from gateway.database.engine import Database
from schema.identity.service import Origin

#: Most events that wait to be written; whoever comes with one more waits for a place.
_WAITING = 1_000
#: Most events of one write.
_BATCH = 200
#: Where something comes from that no request asked for.
NOWHERE = Origin(address="-", user_agent="-", request_id="-")

_log = logging.getLogger("gateway.audit")
_Waiting = tuple[Event, "asyncio.Future[None]"]


def _now() -> datetime:
    return datetime.now(UTC)


class Audit:
    """The open audit. Made by `open_audit`. lost: events that neither file nor table took."""

    def __init__(self, file: Path, database: Database, clock: Callable[[], datetime]) -> None:
        self._file, self._database, self._clock = file, database, clock
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue(_WAITING)
        self._writer = asyncio.create_task(self._write())
        self._closed = False
        self.lost = 0

    async def note(
        self,
        event: str,
        *,
        who: str,
        whose: str = "-",
        what: str = "-",
        origin: Origin = NOWHERE,
        outcome: str = Outcome.OK,
    ) -> None:
        """Writes down what happened; see `Event` for the words. Never raises for a full disk."""
        if self._closed:
            raise RuntimeError("the audit is closed")
        noted = Event(
            at=self._clock(),
            event=event,
            who=who,
            whose=whose,
            what=what,
            outcome=outcome,
            address=origin.address,
            user_agent=origin.user_agent,
            request_id=origin.request_id,
        )
        written = asyncio.get_running_loop().create_future()
        await self._queue.put((noted, written))
        await asyncio.shield(written)

    async def close(self) -> None:
        """Writes what is waiting, and ends."""
        if self._closed:
            return
        self._closed = True
        await self._queue.put(None)
        await self._writer

    async def _write(self) -> None:
        while True:
            batch, last = await self._next()
            if batch:
                await self._keep([event for event, _ in batch])
                for _, written in batch:
                    if not written.done():
                        written.set_result(None)
            if last:
                return

    async def _next(self) -> tuple[list[_Waiting], bool]:
        """The events that wait, and whether no more will come."""
        batch: list[_Waiting] = []
        item = await self._queue.get()
        while item is not None:
            batch.append(item)
            if len(batch) == _BATCH or self._queue.empty():
                return batch, False
            item = self._queue.get_nowait()
        return batch, True

    async def _keep(self, events: Sequence[Event]) -> None:
        in_file, in_table = await asyncio.gather(self._to_file(events), self._to_table(events))
        if not in_file and not in_table:
            self.lost += len(events)

    async def _to_file(self, events: Sequence[Event]) -> bool:
        try:
            await asyncio.to_thread(_append, self._file, b"".join(e.line() for e in events))
        except OSError:
            _log.exception("the audit's file cannot be written")
            return False
        return True

    async def _to_table(self, events: Sequence[Event]) -> bool:
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(AuditRow), [asdict(event) for event in events])
        except (SQLAlchemyError, OSError, TimeoutError):
            _log.exception("the audit's table cannot be written")
            return False
        return True


def _append(file: Path, lines: bytes) -> None:
    # Opened each time: whoever rotates the file need not tell us. O_APPEND keeps processes apart.
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


async def open_audit(file: Path, database: Database, clock: Callable[[], datetime] = _now) -> Audit:
    """The audit of a gateway. file: made when it is missing, readable for its owner alone.
    clock: aware UTC. Raises OSError when the file's folder cannot be made."""
    await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
    return Audit(file, database, clock)
