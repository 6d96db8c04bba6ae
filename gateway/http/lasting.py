"""Connections that stay open, WebSockets and streams of events: opened with one set of bounds, and
let go together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.http.origins import Origins
from gateway.http.places import Places
from gateway.http.reception import Reception
from gateway.http.sse import EventStreams
from gateway.http.streams import Streams
from gateway.http.websocket.connection import Limits
from gateway.http.websocket.route import WebSocketRoute
from gateway.settings import Settings

#: Seconds that operations on a WebSocket have to end when the gateway stops.
_GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Lasting:
    """sockets: an ASGI application for WebSockets. events: answers by streams of events."""

    sockets: WebSocketRoute
    events: EventStreams

    async def drain(self) -> None:
        """Lets all of them go."""
        self.events.drain()
        await self.sockets.drain(_GRACE)


def open_lasting(
    settings: Settings,
    reception: Reception,
    origins: Origins,
    clock: Callable[[], datetime],
) -> Lasting:
    streams, bounds = Streams(reception), settings.sockets
    callers = Places(bounds.connections, bounds.per_caller)
    limits = Limits(
        init_seconds=bounds.init_seconds,
        message_bytes=settings.server.max_body_kilobytes * 1024,
        burst=bounds.message_burst,
        per_second=bounds.messages_per_second,
        operations=bounds.operations,
    )
    addresses = Places(bounds.connections, bounds.per_address)
    return Lasting(
        WebSocketRoute(
            streams, origins, limits, addresses, callers, clock, settings.server.origins
        ),
        EventStreams(streams, callers, clock),
    )
