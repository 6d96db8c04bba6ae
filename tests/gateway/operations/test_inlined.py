"""The code that is written to read records: it gives the answers that graphql-core gives, gives up
where a value needs a closer look, and reads nothing but what records hold."""

from __future__ import annotations

import math
from dataclasses import make_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import anyio
import pytest
import strawberry
from graphql import GraphQLSchema, parse
from hypothesis import given
from hypothesis import strategies as st

from connectors.port import records
from connectors.port.pages import Page
from connectors.port.scope import AccountRef, Scope
from gateway.operations.compiled import objects
from gateway.operations.compiled.inlined import holds
from gateway.operations.compiled.objects import ObjectPlan
from gateway.operations.compiled.plans import Plans
from schema.access import Anonymous, Authorized, enforced
from schema.batched import batched, held
from schema.context import Caller, Context, Sources
from schema.pages import Listing
from schema.recognition import Told, instances_of
from schema.root import SCHEMA
from schema.scalars import CONFIG, EmailAddress
from tests.gateway.operations.generated.comparing import interpreted, told
from tests.worlds.running import catalogue, desks
from tests.worlds.world import NOW


@strawberry.enum
class Color(Enum):
    RED = 1
    BLUE = "b"


NAMES = tuple("abcdefghijkmn")
#: Objects that hold their attributes in slots, and in a dictionary.
Slotted, Open = (make_dataclass("Record", NAMES, slots=slots) for slots in (True, False))


@strawberry.type
class Thing:
    a: int | None
    b: float
    c: str
    d: bool | None
    e: strawberry.ID
    f: Color | None
    g: date | None
    h: EmailAddress | None
    i: Decimal
    j: list[int | None] | None
    k: list[list[str]]
    m: Thing | None
    n: list[Thing]
    is_type_of = instances_of(Slotted, Open)


@strawberry.type
class Query:
    @strawberry.field
    async def things(self, info: strawberry.Info) -> list[Thing | None]:
        return info.context  # type: ignore[no-any-return]


GRAPH: GraphQLSchema = strawberry.Schema(Query, config=CONFIG)._schema
LEAVES = "a b c d e f g h i j k __typename"
DOCUMENT = parse(
    f"{{ things {{ {LEAVES} m {{ {LEAVES} m {{ c }} n {{ a b }} }} n {{ x: c y: c m {{ d }} }} }} }}"
)
VALUES: dict[str, list[Any]] = {
    "a": [0, 5, -(2**31), 2**31 - 1, None],
    "b": [0.5, 1e300, -1.25],
    "c": ["á", "", 'with "quotes"'],
    "d": [True, False, None],
    "e": ["a1", "b2"],
    "f": [Color.RED, Color.BLUE, None],
    "g": [date(2026, 3, 31), datetime(2026, 3, 31, 12, tzinfo=UTC), None],
    "h": ["ana@x.example", None],
    "i": [Decimal("12.000"), Decimal("1E+3")],
    "j": [[1, 2], (3,), [None], [], None],
    "k": [[["x"], []], [["y", "z"]], ()],
}
ODD = [
    *(None, 2**31, math.inf, math.nan, 3.0, 5, "12", True, object, ValueError("given back")),
    *([1, None], {"a": 1}, Color.RED, [[None]], Slotted, ("text",)),
]


@st.composite
def things(draw: st.DrawFn, depth: int = 2) -> Any:
    """Objects with values that fit, nearly all of them."""
    values = {name: draw(st.sampled_from(fitting)) for name, fitting in VALUES.items()}
    inner = things(depth - 1) if depth else st.none()
    values["m"] = draw(st.one_of(st.none(), inner))
    values["n"] = draw(st.lists(inner, max_size=2)) if depth else []
    if draw(st.integers(0, 9)) == 0:
        values[draw(st.sampled_from(NAMES))] = draw(st.sampled_from(ODD))
    kind = draw(st.sampled_from([Slotted, Slotted, Open]))
    return kind(**values)


@pytest.fixture(autouse=True)
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "COLD_RUNS", 0)


def test_records_are_answered_as_graphql_core_answers_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = _counted(monkeypatch)
    plan = Plans(GRAPH).plan(DOCUMENT, None)

    @given(st.lists(things(), min_size=1, max_size=3))
    def one(found: list[Any]) -> None:
        async def compare() -> None:
            wanted = told(await interpreted(GRAPH, DOCUMENT, found, {}))
            assert told(await plan.run(found, {})) == wanted

        anyio.run(compare)

    one()
    assert min(seen) > 3, seen


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the code was run to its end, and how often it gave up."""
    seen, quickly = [0, 0], ObjectPlan._quickly

    def counting(plan: ObjectPlan, run: Any, rows: Any, columns: Any) -> Any:
        made = quickly(plan, run, rows, columns)
        if plan._inlined.run is not None:
            seen[made is None] += 1
        return made

    monkeypatch.setattr(ObjectPlan, "_quickly", counting)
    return seen


# --------------------------------------------------------------------------------- what is read


class _Working(Slotted):  # type: ignore[misc,valid-type]
    """Works something out as it is read."""

    @property
    def a(self) -> int:
        raise AssertionError


class _Telling(Slotted):  # type: ignore[misc,valid-type]
    @Told
    def a(self) -> int:
        return 5


class _Catching(Open):  # type: ignore[misc,valid-type]
    def __getattr__(self, name: str) -> Any:
        raise AssertionError


@pytest.mark.parametrize(
    ("kind", "whether"),
    [(Slotted, True), (Open, True), (_Telling, True), (_Working, False), (_Catching, False)],
)
def test_only_what_an_object_holds_is_read(kind: type, whether: bool) -> None:
    assert holds(kind, {"a", "b"}) is whether


def test_pages_are_read() -> None:
    names = {"nodes", "edges", "page_info", "total_count", "has_next_page", "start_cursor"}
    assert holds(Listing, names)


@pytest.mark.anyio
async def test_records_of_another_kind_are_left_alone_in_the_end() -> None:
    plan = Plans(GRAPH).plan(parse("{ things { a } }"), None)
    rows = [_Working.__new__(_Working)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Working, "a", property(lambda self: 7))
        seen = _counted(patch)
        for _ in range(2 * objects._MOST_MISSES + 10):
            assert (await plan.run(rows, {})).data == {"things": [{"a": 7}]}
    assert seen == [0, 2 * objects._MOST_MISSES + 1]


@pytest.mark.anyio
async def test_a_long_selection_is_read_in_parts() -> None:
    fields = " ".join(f"a{n}: m {{ b{n}: n {{ c }} }}" for n in range(150))
    document = parse(f"{{ things {{ {fields} }} }}")
    inner = Slotted(**{name: values[0] for name, values in VALUES.items()}, m=None, n=[])
    thing = Slotted(**{name: values[0] for name, values in VALUES.items()}, m=inner, n=[])
    inner.n = [inner]
    plan = Plans(GRAPH).plan(document, None)
    wanted = await interpreted(GRAPH, document, [thing], {})
    for _ in range(2):
        assert told(await plan.run([thing], {})) == told(wanted)


@pytest.mark.anyio
async def test_lists_in_lists_in_lists() -> None:
    document = parse("{ things" + " { n" * 12 + " { c }" + " }" * 13)
    thing: Any = None
    for _ in range(14):
        inside = [] if thing is None else [thing, thing]
        thing = Slotted(**{name: values[0] for name, values in VALUES.items()}, m=None, n=inside)
    plan = Plans(GRAPH).plan(document, None)
    wanted = await interpreted(GRAPH, document, [thing], {})
    assert told(await plan.run([thing], {})) == told(wanted)


@pytest.mark.anyio
async def test_nothing_is_written_for_what_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "COLD_RUNS", 1)
    seen = _counted(monkeypatch)
    plan = Plans(GRAPH).plan(parse("{ things { c } }"), None)
    thing = Slotted(**{name: values[0] for name, values in VALUES.items()}, m=None, n=[])
    for run in range(3):
        assert (await plan.run([thing], {})).data == {"things": [{"c": "á"}]}
        assert seen == [run, 0]


# ------------------------------------------------------------------------------------ the product


class _Cases:
    """A CRM that gives contacts and accounts along with cases."""

    async def find_cases(self, query: Any) -> Page[records.Case]:
        contact = records.Contact("p", OWNER, "Ana", email="ana@x.example")
        account = records.Account("a", OWNER, "100", "Andina")
        given = {"status": records.CaseStatus.NEW, "created_at": NOW, "subject": "Late"}
        known: Any = {"contact": contact, "account": account, **given}
        return Page([records.Case("c", OWNER, "1", **known)] * 3)


OWNER = AccountRef("a", "100", "CO")
LIST = (
    "{ cases(first: 3) { __typename nodes { __typename id number subject status createdAt contact {"
    " __typename id name email } account { id name number } } edges { cursor node { id } }"
    " pageInfo { hasNextPage endCursor } totalCount } }"
)


@pytest.mark.anyio
async def test_a_list_of_the_product_is_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _counted(monkeypatch)
    nothing: Any = None
    sources = Sources(nothing, cast("Any", _Cases()), nothing, nothing, nothing)
    caller = Caller("p", "", "P", (), Scope([OWNER]), NOW)
    plan = Plans(SCHEMA._schema).plan(parse(LIST), None)
    for run in range(1, 3):
        context = Context(sources, catalogue(), desks(), lambda: NOW, caller)
        wanted = await interpreted(SCHEMA._schema, parse(LIST), context, {})
        assert told(await plan.run(context, {})) == told(wanted)
        assert seen == [run, 0]


# ------------------------------------------------------------------------------- who may see what


@strawberry.type(directives=[Authorized(scope="cases:read")])
class Secret:
    word: str


Record = make_dataclass("Record", ("open", "secret", "word"), slots=True)


@strawberry.type
class Holder:
    open: str
    secret: Secret | None
    embedded: Secret | None = batched(
        held("secret", lambda record: None, lambda context, fields: _nobody),
        asks="cases",
        embeds="secret",
        description=".",
    )


async def _nobody(keys: Any) -> Any:
    raise AssertionError


@strawberry.type
class Root:
    @strawberry.field(directives=[Anonymous()])  # type: ignore[untyped-decorator]
    def holders(self) -> list[Holder]:
        found: Any = [Record("open", Record("", None, "word"), "")]
        return found  # type: ignore[no-any-return]


def _room(*scopes: str) -> Context:
    caller = Caller("p", "", "P", (), Scope(), NOW, staff=True, scopes=frozenset(scopes))
    nothing: Any = None
    return Context(nothing, nothing, nothing, lambda: NOW, caller)


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["secret", "embedded"])
async def test_what_a_caller_may_not_see_is_not_read_for_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _counted(monkeypatch)
    graph = enforced(strawberry.Schema(Root, config=CONFIG))._schema
    plan = Plans(graph).plan(parse(f"{{ holders {{ open {name} {{ word }} }} }}"), None)
    for run in range(1, 4):
        result = await plan.run(_room("cases:read"), {})
        assert result == ({"holders": [{"open": "open", name: {"word": "word"}}]}, None)
        result = await plan.run(_room(), {})
        assert result.data == {"holders": [{"open": "open", name: None}]}
        assert [error.path for error in result.errors or ()] == [["holders", 0, name]]
        assert seen == [run, run]
