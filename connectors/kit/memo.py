"""Keeps what was worked out of a value, for values that come again and again in answers: dates,
units, quantities."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: No longer text is kept.
_LONGEST = 200


class Memo(dict[K, V]):
    """Asked by `[]`, as the dict that it is: half of what a cached function costs.

    of: works out what is not known, and may raise: that is not kept. most: how many values are
    kept; one more, and all are forgotten."""

    __slots__ = ("_most", "_of")

    def __init__(self, of: Callable[[K], V], most: int) -> None:
        super().__init__()
        self._of, self._most = of, most

    def __missing__(self, value: K) -> V:
        found = self._of(value)
        if not _long(value):
            if len(self) >= self._most:
                self.clear()
            self[value] = found
        return found


def _long(value: Any) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return any(isinstance(part, str) and len(part) > _LONGEST for part in parts)
