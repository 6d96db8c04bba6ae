"""Takes the bytes of one file into the store as they come, and keeps what came when they stop."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

from gateway.files.store import PIECE, Store, finished
from gateway.files.uploads import Upload, Uploads

#: Algorithms by which a sender can have its bytes checked, tus 1.0.
CHECKSUMS = ("sha1", "sha256")
#: Seconds between two tries to get the right to write.
_PAUSE = 0.2


class Interrupted(Exception):
    """Somebody else writes the file now, or it is gone."""


class WrongChecksum(Exception):
    """What came is not what was sent; nothing of it is kept."""


class Receiving:
    """One sender's right to write one file, from where it stopped. Made by `Files`; `end` must be
    called in any case.

    It holds one piece of the file at most. free: gives the place of a file that comes in back, by
    whose it is. checksum: name and digest of all that will come; without
    one, every piece counts as soon as it is in the store."""

    def __init__(
        self,
        store: Store,
        uploads: Uploads,
        upload: Upload,
        key: str,
        free: Callable[[str], None],
        checksum: tuple[str, bytes] | None = None,
    ) -> None:
        self._store, self._uploads, self.upload, self._key = store, uploads, upload, key
        self._free = free
        self._began = self.received = upload.received
        self._piece: bytearray | None = None
        self._checksum = checksum
        self._hash: Any = hashlib.new(checksum[0], usedforsecurity=False) if checksum else None

    @property
    def is_whole(self) -> bool:
        return self.received == self.upload.size

    async def feed(self, data: bytes) -> None:
        """The next bytes. Raises ValueError for more than were announced, StoreError,
        Interrupted."""
        if self.received + len(data) > self.upload.size:
            raise ValueError("more bytes than were announced")
        if self._hash is not None:
            self._hash.update(data)
        view = memoryview(data)
        while view:
            piece = await self._open()
            part = view[: PIECE - len(piece)]
            piece += part
            self.received += len(part)
            view = view[len(part) :]
            if len(piece) == PIECE:
                await self._put()

    async def end(self, *, whole: bool = False) -> None:
        """Keeps what came, and gives the right to write back. whole: that this is all, although
        more was allowed. Raises StoreError, Interrupted, WrongChecksum."""
        await finished(self._end(whole=whole))

    async def leave(self) -> None:
        """Gives the right to write back, having written nothing."""
        self._free(self.upload.who)
        await finished(self._uploads.unlock(self.upload.id, self._key))

    async def _end(self, *, whole: bool) -> None:
        try:
            if self._piece:
                await self._put()
            if self._checksum and self._hash.digest() != self._checksum[1]:
                self.received = self._began
                raise WrongChecksum
            if self._checksum or whole:
                await self._note(whole=whole or self.is_whole)
        finally:
            self._free(self.upload.who)
            await self._uploads.unlock(self.upload.id, self._key)

    async def _open(self) -> bytearray:
        """The piece that is being filled: a new one, or the last one with what it has already."""
        if self._piece is None:
            self._piece = bytearray()
            kept = self.received % PIECE
            if kept:
                last = await self._store.piece(self.upload.id, self.received // PIECE)
                self._piece += memoryview(last)[:kept]
        return self._piece

    async def _put(self) -> None:
        piece, self._piece = self._piece, None
        if not piece:
            return
        number = (self.received - len(piece)) // PIECE
        await self._store.put(self.upload.id, number, bytes(piece))
        if self._checksum is None:
            await self._note(whole=self.is_whole)

    async def _note(self, *, whole: bool) -> None:
        if not await self._uploads.got(self.upload.id, self._key, self.received, whole=whole):
            # Whoever deleted it may not have seen this piece.
            if not await self._uploads.find([self.upload.id]):
                await self._store.delete(self.upload.id)
            raise Interrupted


async def settled(uploads: Uploads, upload_id: str, patience: float) -> None:
    """Waits a little until nobody writes a file any more: whoever asks after a broken connection
    how much arrived shall not be told less than is still being put away. patience: seconds."""
    for _ in range(round(patience / _PAUSE)):
        if not await uploads.is_locked(upload_id):
            return
        await asyncio.sleep(_PAUSE)


async def locked(uploads: Uploads, upload_id: str, patience: float) -> str | None:
    """A key to the right of writing, waited for a little: whoever sends the rest after a broken
    connection is often faster than the news that it broke. patience: seconds."""
    for _ in range(max(1, round(patience / _PAUSE))):
        key = await uploads.lock(upload_id)
        if key is not None:
            return key
        await asyncio.sleep(_PAUSE)
    return None
