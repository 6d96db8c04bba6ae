"""What an operation costs is known before it runs: objects, and calls to each source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import parse, validate

from gateway.operations.limits import LimitSettings
from gateway.operations.price import bills
from gateway.operations.requests import Outcome, Request
from gateway.operations.run import Operations, Ready
from schema.root import SCHEMA

GRAPH = SCHEMA._schema


def worth(text: str, variables: Mapping[str, Any] | None = None) -> tuple[int, Mapping[str, int]]:
    document = parse(text)
    assert validate(GRAPH, document) == []
    (bill,) = bills(GRAPH, document).values()
    found = bill.worth(variables)
    return found.cost, found.calls


CASES = "{ cases(first: %s) { nodes { id } } }"


@pytest.mark.parametrize(
    ("text", "cost", "calls"),
    [
        ("{ __typename }", 0, {}),
        ("{ viewer { name email } }", 1, {}),
        # A page weighs what asking does; each of its objects weighs one.
        (CASES % 50, 55, {"cases": 1}),
        ("{ cases { nodes { id } } }", 25, {"cases": 1}),
        ("{ cases(first: null) { nodes { id } } }", 25, {"cases": 1}),
        ("{ cases(last: 3) { nodes { id } } }", 8, {"cases": 1}),
        (CASES % 2_000_000_000, 105, {"cases": 1}),
        ("{ cases(first: 2) { edges { node { id } } pageInfo { endCursor } } }", 10, {"cases": 1}),
        # Counting a list takes a call of its own.
        ("{ cases(first: 2) { nodes { id } total: totalCount } }", 7, {"cases": 2}),
        # Parents of a level share a call; more than a system takes at once need more.
        (
            "{ cases(first: 50) { nodes { contact { name } account { name } } } }",
            155,
            {"cases": 1, "customers": 2},
        ),
        (
            "{ cases(first: 100) { nodes { comments(first: 30) { nodes { author { contact { id } } } } } } }",
            9_205,
            {"cases": 2, "customers": 30},
        ),
        # Where each parent takes a call of its own, it is counted for each.
        (
            "{ viewer { memberships { account { orders(first: 1) { nodes { id } } } } } }",
            41,
            {"customers": 1, "orders": 10},
        ),
        # The same field twice is one field.
        (
            "{ ...F ...F cases(first: 50) { nodes { id } } } fragment F on Query " + CASES % 50,
            55,
            {"cases": 1},
        ),
        ("{ a: cases { nodes { id } } b: cases { nodes { id } } }", 50, {"cases": 2}),
        # What is left out by a condition may come in.
        ("query($no: Boolean!) { cases @skip(if: $no) { nodes { id } } }", 25, {"cases": 1}),
        (
            '{ nodes(ids: ["a", "b"]) { id } }',
            2,
            {"customers": 2, "cases": 3, "orders": 1, "news": 1, "questions": 1},
        ),
        (
            '{ node(id: "a") { ... on Case { subject order { number } } ... on Order { number } } }',
            2,
            {"customers": 1, "cases": 1, "orders": 2, "news": 1, "questions": 1},
        ),
        ('mutation { signOut(input: {refreshToken: "x"}) { userErrors { code } } }', 20, {}),
        ("{ __schema { types { fields { name } } } }", 500, {}),
        ('{ __type(name: "Case") { fields { name } } }', 20, {}),
    ],
)
def test_the_price_of_an_operation(text: str, cost: int, calls: dict[str, int]) -> None:
    assert worth(text) == (cost, calls)


@pytest.mark.parametrize(
    ("text", "variables", "cost"),
    [
        ("query($n: Int) { cases(first: $n) { nodes { id } } }", {"n": 50}, 55),
        ("query($n: Int) { cases(first: $n) { nodes { id } } }", {"n": None}, 25),
        ("query($n: Int) { cases(first: $n) { nodes { id } } }", {}, 25),
        ("query($n: Int) { cases(first: $n) { nodes { id } } }", {"n": "many"}, 105),
        ("query($n: Int) { cases(first: $n) { nodes { id } } }", {"n": True}, 105),
        ("query($n: Int) { cases(first: $n) { nodes { id } } }", {"n": -5}, 5),
        ("query($n: Int) { cases(first: $n) { nodes { id } } }", {"n": 1e300}, 105),
        ("query($n: Int = 7) { cases(first: $n) { nodes { id } } }", {}, 12),
        ("query($n: Int = 7) { cases(first: $n) { nodes { id } } }", {"n": 8}, 13),
        ("query($n: Int, $m: Int) { cases(first: $n, last: $m) { nodes { id } } }", {"m": 3}, 8),
        (
            "query($n: Int, $m: Int) { cases(first: $n) { nodes { comments(first: $m) { nodes { id } } } } }",
            {"n": 10, "m": 4},
            65,
        ),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a"] * 30}, 30),
        (
            "query($n: Int) { viewer { ...F } } fragment F on Viewer { memberships { account { cases(first: $n) { nodes { id } } } } }",
            {"n": 4},
            71,
        ),
    ],
)
def test_what_depends_on_variables_is_filled_in(
    text: str, variables: dict[str, Any], cost: int
) -> None:
    assert worth(text, variables)[0] == cost


def test_a_price_that_nobody_can_pay_is_a_number_all_the_same() -> None:
    inner = "id"
    for _ in range(8):
        inner = f"account {{ cases(first: 100) {{ nodes {{ {inner} }} }} }}"
    cost, calls = worth(f"{{ cases(first: 100) {{ nodes {{ {inner} }} }} }}")
    assert cost == 10**15
    assert calls["cases"] == 10**15


def test_one_document_costs_what_each_of_its_operations_does() -> None:
    document = parse("query A { cases { nodes { id } } } query B { viewer { name } }")
    found = bills(GRAPH, document)
    assert {name: bill.worth(None).cost for name, bill in found.items()} == {"A": 25, "B": 1}


def prepared(text: str, limits: LimitSettings, systems: Mapping[str, str]) -> Ready | Outcome:
    return Operations(GRAPH, limits, systems).prepare(Request(text))


def test_too_high_a_price_is_told_with_what_is_allowed() -> None:
    outcome = prepared(CASES % 50, LimitSettings(cost=54), {})
    assert isinstance(outcome, Outcome)
    assert outcome.status == 422
    assert outcome.body["errors"][0]["extensions"] == {
        "code": "COST_EXCEEDED",
        "limit": "cost",
        "allowed": 54,
        "value": 55,
    }
    assert isinstance(prepared(CASES % 50, LimitSettings(cost=55), {}), Ready)


def test_calls_are_counted_for_each_system() -> None:
    text = "{ cases { nodes { contact { name } order { number } } } }"
    ready = prepared(text, LimitSettings(), {"cases": "crm", "customers": "crm", "orders": "erp"})
    assert isinstance(ready, Ready)
    assert ready.worth.calls == {"crm": 2, "erp": 1}
    outcome = prepared(text, LimitSettings(upstream_calls=1), {"cases": "crm", "customers": "crm"})
    assert isinstance(outcome, Outcome)
    assert outcome.body["errors"][0]["extensions"]["limit"] == "upstream_calls"


def test_every_list_has_a_length_and_every_question_a_source() -> None:
    text = SCHEMA.as_str()
    for line in text.splitlines():
        if "Connection @" in line or line.endswith("Connection"):
            assert "@listSize" in line, line
    roots = GRAPH.query_type
    assert roots is not None
    asks = {
        name
        for name, field in roots.fields.items()
        if field.extensions["strawberry-definition"].metadata.get("asks")
    }
    # The rest is known here: the caller, what the company edits, and nodes, which ask by type.
    assert set(roots.fields) - asks == {"viewer", "caseCategories", "supportDesk", "node", "nodes"}
