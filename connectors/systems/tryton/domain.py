"""Builds Tryton's search domains out of typed parts, so that a value never becomes a condition.

A domain is JSON: `["party.code","in",["17100001"]]`, `["OR",[...],[...]]`, and a list of these that
must all hold. Values are JSON strings and numbers; dates are objects with a `__class__`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=", "in", "not in", "like", "not like", "ilike", "where"
]
Value = str | int | date | None

_PATH = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class Clause:
    """A field, dotted through relations, compared with a value. Raises ValueError for a path that
    is none: paths are this connector's own words, never a caller's."""

    path: str
    operator: Operator
    value: Value | tuple[Value, ...]

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path):
            raise ValueError(f"{self.path!r} is no path of fields")


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; of none, anything does."""

    parts: tuple[Domain, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds; of none, nothing does."""

    parts: tuple[Domain, ...]


@dataclass(frozen=True, slots=True)
class Having:
    """The relation `path` leads to at least one record that meets the inner domain as a whole."""

    path: str
    inner: Domain

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path):
            raise ValueError(f"{self.path!r} is no path of fields")


Domain = Clause | AllOf | AnyOf | Having

#: No record has no id among none.
NOTHING = Clause("id", "in", ())


def all_of(parts: Iterable[Domain | None]) -> AllOf:
    """Of the parts that are given."""
    return AllOf(tuple(part for part in parts if part is not None))


def any_of(*parts: Domain) -> AnyOf:
    return AnyOf(parts)


def equal(path: str, value: Value) -> Domain:
    return Clause(path, "=", value) if storable(value) else NOTHING


def among(path: str, values: Iterable[Value]) -> Domain:
    return Clause(path, "in", tuple(value for value in values if storable(value)))


def present(path: str) -> Domain:
    return Clause(path, "!=", None)


def containing(path: str, text: str) -> Domain:
    """`text` anywhere inside, whatever the case."""
    return Clause(path, "ilike", f"%{escaped(text)}%") if storable(text) else NOTHING


def alike(path: str, text: str) -> Domain:
    """`text` as a whole, whatever the case and, on some databases, the accents."""
    return Clause(path, "ilike", escaped(text)) if storable(text) else NOTHING


def escaped(text: str) -> str:
    """`text` as a pattern that only matches itself: Tryton's patterns are SQL's, escaped by \\."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def storable(value: Value) -> bool:
    """Whether a database can hold it: text with NUL or half a surrogate pair makes Tryton fail."""
    if not isinstance(value, str):
        return True
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def plain(domain: Domain) -> list[Any]:
    """The domain as JSON can say it."""
    match domain:
        case Clause(path, operator, value):
            return [path, operator, _value(value)]
        case Having(path, inner):
            return [path, "where", listed(inner)]
        case AllOf(parts):
            return [plain(part) for part in parts]
        case AnyOf(()):
            return plain(NOTHING)
        case AnyOf(parts):
            return ["OR", *(plain(part) for part in parts)]


def listed(domain: Domain) -> list[Any]:
    """The domain as a list of clauses, which Tryton wants at the top."""
    return plain(domain) if isinstance(domain, AllOf) else [plain(domain)]


def _value(value: Value | tuple[Value, ...]) -> Any:
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    return value


def packed(value: Sequence[Any] | dict[str, Any]) -> str:
    """JSON as base64url, which is how Tryton takes domains, orders and contexts."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()
