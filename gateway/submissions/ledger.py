"""The book of submissions: what was taken in, how far each of its parts is, who brings it.

It is the truth about what customers were told. Each change is one transaction, and answers the
entry as it is then, for whoever keeps it in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.port.records import Case
from gateway.database.engine import Database
from gateway.submissions import problems
from gateway.submissions.files import HeldFiles
from gateway.submissions.holding import LEASE
from gateway.submissions.records import (
    NOBODY,
    Deed,
    Entry,
    State,
    alias,
    named,
    packed,
)
from gateway.submissions.rows import MANY, entries, part_values
from gateway.submissions.settings import SubmissionSettings
from gateway.submissions.tables import PartRow, SubmissionRow
from gateway.submissions.turns import Turn, turn
from schema.cases.service import Sent
from schema.problems import Problem, Problems

#: When it makes sense to come again after too much was waiting.
_LATER = timedelta(minutes=5)
#: The submission's own deed: when the CRM refuses that, nothing else of it makes sense.
_MAIN = frozenset({Deed.OPEN, Deed.COMMENT, Deed.CLOSE})


@dataclass(frozen=True, slots=True)
class Draft:
    """A submission that is not kept yet. key_hash: of the client's key, None for none. digest: of
    the input. named: where the input names each of its files, by id. refusal: why it is not kept
    unless it is a repetition."""

    entry: Entry
    digest: str
    key_hash: str | None
    named: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    refusal: Problem | None = None


class Ledger:
    """The tables of submissions. clock: aware UTC. holder: this process, for the others."""

    def __init__(
        self,
        database: Database,
        settings: SubmissionSettings,
        files: HeldFiles,
        clock: Callable[[], datetime],
        holder: str,
    ) -> None:
        self._database, self._settings, self._files = database, settings, files
        self._clock, self.holder = clock, holder

    # ---------------------------------------------------------------------------- taking in

    async def accept(self, draft: Draft) -> tuple[Entry, bool]:
        """Keeps a submission with its files, and says whether it is new: a repetition answers what
        is there. Raises Problems, and then keeps nothing."""
        entry = draft.entry
        async with self._database.write() as connection:
            await self._database.alone(connection, f"submission {entry.who}")
            known = await self._repeated(connection, draft)
            if known is not None:
                return known, False
            if draft.refusal is not None:
                raise Problems(draft.refusal)
            await self._check_room(connection, entry)
            kept = await self._about(connection, entry)
            await self._insert(connection, draft, kept)
            held = [part.file.id for part in entry.parts if part.file]
            gone = await self._files.claim(connection, held, entry.id) if held else ()
            if gone:
                raise Problems(*(problems.file_gone(draft.named.get(one)) for one in gone))
            return kept, True

    async def _repeated(self, connection: AsyncConnection, draft: Draft) -> Entry | None:
        entry, row = draft.entry, SubmissionRow
        same = select(row.id, row.digest).where(row.who == entry.who, row.kind == entry.kind.value)
        if draft.key_hash is not None:
            same = same.where(row.key_hash == draft.key_hash)
        else:
            since = self._clock() - timedelta(minutes=self._settings.repeat_minutes)
            fresh = row.created_at > since
            if entry.kind is Sent.CLOSING:
                fresh = and_(fresh, row.state == State.WAITING.value)
            # A person who was told that it was refused sends it again on purpose.
            same = same.where(
                row.digest == draft.digest, row.key_hash.is_(None), row.heard.is_(False), fresh
            )
        found = (await connection.execute(same.order_by(row.seq.desc()).limit(1))).first()
        if found is None:
            return None
        if found.digest != draft.digest:
            raise Problems(problems.other_input())
        (known,) = await entries(connection, row.id == found.id)
        return known

    async def _check_room(self, connection: AsyncConnection, entry: Entry) -> None:
        waiting = (
            select(func.count())
            .select_from(SubmissionRow)
            .where(SubmissionRow.state == State.WAITING.value)
        )
        of_account = waiting.where(SubmissionRow.account_id == entry.account.id)
        if entry.account == NOBODY:
            of_account = of_account.where(SubmissionRow.who == entry.who)
        settings = self._settings
        if (await connection.scalar(of_account) or 0) >= settings.most_waiting_per_account or (
            await connection.scalar(waiting) or 0
        ) >= settings.most_waiting:
            raise Problems(problems.too_many(self._clock() + _LATER))

    async def _about(self, connection: AsyncConnection, entry: Entry) -> Entry:
        """The entry with its case by the CRM's id, where the CRM has given one by now."""
        name = named(entry.case_id) if entry.case_id else None
        if name is None:
            return entry
        row = SubmissionRow
        theirs = [account.id for account in entry.said.among] or [entry.account.id]
        wanted = select(row.state, row.case_id).where(
            row.id == name[0], row.kind == Sent.CASE.value, row.account_id.in_(theirs)
        )
        # Whoever notes the CRM's id waits until this is kept, and then changes it as well.
        found = (await connection.execute(wanted.with_for_update())).first()
        if found is None:
            raise Problems(problems.no_such_case())
        if found.case_id is None and found.state != State.WAITING.value:
            raise Problems(problems.case_not_taken())
        return replace(entry, case_id=found.case_id) if found.case_id else entry

    async def _insert(self, connection: AsyncConnection, draft: Draft, entry: Entry) -> None:
        now = self._clock()
        values = {
            "id": entry.id,
            "kind": entry.kind.value,
            "who": entry.who,
            "account_id": entry.account.id,
            "account_number": entry.account.number,
            "account_country": entry.account.country,
            "case_id": entry.case_id,
            "key_hash": draft.key_hash,
            "digest": draft.digest,
            "said": packed(entry.said),
            "state": State.WAITING.value,
            "heard": False,
            "tries": 0,
            "created_at": entry.created_at,
            "changed_at": entry.changed_at,
            "holder": self.holder,
            "held_until": now + LEASE,
        }
        await connection.execute(insert(SubmissionRow).values(values))
        await connection.execute(insert(PartRow), [part_values(entry.id, p) for p in entry.parts])

    # ---------------------------------------------------------------------------- bringing

    async def turn(self, submission_id: str, position: int) -> Turn | None:
        """How it stands with a part; None for a submission that is not there."""
        async with self._database.read() as connection:
            return await turn(connection, submission_id, position, self.holder)

    async def proven(self, submission_id: str, case: Case, *, takes_more: bool) -> list[Entry]:
        """The CRM has said whose case a submission is about. takes_more: whether anything may be
        added to it; where not, each part asks again."""
        mine = SubmissionRow.id == submission_id
        async with self._database.write() as connection:
            for entry in await entries(connection, mine):
                said = replace(entry.said, among=()) if takes_more else entry.said
                await self._change(
                    connection,
                    mine,
                    account_id=case.owner.id,
                    account_number=case.owner.number,
                    account_country=case.owner.country,
                    case_id=case.id,
                    said=packed(said),
                )
            return await entries(connection, mine)

    async def sent(
        self, submission_id: str, position: int, crm_id: str | None, number: str | None = None
    ) -> list[Entry]:
        """The CRM has a part; answers what that changed. number: of a case that was opened."""
        async with self._database.write() as connection:
            await self._settle(connection, submission_id, position, State.DONE, crm_id=crm_id)
            changed = [submission_id]
            mine = SubmissionRow.id == submission_id
            opened = {} if number is None else {"case_id": crm_id, "number": number}
            await self._change(connection, mine, **opened)
            if opened:
                following = SubmissionRow.case_id == alias(submission_id)
                changed += await connection.scalars(select(SubmissionRow.id).where(following))
                await self._change(connection, following, case_id=crm_id)
            await self._finish(connection, submission_id)
            return await entries(connection, SubmissionRow.id.in_(changed))

    async def _change(self, connection: AsyncConnection, which: Any, **values: Any) -> None:
        statement = update(SubmissionRow).where(which)
        await connection.execute(statement.values(changed_at=self._clock(), **values))

    async def rejected(
        self, submission_id: str, position: int, problem: Problem, error: str
    ) -> list[Entry]:
        """The CRM will never take a part. error: our code of why."""
        async with self._database.write() as connection:
            told = msgspec.json.encode(problem).decode()
            done = await self._settle(
                connection, submission_id, position, State.REJECTED, problem=told
            )
            if done is not None and Deed(done) in _MAIN:
                await self._give_up_rest(connection, submission_id)
            await self._change(connection, SubmissionRow.id == submission_id, error=error)
            await self._finish(connection, submission_id)
            return await entries(connection, SubmissionRow.id == submission_id)

    async def _settle(
        self,
        connection: AsyncConnection,
        submission_id: str,
        position: int,
        state: State,
        **values: Any,
    ) -> str | None:
        """Notes how a part ended, once; answers its deed, None where it had ended before. What an
        operator gave up while the CRM took it is done."""
        part = PartRow
        from_ = [State.WAITING.value]
        if state is State.DONE:
            from_.append(State.CANCELLED.value)
        statement = (
            update(part)
            .where(part.submission_id == submission_id, part.position == position)
            .where(part.state.in_(from_))
            .values(state=state.value, **values)
            .returning(part.deed)
        )
        return (await connection.execute(statement)).scalar()

    async def _give_up_rest(self, connection: AsyncConnection, submission_id: str) -> None:
        rest = update(PartRow).where(
            PartRow.submission_id == submission_id, PartRow.state == State.WAITING.value
        )
        await connection.execute(rest.values(state=State.CANCELLED.value))

    async def _finish(self, connection: AsyncConnection, submission_id: str) -> None:
        """Ends a submission whose parts have all ended: done if the CRM took anything of it."""
        states = select(PartRow.state).where(PartRow.submission_id == submission_id)
        found = set(await connection.scalars(states))
        if State.WAITING.value in found:
            return
        given_up = select(SubmissionRow.state).where(SubmissionRow.id == submission_id)
        if State.CANCELLED.value in found and State.CANCELLED.value == await connection.scalar(
            given_up
        ):
            return
        state = State.DONE if State.DONE.value in found else State.REJECTED
        if await self._refused_mainly(connection, submission_id):
            state = State.REJECTED
        await self._end(connection, SubmissionRow.id == submission_id, state)

    async def _refused_mainly(self, connection: AsyncConnection, submission_id: str) -> bool:
        refused = select(func.count()).where(
            PartRow.submission_id == submission_id,
            PartRow.state == State.REJECTED.value,
            PartRow.deed.in_([deed.value for deed in _MAIN]),
        )
        return bool(await connection.scalar(refused))

    async def _end(self, connection: AsyncConnection, which: Any, state: State) -> int:
        now = self._clock()
        from_ = [State.WAITING.value, *([State.CANCELLED.value] if state is State.DONE else [])]
        statement = update(SubmissionRow).where(which, SubmissionRow.state.in_(from_))
        values = {"state": state.value, "done_at": now, "changed_at": now, "due_at": None}
        return (await connection.execute(statement.values(values))).rowcount

    async def tried(self, submission_id: str, error: str, pause: float) -> None:
        """A try that brought nothing. error: our code; pause: seconds until the next one."""
        now = self._clock()
        statement = update(SubmissionRow).where(SubmissionRow.id == submission_id)
        values = {
            "tries": SubmissionRow.tries + 1,
            "error": error,
            "tried_at": now,
            "due_at": now + timedelta(seconds=pause),
        }
        async with self._database.write() as connection:
            await connection.execute(statement.values(values))

    async def hear(self, submission_id: str) -> list[Entry]:
        """The customer is told of the rejection now: it need not be told later, and the key is free
        for what they will send instead."""
        statement = update(SubmissionRow).where(
            SubmissionRow.id == submission_id, SubmissionRow.state == State.REJECTED.value
        )
        values = {"heard": True, "key_hash": None, "changed_at": self._clock()}
        async with self._database.write() as connection:
            await connection.execute(statement.values(values))
            return await entries(connection, SubmissionRow.id == submission_id)

    # ---------------------------------------------------------------------------- reading

    async def changed_since(self, since: datetime | None) -> list[Entry]:
        """What changed since a moment; with None, what waits, and what was refused and is kept."""
        row = SubmissionRow
        which = row.changed_at >= since if since else row.state != State.DONE.value
        async with self._database.read() as connection:
            return await entries(connection, which)

    async def by_id(self, ids: Sequence[str]) -> dict[str, Entry]:
        """Those that are there, by id."""
        async with self._database.read() as connection:
            found = await entries(connection, SubmissionRow.id.in_(ids)) if ids else []
        return {entry.id: entry for entry in found}

    async def refusals(self, case_ids: Sequence[str]) -> list[Entry]:
        """Submissions about these cases of which something was refused, oldest first. case_ids: of
        the CRM, or aliases."""
        row = SubmissionRow
        refused = select(PartRow.submission_id).where(
            PartRow.submission_id == row.id,
            PartRow.state.in_([State.REJECTED.value, State.CANCELLED.value]),
        )
        names = [name[0] for name in map(named, case_ids) if name]
        about = or_(row.case_id.in_(case_ids), row.id.in_(names))
        async with self._database.read() as connection:
            told = row.heard.is_(False), row.account_id != NOBODY.id
            return await entries(connection, about, *told, refused.exists())

    async def forget(self) -> tuple[list[str], list[str]]:
        """Removes what was settled long ago, all but which case of the CRM an alias means. Answers
        the ids of what was removed, and of files that were never sent."""
        row, kept = SubmissionRow, Sent.CASE.value
        before = self._clock() - timedelta(days=self._settings.keep_days)
        old = and_(row.state != State.WAITING.value, row.done_at < before)
        gone = or_(row.kind != kept, row.case_id.is_(None))
        async with self._database.write() as connection:
            ids = select(row.id).where(old, or_(gone, row.said.is_not(None)))
            found = list(await connection.scalars(ids.limit(MANY)))
            theirs = PartRow.submission_id.in_(found)
            unsent = select(PartRow.file_id).where(theirs, PartRow.state != State.DONE.value)
            files = [one for one in await connection.scalars(unsent) if one]
            await connection.execute(delete(PartRow).where(theirs))
            await connection.execute(delete(row).where(row.id.in_(found), gone))
            emptied = update(row).where(row.id.in_(found))
            await connection.execute(emptied.values(said=None, key_hash=None))
        return found, files
