"""Opens the gateway's database, and hands out short transactions.

On SQLite a writing transaction takes the write lock when it begins, so that it never fails half
way because another one was quicker; readers never wait (WAL).
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

#: Most connections of one process; more transactions than that wait for one.
_CONNECTIONS = 8
#: Seconds that a transaction waits: for a connection, and on SQLite for the write lock.
_PATIENCE = 15
_READ_ONLY = "gateway_read_only"


class DatabaseError(ValueError):
    """A database address that cannot be used; the text says why, without the password."""


class Database:
    """One open database. Made by `open_database`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._reader = engine.execution_options(**{_READ_ONLY: True})

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is kept when the block ends well, and undone when it does not."""
        async with self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view of the data, for questions alone."""
        async with self._reader.connect() as connection:
            yield connection

    async def alone(self, connection: AsyncConnection, name: str) -> None:
        """Lets only one transaction with this name go on until it ends. SQLite has one writer at a
        time anyway."""
        if not self.is_sqlite:
            lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
            await connection.execute(lock, {"name": name})

    async def close(self) -> None:
        await self.engine.dispose()


def address(url: str, root: Path) -> URL:
    """A database's address with the driver that we use. root: where a relative path to an SQLite
    file starts. Raises DatabaseError."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseError("the database's address is no URL") from None
    kind = parsed.drivername.partition("+")[0]
    if kind == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise DatabaseError("an SQLite database needs a file: sqlite:///var/identity.sqlite")
        file = (root / parsed.database).resolve()
        return parsed.set(drivername="sqlite+aiosqlite", database=str(file))
    if kind in {"postgres", "postgresql"}:
        return _postgresql(parsed)
    raise DatabaseError(f"{kind} is not supported: use sqlite or postgresql")


def _postgresql(parsed: URL) -> URL:
    """libpq calls it sslmode, asyncpg ssl."""
    query: dict[str, Any] = dict(parsed.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def open_engine(url: URL) -> AsyncEngine:
    """An engine whose errors and logs show no values: those are people's data."""
    # It would log each statement with its values when everything is logged.
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    options: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": _CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": _PATIENCE,
    }
    if url.get_backend_name() != "sqlite":
        # A connection that a restart of the server has cut is noticed before it is used.
        timeouts = {"timeout": _PATIENCE, "command_timeout": _PATIENCE}
        return create_async_engine(url, pool_pre_ping=True, connect_args=timeouts, **options)
    arguments = {"timeout": _PATIENCE, "factory": _Connection}
    engine = create_async_engine(url, connect_args=arguments, **options)
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


class _Connection(sqlite3.Connection):
    """Gives its lock back when it is closed. A transaction whose task was cancelled is closed with
    a cursor still open, and SQLite keeps what was closed, lock and all, until that is gone too. It
    may be closed twice: a connection that is given up while it is being closed is."""

    def close(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it is closed already
            self.rollback()
        super().close()


def _prepare(connection: Any, record: object) -> None:
    # The driver would begin transactions on its own, and late; `_begin` does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    # What is spent must stay spent after a power cut, hence FULL.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
