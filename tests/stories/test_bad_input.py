"""Bad input gets an error that names the argument, and no system is asked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.port.pages import Keyset
from schema.cases.filters import ORDERS as CASE_ORDERS
from schema.nodes import to_global
from tests.stories.portal import Portal

pytestmark = pytest.mark.anyio

CASE_ID = to_global("Case", "500000000000001AAA")

WRONG = [
    ('{ node(id: "nonsense") { id } }', "id"),
    ('{ nodes(ids: ["nonsense"]) { id } }', "ids"),
    (f'{{ order(by: {{id: "{CASE_ID}"}}) {{ id }} }}', "by.id"),
    ('{ case(by: {id: "500000000000001AAA"}) { id } }', "by.id"),
    ('{ case(by: {number: "  "}) { id } }', "by.number"),
    ('{ cases(after: "nonsense") { nodes { id } } }', "after"),
    ('{ orders(before: "nonsense", last: 2) { nodes { id } } }', "before"),
    ("{ cases(first: 0) { nodes { id } } }", "first"),
    ("{ orders(last: -3) { nodes { id } } }", "last"),
    ("{ orders(first: 101) { nodes { id } } }", "first"),
    ("{ news(first: 1000) { nodes { id } } }", "first"),
    ("{ cases(first: 1, last: 1) { nodes { id } } }", "last"),
    (
        '{ cases(filter: {createdOn: {from: "2026-02-01", to: "2026-01-01"}}) { nodes { id } } }',
        "filter.createdOn",
    ),
    (
        '{ orders(filter: {orderedOn: {from: "2026-02-01", to: "2026-01-01"}}) { nodes { id } } }',
        "filter.orderedOn",
    ),
    (
        '{ cases(filter: {createdOn: {from: "0001-01-01"}}) { nodes { id } } }',
        "filter.createdOn.from",
    ),
    ('{ cases(filter: {categories: ["NO_SUCH"]}) { nodes { id } } }', "filter.categories"),
    ('{ cases(filter: {subcategories: ["NO_SUCH"]}) { nodes { id } } }', "filter.subcategories"),
    (
        f'{{ cases(filter: {{accountIds: ["{CASE_ID}"]}}) {{ nodes {{ id }} }} }}',
        "filter.accountIds",
    ),
    ('{ cases(filter: {search: ""}) { nodes { id } } }', "filter.search"),
    ('{ cases(filter: {search: "a\\u0000b"}) { nodes { id } } }', "filter.search"),
    ('{ faqs(search: "%s") { nodes { id } } }' % ("x" * 201), "search"),
]


@pytest.mark.parametrize(("query", "argument"), WRONG)
async def test_a_wrong_argument_is_named_and_asks_nobody(
    portal: Portal, query: str, argument: str
) -> None:
    answer = await portal.ask(query)
    assert answer.status == 200
    assert answer.error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert answer.error["path"]
    assert argument in answer.error["message"] or argument in ("last", "by")
    assert answer.calls == []


async def test_the_account_of_another_customer_is_refused_like_one_that_does_not_exist(
    portal: Portal,
) -> None:
    query = "query($ids: [ID!]) { orders(filter: {accountIds: $ids}) { nodes { id } } }"
    foreign = await portal.ask(query, {"ids": [to_global("Account", "001SB00000PACFQAB2")]})
    missing = await portal.ask(query, {"ids": [to_global("Account", "001SB00000NOBODYQQ")]})
    assert foreign.error == missing.error
    assert foreign.error["extensions"]["argument"] == "filter.accountIds"
    assert foreign.calls == missing.calls == []


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ("{ cases(filter: {statuses: [NO_SUCH]}) { nodes { id } } }", "filter.statuses"),
        (
            '{ cases(filter: {createdOn: {from: "yesterday"}}) { nodes { id } } }',
            "filter.createdOn.from",
        ),
        (
            '{ cases(filter: {createdOn: {from: "2026-13-01"}}) { nodes { id } } }',
            "filter.createdOn.from",
        ),
        ('{ supportDesk(country: "Colombia") { phone } }', "country"),
        ('{ news(filter: {locale: "!!"}) { nodes { id } } }', "filter.locale"),
        ("{ nothing }", None),
        ("{ case(by: {}) { id } }", "by"),
        ('{ case(by: {id: "a", number: "b"}) { id } }', "by"),
        ("{ case(by: {id: null}) { id } }", "by"),
        ("query($v: ID) { case(by: {id: $v}) { id } }", "by.id"),
        ("fragment F on Query { case(by: {id: $v}) { id } } query($v: ID) { ...F }", "by.id"),
    ],
)
async def test_what_the_schema_forbids_is_told_before_anything_runs(
    portal: Portal, query: str, argument: str | None
) -> None:
    answer = await portal.ask(query)
    assert "data" not in answer.body
    assert answer.error["locations"]
    assert answer.error["extensions"].get("argument") == argument
    assert {error["extensions"]["code"] for error in answer.errors} == {"GRAPHQL_VALIDATION_FAILED"}
    assert answer.calls == []


async def test_a_document_may_begin_with_its_fragments(portal: Portal) -> None:
    query = "fragment F on Query { case(by: {number: $v}) { number } } query($v: String!) { ...F }"
    assert (await portal.ask(query, {"v": "NO-SUCH"})).data == {"case": None}


@pytest.mark.parametrize("value", [{}, {"id": "a", "number": "b"}, {"id": None}, None, 5])
async def test_a_variable_that_is_not_one_of_several_is_told(portal: Portal, value: object) -> None:
    answer = await portal.ask("query($v: CaseLookup!) { case(by: $v) { id } }", {"v": value})
    assert "data" not in answer.body
    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "$v" in answer.error["message"]
    assert answer.calls == []


async def test_a_variable_of_the_wrong_type_is_told(portal: Portal) -> None:
    query = "query($n: Int) { cases(first: $n) { nodes { id } } }"
    answer = await portal.ask(query, {"n": "many"})
    assert "data" not in answer.body
    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer.calls == []


PLANTED = [
    "O'Brien",
    "x' OR AccountId != '",
    "') or SoldToParty ne ('",
    "%",
    "\\",
    "\\'",
    '"',
    "_",
    "' --",
]


@pytest.mark.parametrize("text", PLANTED)
async def test_a_planted_quote_is_only_text(portal: Portal, text: str) -> None:
    query = """query($t: String!) {
      cases(first: 100, filter: {search: $t}) { nodes { subject account { number } } }
      orders(first: 100, filter: {search: $t}) { nodes { number customerReference account { number } } }
      byReference: orders(first: 100, filter: {customerReference: $t}) { nodes { customerReference } }
      byNumber: case(by: {number: $t}) { number }
      order(by: {number: $t}) { number }
    }"""
    data = (await portal.ask(query, {"t": text})).data
    for case in data["cases"]["nodes"]:
        assert case["account"]["number"] == "17100001"
        assert all(word.lower() in case["subject"].lower() for word in text.split())
    for order in data["orders"]["nodes"]:
        assert order["account"]["number"] == "17100001"
        assert text in order["number"] or text in order["customerReference"]
    for order in data["byReference"]["nodes"]:
        assert text in order["customerReference"]
    assert data["byNumber"] is None
    assert data["order"] is None


async def test_a_forged_cursor_only_begins_elsewhere(portal: Portal) -> None:
    cases = CASE_ORDERS[next(iter(CASE_ORDERS))]
    forged = cases.cursor(Keyset(datetime(2026, 1, 1, tzinfo=UTC), "x' OR Id != '"))
    answer = await portal.ask(
        "query($a: String) { cases(first: 50, after: $a) { nodes { createdAt account { number } } } }",
        {"a": forged},
    )
    if answer.errors:
        assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    else:
        assert {c["account"]["number"] for c in answer.data["cases"]["nodes"]} <= {"17100001"}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query($v: CountryCode!) { supportDesk(country: $v) { phone } }", {"v": "Colombia"}),
        ("query($v: LanguageTag) { news(filter: {locale: $v}) { nodes { id } } }", {"v": "!!"}),
        ("query($v: Date) { cases(filter: {createdOn: {from: $v}}) { nodes { id } } }", {"v": "x"}),
        (
            'mutation($v: EmailAddress!) { signIn(input: {email: $v, password: "x"}) { userErrors { code } } }',
            {"v": "ana@"},
        ),
    ],
)
async def test_a_variable_that_is_no_such_value_is_told_and_not_logged_as_ours(
    portal: Portal,
    query: str,
    variables: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await portal.ask(query, variables)
    assert "data" not in answer.body
    assert answer.error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "$v" in answer.error["message"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert answer.calls == []
