"""The Redis or Valkey that processes share, as each room has it: how it is opened, and how it is
left alone while it does not answer. No request waits for it longer than its room is patient, nor
fails by it.

It loads the library, which takes its time: only what needs a store imports this.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

T = TypeVar("T")

#: Seconds that a store is left alone after it did not answer.
PAUSE: Final = 5.0
#: Seconds between two tries of what is tried without an end: at first, and at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0

#: What says that a store does not answer. ValueError: what came is no answer of one.
TROUBLE: Final = (RedisError, OSError, TimeoutError, ValueError)


def open_client(url: str, connect: float, answer: float | None = None) -> Any:
    """A client that tries nothing twice, so that trouble is noticed where it can be told. connect,
    answer: seconds; None waits for an answer without an end. Raises ValueError for an address that
    is none."""
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=connect,
        socket_timeout=answer,
    )


class Store:
    """What a room keeps there. patience: seconds that a command may take, after which the store is
    left alone for a while. at_once: commands under way at most; waiting for one's turn is not
    counted, since that is no fault of the store's. trouble: said in the log when it begins.
    client: in place of one for the URL. Raises ValueError for an address that is none."""

    def __init__(
        self,
        url: str,
        patience: float,
        log: logging.Logger,
        trouble: str,
        *,
        at_once: int = 32,
        clock: Callable[[], float] = time.monotonic,
        client: Any = None,
    ) -> None:
        self._client = client or open_client(url, patience, patience)
        self._patience, self._log, self._trouble = patience, log, trouble
        self._slots = asyncio.Semaphore(at_once)
        self._clock, self._rests_until = clock, 0.0
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def answers(self) -> bool:
        """Whether it is asked at all at the moment."""
        return self._clock() >= self._rests_until

    async def ask(self, command: Callable[[Any], Awaitable[T]]) -> T | None:
        """What a command on the client brings; None where the store does not answer."""
        try:
            async with self._slots:
                if not self.answers:
                    return None  # somebody found out meanwhile
                async with asyncio.timeout(self._patience):
                    return await command(self._client)
        except TROUBLE as error:
            if self.answers:
                self._log.warning("%s: %s", self._trouble, type(error).__name__)
            self._rests_until = self._clock() + PAUSE
            return None

    def later(self, command: Callable[[Any], Awaitable[Any]]) -> None:
        """The same in the background."""
        if not self.answers:
            return
        task = asyncio.get_running_loop().create_task(self.ask(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Waits for what is under way in the background."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._client.aclose()


async def again_and_again(
    work: Callable[[Callable[[], None]], Awaitable[None]], log: logging.Logger, trouble: str
) -> None:
    """What goes on without an end: begins anew after each failure, and waits longer each time until
    it works, which it tells by calling what it is given."""
    pause = _FIRST_PAUSE

    def works() -> None:
        nonlocal pause
        pause = _FIRST_PAUSE

    while True:
        try:
            await work(works)
        except TROUBLE as error:
            log.warning("%s: %s", trouble, type(error).__name__)
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads tries
        pause = min(2 * pause, _LONGEST_PAUSE)
