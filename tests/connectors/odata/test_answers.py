"""What either version answers, read into plain rows and exact values."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.odata import answers
from connectors.kit.odata.answers import Answer, children, day, flag, moment, number, read, text
from connectors.kit.odata.expressions import Version


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_v2_wraps_rows_count_and_the_next_page() -> None:
    document = {
        "d": {"__count": "42", "results": [{"A": "1"}], "__next": "https://h/s?$skiptoken=2"}
    }
    assert read(body(document), Version.V2) == Answer([{"A": "1"}], 42, "https://h/s?$skiptoken=2")
    assert read(body({"d": [{"A": "1"}]}), Version.V2) == Answer([{"A": "1"}])


def test_v4_annotates_them() -> None:
    document = {"@odata.count": 42, "value": [{"A": 1}], "@odata.nextLink": "S?$skiptoken=2"}
    assert read(body(document), Version.V4) == Answer([{"A": 1}], 42, "S?$skiptoken=2")


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize(
    "document",
    [
        None,
        5,
        "x",
        [],
        {},
        {"d": None, "value": None},
        {"d": {"results": [1]}, "value": [1]},
        {"d": {"results": [], "__count": "x"}, "value": [], "@odata.count": -1},
        {"d": {"results": [], "__next": 5}, "value": [], "@odata.nextLink": {}},
    ],
)
def test_any_other_shape_is_told_apart(document: Any, version: Version) -> None:
    with pytest.raises(ValueError, match=r"holds|is JSON without"):
        read(body(document), version)


@pytest.mark.parametrize("broken", [b"", b"{", b"\xff\xfe", b"[" * 200_000])
def test_what_is_no_json_is_told_apart(broken: bytes) -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        read(broken, Version.V2)


def test_a_count_is_plain_text_with_or_without_a_mark() -> None:
    assert answers.read_count(b"17") == answers.read_count(b"\xef\xbb\xbf17\r\n") == 17
    with pytest.raises(ValueError, match="count"):
        answers.read_count(b"<html>")


def test_children_of_either_version_are_found() -> None:
    assert children({"n": {"results": [{"A": 1}], "__next": "u"}}, "n") == Answer(
        [{"A": 1}], None, "u"
    )
    assert children({"n": [{"A": 1}], "n@odata.nextLink": "u"}, "n") == Answer(
        [{"A": 1}], None, "u"
    )
    assert children({"n": {"A": 1}}, "n") == Answer([{"A": 1}])
    assert children({"n": {"__deferred": {"uri": "x"}}}, "n") is None
    assert children({}, "n") is None


@given(
    on=st.dates(date(1900, 1, 1), date(9999, 12, 31)),
    offset=st.sampled_from(["", "+0000", "-0300"]),
)
def test_a_day_is_the_same_day_whatever_the_zone(on: date, offset: str) -> None:
    midnight = datetime(on.year, on.month, on.day, tzinfo=UTC)
    ticks = (midnight - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400_000
    assert day({"D": f"/Date({ticks}{offset})/"}, "D") == on
    assert day({"D": on.isoformat()}, "D") == on
    assert day({"D": f"{on.isoformat()}T00:00:00"}, "D") == on


def test_the_tutorials_values_are_read() -> None:
    row = {"On": "/Date(1471392000000)/", "At": "/Date(1472796947125+0000)/"}
    assert day(row, "On") == date(2016, 8, 17)
    assert moment(row, "At") == datetime(2016, 9, 2, 6, 15, 47, 125_000, tzinfo=UTC)
    assert moment({"At": "2016-09-02T08:15:47+02:00"}, "At") == datetime(
        2016, 9, 2, 6, 15, 47, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "value", ["/Date(x)/", "2024-13-01", "soon", 5, "/Date(99999999999999999)/"]
)
def test_what_is_no_day_is_told_apart(value: object) -> None:
    with pytest.raises(ValueError, match="On is not a"):
        day({"On": value}, "On")


@given(value=st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_numbers_stay_exact_as_text_and_as_number(value: Decimal) -> None:
    assert number({"N": str(value)}, "N") == value
    decoded = answers.decode(f'{{"N": {value:f}}}'.encode())
    assert number(decoded, "N") == value


def test_large_amounts_lose_no_cent() -> None:
    decoded = answers.decode(b'{"N": 1234567890123.457}')
    assert number(decoded, "N") == Decimal("1234567890123.457")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1,5", True, [], "x"])
def test_what_is_no_number_is_told_apart(value: object) -> None:
    with pytest.raises(ValueError, match="N is not a number"):
        number({"N": value}, "N")


def test_nothing_is_nothing() -> None:
    for empty in ({}, {"X": None}, {"X": ""}):
        assert number(empty, "X") is None
        assert day(empty, "X") is None
        assert moment(empty, "X") is None
        assert text(empty, "X") == ""
        assert flag(empty, "X") is False
    assert flag({"X": "X"}, "X") is flag({"X": True}, "X") is True
    assert text({"X": 5}, "X") == "5"
    bad: object
    for bad in ([], True):
        with pytest.raises(ValueError, match="X is not a text"):
            text({"X": bad}, "X")
    with pytest.raises(ValueError, match="X is not a boolean"):
        flag({"X": 1}, "X")
