"""Turns a slice of a list into conditions, an order and a limit; splits long lists of ids. Pure.

Pages go by keyset: the value that the list is ordered by and, among equals, the record's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote

import msgspec

from connectors.kit.batching import by_size
from connectors.port.errors import Rejected
from connectors.port.pages import Keyset, Slice
from connectors.port.scope import Scope
from connectors.systems.salesforce.soql import (
    ID,
    Column,
    Condition,
    Order,
    either,
    every,
    literal,
    record_id,
    same,
)

#: How the ids of these objects begin.
CASE: Final = "500"
CONTACT: Final = "003"
COMMENT: Final = "00a"
DOCUMENT: Final = "069"
VERSION: Final = "068"

#: Bytes that the lists of values of one query may take in its address.
_LISTS: Final = 12_000
#: Bytes that are left to a list, however long the scope beside it is: the query then travels in a
#: body instead of an address.
_LEAST: Final = 4_000
#: Texts of a picklist or a text column have at most 255 characters.
_LONGEST_TEXT: Final = 255


class Seek(msgspec.Struct, frozen=True):
    """Where a page begins and in which order it is read. One row more than the slice's limit says
    that there is more, as `pages.cut` wants it."""

    conditions: tuple[Condition, ...]
    order: tuple[Order, ...]
    limit: int


def seek(
    source: str,
    part: Slice,
    column: Column,
    *,
    descending: bool,
    times: bool,
    id_column: Column = ID,
) -> Seek:
    """times: the column holds times, else texts. Raises Rejected for a keyset of another list."""
    conditions = []
    for field, mark, follows in (("after", part.after, True), ("before", part.before, False)):
        if mark is not None:
            _check(source, field, mark, times)
            conditions.append(_beyond(column, id_column, mark, follows != descending))
    # A page from the end is read backwards from there, and turned round by `cut`.
    downwards = descending != part.backward
    order = (Order(column, downwards), Order(id_column, downwards))
    return Seek(tuple(conditions), order, part.limit + 1)


def _beyond(column: Column, id_column: Column, mark: Keyset, greater: bool) -> Condition:
    value = mark.value if isinstance(mark.value, datetime) else str(mark.value)
    if not mark.id:
        from_there_on = either(column.after(value), column.equals(value))
        return from_there_on if greater else column.before(value)
    further, later = (
        (column.after(value), id_column.after(mark.id))
        if greater
        else (column.before(value), id_column.before(mark.id))
    )
    return either(further, every(column.equals(value), later))


def _check(source: str, field: str, mark: Keyset, times: bool) -> None:
    value = mark.value
    if times:
        right = isinstance(value, datetime) and value.utcoffset() is not None
    else:
        right = isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT
    if not right or not (mark.id == "" or record_id(mark.id)):
        raise Rejected(source, f"the place `{field}` is not of this list", field=field)


def wanted(ids: Iterable[str], prefix: str) -> list[str]:
    """The ids that can exist, each once; the 15 and 18 character forms of one are the same."""
    found = {same(one): one for one in ids if record_id(one, prefix)}
    return list(found.values())


def matchable(values: Iterable[str]) -> list[str]:
    """The texts that a column can hold, each once."""
    return [value for value in dict.fromkeys(values) if 0 < len(value) <= _LONGEST_TEXT]


def chunks(values: Sequence[str], scope: Scope, limit: int = 1000) -> list[list[str]]:
    """values in groups whose queries fit into an address beside the list of the scope's ids."""
    room = max(_LEAST, _LISTS - sum(map(_extent, scope.ids)))
    return list(by_size(values, _extent, room, limit))


def _extent(value: str) -> int:
    return len(quote(literal(value) + ",", safe=""))
