"""Brings a database's tables up to what this version of the gateway needs, in a thread of its own.

Alembic works synchronously and reads files; a thread with its own loop keeps that off the
gateway's.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, text

from gateway.database.engine import Database, address, open_engine

_MIGRATIONS = Path(__file__).parent / "migrations"
#: What processes that start at the same time queue up for on PostgreSQL.
_LOCK = 7_041_883


async def open_database(url: str, root: Path = Path(), *, migrated: bool = True) -> Database:
    """Opens a database. root: where a relative path to an SQLite file starts. migrated: whether to
    bring its tables up to date first. Raises DatabaseError, OSError or SQLAlchemy's own errors."""
    target = address(url, root)
    if target.get_backend_name() == "sqlite" and target.database:
        await asyncio.to_thread(_touch, Path(target.database))
    if migrated:
        await migrate(target)
    return Database(open_engine(target))


def _touch(file: Path) -> None:
    """Only its owner may read the file, and what SQLite puts beside it: it holds people's data."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)


async def migrate(target: URL) -> None:
    """Runs what is missing of the migrations. Doing it twice, or twice at once, does no harm."""
    await asyncio.to_thread(lambda: asyncio.run(_migrate(target)))


def head() -> str:
    """The version of the tables that this gateway needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise RuntimeError("the gateway's package holds no migrations")
    return found


async def _migrate(target: URL) -> None:
    engine = open_engine(target)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    # A percent sign in the path would be read as the start of a variable.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
