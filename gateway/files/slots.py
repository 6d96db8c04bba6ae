"""How many files come in at the same time: each holds a piece or two in memory while it does."""

from __future__ import annotations

from collections import Counter

from connectors.port.errors import Unavailable
from gateway.files.store import NAME

#: Seconds after which another try makes sense.
_LATER = 5.0
#: Of so many at once, one caller may have one.
_SHARE = 4


class Slots:
    """Places for files that come in. most: at the same time in this process."""

    def __init__(self, most: int) -> None:
        self._most, self._each = most, max(1, most // _SHARE)
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> None:
        """Raises Unavailable when all are taken, or this caller has its share of them."""
        if self._taken.total() >= self._most or self._taken[who] >= self._each:
            raise Unavailable(NAME, "too many files come in right now", retry_after=_LATER)
        self._taken[who] += 1

    def free(self, who: str) -> None:
        """Gives one back."""
        self._taken[who] -= 1
        if self._taken[who] <= 0:
            del self._taken[who]
