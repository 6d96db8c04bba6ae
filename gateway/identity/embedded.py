"""Puts the embedded identity service together, with the tasks that run beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.port.sources import CustomerSource
from gateway.audit import Audit
from gateway.database.engine import Database
from gateway.identity.attempts import Attempts
from gateway.identity.invitations import EnsureContact, Invitations
from gateway.identity.letters import Kind, Letter, read_templates
from gateway.identity.limits import Tries
from gateway.identity.mail import FolderSender, Sender, SmtpSender
from gateway.identity.outbox import Entry, Outbox
from gateway.identity.passwords import open_passwords
from gateway.identity.people import People
from gateway.identity.resets import Resets
from gateway.identity.secrecy import Chance
from gateway.identity.service import Identities, Rooms, Surroundings
from gateway.identity.sessions import Ended, Issue, Sessions
from gateway.identity.settings import IdentitySettings

#: Seconds between two rounds of tidying up.
_TIDY_EVERY = 600.0

_log = logging.getLogger("gateway.identity")


def _now() -> datetime:
    return datetime.now(UTC)


def _unheard(session_id: str, until: datetime) -> None:
    return None


def _nothing_to_forget(email: str) -> None:
    return None


class EmbeddedIdentity(Identities):
    """The open service. Made by `open_identity`; `close` it before its database and audit."""

    def __init__(self, rooms: Rooms, around: Surroundings) -> None:
        super().__init__(rooms, around)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def sessions(self) -> Sessions:
        """For operators' commands."""
        return self._rooms.sessions

    @property
    def people(self) -> People:
        """For operators' commands."""
        return self._rooms.people

    async def ended_since(self, moment: datetime) -> list[tuple[str, datetime]]:
        """See `Sessions.ended_since`."""
        return await self._rooms.sessions.ended_since(moment)

    async def send_mails(self) -> None:
        """Tries every mail that is due now, once."""
        while await self._rooms.outbox.send_due():
            pass

    async def tidy(self) -> None:
        """Removes what is over and kept no longer."""
        rooms = self._rooms
        for room in (rooms.attempts, rooms.resets, rooms.invitations, rooms.sessions):
            await room.tidy()

    def begin(self) -> None:
        """Starts to send mails and to tidy up."""
        self._tasks = [
            asyncio.create_task(self._rooms.outbox.run()),
            asyncio.create_task(self._keep_tidy()),
        ]

    async def close(self) -> None:
        """Stops; mails that were not sent stay in the outbox."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self._rooms.passwords.close()

    async def _keep_tidy(self) -> None:
        while True:
            try:
                await self.tidy()
            except Exception:  # noqa: BLE001 - a database that is away comes back
                _log.exception("what is over could not be removed")
            await asyncio.sleep(_TIDY_EVERY)


async def open_identity(
    settings: IdentitySettings,
    database: Database,
    customers: CustomerSource,
    issue: Issue,
    audit: Audit,
    *,
    root: Path = Path(),
    clock: Callable[[], datetime] = _now,
    chance: Chance | None = None,
    ended: Ended = _unheard,
    forget: Callable[[str], None] = _nothing_to_forget,
    ensure_contact: EnsureContact | None = None,
    sender: Sender | None = None,
    background: bool = True,
) -> EmbeddedIdentity:
    """The embedded identity service.

    issue: signs an access token for an address and a session. root: where relative paths start.
    ended: told at once of sessions that end here; `ended_since` tells other processes. forget:
    called when somebody's memberships may have changed. sender: None for the one of the settings.
    background: False for commands, which call `send_mails` themselves.
    Raises MailSettingsError or OSError."""
    chance = chance or Chance()
    await asyncio.to_thread(read_templates)
    if sender is None:
        smtp = settings.mail.smtp
        folder = (root / settings.mail.folder).resolve()
        sender = FolderSender(folder) if smtp is None else SmtpSender(smtp)
    passwords = await open_passwords(settings.passwords, chance.token())
    invitations = Invitations(database, settings, chance, clock)
    resets = Resets(database, settings, passwords, chance, clock)
    writers = {
        Kind.INVITATION: invitations.write,
        Kind.RESET: resets.write,
        Kind.CHANGED: _changed,
    }
    rooms = Rooms(
        database=database,
        people=People(database),
        passwords=passwords,
        sessions=Sessions(database, settings, issue, ended, chance, clock),
        invitations=invitations,
        resets=resets,
        attempts=Attempts(database, timedelta(minutes=settings.limits.minutes), clock),
        tries=Tries(settings.limits),
        outbox=Outbox(database, settings.mail, sender, writers, audit, clock),
        audit=audit,
    )
    identity = EmbeddedIdentity(rooms, Surroundings(customers, clock, forget, ensure_contact))
    if background:
        identity.begin()
    return identity


async def _changed(entry: Entry) -> Letter:
    """The notice that a password was changed."""
    gist = f"Notice for {entry.recipient}: the password was changed"
    values = {"email": entry.recipient}
    return Letter(Kind.CHANGED, entry.recipient, entry.language, values, gist=gist)
