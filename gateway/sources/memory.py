"""Answers that this process remembers, bounded by number and by size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.port.fields import NotFetched
from connectors.port.scope import AccountRef
from gateway.sources.attributes import attributes

#: Bytes of an object beside its texts, roughly.
_OBJECT: Final = 64
#: Most of what records hold: texts, and what has nothing inside.
_FLAT: Final = {str, type(None), NotFetched, bool, int, Decimal, date, datetime, AccountRef}


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer. at: when it was asked for, epoch seconds. versions: what had been changed then."""

    value: Any
    at: float
    versions: Hashable


class Memory:
    """The least recently used answers go first. entries, size (bytes): at most."""

    def __init__(self, entries: int, size: int) -> None:
        self._most, self._most_size, self._size = entries, size, 0
        self._held: OrderedDict[Hashable, tuple[Entry, int]] = OrderedDict()

    def get(self, key: Hashable, versions: Hashable) -> Entry | None:
        """What is remembered and was not changed since."""
        found = self._held.get(key)
        if found is None:
            return None
        if found[0].versions != versions:
            self._drop(key)
            return None
        self._held.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, entry: Entry) -> None:
        self._drop(key)
        weight = weigh(entry.value) + _OBJECT * 4
        if weight > self._most_size // 8:
            return  # one answer must not crowd out all others
        self._held[key] = (entry, weight)
        self._size += weight
        while len(self._held) > self._most or self._size > self._most_size:
            _, (_, gone) = self._held.popitem(last=False)
            self._size -= gone

    def clear(self) -> None:
        self._held.clear()
        self._size = 0

    def _drop(self, key: Hashable) -> None:
        found = self._held.pop(key, None)
        if found is not None:
            self._size -= found[1]

    def __len__(self) -> int:
        return len(self._held)

    @property
    def size(self) -> int:
        """Bytes, roughly."""
        return self._size


def weigh(value: Any) -> int:
    """Bytes of a value, roughly: texts by their length, all else by the number of objects."""
    if isinstance(value, str | bytes):
        return _OBJECT + len(value)
    values = _inside(value)
    size = _OBJECT * (1 + len(values)) + sum([len(one) for one in values if type(one) is str])
    for one in values:
        if type(one) not in _FLAT:
            size += weigh(one) - _OBJECT
    return size


def _inside(value: Any) -> Collection[Any]:
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, dict):
        return value.values()
    held = None if isinstance(value, AccountRef) else attributes(value)
    return () if held is None else held[1](value)  # owners are shared
