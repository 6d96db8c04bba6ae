"""What stands behind a connection in tests of the protocol: streams that answer as they are told,
without a graph."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from connectors.port.scope import Scope
from gateway.http.headers import Head
from gateway.http.origins import Origins
from gateway.http.places import Places
from gateway.http.reception import Visitor, expired
from gateway.http.streams import Streams
from gateway.http.websocket.connection import Limits
from gateway.http.websocket.route import WebSocketRoute
from gateway.operations.requests import Outcome, Request
from schema.context import Caller
from schema.identity.service import Origin
from tests.gateway.clock import NOW, Clock

#: Documents that the rehearsed streams know.
ONCE, FOREVER, REFUSED, BROKEN, SLOW = "once", "forever", "refused", "broken", "slow"
EXPIRES = NOW.replace(hour=16)


@dataclass(slots=True)
class Rehearsal:
    """Bearers that end in "bad" prove nothing; all others are the person after the word."""

    ended: bool = False
    heads: list[Head] = field(default_factory=list)
    running: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def language(self, head: Head) -> str:
        return "en"

    async def receive(self, head: Head) -> Visitor:
        self.heads.append(head)
        await self.still(head)
        who = head.headers.get("authorization", "").removeprefix("Bearer ")
        caller = Caller("c", who, who, (), Scope(), EXPIRES) if who else None
        return Visitor(caller, Origin("203.0.113.7", "-", "-"), "en", "en")

    async def still(self, head: Head) -> None:
        if self.ended or head.headers.get("authorization", "").endswith("bad"):
            raise expired()

    @asynccontextmanager
    async def opened(
        self, visitor: Visitor, head: Head, request: Request
    ) -> AsyncIterator[Outcome | AsyncIterator[Outcome]]:
        self.running += 1
        try:
            match request.query:
                case "forever":
                    yield self._forever()
                case "refused":
                    yield Outcome({"errors": [{"message": "no"}]}, 400)
                case "broken":
                    raise RuntimeError("a secret")
                case "slow":
                    await self.go.wait()
                    yield Outcome({"data": {"slow": True}})
                case _:
                    yield Outcome({"data": {"asked": request.query}})
        finally:
            self.running -= 1

    async def _forever(self) -> AsyncIterator[Outcome]:
        yield Outcome({"data": {"number": 0}})
        await asyncio.Event().wait()


def route(
    rehearsal: Rehearsal,
    *,
    limits: Limits | None = None,
    addresses: Places | None = None,
    callers: Places | None = None,
    clock: Callable[[], datetime] | None = None,
    **more: Any,
) -> WebSocketRoute:
    return WebSocketRoute(
        cast("Streams", rehearsal),
        Origins(),
        limits or Limits(),
        addresses or Places(100, 100),
        callers or Places(100, 100),
        clock or Clock(),
        **more,
    )
