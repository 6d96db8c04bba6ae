"""Which process brings which submission: each says again and again that it is alive, and what one
that is gone has left is taken over by another, once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from gateway.database.engine import Database
from gateway.submissions.records import State
from gateway.submissions.rows import MANY
from gateway.submissions.tables import PartRow, SubmissionRow

#: How long others leave a submission to the process that brings it, unless it says so again.
LEASE = timedelta(seconds=15)


class Holding:
    """What is held by whom. holder: this process. clock: aware UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime], holder: str) -> None:
        self._database, self._clock, self.holder = database, clock, holder

    async def hold(self, submission_id: str) -> None:
        """This process brings it from now on."""
        values = {"holder": self.holder, "held_until": self._clock() + LEASE}
        statement = update(SubmissionRow).where(SubmissionRow.id == submission_id)
        async with self._database.write() as connection:
            await connection.execute(statement.values(values))

    async def renew(self) -> None:
        """Says that this process is alive."""
        await self._hold_until(self._clock() + LEASE)

    async def let_go(self) -> None:
        """Leaves what this process has not finished to whoever is there."""
        await self._hold_until(self._clock())

    async def _hold_until(self, until: datetime) -> None:
        row = SubmissionRow
        mine = update(row).where(row.state == State.WAITING.value, row.holder == self.holder)
        async with self._database.write() as connection:
            await connection.execute(mine.values(held_until=until))

    async def waiting(self) -> list[tuple[str, str, datetime, int]]:
        """What waits: id, holder, until when it is held, number of parts; the oldest first."""
        row = SubmissionRow
        parts = (
            select(func.count())
            .where(PartRow.submission_id == row.id)
            .correlate(row)
            .scalar_subquery()
        )
        statement = select(row.id, row.holder, row.held_until, parts)
        wanted = statement.where(row.state == State.WAITING.value).order_by(row.seq).limit(MANY)
        async with self._database.read() as connection:
            return [tuple(found) for found in (await connection.execute(wanted)).all()]

    async def take_over(self, submission_id: str, holder: str, until: datetime) -> bool:
        """Takes a submission from a process that is gone, if nobody else did."""
        row = SubmissionRow
        statement = update(row).where(
            row.id == submission_id,
            row.state == State.WAITING.value,
            row.holder == holder,
            row.held_until == until,
        )
        values = {"holder": self.holder, "held_until": self._clock() + LEASE}
        async with self._database.write() as connection:
            return (await connection.execute(statement.values(values))).rowcount == 1
