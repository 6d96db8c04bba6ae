"""Invitations: a link by mail that lets somebody set a password, once, within its time.

Accepting takes several steps, one of them in the CRM. Whoever begins claims the invitation for a
minute; of several at the same time one gets on, and when it fails the invitation is free again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.port.records import AccountRef, MembershipRole
from gateway.database.engine import Database
from gateway.identity import people, problems
from gateway.identity.letters import Kind, Letter
from gateway.identity.outbox import Entry, Outbox
from gateway.identity.people import Person
from gateway.identity.secrecy import LONGEST_TOKEN, Chance, digest
from gateway.identity.settings import IdentitySettings
from gateway.identity.tables import InvitationRow
from schema.identity.service import Invitation, Problem, Problems

#: How long whoever accepts an invitation may take.
_CLAIM = timedelta(seconds=60)
#: How long an invitation that is over is kept, so that its link can still say so.
_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An invitation that is being accepted. claim: proves that it is still ours."""

    id: str
    claim: str
    invitation: Invitation
    invited_by: str
    language: str


class Invitations:
    """The table of invitations. clock: aware UTC."""

    def __init__(
        self,
        database: Database,
        settings: IdentitySettings,
        chance: Chance,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._settings = database, settings
        self._chance, self._clock = chance, clock

    async def add(self, outbox: Outbox, invitation: Invitation, by: str, language: str) -> datetime:
        """Keeps an invitation and its mail; earlier ones of this person for this account end. email
        is in plain form. Answers when the link ends."""
        now, name = self._clock(), self._chance.name()
        expires_at = now + timedelta(hours=self._settings.invitation_hours)
        earlier = (
            InvitationRow.email == invitation.email,
            InvitationRow.account_id == invitation.account.id,
            InvitationRow.used_at.is_(None),
            InvitationRow.replaced_at.is_(None),
        )
        async with self._database.write() as connection:
            await connection.execute(update(InvitationRow).where(*earlier).values(replaced_at=now))
            await connection.execute(
                insert(InvitationRow).values(
                    id=name,
                    email=invitation.email,
                    account_id=invitation.account.id,
                    account_number=invitation.account.number,
                    account_country=invitation.account.country,
                    account_name=invitation.account_name,
                    name=invitation.name,
                    role=invitation.role.value,
                    job_title=invitation.job_title,
                    phone=invitation.phone,
                    invited_by=by,
                    language=language,
                    created_at=now,
                    expires_at=expires_at,
                )
            )
            await outbox.put(
                connection, Kind.INVITATION, invitation.email, language, name, expires_at
            )
        outbox.wake()
        return expires_at

    async def write(self, entry: Entry) -> Letter | None:
        """The mail of an invitation, with a new link; None when nobody waits for it any more."""
        token, now = self._chance.token(), self._clock()
        async with self._database.write() as connection:
            written = await connection.execute(
                update(InvitationRow)
                .where(
                    InvitationRow.id == entry.reference,
                    InvitationRow.used_at.is_(None),
                    InvitationRow.replaced_at.is_(None),
                    InvitationRow.expires_at > now,
                )
                .values(token_hash=digest(token))
                .returning(InvitationRow.name, InvitationRow.account_name)
            )
            row = written.one_or_none()
        if row is None:
            return None
        path = self._settings.invitation_path.format(token=token)
        link = self._settings.portal_url.rstrip("/") + path
        values = {
            "name": row[0],
            "account": row[1],
            "email": entry.recipient,
            "link": link,
            "hours": f"{self._settings.invitation_hours:g}",
        }
        gist = f"Invitation for {entry.recipient}: {link}"
        return Letter(Kind.INVITATION, entry.recipient, entry.language, values, row[0], gist)

    @asynccontextmanager
    async def claimed(self, token: str) -> AsyncIterator[Claimed]:
        """The invitation of a link, held for whoever accepts it; free again when the block fails.
        Raises Problems."""
        hashed = digest(token) if len(token) <= LONGEST_TOKEN else ""
        claim = self._chance.name()
        async with self._database.write() as connection:
            problem = await self._claim(connection, hashed, claim)
        if problem is not None:
            raise Problems(problem)
        try:
            yield await self._read(claim)
        finally:
            # Harmless once the invitation is used.
            async with self._database.write() as connection:
                mine = update(InvitationRow).where(InvitationRow.claim == claim)
                await connection.execute(mine.values(claim=None, claimed_until=None))

    async def use(
        self, connection: AsyncConnection, claimed: Claimed, password_hash: str
    ) -> tuple[Person, bool]:
        """Spends the invitation and gives its person the password, in a transaction of the
        caller's. Answers who it is, and whether they had a password before. Raises Problems when
        it took too long and somebody else has it now."""
        now = self._clock()
        spent = await connection.execute(
            update(InvitationRow)
            .where(InvitationRow.claim == claimed.claim, InvitationRow.used_at.is_(None))
            .values(used_at=now)
        )
        if spent.rowcount != 1:
            raise Problems(problems.invitation_taken())
        email = claimed.invitation.email
        await self._database.alone(connection, f"person {email}")
        known = await people.find(connection, email)
        if known is not None:
            await people.set_password(connection, known.id, password_hash, now)
            return replace(known, password_hash=password_hash, password_set_at=now), True
        person = Person(self._chance.name(), email, claimed.language, now, password_hash)
        await people.make(connection, person)
        return person, False

    async def tidy(self) -> None:
        """Removes invitations that have been over for long."""
        old = InvitationRow.expires_at < self._clock() - _KEPT
        async with self._database.write() as connection:
            await connection.execute(delete(InvitationRow).where(old))

    async def _claim(self, connection: AsyncConnection, hashed: str, claim: str) -> Problem | None:
        now = self._clock()
        free = InvitationRow.claimed_until.is_(None) | (InvitationRow.claimed_until <= now)
        taken = await connection.execute(
            update(InvitationRow)
            .where(
                InvitationRow.token_hash == hashed,
                InvitationRow.used_at.is_(None),
                InvitationRow.replaced_at.is_(None),
                InvitationRow.expires_at > now,
                free,
            )
            .values(claim=claim, claimed_until=now + _CLAIM)
        )
        if taken.rowcount == 1:
            return None
        columns = (InvitationRow.used_at, InvitationRow.replaced_at, InvitationRow.expires_at)
        found = await connection.execute(select(*columns).where(InvitationRow.token_hash == hashed))
        row = found.one_or_none()
        if row is None:
            return problems.invitation_unknown()
        used_at, replaced_at, expires_at = row
        if used_at is not None:
            return problems.invitation_used()
        if replaced_at is not None:
            return problems.invitation_replaced()
        if expires_at <= now:
            return problems.invitation_expired(self._settings.invitation_hours)
        return problems.invitation_taken()

    async def _read(self, claim: str) -> Claimed:
        row = InvitationRow
        columns = (
            row.id,
            row.account_id,
            row.account_number,
            row.account_country,
            row.account_name,
            row.email,
            row.name,
            row.role,
            row.job_title,
            row.phone,
            row.invited_by,
            row.language,
        )
        async with self._database.read() as connection:
            found = (await connection.execute(select(*columns).where(row.claim == claim))).one()
        invitation = Invitation(
            account=AccountRef(found[1], found[2], found[3]),
            account_name=found[4],
            email=found[5],
            name=found[6],
            role=MembershipRole(found[7]),
            job_title=found[8],
            phone=found[9],
        )
        return Claimed(found[0], claim, invitation, found[10], found[11])


#: Sees to it that the invited person may act for the account, in the CRM; answers the contact's
#: id. It may be asked again for the same invitation. Raises SourceError.
EnsureContact = Callable[[Invitation], Awaitable[str]]
