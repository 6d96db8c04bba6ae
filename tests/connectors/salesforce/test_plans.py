"""Plans read what `translate` reads, or leave it to it; they never read something else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from connectors.port.errors import Unreadable
from connectors.port.making import defaults, maker
from connectors.port.records import Account, Case, CaseStatus, Contact
from connectors.port.scope import AccountRef, Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.answers import Rows, UnreadAnswer, as_written
from connectors.systems.salesforce.plans import Plan
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from tests.connectors.salesforce.fake_org import settings as org

ORG: Settings = org()
#: Columns behind relationships, columns that one name is too many for, words that nobody says.
ODD: Settings = org(
    columns={
        "case": {
            "team": "Owner.Profile.class",
            "order_number": "Contact.Account.None",
            "subject": "Type",
            "closed_at": None,
            "details": "",
            "subcategory": "def",
        },
        "contact": {"mobile": None, "locale": "Account.Name", "job_title": ""},
        "account": {"tax_id": None, "country": "Owner.Country"},
    },
    values={
        "category": {"A": [" Query ", "New"], "B": ["", "x y"], "C": ["New", "Query"]},
        "status": {"NEW": ["New", " New "], "CLOSED": [""]},
        "countries": {"CO": ["x y", "New"], "PE": [" "]},
    },
)
#: A column that is asked for as a text and as a time.
TWICE: Settings = org(columns={"case": {"subject": "CreatedDate", "team": "IsClosed"}})
OURS, THEIRS = "001A000001aaaaaIAA", "001A000001bbbbbIAA"
ALSO = "001A000001cccccIAA"
SCOPE = Scope([AccountRef(OURS, "100001", "CO"), AccountRef(ALSO)])
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
    [None, "", " ", "New", " New ", "Closed", "Query", " Query ", "CO", "pt_BR", "x y", "Training"]
) | st.text(max_size=5)
times = st.sampled_from(["2026-11-18T15:30:00.000+0000", "2026-11-18T15:30:00.123+0530"])
owners = st.sampled_from([OURS, OURS, OURS, ALSO, f" {OURS}", THEIRS, None])
ids = st.sampled_from(["003A000001aaaaaIAA", "500A000001aaaaaIAA", " 003A000001aaaaaIAA"])
odd: st.SearchStrategy[Any] = st.sampled_from(
    [*(1, 1.5, True, False, [], {}, None), "2026-11-18", "yesterday", "2026-11-18T15:30:00"]
)


def _value(draw: st.DrawFn, column: str) -> Any:
    last = column.rpartition(".")[2]
    if last == "AccountId":
        return draw(owners)
    if last in ("CreatedDate", "LastModifiedDate", "ClosedDate"):
        return draw(times)
    if last == "IsClosed":
        return draw(st.sampled_from([True, False, None]))
    if last in ("Id", "ContactId"):
        return draw(ids)
    return draw(usual)


@st.composite
def asked(draw: st.DrawFn) -> tuple[Settings, frozenset[str], list[dict[str, Any]]]:
    """Fields, and rows that an org may answer for them: some columns empty, odd or missing, and
    rows that share a contact or an account, or nearly so."""
    of, wanted = draw(st.sampled_from([ORG, ORG, ORG, ODD, TWICE])), draw(fields)
    columns = selection.case(of.columns, wanted)
    rows: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 4))):
        row = _row(draw, columns)
        if draw(st.booleans()) and rows:
            alike = draw(st.sampled_from(rows))
            shared = draw(st.sampled_from(["ContactId", "Contact", "Account", "AccountId"]))
            row |= {key: alike[key] for key in (shared, "ContactId", "AccountId") if key in alike}
        rows.append(row)
    if draw(st.sampled_from([False, False, False, True])):
        _spoil(draw, draw(st.sampled_from(rows)), draw(st.sampled_from(columns)))
    return of, wanted, rows


def _row(draw: st.DrawFn, columns: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"attributes": {"type": "Case"}}
    for column in columns:
        *way, last = column.split(".")
        at: Any = row
        for step in way:
            at = at.setdefault(step, {})
        at[last] = _value(draw, column)
    if draw(st.booleans()):
        _nulls(draw, row)
    if "ContactId" in row and draw(st.sampled_from([False, False, False, True])):
        row["ContactId"] = None
    return row


def _spoil(draw: st.DrawFn, row: dict[str, Any], column: str) -> None:
    """A column of a row is missing, or holds what it never does."""
    *way, last = column.split(".")
    at: Any = row
    for step in way:
        at = at[step] if at is not None else None
    if at is not None and draw(st.booleans()):
        at[last] = draw(odd)
    elif at is not None:
        del at[last]


def _nulls(draw: st.DrawFn, holder: dict[str, Any]) -> None:
    """Some of the relationships lead to nothing, at any depth."""
    for step, inner in holder.items():
        if isinstance(inner, dict) and step != "attributes":
            if draw(st.sampled_from([False, False, True])):
                holder[step] = None
            else:
                _nulls(draw, inner)


def _answered(rows: list[dict[str, Any]], plan: Plan) -> Rows:
    """The rows as the client hands them to a plan."""
    body = msgspec.json.encode({"totalSize": len(rows), "done": True, "records": rows})
    answer = plan.reading.alone(body) if plan.reading else None
    return answer.records if answer else msgspec.json.decode(body, type=UnreadAnswer).records


def _planned(
    rows: list[dict[str, Any]], wanted: frozenset[str], of: Settings = ORG
) -> list[Case] | None:
    plan = Plan(of, wanted)
    return plan.read([_answered(rows, plan)], SCOPE)


def _by_rows(
    rows: list[dict[str, Any]], wanted: frozenset[str], of: Settings = ORG
) -> list[Case] | Unreadable:
    """What `translate` reads, or why it cannot."""
    try:
        found = [translate.case(Row(row, "crm", "ask"), of, wanted, SCOPE) for row in rows]
    except Unreadable as error:
        return error
    return [case for case in found if case is not None]


@settings(max_examples=600)
@given(asked())
def test_a_plan_reads_as_rows_are_read(
    given_: tuple[Settings, frozenset[str], list[dict[str, Any]]],
) -> None:
    of, wanted, rows = given_
    planned = _planned(rows, wanted, of)
    event("planned" if planned is not None else "left to rows")
    found = _by_rows(rows, wanted, of)
    if planned is not None:
        assert planned == found
        assert repr(planned) == repr(found)
        return
    # What is left to rows is read from what the client kept of them, which is to lose nothing.
    kept = msgspec.json.decode(as_written(_answered(rows, Plan(of, wanted))))
    again = _by_rows(kept, wanted, of)
    assert repr(again) == repr(found)


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
    planned = _planned([row], wanted)
    assert planned
    assert planned == _by_rows([row], wanted)
    assert planned[0].contact
    assert planned[0].contact.account == Account(OURS, SCOPE.accounts[0], "x", "x", "x", None, "x")


def test_a_row_of_nobody_of_the_scope_is_left_out_by_a_plan() -> None:
    row = {"Id": "500A000001aaaaaIAA", "AccountId": THEIRS}
    assert _planned([row], frozenset()) == []


def test_a_column_that_is_missing_is_named_all_the_same() -> None:
    row = {"Id": "500A000001aaaaaIAA", "AccountId": OURS}
    wanted = frozenset({"number"})
    assert _planned([row], wanted) is None
    error = _by_rows([row], wanted)
    assert isinstance(error, Unreadable)
    assert "lacks CaseNumber" in str(error)


def test_a_made_record_is_the_record() -> None:
    values = defaults(Account) | {"id": "1", "owner": SCOPE.accounts[0], "number": "x"}
    made = maker(Account)(*values.values())
    assert made == Account("1", SCOPE.accounts[0], "x")
    assert (type(made), hash(made)) == (Account, hash(Account("1", SCOPE.accounts[0], "x")))
    with pytest.raises(AttributeError):
        made.number = "y"  # type: ignore[misc]  # what is tried here


def test_what_a_plan_cannot_read_is_left_to_rows() -> None:
    row = {"Id": "500A000001aaaaaIAA", "AccountId": OURS, "CreatedDate": "2026-11-18T15:30:00Z"}
    assert _planned([row], frozenset({"created_at"}), TWICE)
    assert _planned([row], frozenset({"created_at", "subject"}), TWICE) is None
    assert _planned([row], frozenset({"account", "account.billing_address"})) is None


def test_a_time_that_no_clock_can_say_in_utc_is_left_to_rows() -> None:
    row = {"Id": "500A000001aaaaaIAA", "AccountId": OURS, "CreatedDate": "0001-01-01T00:00:00+0530"}
    assert _planned([row], frozenset({"created_at"})) is None


def test_rows_of_one_account_and_one_contact_share_their_records() -> None:
    wanted = frozenset({"account", "account.name", "contact", "contact.name"})
    person, account = "003A000001aaaaaIAA", {"Name": "Andina"}

    def row(name: str) -> dict[str, Any]:
        contact = {"AccountId": OURS, "Name": name}
        of = {"Id": "500A000001aaaaaIAA", "AccountId": OURS, "Account": account}
        return {**of, "ContactId": person, "Contact": contact}

    rows = [row("Ana"), row("Ana"), row("Luis")]
    planned = _planned(rows, wanted)
    assert planned == _by_rows(rows, wanted)
    assert planned
    first, again, another = planned
    assert first.account is again.account is another.account
    assert first.contact is again.contact
    assert another.contact is not first.contact


def test_values_are_looked_up_without_the_space_around_them() -> None:
    row = {"Id": " 500A000001aaaaaIAA", "AccountId": OURS, "Type": " Query ", "Status": "New\n"}
    wanted = frozenset({"category", "status"})
    planned = _planned([row | {"IsClosed": False}], wanted)
    assert planned == [
        Case("500A000001aaaaaIAA", SCOPE.accounts[0], category="QUERY", status=CaseStatus.NEW)
    ]
