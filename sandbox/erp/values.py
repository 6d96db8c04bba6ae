"""Values across the wire: literals become what the tables store, and stored values become JSON."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from sandbox.erp.errors import ODataError, unreadable
from sandbox.erp.filters import Literal, Shape, Version
from sandbox.erp.model import EntitySet, Kind, Property

Stored = str | int | float | None
_EPOCH: Final = date(1970, 1, 1)
_THOUSAND: Final = Decimal(1000)

# Where it is not two: currencies without cents, and units that are not counted in pieces.
_CURRENCY_PLACES: Final = {"CLP": 0}
_UNIT_PLACES: Final = {"KG": 3, "M2": 3, "M": 3}

_DATETIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?")
_TIME: Final = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_SHAPES: Final = {
    (Kind.TEXT, Version.V2): {Shape.TEXT},
    (Kind.TEXT, Version.V4): {Shape.TEXT},
    (Kind.DATE, Version.V2): {Shape.DATETIME},
    (Kind.DATE, Version.V4): {Shape.DATE},
    (Kind.INSTANT, Version.V2): {Shape.INSTANT},
    (Kind.INSTANT, Version.V4): {Shape.INSTANT},
    (Kind.TIME, Version.V2): {Shape.TIME},
    (Kind.DECIMAL, Version.V2): {Shape.NUMBER},
    (Kind.DECIMAL, Version.V4): {Shape.NUMBER},
    (Kind.BOOLEAN, Version.V2): {Shape.BOOLEAN},
    (Kind.BOOLEAN, Version.V4): {Shape.BOOLEAN},
    (Kind.GUID, Version.V2): {Shape.GUID},
    (Kind.GUID, Version.V4): {Shape.GUID},
}


def stored(literal: Literal, of: Property, version: Version) -> Stored:
    """What a literal is in the column of a property. Raises ODataError 400 when it is no value of
    the property's type. None for null."""
    if literal.shape is Shape.NULL:
        return None
    if literal.shape not in _SHAPES[of.kind, version]:
        raise _wrong(literal, of)
    try:
        return _converted(literal, of)
    except (ValueError, ArithmeticError):
        raise _wrong(literal, of) from None


def _wrong(literal: Literal, of: Property) -> ODataError:
    return unreadable(
        f"Invalid value '{literal.text}' for property '{of.name}' of type 'Edm.{of.kind}'"
    )


def _converted(literal: Literal, of: Property) -> Stored:
    given = literal.text
    if of.kind is Kind.TEXT:
        return padded(given, of.length) if of.padded else given
    if of.kind is Kind.DATE:
        return _day(given)
    if of.kind is Kind.INSTANT:
        return stamp(_instant(given))
    if of.kind is Kind.DECIMAL:
        scaled = Decimal(given) * _THOUSAND
        return int(scaled) if scaled == int(scaled) else float(scaled)
    if of.kind is Kind.BOOLEAN:
        return int(given == "true")
    if of.kind is Kind.TIME:
        return _time_of_day(given)
    if not _GUID.fullmatch(given.lower()):
        raise ValueError(given)
    return given.lower()


def padded(number: str, length: int) -> str:
    """A number as it is stored: with its leading zeros, if it is one."""
    return number.zfill(length) if number.isascii() and number.isdigit() else number


def unpadded(number: str) -> str:
    """A number as people write it. One of zeros only is empty, as the vendor shows it."""
    return number.lstrip("0") if number.isdigit() else number


def _day(text: str) -> str:
    """A day, or a moment of a day that sorts after that day and before the next."""
    if match := _DATETIME.fullmatch(text):
        clock = match[2] + (match[3] or ":00")
        datetime.fromisoformat(f"{match[1]}T{clock}")
        return match[1] if clock == "00:00:00" else f"{match[1]}T{clock}"
    return date.fromisoformat(text).isoformat()


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    # A moment without an offset is taken as UTC.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _time_of_day(text: str) -> str:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(text)
    return f"{hours:02}:{minutes:02}:{seconds:02}"


def stamp(moment: datetime) -> str:
    """An instant as it is stored: UTC, to the millisecond, always as long."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def places(of: Property, unit: str) -> int:
    """How many decimal places a property has when its unit or currency is `unit`."""
    if of.unit == "TransactionCurrency":
        return _CURRENCY_PLACES.get(unit, 2)
    return _UNIT_PLACES.get(unit, 0)


def amount_of(row: sqlite3.Row, shown: Property, entity: EntitySet) -> Decimal:
    """A decimal with the places of its unit; the unit is read although nobody selected it."""
    unit = entity.properties.get(shown.unit or "")
    count = places(shown, row[unit.stored] if unit else "")
    return (Decimal(row[shown.stored]) / _THOUSAND).quantize(Decimal(1).scaleb(-count))


def v2_value(row: sqlite3.Row, shown: Property, entity: EntitySet) -> object:
    """V2 JSON: decimals are texts, moments are /Date(ms)/, numbers come without leading zeros."""
    value = row[shown.stored]
    if shown.kind is Kind.DECIMAL:
        return str(amount_of(row, shown, entity))
    if value is None:
        return None
    if shown.kind is Kind.DATE:
        return f"/Date({(date.fromisoformat(value) - _EPOCH) // timedelta(milliseconds=1)})/"
    if shown.kind is Kind.INSTANT:
        milliseconds = round(datetime.fromisoformat(value).timestamp() * 1000)
        return f"/Date({milliseconds}+0000)/"
    if shown.kind is Kind.BOOLEAN:
        return bool(value)
    if shown.kind is Kind.TIME:
        return "PT{}H{}M{}S".format(*value.split(":"))
    return unpadded(value) if shown.padded else value


def v4_value(
    row: sqlite3.Row, shown: Property, entity: EntitySet, decimals_as_text: bool
) -> object:
    """V4 JSON: ISO dates, and decimals as numbers unless the client asked for texts."""
    value = row[shown.stored]
    if shown.kind is Kind.DECIMAL:
        amount = amount_of(row, shown, entity)
        return str(amount) if decimals_as_text else _number(amount)
    if value is None:
        return None
    if shown.kind is Kind.BOOLEAN:
        return bool(value)
    return unpadded(value) if shown.padded else value


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == int(amount) else float(amount)


def etag_of(row: sqlite3.Row, entity: EntitySet) -> str | None:
    """The weak entity tag, from the moment of the last change."""
    if entity.etag is None:
        return None
    moment = row[entity.properties[entity.etag].stored]
    return f"W/\"datetimeoffset'{quote(moment.removesuffix('Z'), safe='-.T')}0000Z'\""


def key_text(row: sqlite3.Row, entity: EntitySet) -> str:
    """The key predicate of an entity: `('1')`, or `(SalesOrder='1',SalesOrderItem='10')`."""
    parts = []
    for name in entity.keys:
        key = entity.properties[name]
        shown = str(v2_value(row, key, entity)).replace("'", "''")
        prefix = "guid" if key.kind is Kind.GUID else ""
        escaped = quote(shown, safe="'")
        parts.append((name, f"{prefix}'{escaped}'"))
    if len(parts) == 1:
        return f"({parts[0][1]})"
    return "(" + ",".join(f"{name}={value}" for name, value in parts) + ")"
