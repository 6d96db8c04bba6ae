"""The gateway's database: addresses, migrations, transactions."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select

import gateway.audit.table
import gateway.files.tables
import gateway.identity.tables
import gateway.submissions.tables
from gateway.database.engine import DatabaseError, _Connection, address, open_engine
from gateway.database.migrate import _config, head, migrate, open_database
from gateway.database.tables import Base
from gateway.identity.tables import AttemptRow
from tests.gateway.clock import NOW

pytestmark = pytest.mark.anyio

#: Imported for their tables: the metadata knows them then.
DECLARED = (
    gateway.audit.table,
    gateway.files.tables,
    gateway.identity.tables,
    gateway.submissions.tables,
)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("sqlite:///var/a.sqlite", "sqlite+aiosqlite:////portal/var/a.sqlite"),
        ("sqlite+aiosqlite:////data/a.sqlite", "sqlite+aiosqlite:////data/a.sqlite"),
        ("postgres://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgresql://u:p@h:1/d?sslmode=require", "postgresql+asyncpg://u:p@h:1/d?ssl=require"),
    ],
)
async def test_usual_addresses_get_our_drivers(url: str, meant: str) -> None:
    assert address(url, Path("/portal")).render_as_string(hide_password=False) == meant


@pytest.mark.parametrize(
    "url", ["nothing", "mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:"]
)
async def test_what_is_no_database_of_ours_is_said_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseError) as raised:
        address(url, Path("/portal"))
    assert "secret" not in str(raised.value)


async def test_migrations_make_exactly_the_declared_tables(tmp_path: Path) -> None:
    database = await open_database("sqlite:///a.sqlite", tmp_path)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == head()
        return list(compare_metadata(context, Base.metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    target = address("sqlite:///50%25 & more.sqlite", tmp_path)
    await asyncio.gather(*(migrate(target) for _ in range(4)))
    await migrate(target)


async def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = await open_database("sqlite:///a.sqlite", tmp_path)

    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(insert(AttemptRow).values(key="k", at=NOW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write()
    async with database.read() as connection:
        assert (await connection.execute(select(AttemptRow.key))).all() == []
    await database.close()


async def test_many_writers_wait_for_each_other(tmp_path: Path) -> None:
    database = await open_database("sqlite:///a.sqlite", tmp_path)

    async def write(number: int) -> None:
        async with database.write() as connection:
            seen = len((await connection.execute(select(AttemptRow.id))).all())
            await connection.execute(insert(AttemptRow).values(key=str(seen), at=NOW))

    await asyncio.gather(*(write(number) for number in range(40)))
    async with database.read() as connection:
        keys = [int(key) for (key,) in await connection.execute(select(AttemptRow.key))]
    assert sorted(keys) == list(range(40))
    await database.close()


async def test_errors_show_no_values(tmp_path: Path) -> None:
    engine = open_engine(address("sqlite:///a.sqlite", tmp_path))
    with pytest.raises(Exception, match="no such table") as raised:
        async with engine.begin() as connection:
            await connection.execute(insert(AttemptRow).values(key="whose-secret", at=NOW))
    assert "whose-secret" not in str(raised.value)
    await engine.dispose()


async def test_only_its_owner_may_read_what_is_kept(tmp_path: Path) -> None:
    database = await open_database("sqlite:///var/a.sqlite", tmp_path)
    async with database.write() as connection:
        await connection.execute(insert(AttemptRow).values(key="k", at=NOW))
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "var").iterdir()}
    assert files == dict.fromkeys(("a.sqlite", "a.sqlite-wal", "a.sqlite-shm"), 0o600)
    await database.close()


async def test_whoever_is_cancelled_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.database.engine._PATIENCE", 1)
    database = await open_database("sqlite:///a.sqlite", tmp_path)

    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(insert(AttemptRow).values(key="k", at=NOW))
            await connection.execute(select(AttemptRow.key).limit(2))

    for turns in range(300):
        task = asyncio.ensure_future(write())
        for _ in range(turns % 30):
            await asyncio.sleep(0)
        await asyncio.sleep(0.0001 * (turns % 7))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await write()
    await database.close()


async def test_a_connection_may_be_closed_twice(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "twice.sqlite", factory=_Connection)
    connection.isolation_level = None
    connection.execute("BEGIN IMMEDIATE")
    connection.close()
    connection.close()
    with sqlite3.connect(tmp_path / "twice.sqlite", timeout=0) as other:
        other.execute("CREATE TABLE free (id INTEGER)")
    other.close()


def test_the_last_step_is_the_one_that_alembic_finds() -> None:
    found = ScriptDirectory.from_config(_config()).get_heads()
    assert found == [head()]
