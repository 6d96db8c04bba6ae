"""Tells of many records at once that all are the asker's, with what they embed. Most are: what is
not told so is looked at one by one, in `guarded.py`, which alone decides what passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

#: Where records hold other records with an owner, and of which class. A class that is not named
#: here is never clean.
_PLACES: dict[type, dict[str, type]] = {
    Account: {},
    Attachment: {},
    Case: {"contact": Contact, "account": Account},
    CaseComment: {},
    CaseStatusChange: {},
    Contact: {"account": Account},
    Order: {},
}


def clean(records: Sequence[Any], scope: Scope) -> bool:
    """Whether every record, and every one inside, has an owner of the scope. False says nothing."""
    if not records:
        return True
    look = _LOOKS.get(type(records[0]))
    return look is not None and look(records, scope)


def _looking(kind: type) -> Callable[[Sequence[Any], Scope], bool]:
    """One loop over records of a class, written for its places: a call for each costs more than
    the whole look. Records share few owners, so that of the record before is known already."""
    lines = [
        "def look(records, scope):",
        " known = NOBODY",
        " for record in records:",
        *_lines(kind, "record", "  "),
        " return True",
    ]
    # NOBODY is no owner that a record could have: the first is looked at whatever it is.
    space: dict[str, Any] = {one.__name__: one for one in _PLACES}
    space |= {"NOT_FETCHED": NOT_FETCHED, "NOBODY": object()}
    # Made of names of classes and attributes that stand above, and of nothing else.
    exec(compile("\n".join(lines), f"<look at {kind.__name__}>", "exec"), space)  # noqa: S102
    look: Callable[[Sequence[Any], Scope], bool] = space["look"]
    return look


def _lines(kind: type, name: str, indent: str) -> Iterator[str]:
    """Leaves the loop unless a record, and every one inside, is of the scope."""
    yield f"{indent}if type({name}) is not {kind.__name__}: return False"
    yield f"{indent}owner = {name}.owner"
    yield f"{indent}if owner is not known:"
    yield f"{indent} if owner not in scope: return False"
    yield f"{indent} known = owner"
    for place, embedded in _PLACES[kind].items():
        inner = f"{name}_{place}"
        yield f"{indent}{inner} = {name}.{place}"
        yield f"{indent}if {inner} is not None and {inner} is not NOT_FETCHED:"
        yield from _lines(embedded, inner, indent + " ")


_LOOKS = {kind: _looking(kind) for kind in _PLACES}
