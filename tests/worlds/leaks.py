"""Looks through an answer for anything that belongs to somebody else."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.worlds.world import MARK, Marks, Owners

#: Keys whose texts may say again what the asker wrote: user errors do.
_ECHOES = ("message", "UserError_message")


def leaks(body: Mapping[str, Any], marks: Marks, may_see: Owners, told: str = "") -> list[str]:
    """What of an answer is not the asker's to see, each with the place it stands at.

    told: all that the asker wrote. Errors may say it again, data may not: an id that is answered
    says that there is such a thing."""
    found = []
    for place, leaf in leaves(body):
        echo = told if _may_echo(place) else ""
        found += [f"{'.'.join(place)}: {text}" for text in _foreign(leaf, marks, may_see, echo)]
    return found


def leaves(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value at the end of a path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*place, str(number)))
    else:
        yield place, value


def unfolded(text: str) -> Iterator[str | int]:
    """A text and what it says when it is a global id or a cursor."""
    yield text
    try:
        padded = text + "=" * (-len(text) % 4)
        inner = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        return
    yield inner
    yield from inner.split(":", 1)[1:]
    try:
        decoded = json.loads(inner)
    except ValueError:
        return
    for _, leaf in leaves(decoded):
        if isinstance(leaf, str | int):
            yield leaf


def _may_echo(place: tuple[str, ...]) -> bool:
    if place[0] == "errors":
        return True
    return place[-1].startswith(_ECHOES)


def _foreign(leaf: Any, marks: Marks, may_see: Owners, told: str) -> Iterator[str]:
    if not isinstance(leaf, str | int) or isinstance(leaf, bool):
        return
    for value in unfolded(leaf) if isinstance(leaf, str) else (leaf,):
        owners = marks.values.get(value)
        if owners is not None and owners.isdisjoint(may_see) and str(value) not in told:
            yield str(value)
        for mark in MARK.findall(value) if isinstance(value, str) else ():
            foreign = marks.marks[mark.lower()].isdisjoint(may_see)
            if foreign and mark.lower() not in told.lower():
                yield str(value)
