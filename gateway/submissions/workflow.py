"""The durable workflow of a submission, as DBOS runs it: one step for each part.

Importing this imports DBOS, which takes a while: `engine` does it when something is submitted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from dbos import DBOS

#: Brings one part of a submission in the gateway that has it; returns how that ended.
Deliver = Callable[[str, int], Awaitable[str]]

#: Who brings which submission. The loops of gateways are not the one that workflows run on.
_deliverers: dict[str, Deliver] = {}
#: Who brings a submission that nobody here has asked for.
_anybody: list[Deliver] = []
#: The workflows that run, so that they can be stopped without being taken for failed.
_running: dict[str, asyncio.Task[object]] = {}


@DBOS.workflow(name="submission", max_recovery_attempts=None)
async def submission(submission_id: str, parts: int) -> None:
    """Brings the parts in their order."""
    task = asyncio.current_task()
    if task is not None:
        _running[submission_id] = task
    try:
        for position in range(parts):
            await part(submission_id, position)
    finally:
        _running.pop(submission_id, None)
        _deliverers.pop(submission_id, None)


@DBOS.step(name="part")
async def part(submission_id: str, position: int) -> str:
    """Ends only when the part has: the pauses between its tries are within, so that an outage of a
    day leaves no more behind than one of a second."""
    deliver = _deliverers.get(submission_id) or (_anybody[-1] if _anybody else None)
    if deliver is None:
        raise asyncio.CancelledError
    return await deliver(submission_id, position)


def assign(submission_id: str, deliver: Deliver) -> None:
    _deliverers[submission_id] = deliver


def runs(submission_id: str) -> bool:
    return submission_id in _running


def arrive(deliver: Deliver) -> None:
    """From now on this gateway brings what comes to this process without having been asked for."""
    _anybody.append(deliver)


async def leave(deliver: Deliver) -> None:
    """Stops what this gateway brings; it stays unfinished."""
    _anybody.remove(deliver)
    mine = [key for key, one in _deliverers.items() if one == deliver]
    alone = not _anybody
    tasks = [task for key, task in _running.items() if alone or key in mine]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for key in mine:
        _deliverers.pop(key, None)
