"""Connections that stay open, WebSockets and streams of events: opened with one set of bounds, and
let go together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from gateway.http.origins import Origins
from gateway.http.places import Places
from gateway.http.reception import Reception
from gateway.http.sse import EventStreams
from gateway.http.streams import Streams
from gateway.http.websocket.connection import Limits
from gateway.http.websocket.route import WebSocketRoute

#: Seconds that operations on a WebSocket have to end when the gateway stops.
_GRACE = 5.0


class SocketSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Connections that stay open: WebSockets and streams of events. connections: in one process.
    per_address, per_caller: of those. operations: at once on one WebSocket. messages_per_second,
    message_burst: that one WebSocket may send. init_seconds: until it says who it is. ping_seconds:
    between two signs of life."""

    connections: Annotated[int, msgspec.Meta(ge=1)] = 2_000
    per_address: Annotated[int, msgspec.Meta(ge=1)] = 300
    per_caller: Annotated[int, msgspec.Meta(ge=1)] = 20
    operations: Annotated[int, msgspec.Meta(ge=1)] = 50
    messages_per_second: Annotated[float, msgspec.Meta(gt=0)] = 20.0
    message_burst: Annotated[int, msgspec.Meta(ge=1)] = 100
    init_seconds: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    ping_seconds: Annotated[float, msgspec.Meta(gt=0)] = 20.0


@dataclass(frozen=True, slots=True)
class Lasting:
    """sockets: an ASGI application for WebSockets. events: answers by streams of events. finish:
    waits for what their clients have begun and left, for so many seconds at most."""

    sockets: WebSocketRoute
    events: EventStreams
    finish: Callable[[float], Awaitable[None]]

    async def drain(self) -> None:
        """Lets all of them go."""
        self.events.drain()
        await self.sockets.drain(_GRACE)
        await self.finish(_GRACE)


def open_lasting(
    bounds: SocketSettings,
    message_bytes: int,
    allowed: Collection[str],
    reception: Reception,
    origins: Origins,
    clock: Callable[[], datetime],
) -> Lasting:
    """message_bytes: of one message on a WebSocket, at most. allowed: origins of pages that may
    open one."""
    streams = Streams(reception)
    callers = Places(bounds.connections, bounds.per_caller)
    limits = Limits(
        init_seconds=bounds.init_seconds,
        message_bytes=message_bytes,
        burst=bounds.message_burst,
        per_second=bounds.messages_per_second,
        operations=bounds.operations,
    )
    addresses = Places(bounds.connections, bounds.per_address)
    return Lasting(
        WebSocketRoute(streams, origins, limits, addresses, callers, clock, allowed),
        EventStreams(streams, callers, clock),
        reception.finish,
    )
