"""What stands between the guard and a connector: equal questions at the same time are asked once,
and answers are remembered as long as the settings say.

It stands inside of the guard, which checks the owner of each record again, wherever it came from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from connectors.port.errors import SourceError
from connectors.port.pages import Page
from connectors.port.scope import Scope
from gateway import telemetry
from gateway.sources import keys, packing, provenance
from gateway.sources.flights import Flight, Flights
from gateway.sources.freshness import PUBLIC, CacheSettings, Freshness, Kind
from gateway.sources.keys import Key
from gateway.sources.memory import Entry, Memory
from gateway.sources.methods import METHODS, Method
from gateway.sources.versions import EVERYBODY, Standing, Subject, Versions, subjects

if TYPE_CHECKING:
    from gateway.sources.shared import Shared

#: In the place of an answer that is not there yet.
_MISSING: Final[Any] = object()


class _Line:
    """A method of a source, and how its answers are kept. ask: the method itself."""

    __slots__ = ("_kind", "ask", "kept", "method", "name", "policy", "source")

    def __init__(
        self, source: str, name: str, method: Method, policy: Freshness, ask: Callable[..., Any]
    ) -> None:
        self.source, self.name, self.method, self.ask = source, name, method, ask
        self.policy, self.kept = policy, policy.kept
        self._kind = method.kind.value

    def count(self, whence: str, many: int = 1) -> None:
        telemetry.loads[self._kind, whence] += many


@dataclass(slots=True)
class _Asked:
    """One call of a method. items: what it asks for, each once; of each, in the same place, its key
    and its answer, once that is found. rests_on: whose changes make its answers old. old: what may
    have to do, by its place."""

    line: _Line
    items: Sequence[Any]
    rest: tuple[Any, ...]
    rests_on: list[Subject]
    versions: Standing
    keys: list[Key]
    found: list[Any]
    old: dict[int, Entry] = field(default_factory=dict)


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
        self._flights = Flights()

    def before(self, source: Any, name: str) -> Any:
        """A source of the port whose answers are remembered. name: the system's."""
        return _Cached(self, source, name)

    def line(self, source: str, name: str, method: Method, ask: Callable[..., Any]) -> _Line:
        return _Line(source, name, method, self._settings.of(method.kind), ask)

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

    def standing(self, scope: Scope) -> Standing:
        """How all that a scope holds stands: another one as soon as something is changed."""
        return self._versions.standing(scope)

    async def close(self) -> None:
        await self._flights.close()
        if self._shared is not None:
            await self._shared.close()

    async def answer(
        self, line: _Line, items: Sequence[Any], rest: tuple[Any, ...] = ()
    ) -> list[Any]:
        """The answers to items, in their order, each a list of one's own. Of a method that takes
        one query, that is the item."""
        method, once = line.method, list(dict.fromkeys(items))
        rests_on = subjects(method.kind, method.scope(rest if method.each else items))
        asked = _Asked(
            line,
            once,
            rest,
            rests_on,
            self._versions.of(rests_on),
            [keys.key_of(line.source, line.name, item, rest) for item in once],
            [_MISSING] * len(once),
        )
        if line.kept:
            await self._remembered(asked)
        missing = [place for place, one in enumerate(asked.found) if one is _MISSING]
        if missing:
            await self._ask(asked, missing)
        if len(once) == len(items):
            return asked.found
        answers = dict(zip(once, asked.found, strict=True))
        return [_own(answers[item]) for item in items]

    async def flown(self, line: _Line, item: Any, *rest: Any) -> Any:
        """The answer to one item, of which nothing is remembered: most questions are such."""
        scope = line.method.scope(rest if line.method.each else (item,))
        versions = self._versions.standing(scope) if scope is not None else None
        key = keys.key_of(line.source, line.name, item, rest)
        found = self._flights.find(key, versions)
        if found is None:
            line.count("asked")
            ask = partial(_answers, line, [item], rest)
            found = self._flights.start([key], versions, ask), 0
        else:
            line.count("joined")
        flight, place = found
        try:
            answer = (await flight.wait())[place]
        except SourceError as error:
            provenance.told().failed(error)
            raise
        return answer if flight.alone else _own(answer)

    async def _remembered(self, asked: _Asked) -> None:
        """Puts what is fresh into `found`, what may have to do into `old`."""
        now, line, policy = self._clock(), asked.line, asked.line.policy
        again: list[int] = []
        for place, entry in (await self._entries(asked)).items():
            age, fresh = max(0.0, now - entry.at), policy.seconds
            if entry.value is None:
                fresh = min(fresh, self._settings.missing_seconds)
            if age < fresh:
                asked.found[place] = _own(entry.value)
                line.count("remembered")
            elif entry.value is not None and age < fresh + policy.revalidate_seconds:
                asked.found[place] = _own(entry.value)
                again.append(place)
                provenance.told().stale(line.source, age)
                line.count("stale")
            elif age < fresh + policy.error_seconds:
                asked.old[place] = entry
        again = [p for p in again if self._flights.find(asked.keys[p], asked.versions) is None]
        if again:
            self._start(asked, again)

    async def _entries(self, asked: _Asked) -> dict[int, Entry]:
        """Of customers' data, what several processes remember is known there alone: only there is
        known, too, what another process has changed."""
        entries: dict[int, Entry] = {}
        shared = self._shared if self._shared is not None and self._shared.answers else None
        if shared is None or asked.line.method.kind in PUBLIC:
            for place, key in enumerate(asked.keys):
                entry = self._memory.get(key, asked.versions)
                if entry is not None:
                    entries[place] = entry
        missing = [place for place in range(len(asked.keys)) if place not in entries]
        if shared is None or not missing:
            return entries
        names = [keys.written(asked.keys[place]) for place in missing]
        kept = await shared.get(names, asked.rests_on)
        if kept is not None:
            for place, packed in zip(missing, kept[0], strict=True):
                if packed is not None and (entry := _opened(packed, asked)) is not None:
                    entries[place] = entry
                    self._memory.put(asked.keys[place], entry)
        return entries

    async def _ask(self, asked: _Asked, missing: list[int]) -> None:
        """Waits for what is under way and asks for the rest, together."""
        line, versions, found = asked.line, asked.versions, self._flights.find
        flights = [found(asked.keys[place], versions) for place in missing]
        fresh = [p for p, flight in zip(missing, flights, strict=True) if flight is None]
        if len(fresh) < len(missing):
            line.count("joined", len(missing) - len(fresh))
        if fresh:
            line.count("asked", len(fresh))
            started, places = self._start(asked, fresh), iter(range(len(fresh)))
            flights = [(started, next(places)) if one is None else one for one in flights]
        # For all of them now: they may land while one is waited for.
        waiting = {one[0]: one[0].wait() for one in flights if one is not None}
        for place, one in zip(missing, flights, strict=True):
            assert one is not None  # noqa: S101 - started above
            flight, position = one
            try:
                answer = (await waiting[flight])[position]
            except SourceError as error:
                provenance.told().failed(error)
                if place not in asked.old or not error.retryable:
                    raise
                entry = asked.old[place]
                provenance.told().stale(line.source, self._clock() - entry.at, error)
                line.count("stale")
                asked.found[place] = _own(entry.value)
            else:
                asked.found[place] = answer if flight.alone and not line.kept else _own(answer)

    def _start(self, asked: _Asked, places: list[int]) -> Flight:
        items = [asked.items[place] for place in places]
        keys_ = [asked.keys[place] for place in places]
        if asked.line.kept:
            ask = partial(self._kept, asked, keys_, items)
        else:
            ask = partial(_answers, asked.line, items, asked.rest)
        return self._flights.start(keys_, asked.versions, ask)

    async def _kept(self, asked: _Asked, keys_: list[Key], items: list[Any]) -> list[Any]:
        """What the system answers to some items, from then on remembered."""
        line, shared, counted, at = asked.line, self._shared, None, self._clock()
        if shared is not None and shared.answers:
            # Counted before the question: a change while it is under way makes its answer old.
            told = await shared.get([], asked.rests_on)
            counted = None if told is None else told[1]
        answers = await _answers(line, items, asked.rest)
        for key, answer in zip(keys_, answers, strict=True):
            self._memory.put(key, Entry(answer, at, asked.versions))
            if shared is not None and counted is not None:
                shared.put(keys.written(key), answer, at, counted, line.kept)
        return answers


def open_answers(settings: CacheSettings, url: str, clock: Callable[[], float]) -> Answers:
    """url: of the Redis or Valkey that processes share, "" where each remembers by itself."""
    if not url or not settings.enabled:
        return Answers(settings, None, clock)
    from gateway.sources.shared import Shared  # and with it the library, which takes its time

    return Answers(settings, Shared(url), clock)


async def _answers(line: _Line, items: Sequence[Any], rest: tuple[Any, ...]) -> list[Any]:
    """What the system itself answers to items, in their order."""
    if not line.method.each:
        return [await line.ask(items[0])]
    answers = list(await line.ask(items, *rest))
    # Answers are told apart by their place alone: one too few would give everyone another's.
    if len(answers) != len(items):
        raise RuntimeError(f"{len(answers)} answers to {len(items)} questions")
    return answers


def _opened(packed: packing.Packed, asked: _Asked) -> Entry | None:
    try:
        value = packing.value_of(packed, asked.line.method.answer)
    except (msgspec.MsgspecError, ValueError):
        return None  # another release wrote it
    return Entry(value, packed.at, asked.versions)


def _own(value: Any) -> Any:
    """A list of one's own, so that nobody changes another's."""
    if isinstance(value, list):
        return list(value)
    if isinstance(value, Page) and isinstance(value.items, list):
        return Page(list(value.items), value.has_next, value.has_previous, value.total)
    return value


class _Cached:
    """A source whose listed methods go through `Answers`."""

    def __init__(self, answers: Answers, source: Any, name: str) -> None:
        self._answers, self._source, self._name = answers, source, name

    def __getattr__(self, name: str) -> Any:
        held, method = getattr(self._source, name), METHODS.get(name)
        if method is None:
            return held
        line = self._answers.line(self._name, name, method, held)
        remembered = self._each(line) if method.each else self._one(line)
        self.__dict__[name] = remembered
        return remembered

    def _each(self, line: _Line) -> Any:
        answers = self._answers

        async def remembered(items: Sequence[Any], *rest: Any) -> list[Any]:
            if len(items) == 1 and not line.kept:
                return [await answers.flown(line, items[0], *rest)]
            return await answers.answer(line, items, rest) if items else []

        return remembered

    def _one(self, line: _Line) -> Any:
        if not line.kept:
            return partial(self._answers.flown, line)

        async def remembered(query: Any) -> Any:
            return (await self._answers.answer(line, [query]))[0]

        return remembered
