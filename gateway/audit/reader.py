"""Finds audit events for operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from gateway.audit.events import Event
from gateway.audit.table import AuditRow
from gateway.database.engine import Database

#: Most events of one answer.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; None: no condition. since and until: half open. event: a whole name, or the
    start of one that ends in a dot ("session."). The others are compared as a whole."""

    since: datetime | None = None
    until: datetime | None = None
    event: str | None = None
    who: str | None = None
    whose: str | None = None
    outcome: str | None = None
    address: str | None = None
    request_id: str | None = None


async def read_events(database: Database, wanted: EventFilter, limit: int = 100) -> Sequence[Event]:
    """The newest events that meet the filter, the oldest of them first. limit: 1 to MOST."""
    statement = (
        select(
            AuditRow.at,
            AuditRow.event,
            AuditRow.who,
            AuditRow.whose,
            AuditRow.what,
            AuditRow.outcome,
            AuditRow.address,
            AuditRow.user_agent,
            AuditRow.request_id,
        )
        .order_by(AuditRow.id.desc())
        .limit(max(1, min(limit, MOST)))
    )
    if wanted.since is not None:
        statement = statement.where(AuditRow.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditRow.at < wanted.until)
    if wanted.event is not None and wanted.event.endswith("."):
        statement = statement.where(AuditRow.event.startswith(wanted.event, autoescape=True))
    elif wanted.event is not None:
        statement = statement.where(AuditRow.event == wanted.event)
    for name in ("who", "whose", "outcome", "address", "request_id"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(getattr(AuditRow, name) == value)
    async with database.read() as connection:
        rows = (await connection.execute(statement)).all()
    return [Event(*row) for row in reversed(rows)]
