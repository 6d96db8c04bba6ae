"""The two ways that a call can take, both to one handler: an httpx transport, and sockets (unix
ones: tests have no others)."""

from __future__ import annotations

import asyncio
import inspect
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

import h11
import httpx

from connectors.kit.connector import Wiring

Handler = (
    Callable[[httpx.Request], httpx.Response]
    | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
)


class Way(Protocol):
    def wiring(self, handler: Handler, **more: Any) -> Wiring: ...

    async def close(self) -> None: ...


class ByTransport:
    """httpx, mocked."""

    def wiring(self, handler: Handler, **more: Any) -> Wiring:
        return Wiring(httpx.MockTransport(handler), **more)

    async def close(self) -> None:
        return None


class BySockets:
    """Our own sockets, to a server that h11 speaks for. An exception of a handler ends the
    connection."""

    def __init__(self) -> None:
        self._servers: list[Server] = []

    def wiring(self, handler: Handler, **more: Any) -> Wiring:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _speak(handler, reader, writer)

        server = Server(speak)
        self._servers.append(server)
        return Wiring(dial=server.dial, **more)

    async def close(self) -> None:
        for server in self._servers:
            await server.close()


class Server:
    """A server at the end of whatever address is dialled. speak: one connection's life."""

    def __init__(
        self,
        speak: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._speak, self._tls = speak, tls
        self.dialled: list[tuple[str, int]] = []
        self.served = 0
        self._opening = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._folder = tempfile.TemporaryDirectory()
        self._path = str(Path(self._folder.name) / "s")
        self._ours: list[asyncio.BaseTransport] = []
        self._theirs: set[asyncio.Task[None]] = set()

    async def dial(
        self, host: str, port: int, tls: ssl.SSLContext | None, protocol: Callable[[], Any]
    ) -> Any:
        async with self._opening:
            if self._server is None:
                self._server = await asyncio.start_unix_server(
                    self._serve, self._path, ssl=self._tls
                )
        self.dialled.append((host, port))
        transport, made = await asyncio.get_running_loop().create_unix_connection(
            protocol, self._path, ssl=tls, server_hostname=host if tls else None
        )
        self._ours.append(transport)
        return made

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served += 1
        task = asyncio.current_task()
        assert task
        self._theirs.add(task)
        try:
            await self._speak(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, h11.RemoteProtocolError):
            pass
        finally:
            self._theirs.discard(task)
            writer.close()

    async def close(self) -> None:
        for transport in self._ours:
            transport.close()
        for task in list(self._theirs):
            task.cancel()
        await asyncio.gather(*self._theirs, return_exceptions=True)
        if self._server:
            self._server.close()
        for _ in range(3):
            await asyncio.sleep(0)
        self._folder.cleanup()


async def _speak(
    handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    connection = h11.Connection(h11.SERVER)
    while True:
        request = await _request(connection, reader)
        if request is None:
            return
        try:
            answer = handler(request)
            response = await answer if inspect.isawaitable(answer) else answer
        except Exception:  # noqa: BLE001 - whatever it is, the connection ends
            return
        lengths = (b"content-length", b"transfer-encoding")
        headers = [pair for pair in response.headers.raw if pair[0].lower() not in lengths]
        headers.append((b"transfer-encoding", b"chunked"))
        head = h11.Response(status_code=response.status_code, headers=headers)
        writer.write(connection.send(head) or b"")
        async for part in _raw(response):
            writer.write(connection.send(h11.Data(part)) or b"")
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        connection.start_next_cycle()


async def _raw(response: httpx.Response) -> Any:
    stream = response.stream
    if isinstance(stream, httpx.AsyncByteStream):
        async for part in stream:
            yield part


async def _request(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> httpx.Request | None:
    head, body = None, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert head
            host = dict(head.headers)[b"host"].decode()
            url = f"https://{host}{head.target.decode()}"
            return httpx.Request(
                head.method.decode(), url, headers=list(head.headers), content=body
            )
        else:
            return None
