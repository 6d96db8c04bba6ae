"""The GraphQL specification's section 6, Execution: a case for each statement that an executor can
keep or break, named by its section (October 2021; September 2025 keeps the numbers used here).

Each case runs by plan and on graphql-core, so that the case itself is known to be right.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLSchema, build_schema, execute, parse, validate

from gateway.operations.compiled.plans import Plans
from gateway.operations.compiled.refusals import NotCompiled

pytestmark = pytest.mark.anyio

SDL = """
interface Named { name: String! }
type Dog implements Named { name: String! barks: Boolean owner: Person }
type Cat implements Named { name: String! meows: Boolean owner: Person }
union Pet = Dog | Cat
enum Color { RED GREEN }
input Point { x: Int! y: Int = 7 label: String }
type Person {
  name: String! age: Int pet: Pet pets: [Pet!] friend: Person strict: Person! broken: String!
}
type Query {
  echo(text: String = "default", number: Int, must: Int! = 3): String
  required(value: String!): String
  point(at: Point): String
  points(at: [Point!]): String
  list(of: [Int]): String
  float(value: Float): Float
  color(is: Color = RED): Color
  id(value: ID): ID
  person: Person
  named: Named
  pets: [Pet]
  nulls: [Int]
  noNulls: [Int!]
  never: [Int!]!
  matrix: [[Int!]]
  number: Int
  big: Int
  word: Int
  text: String
  list_text: String
  not_a_list: [Int]
  nothing: String
  fails: String
  gives: String
  slow(name: String): String
  stray: Named
  wrong: Color
}
type Mutation { first: Person second: Person third: Person fails: Person fatal: Person! }
"""


@dataclass
class World:
    """The root, and what happened, in order."""

    events: list[str] = field(default_factory=list)

    def told(self, what: str) -> None:
        self.events.append(what)


def _person(**more: Any) -> dict[str, Any]:
    return {"__typename": "Person", "name": "Ana", "age": 30, **more}


_DOG = {"__typename": "Dog", "name": "Rex", "barks": True}
_CAT = {"__typename": "Cat", "name": "Tom", "meows": False}


def _fails(*_: Any, **__: Any) -> Any:
    raise ValueError("it failed")


async def _slow(_: Any, info: Any, name: str = "") -> str:
    info.context.told(f"begins {name}")
    await asyncio.sleep(0)
    info.context.told(f"ends {name}")
    return name


def _shown(_: Any, __: Any, **given: Any) -> str:
    return json.dumps(given)


def _changing(name: str) -> Any:
    async def change(_: Any, info: Any) -> Any:
        info.context.told(f"{name} begins")
        await asyncio.sleep(0)

        async def friend(info: Any) -> Any:
            await asyncio.sleep(0)
            info.context.told(f"{name} ends")
            return _person()

        return _person(friend=friend)

    return change


RESOLVERS: dict[str, dict[str, Any]] = {
    "Query": {
        "echo": _shown,
        "required": _shown,
        "point": _shown,
        "points": _shown,
        "list": _shown,
        "float": lambda _, __, value=None: value,
        "color": lambda _, __, **given: given["is"],
        "id": lambda _, __, value=None: value,
        "person": lambda *_: _person(
            pet=_DOG,
            pets=[_DOG, _CAT],
            friend=_person(name="Luis", pet=_CAT),
            strict=None,
            broken=ValueError("given, not raised"),
        ),
        "named": lambda *_: _CAT,
        "pets": lambda *_: [_DOG, None, _CAT],
        "nulls": lambda *_: [1, None, 3],
        "noNulls": lambda *_: [1, None, 3],
        "never": lambda *_: [1, None],
        "matrix": lambda *_: [[1, 2], [3, None], None, []],
        "number": lambda *_: 42,
        "big": lambda *_: 2**31,
        "word": lambda *_: "twelve",
        "text": lambda *_: 12,
        "list_text": lambda *_: ["a"],
        "not_a_list": lambda *_: "123",
        "nothing": lambda *_: None,
        "fails": _fails,
        "gives": lambda *_: ValueError("given, not raised"),
        "slow": _slow,
        "stray": lambda *_: {"__typename": "Person", "name": "Ana"},
        "wrong": lambda *_: "BLUE",
    },
    "Mutation": {
        "first": _changing("first"),
        "second": _changing("second"),
        "third": _changing("third"),
        "fails": _fails,
        "fatal": _fails,
    },
}


def _schema() -> GraphQLSchema:
    schema = build_schema(SDL)
    for type_name, resolvers in RESOLVERS.items():
        kind: Any = schema.type_map[type_name]
        for name, resolve in resolvers.items():
            kind.fields[name].resolve = resolve
    return schema


SCHEMA = _schema()
PLANS = Plans(SCHEMA)


async def by_plan(
    document: str, variables: Mapping[str, Any] | None, world: World, name: str | None = None
) -> ExecutionResult:
    return await PLANS.plan(parse(document), name).run(world, variables)


async def by_graphql_core(
    document: str, variables: Mapping[str, Any] | None, world: World, name: str | None = None
) -> ExecutionResult:
    result = execute(
        SCHEMA,
        parse(document),
        context_value=world,
        variable_values=dict(variables or {}),
        operation_name=name,
    )
    return await result if inspect.isawaitable(result) else result


BOTH = pytest.mark.parametrize("run", [by_plan, by_graphql_core])


@dataclass(frozen=True)
class Case:
    """section: and what it says. errors: for each its path and a part of its message, None where
    nothing was run."""

    section: str
    document: str
    data: Any
    errors: tuple[tuple[list[Any] | None, str], ...] = ()
    variables: Mapping[str, Any] | None = None


def _given(**values: Any) -> str:
    return json.dumps(values)


_V = "query ($a: Int = 5, $b: Int) { echo(number: $a, must: 1) second: echo(number: $b) }"
_REQUEST = (None, "Variable '$v'")

CASES = [
    # ------------------------------------------------------------------ 6.1.2 CoerceVariableValues
    Case(
        "6.1.2 a variable without a value takes its default; without a default it has no entry",
        _V,
        {
            "echo": _given(text="default", number=5, must=1),
            "second": _given(text="default", must=3),
        },
    ),
    Case(
        "6.1.2 an explicit null is a value, and no default is taken",
        _V,
        {
            "echo": _given(text="default", number=None, must=1),
            "second": _given(text="default", number=None, must=3),
        },
        variables={"a": None, "b": None},
    ),
    Case(
        "6.1.2 a non-null variable without a value is a request error",
        "query ($v: String!) { required(value: $v) }",
        None,
        (_REQUEST,),
    ),
    Case(
        "6.1.2 null for a non-null variable is a request error",
        "query ($v: String!) { required(value: $v) }",
        None,
        (_REQUEST,),
        {"v": None},
    ),
    Case(
        "6.1.2 a value that cannot be coerced is a request error",
        "query ($v: Int) { echo(number: $v) }",
        None,
        (_REQUEST,),
        {"v": "12"},
    ),
    Case(
        "6.1.2 values are coerced by the rules of their types",
        "query ($f: Float, $l: [Int], $i: ID) { float(value: $f) list(of: $l) id(value: $i) }",
        {"float": 3.0, "list": _given(of=[4]), "id": "7"},
        variables={"f": 3, "l": 4, "i": 7},
    ),
    Case(
        "6.1.2 input objects take the defaults of their fields",
        "query ($v: Point) { point(at: $v) }",
        {"point": _given(at={"x": 1, "y": 7})},
        variables={"v": {"x": 1}},
    ),
    Case(
        "6.1.2 an input object without a required field is a request error",
        "query ($v: Point) { point(at: $v) }",
        None,
        (_REQUEST,),
        {"v": {"y": 1}},
    ),
    Case(
        "6.1.2 what is no variable of the operation is of no account",
        "query ($b: Int) { echo(number: $b) }",
        {"echo": _given(text="default", must=3)},
        variables={"other": 1},
    ),
    # ----------------------------------------------------------------------- 6.2, 6.3 selection sets
    Case(
        "6.2.1 the data of an error that reaches the root is null",
        "{ number never }",
        None,
        ((["never", 1], "Cannot return null for non-nullable field Query.never."),),
    ),
    Case(
        "6.3 fields are answered in the order in which they are first met",
        "{ text ...F number ... { nothing } } fragment F on Query { big: number text named { name } }",
        {"text": "12", "big": 42, "named": {"name": "Tom"}, "number": 42, "nothing": None},
    ),
    Case(
        "6.3 a field that is left out does not count as met",
        "{ a: number @skip(if: true) b: number a: number }",
        {"b": 42, "a": 42},
    ),
    # ------------------------------------------------------------------------- 6.3.2 CollectFields
    Case(
        "6.3.2 @skip leaves out what it stands on",
        "{ number @skip(if: true) text @skip(if: false) ...F @skip(if: true) "
        "... @skip(if: true) { big } } fragment F on Query { big }",
        {"text": "12"},
    ),
    Case(
        "6.3.2 @include leaves out what it stands on, unless",
        "query ($yes: Boolean!, $no: Boolean = false) { number @include(if: $yes) "
        "text @include(if: $no) ...F @include(if: $yes) } fragment F on Query { nothing }",
        {"number": 42, "nothing": None},
        variables={"yes": True},
    ),
    Case(
        "6.3.2 @skip and @include must both let it through",
        "{ a: number @skip(if: true) @include(if: true) b: number @skip(if: false) @include(if: false)"
        " c: number @skip(if: false) @include(if: true) }",
        {"c": 42},
    ),
    Case(
        "6.3.2 an alias is the response key",
        "{ n: number m: number }",
        {"n": 42, "m": 42},
    ),
    Case(
        "6.3.2 a fragment is visited once",
        "{ ...F ...F } fragment F on Query { number ...G } fragment G on Query { text }",
        {"number": 42, "text": "12"},
    ),
    Case(
        "6.3.2 a fragment that was left out can be visited later",
        "{ ...F @skip(if: true) ...F } fragment F on Query { number }",
        {"number": 42},
    ),
    Case(
        "6.3.2 fragments apply by object type, interface and union",
        "{ named { ... on Dog { barks } ... on Cat { meows } ... on Named { name } "
        "... on Pet { __typename } } }",
        {"named": {"meows": False, "name": "Tom", "__typename": "Cat"}},
    ),
    Case(
        "6.3.2 an inline fragment without a type applies",
        "{ ... { number } ... @include(if: true) { text } }",
        {"number": 42, "text": "12"},
    ),
    # ------------------------------------------------------------------ 6.4.1 CoerceArgumentValues
    Case(
        "6.4.1 an argument that is not given takes its default, or has no entry",
        "{ echo }",
        {"echo": _given(text="default", must=3)},
    ),
    Case(
        "6.4.1 null that is given is passed on",
        "{ echo(text: null, number: null) }",
        {"echo": _given(text=None, number=None, must=3)},
    ),
    Case(
        "6.4.1 a variable without a value is an argument that is not given",
        "query ($t: String) { echo(text: $t) }",
        {"echo": _given(text="default", must=3)},
    ),
    Case(
        "6.4.1 null from a variable at a non-null position is a field error",
        "query ($m: Int) { echo(must: $m) number }",
        {"echo": None, "number": 42},
        ((["echo"], "Argument 'must' has invalid value"),),
        {"m": None},
    ),
    Case(
        "6.4.1 variables inside of input objects and lists",
        'query ($x: Int!, $y: Int) { point(at: {x: $x, y: $y, label: "l"}) '
        "points(at: [{x: $x}]) list(of: [1, $y]) }",
        {
            "point": _given(at={"x": 1, "y": 7, "label": "l"}),
            "points": _given(at=[{"x": 1, "y": 7}]),
            "list": _given(of=[1, None]),
        },
        variables={"x": 1},
    ),
    Case(
        "6.4.1 a single value at a list position is a list of one",
        "{ list(of: 4) points(at: {x: 2}) }",
        {"list": _given(of=[4]), "points": _given(at=[{"x": 2, "y": 7}])},
    ),
    Case(
        "6.4.1 enum values of documents, variables and defaults",
        "query ($c: Color) { a: color b: color(is: GREEN) c: color(is: $c) }",
        {"a": "RED", "b": "GREEN", "c": "GREEN"},
        variables={"c": "GREEN"},
    ),
    # ----------------------------------------------------------------------- 6.4.3 CompleteValue
    Case("6.4.3 null completes to null", "{ nothing }", {"nothing": None}),
    Case(
        "6.4.3 null at a non-null position is a field error",
        "{ person { name strict { name } } number }",
        {"person": None, "number": 42},
        ((["person", "strict"], "Cannot return null for non-nullable field Person.strict."),),
    ),
    Case(
        "6.4.3 what is no collection at a list position is a field error",
        "{ not_a_list }",
        {"not_a_list": None},
        ((["not_a_list"], "Expected Iterable"),),
    ),
    Case(
        "6.4.3 each item of a list is completed",
        "{ nulls matrix }",
        {"nulls": [1, None, 3], "matrix": [[1, 2], None, None, []]},
        ((["matrix", 1, 1], "Cannot return null for non-nullable field Query.matrix."),),
    ),
    Case("6.4.3 leaves are coerced by their type", "{ text number }", {"text": "12", "number": 42}),
    Case(
        "6.4.3 what a leaf cannot be is a field error",
        "{ big word list_text wrong }",
        {"big": None, "word": None, "list_text": None, "wrong": None},
        (
            (["big"], "Int cannot represent non 32-bit signed integer value"),
            (["word"], "Int cannot represent non-integer value: 'twelve'"),
            (["list_text"], "String cannot represent value"),
            (["wrong"], "Enum 'Color' cannot represent value: 'BLUE'"),
        ),
    ),
    Case(
        "6.4.3 abstract types are resolved for each value",
        "{ pets { __typename ... on Dog { barks } ... on Cat { meows } } }",
        {
            "pets": [
                {"__typename": "Dog", "barks": True},
                None,
                {"__typename": "Cat", "meows": False},
            ]
        },
    ),
    Case(
        "6.4.3 a type that is none of the possible ones is a field error",
        "{ stray { name } }",
        {"stray": None},
        ((["stray"], "Runtime Object type 'Person' is not a possible type for 'Named'."),),
    ),
    Case(
        "6.4.3 the selection sets of equal response keys are merged",
        "{ person { name } person { age friend { name } } ...F } "
        "fragment F on Query { person { friend { age pet { ... on Cat { meows } } } } }",
        {
            "person": {
                "name": "Ana",
                "age": 30,
                "friend": {"name": "Luis", "age": 30, "pet": {"meows": False}},
            }
        },
    ),
    # ----------------------------------------------------------------- 6.4.4 Handling field errors
    Case(
        "6.4.4 a field that raises is null, and the error has its path",
        "{ number fails person { name } }",
        {"number": 42, "fails": None, "person": {"name": "Ana"}},
        ((["fails"], "it failed"),),
    ),
    Case(
        "6.4.4 an error can be given in place of being raised",
        "{ gives }",
        {"gives": None},
        ((["gives"], "given, not raised"),),
    ),
    Case(
        "6.4.4 an alias stands in the path",
        "{ other: fails }",
        {"other": None},
        ((["other"], "it failed"),),
    ),
    Case(
        "6.4.4 an error at a non-null field is the parent's",
        "{ person { friend { name broken } name } }",
        {"person": {"friend": None, "name": "Ana"}},
        ((["person", "friend", "broken"], "Cannot return null"),),
    ),
    Case(
        "6.4.4 an error of a non-null item is its list's",
        "{ noNulls number }",
        {"noNulls": None, "number": 42},
        ((["noNulls", 1], "Cannot return null for non-nullable field Query.noNulls."),),
    ),
    Case(
        "6.4.4 one error is enough for one null",
        "{ person { strict { name } broken } }",
        {"person": None},
        ((["person", "strict"], "Cannot return null"),),
    ),
    Case(
        "6.4.4 errors that came before a null that takes them stay told",
        "{ person { pet { ... on Dog { owner { name } } } broken } fails }",
        {"person": None, "fails": None},
        ((["person", "broken"], "given, not raised"), (["fails"], "it failed")),
    ),
]


@BOTH
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.section)
async def test_section(case: Case, run: Any) -> None:
    assert not validate(SCHEMA, parse(case.document))
    result = await run(case.document, case.variables, World())
    told = [(error.path, error.message) for error in result.errors or ()]
    assert json.dumps(result.data) == json.dumps(case.data), told
    assert [path for path, _ in told] == [path for path, _ in case.errors], told
    for (_, message), (_, part) in zip(told, case.errors, strict=True):
        assert part in message
    assert all(error.locations for error in result.errors or ())


@BOTH
async def test_6_1_the_operation_of_a_name_is_run(run: Any) -> None:
    document = "query A { number } query B { text }"
    assert (await run(document, None, World(), "B")).data == {"text": "12"}


@pytest.mark.parametrize("name", [None, "C"])
async def test_6_1_an_operation_that_is_not_told_is_not_run(name: str | None) -> None:
    document = "query A { number } query B { text }"
    with pytest.raises(NotCompiled, match="no_operation"):
        await by_plan(document, None, World(), name)
    assert (await by_graphql_core(document, None, World(), name)).data is None


@BOTH
async def test_6_2_1_fields_of_a_query_are_run_side_by_side(run: Any) -> None:
    world = World()
    await run('{ a: slow(name: "a") b: slow(name: "b") }', None, world)
    assert world.events == ["begins a", "begins b", "ends a", "ends b"]


@BOTH
async def test_6_2_2_fields_of_a_mutation_are_run_one_after_the_other(run: Any) -> None:
    world = World()
    document = "mutation { second { friend { name } } fails { name } first { friend { name } } }"
    result = await run(document, None, world)
    assert world.events == ["second begins", "second ends", "first begins", "first ends"]
    assert list(result.data) == ["second", "fails", "first"]
    assert [error.path for error in result.errors] == [["fails"]]


@BOTH
async def test_6_2_2_an_error_of_the_root_ends_a_mutation(run: Any) -> None:
    world = World()
    document = "mutation { first { friend { name } } fatal { name } third { friend { name } } }"
    result = await run(document, None, world)
    assert world.events == ["first begins", "first ends"]
    assert result.data is None
    assert [error.path for error in result.errors] == [["fatal"]]


async def test_6_2_3_subscriptions_are_run_elsewhere() -> None:
    schema = build_schema("type Query { a: Int } type Subscription { a: Int }")
    with pytest.raises(NotCompiled, match="subscription"):
        Plans(schema).plan(parse("subscription { a }"), None)
