"""Bytes of files in a folder or a bucket, in pieces: no store can append to what it has, and nobody
shall hold a file in memory to put it together.

A file is `<id>/000000`, `<id>/000001`, …, each of PIECE bytes but the last.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

#: How errors name it.
NAME = "files"
#: Bytes of a piece. A change of it makes files that are in the store unreadable.
PIECE = 1024 * 1024
#: How long a call to a bucket may take, and how often it is tried.
_PATIENCE: dict[str, Any] = {"connect_timeout": "5s", "timeout": "30s"}
_TRIES: dict[str, Any] = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
#: Bytes that a reader gets at once, about.
_SIP = 256 * 1024

T = TypeVar("T")


class StoreError(OSError):
    """The store does not do what it was asked. The text holds no address and no key."""


class StoreAddressError(ValueError):
    """An address that is none of a store."""


class Store:
    """Where bytes are. Made by `open_store`."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    async def put(self, file_id: str, number: int, piece: bytes) -> None:
        """Writes a piece, or writes it anew. It is finished even when whoever waits is cancelled:
        otherwise a piece could appear after its file was deleted. Raises StoreError."""
        path = _path(file_id, number)
        await finished(_named(self._put(path, piece)))

    async def _put(self, path: str, piece: bytes) -> None:
        await obstore.put_async(self._objects, path, piece, use_multipart=False)

    async def piece(self, file_id: str, number: int) -> bytes:
        """A whole piece. Raises StoreError."""
        return bytes(await _named(self._piece(_path(file_id, number))))

    async def _piece(self, path: str) -> Any:
        return await (await obstore.get_async(self._objects, path)).bytes_async()

    async def read(self, file_id: str, size: int, first: int = 0) -> AsyncIterator[bytes]:
        """The bytes of a file of that size, from byte `first` on. Raises StoreError, also when
        there are fewer."""
        left = size - first
        for number in range(first // PIECE, -(-size // PIECE)):
            start = first - number * PIECE if number == first // PIECE else 0
            async for data in self._sips(_path(file_id, number), start):
                part = data[:left]
                left -= len(part)
                yield part
        if left > 0:
            raise StoreError("a file in the store is shorter than it was")

    async def _sips(self, path: str, start: int) -> AsyncIterator[bytes]:
        try:
            options: Any = {"range": {"offset": start}} if start else None
            found = await obstore.get_async(self._objects, path, options=options)
            async for data in found.stream(min_chunk_size=_SIP):
                yield bytes(data)
        except (BaseError, OSError) as error:
            raise StoreError(f"a file could not be read: {type(error).__name__}") from None

    async def delete(self, file_id: str) -> None:
        """Removes all of a file that there is, if there is any. Raises StoreError."""
        await finished(_named(self._delete(file_id)))

    async def _delete(self, file_id: str) -> None:
        async for batch in obstore.list(self._objects, prefix=file_id):
            for found in batch:
                with contextlib.suppress(FileNotFoundError):
                    await obstore.delete_async(self._objects, found["path"])

    async def ids(self) -> AsyncIterator[tuple[str, datetime]]:
        """Files of which there are bytes, one entry a piece, with the moment that it was written.
        Raises StoreError."""
        try:
            async for batch in obstore.list(self._objects):
                for found in batch:
                    yield found["path"].partition("/")[0], found["last_modified"]
        except (BaseError, OSError) as error:
            raise StoreError(f"the store cannot be listed: {type(error).__name__}") from None


def open_store(
    address: str,
    folder: Callable[[str], Path],
    options: Mapping[str, Any],
    client: Mapping[str, Any],
) -> Store:
    """A store by its address. folder: makes a relative path absolute. options: of the bucket.
    client: of the connections to it. Raises StoreAddressError."""
    try:
        if "://" not in address or address.startswith("file://"):
            path = folder(address.removeprefix("file://"))
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            return Store(LocalStore(path, automatic_cleanup=True))
        if address.startswith("memory:"):
            return Store(from_url(address))
        return Store(_bucket(address, options, client))
    except OSError as error:
        raise StoreAddressError(f"the folder cannot be made: {error.strerror}") from None
    except (BaseError, ValueError, TypeError) as error:
        # Its text could quote a key.
        raise StoreAddressError(f"this is no store ({type(error).__name__})") from None


def _bucket(address: str, options: Mapping[str, Any], client: Mapping[str, Any]) -> ObjectStore:
    given: dict[str, Any] = {
        "config": dict(options) or None,  # each kind of store has its own
        "client_options": {**_PATIENCE, **client},
        "retry_config": _TRIES,
    }
    try:
        return from_url(address, **given)
    except Exception:
        raise
    except BaseException as panic:
        # The library panics at an option that it does not know.
        if type(panic).__name__ != "PanicException":
            raise
        raise ValueError from None


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Waits for work to its end, also when whoever waits is cancelled; then that is raised."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await asyncio.shield(task)
        raise


async def _named(work: Awaitable[T]) -> T:
    try:
        return await work
    except (BaseError, OSError) as error:
        raise StoreError(f"the store did not answer: {type(error).__name__}") from None


def _path(file_id: str, number: int) -> str:
    return f"{file_id}/{number:06}"
