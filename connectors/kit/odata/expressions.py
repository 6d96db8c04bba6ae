"""Turns typed conditions into the text of a `$filter`, in V2 or in V4. Pure.

A value enters a question only through `literal`, and a name only if it has the form of a name, so
that no text of a person can change what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from uuid import UUID


class Version(StrEnum):
    """A version of OData. The value is what its `OData-Version` header says."""

    V2 = "2.0"
    V4 = "4.0"


#: What a property can be compared with. Times are aware; a date is a calendar day without a zone.
Value = str | int | bool | date | datetime | Decimal | UUID | None

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}(?:/[A-Za-z_][A-Za-z0-9_]{0,127}){0,8}", re.ASCII)

#: Largest Edm.Int32; beyond it V2 wants the suffix of an Int64.
_INT32 = 2**31 - 1


@lru_cache(4_096)
def name(text: str) -> str:
    """The name of a property, a navigation or a path of them. Raises ValueError when it is none."""
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"not the name of an OData property: {text!r}")
    return text


def literal(value: Value, version: Version) -> str:
    """A value as it is written in a question, before percent-encoding. Raises ValueError for a
    value that the version cannot write: a time without a zone, a number that is not finite."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        return _moment(value, version)
    if isinstance(value, date):
        day = value.isoformat()
        return day if version is Version.V4 else f"datetime'{day}T00:00:00'"
    if isinstance(value, UUID):
        return str(value) if version is Version.V4 else f"guid'{value}'"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a number in a question must be finite")
        return f"{value:f}" if version is Version.V4 else f"{value:f}M"
    wide = version is Version.V2 and not -_INT32 - 1 <= value <= _INT32
    return f"{value}L" if wide else str(value)


def _moment(value: datetime, version: Version) -> str:
    if value.tzinfo is None:
        raise ValueError("a time in a question must have a zone")
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return text if version is Version.V4 else f"datetimeoffset'{text}'"


@dataclass(frozen=True, slots=True)
class Compare:
    """A property beside a value: `Price ge 5`."""

    path: str
    operator: str
    value: Value

    def text(self, version: Version) -> str:
        return f"{self.path} {self.operator} {literal(self.value, version)}"


@dataclass(frozen=True, slots=True)
class Contains:
    """A text anywhere in a property. upper: both are compared in capital letters."""

    path: str
    part: str
    upper: bool = False

    def text(self, version: Version) -> str:
        path = f"toupper({self.path})" if self.upper else self.path
        part = literal(self.part.upper() if self.upper else self.part, version)
        return (
            f"substringof({part},{path})" if version is Version.V2 else f"contains({path},{part})"
        )


@dataclass(frozen=True, slots=True)
class StartsWith:
    """A text at the beginning of a property."""

    path: str
    part: str

    def text(self, version: Version) -> str:
        return f"startswith({self.path},{literal(self.part, version)})"


@dataclass(frozen=True, slots=True)
class Every:
    """All of at least two conditions. Build it with `every`."""

    terms: tuple[Expression, ...]

    def text(self, version: Version) -> str:
        return " and ".join(_inner(term, version) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of at least two conditions. Build it with `some`."""

    terms: tuple[Expression, ...]

    def text(self, version: Version) -> str:
        return " or ".join(_inner(term, version) for term in self.terms)


Expression = Compare | Contains | StartsWith | Every | Some


def _inner(term: Expression, version: Version) -> str:
    text = term.text(version)
    return f"({text})" if isinstance(term, Every | Some) else text


def every(terms: Iterable[Expression | None]) -> Expression | None:
    """All of the conditions that are there; None when none is."""
    flat: list[Expression] = []
    for term in terms:
        if isinstance(term, Every):
            flat += term.terms
        elif term is not None:
            flat.append(term)
    if len(flat) < 2:
        return flat[0] if flat else None
    return Every(tuple(flat))


def some(terms: Iterable[Expression]) -> Expression:
    """At least one of the conditions. Raises ValueError when there is none: that can never be met,
    and the asker should not ask."""
    flat: list[Expression] = []
    for term in terms:
        flat += term.terms if isinstance(term, Some) else (term,)
    if not flat:
        raise ValueError("one of no conditions can never be met")
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


@dataclass(frozen=True, slots=True)
class Property:
    """A property that conditions are made of. path: its name, or a path through navigations.

    Raises ValueError for a path that has not the form of one.
    """

    path: str

    def __post_init__(self) -> None:
        name(self.path)

    def eq(self, value: Value) -> Compare:
        return Compare(self.path, "eq", value)

    def ne(self, value: Value) -> Compare:
        return Compare(self.path, "ne", value)

    def lt(self, value: Value) -> Compare:
        return Compare(self.path, "lt", value)

    def le(self, value: Value) -> Compare:
        return Compare(self.path, "le", value)

    def gt(self, value: Value) -> Compare:
        return Compare(self.path, "gt", value)

    def ge(self, value: Value) -> Compare:
        return Compare(self.path, "ge", value)

    def one_of(self, values: Iterable[Value]) -> Expression:
        """Equal to one of the values, as a chain of `or`, which every version and server reads."""
        return some(self.eq(value) for value in values)

    def none_of(self, values: Iterable[Value]) -> Expression | None:
        """Equal to none of the values; None, no condition, for no values."""
        return every(self.ne(value) for value in values)

    def contains(self, part: str, *, upper: bool = False) -> Contains:
        return Contains(self.path, part, upper)

    def startswith(self, part: str) -> StartsWith:
        return StartsWith(self.path, part)
