"""The tables of submissions and of the parts that they are made of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from gateway.database.tables import Base, Moment

_Number = BigInteger().with_variant(Integer(), "sqlite")


class SubmissionRow(Base):
    """Something that a customer sent; see `records.Entry`.

    seq: in which order they came. digest: of the input. key_hash: of the key that the client gave,
    None for one that gave none or whose key is free again. said: the words, None once they are kept
    no longer. error: our code of the last failure. holder: the process that brings it to the CRM,
    and until when the others leave it alone."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("who", "kind", "key_hash", name="uq_submission_key"),
        Index("ix_submission_state_account", "state", "account_id"),
        Index("ix_submission_repeat", "who", "kind", "digest"),
    )

    seq: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    who: Mapped[str] = mapped_column(String(320))
    account_id: Mapped[str] = mapped_column(String(200))
    account_number: Mapped[str | None] = mapped_column(String(200))
    account_country: Mapped[str | None] = mapped_column(String(8))
    case_id: Mapped[str | None] = mapped_column(String(200), index=True)
    number: Mapped[str | None] = mapped_column(String(200))
    key_hash: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    said: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    heard: Mapped[bool] = mapped_column(Boolean)
    tries: Mapped[int] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)
    tried_at: Mapped[datetime | None] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment, index=True)
    done_at: Mapped[datetime | None] = mapped_column(Moment)
    holder: Mapped[str] = mapped_column(String(200))
    held_until: Mapped[datetime] = mapped_column(Moment)


class PartRow(Base):
    """One deed of a submission; see `records.Part`. problem: as JSON."""

    __tablename__ = "submission_part"

    submission_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("submission.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    deed: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    file_id: Mapped[str | None] = mapped_column(String(64))
    filename: Mapped[str | None] = mapped_column(Text)
    content_type: Mapped[str | None] = mapped_column(String(200))
    size: Mapped[int | None] = mapped_column(BigInteger)
    crm_id: Mapped[str | None] = mapped_column(String(200))
    problem: Mapped[str | None] = mapped_column(Text)
