"""Reads what OData answers: the envelope of either version, and the values inside a row. Pure.

Every reader raises ValueError for a shape that OData does not have; the text names no value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from connectors.kit.odata.expressions import Version

Row = Mapping[str, Any]

_TICKS = re.compile(r"/Date\((-?\d{1,17})(?:[+-]\d{1,4})?\)/", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T.*)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A JSON number becomes an exact decimal: a float would lose cents of large amounts.
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Any, float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of one answer. count: of the whole set, when it was asked for. following: the address
    of the rest, when the server pages on its own; it may be relative to the question's. made: what
    a reader of the asker's own made of the rows, in place of them."""

    rows: list[dict[str, Any]]
    count: int | None = None
    following: str | None = None
    made: list[Any] | None = None


def decode(body: bytes) -> Any:
    """JSON with exact numbers. Raises ValueError when it is none."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from None


def document(body: bytes) -> dict[str, Any]:
    """The object that every answer is. Raises ValueError when it is none."""
    whole = decode(body)
    if not isinstance(whole, dict):
        raise ValueError("is JSON without an object")
    return whole


def read(body: bytes, version: Version) -> Answer:
    """The answer to a question for an entity set."""
    whole = document(body)
    if version is Version.V4:
        rows, count = whole.get("value"), whole.get("@odata.count")
        following = whole.get("@odata.nextLink")
    else:
        inner = whole.get("d")
        # The first V2 services answered {"d": [...]}.
        held = inner if isinstance(inner, dict) else {"results": inner}
        rows, count, following = held.get("results"), held.get("__count"), held.get("__next")
    return Answer(_rows(rows), None if count is None else whole_number(count), _link(following))


def read_count(body: bytes) -> int:
    """The plain text of `/$count`."""
    return whole_number(body.decode("utf-8-sig", "replace").strip())


def children(row: Row, navigation: str) -> Answer | None:
    """The records embedded in a row, None when they are not there. One embedded record is a list
    of one."""
    value = row.get(navigation)
    if isinstance(value, list):
        return Answer(_rows(value), None, _link(row.get(f"{navigation}@odata.nextLink")))
    if not isinstance(value, dict) or "__deferred" in value:
        return None
    if "results" in value:
        return Answer(_rows(value["results"]), None, _link(value.get("__next")))
    return Answer([value])


def text(row: Row, column: str) -> str:
    """A text; empty for null and for a column that is not there. A number is taken as it is."""
    value = row.get(column)
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{column} is not a text")


def flag(row: Row, column: str) -> bool:
    """A boolean; false for null. Old services write it as the text X."""
    value = row.get(column)
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str):
        return value.strip().lower() in ("x", "true")
    raise ValueError(f"{column} is not a boolean")


def number(row: Row, column: str) -> Decimal | None:
    """An exact number, which V2 writes as a text; None for null, an empty text, no such column."""
    value = row.get(column)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"{column} is not a number")
    try:
        read = Decimal(value.strip()) if isinstance(value, str) else Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{column} is not a number") from None
    if not read.is_finite():
        raise ValueError(f"{column} is not a number")
    return read


def moment(row: Row, column: str) -> datetime | None:
    """A time in UTC; None for null. V2 counts milliseconds, V4 writes ISO 8601; an offset that V2
    adds is for display, the count is UTC all the same."""
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"{column} is not a time")
    try:
        ticks = _TICKS.fullmatch(value)
        if ticks is not None:
            return _EPOCH + timedelta(milliseconds=int(ticks[1]))
        read = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{column} is not a time") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def day(row: Row, column: str) -> date | None:
    """A calendar day; None for null. V2 writes the day as its midnight in UTC, whatever the zone
    of the server, so nothing is shifted."""
    value = row.get(column)
    if isinstance(value, str) and (written := _DAY.fullmatch(value)):
        try:
            return date.fromisoformat(written[1])
        except ValueError:
            raise ValueError(f"{column} is not a day") from None
    found = moment(row, column)
    return None if found is None else found.date()


def _rows(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValueError("holds no list of records")
    return value


def whole_number(value: object) -> int:
    """A count, which V2 writes as a text."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    raise ValueError("holds a count that is not a number")


def _link(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    raise ValueError("holds an address that is not a text")
