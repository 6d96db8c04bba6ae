"""One key for one question: never for two."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port.pages import Keyset, Slice
from connectors.port.queries import CaseQuery, ContactQuery, OrderQuery
from connectors.port.records import CaseStatus
from connectors.port.scope import AccountRef, Scope
from gateway.sources.freshness import PUBLIC
from gateway.sources.keys import key_of, written
from gateway.sources.methods import METHODS

words = st.text(max_size=3)
accounts = st.builds(
    AccountRef, words, st.none() | words, st.none() | st.sampled_from(["CO", "PE"])
)
scopes = st.builds(Scope, st.lists(accounts, max_size=3))
slices = st.builds(
    Slice,
    st.integers(1, 3),
    st.none() | st.builds(Keyset, st.one_of(words, st.integers(0, 2), st.dates()), words),
)
fields = st.frozensets(st.sampled_from(["number", "status", "contact", "contact.name"]))
several = st.none() | st.lists(words, max_size=2).map(tuple)
queries = st.one_of(
    st.builds(
        CaseQuery,
        scopes,
        fields,
        slices,
        number=st.none() | words,
        categories=several,
        subcategories=several,
        statuses=st.none() | st.lists(st.sampled_from(CaseStatus), max_size=2).map(tuple),
        created_from=st.none() | st.datetimes(timezones=st.just(UTC)),
        descending=st.booleans(),
        with_total=st.booleans(),
    ),
    st.builds(
        OrderQuery, scopes, fields, slices, search=st.none() | words, number=st.none() | words
    ),
    st.builds(ContactQuery, scopes, fields, words, slices),
)
sources, methods = st.sampled_from(["crm", "erp"]), st.sampled_from(sorted(METHODS))
lists = st.builds(key_of, sources, methods, queries, st.just(()))
by_id = st.builds(key_of, sources, methods, words, st.tuples(fields, scopes))
everything = st.one_of(lists, by_id)


@given(everything, everything)
def test_two_questions_share_a_key_only_if_they_are_the_same(one: Any, other: Any) -> None:
    assert (written(one) == written(other)) == (one == other)
    assert written(one) == written(one)
    if one == other:
        assert hash(one) == hash(other)


@given(scopes, scopes, fields, words)
def test_two_scopes_never_share_a_key(one: Scope, other: Scope, wanted: Any, item: str) -> None:
    first = key_of("crm", "cases_by_id", item, (wanted, one))
    second = key_of("crm", "cases_by_id", item, (wanted, other))
    assert (written(first) == written(second)) == (one == other) == (first == second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b"), ("ab",)),
        (("a",), "a"),
        (None, "None"),
        (1, True),
        (1, "1"),
        (date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
        (CaseStatus.NEW, "NEW"),
        (frozenset({"a", "b"}), ("a", "b")),
        (frozenset({'a","b'}), frozenset({"a", "b"})),
        (Scope(), ()),
    ],
)
def test_what_looks_alike_is_not_written_alike(one: Any, other: Any) -> None:
    assert written(key_of("s", "m", one, ())) != written(key_of("s", "m", other, ()))


def test_what_no_question_holds_has_no_key() -> None:
    for odd in (1.5, b"x", object(), [1]):
        with pytest.raises(TypeError):
            written(key_of("s", "m", odd, ()))


def test_a_question_without_a_scope_is_not_answered_from_memory() -> None:
    for method in METHODS.values():
        if method.kind in PUBLIC:
            assert method.scope(("x", frozenset())) is None
            continue
        with pytest.raises(TypeError):
            method.scope(("x", frozenset({"name"})))
