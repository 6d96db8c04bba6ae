"""Turns rows of the tables of submissions into entries, and parts into rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.port.scope import AccountRef
from gateway.submissions.records import Deed, Entry, HeldFile, Part, State, unpacked
from gateway.submissions.tables import PartRow, SubmissionRow
from schema.cases.service import Sent
from schema.problems import Problem

#: Most rows of one answer.
MANY = 10_000


async def entries(connection: AsyncConnection, *which: Any) -> list[Entry]:
    """In the order in which they came."""
    rows = select(*SubmissionRow.__table__.columns).where(*which)
    found = (await connection.execute(rows.order_by(SubmissionRow.seq).limit(MANY))).all()
    parts: dict[str, list[Part]] = {}
    columns = PartRow.__table__.columns
    for ids in _chunks([row.id for row in found]):
        wanted = select(*columns).where(PartRow.submission_id.in_(ids))
        ordered = wanted.order_by(PartRow.submission_id, PartRow.position)
        for row in (await connection.execute(ordered)).all():
            parts.setdefault(row.submission_id, []).append(_part(row))
    return [_entry(row, parts.get(row.id, [])) for row in found]


def _chunks(ids: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    """SQLite takes only so many values in a statement."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _entry(row: Row[Any], parts: Sequence[Part]) -> Entry:
    return Entry(
        id=row.id,
        kind=Sent(row.kind),
        who=row.who,
        account=AccountRef(row.account_id, row.account_number, row.account_country),
        said=unpacked(row.said),
        parts=parts,
        created_at=row.created_at,
        changed_at=row.changed_at,
        case_id=row.case_id,
        number=row.number,
        state=State(row.state),
        heard=row.heard,
        done_at=row.done_at,
    )


def _part(row: Row[Any]) -> Part:
    file = HeldFile(row.file_id, row.filename, row.content_type, row.size) if row.file_id else None
    problem = msgspec.json.decode(row.problem, type=Problem) if row.problem else None
    return Part(row.position, Deed(row.deed), State(row.state), file, row.crm_id, problem)


def part_values(submission_id: str, part: Part) -> dict[str, Any]:
    file = part.file
    return {
        "submission_id": submission_id,
        "position": part.position,
        "deed": part.deed.value,
        "state": part.state.value,
        "file_id": file and file.id,
        "filename": file and file.filename,
        "content_type": file and file.content_type,
        "size": file and file.size,
    }
