"""Begins work at once: what has all it needs ends where it was begun, without a task and a turn of
the loop. Only what has to wait becomes a task.

Python 3.12 has eager tasks, which cost a task each all the same.
"""

from __future__ import annotations

import asyncio

# Documented for those who run work in their own way ("Extending asyncio", Task lifetime support).
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any

Work = Coroutine[Any, Any, None]


class Eager:
    """Begins work on one loop. While work takes its first step, a task that is parked stands for it
    as the current one. If the work then waits, that task goes on with it; if it has ended, the task
    stays parked for the next."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parked: tuple[_Parked, asyncio.Task[None]] | None = None

    def begin(self, work: Work, tasks: set[asyncio.Task[None]]) -> None:
        """Runs work, which must not raise, in surroundings of its own. tasks: hold it while it
        waits. Not for use in a task."""
        if self._parked is None or self._parked[1].done():
            made = _Parked(self._loop)
            self._parked = made, self._loop.create_task(made)
        parked, task = self._parked
        context = copy_context()
        _enter_task(self._loop, task)
        try:
            waits_for = context.run(work.send, None)
        except StopIteration:
            if task.cancelling():  # it is for this work alone to feel that
                self._parked = None
            return
        finally:
            _leave_task(self._loop, task)
        self._parked = None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        parked.go_on(work, context, waits_for)


class _Parked(Coroutine[Any, Any, None]):
    """What a parked task runs: nothing, until there is work that waits; then the rest of it.

    It does not know its task: the two would be left to the collector of garbage, with all that the
    work has waited for, such as the records of an answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._called: asyncio.Future[None] = loop.create_future()
        self._parking: Generator[Any, None, None] = self._called.__await__()
        self._work: Work | None = None
        self._context = copy_context()
        self._waits_for: Any = None
        self._resumed = False

    def go_on(self, work: Work, context: Context, waits_for: Any) -> None:
        """waits_for: what the first step of the work gave its task to wait for."""
        self._work, self._context, self._waits_for = work, context, waits_for
        if not self._called.done():
            self._called.set_result(None)

    def send(self, value: None) -> Any:
        if self._work is None:
            return self._parking.send(None)
        if not self._resumed:
            self._resumed = True
            return self._waits_for
        return self._context.run(self._work.send, value)

    def throw(self, *error: Any) -> Any:
        if self._work is None:
            return self._parking.throw(*error)
        if not self._resumed:
            self._resumed = True
            # A task that is cancelled while it waits cancels what it waits for.
            if self._waits_for is not None and self._waits_for.cancel():
                return self._waits_for
        return self._context.run(self._work.throw, *error)

    def close(self) -> None:
        if self._work is not None:
            self._work.close()

    def __await__(self) -> Generator[Any, None, None]:
        raise TypeError("only a task runs it")
