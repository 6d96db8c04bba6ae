"""Turns a place in a list into the domain of what lies beyond it, a slice into an order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from connectors.port.pages import Keyset, Slice
from connectors.systems.tryton.client import Ordering, key_of
from connectors.systems.tryton.domain import Clause, Domain, all_of, any_of, storable


class NoSuchPlace(ValueError):
    """A keyset that no record of the list can have."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a list is lined up by: a field that every record of it fills, and its type. by_length:
    Tryton compares lengths first, as it does with numbers of sales, so that 9 comes before 10."""

    path: str
    kind: type[str] | type[date]
    by_length: bool = False


def ordering(line: Line, descending: bool, part: Slice) -> Ordering:
    """The order of reading: that of the list, or its reverse when the slice is taken backward."""
    direction = "DESC" if descending != part.backward else "ASC"
    return ((line.path, direction), ("id", direction))


def bounds(line: Line, descending: bool, part: Slice) -> list[Domain]:
    """What lies after `part.after` and before `part.before`. Raises NoSuchPlace."""
    found = []
    if part.after is not None:
        found.append(_beyond(line, part.after, up=not descending))
    if part.before is not None:
        found.append(_beyond(line, part.before, up=descending))
    return found


def _beyond(line: Line, mark: Keyset, *, up: bool) -> Domain:
    value, key = mark.value, key_of(mark.id)
    if not isinstance(value, line.kind) or isinstance(value, datetime) or not storable(value):
        raise NoSuchPlace
    if key is None:
        raise NoSuchPlace
    sign: Literal["<", ">"] = ">" if up else "<"
    further = Clause(line.path, sign, value)
    same = all_of([Clause(line.path, "=", value), Clause("id", sign, key)])
    if not line.by_length:
        return any_of(further, same)
    length = len(str(value))
    as_long = all_of([Clause(line.path, "like", "_" * length), further])
    return any_of(_longer(line, length) if up else _shorter(line, length), as_long, same)


def _longer(line: Line, length: int) -> Domain:
    return Clause(line.path, "like", "_" * (length + 1) + "%")


def _shorter(line: Line, length: int) -> Domain:
    return Clause(line.path, "not like", "_" * length + "%")
