"""What is asked in one tick travels together, and everyone gets their own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.batching import Tick, by_size, in_groups

pytestmark = pytest.mark.anyio


class Squares:
    """Answers numbers by their squares, refuses zero, and breaks on negative ones."""

    def __init__(self, limit: int = 10) -> None:
        self.sent: list[list[int]] = []
        self.tick: Tick[int, int] = Tick(self._send, limit)

    async def _send(self, questions: Sequence[int]) -> list[int | Exception]:
        self.sent.append(list(questions))
        if min(questions) < 0:
            raise RuntimeError("broken")
        return [ValueError("zero") if q == 0 else q * q for q in questions]


async def test_one_tick_is_one_journey() -> None:
    squares = Squares()
    assert await asyncio.gather(*map(squares.tick.put, [1, 2, 3, 2])) == [1, 4, 9, 4]
    assert squares.sent == [[1, 2, 3]]
    assert await squares.tick.put(4) == 16
    assert squares.sent == [[1, 2, 3], [4]]


async def test_more_than_fit_travel_in_several_groups() -> None:
    squares = Squares(limit=2)
    assert await asyncio.gather(*map(squares.tick.put, [1, 2, 3, 4, 5])) == [1, 4, 9, 16, 25]
    assert squares.sent == [[1, 2], [3, 4], [5]]


async def test_as_many_as_fit_leave_at_once_and_who_asks_the_same_still_joins_them() -> None:
    squares = Squares(limit=2)
    first = [squares.tick.put(question) for question in (1, 2, 3)]
    late = asyncio.gather(asyncio.sleep(0), squares.tick.put(2), squares.tick.put(3))
    await asyncio.sleep(0)
    assert squares.sent == [[1, 2]]
    assert await asyncio.gather(*first) == [1, 4, 9]
    assert list(await late)[1:] == [4, 9]
    assert squares.sent == [[1, 2], [3]]


async def test_who_asks_in_the_same_tick_what_was_answered_in_it_asks_anew() -> None:
    squares = Squares(limit=1)
    assert await squares.tick.put(3) == 9
    assert await squares.tick.put(3) == 9
    assert squares.sent == [[3], [3]]


async def test_an_error_belongs_to_its_own_question() -> None:
    squares = Squares()
    found = await asyncio.gather(*map(squares.tick.put, [1, 0, 2]), return_exceptions=True)
    assert found[0] == 1
    assert isinstance(found[1], ValueError)
    assert found[2] == 4


async def test_a_broken_journey_is_everybodys_error() -> None:
    squares = Squares()
    found = await asyncio.gather(*map(squares.tick.put, [1, -1]), return_exceptions=True)
    assert [str(error) for error in found] == ["broken", "broken"]


async def test_one_who_leaves_does_not_take_the_others_answers() -> None:
    squares = Squares()
    leaving = squares.tick.put(3)
    staying = squares.tick.put(3)
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 9


async def test_answers_that_are_too_few_are_nobodys() -> None:
    async def short(questions: Sequence[int]) -> list[int | Exception]:
        return [0]

    tick: Tick[int, int] = Tick(short, 10)
    found = await asyncio.gather(*map(tick.put, [1, 2]), return_exceptions=True)
    assert [str(error) for error in found] == ["1 answers to 2 questions"] * 2


@given(st.lists(st.integers()), st.integers(1, 7))
def test_groups_keep_order_and_limit(items: list[int], limit: int) -> None:
    groups = list(in_groups(items, limit))
    assert [item for group in groups for item in group] == items
    assert all(0 < len(group) <= limit for group in groups)
    assert all(len(group) == limit for group in groups[:-1])


@given(st.lists(st.text(max_size=12)), st.integers(1, 30), st.integers(1, 5))
def test_sizes_add_up_to_no_more_than_allowed(items: list[str], size: int, limit: int) -> None:
    groups = list(by_size(items, len, size, limit))
    assert [item for group in groups for item in group] == items
    for group in groups:
        assert 0 < len(group) <= limit
        assert len(group) == 1 or sum(map(len, group)) <= size
