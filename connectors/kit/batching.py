"""Gathers what is asked within one tick of the event loop, so that it can travel together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

#: Turns of the event loop that make one tick. A loader takes up to four from gathering its keys to
#: asking for them, so a question asked at once waits for those of its neighbours; a turn of an idle
#: loop takes microseconds.
_TURNS = 6


class Tick(Generic[Q, A]):
    """Questions asked in one tick are sent in one go; each asker gets its own answer or error.

    send: takes 1 to `limit` questions and answers each in its place with an answer or an exception
    to raise. An exception that `send` raises itself goes to all of them. Equal questions of a tick
    (by ==, so they must be hashable) are sent once.
    """

    def __init__(
        self, send: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]], limit: int
    ) -> None:
        self._send = send
        self._limit = limit
        self._waiting: dict[Q, asyncio.Future[A]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        return await asyncio.shield(self.put(question))

    def put(self, question: Q) -> asyncio.Future[A]:
        """Puts a question on board at once, for an asker that has several: a coroutine each would
        start a turn later and might miss the others. Shared with equal questions, so whoever waits
        for it shields it from being cancelled."""
        future = self._waiting.get(question)
        if future is None:
            loop = asyncio.get_running_loop()
            future = loop.create_future()
            # Retrieved here so that an answer whose askers were all cancelled is no warning.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            if not self._waiting:
                loop.call_soon(self._wait, _TURNS)
            self._waiting[question] = future
        return future

    def _wait(self, turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._wait, turns - 1)
        else:
            self._depart()

    def _depart(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for group in in_groups(waiting.items(), self._limit):
            task = asyncio.get_running_loop().create_task(self._run(group))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, group: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        futures = [future for _, future in group]
        try:
            answers = await self._send([question for question, _ in group])
        except Exception as error:  # noqa: BLE001 - it is handed on to whoever asked
            for future in futures:
                future.set_exception(error)
            return
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        for future, answer in zip(futures, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)


def in_groups(items: Iterable[Q], limit: int) -> Iterator[list[Q]]:
    """items in order, at most `limit` in a group."""
    group: list[Q] = []
    for item in items:
        group.append(item)
        if len(group) == limit:
            yield group
            group = []
    if group:
        yield group


def by_size(
    items: Iterable[Q], size: Callable[[Q], int], max_size: int, limit: int
) -> Iterator[list[Q]]:
    """items in order, in groups of at most `limit` whose sizes add up to at most `max_size` (an
    item that is larger travels alone). size: bytes as encoded on the wire, separator included."""
    group: list[Q] = []
    total = 0
    for item in items:
        extent = size(item)
        if group and (total + extent > max_size or len(group) == limit):
            yield group
            group, total = [], 0
        group.append(item)
        total += extent
    if group:
        yield group
