"""Puts a whole question together: columns, embedded records, condition, order, how many. Pure.

Spaces are written %20, never +, which OData services take for a plus sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from connectors.kit.odata.expressions import Expression, Version, name

#: Characters that RFC 3986 allows in a query and no service gives a meaning outside of OData's.
_PLAIN = "$'(),/:"
#: A text in which nothing but spaces has to be encoded, as most conditions are.
_spaced = re.compile(rf"[A-Za-z0-9_.~ {_PLAIN}-]*", re.ASCII).fullmatch
#: Sets of columns that are kept as they travel.
_MOST = 512


def encode(text: str) -> str:
    """A part of a query string. What is no Unicode text (half of a surrogate pair) becomes `?`."""
    if _spaced(text):
        return text.replace(" ", "%20")
    return quote(text, safe=_PLAIN, errors="replace")


@dataclass(frozen=True, slots=True)
class Embedded:
    """Records behind a navigation, with the columns wanted of them."""

    navigation: str
    select: tuple[str, ...] = ()
    expand: tuple[Embedded, ...] = ()

    def __post_init__(self) -> None:
        _check(self.navigation, *self.select)


@dataclass(frozen=True, slots=True)
class By:
    """One column of an order."""

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A question to an entity set. count: how many there are in all, told with the answer.

    Raises ValueError for a name that has not the form of one.
    """

    entity_set: str
    select: tuple[str, ...] = ()
    expand: tuple[Embedded, ...] = ()
    filter: Expression | None = None
    order: tuple[By, ...] = ()
    top: int | None = None
    count: bool = False

    def __post_init__(self) -> None:
        _check(self.entity_set, *self.select, *(by.path for by in self.order))

    def encoded(self, version: Version) -> str:
        """The query string, percent-encoded."""
        columns = _columns(self.select, self.expand, version)
        return "&".join([*columns, *_written(self._options(version))])

    def size(self, version: Version) -> int:
        """Bytes of the entity set with its query string, as they travel."""
        return len(self.entity_set) + 1 + len(self.encoded(version))

    def _options(self, version: Version) -> Iterator[tuple[str, str]]:
        if self.filter is not None:
            yield "$filter", self.filter.text(version)
        if self.order:
            columns = (f"{by.path} desc" if by.descending else by.path for by in self.order)
            yield "$orderby", ",".join(columns)
        if self.top is not None:
            yield "$top", str(self.top)
        if self.count:
            yield ("$inlinecount", "allpages") if version is Version.V2 else ("$count", "true")


def term_size(term: Expression, version: Version) -> int:
    """Bytes of a condition within a chain of `or`, as they travel, its separator included."""
    return len(encode(f"{term.text(version)} or "))


@lru_cache(_MOST)
def _columns(
    select: tuple[str, ...], expand: tuple[Embedded, ...], version: Version
) -> tuple[str, ...]:
    """What is wanted of each record: the same for every condition."""
    written = _columns_v2 if version is Version.V2 else _columns_v4
    return tuple(_written(written(select, expand)))


def _written(options: Iterator[tuple[str, str]]) -> list[str]:
    return [f"{key}={encode(value)}" for key, value in options]


def _columns_v2(select: Sequence[str], expand: Sequence[Embedded]) -> Iterator[tuple[str, str]]:
    """V2 selects with paths: $select=A,to_B/C and $expand=to_B."""
    columns, paths = list(select), []
    for path, embedded in _walk(expand):
        # Without a column of its own the navigation itself is selected, which means all of it.
        columns += [f"{path}/{column}" for column in embedded.select] or [path]
        if not embedded.expand:
            paths.append(path)
    if select:
        yield "$select", ",".join(columns)
    if paths:
        yield "$expand", ",".join(paths)


def _walk(expand: Sequence[Embedded], prefix: str = "") -> Iterator[tuple[str, Embedded]]:
    for embedded in expand:
        path = prefix + embedded.navigation
        yield path, embedded
        yield from _walk(embedded.expand, path + "/")


def _columns_v4(select: Sequence[str], expand: Sequence[Embedded]) -> Iterator[tuple[str, str]]:
    """V4 nests: $select=A and $expand=_B($select=C)."""
    if select:
        yield "$select", ",".join(select)
    if expand:
        parts = []
        for embedded in expand:
            nested = _columns_v4(embedded.select, embedded.expand)
            options = ";".join(f"{key}={value}" for key, value in nested)
            parts.append(embedded.navigation + (f"({options})" if options else ""))
        yield "$expand", ",".join(parts)


def _check(*names: str) -> None:
    for each in names:
        name(each)
