"""Operations by plan give the answers that graphql-core gives: data, errors, and the order of
both, for schemas, documents, variables and resolvers that chance put together.

Where resolvers take their time, graphql-core tells errors in the order in which they happen to come
in, and may leave some out. The plan's are then those that graphql-core tells when every resolver
brings the same at once: one order, for every run. The data must be equal to both.
"""

from __future__ import annotations

import gc
import inspect
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import anyio
import pytest
from graphql import ExecutionResult, execute, parse, specified_rules, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.operations.compiled.plans import Plans
from tests.gateway.operations.generated.documents import Document
from tests.gateway.operations.generated.outcomes import Surroundings
from tests.gateway.operations.generated.schemas import Generated

#: Schemas, documents of each, and runs of each document.
SCHEMAS, DOCUMENTS, RUNS = 350, 8, 5


def told(result: ExecutionResult) -> str:
    """Data and errors as text: JSON keeps the order of keys."""
    return json.dumps([result.data, [error.formatted for error in result.errors or ()]])


class Case:
    """One document on one schema, run for equal surroundings each time it is asked."""

    def __init__(self, generated: Generated, plans: Plans, seed: str, width: int) -> None:
        self.generated, self.plans = generated, plans
        self.document = Document(generated.schema, seed, width)
        self.parsed = parse(self.document.text)

    def around(self, run: int, waits: bool) -> Surroundings:
        return Surroundings(run, waits, trouble=(0, 3, 6, 6, 12)[run % 5])

    async def interpreted(self, around: Surroundings, values: dict[str, Any]) -> ExecutionResult:
        result = execute(
            self.generated.schema, self.parsed, context_value=around, variable_values=values
        )
        return await result if inspect.isawaitable(result) else result

    async def compiled(self, around: Surroundings, values: dict[str, Any]) -> ExecutionResult:
        return await self.plans.plan(self.parsed, None).run(around, values)

    async def check(self, run: int) -> None:
        values = self.document.values(f"{run}")
        at_once, later = self.around(run, False), self.around(run, run % 3 > 0)
        right = told(await self.interpreted(at_once, values))
        ours = told(await self.compiled(later, values))
        said = f"{self.document.text}\n{values}\n"
        assert ours == right, f"{said}ours:  {ours}\nright: {right}"
        if self.document.mutates:
            assert later.root_calls == at_once.root_calls, said
        if later.waits and run == 1:
            raced = await self.interpreted(replace(later, objects=True), values)
            assert json.dumps(raced.data) == json.dumps(json.loads(ours)[0]), said


# graphql-core leaves coroutines of its own behind when an error overtakes them.
@pytest.mark.filterwarnings("ignore:coroutine 'Executor:RuntimeWarning")
def test_plans_answer_as_graphql_core_does() -> None:
    seen: Counter[str] = Counter()

    async def all_of(seed: int, width: int) -> None:
        generated = Generated(seed)
        plans = Plans(generated.schema)
        for place in range(DOCUMENTS):
            case = Case(generated, plans, f"{seed} {place}", width)
            if place == 0:
                wrong = validate(generated.schema, case.parsed, specified_rules)
                assert not wrong, f"{case.document.text}: {wrong}"
            for run in range(RUNS):
                await case.check(run)
                seen["mutation" if case.document.mutates else "query"] += 1

    @settings(max_examples=SCHEMAS)
    @given(seed=st.integers(0, 2**40), width=st.integers(1, 6))
    def explored(seed: int, width: int) -> None:
        anyio.run(all_of, seed, width)
        gc.collect()  # what was left un-awaited is told now, and fails this test

    # Collected in the middle of things, it would be told where no filter of warnings holds.
    gc.freeze()
    gc.disable()
    try:
        explored()
    finally:
        gc.enable()
        gc.unfreeze()
    assert seen.total() >= SCHEMAS * DOCUMENTS * RUNS
