"""Counts tries of what must not be tried too often, in a sliding window that processes share.

A try is counted before it is made, so that trying in parallel brings nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.database.engine import Database
from gateway.identity import problems
from gateway.identity.secrecy import digest
from gateway.identity.tables import AttemptRow
from schema.identity.service import Problems

#: Most tries that are remembered; the oldest are forgotten first.
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Try:
    """Something limited: what it is, by or for whom, and how often it may be."""

    what: str
    whom: str
    most: int

    @property
    def key(self) -> str:
        """What is kept of it: addresses of people who are no customers are nobody's to keep."""
        return digest(f"{self.what}\0{self.whom}")


class Attempts:
    """Limits. window: how long a try counts. clock: aware UTC."""

    def __init__(
        self, database: Database, window: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._window, self._clock = database, window, clock

    async def take(self, *tries: Try) -> None:
        """Counts all of these, or none: raises Problems when one of them was tried too often."""
        async with self._database.write() as connection:
            now = self._clock()
            free = [await self._free_at(connection, each, now) for each in self._ordered(tries)]
            latest = max(free)
            if latest <= now:
                rows = [{"key": each.key, "at": now} for each in tries]
                await connection.execute(insert(AttemptRow), rows)
        if latest > now:
            raise Problems(problems.too_many(latest))

    async def free_at(self, wanted: Try) -> datetime:
        """When this may be tried again; now or earlier if it may be tried now."""
        async with self._database.read() as connection:
            return await self._free_at(connection, wanted, self._clock())

    async def forgive(self, *tries: Try) -> None:
        """Forgets all tries of a kind: they were a person's own."""
        async with self._database.write() as connection:
            keys = [each.key for each in tries]
            await connection.execute(delete(AttemptRow).where(AttemptRow.key.in_(keys)))

    async def give_back(self, taken: Try) -> None:
        """Forgets the newest try of a kind: it went well."""
        newest = select(func.max(AttemptRow.id)).where(AttemptRow.key == taken.key)
        async with self._database.write() as connection:
            await connection.execute(
                delete(AttemptRow).where(AttemptRow.id == newest.scalar_subquery())
            )

    async def tidy(self) -> None:
        """Removes what does not count any more."""
        async with self._database.write() as connection:
            over = self._clock() - self._window
            await connection.execute(delete(AttemptRow).where(AttemptRow.at <= over))
            last = await connection.scalar(
                select(AttemptRow.id).order_by(AttemptRow.id.desc()).offset(_MOST).limit(1)
            )
            if last is not None:
                await connection.execute(delete(AttemptRow).where(AttemptRow.id <= last))

    def _ordered(self, tries: Sequence[Try]) -> list[Try]:
        # Locks are taken in one order everywhere, so that nobody waits in a circle.
        return sorted(tries, key=lambda each: each.key)

    async def _free_at(self, connection: AsyncConnection, wanted: Try, now: datetime) -> datetime:
        await self._database.alone(connection, wanted.key)
        counted = (
            select(AttemptRow.at)
            .where(AttemptRow.key == wanted.key, AttemptRow.at > now - self._window)
            .order_by(AttemptRow.at.desc())
            .limit(1)
            .offset(wanted.most - 1)
        )
        # As many as may be are newer than this one: when it has left the window there is room.
        last = await connection.scalar(counted)
        return now if last is None else last + self._window
