"""Tells of many records at once that all are the asker's, with what they embed. Most are: what is
not told so is looked at one by one, in `guarded.py`, which alone decides what passes."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from connectors.port.fields import NOT_FETCHED
from connectors.port.records import (
    Account,
    Attachment,
    Case,
    CaseComment,
    CaseStatusChange,
    Contact,
    Order,
)
from connectors.port.scope import Scope

_owner = attrgetter("owner")
#: Where records hold other records with an owner. A class that is not named here is never clean.
_PLACES: dict[type, tuple[str, ...]] = {
    Account: (),
    Attachment: (),
    Case: ("contact", "account"),
    CaseComment: (),
    CaseStatusChange: (),
    Contact: ("account",),
    Order: (),
}
_NOTHING = {type(None), type(NOT_FETCHED)}


def clean(records: Sequence[Any], scope: Scope) -> bool:
    """Whether every record, and every one inside, has an owner of the scope. False says nothing."""
    kinds = set(map(type, records))
    if len(kinds) != 1:
        return not kinds
    places = _PLACES.get(kinds.pop())
    if places is None:
        return False
    # Many records share few owners: each of those is looked at once.
    owners = list(map(_owner, records))
    if not all(
        owner in scope for owner in dict(zip(map(id, owners), owners, strict=True)).values()
    ):
        return False
    return all(_inside(list(map(attrgetter(place), records)), scope) for place in places)


def _inside(values: list[Any], scope: Scope) -> bool:
    """The same for what stands in one place of many records, if anything does."""
    kinds = set(map(type, values))
    if kinds <= _NOTHING:
        return True
    if kinds.isdisjoint(_NOTHING):
        return clean(values, scope)
    return clean([value for value in values if type(value) not in _NOTHING], scope)
