"""Reads and writes what is known of files on their way in, one short transaction at a time."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import msgspec
from sqlalchemy import CursorResult, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Update

from gateway.database.engine import Database
from gateway.files.store import finished
from gateway.files.tables import State, UploadRow
from schema.context import Caller
from schema.problems import Problem, ProblemCode, Problems
from schema.texts import N_

P = ParamSpec("P")
T = TypeVar("T")

#: How long a writer may be silent before another one may write. Longer than it waits for bytes and
#: for the store together.
LEASE = timedelta(seconds=90)
#: Rows that one sweep takes at a time.
_BATCH = 200


class Upload(msgspec.Struct, frozen=True):
    """A row, read. See `UploadRow`."""

    id: str
    who: str
    filename: str
    content_type: str
    size: int
    received: int
    digest: str | None
    state: State
    problem: str | None
    holder: str | None
    expires_at: datetime

    @property
    def refusal(self) -> Problem | None:
        """Why it is not taken, for a file that is not."""
        if self.problem is None:
            return None
        raw = msgspec.json.decode(self.problem)
        return Problem(ProblemCode(raw["code"]), raw["text"], raw["values"])


_COLUMNS = [getattr(UploadRow, name) for name in Upload.__struct_fields__]


def _whole(
    ask: Callable[Concatenate[Uploads, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Uploads, P], Coroutine[Any, Any, T]]:
    """Lets nobody who is cancelled cut a transaction in two: its connection would be lost."""

    @functools.wraps(ask)
    async def run(self: Uploads, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await finished(ask(self, *args, **kwargs))

    return run


class Uploads:
    """Rows of the table `upload`. clock: aware UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    @_whole
    async def reserve(
        self,
        upload_id: str,
        who: str,
        filename: str,
        content_type: str,
        size: int,
        lasts: timedelta,
        most: tuple[int, int],
    ) -> Upload:
        """A place for a file. upload_id: see `new_id`. most: files and bytes that one caller may
        have waiting. Raises Problems when that is more."""
        now = self._clock()
        upload = Upload(
            id=upload_id,
            who=who,
            filename=filename,
            content_type=content_type,
            size=size,
            received=0,
            digest=None,
            state=State.RECEIVING,
            problem=None,
            holder=None,
            expires_at=now + lasts,
        )
        async with self._database.write() as connection:
            await self._database.alone(connection, f"upload {who}")
            await self._check_room(connection, who, size, most, now)
            values = msgspec.structs.asdict(upload)
            await connection.execute(insert(UploadRow).values(**values, created_at=now))
        return upload

    async def _check_room(
        self,
        connection: AsyncConnection,
        who: str,
        size: int,
        most: tuple[int, int],
        now: datetime,
    ) -> None:
        waiting = and_(
            UploadRow.who == who,
            UploadRow.holder.is_(None),
            UploadRow.expires_at > now,
            UploadRow.state != State.REFUSED,
        )
        counted = select(func.count(), func.coalesce(func.sum(UploadRow.size), 0)).where(waiting)
        files, in_bytes = (await connection.execute(counted)).one()
        if files >= most[0] or in_bytes + size > most[1]:
            text = N_("Too many of your files wait to be attached. Attach them, or try later.")
            raise Problems(Problem(ProblemCode.TOO_MANY_FILES, text, field=("input",)))

    @_whole
    async def find(self, ids: Sequence[str]) -> dict[str, Upload]:
        """Those that there are and have not expired, by id."""
        if not ids:
            return {}
        async with self._database.read() as connection:
            return await self._find(connection, ids)

    async def _find(self, connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Upload]:
        still = or_(UploadRow.holder.is_not(None), UploadRow.expires_at > self._clock())
        found = await connection.execute(select(*_COLUMNS).where(UploadRow.id.in_(ids), still))
        return {row.id: _upload(row) for row in found}

    # ------------------------------------------------------------------------- while it is written

    async def lock(self, upload_id: str) -> str | None:
        """A key to the right of writing this file, None while somebody else has it."""
        now, key = self._clock(), secrets.token_hex(16)
        free = or_(UploadRow.lock.is_(None), UploadRow.locked_until < now)
        taken = update(UploadRow).where(UploadRow.id == upload_id, free)
        done = await self._write(taken.values(lock=key, locked_until=now + LEASE))
        return key if done else None

    @_whole
    async def is_locked(self, upload_id: str) -> bool:
        """Whether somebody writes it right now."""
        held = and_(UploadRow.lock.is_not(None), UploadRow.locked_until >= self._clock())
        async with self._database.read() as connection:
            asked = select(UploadRow.id).where(UploadRow.id == upload_id, held)
            return (await connection.execute(asked)).first() is not None

    async def unlock(self, upload_id: str, key: str) -> None:
        await self._write(_locked(upload_id, key).values(lock=None, locked_until=None))

    async def got(self, upload_id: str, key: str, received: int, *, whole: bool) -> bool:
        """Notes how much of it is in the store; False when the right to write was lost. whole:
        whether that is all of it."""
        values: dict[str, Any] = {"received": received, "locked_until": self._clock() + LEASE}
        if whole:
            values |= {"state": State.RECEIVED, "size": received}
        return await self._write(_locked(upload_id, key).values(**values))

    async def ready(self, upload: Upload, filename: str, content_type: str, digest: str) -> bool:
        """Notes that it is taken."""
        values = {"filename": filename, "content_type": content_type, "digest": digest}
        return await self._write(_received(upload).values(state=State.READY, **values))

    async def refuse(self, upload: Upload, problem: Problem) -> bool:
        """Notes that it is not taken, and why."""
        said = {"code": problem.code, "text": problem.text, "values": dict(problem.values)}
        text = msgspec.json.encode(said).decode()
        return await self._write(_received(upload).values(state=State.REFUSED, problem=text))

    # ------------------------------------------------------------------------ until it is attached

    async def claim(
        self, connection: AsyncConnection, ids: Sequence[str], holder: str
    ) -> list[str]:
        """See `gateway.submissions.files`."""
        gone = []
        for upload_id in dict.fromkeys(ids):
            free = or_(UploadRow.holder.is_(None), UploadRow.holder == holder)
            there = or_(UploadRow.holder == holder, UploadRow.expires_at > self._clock())
            ready = UploadRow.state.in_((State.READY, State.SENT))
            claimed = update(UploadRow).where(UploadRow.id == upload_id, free, there, ready)
            if not _count(await connection.execute(claimed.values(holder=holder))):
                gone.append(upload_id)
        return gone

    @_whole
    async def sent(self, ids: Sequence[str], lasts: timedelta) -> list[str]:
        """Notes that claimed files are no longer needed; answers which they were."""
        held = update(UploadRow).where(UploadRow.id.in_(ids), UploadRow.holder.is_not(None))
        done = held.values(state=State.SENT, expires_at=self._clock() + lasts)
        async with self._database.write() as connection:
            found = await connection.execute(done.returning(UploadRow.id))
            return [row.id for row in found]

    @_whole
    async def drop(self, ids: Sequence[str]) -> list[str]:
        """Forgets files that nobody claimed; answers which they were."""
        gone = delete(UploadRow).where(UploadRow.id.in_(ids), UploadRow.holder.is_(None))
        async with self._database.write() as connection:
            found = await connection.execute(gone.returning(UploadRow.id))
            return [row.id for row in found]

    @_whole
    async def expire(self) -> list[str]:
        """Forgets files whose time is over, some at a time; answers which they were."""
        over = and_(
            UploadRow.expires_at <= self._clock(),
            or_(UploadRow.holder.is_(None), UploadRow.state == State.SENT),
        )
        some = select(UploadRow.id).where(over).limit(_BATCH)
        gone = delete(UploadRow).where(UploadRow.id.in_(some), over)
        async with self._database.write() as connection:
            found = await connection.execute(gone.returning(UploadRow.id))
            return [row.id for row in found]

    @_whole
    async def without_bytes(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids whose bytes nobody needs: there is no row, or it says so."""
        needed = UploadRow.state.not_in((State.REFUSED, State.SENT))
        async with self._database.read() as connection:
            asked = select(UploadRow.id).where(UploadRow.id.in_(ids), needed)
            found = await connection.execute(asked)
            return set(ids) - {row.id for row in found}

    @_whole
    async def _write(self, statement: Update) -> bool:
        async with self._database.write() as connection:
            return _count(await connection.execute(statement)) > 0


def new_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(16)


def whose(caller: Caller) -> str:
    """What files of a caller are kept under: the CRM's id where there is one, addresses change."""
    if caller.staff:
        return f"program {caller.name}"[:320]
    if caller.contact_id:
        return f"contact {caller.contact_id}"[:320]
    return f"address {caller.email}"[:320]


def _locked(upload_id: str, key: str) -> Update:
    return update(UploadRow).where(UploadRow.id == upload_id, UploadRow.lock == key)


def _received(upload: Upload) -> Update:
    whole = UploadRow.state == State.RECEIVED
    return update(UploadRow).where(UploadRow.id == upload.id, whole)


def _count(result: object) -> int:
    return cast("CursorResult[Any]", result).rowcount


def _upload(row: Any) -> Upload:
    found = Upload(**row._asdict())
    return msgspec.structs.replace(found, state=State(found.state))
