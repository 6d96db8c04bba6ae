"""What is remembered is bounded, and gone when something changed."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

import pytest

from connectors.port.pages import Page, Slice
from connectors.port.records import Author, Case, CaseStatus, Contact, Money, Order
from connectors.port.scope import AccountRef, Scope
from gateway.sources import versions
from gateway.sources.freshness import Kind
from gateway.sources.memory import Entry, Memory, weigh
from gateway.sources.versions import EVERYBODY, Versions, subjects

OWNER = AccountRef("a")


def entry(value: object, known: int = 0) -> Entry:
    return Entry(value, 0.0, known)


def test_the_least_recently_used_goes_first() -> None:
    memory = Memory(2, 100_000)
    for name in "ab":
        memory.put(name, entry(name))
    assert memory.get("a", 0)
    memory.put("c", entry("c"))
    assert [memory.get(name, 0) is not None for name in "abc"] == [True, False, True]


def test_the_size_is_bounded_and_one_answer_takes_a_part_of_it_at_most() -> None:
    memory = Memory(10_000, 80_000)
    for number in range(1_000):
        memory.put(number, entry("x" * 1_000))
    assert 0 < memory.size <= 80_000
    assert len(memory) > 10
    before = len(memory)
    memory.put("large", entry("x" * 20_000))
    assert memory.get("large", 0) is None
    assert len(memory) == before
    memory.clear()
    assert (len(memory), memory.size) == (0, 0)


def test_replacing_does_not_make_it_grow() -> None:
    memory = Memory(10, 100_000)
    for _ in range(100):
        memory.put("a", entry("x" * 1_000))
    assert len(memory) == 1
    assert memory.size < 2_000


def test_another_version_is_no_answer() -> None:
    memory = Memory(10, 100_000)
    memory.put("a", entry("old", 1))
    assert memory.get("a", 2) is None
    assert len(memory) == 0


def test_weights_grow_with_texts_and_records() -> None:
    one, two = Case("1", OWNER, subject="x"), Case("1", OWNER, subject="x" * 5_000)
    assert weigh(two) - weigh(one) == 4_999
    assert weigh(Page([one, one])) > 2 * weigh(one)


def slowly(value: Any) -> int:
    """What `weigh` says, by its definition."""
    if isinstance(value, str | bytes):
        return 64 + len(value)
    if isinstance(value, list | tuple):
        return 64 + sum(map(slowly, value))
    if isinstance(value, dict):
        return 64 + sum(map(slowly, value.values()))
    if isinstance(value, AccountRef) or not is_dataclass(value):
        return 64
    return 64 + sum(slowly(getattr(value, field.name)) for field in fields(value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "señal",
        b"x" * 70,
        [],
        {"a": ["b", {"c": (1, 2.5, "d")}], "e": None},
        CaseStatus.CLOSED,
        Slice(3),
        Page([Case("1", OWNER, subject="x", status=CaseStatus.NEW, contact=Contact("2", OWNER))]),
        [Order("1", OWNER, total=Money(Decimal(1), "COP")), None, Author("x", True)],
    ],
)
def test_weights_are_those_of_the_definition(value: Any) -> None:
    assert weigh(value) == slowly(value)


def test_a_change_shows_in_what_rests_on_it_alone() -> None:
    known = Versions()
    mine = subjects(Kind.CASES, Scope([AccountRef("a"), AccountRef("b")]))
    theirs = subjects(Kind.CASES, Scope([AccountRef("c")]))
    orders = subjects(Kind.ORDERS, Scope([AccountRef("a")]))
    before = [known.of(one) for one in (mine, theirs, orders)]
    known.change((Kind.CASES, "b"))
    after = [known.of(one) for one in (mine, theirs, orders)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True, True]
    known.change((Kind.CASES, EVERYBODY))
    assert known.of(theirs) != after[1]
    assert known.of(orders) == after[2]
    known.change_all()
    assert known.of(orders) != after[2]


def test_changes_that_are_forgotten_are_not_taken_for_none() -> None:
    known = Versions()
    mine = subjects(Kind.CASES, Scope([AccountRef("a")]))
    before = known.of(mine)
    known.change((Kind.CASES, "a"))
    for number in range(versions._MOST + 1):
        known.change((Kind.CASES, str(number)))
    assert known.of(mine) != before
