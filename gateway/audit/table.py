"""The table of audit events. Its migration lets nobody change or remove a row."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.database.tables import Base, Moment

#: SQLite counts up by itself only in a column of the type INTEGER.
Number = BigInteger().with_variant(Integer(), "sqlite")


class AuditRow(Base):
    """One event, as `gateway.audit.events.Event` describes it."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    event: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(64))
    who: Mapped[str] = mapped_column(String(320), index=True)
    whose: Mapped[str] = mapped_column(String(320), index=True)
    what: Mapped[str] = mapped_column(String(500))
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    request_id: Mapped[str] = mapped_column(String(64))
