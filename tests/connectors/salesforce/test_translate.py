"""Their words become ours, whatever somebody typed into them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port.errors import Unreadable
from connectors.port.records import CaseDetail, CaseStatus, MembershipRole
from connectors.systems.salesforce import translate
from connectors.systems.salesforce.rows import Row
from tests.connectors.salesforce.fake_org import settings

VALUES = settings().values


def row(**data: Any) -> Row:
    return Row(data, "crm", "ask")


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        ([], None),
        (["Buyer"], None),
        (["portal admin"], None),
        (["Portal Reader"], MembershipRole.READER),
        (["Portal Reader", "Buyer", "Portal Member"], MembershipRole.MEMBER),
        (["Portal Member", "Portal Admin"], MembershipRole.ADMIN),
    ],
)
def test_the_strongest_role_counts_and_an_unknown_one_grants_nothing(
    roles: list[str], role: MembershipRole | None
) -> None:
    assert translate.role(VALUES, roles) is role


@pytest.mark.parametrize(
    ("theirs", "closed", "status"),
    [
        ("New", False, CaseStatus.NEW),
        ("Escalated", False, CaseStatus.IN_PROGRESS),
        ("Closed", True, CaseStatus.CLOSED),
        ("Merged", True, CaseStatus.CLOSED),
        ("Triage", False, CaseStatus.IN_PROGRESS),
        (None, False, CaseStatus.IN_PROGRESS),
    ],
)
def test_a_status_that_nobody_listed_is_open_or_closed(
    theirs: str | None, closed: bool, status: CaseStatus
) -> None:
    assert translate.status(VALUES, theirs, closed) is status


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("", ()),
        ("{broken", ()),
        ("[1]", ()),
        ("null", ()),
        ("[" * 5000, ()),
        (
            '{"a": "x", "b": 1.5, "c": true, "d": null, "e": ["y"]}',
            (CaseDetail("a", "x"), CaseDetail("b", "1.5"), CaseDetail("c", "true")),
        ),
    ],
)
def test_details_are_what_the_form_filled_in(text: str, details: tuple[CaseDetail, ...]) -> None:
    assert translate.details(text) == details


@given(st.text(max_size=200))
def test_no_text_breaks_the_details(text: str) -> None:
    assert isinstance(translate.details(text), tuple)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("CO", "CO"), ("co", "CO"), ("Colombia", None), ("", None), (None, None), ("É1", None)],
)
def test_a_country_is_a_code_or_none(theirs: str | None, ours: str | None) -> None:
    assert translate.country(VALUES, theirs) == ours


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("es-CO", "es-CO"), ("pt_BR", "pt-BR"), ("en", "en"), ("English (US)", None), (None, None)],
)
def test_a_locale_is_a_tag_or_none(theirs: str | None, ours: str | None) -> None:
    assert translate.locale(theirs) == ours


def test_a_file_has_its_extension_once() -> None:
    assert translate.filename("photo", "jpg") == "photo.jpg"
    assert translate.filename("photo.JPG", "jpg") == "photo.JPG"
    assert translate.filename("photo.v2", "jpg") == "photo.v2.jpg"
    assert translate.filename("photo", "") == "photo"


def test_times_come_with_an_offset_without_a_colon() -> None:
    found = row(At="2026-03-05T09:12:33.250+0000", Local="2026-03-05T04:12:33.250-0500")
    assert found.moment("At") == datetime(2026, 3, 5, 9, 12, 33, 250_000, UTC)
    assert found.instant("Local") == found.instant("At")


def test_a_relationship_that_leads_nowhere_is_null() -> None:
    assert row(Contact=None).text("Contact.Account.Name") is None
    with pytest.raises(Unreadable, match=r"ask: the answer lacks Contact\.Name"):
        row(Contact={}).text("Contact.Name")
    with pytest.raises(Unreadable, match="lacks"):
        row(Contact="003").text("Contact.Name")


@pytest.mark.parametrize(
    ("data", "read"),
    [
        ({"X": ["a"]}, lambda found: found.text("X")),
        ({"X": True}, lambda found: found.text("X")),
        ({"X": 5}, lambda found: found.body("X")),
        ({"X": None}, lambda found: found.required("X")),
        ({"X": "5"}, lambda found: found.number("X")),
        ({"X": 5}, lambda found: found.instant("X")),
        ({"X": None}, lambda found: found.moment("X")),
        ({"X": "2026-02-30"}, lambda found: found.day("X")),
    ],
)
def test_a_value_of_another_type_is_unreadable(data: dict[str, Any], read: Any) -> None:
    with pytest.raises(Unreadable, match="X"):
        read(row(**data))


def test_values_of_all_types() -> None:
    found = row(Text=" a ", Number=5, Empty=None, Flag=True, Many="a; b;", Day="2026-03-05")
    assert (found.text("Text"), found.text("Number"), found.text("Empty")) == ("a", "5", None)
    assert (found.number("Number"), found.number("Empty")) == (5, 0)
    assert (found.flag("Flag"), found.flag("Empty")) == (True, False)
    assert (found.several("Many"), found.several("Empty")) == (["a", "b"], [])
    assert (str(found.day("Day")), found.day("Empty")) == ("2026-03-05", None)
