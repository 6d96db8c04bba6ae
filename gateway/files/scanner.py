"""Asks a virus scanner about a file, by clamd's protocol: INSTREAM over TCP or a unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from connectors.port.errors import Unavailable
from gateway.files.settings import ScannerSettings

_log = logging.getLogger("gateway.files")

#: How errors name it.
NAME = "virus scanner"
#: Longest answer that is read, in bytes, and the port of clamd.
_LONGEST, _PORT = 4_096, 3310


class Scanner:
    """clamd, or whatever speaks like it."""

    def __init__(self, settings: ScannerSettings) -> None:
        self._settings = settings

    async def is_clean(self, chunks: AsyncIterator[bytes]) -> bool:
        """Whether nothing harmful is in there. Raises Unavailable when that cannot be told: a
        file that was not looked at is not taken."""
        try:
            async with asyncio.timeout(self._settings.seconds):
                answer = await self._ask(chunks)
        except TimeoutError:
            raise self._unavailable("it did not answer in time") from None
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise self._unavailable(type(error).__name__) from None
        return self._read(answer)

    async def _ask(self, chunks: AsyncIterator[bytes]) -> bytes:
        reader, writer = await self._connect()
        try:
            # It hangs up as soon as it has found something, or has seen enough: its answer counts.
            with contextlib.suppress(ConnectionError):
                writer.write(b"zINSTREAM\0")
                async for data in chunks:
                    writer.write(len(data).to_bytes(4, "big") + data)
                    await writer.drain()
                writer.write(bytes(4))
                await writer.drain()
            answer = await reader.readuntil(b"\0")
            return answer[:-1]
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = self._settings.address
        if address.startswith("unix:"):
            path = address.removeprefix("unix:")
            return await asyncio.open_unix_connection(path, limit=_LONGEST)
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _PORT
        return await asyncio.open_connection(host, port, limit=_LONGEST)

    def _read(self, answer: bytes) -> bool:
        text = answer.decode("utf-8", "replace").strip()
        if text.endswith(" FOUND"):
            _log.warning("a file was refused: %s", text[:200])
            return False
        if text.endswith(": OK"):
            return True
        raise self._unavailable(text[:200])

    def _unavailable(self, why: str) -> Unavailable:
        _log.error("the virus scanner did not look at a file: %s", why)
        wait = self._settings.retry_seconds
        return Unavailable(NAME, "a file could not be looked at", detail=why, retry_after=wait)
