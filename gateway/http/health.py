"""Health for whoever runs the gateway: is the process alive, and which systems answer it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from connectors.port.errors import SourceError
from connectors.port.sources import System


class Pending(Protocol):
    """What waits for the CRM."""

    @property
    def waiting(self) -> int: ...
    def oldest(self) -> datetime | None: ...


#: Seconds that a system has to say that it is well, and how long what it said is repeated.
_PATIENCE, _KEPT = 2.0, timedelta(seconds=10)


async def live(http: HttpRequest) -> Response:
    """The process answers."""
    return JSONResponse({"status": "live"})


class Ready:
    """The gateway is ready as soon as it has started: a system that is down costs its own fields,
    so it must not cost the whole portal its traffic. Which systems answer is told all the same, and
    how much waits for the CRM. starting: the rest of the start is under way."""

    def __init__(
        self,
        systems: Sequence[System],
        clock: Callable[[], datetime],
        pending: Pending | None = None,
    ) -> None:
        self._systems, self._clock, self._pending = systems, clock, pending
        self._known: tuple[datetime, dict[str, str]] | None = None
        self._lock = asyncio.Lock()
        self.starting = False

    async def answer(self, http: HttpRequest) -> Response:
        if self.starting:
            return JSONResponse({"status": "starting"}, 503)
        states = await self._states()
        told: dict[str, object]
        well = all(state == "ok" for state in states.values())
        told = {"status": "ready" if well else "degraded", "systems": states}
        if self._pending is not None:
            since = self._pending.oldest()
            oldest = since.isoformat() if since else None
            told["submissions"] = {"waiting": self._pending.waiting, "oldest": oldest}
        return JSONResponse(told)

    async def _states(self) -> dict[str, str]:
        async with self._lock:
            now = self._clock()
            if self._known is None or now - self._known[0] > _KEPT:
                found = await asyncio.gather(*map(_state, self._systems))
                names = [system.name for system in self._systems]
                self._known = (now, dict(zip(names, found, strict=True)))
            return self._known[1]


async def _state(system: System) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            await system.check()
    except TimeoutError:
        return "SOURCE_TIMED_OUT"
    except SourceError as error:
        return error.code
    return "ok"
