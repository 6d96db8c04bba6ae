"""One embedded identity service a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.database.engine import address
from gateway.database.migrate import migrate
from tests.gateway.identity.house import House, house, unlimited


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with its tables: migrations take longer than most tests."""
    folder = tmp_path_factory.mktemp("tables")
    asyncio.run(migrate(address("sqlite:///identity.sqlite", folder)))
    return folder / "identity.sqlite"


@pytest.fixture
def folder(tmp_path: Path, tables: Path) -> Path:
    """Where a gateway keeps its data; the tables are there."""
    (tmp_path / "identity.sqlite").write_bytes(tables.read_bytes())
    return tmp_path


@pytest.fixture
async def home(folder: Path) -> AsyncIterator[House]:
    """With the limits of the default settings."""
    async with house(folder) as opened:
        yield opened


@pytest.fixture
async def open_home(folder: Path) -> AsyncIterator[House]:
    """Without limits on tries."""
    async with house(folder, unlimited()) as opened:
        yield opened
