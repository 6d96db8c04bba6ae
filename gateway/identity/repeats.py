"""Tells the first of many like events from its repetitions, so that an attack does not fill the
audit: whoever is over a limit is written down once a minute."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

_WINDOW = timedelta(minutes=1)
_MOST = 10_000


class Repeats:
    """Remembers events for a minute. clock: aware UTC."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[str, ...], datetime] = OrderedDict()

    def first(self, *event: str) -> bool:
        """Whether nothing like it happened within the last minute."""
        now = self._clock()
        seen = self._seen.get(event)
        if seen is not None and now - seen < _WINDOW:
            return False
        self._seen[event] = now
        self._seen.move_to_end(event)
        if len(self._seen) > _MOST:
            self._seen.popitem(last=False)
        return True
