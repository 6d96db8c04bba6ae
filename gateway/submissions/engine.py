"""Runs durable workflows with DBOS, on a thread and a loop of its own.

DBOS is one for the whole process, and takes over the thread pool of the loop that it is started on;
so it gets a loop for itself. All gateways of a process share it (a program has one, tests may have
two): the first one opens it on its own database, the last one closes it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL

from gateway.database.engine import DatabaseError, address

if TYPE_CHECKING:
    from gateway.submissions.workflow import Deliver

T = TypeVar("T")

#: Part of each workflow's record: DBOS continues only those of its own version. It stays the same
#: as long as the steps do, so that a new release continues what an older one began.
_VERSION = "submissions-1"
#: Seconds between two looks of DBOS at messages to workflows, which ours never get. It closes as
#: fast as it looks.
_LOOK = 0.25

_log = logging.getLogger("gateway.submissions")


def workflow_database(setting: str | None, own: str, root: Path) -> URL:
    """Where unfinished work is written down. setting: as in portal.toml; None for the gateway's own
    PostgreSQL, or for a file beside its own SQLite file. Raises DatabaseError."""
    found = address(setting or own, root)
    if found.get_backend_name() != "sqlite":
        query = dict(found.query)
        if "ssl" in query:
            query["sslmode"] = query.pop("ssl")
        return found.set(drivername="postgresql+psycopg", query=query)
    if setting is None and found.database:
        found = found.set(database=str(Path(found.database).with_name("workflows.sqlite")))
    return found.set(drivername="sqlite")


class Engine:
    """The share of one gateway in this process's DBOS. deliver: brings one part; called on the loop
    that `start` was called on. executor: this process, for the others."""

    def __init__(self, database: URL, executor: str, deliver: Deliver) -> None:
        self._database, self._executor, self._inner = database, executor, deliver
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Task[None] | None = None
        #: Where DBOS's loop hands parts over to ours.
        self._hand_over: Deliver = self._deliver
        self._tasks: set[asyncio.Task[str]] = set()

    async def start(self) -> None:
        """Opens DBOS, once. Raises DatabaseError."""
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.create_task(self._open())
        await asyncio.shield(self._opening)

    async def _open(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.to_thread(_Room.enter, self._database, self._executor)
        except Exception as error:
            # Its text may hold the database's address.
            text = f"the database of unfinished work cannot be opened: {type(error).__name__}"
            raise DatabaseError(text) from error
        from gateway.submissions import workflow

        await _Room.call(_called(workflow.arrive, self._hand_over))

    @property
    def started(self) -> bool:
        return bool(self._opening and self._opening.done() and not self._opening.exception())

    async def run(self, submission_id: str, parts: int) -> None:
        """Begins the workflow of a submission, or goes on where it was left. Raises what DBOS
        raises."""
        await self.start()
        await _Room.call(_begin(submission_id, parts, self._hand_over))

    def runs(self, submission_id: str) -> bool:
        """Whether its workflow is at work in this process."""
        if not self.started:
            return False
        from gateway.submissions import workflow

        return workflow.runs(submission_id)

    async def forget(self, ids: list[str]) -> None:
        """Removes what DBOS keeps of workflows that have ended."""
        if ids and self.started:
            await _Room.call(_forget(ids))

    async def close(self) -> None:
        """Stops what runs for this gateway; it goes on at the next start."""
        if self._opening is None:
            return
        await asyncio.gather(self._opening, return_exceptions=True)
        if not self.started:
            return
        from gateway.submissions import workflow

        await _Room.call(workflow.leave(self._hand_over))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._opening = None
        await asyncio.to_thread(_Room.leave)

    async def _deliver(self, submission_id: str, position: int) -> str:
        """On DBOS's loop: has a part brought on ours."""
        if self._loop is None or self._loop.is_closed():
            raise asyncio.CancelledError
        handed = asyncio.run_coroutine_threadsafe(self._own(submission_id, position), self._loop)
        return await asyncio.wrap_future(handed)

    async def _own(self, submission_id: str, position: int) -> str:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await self._inner(submission_id, position)


async def _called(function: Any, *arguments: Any) -> None:
    function(*arguments)


async def _begin(submission_id: str, parts: int, deliver: Deliver) -> None:
    from dbos import DBOS, SetWorkflowID

    from gateway.submissions import workflow

    workflow.assign(submission_id, deliver)
    status = await DBOS.get_workflow_status_async(submission_id)
    if status is not None and status.status in {"PENDING", "ENQUEUED", "CANCELLED"}:
        await DBOS.resume_workflow_async(submission_id)
        return
    # One that ended without bringing everything can only have been broken: it begins anew.
    again = "" if status is None else f"-{status.updated_at}"
    with SetWorkflowID(submission_id + again):
        await DBOS.start_workflow_async(workflow.submission, submission_id, parts)


async def _forget(ids: list[str]) -> None:
    from dbos import DBOS

    await DBOS.delete_workflows_async(ids)


class _Room:
    """DBOS with its thread and loop. All of it is the process's."""

    _lock = threading.Lock()
    _guests = 0
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None

    @classmethod
    def enter(cls, database: URL, executor: str) -> None:
        with cls._lock:
            if cls._guests == 0:
                cls._open(database, executor)
            cls._guests += 1

    @classmethod
    def leave(cls) -> None:
        with cls._lock:
            cls._guests -= 1
            if cls._guests == 0:
                cls._close()

    @classmethod
    async def call(cls, work: Coroutine[Any, Any, T]) -> T:
        """Runs on DBOS's loop, awaited on the caller's."""
        if cls._loop is None:
            work.close()
            raise RuntimeError("DBOS is not open")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, cls._loop))

    @classmethod
    def _open(cls, database: URL, executor: str) -> None:
        if database.get_backend_name() == "sqlite" and database.database:
            file = Path(database.database)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
        cls._loop = asyncio.new_event_loop()
        cls._thread = threading.Thread(target=cls._loop.run_forever, name="dbos", daemon=True)
        cls._thread.start()
        launched = asyncio.run_coroutine_threadsafe(_launch(database, executor), cls._loop)
        try:
            launched.result()
        except BaseException:
            cls._close()
            raise

    @classmethod
    def _close(cls) -> None:
        from dbos import DBOS

        if cls._loop is not None and cls._thread is not None:
            asyncio.run_coroutine_threadsafe(_stop_all(), cls._loop).result()
        DBOS.destroy()
        if cls._loop is not None and cls._thread is not None:
            cls._loop.call_soon_threadsafe(cls._loop.stop)
            cls._thread.join()
            cls._loop.close()
        cls._loop = cls._thread = None


async def _stop_all() -> None:
    """Whatever else DBOS does on its loop: it would wait for workflows that were left."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _launch(database: URL, executor: str) -> None:
    _quieten()
    from dbos import DBOS

    # What it registers has to be there before DBOS is launched.
    from gateway.submissions import workflow  # noqa: F401

    DBOS(
        config={
            "name": "portal-gateway",
            "system_database_url": database.render_as_string(hide_password=False),
            "application_version": _VERSION,
            "executor_id": executor,
            "log_level": "WARNING",
            "enable_otlp": False,
            "notification_listener_polling_interval_sec": _LOOK,
        }
    )
    DBOS.launch()


def _worth_telling(record: logging.LogRecord) -> bool:
    """Not that work was stopped: it is, whenever a gateway is."""
    return not record.getMessage().startswith("Asyncio task cancelled")


def _quieten() -> None:
    """DBOS writes to the gateway's log, without the handler of its own that it would make, and only
    what goes wrong."""
    log = logging.getLogger("dbos")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    log.propagate = True
    log.setLevel(logging.WARNING)
    log.addFilter(_worth_telling)


__all__ = ["DatabaseError", "Engine", "workflow_database"]
