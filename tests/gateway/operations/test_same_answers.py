"""Operations by plan give the answers that graphql-core gives: data, errors, and the order of
both, for schemas, documents, variables and resolvers that chance put together."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.operations.compiled import objects
from tests.gateway.operations.generated.comparing import (
    DOCUMENTS,
    ROOM_RUNS,
    RUNS,
    compare_loaders,
    compare_plain,
    compare_rooms,
)

#: Schemas of graphql-core's and of Strawberry's, which make 20,000 cases; and of those, again, with
#: batched fields as graphql-core runs them.
PLAIN, ROOMS, LOADERS = 350, 110, 15


def explored(schemas: int, compare: Callable[[int, int], Awaitable[int]]) -> int:
    """Compares for many seeds and widths of documents. How many runs were compared."""
    seen = 0

    @settings(max_examples=schemas)
    @given(seed=st.integers(0, 2**40), width=st.integers(1, 6))
    def one(seed: int, width: int) -> None:
        nonlocal seen
        seen += anyio.run(compare, seed, width)
        gc.collect()  # what was left un-awaited is told now, and fails this test

    # Collected in the middle of things, it would be told where no filter of warnings holds.
    gc.freeze()
    gc.disable()
    try:
        one()
    finally:
        gc.enable()
        gc.unfreeze()
    return seen


# graphql-core leaves coroutines of its own behind when an error overtakes them.
@pytest.mark.filterwarnings(
    "ignore:coroutine '(Executor|default_type_resolver.<locals>.get_type):RuntimeWarning"
)
def test_plans_answer_as_graphql_core_does() -> None:
    assert explored(PLAIN, compare_plain) >= PLAIN * DOCUMENTS * RUNS


def test_plans_of_strawberry_schemas_answer_as_graphql_core_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(objects, "COLD_RUNS", 0)  # the code that reads records, from the first run
    assert explored(ROOMS, compare_rooms) >= ROOMS * DOCUMENTS * ROOM_RUNS


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
def test_plans_answer_as_graphql_core_does_with_loaders() -> None:
    assert explored(LOADERS, compare_loaders) >= LOADERS * DOCUMENTS * ROOM_RUNS


def test_there_are_enough_cases() -> None:
    assert PLAIN * DOCUMENTS * RUNS + ROOMS * DOCUMENTS * ROOM_RUNS >= 20_000
