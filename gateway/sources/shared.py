"""Answers that several processes remember together, in a Redis or Valkey.

It never fails a request: a store that is slow or away is left alone for a while, and each process
goes on with what it remembers itself. What was changed meanwhile is owed to it, and nothing that
rests on it is read from there before it was told.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from gateway.redis import Store
from gateway.sources import packing
from gateway.sources.keys import VERSION
from gateway.sources.packing import Packed
from gateway.sources.versions import Subject

_log = logging.getLogger("gateway.cache")

#: Seconds that the store has to answer.
_PATIENCE = 0.25
#: Changes that are owed at most; of more, everything is taken for changed.
_MOST_OWED: Final = 1_000
#: Seconds that a count of changes is kept: longer than any answer is.
_COUNTED: Final = 3 * 86_400
_PREFIX: Final = f"portal:cache:{VERSION}"
#: The largest answer that is sent there, in bytes.
_LARGEST: Final = 1_000_000


class Shared:
    """A store by its URL. clock: seconds, monotonic. client: in place of one for the URL."""

    def __init__(
        self, url: str, clock: Callable[[], float] = time.monotonic, client: Any = None
    ) -> None:
        trouble = "the shared cache does not answer"
        self._store = Store(url, _PATIENCE, _log, trouble, clock=clock, client=client)
        self._owed: dict[Subject, None] = {}
        self._telling: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
        await self._store.close()

    @property
    def answers(self) -> bool:
        """Whether the store is asked at all at the moment."""
        return self._store.answers

    async def get(
        self, keys: Sequence[str], rests_on: Sequence[Subject]
    ) -> tuple[list[Packed | None], list[str]] | None:
        """What is kept by keys and was not changed since, and how often each subject was changed.
        None when the store cannot say."""
        if not self.answers:
            return None
        if self._owed and any(subject in self._owed for subject in rests_on):
            self._tell_soon()
            return None
        names = [*map(_counter, rests_on), *(f"{_PREFIX}:{key}" for key in keys)]
        found = await self._store.ask(lambda client: client.mget(names))
        if found is None:
            return None
        versions = [(count or b"0").decode() for count in found[: len(rests_on)]]
        return [_fresh(held, versions) for held in found[len(rests_on) :]], versions

    def put(self, key: str, value: Any, at: float, versions: list[str], seconds: float) -> None:
        """Keeps an answer, in the background. versions: as `get` told them before it was asked."""
        if not self.answers or seconds <= 0:
            return
        body = packing.pack(value, at, versions)
        if len(body) <= _LARGEST:
            name, milliseconds = f"{_PREFIX}:{key}", max(1, int(seconds * 1000))
            self._store.later(lambda client: client.set(name, body, px=milliseconds))

    def changed(self, subjects: Iterable[Subject]) -> None:
        """Tells all processes of a change, in the background, and again until it is told."""
        self._owed |= dict.fromkeys(subjects)
        while len(self._owed) > _MOST_OWED:
            self._owed.pop(next(iter(self._owed)))
        self._tell_soon()

    def _tell_soon(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def told(self) -> None:
        """Waits until what is owed was told and what is kept has arrived, or the store does not
        answer."""
        while self._telling is not None and not self._telling.done():
            await asyncio.wait([self._telling])
        await self._store.settled()

    async def _tell(self) -> None:
        while self._owed and self.answers:
            owed = list(self._owed)
            if await self._store.ask(partial(_told, owed)) is None:
                return
            for subject in owed:
                self._owed.pop(subject, None)


async def _told(owed: Sequence[Subject], client: Any) -> list[Any]:
    """Counts changes, all in one go."""
    pipeline = client.pipeline(transaction=False)
    for subject in owed:
        pipeline.incr(_counter(subject))
        pipeline.expire(_counter(subject), _COUNTED)
    done: list[Any] = await pipeline.execute()
    return done


def _counter(subject: Subject) -> str:
    kind, account = subject
    return f"{_PREFIX}:changes:{kind.value}:{account}"


def _fresh(held: bytes | None, versions: list[str]) -> Packed | None:
    if held is None:
        return None
    try:
        found = packing.unpack(held)
    except (msgspec.MsgspecError, ValueError):
        return None  # whoever wrote it, it is not ours
    return found if found.versions == versions else None
