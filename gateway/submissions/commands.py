"""What operators see and do about submissions: what is stuck, since when, why, and what helps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update

from gateway.database.engine import Database
from gateway.submissions.records import Deed, State
from gateway.submissions.tables import PartRow, SubmissionRow

#: How long something waits before it counts as stuck.
STUCK = timedelta(minutes=15)
#: Most rows of one answer.
MOST = 1_000

#: What helps, by our code of the last failure.
_HELP = {
    "SOURCE_UNAVAILABLE": "the CRM does not answer; nothing to do once it is back",
    "SOURCE_TIMED_OUT": "the CRM does not answer in time; nothing to do once it is back",
    "SOURCE_THROTTLED": "the CRM's quota is used up; raise it, or wait until it is renewed",
    "SOURCE_REFUSED": "the CRM does not let the gateway write: check its credential and rights",
    "SOURCE_UNREADABLE": "the CRM answers what is not its format: see the calls in the log",
    "SOURCE_NOT_CONFIGURED": "no system is named for cases: see [sources] in portal.toml",
    "SOURCE_REJECTED": "the CRM will never take it as it is; its sender is told",
    "FILE_UNREADABLE": "the file store does not give the file back: check [files] in portal.toml",
    "CASE_NOT_TAKEN": "the case that it belongs to was refused; its sender is told",
    "CASE_GONE": "its sender has no such case in the CRM",
    "CASE_CLOSED": "the case was closed when it came; its sender is told",
    "DATABASE": "the gateway's own database does not answer",
    "INTERNAL": "nobody foresaw it: the log has the trace",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which submissions. state: None for all. stuck: those that wait longer than others do."""

    state: State | None = State.WAITING
    stuck: bool = False


class NoSuchSubmission(ValueError):
    """There is none with this id, or not in the state that it would have to be in."""


async def listed(database: Database, wanted: Filter, now: datetime) -> Sequence[str]:
    """A line for each submission, the oldest first."""
    row = SubmissionRow
    statement = select(*row.__table__.columns).order_by(row.seq).limit(MOST)
    if wanted.state is not None:
        statement = statement.where(row.state == wanted.state.value)
    if wanted.stuck:
        statement = statement.where(row.created_at < now - STUCK)
    async with database.read() as connection:
        found = (await connection.execute(statement)).all()
    return [_line(one, now) for one in found]


def _line(row: Row[Any], now: datetime) -> str:
    waits = f"for {_spell(now - row.created_at)}" if row.state == State.WAITING.value else ""
    parts = (row.id, row.kind, row.state, waits, row.error or "", f"{row.tries} tries")
    return "\t".join(parts)


async def shown(database: Database, submission_id: str, now: datetime) -> Iterator[str]:
    """All that is known of one, but for what its sender wrote. Raises NoSuchSubmission."""
    async with database.read() as connection:
        columns = SubmissionRow.__table__.columns
        wanted = select(*columns).where(SubmissionRow.id == submission_id)
        row = (await connection.execute(wanted)).first()
        steps = select(*PartRow.__table__.columns).where(PartRow.submission_id == submission_id)
        parts = (await connection.execute(steps.order_by(PartRow.position))).all()
    if row is None:
        raise NoSuchSubmission(f"there is no submission {submission_id}")
    return iter([*_head(row, now), *(_part(part) for part in parts)])


def _head(row: Row[Any], now: datetime) -> Iterator[str]:
    yield f"{row.id}  {row.kind.lower()}, {row.state}"
    yield f"  sent      {row.created_at.isoformat()} by {row.who}"
    yield f"  account   {row.account_number or row.account_id or 'the CRM has not said yet'}"
    yield f"  case      {row.number or row.case_id or 'the CRM has none yet'}"
    if row.state == State.WAITING.value:
        yield f"  waits     for {_spell(now - row.created_at)}, {row.tries} tries"
        yield f"  next try  {_next(row.due_at, now)}"
        yield f"  held by   {row.holder}, until {row.held_until.isoformat()}"
    else:
        yield f"  ended     {row.done_at.isoformat()}"
    if row.error:
        yield f"  why       {row.error}: {_HELP.get(row.error, 'see the log')}"


def _next(due_at: datetime | None, now: datetime) -> str:
    if due_at is None:
        return "at once, or when what was sent before it is done"
    return f"in {_spell(due_at - now)}" if due_at > now else "now, or when the CRM has room"


def _part(row: Row[Any]) -> str:
    what = {Deed.OPEN: "open the case", Deed.COMMENT: "comment", Deed.CLOSE: "close the case"}
    named = what.get(Deed(row.deed)) or f"file {row.file_id}, {row.size} bytes"
    return f"  {row.position + 1}. {named}: {row.state}{' ' + row.crm_id if row.crm_id else ''}"


def _spell(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


async def retry(database: Database, submission_id: str, now: datetime) -> None:
    """Has a submission tried now, by the gateway that holds it. Raises NoSuchSubmission."""
    row = SubmissionRow
    statement = update(row).where(row.id == submission_id, row.state == State.WAITING.value)
    async with database.write() as connection:
        values = {"changed_at": now, "due_at": None}
        done = await connection.execute(statement.values(values))
    if done.rowcount == 0:
        raise NoSuchSubmission(f"no submission {submission_id} waits")


async def cancel(database: Database, submission_id: str, now: datetime) -> None:
    """Gives a submission up; its sender is told on the case's timeline. What the CRM takes at this
    very moment counts as done all the same. Raises NoSuchSubmission."""
    row, part = SubmissionRow, PartRow
    statement = update(row).where(row.id == submission_id, row.state == State.WAITING.value)
    values = {"state": State.CANCELLED.value, "done_at": now, "changed_at": now, "due_at": None}
    async with database.write() as connection:
        if (await connection.execute(statement.values(values))).rowcount == 0:
            raise NoSuchSubmission(f"no submission {submission_id} waits")
        mine = part.submission_id == submission_id
        rest = update(part).where(mine, part.state == State.WAITING.value)
        await connection.execute(rest.values(state=State.CANCELLED.value))
