"""Builds SOQL: columns, conditions and queries are objects, and only here does a value become text.

SOQL over REST has no bind parameters, so whoever writes a query owns all of its quoting. Names are
checked against a pattern, values pass through `literal`, and nothing else is ever put into a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol
from urllib.parse import quote

import msgspec

Value = str | int | bool | date | datetime | None

#: A column may walk up to five relationships: Parent.Account.Name.
COLUMN_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_]{0,79}(?:\.[A-Za-z][A-Za-z0-9_]{0,79}){0,5}\Z"
OBJECT_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_]{0,79}\Z"

_COLUMN: Final = re.compile(COLUMN_PATTERN)
_OBJECT: Final = re.compile(OBJECT_PATTERN)
_ID: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")

#: Every escape that SOQL knows; a backslash before anything else is an error of the query.
_ESCAPES: Final = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
)
_WILDCARDS: Final = str.maketrans({"%": "\\%", "_": "\\_"})

#: What most queries hold beside letters and digits, in an address.
_QUOTED: Final = tuple((character, quote(character, safe="")) for character in "% ,'():<>=")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~%-]*")

#: What a datetime column can hold; anything beyond is as good as the edge.
_EARLIEST: Final = datetime(1700, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(4000, 12, 31, tzinfo=UTC)


def record_id(text: str, prefix: str = "") -> str | None:
    """text if it has the form of an id of the object with this key prefix, else None."""
    return text if _ID.fullmatch(text) and text.startswith(prefix) else None


def same(text: str) -> str:
    """What the 15 and the 18 character form of one id have in common: compare ids by this."""
    return text[:15]


def literal(value: Value) -> str:
    """A value as SOQL writes it. Texts are quoted, everything else is bare. A time is UTC in whole
    milliseconds, rounded up, which keeps half-open ranges right; a naive one is a ValueError."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return f"'{_escaped(value)}'"


def pattern(text: str) -> str:
    """A quoted LIKE pattern that matches values which contain the text, wildcards and all."""
    return f"'%{_escaped(text).translate(_WILDCARDS)}%'"


def _escaped(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    # A lone surrogate cannot travel as UTF-8, and no stored text can hold one.
    return re.sub("[\ud800-\udfff]", "\ufffd", text).translate(_ESCAPES)


def quoted(text: str) -> str:
    """A query as the value of a parameter of an address: `urllib.parse.quote` with nothing safe.
    That asks of each byte what it is; what queries hold is quicker replaced."""
    found = text
    for character, code in _QUOTED:
        found = found.replace(character, code)
    return found if _PLAIN.fullmatch(found) else quote(text, safe="")


def _instant(value: datetime) -> str:
    if value.utcoffset() is None:
        raise ValueError("a time without an offset has no place in a query")
    try:
        instant = value.astimezone(UTC) + timedelta(microseconds=-value.microsecond % 1000)
    except OverflowError:
        instant = _EARLIEST if value.year < _LATEST.year else _LATEST
    instant = min(max(instant, _EARLIEST), _LATEST)
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


class Condition(Protocol):
    """Something that a row meets or not. soql: its text, safe to stand beside AND."""

    def soql(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its API name, relationships included. Raises ValueError for any other text."""

    name: str

    def __post_init__(self) -> None:
        if not _COLUMN.match(self.name):
            raise ValueError(f"{self.name[:100]!r} is no name of a column")

    def soql(self) -> str:
        return self.name

    def equals(self, value: Value) -> Condition:
        return _Comparison(f"{self.name} = {literal(value)}")

    def before(self, value: Value) -> Condition:
        return _Comparison(f"{self.name} < {literal(value)}")

    def after(self, value: Value) -> Condition:
        return _Comparison(f"{self.name} > {literal(value)}")

    def since(self, value: Value) -> Condition:
        return _Comparison(f"{self.name} >= {literal(value)}")

    def contains(self, text: str) -> Condition:
        return _Comparison(f"{self.name} LIKE {pattern(text)}")

    def one_of(self, values: Iterable[str]) -> Condition:
        return _Comparison(f"{self.name} IN {_listed(values)}")

    def none_of(self, values: Iterable[str]) -> Condition:
        return _Comparison(f"{self.name} NOT IN {_listed(values)}")

    def includes(self, values: Iterable[str]) -> Condition:
        """For a multi-select picklist: at least one of the values is chosen."""
        # A semicolon inside one entry would mean "both"; no single value can hold one.
        plain = [value for value in values if ";" not in value]
        return _Comparison(f"{self.name} INCLUDES {_listed(plain)}")

    def within(self, inner: Select) -> Condition:
        """The column holds an id that the inner query answers: a semi-join."""
        return _Comparison(f"{self.name} IN ({inner.soql()})")


#: For names of settings, which are few: to check one again costs more than to know it.
named: Final = lru_cache(1024)(Column)
ID: Final = Column("Id")


class _Comparison(msgspec.Struct, frozen=True):
    text: str

    def soql(self) -> str:
        return self.text


class _Group(msgspec.Struct, frozen=True):
    word: str
    parts: tuple[Condition, ...]

    def soql(self) -> str:
        return "(" + f" {self.word} ".join(part.soql() for part in self.parts) + ")"


def every(*parts: Condition) -> Condition:
    """All of the parts hold; there is at least one."""
    return _joined("AND", parts)


def either(*parts: Condition) -> Condition:
    """At least one of the parts holds; there is at least one."""
    return _joined("OR", parts)


def _joined(word: str, parts: tuple[Condition, ...]) -> Condition:
    if not parts:
        raise ValueError(f"{word} needs something to join")
    return parts[0] if len(parts) == 1 else _Group(word, parts)


def _listed(values: Iterable[str]) -> str:
    texts = [literal(value) for value in values]
    if not texts:
        raise ValueError("a list of no values matches nothing: do not ask")
    return f"({','.join(texts)})"


class Order(msgspec.Struct, frozen=True):
    """One column of an ORDER BY."""

    column: Column
    descending: bool = False

    def soql(self) -> str:
        return f"{self.column.name} {'DESC' if self.descending else 'ASC'}"


class Columns:
    """Columns of queries that are asked often: in order, each once, their text made once."""

    __slots__ = ("quoted", "text")

    def __init__(self, names: Iterable[str]) -> None:
        held = columns(names)
        _check_columns(held)
        self.text = _shown(held)
        self.quoted = quoted(self.text)


class Select(msgspec.Struct, frozen=True):
    """A query. columns: in order, each once; a Select among them asks for the rows of a child
    relationship, whose name is then its `source`. limit: rows at most."""

    source: str
    columns: tuple[Column | Select, ...] | Columns
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        _check_object(self.source)
        if not isinstance(self.columns, Columns):
            _check_columns(self.columns)

    def soql(self) -> str:
        held = self.columns
        shown = held.text if isinstance(held, Columns) else _shown(held)
        return " ".join(["SELECT", shown, "FROM", *self._rest()])

    def quoted(self) -> str:
        """Its text as the value of a parameter of an address."""
        held = self.columns
        shown = held.quoted if isinstance(held, Columns) else quoted(_shown(held))
        return "%20".join(["SELECT", shown, "FROM", quoted(" ".join(self._rest()))])

    def _rest(self) -> list[str]:
        parts = [self.source, *_where(self.where)]
        if self.order:
            parts += ["ORDER BY", ",".join(part.soql() for part in self.order)]
        if self.limit is not None:
            parts += ["LIMIT", str(int(self.limit))]
        return parts


def _shown(held: Iterable[Column | Select]) -> str:
    unique = dict.fromkeys(held)
    return ",".join(c.soql() if isinstance(c, Column) else f"({c.soql()})" for c in unique)


class Count(msgspec.Struct, frozen=True):
    """How many rows meet the condition."""

    source: str
    where: Condition | None = None

    def __post_init__(self) -> None:
        _check_object(self.source)

    def soql(self) -> str:
        return " ".join(["SELECT COUNT() FROM", self.source, *_where(self.where)])

    def quoted(self) -> str:
        """Its text as the value of a parameter of an address."""
        return quoted(self.soql())


def _where(condition: Condition | None) -> list[str]:
    if condition is None:
        return []
    text = condition.soql()
    # Parentheses around the whole of a WHERE only cost bytes of the address.
    return ["WHERE", text[1:-1] if isinstance(condition, _Group) else text]


def _check_columns(held: Sequence[Column | Select]) -> None:
    if not held:
        raise ValueError("a query asks for at least one column")


def _check_object(name: str) -> None:
    if not _OBJECT.match(name):
        raise ValueError(f"{name[:100]!r} is no name of an object")


def columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Names as columns, each once, in their order."""
    return tuple(Column(name) for name in dict.fromkeys(names))
