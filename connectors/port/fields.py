"""Which attributes of a record the asker selects, so that a system is asked for nothing else.

`Fields` is a set of attribute names of a record. A dotted name selects inside a record that the
outer one embeds: {"number", "contact.name"} asks for the case's number and, if the system can give
it in the same call, the name of the contact that opened it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

Fields = frozenset[str]


class NotFetched:
    """The value of an attribute that was not asked for. Reading it as data fails on purpose."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NOT_FETCHED"

    def __str__(self) -> str:
        raise TypeError("an attribute was written that the question did not ask for")

    def __bool__(self) -> bool:
        raise TypeError("an attribute was read that the question did not ask for")


#: Typed Any so that records can declare what an attribute holds once it was asked for.
NOT_FETCHED: Final[Any] = NotFetched()


def own(fields: Fields) -> Fields:
    """The attributes of the record itself; for an embedded record, its first name: "contact"."""
    return frozenset(name.partition(".")[0] for name in fields)


def inside(fields: Fields, name: str) -> Fields:
    """What is selected inside the embedded record `name`: "contact.name" gives "name"."""
    start = name + "."
    return frozenset(field[len(start) :] for field in fields if field.startswith(start))


def nested(name: str, fields: Iterable[str]) -> Fields:
    """The reverse of `inside`: "name" inside "contact" is "contact.name"."""
    return frozenset(f"{name}.{field}" for field in fields)
