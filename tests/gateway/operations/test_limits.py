"""Nothing that is too large is worked through: it is told what is too large, and how much may be."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import get_introspection_query, parse
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.limits import (
    LimitExceeded,
    LimitSettings,
    check_document,
    check_text,
    check_variables,
)
from gateway.operations.requests import Outcome, Request
from gateway.operations.run import Operations
from schema.root import SCHEMA

GRAPH = SCHEMA._schema
SMALL = LimitSettings(
    tokens=400,
    nesting=12,
    operations=2,
    fragments=3,
    aliases=4,
    directives=3,
    root_fields=3,
    depth=5,
    merges=60,
    input_values=10,
    input_nesting=3,
)


def many(form: str, count: int) -> str:
    return " ".join(form.format(i, i + 1) for i in range(count))


TOO_LARGE = [
    ("characters", "{ a }" + " " * 100_000),
    ("tokens", "{" + many("a", 400) + "}"),
    ("digits", "{ cases(first: " + "9" * 10_000 + ") { nodes { id } } }"),
    ("nesting", "{ a(b: " + "[" * 12),
    ("operations", many("query Q{} {{ a }}", 3)),
    ("fragments", "{ a }" + many("fragment F{} on T {{ a }}", 4)),
    ("aliases", "{" + many("a{}: b", 5) + "}"),
    ("directives", "{ a" + " @skip(if: true)" * 4 + "}"),
    ("root_fields", "{ a ...F ... { b } } fragment F on Query { c d }"),
    ("depth", "{ a { a { a { a { a { a } } } } } }"),
    (
        "depth",
        "{ ...F } fragment F on T { a { a { a { ...G } } } } fragment G on T { a { a { a } } }",
    ),
    ("depth", "{ a { a { a ...F } } ...F } fragment F on T { a { a { b { b { b { b } } } } } }"),
    ("merges", "{" + "a { b } " * 12 + "}"),
]


def check(text: str) -> None:
    check_text(text, SMALL)
    check_document(parse(text), SMALL)


@pytest.mark.parametrize(("limit", "text"), TOO_LARGE)
def test_what_is_too_large_is_told_by_its_name(limit: str, text: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        check(text)
    assert caught.value.limit == limit
    assert caught.value.value > caught.value.allowed
    assert str(caught.value.value) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{ a { a { a { a { a } } } } }",
        "{ ...F ...F } fragment F on T { a { a } }",
        '{ a(b: """text \\""" {{{{{{{{{{{{{{{ """) # {{{{{{{{{{{{{{{{{{{{\n }',
        '{ a(b: "(((((((((((((((((((") }',
    ],
)
def test_what_is_small_enough_passes(text: str) -> None:
    check(text)


def test_a_fragment_inside_itself_ends() -> None:
    check_document(parse("{ ...F } fragment F on T { a { ...F } ...F }"), SMALL)
    check_document(
        parse("{ ...F } fragment F on T { a { ...G } } fragment G on T { a { ...F } }"), SMALL
    )


@given(st.text(alphabet='{}[]()"\\#a:$!@.1- \n', max_size=400))
def test_any_text_is_counted_and_no_less_than_the_parser_counts(text: str) -> None:
    counted = check_text(text, LimitSettings(nesting=1_000))
    try:
        document = parse(text)
    except Exception:  # noqa: BLE001 - only what is a document can be compared
        return
    assert document.loc is not None
    token, tokens = document.loc.start_token.next, 0
    while token is not None and token.kind.value != "<EOF>":
        tokens += token.kind.value != "Comment"
        token = token.next
    assert counted == tokens


@pytest.mark.parametrize(
    ("limit", "variables"),
    [
        ("input_values", {"a": list(range(11))}),
        ("input_values", {str(i): i for i in range(11)}),
        ("input_values", {"a": [{"b": 1}] * 6}),
        ("input_nesting", {"a": {"b": [{"c": 1}]}}),
    ],
)
def test_variables_that_are_too_large_are_told(limit: str, variables: dict[str, Any]) -> None:
    with pytest.raises(LimitExceeded) as caught:
        check_variables(variables, SMALL)
    assert caught.value.limit == limit


def test_variables_that_are_small_enough_pass() -> None:
    check_variables(None, SMALL)
    check_variables({"a": {"b": [1, 2, 3]}, "c": [], "d": "x" * 100_000}, SMALL)


def prepared(text: str, variables: dict[str, Any] | None = None) -> Any:
    return Operations(GRAPH).prepare(Request(text, variables=variables))


#: Each took the stock machinery seconds, or ended it.
ATTACKS = {
    "spreads that double": "{ viewer { contact { ...F0 } } }"
    + many("fragment F{0} on Contact {{ ...F{1} ...F{1} }}", 50)
    + "fragment F50 on Contact { name }",
    "aliases": "{" + many("a{}: __typename", 6_000) + "}",
    "one field many times": "{" + "__typename " * 2_900 + "}",
    "one field with fields many times": "{"
    + "viewer { contact { account { name } } } " * 240
    + "}",
    "brackets": "{ a(b: " + "[" * 90_000,
    "fields": "{ viewer " * 11_000,
    "quotes": "{ a(b: " + '"' * 90_000,
    "block quotes": "{ a(b: " + '"""\\"""' * 14_000,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_or_harmless(name: str) -> None:
    outcome = prepared(ATTACKS[name])
    if isinstance(outcome, Outcome):
        assert outcome.status == 422
        assert outcome.body["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    else:
        assert outcome.worth.cost <= 2


def test_the_tools_own_question_for_the_schema_is_small_enough() -> None:
    assert prepared(get_introspection_query()).worth.cost == 500
