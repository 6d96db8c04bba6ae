"""Sessions that ended before their tokens did: asked at every request, answered from memory."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

from connectors.port.errors import Unavailable

#: Ended sessions that are remembered at most; each is forgotten when its last token has ended.
_MOST = 500_000
#: How far back each question reaches beyond the last one: a row may be seen later than its time.
_OVERLAP = timedelta(seconds=30)

_log = logging.getLogger("gateway.access")

#: Sessions that ended since a moment, and until when the tokens of each could still be valid.
EndedSince = Callable[[datetime], Awaitable[Iterable[tuple[str, datetime]]]]


class Revocations:
    """Which sessions have ended. clock: aware UTC. reach: the longest life of an access token, with
    leeway. patience: how long other processes' word may be missing, while it is followed, before
    nobody can say any more whether a session has ended."""

    def __init__(
        self,
        clock: Callable[[], datetime] | None = None,
        reach: timedelta = timedelta(days=1),
        patience: timedelta = timedelta(seconds=30),
        most: int = _MOST,
    ) -> None:
        self._clock = clock or _now
        self._reach, self._patience, self._most = reach, patience, most
        self._until: dict[str, datetime] = {}
        self._order: list[tuple[datetime, str]] = []
        self._heard: datetime | None = None

    def end(self, session_id: str, until: datetime) -> None:
        """From now on the session has ended. until: when its last access token ends, aware."""
        known = self._until.get(session_id)
        if known is not None and known >= until:
            return
        self._until[session_id] = until
        heapq.heappush(self._order, (until, session_id))
        self._forget()

    def ended(self, session_id: str) -> bool:
        """Whether the session has ended. Raises Unavailable when that cannot be told."""
        if session_id in self._until:
            return True
        if self._heard is not None and self._clock() - self._heard > self._patience:
            raise Unavailable("identity", "nobody can tell which sessions have ended")
        return False

    def _forget(self) -> None:
        now = self._clock()
        while self._order:
            until, session_id = self._order[0]
            full = len(self._until) > self._most
            if until > now and not full:
                break
            heapq.heappop(self._order)
            if self._until.get(session_id) != until:
                continue  # it was ended again, until later
            del self._until[session_id]
            if until > now:
                _log.error("too many sessions have ended: one that has is taken for open again")

    async def catch_up(self, ended_since: EndedSince) -> None:
        """Asks once what ended in other processes. Raises what the question raises."""
        asked = self._clock()
        since = asked - self._reach if self._heard is None else self._heard - _OVERLAP
        for session_id, until in await ended_since(since):
            self.end(session_id, until)
        self._heard = asked
        self._forget()

    async def follow(self, ended_since: EndedSince, every: float = 1.0) -> None:
        """Asks again and again until cancelled; a failed question is logged and asked again. Call
        `catch_up` first, so that a process that cannot ask does not start. every: seconds."""
        while True:
            await asyncio.sleep(every)
            try:
                # A question that hangs leaves time for another one before patience is over.
                async with asyncio.timeout(self._patience.total_seconds() / 3):
                    await self.catch_up(ended_since)
            except Exception as error:  # noqa: BLE001 - a database has errors of its own
                _log.error("ended sessions could not be read: %s", type(error).__name__)


def _now() -> datetime:
    return datetime.now(UTC)
