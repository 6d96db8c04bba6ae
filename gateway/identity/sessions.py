"""Sessions: an access token for a short time, and a refresh token that is good once.

A refresh token is `family.secret`. The family stays the same for all tokens of one session, the
secret is new each time, and only the newest is good. Whoever comes with an older one holds a copy
of it, or somebody else does: the whole family ends, because nobody can tell which of them it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.database.engine import Database
from gateway.identity.people import Person, has_same_password
from gateway.identity.secrecy import LONGEST_TOKEN, Chance, digest
from gateway.identity.settings import IdentitySettings
from gateway.identity.tables import PersonRow, SessionRow
from schema.identity.service import Session

#: Signs an access token: address and session to the token and the moment when it ends.
Issue = Callable[[str, str], tuple[str, datetime]]
#: Told at once of each session that ended: its id, and until when its access tokens might be good.
Ended = Callable[[str, datetime], None]

#: Access tokens are taken a little longer than they say, because clocks differ.
_MARGIN = timedelta(minutes=5)
#: How long a session that is over is kept, for operators.
_KEPT = timedelta(days=7)


class Because(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed out"
    REUSED = "refresh token used twice"
    CHANGED = "password changed"
    CROWDED = "too many sessions"
    OPERATOR = "by an operator"


class Reused(Exception):
    """A refresh token that was used before; its session has just been ended. email: whose."""

    def __init__(self, email: str) -> None:
        super().__init__("a refresh token was used twice")
        self.email = email


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session, for operators."""

    id: str
    email: str
    started_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_because: str | None


class Sessions:
    """The table of sessions. clock: aware UTC."""

    def __init__(
        self,
        database: Database,
        settings: IdentitySettings,
        issue: Issue,
        ended: Ended,
        chance: Chance,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._issue, self._tell = database, issue, ended
        self._chance, self._clock = chance, clock
        self._life = timedelta(days=settings.session_days)
        self._idle = timedelta(days=settings.idle_days)
        self._most = settings.sessions_per_person

    async def start(self, person: Person) -> Session | None:
        """A new session; the person's oldest ones beyond the bound end. None when the password was
        changed since it was proven."""
        now = self._clock()
        session_id, family, secret = self._chance.name(), self._chance.name(), self._chance.token()
        access_token, access_until = self._issue(person.email, session_id)
        async with self._database.write() as connection:
            await self._database.alone(connection, f"sessions of {person.id}")
            if not await has_same_password(connection, person):
                return None
            await connection.execute(delete(SessionRow).where(_forgettable(person.id, now)))
            await connection.execute(
                insert(SessionRow).values(
                    id=session_id,
                    person_id=person.id,
                    family_hash=digest(family),
                    refresh_hash=digest(secret),
                    started_at=now,
                    refreshed_at=now,
                    idle_until=now + self._idle,
                    expires_at=now + self._life,
                    access_until=access_until,
                )
            )
            crowded = await self._crowded(connection, person.id, session_id, now)
            ended = await self._end(connection, SessionRow.id.in_(crowded), Because.CROWDED)
        self._say(ended)
        return Session(access_token, f"{family}.{secret}", access_until, person.email)

    async def refresh(self, refresh_token: str) -> Session | None:
        """The session with new tokens; None for a token that is none, or of a session that is
        over. Raises Reused."""
        family, _, secret = refresh_token[: LONGEST_TOKEN + 1].partition(".")
        if len(refresh_token) > LONGEST_TOKEN or not secret:
            return None
        now, of_family = self._clock(), SessionRow.family_hash == digest(family)
        fresh = self._chance.token()
        async with self._database.write() as connection:
            statement = (
                select(SessionRow.id, SessionRow.expires_at, PersonRow.email)
                .join(PersonRow, PersonRow.id == SessionRow.person_id)
                .where(of_family, *_alive(now))
            )
            found = (await connection.execute(statement)).one_or_none()
            if found is None:
                return None
            session_id, expires_at, email = found
            access_token, access_until = self._issue(email, session_id)
            rotated = await connection.execute(
                update(SessionRow)
                .where(of_family, SessionRow.refresh_hash == digest(secret), *_alive(now))
                .values(
                    refresh_hash=digest(fresh),
                    refreshed_at=now,
                    idle_until=min(now + self._idle, expires_at),
                    access_until=access_until,
                )
            )
            reused = rotated.rowcount != 1
            ended = await self._end(connection, of_family, Because.REUSED) if reused else []
        self._say(ended)
        if reused and not ended:
            return None  # somebody ended it in between
        if reused:
            raise Reused(email)
        return Session(access_token, f"{family}.{fresh}", access_until, email)

    async def sign_out(self, refresh_token: str) -> str | None:
        """Ends the session of a token, an older one too; answers whose it was."""
        family = refresh_token[:LONGEST_TOKEN].partition(".")[0]
        of_family = SessionRow.family_hash == digest(family)
        async with self._database.write() as connection:
            email = await connection.scalar(
                select(PersonRow.email)
                .join(SessionRow, PersonRow.id == SessionRow.person_id)
                .where(of_family, SessionRow.ended_at.is_(None))
            )
            ended = await self._end(connection, of_family, Because.SIGNED_OUT)
        self._say(ended)
        return email

    async def end_of(
        self,
        connection: AsyncConnection,
        person_id: str,
        because: Because,
        but: str | None = None,
    ) -> list[tuple[str, datetime]]:
        """Ends a person's sessions in a transaction of the caller's, who tells `announce` when it
        is kept. but: the id of one that goes on."""
        condition = SessionRow.person_id == person_id
        if but is not None:
            condition = condition & (SessionRow.id != but)
        return await self._end(connection, condition, because)

    async def end_all(self, person_id: str, because: Because) -> int:
        """Ends all sessions of a person; answers how many."""
        async with self._database.write() as connection:
            ended = await self.end_of(connection, person_id, because)
        self._say(ended)
        return len(ended)

    def announce(self, ended: Sequence[tuple[str, datetime]]) -> None:
        """Tells this process of sessions that ended in a transaction that is kept now."""
        self._say(ended)

    async def ended_since(self, moment: datetime) -> list[tuple[str, datetime]]:
        """Sessions that ended at this moment or later whose access tokens might still be good, and
        until when. Whoever asks again should reach back a little: a transaction is seen only when
        it is kept."""
        statement = select(SessionRow.id, SessionRow.access_until).where(
            SessionRow.ended_at >= moment, SessionRow.access_until > self._clock() - _MARGIN
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [(session_id, until + _MARGIN) for session_id, until in rows]

    async def of_person(self, email: str) -> list[SessionInfo]:
        """A person's sessions that are kept, newest first."""
        statement = (
            select(
                SessionRow.id,
                PersonRow.email,
                SessionRow.started_at,
                SessionRow.refreshed_at,
                SessionRow.expires_at,
                SessionRow.ended_at,
                SessionRow.ended_because,
            )
            .join(PersonRow, PersonRow.id == SessionRow.person_id)
            .where(PersonRow.email == email)
            .order_by(SessionRow.started_at.desc(), SessionRow.id)
        )
        async with self._database.read() as connection:
            return [SessionInfo(*row) for row in await connection.execute(statement)]

    async def tidy(self) -> None:
        """Removes sessions that have been over for a while."""
        before = self._clock() - _KEPT
        over = (
            (SessionRow.expires_at < before)
            | (SessionRow.idle_until < before)
            | (SessionRow.ended_at < before)
        )
        async with self._database.write() as connection:
            await connection.execute(delete(SessionRow).where(over))

    async def _crowded(
        self, connection: AsyncConnection, person_id: str, newest: str, now: datetime
    ) -> Sequence[str]:
        statement = (
            select(SessionRow.id)
            .where(SessionRow.person_id == person_id, SessionRow.id != newest, *_alive(now))
            .order_by(SessionRow.refreshed_at.desc(), SessionRow.started_at.desc())
            .offset(self._most - 1)
        )
        return (await connection.scalars(statement)).all()

    async def _end(
        self, connection: AsyncConnection, condition: ColumnElement[bool], because: Because
    ) -> list[tuple[str, datetime]]:
        rows = await connection.execute(
            update(SessionRow)
            .where(condition, SessionRow.ended_at.is_(None))
            .values(ended_at=self._clock(), ended_because=because.value)
            .returning(SessionRow.id, SessionRow.access_until)
        )
        return [(session_id, until + _MARGIN) for session_id, until in rows]

    def _say(self, ended: Sequence[tuple[str, datetime]]) -> None:
        for session_id, until in ended:
            self._tell(session_id, until)


def _forgettable(person_id: str, now: datetime) -> ColumnElement[bool]:
    """Ended sessions of a person of which no token is good any more."""
    mine, over = SessionRow.person_id == person_id, SessionRow.ended_at < now - _KEPT
    # Somebody who signs in again and again does not fill the table.
    crowded = SessionRow.ended_because == Because.CROWDED.value
    return mine & (over | crowded) & (SessionRow.access_until < now - _MARGIN)


def _alive(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        SessionRow.ended_at.is_(None),
        SessionRow.idle_until > now,
        SessionRow.expires_at > now,
    )
