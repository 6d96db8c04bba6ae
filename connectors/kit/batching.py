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
    (by ==, so they must be hashable) are sent once. As many as fit leave at once: under load a tick
    takes as long as all that is done in it, and systems may be at work meanwhile.
    """

    def __init__(
        self, send: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]], limit: int
    ) -> None:
        self._send = send
        self._limit = limit
        #: Who asks, of the questions of this tick that have no answer yet.
        self._asked: dict[Q, list[asyncio.Future[A]]] = {}
        #: Those of them that have not left.
        self._waiting: list[tuple[Q, list[asyncio.Future[A]]]] = []
        self._ticking = False
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, question: Q) -> asyncio.Future[A]:
        """Puts a question on board at once, for an asker that has several: a coroutine each would
        start a turn later and might miss the others. The future is the asker's own: who lets go of
        it takes nothing from those who ask the same."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        if not self._ticking:
            self._ticking = True
            loop.call_soon(self._wait, loop, _TURNS)
        futures = self._asked.get(question)
        if futures is not None:
            futures.append(future)
            return future
        self._asked[question] = futures = [future]
        self._waiting.append((question, futures))
        if len(self._waiting) == self._limit:
            self._depart(loop)
        return future

    def _wait(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        if turns:
            loop.call_soon(self._wait, loop, turns - 1)
            return
        if self._waiting:
            self._depart(loop)
        self._asked = {}
        self._ticking = False

    def _depart(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting, []
        task = loop.create_task(self._run(group))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, group: Sequence[tuple[Q, list[asyncio.Future[A]]]]) -> None:
        answers: Sequence[A | Exception]
        try:
            answers = await self._send([question for question, _ in group])
            if len(answers) != len(group):
                raise RuntimeError(f"{len(answers)} answers to {len(group)} questions")
        except Exception as error:  # noqa: BLE001 - it is handed on to whoever asked
            answers = [error] * len(group)
        except BaseException:
            for _, futures in group:
                for future in futures:
                    future.cancel()
            raise
        finally:
            self._answered(group)
        for (_, futures), answer in zip(group, answers, strict=True):
            for future in futures:
                if future.done():
                    continue  # whoever asked has left
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                    future.exception()  # it is no warning where nobody comes for it
                else:
                    future.set_result(answer)

    def _answered(self, group: Sequence[tuple[Q, list[asyncio.Future[A]]]]) -> None:
        """Whoever asks the same from now on gets an answer of their own."""
        for question, futures in group:
            if self._asked.get(question) is futures:
                del self._asked[question]


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
