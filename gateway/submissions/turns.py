"""Whose turn it is: what was sent about one case is brought in the order in which it came."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.submissions.records import NOBODY, Entry, Part, State, named
from gateway.submissions.rows import entries
from gateway.submissions.tables import SubmissionRow
from schema.cases.service import Sent


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a part may be brought to the CRM now. behind: another submission about the same case
    comes first. stuck: and that was tried in vain. lost: another process brings it. refused: the
    case that it belongs to was not taken."""

    entry: Entry
    part: Part
    behind: bool = False
    stuck: bool = False
    lost: bool = False
    refused: bool = False


async def turn(
    connection: AsyncConnection, submission_id: str, position: int, holder: str
) -> Turn | None:
    """How it stands with a part; None for a submission that is not there. holder: this process."""
    row = SubmissionRow
    found = await entries(connection, row.id == submission_id)
    if not found:
        return None
    entry = found[0]
    held = select(row.seq, row.holder).where(row.id == submission_id)
    seq, holds = (await connection.execute(held)).one()
    tried, refused = await _before(connection, entry, seq)
    return Turn(
        entry,
        entry.parts[position],
        behind=tried is not None,
        stuck=bool(tried),
        lost=holds != holder,
        refused=refused,
    )


async def _before(connection: AsyncConnection, entry: Entry, seq: int) -> tuple[int | None, bool]:
    """How often what comes first was tried in vain, None if nothing does; whether the case was
    refused."""
    if entry.kind is Sent.CASE:
        return None, False
    row = SubmissionRow
    name = named(entry.about)
    if name is not None:
        wanted = select(row.state, row.tries).where(row.id == name[0])
        case = (await connection.execute(wanted)).first()
        if case is None or case.state != State.WAITING.value:
            return None, True
        return int(case.tries), False
    # What others send about a case that is not proven to be theirs must hold up nobody.
    together = row.who == entry.who
    if entry.account != NOBODY:
        together = or_(together, row.account_id == entry.account.id)
    earlier = select(func.max(row.tries)).where(
        row.case_id == entry.about, row.state == State.WAITING.value, row.seq < seq, together
    )
    return await connection.scalar(earlier), False
