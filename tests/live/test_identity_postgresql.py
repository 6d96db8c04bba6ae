"""The tests of identities and of the audit once more, with PostgreSQL in the place of SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from gateway.database.engine import address
from gateway.database.migrate import head, migrate, open_database
from gateway.database.tables import Base
from tests.gateway.identity import (
    test_commands,
    test_invitations,
    test_mails,
    test_resets,
    test_sessions,
    test_sign_in,
)
from tests.gateway.identity.house import House, house, unlimited
from tests.live.postgresql import Cluster, postgresql

pytestmark = [pytest.mark.live, pytest.mark.anyio]

#: What has nothing to do with a database, or with this one.
NOT_AGAIN = {"test_tables_are_made", "test_hashing_leaves_the_loop_free"}


def again() -> Iterator[tuple[str, object]]:
    """Every test of these modules that uses one of the fixtures below, under a name of its own."""
    for module in (
        test_sign_in,
        test_sessions,
        test_invitations,
        test_resets,
        test_mails,
        test_commands,
    ):
        room = module.__name__.rpartition("_")[2]
        for name, test in vars(module).items():
            wanted = {"home", "open_home", "folder"} & set(getattr(test, "__annotations__", ()))
            if name.startswith("test_") and wanted and name not in NOT_AGAIN:
                yield f"test_{room}_{name.removeprefix('test_')}", test


globals().update(again())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgresql() as running:
        yield running


@pytest.fixture
def folder(cluster: Cluster, tmp_path: Path) -> Path:
    """Where a gateway keeps its data; its database is a new one of the cluster."""
    (tmp_path / "database.url").write_text(cluster.database())
    return tmp_path


@pytest.fixture
async def home(folder: Path) -> AsyncIterator[House]:
    async with house(folder) as opened:
        assert not opened.database.is_sqlite
        yield opened


@pytest.fixture
async def open_home(folder: Path) -> AsyncIterator[House]:
    async with house(folder, unlimited()) as opened:
        yield opened


async def test_enough_is_tried_again() -> None:
    assert len(dict(again())) > 70


async def test_migrations_make_exactly_the_declared_tables(cluster: Cluster) -> None:
    database = await open_database(cluster.database())

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == head()
        return list(compare_metadata(context, Base.metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_processes_that_start_together_migrate_once(cluster: Cluster) -> None:
    target = address(cluster.database(), Path())
    await asyncio.gather(*(migrate(target) for _ in range(4)))
    await migrate(target)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_event SET who = 'me'", "DELETE FROM audit_event", "TRUNCATE audit_event"],
)
async def test_the_audit_takes_no_change(home: House, statement: str) -> None:
    await home.audit.note("x.y", who="ana@a.example")

    async def change() -> None:
        async with home.database.write() as connection:
            await connection.execute(text(statement))

    with pytest.raises(DBAPIError, match="append only"):
        await change()
    (event,) = await home.events(who="ana@a.example")
    assert event.event == "x.y"


async def test_the_audit_keeps_events_of_many_at_once(home: House) -> None:
    await asyncio.gather(*(home.audit.note("x.y", who=f"p{n}") for n in range(500)))
    assert len(await home.events(event="x.")) == 500
