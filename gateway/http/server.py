"""The socket: uvicorn with the bounds of `guard.py`, until the process is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.types import ASGIApp

from gateway.http.direct import Direct
from gateway.http.guard import Bounds, ConnectionSettings, Guard
from gateway.http.places import Places

#: Seconds that requests have to be answered when the process stops.
_GRACE = 10
#: Files that a process needs beside its connections.
_FILES = 256


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    table: ConnectionSettings,
    *,
    direct: Direct | None = None,
    trusts: Callable[[str], bool],
    message_bytes: int,
    ping_seconds: float,
    begun: Callable[[], None],
    finish: Callable[[], Awaitable[None]],
    drain: Callable[[], Awaitable[None]],
) -> None:
    """Answers on a socket. direct: answers what need not go by ASGI. trusts: whether an address is
    that of a proxy of ours. message_bytes: of one that comes by WebSocket. ping_seconds: between
    signs of life of one. begun: called as soon as it can be asked. finish: does the rest of the
    start from then on; what it raises stops the server, and is raised. drain: lets connections that
    stay open go, before the others are closed."""
    _allow_files(table.most + _FILES)
    bounds = Bounds(
        head_seconds=table.head_seconds,
        body_seconds=table.body_seconds,
        send_seconds=table.send_seconds,
    )
    peers = Places(table.most, table.per_address)
    guard = Guard(bounds, peers, trusts, direct)
    config = uvicorn.Config(
        app,
        http=guard.http,  # type: ignore[arg-type]
        ws=guard.websocket,  # type: ignore[arg-type]
        ws_max_size=message_bytes,
        ws_ping_interval=ping_seconds,
        ws_ping_timeout=ping_seconds,
        # What it saves on the wire costs memory for each connection.
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        # It would believe X-Forwarded-For of anybody on this machine; see origins.py.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=table.keep_alive_seconds,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config, begun, finish, drain)
    await server.serve(sockets=[listener])
    if server.failed is not None:
        raise server.failed


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        begun: Callable[[], None],
        finish: Callable[[], Awaitable[None]],
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._begun, self._finish, self._drain = begun, finish, drain
        self._finishing: asyncio.Task[None] | None = None
        self.failed: Exception | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._begun()
            self._finishing = asyncio.create_task(self._finished())

    async def _finished(self) -> None:
        try:
            await self._finish()
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the start
            self.failed = error
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._finishing is not None:
            self._finishing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._finishing
        await self._drain()
        await super().shutdown(sockets)


def _allow_files(wanted: int) -> None:
    """As many open files as the connections need, as far as the system lets a process have them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
