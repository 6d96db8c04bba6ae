"""One store of files a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.database.engine import address
from gateway.database.migrate import migrate
from tests.gateway.files.cabinet import Cabinet, cabinet


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with its tables."""
    folder = tmp_path_factory.mktemp("tables")
    asyncio.run(migrate(address("sqlite:///files.sqlite", folder)))
    return folder / "files.sqlite"


@pytest.fixture
def folder(tmp_path: Path, tables: Path) -> Path:
    """Where a gateway keeps its data; the tables are there."""
    (tmp_path / "files.sqlite").write_bytes(tables.read_bytes())
    return tmp_path


@pytest.fixture
async def home(folder: Path) -> AsyncIterator[Cabinet]:
    """With the default settings."""
    async with cabinet(folder) as opened:
        yield opened
