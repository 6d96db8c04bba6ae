"""Removes what nobody will ask for any more: files whose time is over, and bytes without a row."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.files.store import Store, StoreError
from gateway.files.uploads import Uploads

_log = logging.getLogger("gateway.files")

#: Seconds between two sweeps, and in how many of them the store itself is looked through: that
#: costs a listing of everything.
_PAUSE, _SELDOM = 300.0, 12
#: Seconds until the first one.
_FIRST = 30.0
#: How old bytes without a row must be: they may belong to another process's newest file, and a
#: store that two gateways share by mistake shall not be emptied at once.
_OLD = timedelta(hours=24)
#: Files that are asked about at a time.
_AT_ONCE = 200


class Sweep:
    """Sweeps. clock: aware UTC."""

    def __init__(self, store: Store, uploads: Uploads, clock: Callable[[], datetime]) -> None:
        self._store, self._uploads, self._clock = store, uploads, clock

    async def expired(self) -> int:
        """Removes files whose time is over; answers how many. Raises StoreError: their bytes then
        have no row any more, and are found by `orphans`."""
        count = 0
        while gone := await self._uploads.expire():
            for upload_id in gone:
                await self._store.delete(upload_id)
            count += len(gone)
        return count

    async def orphans(self) -> int:
        """Removes bytes that nobody knows of; answers of how many files. Raises StoreError."""
        count, batch = 0, set[str]()
        async for upload_id, written in self._store.ids():
            if self._clock() - written >= _OLD:
                batch.add(upload_id)
            if len(batch) >= _AT_ONCE:
                count += await self._remove(batch)
                batch = set()
        return count + await self._remove(batch)

    async def _remove(self, ids: set[str]) -> int:
        gone = await self._uploads.without_bytes(list(ids)) if ids else set()
        for upload_id in gone:
            await self._store.delete(upload_id)
        return len(gone)

    async def keep(self) -> None:
        """Sweeps again and again until cancelled, for the first time after a while: a start has
        more urgent things to do. What fails is logged and tried the next time."""
        turn = 0
        while True:
            await asyncio.sleep(_FIRST if turn == 0 else _PAUSE)
            try:
                await self.expired()
                if turn % _SELDOM == 0:
                    await self.orphans()
            except StoreError as error:
                _log.error("files could not be swept: %s", error)
            except Exception as error:  # noqa: BLE001 - a database has errors of its own
                _log.error("files could not be swept: %s", type(error).__name__)
            turn += 1
