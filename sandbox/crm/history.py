"""Writes down what became of a case, as the vendor does by itself: a row for each new status."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sandbox.crm import ids, moments
from sandbox.crm.files import next_number
from sandbox.database import insert

_PREFIX: Final = "017"
#: How a case comes to its status, in the order of the ways.
_WAYS: Final = {
    "New": (),
    "Working": ("Working",),
    "Waiting on Customer": ("Working", "Waiting on Customer"),
    "Escalated": ("Working", "Escalated"),
    "Resolved": ("Working", "Resolved"),
    "Closed": ("Working", "Resolved", "Closed"),
}
#: What a case in three went through besides, where it came far enough.
_DETOUR: Final = ("Working", "Waiting on Customer")


def note_created(connection: sqlite3.Connection, case: str, by: str, moment: str) -> None:
    _note(connection, case, by, moment, {"Field": "created", "DataType": "Text"})


def note_status(
    connection: sqlite3.Connection, case: str, by: str, moment: str, old: str, new: str
) -> None:
    values = {"Field": "Status", "DataType": "DynamicEnum", "OldValue": old, "NewValue": new}
    _note(connection, case, by, moment, values)


def _note(
    connection: sqlite3.Connection, case: str, by: str, moment: str, values: dict[str, Any]
) -> None:
    identity = ids.numbered(_PREFIX, next_number(connection, _PREFIX))
    row = {"Id": identity, "CaseId": case, "CreatedById": by, "CreatedDate": moment, **values}
    insert(connection, "crm_CaseHistory", row)


def seed_history(
    connection: sqlite3.Connection,
    case: str,
    status: str,
    staff: Sequence[str],
    begun: tuple[datetime, str],
    ended: datetime,
) -> None:
    """The history of an invented case. staff: users of whom one changed it. begun: when, and by
    whom; ended: when its last change was. One without any change began in its status."""
    number = next_number(connection, "history")
    created, by = begun
    note_created(connection, case, by, moments.written(created))
    steps = list(_steps(status, number)) if ended > created else []
    agent = staff[number % len(staff)]
    for at, (old, new) in enumerate(steps, 1):
        moment = created + (ended - created) * at / len(steps)
        note_status(connection, case, agent, moments.written(moment), old, new)


def _steps(status: str, number: int) -> Iterator[tuple[str, str]]:
    way = ["New", *_WAYS[status]]
    if len(way) > 2 and number % 3 == 0:
        way[1:1] = _DETOUR
    return pairwise(way)
