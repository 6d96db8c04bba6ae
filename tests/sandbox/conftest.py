"""A sandbox file that is built once, and a CRM over a copy of it that a test may change."""

import random
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from sandbox import crm, erp
from sandbox.database import Database, connect
from sandbox.faults import Faults
from sandbox.faulty import Faulty

TODAY = date(2026, 3, 16)
NOW = datetime(2026, 3, 16, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the CRM's data, and the ERP's that they name. Not to be changed."""
    path = tmp_path_factory.mktemp("sandbox") / "built.sqlite"
    connection = connect(path)
    connection.execute("BEGIN")
    erp.seed(connection, TODAY, random.Random(1))
    crm.seed(connection, TODAY, random.Random(2))
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    return path


@pytest.fixture
def database(built: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "sandbox.sqlite"
    shutil.copy(built, path)
    opened = Database(path)
    yield opened
    opened.close()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def stranger(database: Database, faults: Faults) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the CRM without a token."""
    transport = httpx.ASGITransport(Faulty(crm.app(database, faults, lambda: NOW), "crm", faults))
    async with httpx.AsyncClient(transport=transport, base_url="http://crm.example") as client:
        yield client


@pytest.fixture
async def client(stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of the CRM's data, by the address of its version."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    granted = await stranger.post("/services/oauth2/token", data=form)
    stranger.headers["Authorization"] = f"Bearer {granted.json()['access_token']}"
    stranger.base_url = httpx.URL(f"{granted.json()['instance_url']}/services/data/v60.0")
    return stranger
