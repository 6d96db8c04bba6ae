"""Documents that clients taught any process, by their hashes, in a Redis or Valkey that all share.

It never holds a request up for long: a store that does not answer is left alone for a while, and a
client whose document is not found sends it once more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from gateway.operations.requests import hash_of
from gateway.redis import Store

_log = logging.getLogger("gateway.documents")

#: Seconds that the store has to answer, and questions under way at most: so many that hardly one
#: has to wait for its turn.
_PATIENCE: Final = 0.2
_AT_ONCE: Final = 1_000
#: Seconds that a document is kept there after it was last taught or found.
_KEPT: Final = 7 * 86_400
_PREFIX: Final = "portal:documents"


class SharedTexts:
    """A store by its URL. monotonic: seconds. client: in place of one for the URL. Raises
    ValueError for an address that is none."""

    def __init__(
        self, url: str, monotonic: Callable[[], float] = time.monotonic, client: Any = None
    ) -> None:
        trouble = "documents are remembered by each process"
        self._store = Store(
            url, _PATIENCE, _log, trouble, at_once=_AT_ONCE, clock=monotonic, client=client
        )

    async def get(self, name: str) -> str | None:
        """The text of a hash; None where there is none, or the store cannot say."""
        found = await self._store.ask(lambda client: client.getex(f"{_PREFIX}:{name}", ex=_KEPT))
        if not isinstance(found, bytes):
            return None
        text = found.decode("utf-8", "replace")
        # Whoever else writes there has no say in what is run here.
        return text if hash_of(text) == name else None

    def put(self, name: str, text: str) -> None:
        """Keeps a text, in the background."""
        body = text.encode("utf-8", "replace")
        self._store.later(lambda client: client.set(f"{_PREFIX}:{name}", body, ex=_KEPT))

    async def close(self) -> None:
        await self._store.close()
