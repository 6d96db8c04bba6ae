"""The filter language: what is found, what is refused, and that no text ever becomes a question."""

import sqlite3
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.erp.conditions import condition_of
from sandbox.erp.errors import ODataError
from sandbox.erp.filters import Comparison, Every, Literal, Not, Shape, Some, Version, parse_filter
from sandbox.erp.model import EntitySet, Kind, decimal, entity_set, number, plain, text

THINGS: EntitySet = entity_set(
    "Things",
    "things",
    "Id",
    number("Id"),
    text("Name", 80),
    text("Hidden", 10, free=False),
    plain(Kind.DATE, "Day"),
    plain(Kind.INSTANT, "Moment"),
    plain(Kind.TIME, "Clock"),
    plain(Kind.BOOLEAN, "Flag"),
    decimal("Amount", "Unit"),
    text("Unit", 3),
)
ROWS = (
    ("0000000001", "Ana", "x", "2026-01-31", "2026-01-31T10:00:00.000Z", "09:12:33", 1, 12500),
    ("0000000002", "O'Neil", "x", "2026-02-01", "2026-02-01T00:00:00.000Z", "10:00:00", 0, 12000),
    ("0000000010", "Ñandú 100%_", "x", None, None, None, 0, -3000),
    ("ABC", "", "x", "2026-02-28", "2026-03-01T00:00:00.125Z", None, 1, 0),
)


def found(filter_text: str, version: Version = Version.V2, rows: object = ROWS) -> list[str]:
    """The names of the rows that a filter finds."""
    condition = condition_of(parse_filter(filter_text, version), THINGS, version)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.create_function("erp_lower", 1, str.lower)
        connection.create_function("erp_upper", 1, str.upper)
        connection.execute(
            "CREATE TABLE things (Id, Name, Hidden, Day, Moment, Clock, Flag, Amount)"
        )
        connection.executemany("INSERT INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # type: ignore[arg-type]  # tuples of a row
        sql = f"SELECT Name FROM things WHERE {condition.sql} ORDER BY Id"
        return [name for (name,) in connection.execute(sql, condition.values)]


@pytest.mark.parametrize(
    ("filter_text", "names"),
    [
        ("Name eq 'O''Neil'", ["O'Neil"]),
        ("'Ana' eq Name", ["Ana"]),
        ("Name ne 'Ana' and Flag eq true", [""]),
        ("Id eq '0000000002' or Id eq '1'", ["Ana", "O'Neil"]),
        ("Id gt '2'", ["Ñandú 100%_", ""]),
        ("substringof('0%_',Name)", ["Ñandú 100%_"]),
        ("substringof('%',Name) eq true", ["Ñandú 100%_"]),
        ("substringof('%',Name) eq false", ["Ana", "O'Neil", ""]),
        ("startswith(Id,'1')", ["Ana", "Ñandú 100%_"]),
        ("endswith(Name,'eil')", ["O'Neil"]),
        ("toupper(Name) eq 'ÑANDÚ 100%_'", ["Ñandú 100%_"]),
        ("substringof('ñ',tolower(Name))", ["Ñandú 100%_"]),
        ("Day eq datetime'2026-01-31T00:00:00'", ["Ana"]),
        ("Day gt datetime'2026-01-31T12:00'", ["O'Neil", ""]),
        ("Day eq null", ["Ñandú 100%_"]),
        ("Day ne null and Day le datetime'2026-02-01T00:00:00'", ["Ana", "O'Neil"]),
        ("Moment ge datetimeoffset'2026-02-01T01:00:00+01:00'", ["O'Neil", ""]),
        ("Moment lt datetimeoffset'2026-01-31T10:00:00.5Z'", ["Ana"]),
        ("Clock eq time'PT09H12M33S'", ["Ana"]),
        ("Amount eq 12.5M", ["Ana"]),
        ("Amount le -3", ["Ñandú 100%_"]),
        ("Amount gt 11.9995M", ["Ana", "O'Neil"]),
        ("Flag", ["Ana", ""]),
        ("not Flag and not (Amount lt 0)", ["O'Neil"]),
        # and binds tighter than or.
        ("Flag eq true or Flag eq false and Amount lt 0", ["Ana", "Ñandú 100%_", ""]),
        ("(Flag eq true or Flag eq false) and Amount lt 0", ["Ñandú 100%_"]),
        ("not startswith(Name,'A') and Name ne ''", ["O'Neil", "Ñandú 100%_"]),
    ],
)
def test_v2_finds(filter_text: str, names: list[str]) -> None:
    assert found(filter_text) == names


@pytest.mark.parametrize(
    ("filter_text", "names"),
    [
        ("contains(Name,'100%')", ["Ñandú 100%_"]),
        ("Day ge 2026-02-01 and Day lt 2026-02-28", ["O'Neil"]),
        ("Moment eq 2026-01-31T10:00:00Z", ["Ana"]),
        ("Amount eq 12.5 or contains(tolower(Name),'neil')", ["Ana", "O'Neil"]),
    ],
)
def test_v4_finds(filter_text: str, names: list[str]) -> None:
    assert found(filter_text, Version.V4) == names


@pytest.mark.parametrize(
    "filter_text",
    [
        "", " ", "Name", "Name eq", "eq 'a'", "Name eq 'a", "Name eq 'a''", "Name = 'a'",
        "Name eq 'a' 'b'", "Name eq 'a'b", "Name eq 'a' and", "(Name eq 'a'", "Name eq 'a')",
        "Name eq 5", "Name eq a", "Id eq 5", "Amount eq '5'", "Amount eq 1e5", "Flag eq 'true'",
        "Day eq '2026-01-31'", "Day eq 2026-01-31", "Day eq datetime'2026-01-31T00:00:00Z'",
        "Day eq datetime'2026-01-31T00:00:00.000'", "Day eq datetime'2026-02-30T00:00:00'",
        "Moment eq datetime'2026-01-31T00:00:00'", "Clock eq time'25:00'", "Day lt null",
        "contains(Name,'a')", "substringof(Name,'a')", "substringof('a')", "length(Name) eq 3",
        "Name eq 'a'+or+Name eq 'b'", "Name eq 'a'; drop table things", "Name eq \"a\"",
        "Hidden eq 'x'", "Nothing eq 'x'", "Things/Name eq 'x'", "not", "Name in ('a','b')",
        "(" * 200 + "Flag" + ")" * 200, "not " * 3000 + "Flag", "Name eq Day",
        "toupper(Name,Id) eq 'A'", "startswith(Day,'2')", "tolower(Name)", "true eq Flag eq true",
    ],
)  # fmt: skip
def test_v2_refuses(filter_text: str) -> None:
    with pytest.raises(ODataError) as refused:
        found(filter_text)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "filter_text",
    [
        "substringof('a',Name)", "Day eq datetime'2026-01-31T00:00:00'", "Amount eq 12.5M",
        "Day eq 2026-02-30", "Moment eq 2026-01-31", "Name in ('a')", "Day eq '2026-01-31'",
    ],
)  # fmt: skip
def test_v4_refuses(filter_text: str) -> None:
    with pytest.raises(ODataError) as refused:
        found(filter_text, Version.V4)
    assert refused.value.status == 400


def test_a_chain_of_thousands_is_no_deeper_than_one() -> None:
    chain = " or ".join(f"Id eq '{n}'" for n in range(2, 4000))
    assert found(chain) == ["O'Neil", "Ñandú 100%_"]


def test_and_or_and_not_nest_as_written() -> None:
    tree = parse_filter("Flag and not (Id eq '1' or Flag)", Version.V2)
    assert isinstance(tree, Every)
    inverse = tree.parts[1]
    assert isinstance(inverse, Not)
    assert isinstance(inverse.inner, Some)


def test_a_refusal_names_the_property() -> None:
    with pytest.raises(ODataError, match="Property Nothing not found in type 'ThingsType'"):
        found("Nothing eq 'x'")
    with pytest.raises(ODataError, match="'Hidden' of type 'ThingsType' is not filterable"):
        found("Hidden eq 'x'")


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


# SQLite's length and SQL texts end at NUL, and no name of a document holds one.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)


@given(words, words)
def test_any_text_finds_the_row_that_holds_it_and_no_other(held: str, other: str) -> None:
    rows = [(str(n), name, "", None, None, None, 0, 0) for n, name in enumerate((held, other))]
    same = [held] * (2 if held == other else 1)
    assert found(f"Name eq {quoted(held)}", rows=rows) == same
    assert sorted(found(f"Name ne {quoted(held)}", rows=rows)) == [other] * (held != other)


@given(words.filter(bool), words)
def test_any_text_is_found_where_it_is_contained(part: str, other: str) -> None:
    rows = [("1", f"{other}{part}{other}", "", None, None, None, 0, 0)]
    assert len(found(f"substringof({quoted(part)},Name)", rows=rows)) == 1
    assert len(found(f"contains(Name,{quoted(part)})", Version.V4, rows)) == 1
    rows = [("1", other, "", None, None, None, 0, 0)]
    assert bool(found(f"substringof({quoted(part)},Name)", rows=rows)) == (part in other)
    assert bool(found(f"startswith(Name,{quoted(part)})", rows=rows)) == other.startswith(part)
    assert bool(found(f"endswith(Name,{quoted(part)})", rows=rows)) == other.endswith(part)


@given(words)
def test_a_literal_is_read_back_as_it_was(value: str) -> None:
    tree = parse_filter(f"Name eq {quoted(value)}", Version.V2)
    assert isinstance(tree, Comparison)
    assert tree.right == Literal(Shape.TEXT, value)


@given(st.text(max_size=60))
def test_nonsense_is_refused_and_never_an_error_of_ours(nonsense: str) -> None:
    for version in Version:
        with suppress(ODataError):
            condition = condition_of(parse_filter(nonsense, version), THINGS, version)
            assert condition.sql
