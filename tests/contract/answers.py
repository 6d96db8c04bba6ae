"""Rules about answers: what a connector says of a system that works, and what it asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any

from connectors.port.errors import Unreadable
from connectors.port.fields import NOT_FETCHED, Fields
from connectors.port.pages import Page, Slice
from connectors.port.records import Contact
from connectors.port.scope import AccountRef, Scope
from tests.contract import wires
from tests.contract.methods import (
    Many,
    Method,
    Paged,
    Read,
    Streamed,
    is_hole,
    optional,
    place,
    records,
)
from tests.contract.world import Opened, World

#: Keys that no system has, whatever its ids look like.
MALFORMED = (
    *("", " ", "0", "-1", "x", "'", '"', "%", "a,b", "a b", "../x", "null", "é", "１", "٣"),
    *("\n", "\0", "\ud800", "9" * 30, "x" * 5000),
)

#: Bytes of an address that servers and proxies take.
LONGEST_ADDRESS = 16_384


async def answers_in_key_order(world: World, method: Method) -> None:
    """Many keys at once bring, each in its place, what each key brings alone; a key that is twice
    in the question is twice in the answer; unknown, malformed and foreign keys are holes."""
    example, facts = _many(method), world.facts
    known = list(facts.own[example.kind][:3])
    nothing = [facts.unknown(example.kind, 1), *facts.foreign[example.kind][:2], *_odd(example)]
    async with world.open() as opened:
        alone = [(await opened.ask(method, [key]))[0] for key in known]
        assert not any(map(is_hole, alone)), "the world's own keys bring nothing"
        if example.named_by:
            named = [getattr(record, example.named_by) for record in alone]
            assert named == known
        keys = [*known[::-1], *nothing, *known, known[0]]
        answers = await opened.ask(method, keys)
        assert len(answers) == len(keys)
        assert answers[: len(known)] == alone[::-1]
        assert answers[-len(known) - 1 :] == [*alone, alone[0]]
        holes = answers[len(known) : len(known) + len(nothing)]
        assert all(map(is_hole, holes)), [k for k, h in zip(nothing, holes, strict=True) if h]
        assert await opened.ask(method, []) == []
        none = await opened.ask(method, nothing)
        assert all(map(is_hole, none))


async def asks_once(world: World, method: Method) -> None:
    """Sixty keys, or a page, take the documented number of calls."""
    documented = world.calls.get(method.name, 1)
    async with world.open() as opened:
        await opened.ask(method)  # what is learnt once and kept, is learnt here
        opened.wire.forget()
        keys = _enough(world, method, 60) if method.keyed else None
        await opened.ask(method, keys)
        assert opened.count <= documented, [str(one.url)[:200] for one in opened.wire.requests]


async def splits_what_is_too_long(world: World, method: Method) -> None:
    """Nine hundred keys are as many questions as the system needs, and one answer in order."""
    example = _many(method)
    keys = _enough(world, method, 900)
    own = list(world.facts.own[example.kind][:3])
    keys[450], keys[899] = own[-1], own[0]
    async with world.open() as opened:
        expected = await opened.ask(method, own)
        opened.wire.forget()
        answers = await opened.ask(method, keys)
        assert len(answers) == 900
        assert [answers[0], answers[450], answers[899]] == [expected[i] for i in (0, -1, 0)]
        _check_lengths(opened)


async def takes_a_large_scope(world: World, method: Method) -> None:
    """Somebody who acts for four hundred accounts gets the same answers."""
    facts = world.facts
    more = (facts.unknown("account_ref", number) for number in range(400))
    large = Scope([*facts.scope, *more])
    async with world.open() as opened:
        expected = await opened.ask(method)
        opened.wire.forget()
        found = await opened.ask(method, scope=large)
        assert found == expected
        _check_lengths(opened)


async def fetches_what_is_asked(world: World, method: Method) -> None:
    """Each attribute is there when it is asked for, and only then; a question for one attribute is
    smaller than a question for all, and so is its answer."""
    attributes = optional(method.record)
    given = world.given.get(method.name, world.given.get(method.record.__name__, frozenset()))
    ordered = {_ordered_by(method)} if method.paged else set()
    async with world.open() as opened:
        await opened.ask(method)
        opened.wire.forget()
        full = await opened.ask(method)
        all_asked, all_answered = _weight(opened)
        assert not is_hole(full)
        _check_attributes(full, method, frozenset(attributes), given | ordered)
        weights = []
        for name in attributes:
            opened.wire.forget()
            found = await opened.ask(method, fields=frozenset({name}))
            weights.append(_weight(opened))
            _check_attributes(found, method, frozenset({name}), given | ordered)
        found = await opened.ask(method, fields=frozenset())
        _check_attributes(found, method, frozenset(), given | ordered)
        assert _ids(found, method) == _ids(full, method)
    assert min(asked for asked, _ in weights) < all_asked
    assert min(answered for _, answered in weights) < all_answered


async def keeps_to_the_scope(world: World, method: Method) -> None:
    """Every record belongs to an account of the scope, embedded ones too; an empty scope brings
    nothing and asks nobody."""
    facts = world.facts
    totals: dict[str, Any] = {"with_total": True} if _counts(method) else {}
    keys = list(facts.own[_many(method).kind][-60:]) if method.keyed else None
    owners: dict[Any, Any] = {}
    async with world.open() as opened:
        for scope in (*(Scope([account]) for account in facts.scope), facts.scope):
            found = await opened.ask(method, keys, scope=scope, **totals)
            for record in (one for one in records(found) if hasattr(one, "owner")):
                assert record.owner in scope
                # People may act for several accounts, and a file's bytes have no id.
                if not isinstance(record, Contact | Read):
                    named = (type(record), record.id)
                    assert owners.setdefault(named, record.owner) == record.owner
    async with world.open() as opened:
        found = await opened.ask(method, scope=Scope(), **totals)
        assert all(map(is_hole, found)) if method.keyed else is_hole(found)
        if totals:
            assert found.total == 0
        assert opened.wire.requests == opened.wire.logins == []


async def hides_what_is_foreign(world: World, method: Method) -> None:
    """Keys and filters of somebody else's records bring nothing in the asker's scope; they do bring
    something in that somebody's."""
    facts, example = world.facts, method.example
    async with world.open() as opened:
        if isinstance(example, Paged):
            filters = facts.filters.get(method.name, ())
            assert filters, f"the world names no filters of {method.name}"
            for one in filters:
                assert not is_hole(await opened.ask(method, **one.own)), one
                assert is_hole(await opened.ask(method, **one.foreign)), one
                others = await opened.ask(method, scope=facts.others, **one.foreign)
                assert not is_hole(others), one
                assert is_hole(await opened.ask(method, scope=facts.others, **one.own)), one
            return
        foreign = list(facts.foreign[example.kind][:3])
        assert foreign, f"the world knows no foreign {example.kind}"
        if isinstance(example, Streamed):
            assert is_hole(await opened.ask(method, foreign))
            assert not is_hole(await opened.ask(method, foreign, scope=facts.others))
            assert is_hole(await opened.ask(method, scope=facts.others))
            return
        assert all(map(is_hole, await opened.ask(method, foreign)))
        assert not any(map(is_hole, await opened.ask(method, foreign, scope=facts.others)))
        own = await opened.ask(method, scope=facts.others)
        assert all(map(is_hole, own))


async def drops_foreign_rows(world: World, method: Method) -> None:
    """A system that answers what is somebody else's, whatever it was asked, is not believed. Here
    it hears the accounts of somebody else wherever a question says the asker's."""
    facts, example = world.facts, method.example
    words: dict[str, str] = {}
    for own, other in zip(facts.scope, facts.others, strict=False):
        words |= {own.id: other.id, str(own.number): str(other.number)}
    keys: Sequence[Any] = ()
    if isinstance(example, Many | Streamed):
        of_accounts = example.kind in ("account", "account_ref")
        keys = (facts.own if of_accounts else facts.foreign)[example.kind][:60]
    async with world.open(lambda inner: wires.Swapping(inner, words, world.swap)) as opened:
        found: Any
        if method.streamed:
            found = [await opened.ask(method, [key]) for key in keys[:20]]
        else:
            found = await opened.ask(method, keys)
        assert all(map(is_hole, found)) if isinstance(found, list) else is_hole(found)
        heard = b" ".join(exchange.body for exchange in opened.wire.exchanges)
        others = {word for account in facts.others for word in (account.id, str(account.number))}
        assert any(word.encode() in heard for word in others), "nothing foreign was answered"


async def survives_unknown_fields(world: World, method: Method) -> None:
    """A release that answers more than is documented changes nothing."""
    async with world.open() as opened:
        expected = await opened.ask(method)
    async with world.open(lambda inner: wires.Bending(inner, wires.with_more)) as opened:
        assert await opened.ask(method) == expected
        assert opened.count > 0


async def names_missing_fields(world: World, method: Method) -> None:
    """An answer that lacks a field, or holds something else in it, is an answer all the same or is
    Unreadable; it is never another error, and there is a field that cannot be missed."""
    few: dict[str, Any] = {"part": Slice(2)} if method.paged else {"keys": _one(world, method)}
    async with world.open() as opened:
        await opened.ask(method, **few)
        seen = list(opened.wire.exchanges)
    keys = set[str]()
    for exchange in seen:
        wires.bent(exchange.headers, exchange.body, lambda d: keys.update(wires.keys_of(d)))
    assert keys
    unreadable = 0
    others: tuple[Any, ...] = (None, 7, "x", [None], {})
    bends = [wires.without(key) for key in sorted(keys)]
    bends += [wires.with_other(key, other) for key in sorted(keys) for other in others]
    replay = wires.Replaying(seen)
    async with world.open(lambda inner: wires.PastLogin(inner, replay, world.is_login)) as opened:
        for bend in bends:
            replay.change(bend)
            error = await opened.failure(method, **few)
            assert error is None or isinstance(error, Unreadable) or replay.strayed, repr(error)
            unreadable += isinstance(error, Unreadable)
    assert unreadable


async def pages_meet_everything_once(world: World, method: Method) -> None:
    """Walking a list forward or backward, in steps of any size, meets the same records in the same
    order, each once; has_next and has_previous say where it ends; the total is the whole list's,
    and told only when it is asked for."""
    async with world.open() as opened:
        for order in _orders(method):
            whole_list = await _walk(opened, method, order, 100)
            assert len(whole_list) >= 3
            ids = [item.id for item in whole_list]
            assert len(set(ids)) == len(ids)
            _check_order(whole_list, _ordered_by(method, order), order.get("descending", True))
            await _check_window(opened, method, order, whole_list)
            await _check_total(opened, method, order, whole_list)


async def pages_of_each_key(world: World, method: Method) -> None:
    """Each key's page is cut by itself, and walks on from its own last item."""
    example = _many(method)
    keys = list(world.facts.own[example.kind][:3])
    async with world.open() as opened:
        complete = await opened.ask(method, keys)
        assert all(isinstance(page, Page) and not page.has_next for page in complete)
        assert max(len(page.items) for page in complete) > 1, "no key of the world has two records"
        first = await opened.ask(method, keys, part=Slice(1))
        for key, page, rest in zip(keys, first, complete, strict=True):
            assert list(page.items) == list(rest.items[:1])
            assert page.has_next == (len(rest.items) > 1)
            mark = place(page.items[0], "created_at")
            (after,) = await opened.ask(method, [key], part=Slice(100, after=mark))
            assert list(after.items) == list(rest.items[1:])
            (last,) = await opened.ask(method, [key], part=Slice(1, backward=True))
            assert list(last.items) == list(rest.items[-1:])
            assert last.has_previous == (len(rest.items) > 1)


async def streams_from_anywhere(world: World, method: Method) -> None:
    """A file comes whole, or from any byte on, and says how large the whole is; none is read for
    nothing."""
    async with world.open() as opened:
        whole = await opened.ask(method)
        assert whole.size == len(whole.data) > 3
        for first in (1, whole.size // 2, whole.size - 1):
            rest = await opened.ask(method, first=first)
            assert (rest.size, rest.data) == (whole.size, whole.data[first:])
        for first in (whole.size, whole.size + 7):
            assert await opened.ask(method, first=first) == Read(whole.owner, whole.size, b"")
        for key in (world.facts.unknown(method.example.kind, 1), *MALFORMED):  # type: ignore[union-attr]
            assert await opened.ask(method, [key]) is None


async def check_answers(world: World) -> None:
    """`check` says nothing when the system is well."""
    async with world.open() as opened:
        await opened.system.check()
        assert opened.count > 0


# ------------------------------------------------------------------------------------------ pieces


def _many(method: Method) -> Many:
    assert isinstance(method.example, Many)
    return method.example


def _one(world: World, method: Method) -> list[Any] | None:
    return list(world.facts.own[_many(method).kind][:1]) if method.keyed else None


def _odd(example: Many) -> Sequence[Any]:
    """Malformed keys in the form that the method takes."""
    if example.kind == "account_ref":
        return [AccountRef(one, one, "CO") for one in MALFORMED if one] + [AccountRef("x")]
    return MALFORMED


def _enough(world: World, method: Method, count: int) -> list[Any]:
    """So many different keys: own ones first, then unknown ones."""
    kind = _many(method).kind
    own = list(world.facts.own[kind])[:count]
    return own + [world.facts.unknown(kind, number) for number in range(count - len(own))]


def _check_lengths(opened: Opened) -> None:
    for request in opened.wire.requests:
        assert len(request.url.raw_path) <= LONGEST_ADDRESS


def _weight(opened: Opened) -> tuple[int, int]:
    """Bytes of the questions and of the answers."""
    asked = sum(len(one.url.raw_path) + len(one.content) for one in opened.wire.requests)
    return asked, sum(len(one.body) for one in opened.wire.exchanges)


def _check_attributes(found: Any, method: Method, wanted: Fields, given: Iterable[str]) -> None:
    attributes = optional(method.record)
    for record in records(found):
        if type(record) is not method.record:
            continue
        for name, embeds in attributes.items():
            there = getattr(record, name) is not NOT_FETCHED
            if name in wanted:
                assert there or embeds is not None, f"{name} was asked for and is not there"
            elif name not in given:
                assert not there, f"{name} was not asked for and is there"


def _ids(found: Any, method: Method) -> list[Any]:
    own = (record for record in records(found) if type(record) is method.record)
    return [getattr(record, "id", None) for record in own]


def _counts(method: Method) -> bool:
    example = method.example
    return isinstance(example, Paged) and "with_total" in example.query.__dataclass_fields__


def _orders(method: Method) -> list[dict[str, Any]]:
    """Every way in which the list can be ordered."""
    assert isinstance(method.example, Paged)
    sort = method.example.query.__dataclass_fields__.get("sort")
    if sort is None:
        return [{}]
    sorts: type[StrEnum] = type(sort.default)
    return [{"sort": one, "descending": falls} for one in sorts for falls in (True, False)]


def _ordered_by(method: Method, order: dict[str, Any] | None = None) -> str:
    assert isinstance(method.example, Paged)
    if method.example.ordered_by:
        return method.example.ordered_by
    chosen = (order or {}).get("sort") or method.example.query.__dataclass_fields__["sort"].default
    return str(chosen.value)


async def _walk(
    opened: Opened, method: Method, order: dict[str, Any], step: int, within: Slice | None = None
) -> list[Any]:
    """All items of the list within bounds, in list order, page by page in the bounds' direction."""
    part = replace(within or Slice(step), limit=step)
    by = _ordered_by(method, order)
    found: list[Any] = []
    wanted: dict[str, Any] = {"fields": frozenset({by})} if method.selects else {}
    for turn in range(200):
        page = await opened.ask(method, part=part, **wanted, **order)
        items = list(page.items)
        assert len(items) <= step
        assert page.total is None
        found = items + found if part.backward else found + items
        # Towards where we came from, a bound says that there is something.
        assert (page.has_next if part.backward else page.has_previous) == (
            (part.before if part.backward else part.after) is not None
        )
        if not (page.has_previous if part.backward else page.has_next):
            return found
        assert len(items) == step, f"page {turn} is not full and says that there is more"
        if part.backward:
            part = replace(part, before=place(items[0], by))
        else:
            part = replace(part, after=place(items[-1], by))
    raise AssertionError("the list does not end")


async def _check_window(
    opened: Opened, method: Method, order: dict[str, Any], ordered: Sequence[Any]
) -> None:
    """Between two places of the list, both exclusive, in small steps from either side."""
    by = _ordered_by(method, order)
    first, last = _window(ordered, by)
    bounds = Slice(100, after=place(ordered[first], by), before=place(ordered[last], by))
    expected = [item.id for item in ordered[first + 1 : last]]
    sizes = (len(expected) or 1, 3, 4)
    for backward in (False, True):
        for size in sizes:
            part = replace(bounds, backward=backward)
            found = await _walk(opened, method, order, size, part)
            assert [item.id for item in found] == expected, (size, backward)
    ends = await _walk(opened, method, order, 100, Slice(100, backward=True))
    assert [item.id for item in ends] == [item.id for item in ordered]


def _window(ordered: Sequence[Any], by: str) -> tuple[int, int]:
    """About ten items, around neighbours that are equal where the list has some."""
    values = [getattr(item, by) for item in ordered]
    tie = next((i for i, (one, other) in enumerate(pairwise(values)) if one == other), 0)
    first = max(0, tie - 4)
    # The bound itself lies between two equals.
    return (tie or first), min(len(ordered) - 1, first + 12)


def _check_order(ordered: Sequence[Any], by: str, descending: bool) -> None:
    values = [getattr(item, by) for item in ordered]
    if by in ("position", "name"):
        descending = False
    if all(isinstance(value, date | int) for value in values):  # texts have the system's own order
        assert values == sorted(values, reverse=descending)


async def _check_total(
    opened: Opened, method: Method, order: dict[str, Any], ordered: Sequence[Any]
) -> None:
    expected = opened.world.facts.totals.get(method.name)
    assert expected in (None, len(ordered))
    if not _counts(method):
        return
    assert expected is not None, f"the world does not say how many {method.name} finds"
    by = _ordered_by(method, order)
    wanted: dict[str, Any] = {"fields": frozenset({by}), "with_total": True, **order}
    middle = place(ordered[len(ordered) // 2], by)
    parts = (Slice(2), Slice(2, after=middle), Slice(2, before=middle, backward=True))
    for part in parts:
        assert (await opened.ask(method, part=part, **wanted)).total == expected


async def many_at_once(world: World, method: Method) -> None:
    """Questions that are asked in one breath get each its own answer."""
    async with world.open() as opened:
        alone = await opened.ask(method)
        answers = await asyncio.gather(*(opened.ask(method) for _ in range(5)))
        assert answers == [alone] * 5
