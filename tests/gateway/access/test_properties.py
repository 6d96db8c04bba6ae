"""What holds of any token and any published keys, however odd: hypothesis looks for exceptions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access import compact
from gateway.access.claims import InvalidToken, address, ascii_lower
from gateway.access.remote_keys import _usable
from tests.gateway.access.forged import ANA, CURVE, FIRST, Clock, own_tokens, public, raw

GOOD = own_tokens(Clock()).issue(ANA)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


def refused(token: str) -> bool:
    try:
        own_tokens(Clock()).check(token)
    except InvalidToken:
        return True
    return False


@given(st.text(max_size=300))
def test_text_is_no_token(text: str) -> None:
    assert refused(text)


@given(place=st.integers(0, len(GOOD) - 1), letter=st.characters())
def test_a_token_with_one_other_letter_is_refused(place: int, letter: str) -> None:
    changed = GOOD[:place] + letter + GOOD[place + 1 :]
    assert refused(changed) == (changed != GOOD)


@given(place=st.integers(0, len(GOOD)), more=st.text(min_size=1, max_size=3))
def test_a_token_with_more_in_it_is_refused(place: int, more: str) -> None:
    assert refused(GOOD[:place] + more + GOOD[place:])


@given(place=st.integers(0, len(GOOD) - 1), length=st.integers(1, 20))
def test_a_token_with_less_in_it_is_refused(place: int, length: int) -> None:
    assert refused(GOOD[:place] + GOOD[place + length :])


HEADER = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": own_tokens(Clock()).keys.signing.kid})


@given(ANYTHING)
def test_whatever_our_own_key_signed_is_read_or_refused(payload: Any) -> None:
    """Not even a payload that our key signed raises anything else."""
    assert refused(raw(HEADER, json.dumps(payload), CURVE))


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("iss", "aud", "sub", "email", "exp", "iat", "nbf", "sid", "staff", "scope"), ANYTHING
        ),
    )
)
def test_claims_of_any_type_are_read_or_refused(changes: dict[str, Any]) -> None:
    claims = compact.read(GOOD).claims | changes
    token = raw(HEADER, json.dumps(claims), CURVE)
    try:
        found = own_tokens(Clock()).check(token)
    except InvalidToken:
        return
    assert found.issuer == "https://portal.example"
    assert found.staff or found.email == address(claims["email"])


MEMBERS = ("kty", "n", "e", "crv", "x", "y", "alg", "use", "key_ops", "kid", "d", "k")


@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), ANYTHING), max_size=4))
def test_published_keys_that_are_anything_are_left_out(keys: list[dict[str, Any]]) -> None:
    assert set(_usable([*keys, public(FIRST)])) >= {"first"}


@pytest.mark.parametrize("good", [public(FIRST), public(CURVE)], ids=["RSA", "EC"])
@given(
    changes=st.dictionaries(st.sampled_from(MEMBERS), ANYTHING | st.text("AQab-_=+/"), max_size=3)
)
def test_published_keys_that_are_nearly_right_raise_nothing(
    good: dict[str, Any], changes: dict[str, Any]
) -> None:
    for known in _usable([good | changes]).values():
        assert all(not one.key.is_private for one in known)


@given(st.text(max_size=60))
def test_an_address_only_loses_the_case_of_ascii(text: str) -> None:
    found = address(text)
    if found is None:
        return
    assert len(found) == len(text)
    for was, became in zip(text, found, strict=True):
        assert became == (was.lower() if was.isascii() else was)
    assert address(found) == found


@given(st.emails())
def test_mail_addresses_are_addresses(email: str) -> None:
    assert address(email) == ascii_lower(email)
