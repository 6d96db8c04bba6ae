"""Files over HTTP/1.1 as it is spoken, by a socket file: in pieces, and of the length they have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from connectors.kit.connector import Wiring
from connectors.port.errors import Rejected
from connectors.port.records import NewFile
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import System
from connectors.systems.salesforce import connector
from sandbox.crm import ids, moments, objects
from sandbox.crm.app import app
from sandbox.database import Database, create, insert
from sandbox.faults import Faults
from sandbox.people import CUSTOMERS
from tests.contract.world import NOW

pytestmark = pytest.mark.anyio

ACCOUNT = CUSTOMERS[0]
SCOPE = Scope([AccountRef(ACCOUNT.crm_id, ACCOUNT.number, ACCOUNT.country)])
CASE = ids.numbered("500", 1)
PIECE = bytes(range(256)) * 256
COUNT = 48
LOGIN = {
    "grant": "client_credentials",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
}


class Pieces:
    """A file of 3 MB that counts what is taken of it."""

    def __init__(self) -> None:
        self.taken = 0

    async def read(self) -> AsyncIterator[bytes]:
        for _ in range(COUNT):
            self.taken += 1
            yield PIECE

    def file(self, more: int = 0) -> NewFile:
        size = COUNT * len(PIECE) + more
        return NewFile(CASE, "grande.bin", "application/octet-stream", size, self.read)


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    database = Database(tmp_path / "crm.sqlite")
    create(database.connection, objects.tables())
    insert(database.connection, "crm_Account", {"Id": ACCOUNT.crm_id, "Name": ACCOUNT.name})
    case = {"Id": CASE, "AccountId": ACCOUNT.crm_id, "CreatedDate": moments.written(NOW)}
    insert(database.connection, "crm_Case", case)
    path = str(tmp_path / "socket")
    served = app(database, Faults(), lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(served, uds=path, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells in no other way
        await asyncio.sleep(0.01)
    wiring = Wiring(httpx.AsyncHTTPTransport(uds=path))
    table = {"url": "http://crm.example", "login": LOGIN, "writes": {}}
    opened = await connector.start("crm", table, wiring)
    yield opened
    await opened.close()
    server.should_exit = True
    await serving
    database.close()


async def test_a_large_file_goes_and_comes_whole(system: System) -> None:
    source, writer, pieces = system.cases, system.case_writer, Pieces()
    assert source is not None
    assert writer is not None
    made = await writer.add_file("k-1", pieces.file(), SCOPE)
    assert await writer.add_file("k-1", pieces.file(), SCOPE) == made
    assert pieces.taken == COUNT, "its bytes travelled twice"
    content = await source.attachment_content(made, SCOPE, 1_000_001)
    assert content is not None
    chunks = [chunk async for chunk in content.chunks]
    await content.close()
    assert max(map(len, chunks)) < 1_000_000, "it came in one piece"
    assert b"".join(chunks) == (PIECE * COUNT)[1_000_001:]


@pytest.mark.parametrize("more", [-1, 1, 70_000])
async def test_a_file_of_another_length_than_was_said_is_not_kept(
    system: System, more: int
) -> None:
    assert system.case_writer is not None
    with pytest.raises(Rejected) as raised:
        await system.case_writer.add_file("k-1", Pieces().file(more), SCOPE)
    assert raised.value.field == "file"
    assert await system.case_writer.add_file("k-1", Pieces().file(), SCOPE)
