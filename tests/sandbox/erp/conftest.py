"""A seeded ERP, built once, and clients that reach it without a socket."""

import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.erp import app, seed
from sandbox.erp.access import PASSWORD, USER
from sandbox.faults import Faults

TODAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 9, 30, tzinfo=UTC)

Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("erp") / "erp.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        seed(connection, TODAY, random.Random(1))
        connection.commit()
    return path


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def connect(database: Path, faults: Faults) -> AsyncIterator[Connect]:
    """Makes clients; options are those of `sandbox.erp.app`."""
    async with AsyncExitStack() as stack:

        def make(
            *, auth: tuple[str, str] | None = (USER, PASSWORD), **options: Any
        ) -> httpx.AsyncClient:
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app(database, faults, NOW, **options)),
                base_url="http://erp.test",
                auth=auth,
                headers={"accept": "application/json"},
            )
            stack.push_async_callback(client.aclose)
            return client

        yield make


@pytest.fixture
def erp(connect: Connect) -> httpx.AsyncClient:
    return connect()
