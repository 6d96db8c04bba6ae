"""Domains: what is built is what travels, and a value stays a value."""

from __future__ import annotations

import base64
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.systems.tryton.domain import (
    NOTHING,
    Clause,
    Having,
    alike,
    all_of,
    among,
    any_of,
    containing,
    equal,
    escaped,
    listed,
    packed,
    plain,
    present,
)
from tests.connectors.tryton.interpreter import meets
from tests.connectors.tryton.like import like

#: Letters that mean something to a pattern, to SQL, to JSON or to Tryton.
AWKWARD = st.text(st.sampled_from("%_\\'\"[]{}$aáZ ,:\n"), max_size=12)


@pytest.mark.parametrize(
    ("built", "travels"),
    [
        (equal("state", "draft"), [["state", "=", "draft"]]),
        (among("party.code", ["1", "2"]), [["party.code", "in", ["1", "2"]]]),
        (present("number"), [["number", "!=", None]]),
        (
            Clause("sale_date", ">=", date(2026, 3, 9)),
            [["sale_date", ">=", {"__class__": "date", "year": 2026, "month": 3, "day": 9}]],
        ),
        (
            all_of([equal("a", 1), None, any_of(equal("b", 2), all_of([equal("c", 3)]))]),
            [["a", "=", 1], ["OR", ["b", "=", 2], [["c", "=", 3]]]],
        ),
        (
            Having("relations", all_of([among("to", [5]), equal("type.name", "x")])),
            [["relations", "where", [["to", "in", [5]], ["type.name", "=", "x"]]]],
        ),
        (Having("relations", equal("to", 5)), [["relations", "where", [["to", "=", 5]]]]),
        (any_of(), [["id", "in", []]]),
        (all_of([]), []),
        (containing("reference", "50%_\\'"), [["reference", "ilike", "%50\\%\\_\\\\'%"]]),
        (alike("value", "a_b"), [["value", "ilike", "a\\_b"]]),
    ],
)
def test_domains_travel_as_tryton_reads_them(built: object, travels: object) -> None:
    assert listed(built) == travels  # type: ignore[arg-type]  # parametrised by object


@pytest.mark.parametrize("path", ["", "a b", "a.", ".a", "a..b", 'a"', "a]", "OR", "A", "a-b"])
def test_a_path_is_never_a_callers(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        Clause(path, "=", 1)
    with pytest.raises(ValueError, match="no path"):
        Having(path, NOTHING)


@pytest.mark.parametrize("text", ["\0", "a\0", "\ud800", "x\udfff"])
def test_what_no_database_holds_is_nowhere(text: str) -> None:
    assert equal("number", text) == containing("number", text) == alike("number", text) == NOTHING
    assert among("number", ["1", text]) == Clause("number", "in", ("1",))


@given(st.text(), AWKWARD)
def test_a_value_comes_out_as_it_went_in(text: str, other: str) -> None:
    for value in (text, other):
        clause = Clause("reference", "=", value)
        if "\0" not in value:
            assert json.loads(json.dumps(plain(clause))) == ["reference", "=", value]
    query = packed(listed(all_of([equal("reference", other), equal("number", text)])))
    assert set(query) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")
    decoded = json.loads(base64.urlsafe_b64decode(query))
    assert decoded[0] == ["reference", "=", other]
    assert decoded[1] in (["number", "=", text], ["id", "in", []])


@given(AWKWARD, AWKWARD)
def test_an_escaped_text_matches_itself_alone(wanted: str, other: str) -> None:
    assert like(wanted, escaped(wanted))
    assert like(other, escaped(wanted)) == (other == wanted)


@given(AWKWARD, AWKWARD, AWKWARD)
def test_a_search_finds_what_holds_the_text(before: str, wanted: str, after: str) -> None:
    domain = listed(containing("reference", wanted))
    for held in (before + wanted + after, before + after, before, after):
        expected = wanted.lower() in held.lower()
        assert meets({"reference": held}, domain) == expected


def test_the_oracle_knows_wildcards() -> None:
    assert like("abc", "a%")
    assert like("abc", "%b%")
    assert like("abc", "a_c")
    assert not like("abc", "a_")
    assert not like("abc", "a\\%")
    assert like("", "%")
    assert not like("", "_")
    with pytest.raises(ValueError, match="nothing"):
        like("a", "a\\")
