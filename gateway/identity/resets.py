"""Forgotten passwords: a code by mail, few tries, then a token that sets a password once.

A request is kept for every address that is asked for, whether or not anybody has it, so that
nothing that follows tells the two apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.database.engine import Database
from gateway.identity import people
from gateway.identity.letters import Kind, Letter
from gateway.identity.outbox import Entry, Outbox
from gateway.identity.passwords import Passwords
from gateway.identity.secrecy import LONGEST_TOKEN, Chance, digest
from gateway.identity.settings import IdentitySettings
from gateway.identity.tables import ResetRow

#: How long a request that is over is kept, so that its code can still say so.
_KEPT = timedelta(days=1)
_LONGEST_CODE = 32


class Refusal(Enum):
    """Why a code brings no token."""

    WRONG = auto()
    EXPIRED = auto()
    SPENT = auto()


@dataclass(frozen=True, slots=True)
class _Taken:
    """One of the tries of a request, taken. last: no other is left."""

    id: str
    code_hash: str | None = field(repr=False)
    last: bool


class Resets:
    """The table of requests for a new password. clock: aware UTC."""

    def __init__(
        self,
        database: Database,
        settings: IdentitySettings,
        passwords: Passwords,
        chance: Chance,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._settings, self._passwords = database, settings, passwords
        self._chance, self._clock = chance, clock

    async def request(self, outbox: Outbox, email: str, language: str) -> None:
        """Begins anew for an address in plain form: an earlier code is not good any more."""
        now, name = self._clock(), self._chance.name()
        expires_at = now + timedelta(minutes=self._settings.code_minutes)
        async with self._database.write() as connection:
            await self._database.alone(connection, f"reset of {email}")
            await connection.execute(delete(ResetRow).where(ResetRow.email == email))
            await connection.execute(
                insert(ResetRow).values(
                    id=name, email=email, tries=0, requested_at=now, expires_at=expires_at
                )
            )
            await outbox.put(connection, Kind.RESET, email, language, name, expires_at)
        outbox.wake()

    async def write(self, entry: Entry) -> Letter | None:
        """The mail of a request, with a new code; None when nobody has the address, or the request
        is over. Raises Busy."""
        async with self._database.read() as connection:
            person = await people.find(connection, entry.recipient)
        code = self._chance.code()
        # A code has few digits: only a hash that takes work keeps a stolen table from telling it.
        # It is made for nobody too, or others who sign in meanwhile could feel the difference.
        hashed = await self._passwords.hash(code)
        if person is None:
            return None
        open_ = (
            ResetRow.id == entry.reference,
            ResetRow.proven_at.is_(None),
            ResetRow.expires_at > self._clock(),
        )
        async with self._database.write() as connection:
            kept = await connection.execute(update(ResetRow).where(*open_).values(code_hash=hashed))
        if kept.rowcount != 1:
            return None
        minutes = f"{self._settings.code_minutes:g}"
        values = {"email": entry.recipient, "code": code, "minutes": minutes}
        gist = f"Code for {entry.recipient}: {code}"
        return Letter(Kind.RESET, entry.recipient, entry.language, values, gist=gist)

    async def verify(self, email: str | None, code: str) -> str | Refusal:
        """The token that a code brings. email: in plain form; None is nobody's. The try is counted
        before the code is compared. Raises Busy."""
        taken = await self._take(email or "")
        if isinstance(taken, Refusal) and taken is not Refusal.WRONG:
            return taken
        known = taken if isinstance(taken, _Taken) else None
        digits = "".join(code.split())[:_LONGEST_CODE]
        if not await self._passwords.verify(known.code_hash if known else None, digits):
            return Refusal.SPENT if known and known.last else Refusal.WRONG
        return await self._prove(known.id) if known else Refusal.WRONG

    async def owner(self, reset_token: str) -> str | None:
        """The address that a token may set a password for; None when it is not good."""
        async with self._database.read() as connection:
            statement = select(ResetRow.email).where(*self._good(reset_token))
            return await connection.scalar(statement)

    async def use(self, connection: AsyncConnection, reset_token: str) -> bool:
        """Spends a token in a transaction of the caller's; False when somebody was quicker."""
        statement = update(ResetRow).where(*self._good(reset_token))
        spent = await connection.execute(statement.values(used_at=self._clock()))
        return spent.rowcount == 1

    async def tidy(self) -> None:
        """Removes requests that have been over for a while."""
        old = ResetRow.requested_at < self._clock() - _KEPT
        async with self._database.write() as connection:
            await connection.execute(delete(ResetRow).where(old))

    async def _take(self, email: str) -> _Taken | Refusal:
        now, most = self._clock(), self._settings.code_tries
        columns = (ResetRow.id, ResetRow.expires_at)
        async with self._database.write() as connection:
            found = await connection.execute(select(*columns).where(ResetRow.email == email))
            row = found.one_or_none()
            if row is None:
                return Refusal.WRONG
            name, expires_at = row
            if expires_at <= now:
                return Refusal.EXPIRED
            counted = await connection.execute(
                update(ResetRow)
                .where(ResetRow.id == name, ResetRow.tries < most)
                .values(tries=ResetRow.tries + 1)
                .returning(ResetRow.tries, ResetRow.code_hash)
            )
            tried = counted.one_or_none()
        return Refusal.SPENT if tried is None else _Taken(name, tried[1], tried[0] >= most)

    async def _prove(self, name: str) -> str | Refusal:
        now, token = self._clock(), self._chance.token()
        async with self._database.write() as connection:
            proven = await connection.execute(
                update(ResetRow)
                .where(ResetRow.id == name, ResetRow.proven_at.is_(None))
                .values(
                    proven_at=now,
                    # A code that was used is a wrong one, as it is for an address of nobody.
                    code_hash=None,
                    token_hash=digest(token),
                    token_until=now + timedelta(minutes=self._settings.reset_token_minutes),
                )
            )
        return token if proven.rowcount == 1 else Refusal.WRONG

    def _good(self, reset_token: str) -> tuple[ColumnElement[bool], ...]:
        hashed = digest(reset_token) if len(reset_token) <= LONGEST_TOKEN else ""
        return (
            ResetRow.token_hash == hashed,
            ResetRow.used_at.is_(None),
            ResetRow.token_until > self._clock(),
        )
