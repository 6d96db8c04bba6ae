"""Any value is only ever a value: read back by another reader it is what was put in."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import unquote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.odata.expressions import (
    Expression,
    Property,
    Value,
    Version,
    every,
    literal,
    name,
    some,
)
from connectors.kit.odata.queries import encode
from tests.connectors.odata.reader import Apply, Literal, Name, met, parse

VERSIONS = st.sampled_from(list(Version))
HOSTILE = st.text() | st.sampled_from(
    ["' or 1 eq 1 or 'a' eq '", "''", "'", "a)'", "%27 or", "+&#=;"]
)


@given(text=HOSTILE, version=VERSIONS)
def test_any_text_is_read_back_as_itself_and_stays_one_literal(text: str, version: Version) -> None:
    built = every([Property("Owner").eq("1"), Property("Name").eq(text)])
    assert built is not None
    assert parse(built.text(version)) == Apply(
        "and",
        (
            Apply("eq", (Name("Owner"), Literal("text", "1"))),
            Apply("eq", (Name("Name"), Literal("text", text))),
        ),
    )


@given(text=HOSTILE, version=VERSIONS)
def test_any_text_survives_its_way_through_the_address(text: str, version: Version) -> None:
    travelled = encode(literal(text, version))
    assert not set(travelled) & set(' +&#=;?"<>\r\n\t')
    assert travelled.isascii()
    assert parse("Name eq " + unquote(travelled)).parts[1] == Literal("text", text)


@given(text=HOSTILE)
def test_a_text_searched_for_is_the_text_that_is_found(text: str) -> None:
    searched = Property("Name").contains(text)
    v2, v4 = (parse(searched.text(version)) for version in (Version.V2, Version.V4))
    assert v2 == Apply("substringof", (Literal("text", text), Name("Name")))
    assert v4 == Apply("contains", (Name("Name"), Literal("text", text)))
    begins = parse(Property("Name").startswith(text).text(Version.V4))
    assert begins == Apply("startswith", (Name("Name"), Literal("text", text)))


def test_half_of_a_surrogate_pair_does_not_break_the_address() -> None:
    assert encode(literal("a\ud800b", Version.V2)) == "'a%3Fb'"


@pytest.mark.parametrize(
    ("value", "v2", "v4"),
    [
        ("O'Brien", "'O''Brien'", "'O''Brien'"),
        (True, "true", "true"),
        (None, "null", "null"),
        (5, "5", "5"),
        (-3_000_000_000, "-3000000000L", "-3000000000"),
        (Decimal("1E+3"), "1000M", "1000"),
        (Decimal("12.50"), "12.50M", "12.50"),
        (date(2024, 1, 31), "datetime'2024-01-31T00:00:00'", "2024-01-31"),
        (
            datetime(2024, 1, 31, 23, 0, tzinfo=timezone(timedelta(hours=-5))),
            "datetimeoffset'2024-02-01T04:00:00Z'",
            "2024-02-01T04:00:00Z",
        ),
        (
            UUID("01234567-89ab-cdef-0123-456789abcdef"),
            "guid'01234567-89ab-cdef-0123-456789abcdef'",
            "01234567-89ab-cdef-0123-456789abcdef",
        ),
    ],
)
def test_each_kind_of_value_is_written_as_its_version_wants_it(
    value: Value, v2: str, v4: str
) -> None:
    assert literal(value, Version.V2) == v2
    assert literal(value, Version.V4) == v4


@pytest.mark.parametrize(
    "value",
    [Decimal("NaN"), Decimal("Infinity"), datetime(2024, 1, 1)],  # noqa: DTZ001  # the case
)
def test_a_value_that_cannot_be_written_is_refused(value: Value) -> None:
    with pytest.raises(ValueError, match="in a question must"):
        literal(value, Version.V2)


def test_a_time_in_utc_is_written_without_milliseconds_if_it_has_none() -> None:
    assert literal(datetime(2024, 1, 1, tzinfo=UTC), Version.V4) == "2024-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "path", ["", "a b", "a'", "a eq 1 or b", "1a", "a//b", "/a", "a/", "a)", "a\n", "ñ", "a" * 130]
)
def test_what_has_not_the_form_of_a_name_never_becomes_one(path: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        name(path)
    with pytest.raises(ValueError, match="not the name"):
        Property(path)


LEAVES = st.builds(
    lambda path, operator, value: getattr(Property(path), operator)(value),
    st.sampled_from(["A", "B"]),
    st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "contains", "startswith"]),
    st.sampled_from(["", "x", "y", "'", "xy"]),
)
TREES: st.SearchStrategy[tuple[str, list[object]] | Expression] = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def built(tree: object) -> Expression:
    if isinstance(tree, tuple):
        kind, parts = tree
        terms = [built(part) for part in parts]
        whole = every(terms) if kind == "and" else some(terms)
        assert whole is not None
        return whole
    return tree  # type: ignore[return-value]  # a leaf of TREES


def holds(tree: object, row: dict[str, str]) -> bool:
    if isinstance(tree, tuple):
        kind, parts = tree
        found = [holds(part, row) for part in parts]
        return all(found) if kind == "and" else any(found)
    return met(parse(tree.text(Version.V4)), row)  # type: ignore[attr-defined]  # a leaf of TREES


@given(
    tree=TREES,
    row=st.fixed_dictionaries({"A": st.sampled_from(["", "x", "y'"]), "B": st.sampled_from("xy")}),
    version=VERSIONS,
)
def test_and_and_or_mean_what_they_were_built_as(
    tree: object, row: dict[str, str], version: Version
) -> None:
    assert met(parse(built(tree).text(version)), row) == holds(tree, row)


def test_one_of_nothing_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="never be met"):
        Property("A").one_of([])
    assert Property("A").none_of([]) is None
    assert every([None, None]) is None


def test_capital_letters_are_asked_of_both_sides() -> None:
    text = Property("A").contains("o'b", upper=True).text(Version.V2)
    assert text == "substringof('O''B',toupper(A))"
    assert met(parse(text), {"A": "PO o'brien"})
