"""Brings the parts of submissions to the CRM, and does not give up: what the CRM cannot take now is
tried again with growing pauses, and soon once the CRM is seen to be back.

A part may be tried twice although the CRM has it; the key that goes with it makes that harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from connectors.port.errors import Rejected, SourceError, Throttled
from connectors.port.records import NewComment, NewFile
from connectors.port.scope import Scope
from connectors.port.sources import CaseSource, CaseWriter
from gateway.audit import Audit, Outcome
from gateway.submissions import problems
from gateway.submissions.files import HeldFiles
from gateway.submissions.holding import Holding
from gateway.submissions.ledger import Ledger
from gateway.submissions.pending import Pending
from gateway.submissions.records import Deed, Entry, Part, State, alias
from gateway.submissions.turns import Turn
from schema.cases.permissions import takes_more
from schema.cases.service import case_closed
from schema.problems import Problem

#: Seconds to the second try, where the CRM does not answer, and where an operator has to mend
#: something first; doubled from try to try, up to the longest.
_FIRST_PAUSE, _FIRST_SLOW_PAUSE, _LONGEST_PAUSE = 2.0, 30.0, 300.0
#: Seconds after which what comes after something else looks for it, although nobody woke it.
_LOOK_AGAIN = 60.0
#: What is asked of a case before anything is added to it.
_STANDING = frozenset({"id", "status"})
#: The longest that a CRM may ask us to wait, in seconds.
_LONGEST_ASKED = 3600.0

_log = logging.getLogger("gateway.submissions")


class Courier:
    """Brings parts. cases: says whose a case is. sleep: seconds. at_once: calls to the CRM at the
    same time."""

    def __init__(
        self,
        ledger: Ledger,
        holding: Holding,
        pending: Pending,
        writer: CaseWriter,
        cases: CaseSource,
        files: HeldFiles,
        audit: Audit,
        sleep: Callable[[float], Awaitable[None]],
        at_once: int,
    ) -> None:
        self._ledger, self._holding, self._pending = ledger, holding, pending
        self._writer, self._cases = writer, cases
        self._files, self._audit, self._sleep = files, audit, sleep
        self._lanes = asyncio.Semaphore(at_once)
        #: Wakes whoever brings a submission; those that rest only because the CRM does not answer.
        self._wakes: dict[str, asyncio.Event] = {}
        self._resting: set[str] = set()
        #: Those that were woken before their time.
        self._hinted: set[str] = set()
        #: By case, the submissions that come after another one.
        self._behind: dict[str, set[str]] = {}
        self._down = False
        pending.listen(self._changed)

    async def deliver(self, submission_id: str, position: int) -> str:
        """Returns once the part has ended: how. Whoever calls it has the workflow, so from now on
        this process holds the submission. Raises CancelledError alone, also when another one takes
        it over meanwhile."""
        wake = self._wakes.setdefault(submission_id, asyncio.Event())
        tries, pause, begun = 0, _LOOK_AGAIN, False
        try:
            while True:
                wake.clear()
                try:
                    ended = await self._advance(submission_id, position, begun)
                except _NotNow as later:
                    ended, pause = None, later.pause(tries)
                    tries += 1
                    await self._note_trouble(submission_id, later, pause)
                except _Behind:
                    ended, pause = None, _LOOK_AGAIN
                finally:
                    begun = True
                if ended is not None:
                    return ended
                await self._rest(submission_id, wake, pause)
        finally:
            self._wakes.pop(submission_id, None)
            self._resting.discard(submission_id)
            self._hinted.discard(submission_id)

    async def _advance(self, submission_id: str, position: int, begun: bool) -> str | None:
        """One step towards the end; None where it has to rest again."""
        try:
            turn = await self._ledger.turn(submission_id, position)
            if turn is not None and turn.lost and not begun:
                await self._holding.hold(submission_id)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _NotNow("DATABASE") from error
        if turn is None:
            return "gone"
        if turn.part.state is not State.WAITING:
            if turn.part.state is State.CANCELLED:
                await self._release(turn.part)
            return turn.part.state.value
        if turn.lost and begun:
            raise asyncio.CancelledError
        if turn.refused:
            await self._rejected(turn, problems.case_not_taken(), "CASE_NOT_TAKEN")
            return State.REJECTED.value
        if turn.behind:
            self._behind.setdefault(turn.entry.about, set()).add(submission_id)
            if turn.stuck:
                self._pending.troubled(submission_id)
            raise _Behind
        async with self._lanes:
            if submission_id in self._hinted:
                self._hinted.discard(submission_id)
                if self._down:
                    # Somebody else has tried since, in vain: all at once would not help either.
                    self._resting.add(submission_id)
                    return None
            return await self._try(turn)

    async def _try(self, turn: Turn) -> str:
        try:
            if turn.entry.said.among:
                turn = replace(turn, entry=await self._proven(turn.entry))
            crm_id, number = await self._send(turn.entry, turn.part)
        except Rejected as error:
            self.well()
            await self._rejected(turn, problems.not_taken(error), error.code)
            return State.REJECTED.value
        except _Gone:
            await self._rejected(turn, problems.case_gone(), "CASE_GONE")
            return State.REJECTED.value
        except _Closed:
            await self._rejected(turn, case_closed(), "CASE_CLOSED")
            return State.REJECTED.value
        except SourceError as error:
            self._down = self._down or error.retryable
            wait = error.retry_after if isinstance(error, Throttled) else None
            outage = error.retryable
            raise _NotNow(error.code, slow=not outage, outage=outage, asked=wait) from error
        except Exception as error:
            if isinstance(error, OSError) and turn.part.file:
                raise _NotNow("FILE_UNREADABLE", slow=True) from error
            _log.exception("a submission cannot be brought to the CRM")
            raise _NotNow("INTERNAL", slow=True) from error
        self.well()
        await self._sent(turn, crm_id, number)
        return State.DONE.value

    async def _proven(self, entry: Entry) -> Entry:
        """A submission about a case of which nobody could say whose it is, now that somebody can.
        Raises SourceError; _Gone where it is of none of the sender's accounts, _Closed."""
        theirs = Scope(entry.said.among)
        [case] = await self._cases.cases_by_id([entry.about], _STANDING, theirs)
        if case is None or case.owner not in theirs:
            raise _Gone
        open_ = takes_more(case)
        await self._kept(lambda: self._ledger.proven(entry.id, case, takes_more=open_))
        if not open_:
            raise _Closed
        return replace(entry, account=case.owner, case_id=case.id)

    async def _send(self, entry: Entry, part: Part) -> tuple[str | None, str | None]:
        """Raises SourceError, OSError, _Gone."""
        scope, said = Scope([entry.account]), entry.said
        key = entry.id if part.position == 0 else f"{entry.id}-{part.position}"
        if part.deed is Deed.OPEN and said.case is not None:
            opened = await self._writer.open_case(key, said.case, scope)
            return opened.id, opened.number
        case_id = entry.about
        if part.deed is Deed.COMMENT:
            comment = NewComment(case_id, said.body or "", said.contact_id)
            return await self._writer.add_comment(key, comment, scope), None
        if part.file is not None:
            held = part.file
            file = NewFile(
                case_id,
                held.filename,
                held.content_type,
                held.size,
                lambda: self._files.read(held.id),
                said.contact_id,
            )
            return await self._writer.add_file(key, file, scope), None
        if not await self._writer.close_case(case_id, scope):
            raise _Gone
        return None, None

    # ---------------------------------------------------------------------------- how it went

    async def _sent(self, turn: Turn, crm_id: str | None, number: str | None) -> None:
        entry, part = turn.entry, turn.part
        await self._kept(lambda: self._ledger.sent(entry.id, part.position, crm_id, number))
        await self._release(part)
        what = f"{entry.kind.value.lower()} {entry.id} {part.deed.value} {crm_id or entry.about}"
        await self._note("submission.delivered", entry, what, Outcome.OK)

    async def _rejected(self, turn: Turn, problem: Problem, error: str) -> None:
        entry, part = turn.entry, turn.part
        await self._kept(lambda: self._ledger.rejected(entry.id, part.position, problem, error))
        await self._release(part)
        what = f"{entry.kind.value.lower()} {entry.id} {part.deed.value}"
        await self._note("submission.rejected", entry, what, error)

    async def _kept(self, change: Callable[[], Awaitable[list[Entry]]]) -> None:
        """The CRM has decided: that has to be written down, however long the database takes."""
        tries = 0
        while True:
            try:
                self._pending.apply(await change())
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.error("a delivery cannot be written down: %s", type(error).__name__)
                await self._sleep(_NotNow("DATABASE").pause(tries))
                tries += 1
            else:
                return

    async def _release(self, part: Part) -> None:
        if part.file is None:
            return
        try:
            await self._files.release([part.file.id])
        except Exception as error:  # noqa: BLE001 - what is sent stays sent
            _log.error("files that were sent cannot be removed: %s", type(error).__name__)

    async def _note_trouble(self, submission_id: str, later: _NotNow, pause: float) -> None:
        _log.warning("a submission waits: %s", later.code, extra={"outcome": later.code})
        with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
            await self._ledger.tried(submission_id, later.code, pause)
        if later.outage:
            self._resting.add(submission_id)
        self._pending.troubled(submission_id)

    async def _note(self, event: str, entry: Entry, what: str, outcome: str) -> None:
        account = entry.account
        await self._audit.note(
            event,
            who="gateway",
            whose=account.number or account.id or "-",
            what=what,
            outcome=outcome,
        )

    # ---------------------------------------------------------------------------- pauses

    async def _rest(self, submission_id: str, wake: asyncio.Event, pause: float) -> None:
        """Until it is woken, or the pause is over. pause: seconds."""
        tasks: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(wake.wait()),
            asyncio.ensure_future(self._sleep(pause)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._resting.discard(submission_id)

    def well(self) -> None:
        """The CRM was seen to answer: what waits only for that is tried now."""
        if not self._down:
            return
        self._down = False
        for submission_id in self._resting:
            self._hinted.add(submission_id)
            self._wake(submission_id)

    def _wake(self, submission_id: str) -> None:
        if submission_id in self._wakes:
            self._wakes[submission_id].set()

    def _changed(self, entry: Entry) -> None:
        self._wake(entry.id)
        for case_id in (entry.about, alias(entry.id)):
            for submission_id in self._behind.pop(case_id, ()):
                self._wake(submission_id)


class _Behind(Exception):
    """Another submission about the same case comes first."""


class _Gone(Exception):
    """The CRM has no such case."""


class _Closed(Exception):
    """Nothing can be added to the case any more."""


class _NotNow(Exception):
    """A part cannot be brought now. code: ours. slow: somebody has to mend something first. outage:
    the CRM does not answer anybody. asked: seconds that the CRM wants us to wait."""

    def __init__(
        self, code: str, *, slow: bool = False, outage: bool = False, asked: float | None = None
    ) -> None:
        super().__init__(code)
        self.code, self.slow, self.outage, self.asked = code, slow, outage, asked

    def pause(self, tries: int) -> float:
        """Seconds, no two alike, so that those who were refused together do not come together."""
        first = _FIRST_SLOW_PAUSE if self.slow else _FIRST_PAUSE
        pause: float = min(first * 2 ** min(tries, 12), _LONGEST_PAUSE)
        pause *= random.uniform(0.7, 1.0)  # noqa: S311 - it only has to vary
        return max(pause, min(self.asked or 0.0, _LONGEST_ASKED))
