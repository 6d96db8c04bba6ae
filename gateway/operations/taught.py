"""Documents that clients taught any process, by their hashes, in a Redis or Valkey that all share.

It never holds a request up for long: a store that does not answer is left alone for a while, and a
client whose document is not found sends it once more.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

T = TypeVar("T")

_log = logging.getLogger("gateway.documents")

#: Seconds that the store has to answer, and that it is left alone after it did not.
_PATIENCE, _PAUSE = 0.1, 5.0
#: Seconds that a document is kept there after it was last taught or found.
_KEPT: Final = 7 * 86_400
_PREFIX: Final = "portal:documents"


def hash_of(text: str) -> str:
    """What clients call a document: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class SharedTexts:
    """A store by its URL. monotonic: seconds. client: in place of one for the URL. Raises
    ValueError for an address that is none."""

    def __init__(
        self, url: str, monotonic: Callable[[], float] = time.monotonic, client: Any = None
    ) -> None:
        self._redis: Any = client or Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
        )
        self._monotonic, self._rests_until = monotonic, 0.0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def get(self, name: str) -> str | None:
        """The text of a hash; None where there is none, or the store cannot say."""
        found = await self._patiently(lambda: self._redis.getex(f"{_PREFIX}:{name}", ex=_KEPT))
        if not isinstance(found, bytes):
            return None
        text = found.decode("utf-8", "replace")
        # Whoever else writes there has no say in what is run here.
        return text if hash_of(text) == name else None

    def put(self, name: str, text: str) -> None:
        """Keeps a text, in the background."""
        body = text.encode("utf-8", "replace")
        kept = self._patiently(lambda: self._redis.set(f"{_PREFIX}:{name}", body, ex=_KEPT))
        task = asyncio.get_running_loop().create_task(kept)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._redis.aclose()

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        if self._monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(2 * _PATIENCE):
                return await ask()
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = self._monotonic() + _PAUSE
            _log.warning("documents are remembered by each process: %s", type(error).__name__)
            return None
