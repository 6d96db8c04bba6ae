"""Plans around their runs: how many are kept, what is left to graphql-core, what stays of a caller,
and what becomes of work when a run is broken off."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse

from gateway import telemetry
from gateway.operations.compiled import plans as plans_module
from gateway.operations.compiled.execution import Execution
from gateway.operations.compiled.plans import Plans
from gateway.operations.compiled.refusals import NotCompiled
from gateway.operations.requests import Request
from gateway.operations.run import Operations, Ready
from schema.context import Context
from schema.root import SCHEMA
from tests.worlds.running import catalogue, desks
from tests.worlds.world import NOW

pytestmark = pytest.mark.anyio

NOTHING: Any = None


def _context() -> Context:
    return Context(NOTHING, catalogue(), desks(), lambda: NOW)


@pytest.fixture(autouse=True)
def counted() -> Iterator[None]:
    telemetry.executions.clear()
    yield
    telemetry.executions.clear()


async def _ran(operations: Operations, document: str, **variables: Any) -> Any:
    ready = operations.prepare(Request(document, variables=variables))
    assert isinstance(ready, Ready), ready
    outcome = await operations.run(ready, _context())
    assert "errors" not in outcome.body, outcome.body
    return outcome.body["data"]


@pytest.mark.parametrize(
    ("document", "variables", "how"),
    [
        ("{ caseCategories { code } }", {}, "compiled"),
        (
            "query ($x: Boolean!) { caseCategories { code @skip(if: $x) kind } }",
            {"x": 1 > 0},
            "compiled",
        ),
        ("{ __schema { queryType { name } } }", {}, "introspection"),
        ('{ ...F } fragment F on Query { __type(name: "Case") { name } }', {}, "introspection"),
        ("{ __typename }", {}, "compiled"),
    ],
)
async def test_operators_see_how_operations_are_run(
    document: str, variables: dict[str, Any], how: str
) -> None:
    assert await _ran(Operations(SCHEMA._schema), document, **variables)
    assert telemetry.executions == {how: 1}


async def test_plans_can_be_turned_off() -> None:
    document = "{ caseCategories { code kind form { name label } } }"
    compiled = await _ran(Operations(SCHEMA._schema), document)
    assert await _ran(Operations(SCHEMA._schema, compiled=False), document) == compiled
    assert telemetry.executions == {"compiled": 1, "off": 1}


async def test_a_condition_without_a_value_is_left_to_graphql_core() -> None:
    schema = build_schema("type Query { a: Int }")
    document = parse("query ($x: Boolean = true) { a @skip(if: $x) }")
    plan = Plans(schema).plan(document, None)
    assert (await plan.run(None, {})).data == {}
    assert (await plan.run(None, {"x": False})).data == {"a": None}
    with pytest.raises(NotCompiled, match="condition"):
        await plan.run(None, {"x": None})


@pytest.mark.parametrize(
    "directive", ["@defer", "@stream", "@experimental_disableErrorPropagation"]
)
def test_directives_that_change_how_an_operation_runs_are_left_alone(directive: str) -> None:
    document = parse(
        f"query {directive if 'exp' in directive else ''} {{ ... {directive} {{ a }} }}"
    )
    with pytest.raises(NotCompiled, match="directive"):
        Plans(build_schema("type Query { a: Int }")).plan(document, None)


def test_only_the_most_recent_plans_are_kept() -> None:
    plans = Plans(build_schema("type Query { a: Int }"))
    documents = [parse(f"query Q{n} {{ a }}") for n in range(plans_module._MOST + 50)]
    first = plans.plan(documents[0], None)
    for document in documents:
        plans.plan(document, None)
        assert plans.plan(documents[0], None) is first  # it is used again and again
    assert len(plans._known) == len(plans._documents) == plans_module._MOST


async def test_only_the_most_recent_choices_of_conditions_are_kept() -> None:
    names = [f"b{n}" for n in range(6)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: a @include(if: ${name})" for name in names)
    plan = Plans(build_schema("type Query { a: Int }")).plan(
        parse(f"query ({declared}) {{ {fields} }}"), None
    )
    for choice in range(2 ** len(names)):
        values = {name: bool(choice >> n & 1) for n, name in enumerate(names)}
        data = (await plan.run(None, values)).data
        assert data == {name: None for name in names if values[name]}
    assert len(plan._variants) == plans_module._MOST_VARIANTS


class _Secret(str):
    """A caller's value whose every copy can be found."""

    __slots__ = ()


async def test_a_plan_keeps_nothing_of_a_caller() -> None:
    schema = _slow_schema()
    plan = Plans(schema).plan(
        parse("query ($v: String, $x: Boolean!) { echo(v: $v) @include(if: $x) }"), None
    )
    result = await plan.run({"who": _Secret("ana")}, {"v": _Secret("ana"), "x": True})
    assert result.data == {"echo": "ana"}
    del result
    gc.collect()
    left = [one for one in gc.get_objects() if isinstance(one, _Secret)]
    held = list(gc.get_referrers(*left)) if left else []
    assert not held


async def test_a_run_goes_when_it_ends() -> None:
    """In no circle that would wait for a search for garbage, with all that it holds."""
    plan = Plans(_slow_schema()).plan(parse('{ echo(v: "x") a: wait(name: "a") }'), None)
    gates = Gates()
    gates.open.set()
    gc.disable()
    try:
        assert (await plan.run(gates, {})).data == {"echo": "x", "a": "a"}
        assert not [one for one in gc.get_objects() if isinstance(one, Execution)]
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------- broken off


class Gates:
    """Resolvers that wait until they are let through, and tell how they ended."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.ended: list[str] = []

    async def wait(self, name: str) -> str:
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.ended.append(f"{name} cancelled")
            raise
        self.ended.append(name)
        return name


def _slow_schema() -> GraphQLSchema:
    schema = build_schema("type Query { wait(name: String): String echo(v: String): String }")
    assert schema.query_type is not None
    fields = schema.query_type.fields
    fields["wait"].resolve = lambda _, info, name="": info.context.wait(name)
    fields["echo"].resolve = lambda _, info, v="": str(v)
    return schema


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
async def test_a_run_that_is_broken_off_leaves_nothing_behind(turns: int) -> None:
    """Warnings are errors: a coroutine that was never awaited would fail this test."""
    gates = Gates()
    document = parse('{ a: wait(name: "a") b: wait(name: "b") c: wait(name: "c") }')
    before = asyncio.all_tasks()
    run = asyncio.ensure_future(Plans(_slow_schema()).plan(document, None).run(gates, {}))
    for _ in range(turns):
        await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    gc.collect()
    assert asyncio.all_tasks() == before
    assert all(end.endswith("cancelled") for end in gates.ended)


async def test_what_is_no_exception_ends_the_run_and_its_neighbours() -> None:
    gates = Gates()

    class Stop(BaseException):
        pass

    async def stops() -> str:
        raise Stop

    schema = _slow_schema()
    assert schema.query_type is not None
    schema.query_type.fields["echo"].resolve = lambda *_, **__: stops()
    document = parse('{ a: wait(name: "a") echo b: wait(name: "b") }')
    before = asyncio.all_tasks()
    with pytest.raises(Stop):
        await Plans(schema).plan(document, None).run(gates, {})
    gc.collect()
    assert asyncio.all_tasks() == before
