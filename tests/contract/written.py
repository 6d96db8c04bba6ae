"""Rules about what is written: once, whatever breaks, on nobody else's case, and as it was said."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from connectors.port.errors import Rejected, SourceError, Unavailable
from connectors.port.pages import Slice
from connectors.port.queries import CaseQuery
from connectors.port.records import CaseDetail, CaseStatus
from connectors.port.scope import Scope
from connectors.port.sources import CaseSource, CaseWriter
from tests.contract.methods import Method, Write
from tests.contract.planted import HOPELESS, PLANTED
from tests.contract.world import Opened, World

OTHER_KEY = "0b8f0a52-7f5c-4b7f-8a44-6a1c9d0e2f11"
#: Longer than any system takes it.
ENDLESS = "x" * 40_000


@dataclasses.dataclass(frozen=True, slots=True)
class Sight:
    """How what a method writes is seen. ids: of all that there is at a key of the method's kind.
    texts: by attribute, what is read of a record with an id that was answered."""

    ids: Callable[[CaseSource, Scope, Any], Awaitable[list[str]]]
    texts: Mapping[str, Callable[[CaseSource, Scope, str], Awaitable[str]]]


async def _cases(source: CaseSource, scope: Scope, account: Any) -> list[str]:
    query = CaseQuery(Scope([account]), frozenset({"id"}), Slice(1), with_total=True)
    total = (await source.find_cases(query)).total
    return [f"one of {total}" for _ in range(total or 0)]


async def _comments(source: CaseSource, scope: Scope, case: str) -> list[str]:
    [found] = await source.comments_by_case([case], frozenset(), scope)
    return [comment.id for comment in found]


async def _files(source: CaseSource, scope: Scope, case: str) -> list[str]:
    [found] = await source.attachments_by_case([case], frozenset(), scope)
    return [file.id for file in found]


def _of_case(name: str) -> Callable[[CaseSource, Scope, str], Awaitable[str]]:
    async def read(source: CaseSource, scope: Scope, key: str) -> str:
        [case] = await source.cases_by_id([key], frozenset({name}), scope)
        found = getattr(case, name)
        return found if isinstance(found, str) else str(found[0].value)

    return read


async def _body(source: CaseSource, scope: Scope, key: str) -> str:
    [comment] = await source.comments_by_id([key], frozenset({"body"}), scope)
    assert comment is not None
    return comment.body


async def _filename(source: CaseSource, scope: Scope, key: str) -> str:
    [file] = await source.attachments_by_id([key], frozenset({"filename"}), scope)
    assert file is not None
    return file.filename


SIGHTS: Mapping[str, Sight] = {
    "open_case": Sight(
        _cases, {name: _of_case(name) for name in ("subject", "description", "details")}
    ),
    "add_comment": Sight(_comments, {"body": _body}),
    "add_file": Sight(_files, {"filename": _filename}),
}


class Cutting(httpx.AsyncBaseTransport):
    """Lets a call that writes through, and cuts the connection before its answer, once."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, writes: Callable[[httpx.Request], bool]
    ) -> None:
        self._inner, self._writes, self.cut = inner, writes, False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if self.cut or not self._writes(request):
            return response
        await response.aread()
        self.cut = True
        raise httpx.ReadError("the connection was cut", request=request)


async def writes_one_by_key(world: World, method: Method) -> None:
    """The same key again changes nothing and gives the same answer, whatever else is said with it,
    and so do two tries at a time; another key writes another one."""
    async with world.alone().open() as opened:
        at, (key, new) = _example(world, method)
        before = await _seen(opened, method, at)
        first = await _write(opened, method, key, new)
        assert await _write(opened, method, key, new) == first
        assert await _write(opened, method, key, _said(new, "otra cosa")) == first
        after = await _seen(opened, method, at)
        assert len(after) == len(before) + 1
        for name, read in SIGHTS[method.name].texts.items():
            assert await read(_source(opened), world.facts.scope, _id(first)) == _text(new, name)
        one, other = await asyncio.gather(
            *(_write(opened, method, OTHER_KEY, new) for _ in range(2)),
        )
        assert one == other != first
        assert len(await _seen(opened, method, at)) == len(before) + 2


async def finishes_what_was_cut(world: World, method: Method) -> None:
    """What was done, but whose answer was lost, is found by the next try and not done again."""
    async with world.alone().open(lambda inner: Cutting(inner, world.writes)) as opened:
        at, (key, new) = _example(world, method)
        before = await _seen(opened, method, at)
        try:
            await _write(opened, method, key, new)
        except Unavailable:
            found = await _write(opened, method, key, new)
        else:
            raise AssertionError("nothing was written, or a lost answer was not told")
        assert await _write(opened, method, key, new) == found
        assert len(await _seen(opened, method, at)) == len(before) + 1


async def writes_on_nothing_foreign(world: World, method: Method) -> None:
    """What is somebody else's is Rejected and stays as it is; an empty scope asks nobody."""
    facts = world.facts
    async with world.alone().open() as opened:
        at, (key, new) = _example(world, method, foreign=True)
        before = await _seen(opened, method, at, facts.others)
        assert isinstance(await _failure(opened, method, key, new), Rejected)
        assert await _seen(opened, method, at, facts.others) == before
        assert await _write(opened, method, key, new, facts.others), "it would have been possible"
        assert len(await _seen(opened, method, at, facts.others)) == len(before) + 1
        # Its key is no way to what it wrote, either.
        assert isinstance(await _failure(opened, method, key, new), Rejected)
        _, (_, own) = _example(world, method)
        assert isinstance(await _failure(opened, method, key, own), Rejected)
        opened.wire.forget()
        assert isinstance(await _failure(opened, method, key, new, Scope()), Rejected)
        assert opened.wire.requests == []


async def writes_texts_as_they_are(world: World, method: Method) -> None:
    """Whatever is said is what is read afterwards, but for space; what cannot be kept is an error
    that has a name."""
    async with world.alone().open() as opened:
        _, (_, new) = _example(world, method)
        keys = iter(range(1000))
        for name, read in SIGHTS[method.name].texts.items():
            for text in (*PLANTED, "@{case.records[0].Id} @{said.id}"):
                key = f"planted-{next(keys)}"
                written = await _write(opened, method, key, _with(new, name, text))
                found = await read(_source(opened), world.facts.scope, _id(written))
                assert "".join(found.split()) == "".join(text.split()), (name, found)
            for text in HOPELESS:
                await _failure(opened, method, f"hopeless-{next(keys)}", _with(new, name, text))


async def names_what_is_too_long(world: World, method: Method) -> None:
    """A text that no system takes is Rejected with our name of it, and nothing is written."""
    async with world.alone().open() as opened:
        at, (key, new) = _example(world, method)
        before = await _seen(opened, method, at)
        for name in SIGHTS[method.name].texts:
            error = await _failure(opened, method, key, _with(new, name, ENDLESS))
            assert isinstance(error, Rejected), repr(error)
            assert error.field == name
        for odd in ("", "x" * 65, "a b", "'", "a/b", "é"):
            assert isinstance(await _failure(opened, method, odd, new), Rejected), odd
        assert await _seen(opened, method, at) == before


async def closes_a_case_once(world: World, method: Method) -> None:
    """A case of the scope is closed, and then stays as it is; any other is told apart."""
    facts = world.facts
    async with world.alone().open() as opened:
        writer, source = _writer(opened), _source(opened)
        case, foreign = facts.own["open_case"][0], facts.foreign["open_case"][0]
        fields = frozenset({"status", "updated_at"})
        for key in (foreign, facts.unknown("open_case", 1), "", "x"):
            assert not await writer.close_case(key, facts.scope)
        assert not await writer.close_case(case, Scope())
        [left] = await source.cases_by_id([foreign], fields, facts.others)
        assert left is not None
        assert left.status is not CaseStatus.CLOSED
        assert await writer.close_case(case, facts.scope)
        [closed] = await source.cases_by_id([case], fields, facts.scope)
        assert closed is not None
        assert closed.status is CaseStatus.CLOSED
        assert await writer.close_case(case, facts.scope)
        assert await source.cases_by_id([case], fields, facts.scope) == [closed]


# ------------------------------------------------------------------------------------------ pieces


def _example(world: World, method: Method, *, foreign: bool = False) -> tuple[Any, tuple[str, Any]]:
    example = method.example
    assert isinstance(example, Write)
    at = (world.facts.foreign if foreign else world.facts.own)[example.kind][0]
    key, new = example.make(at)
    return at, (key, new)


def _source(opened: Opened) -> CaseSource:
    assert opened.system.cases is not None
    return opened.system.cases


def _writer(opened: Opened) -> CaseWriter:
    assert opened.system.case_writer is not None
    return opened.system.case_writer


async def _write(
    opened: Opened, method: Method, key: str, new: Any, scope: Scope | None = None
) -> Any:
    scope = opened.world.facts.scope if scope is None else scope
    return await getattr(_writer(opened), method.name)(key, new, scope)


async def _failure(opened: Opened, method: Method, *how: Any) -> SourceError | None:
    try:
        await _write(opened, method, *how)
    except SourceError as error:
        return error
    return None


async def _seen(opened: Opened, method: Method, at: Any, scope: Scope | None = None) -> list[str]:
    scope = opened.world.facts.scope if scope is None else scope
    return await SIGHTS[method.name].ids(_source(opened), scope, at)


def _id(answer: Any) -> str:
    found: str = getattr(answer, "id", answer)
    return found


def _with(new: Any, name: str, text: str) -> Any:
    value: Any = (CaseDetail("site", text),) if name == "details" else text
    return dataclasses.replace(new, **{name: value})


def _said(new: Any, text: str) -> Any:
    """The same with all its texts changed."""
    names = {field.name for field in dataclasses.fields(new)}
    texts = names & {"subject", "description", "body", "filename"}
    return dataclasses.replace(new, **dict.fromkeys(texts, text))


def _text(new: Any, name: str) -> str:
    value = getattr(new, name)
    return value if isinstance(value, str) else str(value[0].value)
