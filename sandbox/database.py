"""Every row of the sandbox passes through here: one SQLite file, opened once, asked in place.

Questions run on the event loop's own thread. They take well under a millisecond, which is less than
a worker thread's round trip costs, and the sandbox is a process that serves nobody else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

# Raised whenever a table or the seeded data change: an older file is then built anew.
VERSION: Final = 3


def fold(text: str | None) -> str | None:
    """Text as both sides of a comparison without regard to case see it; SQLite knows ASCII only."""
    return None if text is None else text.lower()


def _collate(left: str, right: str) -> int:
    a, b = left.lower(), right.lower()
    return (a > b) - (a < b)


def connect(path: Path | str) -> sqlite3.Connection:
    """Open (and create) a file, or `:memory:`. Transactions are explicit, rows are tuples."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.create_function("fold", 1, fold, deterministic=True)
    connection.create_collation("folded", _collate)
    # Losing the last moments of invented data in a power cut is no loss; waiting for disks is one.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA busy_timeout = 2000")
    return connection


class Database:
    """An open sandbox file, as the three applications share it."""

    def __init__(self, path: Path | str) -> None:
        self.connection = connect(path)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a question, as tuples."""
        return self.connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first row, or None."""
        return self.connection.execute(sql, parameters).fetchone()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self.connection.execute(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. May be nested: the inner one then undoes only its own part."""
        outer = not self.connection.in_transaction
        self.connection.execute("BEGIN IMMEDIATE" if outer else "SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK" if outer else "ROLLBACK TO part")
            if not outer:
                self.connection.execute("RELEASE part")
            raise
        self.connection.execute("COMMIT" if outer else "RELEASE part")

    def close(self) -> None:
        self.connection.close()

    def __del__(self) -> None:
        # An application in a test is dropped, not shut down; Python 3.13 warns of what stays open.
        if hasattr(self, "connection"):
            self.connection.close()


def version(connection: sqlite3.Connection) -> int:
    """What build wrote into this file, 0 for an empty one."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def stamp(connection: sqlite3.Connection) -> None:
    """Mark the file as built completely."""
    connection.execute(f"PRAGMA user_version = {VERSION}")


def is_current(path: Path | str) -> bool:
    """True for a file that was built completely, by this version of the sandbox."""
    if not Path(path).is_file():
        return False
    try:
        connection = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return False
    try:
        return version(connection) == VERSION
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def remove(path: Path | str) -> None:
    """Delete the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").unlink()


def insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> sqlite3.Cursor:
    """Add one row: column -> value."""
    marks = ", ".join("?" * len(row))
    sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608
    return connection.execute(sql, tuple(row.values()))


def create(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    """Run the statements that make a part's tables."""
    for statement in statements:
        connection.execute(statement)
