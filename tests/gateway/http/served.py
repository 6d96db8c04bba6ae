"""A guard with an application behind it, asked through pairs of sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from gateway.http.direct import Direct
from gateway.http.guard import Bounds, Guard
from gateway.http.places import Places

LARGE = b"y" * 5_000_000


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Says what it was asked; sends much where that is asked; takes WebSockets and does nothing."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    if scope["path"] == "/parts":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1_000):
            await send({"type": "http.response.body", "body": LARGE[:65_536], "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body"})
        return
    told = LARGE if scope["path"] == "/large" else scope["path"].encode() + b" " + body
    length = str(len(told)).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", length)],
        }
    )
    await send({"type": "http.response.body", "body": told})


class Server:
    """A guard, and connections to it by pairs of sockets."""

    def __init__(
        self,
        bounds: Bounds | None = None,
        peers: Places | None = None,
        asgi: ASGIApp = app,
        direct: Direct | None = None,
    ) -> None:
        guard = Guard(bounds or Bounds(), peers or Places(10, 10), direct=direct)
        self._config = uvicorn.Config(
            asgi,
            http=guard.http,  # type: ignore[arg-type]
            ws=guard.websocket,  # type: ignore[arg-type]
            log_config=None,
            access_log=False,
            lifespan="off",
        )
        self._config.load()
        self.state = ServerState()  # of the connection that was opened last
        self.protocol: Any = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        state = self.state = ServerState()
        ours, theirs = socket.socketpair()
        transport, self.protocol = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: self._config.http_protocol_class(  # type: ignore[call-arg]
                config=self._config, server_state=state, app_state={}
            ),
            theirs,
        )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            yield reader, writer
        finally:
            writer.close()
            transport.abort()
            await self.until(lambda: not state.tasks)

    @staticmethod
    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0.005)

    async def told(self, *parts: bytes) -> bytes:
        """All that is answered until the gateway closes, or is waited for no more."""
        async with self.connected() as (reader, writer):
            with contextlib.suppress(ConnectionError):  # it may close before all is read
                for part in parts:
                    writer.write(part)
                    await writer.drain()
            answer = b""
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(10):
                    while more := await reader.read(65_536):
                        answer += more
            return answer


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
