"""What is on its way to the CRM, in memory: so that reading cases costs no question to the database
while nothing waits, and what one process takes in shows in all of them within a second or so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connectors.port.scope import Scope
from gateway.submissions.records import Entry, Said, State, alias
from schema.cases.service import Sent

#: How far back each question reaches beyond the last one: a row may be seen later than its time.
_OVERLAP = timedelta(seconds=30)
#: Settled submissions whose ids are remembered; the others are asked for in the database.
_SETTLED = 10_000

_log = logging.getLogger("gateway.submissions")

ChangedSince = Callable[[datetime | None], Awaitable[Iterable[Entry]]]


@dataclass(slots=True, eq=False)
class Watch:
    """What somebody who waits for a submission is told. troubled: a try brought nothing."""

    entry: Entry
    troubled: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def over(self) -> bool:
        """Whether waiting any longer is of no use."""
        return self.entry.settled or self.troubled


class Pending:
    """Submissions that wait, and cases that were refused and are still shown. clock: aware UTC.
    kept: how long a refused case is shown."""

    def __init__(self, clock: Callable[[], datetime], kept: timedelta) -> None:
        self._clock, self._kept = clock, kept
        #: By account, then by id, in the order in which they came.
        self._by_account: dict[str, dict[str, Entry]] = {}
        #: By id, the account that it is held under: that of a case may not be known at first.
        self._under: dict[str, str] = {}
        #: The last of those that are over, without their words.
        self._settled: OrderedDict[str, Entry] = OrderedDict()
        self._watches: dict[str, set[Watch]] = {}
        self._listeners: list[Callable[[Entry], None]] = []
        self._others: list[Callable[[], None]] = []
        self._hint = asyncio.Event()
        self._asked: datetime | None = None

    # ---------------------------------------------------------------------------- changes

    def apply(self, entries: Iterable[Entry]) -> None:
        """Submissions as this process left them."""
        self._apply(entries)
        for tell in self._others:
            tell()

    def _apply(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            known = self.known(entry)
            if known is not None and _older(entry, known):
                continue  # read before, told after
            self._put(entry)
            for watch in self._watches.get(entry.id, ()):
                watch.entry = entry
                watch.changed.set()
            if known is None or _standing(known) != _standing(entry):
                for listener in self._listeners:
                    listener(entry)

    def listen(self, listener: Callable[[Entry], None]) -> None:
        """listener: told of each change."""
        self._listeners.append(listener)

    def tell_others_by(self, tell: Callable[[], None]) -> None:
        """tell: called when other processes have something to look at. It must not wait."""
        self._others.append(tell)

    def hurry(self) -> None:
        """Another process says that there is something to look at."""
        self._hint.set()

    def troubled(self, submission_id: str) -> None:
        """A try to bring it to the CRM came to nothing; there will be others."""
        for watch in self._watches.get(submission_id, ()):
            watch.troubled = True
            watch.changed.set()

    @contextmanager
    def watching(self, entry: Entry) -> Iterator[Watch]:
        """What happens to a submission from now on."""
        watch = Watch(entry)
        self._watches.setdefault(entry.id, set()).add(watch)
        try:
            yield watch
        finally:
            watches = self._watches[entry.id]
            watches.discard(watch)
            if not watches:
                del self._watches[entry.id]

    def known(self, entry: Entry) -> Entry | None:
        """What is known of a submission; without its words once it is over."""
        held = self._by_account.get(self._under.get(entry.id, ""), {})
        return held.get(entry.id) or self._settled.get(entry.id)

    def _put(self, entry: Entry) -> None:
        if entry.settled:
            self._settled[entry.id] = replace(entry, said=Said(""))
            self._settled.move_to_end(entry.id)
            while len(self._settled) > _SETTLED:
                self._settled.popitem(last=False)
        under = self._under.get(entry.id)
        kept = not entry.settled or self._shown(entry)
        if under is not None and not (kept and under == entry.account.id):
            self._drop(entry.id, under)
        if kept:
            self._under[entry.id] = entry.account.id
            self._by_account.setdefault(entry.account.id, {})[entry.id] = entry

    def _drop(self, submission_id: str, account_id: str) -> None:
        del self._under[submission_id]
        held = self._by_account[account_id]
        del held[submission_id]
        if not held:
            del self._by_account[account_id]

    def _shown(self, entry: Entry) -> bool:
        """Whether it is a case that the CRM never took, of which its sender is told here alone."""
        return (
            entry.kind is Sent.CASE
            and entry.case_id is None
            and not entry.heard
            and entry.state in (State.REJECTED, State.CANCELLED)
            and entry.done_at is not None
            and entry.done_at > self._clock() - self._kept
        )

    # ---------------------------------------------------------------------------- questions

    @property
    def waiting(self) -> int:
        """How many wait."""
        held = self._by_account.values()
        return sum(not entry.settled for entries in held for entry in entries.values())

    def oldest(self) -> datetime | None:
        """Since when the one waits that has waited longest."""
        held = self._by_account.values()
        times = (e.created_at for entries in held for e in entries.values() if not e.settled)
        return min(times, default=None)

    def of(self, scope: Scope) -> list[Entry]:
        """What is held of these accounts, in the order in which it came in."""
        if not self._by_account:
            return []
        return [
            entry
            for account_id in scope.ids
            for entry in self._by_account.get(account_id, {}).values()
            if not entry.settled or self._shown(entry)
        ]

    def cases(self, scope: Scope) -> list[Entry]:
        """The cases among them that the CRM does not have."""
        found = self.of(scope)
        return [entry for entry in found if entry.kind is Sent.CASE and entry.case_id is None]

    def about(self, case_ids: Sequence[str], scope: Scope) -> list[Entry]:
        """What waits about these cases, by the CRM's id or by alias, each under either."""
        wanted = set(case_ids)
        return [e for e in self.of(scope) if e.about in wanted or alias(e.id) in wanted]

    def closing(self, scope: Scope) -> dict[str, Entry]:
        """By case, what closes it."""
        found = self.of(scope)
        return {e.about: e for e in found if e.kind is Sent.CLOSING and not e.settled}

    def found(self, submission_id: str, scope: Scope) -> Entry | None:
        """A submission of these accounts that is remembered; the database may know others."""
        for account_id in scope.ids:
            held = self._by_account.get(account_id, {}).get(submission_id)
            if held is not None:
                return held
        settled = self._settled.get(submission_id)
        return settled if settled is not None and settled.account in scope else None

    # ---------------------------------------------------------------------------- others' changes

    async def catch_up(self, changed_since: ChangedSince) -> None:
        """Asks once what changed in other processes. Raises what the question raises."""
        asked = self._clock()
        since = None if self._asked is None else self._asked - _OVERLAP
        self._apply(await changed_since(since))
        self._asked = asked

    async def follow(self, changed_since: ChangedSince, every: float = 1.0) -> None:
        """Asks again and again until cancelled, at once when hurried; a failed question is logged
        and asked again. every: seconds."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self._hint.wait()
            self._hint.clear()
            try:
                await self.catch_up(changed_since)
            except Exception as error:  # noqa: BLE001 - a database has errors of its own
                _log.error("submissions could not be read: %s", type(error).__name__)


def _standing(entry: Entry) -> object:
    """All that can change of a submission. The same rows are read again and again."""
    return entry.changed_at, entry.state, entry.case_id, entry.heard, list(entry.parts)


def _older(entry: Entry, known: Entry) -> bool:
    if entry.changed_at != known.changed_at:
        return entry.changed_at < known.changed_at
    return known.settled and not entry.settled
