"""A client of WebSockets and of event streams in the gateway's own process, which says exactly what
a test wants it to say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp

PROTOCOL = "graphql-transport-ws"
#: Seconds that a test waits for what must come.
_PATIENCE = 10.0


@dataclass(slots=True)
class Client:
    """One connection. accepted: with which subprotocol. closed: code and reason of the gateway.
    status: of a refusal by HTTP."""

    _to_gateway: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    _from_gateway: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    accepted: str | None = None
    closed: tuple[int, str] | None = None
    status: int | None = None

    def say(self, message: object) -> None:
        """Sends a message, JSON unless it is text already."""
        text = message if isinstance(message, str) else json.dumps(message)
        self._to_gateway.put_nowait({"type": "websocket.receive", "text": text})

    def say_bytes(self, message: bytes) -> None:
        self._to_gateway.put_nowait({"type": "websocket.receive", "bytes": message})

    def leave(self) -> None:
        self._to_gateway.put_nowait({"type": "websocket.disconnect", "code": 1005})

    async def hear(self) -> Any:
        """The next message, None when the connection ended in place of it."""
        async with asyncio.timeout(_PATIENCE):
            message = await self._from_gateway.get()
        match message["type"]:
            case "websocket.send":
                return json.loads(message["text"])
            case "websocket.close":
                self.closed = (message["code"], message["reason"])
            case "websocket.http.response.start":
                self.status = message["status"]
        return None

    async def silent(self) -> bool:
        """Whether nothing has been said, once everything that was begun has been done."""
        for _ in range(20):
            await asyncio.sleep(0)
        await asyncio.sleep(0.02)
        return self._from_gateway.empty()

    async def init(self, payload: Mapping[str, Any] | None = None) -> None:
        self.say({"type": "connection_init", **({"payload": payload} if payload else {})})
        assert await self.hear() == {"type": "connection_ack"}

    def subscribe(
        self, query: str, variables: Mapping[str, Any] | None = None, key: str = "1"
    ) -> None:
        payload = {"query": query, "variables": variables}
        self.say({"id": key, "type": "subscribe", "payload": payload})


@asynccontextmanager
async def connected(
    app: ASGIApp,
    *,
    subprotocols: Sequence[str] = (PROTOCOL,),
    headers: Mapping[str, str] | None = None,
    path: str = "/graphql",
) -> AsyncIterator[Client]:
    """A connection that is accepted or refused already. Ends with the block, and must do so."""
    client = Client()
    given = {"host": "portal.example", **(headers or {})}
    scope = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "subprotocols": list(subprotocols),
        "client": ("203.0.113.7", 40_000),
        "extensions": {"websocket.http.response": {}},
    }
    client._to_gateway.put_nowait({"type": "websocket.connect"})

    async def send(message: Any) -> None:
        client._from_gateway.put_nowait(message)

    async def run() -> None:
        try:
            await app(scope, client._to_gateway.get, send)
        finally:
            client._from_gateway.put_nowait({"type": "over"})

    running = asyncio.create_task(run())
    try:
        async with asyncio.timeout(_PATIENCE):
            first = await client._from_gateway.get()
        if first["type"] == "websocket.accept":
            client.accepted = first["subprotocol"] or ""
        else:
            client.status = first.get("status")
        yield client
    finally:
        client.leave()
        async with asyncio.timeout(_PATIENCE):
            await running


@dataclass(slots=True)
class Stream:
    """An answer by HTTP that may still go on."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    _parts: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def part(self) -> str | None:
        """The next part of the body, None at its end."""
        while True:
            async with asyncio.timeout(_PATIENCE):
                message = await self._parts.get()
            if message.get("body"):
                return str(message["body"].decode())
            if not message.get("more_body"):
                return None

    async def rest(self) -> str:
        parts = []
        while (part := await self.part()) is not None:
            parts.append(part)
        return "".join(parts)

    def leave(self) -> None:
        self._gone.set()


@asynccontextmanager
async def streamed(
    app: ASGIApp,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
) -> AsyncIterator[Stream]:
    """A request whose answer is read as it comes. Ends with the block, and must do so. body: in the
    address, where the method is GET."""
    stream = Stream()
    given = {
        "host": "portal.example",
        "content-type": "application/json",
        "accept": "text/event-stream",
        **(headers or {}),
    }
    scope = {
        "type": "http",
        "method": method,
        "path": "/graphql",
        "query_string": urlencode(body).encode() if method == "GET" else b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("203.0.113.7", 40_000),
    }
    asked = [
        {"type": "http.request", "body": b"" if method == "GET" else json.dumps(body).encode()}
    ]

    async def receive() -> Any:
        if asked:
            return asked.pop()
        await stream._gone.wait()
        return {"type": "http.disconnect"}

    begun = asyncio.Event()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            stream.status = message["status"]
            stream.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            begun.set()
        else:
            stream._parts.put_nowait(message)

    async def run() -> None:
        try:
            await app(scope, receive, send)
        finally:
            begun.set()
            stream._parts.put_nowait({})

    running = asyncio.create_task(run())
    try:
        async with asyncio.timeout(_PATIENCE):
            await begun.wait()
        yield stream
    finally:
        stream.leave()
        async with asyncio.timeout(_PATIENCE):
            await running
