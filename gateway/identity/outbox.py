"""Mails that are still to be sent: kept in the database, so that a crash loses none.

A row says what a mail is about and holds no secret. Link or code are made when the mail is written,
anew for each try, and only the newest is good. A mail may arrive twice; it is never lost before its
time is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit import Audit
from gateway.database.engine import Database
from gateway.identity import problems
from gateway.identity.letters import Kind, Letter, compose
from gateway.identity.mail import NotSent, Sender
from gateway.identity.passwords import Busy
from gateway.identity.settings import Mail
from gateway.identity.tables import OutboxRow
from schema.identity.service import Problems

#: Most mails that wait.
_MOST = 10_000
#: Most mails sent at the same time.
_TOGETHER = 8
#: How long others leave a mail to whoever took it.
_HELD = timedelta(minutes=2)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=10)
#: Seconds after which the table is looked at again although nobody said so.
_EVERY = 5.0

_log = logging.getLogger("gateway.mail")


@dataclass(frozen=True, slots=True)
class Entry:
    """A mail in the outbox. reference: the id of what it is about."""

    id: int
    kind: Kind
    recipient: str
    language: str
    reference: str | None
    expires_at: datetime
    tries: int


#: Turns an entry into a letter; None when it is not wanted any more.
Write = Callable[[Entry], Awaitable[Letter | None]]


class Outbox:
    """The table of mails to be sent. writers: who writes which kind. clock: aware UTC."""

    def __init__(
        self,
        database: Database,
        settings: Mail,
        sender: Sender,
        writers: Mapping[Kind, Write],
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._settings, self._sender = database, settings, sender
        self._writers, self._audit, self._clock = writers, audit, clock
        self._more = asyncio.Event()

    async def put(
        self,
        connection: AsyncConnection,
        kind: Kind,
        recipient: str,
        language: str,
        reference: str | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        """Adds a mail in a transaction of the caller's, who calls `wake` when it is kept. Raises
        Problems when too many wait."""
        now = self._clock()
        waiting = await connection.scalar(select(func.count()).select_from(OutboxRow))
        if waiting is not None and waiting >= _MOST:
            raise Problems(problems.busy(now + _HELD))
        last = now + timedelta(hours=self._settings.give_up_hours)
        await connection.execute(
            insert(OutboxRow).values(
                kind=kind.value,
                recipient=recipient,
                language=language,
                reference=reference,
                created_at=now,
                due_at=now,
                expires_at=min(expires_at or last, last),
                tries=0,
            )
        )

    def wake(self) -> None:
        """There may be something to send."""
        self._more.set()

    async def run(self) -> None:
        """Sends what is due, until cancelled."""
        while True:
            self._more.clear()
            try:
                while await self.send_due():
                    pass
            except Exception:  # noqa: BLE001 - whatever happened, mails must go on afterwards
                _log.exception("the outbox cannot be read")
            try:
                async with asyncio.timeout(_EVERY):
                    await self._more.wait()
            except TimeoutError:
                continue

    async def send_due(self) -> int:
        """Tries some of the mails that are due; answers how many."""
        entries = await self._take()
        await asyncio.gather(*(self._try(entry) for entry in entries))
        return len(entries)

    async def _take(self) -> list[Entry]:
        now = self._clock()
        columns = (
            OutboxRow.id,
            OutboxRow.kind,
            OutboxRow.recipient,
            OutboxRow.language,
            OutboxRow.reference,
            OutboxRow.expires_at,
            OutboxRow.tries,
        )
        due = select(*columns).where(OutboxRow.due_at <= now).order_by(OutboxRow.due_at)
        async with self._database.write() as connection:
            statement = due.limit(_TOGETHER).with_for_update(skip_locked=True)
            rows = (await connection.execute(statement)).all()
            held = update(OutboxRow).where(OutboxRow.id.in_([row[0] for row in rows]))
            if rows:
                await connection.execute(held.values(due_at=now + _HELD, tries=OutboxRow.tries + 1))
        return [Entry(row[0], Kind(row[1]), *row[2:]) for row in rows]

    async def _try(self, entry: Entry) -> None:
        if entry.expires_at <= self._clock():
            await self._give_up(entry, "its time is over")
            return
        try:
            await self._send(entry)
        except (NotSent, Busy) as error:
            if isinstance(error, NotSent) and error.for_good:
                await self._give_up(entry, str(error))
                return
            _log.warning("a mail was not sent: %s", str(error) or type(error).__name__)
            await self._again(entry)
        except Exception as error:  # noqa: BLE001 - one mail must not keep back the others
            # Only its kind: the text of an error may hold an address.
            _log.error("a mail could not be written: %s", type(error).__name__)
            await self._again(entry)
        else:
            await self._remove(entry)

    async def _send(self, entry: Entry) -> None:
        letter = await self._writers[entry.kind](entry)
        if letter is None:
            return
        settings = self._settings
        message = compose(letter, settings.sender_name, settings.sender_address, self._clock)
        await self._sender.send(message, letter.gist)

    async def _again(self, entry: Entry) -> None:
        pause = min(_FIRST_PAUSE * 2 ** min(entry.tries, 10), _LONGEST_PAUSE)
        async with self._database.write() as connection:
            statement = update(OutboxRow).where(OutboxRow.id == entry.id)
            await connection.execute(statement.values(due_at=self._clock() + pause))

    async def _give_up(self, entry: Entry, why: str) -> None:
        await self._remove(entry)
        _log.error("a mail was given up: %s", why)
        what = f"{entry.kind.value}: {why}"
        await self._audit.note(
            "mail.given_up", who="gateway", whose=entry.recipient, what=what, outcome="FAILED"
        )

    async def _remove(self, entry: Entry) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(OutboxRow).where(OutboxRow.id == entry.id))
