"""Files with everything around them: a database, a store to look into, a clock, a scanner."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
from joserfc.jwk import ECKey
from sqlalchemy import select

from connectors.port.scope import AccountRef, Scope
from gateway.access.keys import KeyRing
from gateway.database.engine import Database
from gateway.database.migrate import open_database
from gateway.files.opened import OpenedFiles, open_files
from gateway.files.service import Files
from gateway.files.settings import FilesSettings
from gateway.files.tables import UploadRow
from schema.context import Caller
from tests.gateway.clock import NOW, Clock

KEYS = KeyRing.single(ECKey.generate_key("P-256"))
BASE = "https://portal.example"


def person(contact_id: str = "003A", **changes: Any) -> Caller:
    caller = Caller(
        contact_id=contact_id,
        email=f"{contact_id.lower()}@x.example",
        name=contact_id,
        memberships=(),
        scope=Scope([AccountRef("001A")]),
        expires_at=NOW.replace(year=2030),
    )
    return replace(caller, **changes)


ANA = person()


@dataclass(slots=True)
class Cabinet:
    """What is under test, and what is behind it. largest: that the system behind takes."""

    opened: OpenedFiles
    database: Database
    clock: Clock
    folder: Path
    largest: list[int | None] = field(default_factory=lambda: [None])

    @property
    def files(self) -> Files:
        return self.opened.files

    def stored(self) -> dict[str, int]:
        """Bytes in the store, by file."""
        found: dict[str, int] = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                name = path.parent.name
                found[name] = found.get(name, 0) + path.stat().st_size
        return found

    async def rows(self) -> list[Any]:
        async with self.database.read() as connection:
            return list(await connection.execute(select(*UploadRow.__table__.columns)))

    async def arrived(
        self, content: bytes, name: str = "nota.txt", by: Caller = ANA, *, look: bool = True
    ) -> str:
        """The id of a file that was announced and has arrived."""
        target = await self.files.create_upload(by, name, "", len(content))
        await self.sent(target.id, content)
        if look:
            await self.files.look(target.id)
        return target.id

    async def sent(self, upload_id: str, data: bytes, **how: Any) -> int:
        """Sends the next bytes of a file; how many have arrived by then."""
        receiving = await self.files.receiving(upload_id, **how)
        assert receiving is not None
        try:
            await receiving.feed(data)
        finally:
            await receiving.end()
        return receiving.received

    async def content(self, upload_id: str) -> bytes:
        return b"".join([data async for data in self.files.read(upload_id)])


@contextlib.asynccontextmanager
async def cabinet(folder: Path, **settings: Any) -> AsyncIterator[Cabinet]:
    """folder: with a migrated database, or a file that says where one is. settings: of [files]."""
    address = folder / "database.url"
    url = address.read_text() if address.exists() else "sqlite:///files.sqlite"
    clock, largest = Clock(), [None]
    database = await open_database(url, folder)
    table = msgspec.convert({"store": "bytes", **settings}, FilesSettings)
    opened = open_files(
        table, database, KEYS, BASE, lambda path: folder / path, clock, lambda: largest[0]
    )
    try:
        yield Cabinet(opened, database, clock, folder / "bytes", largest)  # type: ignore[arg-type]
    finally:
        await database.close()


@dataclass(slots=True)
class Clamd:
    """A virus scanner on a unix socket. answer: None hangs up without a word."""

    answer: bytes | None = b"stream: OK\0"
    seen: list[bytes] = field(default_factory=list)
    hangs: bool = False

    @contextlib.asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        server = await asyncio.start_unix_server(self._serve, path)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
            content = b""
            while length := int.from_bytes(await reader.readexactly(4), "big"):
                content += await reader.readexactly(length)
            self.seen.append(content)
            if self.hangs:
                await reader.read()
            if self.answer is not None:
                harmful = b"EICAR" in content
                writer.write(b"stream: Eicar FOUND\0" if harmful else self.answer)
                await writer.drain()
        writer.close()
