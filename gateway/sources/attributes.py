"""What an object of a class of records holds: all of it, read at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

#: The names of a class, and what reads their values in that order.
Attributes = tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]

#: One for each class of what is remembered.
_KNOWN: dict[Any, Attributes | None] = {}


def attributes(value: Any) -> Attributes | None:
    """Of the class of a record; None for something else."""
    kind = type(value)
    if kind not in _KNOWN:
        _KNOWN[kind] = _attributes(kind) if is_dataclass(kind) else None
    return _KNOWN[kind]


def _attributes(kind: Any) -> Attributes:
    names = tuple(field.name for field in fields(kind))
    if len(names) > 1:
        return names, attrgetter(*names)
    return names, lambda value: tuple([getattr(value, name) for name in names])
