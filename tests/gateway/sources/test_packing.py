"""Records as bytes and back are the same records, what nobody asked for left out."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors.port.fields import NOT_FETCHED
from connectors.port.pages import Page
from connectors.port.records import (
    Account,
    Address,
    Author,
    Case,
    CaseComment,
    CaseStatus,
    Contact,
    Money,
    Order,
)
from connectors.port.scope import AccountRef
from gateway.sources.packing import pack, unpack, value_of

OWNER = AccountRef("a", "100", "CO")
NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
ACCOUNT = Account("a", OWNER, name="Andina")
CASE = Case(
    "1",
    OWNER,
    subject="¿dónde?",
    status=CaseStatus.NEW,
    created_at=NOW,
    contact=Contact("2", OWNER, name="Ana", account=ACCOUNT),
    account=ACCOUNT,
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, Account | None),
        (ACCOUNT, Account | None),
        (Page([CASE, Case("2", OWNER, contact=None)], has_next=True, total=7), Page[Case]),
        ([CaseComment("3", OWNER, "1", author=Author("x", True))], list[CaseComment]),
        (Page([Order("4", OWNER, total=Money(Decimal("10.50"), "COP"))]), Page[Order]),
        ([Address("Calle 1")], list[Address] | None),
    ],
)
def test_what_is_packed_comes_out_as_it_was(value: Any, kind: Any) -> None:
    packed = unpack(pack(value, 5.0, ["1", "2"]))
    assert (packed.at, packed.versions) == (5.0, ["1", "2"])
    assert value_of(packed, kind) == value


def test_what_nobody_asked_for_stays_out() -> None:
    packed = unpack(pack(Case("1", OWNER), 0.0, []))
    owner = {"id": "a", "number": "100", "country": "CO"}
    assert msgspec.msgpack.decode(packed.value) == {"id": "1", "owner": owner}
    assert value_of(packed, Case | None).subject is NOT_FETCHED
