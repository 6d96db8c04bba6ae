"""A world: a system that a connector is tried against, and what is known to be in it.

Every connector has one in tests/contract/worlds/<name>.py, which holds `SETTINGS`, the table of
portal.toml without `connector`, and `world(database)`, which gives a World. database: the
sandbox's file, built once for all worlds.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import MISSING, dataclass, field, replace
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

from connectors import catalog
from connectors.kit.connector import Call, Connector, Wiring
from connectors.port.errors import SourceError
from connectors.port.fields import Fields
from connectors.port.pages import Slice
from connectors.port.records import Content
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import System
from tests.contract.methods import Many, Method, Paged, Read, Streamed, Write, methods, whole
from tests.contract.wires import Nowhere, Recorder, Swap, swapped

#: The last day of the sandbox's data, and what every clock says.
NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)

#: What the system is called in settings; errors carry it.
SOURCE = "tried"

_SECRET = re.compile("secret|password|key|token", re.IGNORECASE)

Wire = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions of a query that find something of the asker's, and the same that only find
    something of somebody else's."""

    own: Mapping[str, Any]
    foreign: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is in a system. scope: the asker's accounts; others: accounts of somebody else.

    own, foreign: keys by kind, those of public things (news, questions) all own. unknown: a key of
    a kind that is well formed and of nothing, for each number. locale: of questions. filters: by
    method. totals: how many records a method's list has without conditions. queries: what else a
    query needs, by method.
    """

    scope: Scope
    others: Scope
    own: Mapping[str, Sequence[Any]]
    foreign: Mapping[str, Sequence[Any]]
    unknown: Callable[[str, int], Any]
    locale: str = "es"
    filters: Mapping[str, Sequence[Filter]] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)
    queries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def never(request: httpx.Request) -> bool:
    return False


def _no_structure(request: httpx.Request) -> object:
    raise NotImplementedError("this world does not say what in a question is structure")


@dataclass(frozen=True, slots=True)
class World:
    """facts: see there. transport: opens a way to the system; None where it has no wire. runs: the
    system answers here; where it does not, only rules about trouble are tried.

    apart: opens a way to a system of its own, which may be changed; a world whose connector takes
    cases has it. is_login: whether a call fetches a credential. writes: whether a call changes
    something. calls: how many calls a method documents for many keys or a page, where that is not
    one. given: attributes of a record, or of a method's records, that come without being asked for.
    structure: a question without its values, to be compared. swap: a question with other values.
    patience: settings that make a call give up after so many seconds.
    """

    connector: Connector[Any]
    settings: Mapping[str, Any]
    facts: Facts
    transport: Callable[[], httpx.AsyncBaseTransport] | None = None
    runs: bool = True
    apart: Callable[[], httpx.AsyncBaseTransport] | None = None
    is_login: Callable[[httpx.Request], bool] = never
    writes: Callable[[httpx.Request], bool] = lambda request: request.method not in ("GET", "HEAD")
    calls: Mapping[str, int] = field(default_factory=dict)
    given: Mapping[str, frozenset[str]] = field(default_factory=dict)
    structure: Callable[[httpx.Request], object] = _no_structure
    swap: Swap = swapped
    patience: Callable[[float], Mapping[str, Any]] = lambda seconds: {"http": {"deadline": seconds}}

    def alone(self) -> World:
        """The same world with a system of its own."""
        assert self.apart is not None, "the world has no system that may be changed"
        way = self.apart()
        return replace(self, transport=lambda: way)

    @asynccontextmanager
    async def open(self, wire: Wire = lambda inner: inner, **changes: Any) -> AsyncIterator[Opened]:
        """The system, with something put into the wire, and settings changed."""
        inner = self.transport() if self.transport else Nowhere()
        recorder = Recorder(wire(inner), self.is_login)
        opened = Opened(self, recorder)
        wiring = Wiring(
            transport=recorder,
            clock=lambda: NOW,
            sleep=opened.sleep,
            heard=opened.heard.append,
        )
        opened.system = await self.connector.start(SOURCE, {**self.settings, **changes}, wiring)
        try:
            yield opened
        finally:
            await opened.system.close()

    @property
    def logs_in(self) -> bool:
        """Whether a call of its own fetches the credential."""
        return self.is_login is not never

    @property
    def secrets(self) -> list[str]:
        """Every secret in the settings."""
        return list(_secrets(self.settings))


def _secrets(table: Mapping[str, Any]) -> Any:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _secrets(value)
        elif isinstance(value, str) and _SECRET.search(name) and "url" not in name:
            yield value


async def read(content: Content | None) -> Read | None:
    if content is None:
        return None
    try:
        data = b"".join([chunk async for chunk in content.chunks])
    finally:
        await content.close()
    return Read(content.owner, content.size, data)


class Opened:
    """A system that is open, with everything that went over its wire."""

    def __init__(self, world: World, recorder: Recorder) -> None:
        self.world = world
        self.wire = recorder
        self.heard: list[Call] = []
        self.pauses: list[float] = []
        self.system: System

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def ask(
        self,
        method: Method,
        keys: Sequence[Any] | None = None,
        *,
        scope: Scope | None = None,
        fields: Fields | None = None,
        part: Slice | None = None,
        first: int = 0,
        **conditions: Any,
    ) -> Any:
        """Asks as the example of the method does, but for what is given here. A file is read to its
        end."""
        facts, example = self.world.facts, method.example
        values: dict[str, Any] = {
            "fields": whole(method.record) if fields is None and method.selects else fields,
            "scope": facts.scope if scope is None else scope,
            "part": part or Slice(100),
            "first": first,
            "locale": facts.locale,
        }
        arguments: list[Any] = []
        if isinstance(example, Write):
            arguments = [*example.make(facts.own[example.kind][0]), values["scope"]]
        elif isinstance(example, Paged):
            arguments = [self._query(method, example, values, conditions)]
        else:
            known = list(facts.own[example.kind][:3] if keys is None else keys)
            asked = known if isinstance(example, Many) else known[0]
            arguments = [asked, *(values[name] for name in method.takes[1:])]
        found = await getattr(getattr(self.system, method.noun), method.name)(*arguments)
        return await read(found) if isinstance(example, Streamed) else found

    async def failure(self, method: Method, **how: Any) -> SourceError | None:
        """The error that asking so ends with. Any that is no SourceError goes on."""
        try:
            await self.ask(method, **how)
        except SourceError as error:
            return error
        return None

    def _query(
        self,
        method: Method,
        example: Paged,
        values: Mapping[str, Any],
        conditions: Mapping[str, Any],
    ) -> Any:
        needed = {one.name for one in fields_of(example.query) if one.default is MISSING}
        common = {name: value for name, value in values.items() if name in needed}
        known = self.world.facts.queries.get(method.name, {})
        return example.query(**{**common, **known, **conditions})

    @property
    def count(self) -> int:
        """Calls so far, without those for a credential."""
        return len(self.wire.requests)


# ------------------------------------------------------------------------------------- by name


@cache
def connectors() -> dict[str, Connector[Any]]:
    return catalog.find()


def module_of(name: str) -> ModuleType | None:
    """The world of a connector by its name."""
    where = f"tests.contract.worlds.{name}"
    return importlib.import_module(where) if importlib.util.find_spec(where) else None


@cache
def offered(name: str) -> tuple[Method, ...]:
    """What a system with the settings of its world can be asked. Opening it calls nobody."""
    module = module_of(name)
    if module is None:
        return ()

    async def found() -> tuple[Method, ...]:
        wiring = Wiring(transport=Nowhere())
        system = await connectors()[name].start(SOURCE, module.SETTINGS, wiring)
        await system.close()
        return tuple(methods(system))

    return asyncio.run(found())


@cache
def built(name: str, database: Path) -> World:
    module = module_of(name)
    assert module is not None
    world: World = module.world(database)
    return world


def refs(*accounts: tuple[str, str, str]) -> Scope:
    """Accounts by id, number and country."""
    return Scope(AccountRef(*account) for account in accounts)
