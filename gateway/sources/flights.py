"""Questions that are under way: whoever asks the same meanwhile waits for the same answer.

Each call runs in a task of its own, so whoever asked first may give up: others wait for it too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any

from gateway.sources.keys import Key

_log = logging.getLogger("gateway.cache")


class Flight:
    """One call under way. keys: what it asks, in the order of its answers. versions: what had been
    changed when it was asked."""

    __slots__ = ("_waiting", "keys", "versions")

    def __init__(self, keys: Sequence[Key], versions: Hashable) -> None:
        self.keys, self.versions = keys, versions
        self._waiting: list[asyncio.Future[list[Any]]] = []

    def wait(self) -> asyncio.Future[list[Any]]:
        """All its answers, or its failure, for one who waits: who lets go of it stops nobody."""
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    @property
    def alone(self) -> bool:
        """Whether its answers are for one asker only."""
        return len(self._waiting) == 1

    def land(self, answers: list[Any]) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(answers)

    def fail(self, error: BaseException) -> None:
        for future in self._waiting:
            if future.done():
                continue
            if isinstance(error, asyncio.CancelledError):
                future.cancel()
            else:
                future.set_exception(error)
                future.exception()  # somebody may wait for another first, and never come to this


class Flights:
    """All that is under way in this process, by what is asked."""

    def __init__(self) -> None:
        self._places: dict[Key, tuple[Flight, int]] = {}
        self._tasks: dict[Flight, asyncio.Task[None]] = {}

    def find(self, key: Key, versions: Hashable) -> tuple[Flight, int] | None:
        """What asks this already, and the place of the answer; nothing that was asked before a
        change."""
        found = self._places.get(key)
        return found if found is not None and found[0].versions == versions else None

    def start(
        self, keys: Sequence[Key], versions: Hashable, ask: Callable[[], Awaitable[list[Any]]]
    ) -> Flight:
        """ask: gives as many answers as there are keys."""
        flight = Flight(keys, versions)
        for place, key in enumerate(keys):
            self._places[key] = (flight, place)
        self._tasks[flight] = asyncio.get_running_loop().create_task(self._fly(flight, ask))
        return flight

    async def close(self) -> None:
        """Breaks off what is under way."""
        flying, self._tasks = self._tasks, {}
        for task in flying.values():
            task.cancel()
        await asyncio.gather(*flying.values(), return_exceptions=True)
        for flight in flying:
            flight.fail(asyncio.CancelledError())  # it may never have begun

    async def _fly(self, flight: Flight, ask: Callable[[], Awaitable[list[Any]]]) -> None:
        try:
            answers = await ask()
        except BaseException as error:
            self._leave(flight)
            flight.fail(error)
            if not isinstance(error, Exception):
                raise
            _log.debug("a question failed: %s", type(error).__name__)
        else:
            self._leave(flight)
            flight.land(answers)

    def _leave(self, flight: Flight) -> None:
        self._tasks.pop(flight, None)
        for key in flight.keys:
            found = self._places.pop(key, None)
            if found is not None and found[0] is not flight:
                self._places[key] = found  # it was asked again after a change
