"""The bytes of files, written to the database and read from it in pieces: none is held whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from sandbox.crm.calls import Blob, Download

#: Bytes of a row.
_PIECE: Final = 256 * 1024
TABLE: Final = (
    "CREATE TABLE crm_blob "
    "(Id TEXT NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (Id, part))"
)


def write_blob(connection: sqlite3.Connection, version: str, blob: Blob) -> None:
    """Keeps the bytes of a file under its version's id."""
    blob.file.seek(0)
    part = 0
    while (piece := blob.file.read(_PIECE)) or not part:
        connection.execute("INSERT INTO crm_blob VALUES (?, ?, ?)", (version, part, piece))
        part += 1


def read_blob(connection: sqlite3.Connection, version: str) -> Download | None:
    """None for a version that there is not."""
    sql = "SELECT count(*), sum(length(data)) FROM crm_blob WHERE Id = ?"
    parts, size = connection.execute(sql, (version,)).fetchone()
    return Download(size, _pieces(connection, version, parts)) if parts else None


def _pieces(connection: sqlite3.Connection, version: str, parts: int) -> Iterator[bytes]:
    sql = "SELECT data FROM crm_blob WHERE Id = ? AND part = ?"
    for part in range(parts):
        yield connection.execute(sql, (version, part)).fetchone()[0]
