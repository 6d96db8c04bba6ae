"""From what customers send, as each process hears how far it is, to events of their cases.

Every process hears of every submission when it would show it, so these events need not travel: a
hint does, and each process then reads for itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from gateway.submissions.records import NOBODY, Entry, State
from schema.cases.service import Sent
from schema.events import Event, What

#: Opened cases that are remembered, to tell that one was opened from that it went on.
_MOST = 10_000

_WHATS = {
    Sent.CASE: What.CASE_OPENED,
    Sent.COMMENT: What.CASE_COMMENTED,
    Sent.FILE: What.CASE_FILE_ADDED,
    Sent.CLOSING: What.CASE_STATUS_CHANGED,
}


class Submitted:
    """Tells events of submissions. tell: where events go."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._opened: OrderedDict[str, None] = OrderedDict()

    def heard(self, entry: Entry) -> None:
        """A submission that is new, or further than before."""
        if entry.account == NOBODY:
            return
        alias = entry.alias if entry.kind is Sent.CASE and entry.case_id else ""
        self._tell(Event(self._what(entry), entry.about, entry.account.id, alias))

    def _what(self, entry: Entry) -> What:
        if entry.state in (State.REJECTED, State.CANCELLED):
            return What.CASE_REJECTED
        if entry.kind is Sent.CASE and entry.id in self._opened:
            return What.CASE_STATUS_CHANGED
        if entry.kind is Sent.CASE:
            self._opened[entry.id] = None
            while len(self._opened) > _MOST:
                self._opened.popitem(last=False)
        return _WHATS[entry.kind]
