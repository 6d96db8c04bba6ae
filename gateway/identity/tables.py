"""What the embedded identity service keeps. No token, code or password stands here in clear."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.audit.table import Number
from gateway.database.tables import Base, Moment

#: Lengths of columns: an id of ours, a SHA-256 in hexadecimal, an address, what a person types.
_ID, _HASH, _EMAIL, _TEXT = String(32), String(64), String(254), String(200)


class PersonRow(Base):
    """Somebody who set a password. email: ASCII lower case. password_hash: argon2's own format."""

    __tablename__ = "identity_person"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    email: Mapped[str] = mapped_column(_EMAIL, unique=True)
    password_hash: Mapped[str] = mapped_column(String(300))
    language: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(Moment)
    password_set_at: Mapped[datetime] = mapped_column(Moment)


class SessionRow(Base):
    """A session: one family of refresh tokens, of which only the newest is good.

    family_hash: of what all its refresh tokens have in common. refresh_hash: of the newest.
    access_until: when the last access token of it ends."""

    __tablename__ = "identity_session"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(
        ForeignKey("identity_person.id", ondelete="CASCADE"), index=True
    )
    family_hash: Mapped[str] = mapped_column(_HASH, unique=True)
    refresh_hash: Mapped[str] = mapped_column(_HASH)
    started_at: Mapped[datetime] = mapped_column(Moment)
    refreshed_at: Mapped[datetime] = mapped_column(Moment)
    idle_until: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    access_until: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    ended_because: Mapped[str | None] = mapped_column(String(32))


class InvitationRow(Base):
    """Somebody to be let in. token_hash: of the link in the newest mail, None before the first.

    claim and claimed_until: whoever is accepting it right now, and how long others wait for it."""

    __tablename__ = "identity_invitation"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    email: Mapped[str] = mapped_column(_EMAIL, index=True)
    token_hash: Mapped[str | None] = mapped_column(_HASH, unique=True)
    account_id: Mapped[str] = mapped_column(_TEXT)
    account_number: Mapped[str | None] = mapped_column(_TEXT)
    account_country: Mapped[str | None] = mapped_column(String(8))
    account_name: Mapped[str] = mapped_column(_TEXT)
    name: Mapped[str] = mapped_column(_TEXT)
    role: Mapped[str] = mapped_column(String(16))
    job_title: Mapped[str | None] = mapped_column(_TEXT)
    phone: Mapped[str | None] = mapped_column(_TEXT)
    invited_by: Mapped[str] = mapped_column(String(320))
    language: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    replaced_at: Mapped[datetime | None] = mapped_column(Moment)
    claim: Mapped[str | None] = mapped_column(_ID)
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)


class ResetRow(Base):
    """The newest request for a new password of an address, whether or not anybody has it.

    code_hash: None until the mail is written, and for ever when nobody has the address."""

    __tablename__ = "identity_reset"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    email: Mapped[str] = mapped_column(_EMAIL, unique=True)
    code_hash: Mapped[str | None] = mapped_column(String(300))
    tries: Mapped[int] = mapped_column(Integer)
    requested_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    proven_at: Mapped[datetime | None] = mapped_column(Moment)
    token_hash: Mapped[str | None] = mapped_column(_HASH, unique=True)
    token_until: Mapped[datetime | None] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class AttemptRow(Base):
    """One try of something that is limited. key: a hash of what was tried and by whom."""

    __tablename__ = "identity_attempt"
    __table_args__ = (Index("ix_identity_attempt_key_at", "key", "at"),)

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(_HASH)
    at: Mapped[datetime] = mapped_column(Moment, index=True)


class OutboxRow(Base):
    """A mail that is still to be sent, without its secret: link and code are made when it is
    written. reference: the invitation or the reset that it is about."""

    __tablename__ = "identity_outbox"

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    recipient: Mapped[str] = mapped_column(_EMAIL)
    language: Mapped[str] = mapped_column(String(8))
    reference: Mapped[str | None] = mapped_column(_ID)
    created_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment, index=True)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    tries: Mapped[int] = mapped_column(Integer)
