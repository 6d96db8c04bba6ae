"""Plans read what `translate` reads, or leave it to it; they never read something else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from connectors.port.errors import Unreadable
from connectors.port.making import maker, template
from connectors.port.records import Account, Case, Contact
from connectors.port.scope import AccountRef, Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.plans import Plan
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from tests.connectors.salesforce.fake_org import settings as org

ORG: Settings = org()
OURS, THEIRS = "001A000001aaaaaIAA", "001A000001bbbbbIAA"
SCOPE = Scope([AccountRef(OURS, "100001", "CO")])
_OWN = [name for name in Case.__slots__ if name not in ("id", "owner", "pending")]
_OF_CONTACT = [f"contact.{n}" for n in Contact.__slots__ if n not in ("id", "owner")]
_OF_ACCOUNT = [n for n in Account.__slots__ if n not in ("id", "owner", "billing_address")]
_NAMES = [
    *_OWN,
    *_OF_CONTACT,
    *(f"account.{name}" for name in _OF_ACCOUNT),
    *(f"contact.account.{name}" for name in _OF_ACCOUNT),
]

fields = st.frozensets(st.sampled_from(_NAMES)).map(
    lambda found: (
        found
        | {name.partition(".")[0] for name in found}
        | ({"contact.account"} if any(n.startswith("contact.account.") for n in found) else set())
    )
)
usual = st.sampled_from(
    [None, "", " ", "New", "Closed", " Query ", "CO", "pt_BR", "x y"]
) | st.text(max_size=5)
times = st.sampled_from(
    [None, "2026-11-18T15:30:00.000+0000", "2026-11-18T15:30:00.123+0530", "2026-11-18T15:30:00"]
)
odd = st.sampled_from([1, 1.5, True, False, [], {}, "2026-11-18", "yesterday"])


def _value(draw: st.DrawFn, column: str) -> Any:
    last = column.rpartition(".")[2]
    if draw(st.integers(0, 200)) == 0:
        return draw(odd)
    if last == "AccountId":
        return draw(st.sampled_from([OURS, OURS, OURS, THEIRS, None]))
    if last in ("CreatedDate", "LastModifiedDate", "ClosedDate"):
        return draw(times)
    if last == "IsClosed":
        return draw(st.sampled_from([True, False, None]))
    if last in ("Id", "ContactId"):
        return draw(st.sampled_from(["003A000001aaaaaIAA", "500A000001aaaaaIAA"] * 8 + [None]))
    return draw(usual)


@st.composite
def asked(draw: st.DrawFn) -> tuple[frozenset[str], list[dict[str, Any]]]:
    """Fields, and rows that the org may answer for them: some columns empty, odd or missing."""
    wanted = draw(fields)
    columns = selection.case(ORG.columns, wanted)
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        row: dict[str, Any] = {"attributes": {"type": "Case"}}
        for column in columns:
            if draw(st.integers(0, 200)) == 0:
                continue
            *way, last = column.split(".")
            at: Any = row
            for step in way:
                at = at.setdefault(step, {}) if isinstance(at, dict) else None
            if isinstance(at, dict):
                at[last] = _value(draw, column)
        for relationship in ("Contact", "Account"):
            if relationship in row and draw(st.integers(0, 10)) == 0:
                row[relationship] = None
        rows.append(row)
    return wanted, rows


def _by_rows(rows: list[dict[str, Any]], wanted: frozenset[str]) -> list[Case] | None:
    found = [translate.case(Row(row, "crm", "ask"), ORG, wanted, SCOPE) for row in rows]
    return [case for case in found if case is not None]


@settings(max_examples=400)
@given(asked())
def test_a_plan_reads_as_rows_are_read(given_: tuple[frozenset[str], list[dict[str, Any]]]) -> None:
    wanted, rows = given_
    planned = Plan(ORG, wanted).read([msgspec.Raw(msgspec.json.encode(rows))], SCOPE)
    event("planned" if planned is not None else "left to rows")
    if planned is None:
        return  # whatever it was, it is read row by row
    found = _by_rows(rows, wanted)
    assert planned == found
    assert repr(planned) == repr(found)


def test_what_is_documented_is_planned() -> None:
    wanted = frozenset(_NAMES)
    row: dict[str, Any] = {}
    for column in selection.case(ORG.columns, wanted):
        *way, last = column.split(".")
        at = row
        for step in way:
            at = at.setdefault(step, {})
        at[last] = OURS if last == "AccountId" else "x"
        if last.endswith("Date"):
            at[last] = "2026-11-18T15:30:00.000+0000"
        if last == "IsClosed":
            at[last] = False
    planned = Plan(ORG, wanted).read([msgspec.Raw(msgspec.json.encode([row]))], SCOPE)
    assert planned
    assert planned == _by_rows([row], wanted)
    assert planned[0].contact
    assert planned[0].contact.account == Account(OURS, SCOPE.accounts[0], "x", "x", "x", None, "x")


def test_a_row_of_nobody_of_the_scope_is_left_out_by_a_plan() -> None:
    row = {"Id": "500A000001aaaaaIAA", "AccountId": THEIRS}
    assert Plan(ORG, frozenset()).read([msgspec.Raw(msgspec.json.encode([row]))], SCOPE) == []


def test_a_column_that_is_missing_is_named_all_the_same() -> None:
    row = {"Id": "500A000001aaaaaIAA", "AccountId": OURS}
    wanted = frozenset({"number"})
    assert Plan(ORG, wanted).read([msgspec.Raw(msgspec.json.encode([row]))], SCOPE) is None
    with pytest.raises(Unreadable, match="lacks CaseNumber"):
        _by_rows([row], wanted)


def test_a_made_record_is_the_record() -> None:
    values = template(Account, id="1", owner=SCOPE.accounts[0], number="x")
    made = maker(Account)(*values)
    assert made == Account("1", SCOPE.accounts[0], "x")
    assert (type(made), hash(made)) == (Account, hash(Account("1", SCOPE.accounts[0], "x")))
    with pytest.raises(AttributeError):
        made.number = "y"  # type: ignore[misc]  # what is tried here
