"""Global ids come back as they went; anything else is refused by the name of its argument."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import InputError
from schema.nodes import from_global, key_of, to_global
from schema.root import SCHEMA

assert SCHEMA is not None, "the rooms have declared what can be found"

KEYS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=60)


@given(st.sampled_from(["Account", "Contact", "Case", "Order", "NewsArticle", "FaqEntry"]), KEYS)
def test_an_id_comes_back(type_name: str, key: str) -> None:
    assert from_global("id", to_global(type_name, key)) == (type_name, key)


@given(st.text(max_size=100))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError) as raised:
        from_global("by.id", text)
    assert raised.value.extensions == {"argument": "by.id"}


@pytest.mark.parametrize(
    "raw", ["Query:1", "Case:", "Case", ":1", "Case:a\nb", "Case:" + "x" * 201, "case:1"]
)
def test_an_id_of_nothing_that_can_be_found_is_refused(raw: str) -> None:
    value = base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")
    with pytest.raises(InputError):
        from_global("id", value)


def test_one_object_has_one_id() -> None:
    padded = base64.urlsafe_b64encode(b"Case:12").decode()
    assert padded.endswith("=")
    with pytest.raises(InputError):
        from_global("id", padded)


def test_an_id_of_another_type_is_refused_by_name() -> None:
    with pytest.raises(InputError) as raised:
        key_of("caseId", to_global("Order", "1"), "Case")
    assert raised.value.values["found"] == "Order"
