"""Opens what takes in submissions: the book, the courier, the durable work, and what keeps them
going while the gateway runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from connectors.kit.connector import Call, Wiring
from connectors.port.sources import CaseSource, CaseWriter
from gateway.audit import Audit
from gateway.database.engine import Database
from gateway.submissions.cases import ReadFile, SubmittedCases
from gateway.submissions.courier import Courier
from gateway.submissions.engine import Engine, workflow_database
from gateway.submissions.files import HeldFiles
from gateway.submissions.holding import Holding
from gateway.submissions.ledger import Ledger
from gateway.submissions.pending import Pending
from gateway.submissions.service import Submissions
from gateway.submissions.settings import SubmissionSettings

#: Seconds between two signs of life, between two looks for what nobody brings, and between two
#: removals of what was settled long ago.
_RENEW, _SWEEP, _FORGET = 5.0, 5.0, 3600.0
#: Seconds that the work on a submission has to begin before it is asked for again.
_PATIENCE = 10.0

_log = logging.getLogger("gateway.submissions")


@dataclass(frozen=True, slots=True)
class OpenSubmissions:
    """What takes in submissions."""

    service: Submissions
    pending: Pending
    _ledger: Ledger
    _holding: Holding
    _engine: Engine
    _courier: Courier
    _work: Work
    _source: str
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def over(self, source: CaseSource, read: ReadFile) -> CaseSource:
        """The CRM's cases, with what is on its way to it. read: reads held files."""
        return SubmittedCases(source, self.pending, self._ledger, read)

    def heard(self, call: Call) -> None:
        """Told of each call to a system: one that the CRM answered says that it is there."""
        if call.source == self._source and call.outcome == "ok":
            self._courier.well()

    async def start(self) -> None:
        """Opens the database of unfinished work now, and not when it is first needed."""
        await self._engine.start()

    async def sweep(self) -> None:
        """Looks once for what nobody brings."""
        await self._work.sweep()

    async def close(self) -> None:
        """Leaves what is unfinished to the next start, or to another process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._engine.close()
        with contextlib.suppress(Exception):
            await self._holding.let_go()


async def open_submissions(
    settings: SubmissionSettings,
    database: Database,
    database_url: str,
    audit: Audit,
    writer: CaseWriter,
    cases: CaseSource,
    files: HeldFiles,
    wiring: Wiring,
    *,
    source: str,
    root: Path,
    background: bool = True,
) -> OpenSubmissions:
    """database_url: of `database`, with its password. cases: of the CRM, guarded. source: the CRM's
    name in calls. background: False for commands, which take nothing in. Raises DatabaseError and
    what the database raises."""
    clock = wiring.clock
    holder = f"{socket.gethostname()[:100]}:{os.getpid()}:{secrets.token_hex(4)}"
    ledger = Ledger(database, settings, files, clock, holder)
    holding = Holding(database, clock, holder)
    pending = Pending(clock, timedelta(days=settings.keep_days))
    courier = Courier(
        ledger, holding, pending, writer, cases, files, audit, wiring.sleep, settings.at_once
    )
    engine = Engine(
        workflow_database(settings.workflows, database_url, root), holder, courier.deliver
    )
    work = Work(ledger, holding, engine, files, clock)
    service = Submissions(
        ledger,
        pending,
        writer,
        audit,
        clock,
        wiring.sleep,
        work.bring,
        settings.answer_seconds,
    )
    await pending.catch_up(ledger.changed_since)
    tasks: list[asyncio.Task[None]] = []
    if background:
        every: list[tuple[Callable[[], Awaitable[None]], float]] = [
            (work.sweep, _SWEEP),
            (work.renew, _RENEW),
            (work.forget, _FORGET),
        ]
        tasks = [asyncio.create_task(_again(what, pause)) for what, pause in every]
        tasks.append(asyncio.create_task(pending.follow(ledger.changed_since)))
    return OpenSubmissions(service, pending, ledger, holding, engine, courier, work, source, tasks)


async def _again(what: Callable[[], Awaitable[None]], pause: float) -> None:
    """pause: seconds."""
    while True:
        try:
            await what()
        except Exception as error:  # noqa: BLE001 - whatever happened, it must go on afterwards
            _log.error("submissions cannot be looked after: %s", type(error).__name__)
        await asyncio.sleep(pause)


class Work:
    """Sees to it that each submission that waits is brought by one process."""

    def __init__(
        self,
        ledger: Ledger,
        holding: Holding,
        engine: Engine,
        files: HeldFiles,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger, self._holding, self._engine = ledger, holding, engine
        self._files, self._clock = files, clock
        #: When the work on something was asked for last, by the loop's clock.
        self._asked: dict[str, float] = {}

    async def bring(self, submission_id: str, parts: int) -> bool:
        """Begins the work on a submission of this process, and says whether it has begun. Where it
        has not, `sweep` tries again."""
        self._asked[submission_id] = asyncio.get_running_loop().time()
        try:
            await self._engine.run(submission_id, parts)
        except Exception as error:  # noqa: BLE001 - DBOS and databases have errors of their own
            self._asked.pop(submission_id, None)
            _log.error("the work on a submission cannot begin: %s", type(error).__name__)
            return False
        return True

    async def sweep(self) -> None:
        """Begins the work on what nobody brings: its process is gone, or could not begin."""
        waiting = await self._holding.waiting()
        now = self._clock()
        for submission_id, holder, until, parts in waiting:
            mine = holder == self._holding.holder
            if mine and not self._idle(submission_id):
                continue
            if not mine:
                if until > now and not _gone(holder, self._holding.holder):
                    continue
                if not await self._holding.take_over(submission_id, holder, until):
                    continue
            await self.bring(submission_id, parts)
        known = {row[0] for row in waiting}
        self._asked = {key: at for key, at in self._asked.items() if key in known}

    def _idle(self, submission_id: str) -> bool:
        if self._engine.runs(submission_id):
            return False
        asked = self._asked.get(submission_id)
        return asked is None or asyncio.get_running_loop().time() - asked > _PATIENCE

    async def renew(self) -> None:
        if self._asked:
            await self._holding.renew()

    async def forget(self) -> None:
        """Removes what was settled long ago."""
        ids, files = await self._ledger.forget()
        await self._engine.forget(ids)
        if files:
            await self._files.release(files)


def _gone(holder: str, own: str) -> bool:
    """Whether a process of this machine is no more. Of others, only time tells."""
    host, pid, _ = holder.rsplit(":", 2)
    if host != own.rsplit(":", 2)[0] or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return False  # another gateway of this process, or one that had this number before
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
