"""What is told of many records at once is what is told of each by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port import records
from connectors.port.fields import NOT_FETCHED
from connectors.port.records import Account, Case, Contact, Order
from connectors.port.scope import AccountRef, Scope
from gateway.sources.clean import _PLACES, clean
from gateway.sources.guarded import _may_pass, _stripped

OWN, EQUAL, FOREIGN = AccountRef("a1"), AccountRef("a1"), AccountRef("a2")
SCOPE = Scope([OWN])


def _owners() -> st.SearchStrategy[Any]:
    return st.sampled_from([OWN, OWN, OWN, OWN, EQUAL, EQUAL, FOREIGN, None, NOT_FETCHED])


def _accounts() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.just(NOT_FETCHED), st.none(), st.builds(Account, id=st.just("x"), owner=_owners())
    )


def _contacts() -> st.SearchStrategy[Any]:
    made = st.builds(Contact, id=st.just("x"), owner=_owners(), account=_accounts())
    return st.one_of(st.just(NOT_FETCHED), st.none(), made)


def _records() -> st.SearchStrategy[list[Any]]:
    case = st.builds(
        Case, id=st.just("x"), owner=_owners(), contact=_contacts(), account=_accounts()
    )
    contact = st.builds(Contact, id=st.just("x"), owner=_owners(), account=_accounts())
    order = st.builds(Order, id=st.just("x"), owner=_owners())
    kinds = [st.lists(kind, max_size=4) for kind in (case, contact, order)]
    return st.one_of(*kinds, st.lists(st.one_of(case, contact, order), max_size=3))


@given(_records())
def test_clean_records_all_pass_as_they_are(found: list[Any]) -> None:
    one_by_one = all(_may_pass(one, SCOPE) and _stripped(one, SCOPE) is one for one in found)
    if clean(found, SCOPE):
        assert one_by_one
    elif len({type(one) for one in found}) == 1:
        assert not one_by_one  # it is worth being asked


@pytest.mark.parametrize("owner", [None, NOT_FETCHED, SCOPE, "a1", FOREIGN])
def test_a_record_of_nobody_is_never_clean(owner: Any) -> None:
    assert not clean([Case("x", owner)], SCOPE)
    assert not clean([Case("x", OWN), Case("x", owner)], SCOPE)
    assert not clean([Case("x", OWN, contact=Contact("y", owner))], SCOPE)
    assert not clean(
        [Case("x", OWN, contact=Contact("y", OWN, account=Account("z", owner)))], SCOPE
    )


def test_what_nobody_knows_is_never_clean() -> None:
    @dataclass
    class Other:
        owner: AccountRef

    assert not clean([Other(OWN)], SCOPE)


def test_every_record_with_an_owner_is_known() -> None:
    owned = {
        kind
        for kind in vars(records).values()
        if isinstance(kind, type) and "owner" in getattr(kind, "__dataclass_fields__", {})
    }
    assert owned - _PLACES.keys() == {records.Content}  # bytes on their way, looked at by hand
    for kind, places in _PLACES.items():
        fields: Any = vars(kind)["__dataclass_fields__"]
        held = {name: str(field.type).partition(" |")[0] for name, field in fields.items()}
        embedded = {n: held for n, held in held.items() if held in ("Account", "Contact")}
        assert embedded == {name: one.__name__ for name, one in places.items()}
