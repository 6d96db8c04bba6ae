"""Documents are worked through once, and what is remembered of them has a bound."""

from __future__ import annotations

import pytest

from gateway.operations import documents
from gateway.operations.documents import Documents
from gateway.operations.limits import LimitSettings
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
    ("bound", "most", "left"),
    [("_MOST", 3, 3), ("_MOST_CHARACTERS", 60, 3), ("_MOST_TOKENS", 20, 4)],
)
def test_the_oldest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch, bound: str, most: int, left: int
) -> None:
    monkeypatch.setattr(documents, bound, most)
    known = opened()
    texts = [f"{{ a{number}: __typename }}" for number in range(10)]  # 18 characters, 5 tokens
    for text in texts:
        known.checked(text)
    assert [text for text in texts if known.known(text)] == texts[-left:]


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
