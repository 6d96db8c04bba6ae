"""Nothing that somebody typed can become a part of a query other than a value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.systems.salesforce import soql
from connectors.systems.salesforce.soql import (
    Column,
    Columns,
    Count,
    Order,
    Select,
    columns,
    either,
    every,
    literal,
    pattern,
    quoted,
    record_id,
    same,
)

_MEANINGS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}

texts = st.text(max_size=60) | st.text(alphabet="'\\\"%_\n\r\t\b\fnOR =()u", max_size=30)


def read_literal(text: str, at: int, like: bool = False) -> tuple[str, int]:
    """Reads one quoted literal of the vendor's grammar: what it means, and where it ends. In a LIKE
    pattern an escaped wildcard comes out as U+E000 (%) or U+E001 (_)."""
    assert text[at] == "'", "no literal begins here"
    at, meaning = at + 1, []
    while text[at] != "'":
        if text[at] != "\\":
            assert text[at] not in "\n\r", "a literal does not span lines"
            meaning.append(text[at])
            at += 1
            continue
        letter = text[at + 1]
        if like and letter in "%_":
            meaning.append("\ue000" if letter == "%" else "\ue001")
        else:
            meaning.append(_MEANINGS[letter])  # any other escape is an error of the query
        at += 2
    return "".join(meaning), at + 1


def shape(query: str) -> tuple[str, list[str]]:
    """A query with a ? in place of each literal, and what the literals mean."""
    out: list[str] = []
    values: list[str] = []
    at = 0
    while at < len(query):
        if query[at] == "'":
            value, at = read_literal(query, at, like="LIKE" in "".join(out[-6:]))
            values.append(value)
            out.append("?")
        else:
            out.append(query[at])
            at += 1
    return "".join(out), values


@given(texts)
def test_a_literal_means_the_text_it_was_made_of(text: str) -> None:
    written = literal(text)
    assert read_literal(written, 0) == (text, len(written))


@given(texts)
def test_a_pattern_has_no_wildcards_but_its_own(text: str) -> None:
    meaning, end = read_literal(pattern(text), 0, like=True)
    assert end == len(pattern(text))
    assert meaning[0] == meaning[-1] == "%"
    inner = meaning[1:-1]
    assert "%" not in inner
    assert "_" not in inner
    assert inner.replace("\ue000", "%").replace("\ue001", "_") == text.replace(
        "\ue000", "%"
    ).replace("\ue001", "_")


@given(texts, texts, texts, st.lists(texts, min_size=1, max_size=4))
def test_no_text_changes_the_shape_of_a_query(a: str, b: str, c: str, many: list[str]) -> None:
    def asked(one: str, two: str, word: str, several: list[str]) -> str:
        where = every(
            Column("Name").equals(one),
            either(Column("Subject").contains(word), Column("Type").one_of(several)),
            Column("Roles").includes(["x"]),
            Column("ContactId").within(Select("Contact", columns(["Id"]), soql.ID.after(two))),
        )
        return Select("Case", columns(["Id"]), where, (Order(soql.ID),), 3).soql()

    plain, _ = shape(asked("x", "x", "x", ["x"] * len(many)))
    planted, values = shape(asked(a, b, c, many))
    assert planted == plain
    assert values[0] == a
    assert values[2:-2] == many
    assert values[-1] == b


@given(texts | st.text(alphabet="aé~-_.% ,'():<>=&+#/\ud800", max_size=30))
def test_a_query_is_quoted_as_any_text_in_an_address_is(text: str) -> None:
    try:
        expected = quote(text, safe="")
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            quoted(text)
    else:
        assert quoted(text) == expected


def test_columns_that_are_kept_are_as_those_that_are_not() -> None:
    names = ["Id", "Owner.Name", "Id"]
    where, order = Column("Name").equals("A, b"), (Order(Column("Id")),)
    kept = Select("Case", Columns(names), where, order, 3)
    assert kept.soql() == Select("Case", columns(names), where, order, 3).soql()
    assert kept.quoted() == quote(kept.soql(), safe="")
    assert Count("Case", where).quoted() == quote(Count("Case", where).soql(), safe="")
    for wrong in (["Id", "Name FROM User"], []):
        with pytest.raises(ValueError, match=r"column"):
            Columns(wrong)


def test_a_query_in_full() -> None:
    where = every(
        Column("AccountId").one_of(["a", "b"]),
        either(Column("Type").equals(None), Column("Type").none_of(["Query"])),
        Column("IsClosed").equals(False),
        Column("CreatedDate").since(datetime(2026, 3, 1, tzinfo=UTC)),
        Column("Amount__c").before(5),
    )
    child = Select("CaseComments", columns(["Id"]), Column("IsPublished").equals(True))
    query = Select(
        "Case",
        (*columns(["Id", "Account.Name", "Id"]), child),
        where,
        (Order(Column("CreatedDate"), descending=True), Order(soql.ID)),
        26,
    )
    assert query.soql() == (
        "SELECT Id,Account.Name,(SELECT Id FROM CaseComments WHERE IsPublished = true) FROM Case "
        "WHERE AccountId IN ('a','b') AND (Type = null OR Type NOT IN ('Query')) "
        "AND IsClosed = false AND CreatedDate >= 2026-03-01T00:00:00.000Z AND Amount__c < 5 "
        "ORDER BY CreatedDate DESC,Id ASC LIMIT 26"
    )
    assert Count("Case", where).soql().startswith("SELECT COUNT() FROM Case WHERE AccountId IN (")
    assert Count("Case").soql() == "SELECT COUNT() FROM Case"


@pytest.mark.parametrize(
    "name", ["", "Id ", "Id, Name", "1d", "A..B", ".A", "A.", "Id\n", "a" * 81, "N'", "É"]
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a column"):
        Column(name)
    with pytest.raises(ValueError, match="no name of an object"):
        Count(name)


def test_a_relationship_is_no_object() -> None:
    with pytest.raises(ValueError, match="no name of an object"):
        Select("Case.Account", columns(["Id"]))


def test_questions_that_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="matches nothing"):
        Column("Id").one_of([])
    with pytest.raises(ValueError, match="at least one column"):
        Select("Case", ())
    with pytest.raises(ValueError, match="something to join"):
        every()
    with pytest.raises(ValueError, match="without an offset"):
        literal(datetime(2026, 3, 1))  # noqa: DTZ001  # the point of the test


@pytest.mark.parametrize(
    ("instant", "written"),
    [
        (datetime(2026, 3, 1, 9, 30, 15, 250_000, UTC), "2026-03-01T09:30:15.250Z"),
        # Half-open ranges stay right only when what lies between two milliseconds is rounded up.
        (datetime(2026, 3, 1, 9, 30, 15, 250_001, UTC), "2026-03-01T09:30:15.251Z"),
        (
            datetime(2026, 2, 28, 22, tzinfo=timezone(-timedelta(hours=5))),
            "2026-03-01T03:00:00.000Z",
        ),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))), "1700-01-01T00:00:00.000Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC), "4000-12-31T00:00:00.000Z"),
    ],
)
def test_times_are_utc_milliseconds(instant: datetime, written: str) -> None:
    assert literal(instant) == written


def test_a_lone_surrogate_cannot_break_the_address() -> None:
    assert literal("a\ud800b") == "'a\ufffdb'"


def test_ids_are_known_by_their_form_and_compared_by_what_both_forms_share() -> None:
    assert record_id("500SB00000000011AA", "500") == "500SB00000000011AA"
    assert record_id("500SB0000000001", "500") == "500SB0000000001"
    assert same("500SB00000000011AA") == same("500SB0000000001")
    for wrong in (
        "",
        "500",
        "003SB00000000011AA",
        "500SB00000000011A",
        "500SB0000000001'",
        "500SB0000000001\n",
    ):
        assert record_id(wrong, "500") is None
