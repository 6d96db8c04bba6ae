"""What is known of files on their way in; their bytes are in the store."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.database.tables import Base, Moment


class State(StrEnum):
    """RECEIVING: bytes are missing. RECEIVED: all are here, nobody has looked at them yet. READY:
    looked at and taken. REFUSED: not taken; its bytes are gone, and `problem` says why. SENT: the
    system behind has it and its bytes are gone; the row stays for whoever repeats a request."""

    RECEIVING = "RECEIVING"
    RECEIVED = "RECEIVED"
    READY = "READY"
    REFUSED = "REFUSED"
    SENT = "SENT"


class UploadRow(Base):
    """A file on its way in. who: whose it is, see `whose`. size: in bytes, as it was
    announced, or the most it may be. received: bytes in the store. digest: SHA-256, hexadecimal.
    problem: why it is refused, as JSON. holder: the submission that claimed it. Without one, or
    SENT, it ends at expires_at. lock and locked_until: whoever writes it right now."""

    __tablename__ = "upload"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    who: Mapped[str] = mapped_column(String(320), index=True)
    filename: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    problem: Mapped[str | None] = mapped_column(String(1000))
    holder: Mapped[str | None] = mapped_column(String(64), index=True)
    lock: Mapped[str | None] = mapped_column(String(32))
    locked_until: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
