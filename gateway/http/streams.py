"""Whatever is asked, answered once or again and again: what a WebSocket and a stream of events are
fed from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from starlette.types import Receive

from gateway.http.headers import Head
from gateway.http.reception import Reception, Visitor
from gateway.operations.requests import Outcome, Request
from schema.context import Caller


class Streams:
    """Opens streams of outcomes for visitors."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    def language(self, head: Head) -> str:
        """The language of texts for people, as far as the headers alone tell."""
        return self._reception.language(head.headers)

    async def receive(self, head: Head) -> Visitor:
        """Who asks. Raises Refusal."""
        return await self._reception.receive(head)

    async def still(self, head: Head) -> None:
        """Raises Refusal when the token in the headers has ended. Asks no system."""
        await self._reception.still(head)

    @asynccontextmanager
    async def opened(
        self, visitor: Visitor, head: Head, request: Request
    ) -> AsyncIterator[Outcome | AsyncIterator[Outcome]]:
        """The answer to a request, or the answers, of which there is none any more when the block
        ends. The answers raise Refusal when the token has ended."""
        begun = await self._reception.begin(visitor, request)
        if isinstance(begun, Outcome):
            yield begun
            return
        try:
            yield begun.outcomes(partial(self._reception.renewed, head, begun))
        finally:
            await begun.aclose()


def ends_at(visitor: Visitor, now: datetime) -> datetime | None:
    """When the visitor's token ends. None where there is none, and where it ended before now: it
    was taken still, because clocks may differ, and the verifier says for how long."""
    if not isinstance(visitor.who, Caller) or visitor.who.expires_at <= now:
        return None
    return visitor.who.expires_at


def caller_key(visitor: Visitor) -> str:
    """What a visitor's connections are counted by: the person or program, else the address."""
    if isinstance(visitor.who, Caller):
        return f"caller {visitor.who.email or visitor.who.name}"
    return f"address {visitor.origin.address}"


async def disconnected(receive: Receive) -> None:
    """Returns when the client has left. The request's body was read before."""
    while (await receive())["type"] != "http.disconnect":
        pass
