"""What stands between the guard and a connector: equal questions at the same time are asked once,
and answers are remembered as long as the settings say.

It stands inside of the guard, which checks the owner of each record again, wherever it came from.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from connectors.port.errors import SourceError
from connectors.port.scope import Scope
from gateway import telemetry
from gateway.sources import keys, packing, provenance
from gateway.sources.freshness import PUBLIC, CacheSettings, Freshness, Kind
from gateway.sources.keys import Key
from gateway.sources.memory import Entry, Memory
from gateway.sources.methods import METHODS, Method
from gateway.sources.shared import Shared
from gateway.sources.versions import EVERYBODY, Subject, Versions, subjects

_log = logging.getLogger("gateway.cache")

#: Asks the system for some of the items, in their order.
Fetch = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
#: A question that is under way: what it asks, and what had been changed when it was asked.
_Flight = tuple[Key, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One call of a method. rests_on: whose changes make its answers old."""

    source: str
    method: Method
    policy: Freshness
    rests_on: list[Subject]
    versions: tuple[int, ...]
    fetch: Fetch


class Answers:
    """Everything that is remembered. clock: epoch seconds."""

    def __init__(
        self,
        settings: CacheSettings,
        shared: Shared | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._shared, self._clock = settings, shared, clock
        self._memory = Memory(settings.entries, int(settings.megabytes * 1_000_000))
        self._versions = Versions()
        self._flights: dict[_Flight, tuple[asyncio.Task[list[Any]], int]] = {}

    def before(self, source: Any, name: str) -> Any:
        """A source of the port whose answers are remembered. name: the system's."""
        return _Cached(self, source, name)

    def changed(self, kind: Kind, account_id: str = EVERYBODY) -> None:
        """Something of an account was changed and is done: no answer from before is given any more,
        here at once, in processes that share a store when they hear of it."""
        self._versions.change((kind, account_id))
        if self._shared is not None:
            self._shared.changed([(kind, account_id)])

    def changed_elsewhere(self) -> None:
        """Something may have been changed that nobody told of: everything is read again."""
        self._versions.change_all()
        self._memory.clear()

    def standing(self, scope: Scope) -> tuple[int, ...]:
        """How all that a scope holds stands: another one as soon as something is changed."""
        return self._versions.of([one for kind in Kind for one in subjects(kind, scope)])

    async def close(self) -> None:
        flying = {task for task, _ in self._flights.values()}
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)
        if self._shared is not None:
            await self._shared.close()

    async def answer(
        self,
        source: str,
        name: str,
        method: Method,
        items: Sequence[Any],
        rest: tuple[Any, ...],
        fetch: Fetch,
    ) -> list[Any]:
        """The answers to items, in their order."""
        arguments = rest if method.each else (items[0], *rest)
        rests_on = subjects(method.kind, method.scope(arguments))
        versions, policy = self._versions.of(rests_on), self._settings.of(method.kind)
        asked = _Asked(source, method, policy, rests_on, versions, fetch)
        wanted = {item: keys.key_of(source, name, item, rest) for item in items}
        found: dict[Any, Any] = {}
        old: dict[Any, Entry] = {}
        if policy.kept:
            await self._remembered(asked, wanted, found, old)
        missing = [item for item in wanted if item not in found]
        if missing:
            await self._ask(asked, wanted, missing, found, old)
        return [_own(found[item]) for item in items]

    async def _remembered(
        self, asked: _Asked, wanted: dict[Any, Key], found: dict[Any, Any], old: dict[Any, Entry]
    ) -> None:
        """Puts what is fresh into `found`, what may have to do into `old`."""
        now, policy = self._clock(), asked.policy
        again: list[Any] = []
        for item, entry in (await self._entries(asked, wanted)).items():
            age, fresh = max(0.0, now - entry.at), policy.seconds
            if entry.value is None:
                fresh = min(fresh, self._settings.missing_seconds)
            if age < fresh:
                found[item] = entry.value
                telemetry.loads[asked.method.kind.value, "remembered"] += 1
            elif entry.value is not None and age < fresh + policy.revalidate_seconds:
                found[item] = entry.value
                again.append(item)
                provenance.told().stale(asked.source, age)
                telemetry.loads[asked.method.kind.value, "stale"] += 1
            elif age < fresh + policy.error_seconds:
                old[item] = entry
        if again:
            self._start(asked, wanted, again)

    async def _entries(self, asked: _Asked, wanted: dict[Any, Key]) -> dict[Any, Entry]:
        """Of customers' data, what several processes remember is known there alone: only there is
        known, too, what another process has changed."""
        entries: dict[Any, Entry] = {}
        shared = self._shared if self._shared is not None and self._shared.answers else None
        if shared is None or asked.method.kind in PUBLIC:
            for item, key in wanted.items():
                entry = self._memory.get(key, asked.versions)
                if entry is not None:
                    entries[item] = entry
        missing = [item for item in wanted if item not in entries]
        if shared is None or not missing:
            return entries
        kept = await shared.get([keys.written(wanted[item]) for item in missing], asked.rests_on)
        if kept is not None:
            for item, packed in zip(missing, kept[0], strict=True):
                if packed is not None and (entry := _opened(packed, asked)) is not None:
                    entries[item] = entry
                    self._memory.put(wanted[item], entry)
        return entries

    async def _ask(
        self,
        asked: _Asked,
        wanted: dict[Any, Key],
        missing: list[Any],
        found: dict[Any, Any],
        old: dict[Any, Entry],
    ) -> None:
        """Waits for what is under way and asks for the rest, together."""
        flights = {item: self._flights.get((wanted[item], asked.versions)) for item in missing}
        fresh = [item for item, flight in flights.items() if flight is None]
        if len(fresh) < len(missing):
            joined = len(missing) - len(fresh)
            telemetry.loads[asked.method.kind.value, "joined"] += joined
        if fresh:
            telemetry.loads[asked.method.kind.value, "asked"] += len(fresh)
            task = self._start(asked, wanted, fresh)
            flights |= {item: (task, place) for place, item in enumerate(fresh)}
        for item, flight in flights.items():
            assert flight is not None  # noqa: S101 - started above
            try:
                found[item] = (await asyncio.shield(flight[0]))[flight[1]]
            except SourceError as error:
                provenance.told().failed(error)
                if item not in old or not error.retryable:
                    raise
                entry = old[item]
                provenance.told().stale(asked.source, self._clock() - entry.at, error)
                telemetry.loads[asked.method.kind.value, "stale"] += 1
                found[item] = entry.value

    def _start(
        self, asked: _Asked, wanted: dict[Any, Key], items: list[Any]
    ) -> asyncio.Task[list[Any]]:
        """Asks in a task of its own: whoever asked first may give up, others wait for it too."""
        flights = [(wanted[item], asked.versions) for item in items]
        known = [self._flights.get(flight) for flight in flights]
        if all(known) and known[0] is not None:
            return known[0][0]  # a refresh that is under way already
        task = asyncio.get_running_loop().create_task(self._fly(asked, wanted, items))
        for place, flight in enumerate(flights):
            self._flights[flight] = (task, place)

        def landed(done: asyncio.Task[list[Any]]) -> None:
            for flight in flights:
                if self._flights.get(flight, (None, 0))[0] is done:
                    del self._flights[flight]
            if not done.cancelled() and done.exception() is not None:
                _log.debug("a question failed: %s", type(done.exception()).__name__)

        task.add_done_callback(landed)
        return task

    async def _fly(self, asked: _Asked, wanted: dict[Any, Key], items: list[Any]) -> list[Any]:
        at, shared, counted = self._clock(), self._shared, None
        if asked.policy.kept and shared is not None and shared.answers:
            # Counted before the question: a change while it is under way makes its answer old.
            told = await shared.get([], asked.rests_on)
            counted = None if told is None else told[1]
        answers = list(await asked.fetch(items))
        # Answers are told apart by their place alone: one too few would give everyone another's.
        if len(answers) != len(items):
            raise RuntimeError(f"{len(answers)} answers to {len(items)} questions")
        if asked.policy.kept:
            for item, answer in zip(items, answers, strict=True):
                self._memory.put(wanted[item], Entry(answer, at, asked.versions))
                if shared is not None and counted is not None:
                    seconds = asked.policy.kept
                    shared.put(keys.written(wanted[item]), answer, at, counted, seconds)
        return answers


def open_answers(settings: CacheSettings, url: str, clock: Callable[[], float]) -> Answers:
    """url: of the Redis or Valkey that processes share, "" where each remembers by itself."""
    return Answers(settings, Shared(url) if url and settings.enabled else None, clock)


def _opened(packed: packing.Packed, asked: _Asked) -> Entry | None:
    try:
        value = packing.value_of(packed, asked.method.answer)
    except (msgspec.MsgspecError, ValueError):
        return None  # another release wrote it
    return Entry(value, packed.at, asked.versions)


def _own(value: Any) -> Any:
    """A list of one's own, so that nobody changes another's."""
    if isinstance(value, list):
        return list(value)
    items = getattr(value, "items", None)
    return replace(value, items=list(items)) if isinstance(items, list) else value


class _Cached:
    """A source whose listed methods go through `Answers`."""

    def __init__(self, answers: Answers, source: Any, name: str) -> None:
        self._answers, self._source, self._name = answers, source, name

    def __getattr__(self, name: str) -> Any:
        held, method = getattr(self._source, name), METHODS.get(name)
        if method is None:
            return held
        remembered = (
            self._each(name, method, held) if method.each else self._one(name, method, held)
        )
        self.__dict__[name] = remembered
        return remembered

    def _each(self, name: str, method: Method, ask: Any) -> Any:
        async def remembered(items: Sequence[Any], *rest: Any) -> list[Any]:
            if not items:
                return []

            async def fetch(some: Sequence[Any]) -> Sequence[Any]:
                found: Sequence[Any] = await ask(some, *rest)
                return found

            return await self._answers.answer(self._name, name, method, items, rest, fetch)

        return remembered

    def _one(self, name: str, method: Method, ask: Any) -> Any:
        async def fetch(some: Sequence[Any]) -> Sequence[Any]:
            return [await ask(some[0])]

        async def remembered(query: Any) -> Any:
            found = await self._answers.answer(self._name, name, method, [query], (), fetch)
            return found[0]

        return remembered
