"""A seeded site, built once, and a client that reaches it without a socket."""

import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from sandbox.faults import Faults
from sandbox.site import app, seed

TODAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site") / "site.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        seed(connection, TODAY, random.Random(1))
        connection.commit()
    return path


@pytest.fixture
async def site(database: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(database, Faults(), NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as client:
        yield client
