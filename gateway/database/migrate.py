"""Brings a database's tables up to what this version of the gateway needs, in a thread of its own.

Alembic works synchronously and reads files; a thread with its own loop keeps that off the
gateway's. It takes a tenth of a second to load, so it is left alone where nothing is missing.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, inspect, text

from gateway.database.engine import Database, address, open_engine

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"
#: What processes that start at the same time queue up for on PostgreSQL.
_LOCK = 7_041_883
_STEP = re.compile(r"m([0-9]{4})_\w+")
#: Where Alembic writes down which step came last.
_TABLE = "alembic_version"


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
    """The version of the tables that this gateway needs: the number of the last step."""
    steps = (_STEP.fullmatch(path.stem) for path in (_MIGRATIONS / "versions").glob("m*.py"))
    return max(step[1] for step in steps if step)


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
    if _version(connection) == head():
        return
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    """The step that came last, None for a database without tables."""
    if not inspect(connection).has_table(_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {_TABLE}"))  # noqa: S608
    return found


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    # A percent sign in the path would be read as the start of a variable.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
