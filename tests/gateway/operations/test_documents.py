"""Documents are worked through once, and what is remembered of them has a bound."""

from __future__ import annotations

import gc
import weakref

import pytest

from gateway.operations.documents import ONCE, Bounds, Checked, Documents
from gateway.operations.limits import LimitSettings
from gateway.operations.requests import Outcome, Request
from gateway.operations.run import Operations, Ready
from schema.root import SCHEMA

GRAPH = SCHEMA._schema


def opened() -> Documents:
    return Documents(GRAPH, LimitSettings())


def test_the_same_text_is_the_same_document() -> None:
    known = opened()
    assert known.known("{ __typename }") is None
    first = known.checked("{ __typename }")
    assert known.checked("{ __typename }") is first
    assert (first.depth, first.introspects) == (1, False)
    wrong = known.checked("{ nothing }")
    assert known.checked("{ nothing }") is wrong
    assert wrong.document is None
    known.forget()
    assert known.known("{ nothing }") is None


@pytest.mark.parametrize(
    ("bounds", "left"),
    [(Bounds(3, 900, 900), 3), (Bounds(9, 60, 900), 3), (Bounds(9, 900, 20), 4)],
)
def test_the_oldest_are_forgotten(bounds: Bounds, left: int) -> None:
    gone: list[Checked] = []
    known = Documents(GRAPH, LimitSettings(), gone.append, again=bounds)
    texts = [f"{{ a{number}: __typename }}" for number in range(10)]  # 18 characters, 5 tokens
    checked = [known.checked(text) for text in texts]
    for text in texts:
        assert known.known(text)
    assert gone == checked[:-left]
    assert [text for text in texts if known.known(text)] == texts[-left:]


def test_documents_that_are_asked_once_push_out_none_that_is_asked_again() -> None:
    known = Documents(GRAPH, LimitSettings(), once=Bounds(3, 900, 900))
    used = "{ __typename }"
    assert known.checked(used) is known.checked(used)
    texts = [f"{{ a{number}: __typename }}" for number in range(10)]
    for text in texts:
        known.checked(text)
    assert known.known(used)
    assert [text for text in texts if known.known(text)] == texts[-3:]


def test_what_is_forgotten_of_a_document_is_its_plan_too() -> None:
    operations = Operations(GRAPH)
    plans = operations._plans
    assert plans is not None
    for number in range(120):
        ready = operations.prepare(Request(f"query A {{ a{number}: __typename }}"))
        assert isinstance(ready, Ready)
        assert ready.checked.document is not None
        for name in (None, "A"):
            plans.plan(ready.checked.document, name)
    assert len(plans._known) == len(plans._documents) == 2 * ONCE.documents


def test_a_request_that_is_kept_is_priced_once_and_keeps_no_document() -> None:
    operations = Operations(GRAPH)
    request = Request("{ __typename }", worked_out={})
    first, again = operations.prepare(request), operations.prepare(request)
    assert isinstance(first, Ready)
    assert isinstance(again, Ready)
    assert again == first
    assert again.worth is first.worth
    assert first.checked.document is not None
    document, hidden = weakref.ref(first.checked.document), operations.prepare(request, False)
    assert isinstance(hidden, Ready)
    assert not hidden.shows_schema
    operations.documents.forget()
    del first, again, hidden
    gc.collect()
    assert document() is None
    anew = operations.prepare(request)
    assert isinstance(anew, Ready)
    assert operations.documents.known(request.query) is anew.checked


def test_what_may_not_be_run_is_looked_at_each_time() -> None:
    operations = Operations(GRAPH)
    request = Request("{ nothing }", worked_out={})
    told = [operations.prepare(request, shown) for shown in (True, False, True)]
    assert all(isinstance(one, Outcome) for one in told)
    assert request.worked_out == {}


def test_what_is_longer_than_any_document_is_not_kept() -> None:
    known = opened()
    text = "{ a }" + " " * 100_000
    assert known.checked(text).status == 422
    assert known.known(text) is None


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("{ __schema { types { name } } }", True),
        ('{ ...F } fragment F on Query { __type(name: "Case") { name } }', True),
        ("{ viewer { __typename } }", False),
    ],
)
def test_a_look_at_the_schema_is_seen(text: str, looks: bool) -> None:
    assert opened().checked(text).introspects is looks
