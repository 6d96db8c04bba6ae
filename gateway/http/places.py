"""How many may be in at once: altogether, and of one caller or address. Nobody waits."""

from __future__ import annotations

from collections import Counter


class Places:
    """most: altogether. most_each: of one key."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._taken: Counter[str] = Counter()
        self._all = 0

    def take(self, key: str) -> bool:
        """Whether there was a place, which is taken now; whoever has it gives it back by `free`."""
        if self._all >= self._most or self._taken[key] >= self._most_each:
            if not self._taken[key]:
                del self._taken[key]
            return False
        self._taken[key] += 1
        self._all += 1
        return True

    def free(self, key: str) -> None:
        self._all -= 1
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]
