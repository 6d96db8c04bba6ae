"""The systems behind every gateway of the comparison: the sandbox's answers, from memory.

python -m bench.gateways.upstream --sandbox URL [--port N]

A question that was not asked before is asked of the sandbox, once, with its credentials; after that
the answer costs a look-up, so that the systems are never what is measured. What the CRM is asked
together (`/composite`) is looked up part by part: the parts come again, their company hardly ever.
Orders are given exactly five lines. `/_control` takes `{"latency_ms": 50}`, and tells and resets
how many questions came and how many of them were new.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import httptools
import httpx
import uvloop

_LINES = 5
_LOGIN = {
    "grant_type": "client_credentials",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
}
#: Method, URL and body.
Key = tuple[bytes, bytes, bytes]
_TOGETHER = b"/composite"


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer. fields: of its head."""

    status: int
    fields: list[str]
    content: bytes

    def written(self) -> bytes:
        """As it goes over the wire."""
        length = f"content-length: {len(self.content)}"
        head = "\r\n".join([f"HTTP/1.1 {self.status} OK", *self.fields, length])
        return head.encode() + b"\r\n\r\n" + self.content


class Memory:
    """What was answered to which question, and how long every answer is kept back."""

    def __init__(self, sandbox: str) -> None:
        self.latency = 0.0
        self.asked = self.new = 0
        self.known: dict[Key, bytes] = {}
        self._kept: dict[Key, Kept] = {}
        self._client = httpx.AsyncClient(base_url=sandbox, timeout=30)
        self._token = ""
        self._one_at_a_time = asyncio.Lock()

    async def learn(self, key: Key, content_type: str) -> bytes:
        async with self._one_at_a_time:
            if key not in self.known:
                self.new += 1
                kept = self._kept[key] = await self._ask(key, content_type)
                self.known[key] = kept.written()
            return self.known[key]

    async def together(self, asked: list[tuple[str, Key]]) -> bytes:
        """The answer to several questions at once, by their references."""
        for _, key in asked:
            if key not in self.known:
                await self.learn(key, "")
        kept = [self._kept[key] for _, key in asked]
        parts = [
            b'{"body":%s,"httpHeaders":{},"httpStatusCode":%d,"referenceId":"%s"}'
            % (one.content, one.status, reference.encode())
            for (reference, _), one in zip(asked, kept, strict=True)
        ]
        content = b'{"compositeResponse":[%s]}' % b",".join(parts)
        return Kept(200, kept[0].fields, content).written()

    async def _ask(self, key: Key, content_type: str) -> Kept:
        method, url, body = (part.decode() for part in key)
        headers = {"accept": "application/json"}
        if body:
            headers["content-type"] = content_type
        if url.startswith("/services/data"):
            headers["authorization"] = f"Bearer {await self._logged_in()}"
        auth = ("SANDBOX", "sandbox-secret") if url.startswith("/sap/") else None
        reply = await self._client.request(
            method, url, content=body.encode() or None, headers=headers, auth=auth
        )
        content = _evened(reply.content) if "to_Item" in url else reply.content
        kept = ("content-type", "x-wp-total", "x-wp-totalpages", "sforce-limit-info")
        fields = [f"{name}: {reply.headers[name]}" for name in kept if name in reply.headers]
        return Kept(reply.status_code, fields, content)

    async def _logged_in(self) -> str:
        if not self._token:
            reply = await self._client.post("/services/oauth2/token", data=_LOGIN)
            self._token = reply.json()["access_token"]
        return self._token

    def control(self, body: bytes) -> bytes:
        counted = json.dumps({"asked": self.asked, "new": self.new}).encode()
        self.asked = self.new = 0
        if body:
            self.latency = json.loads(body)["latency_ms"] / 1000
        return (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (len(counted), counted)
        )


def _evened(content: bytes) -> bytes:
    """Every order with as many lines as the comparison wants, and a reference of the customer: what
    an empty text means is for each gateway to say, and here all have to say the same."""
    answer: dict[str, Any] = json.loads(content)
    for order in answer.get("d", {}).get("results", ()):
        lines = order["to_Item"]["results"]
        if order.get("PurchaseOrderByCustomer") == "":
            order["PurchaseOrderByCustomer"] = f"PO {order['SalesOrder']}"
        order["to_Item"]["results"] = [
            {**lines[place % len(lines)], "SalesOrderItem": str(10 * (place + 1))}
            for place in range(_LINES)
        ]
    return json.dumps(answer, ensure_ascii=False).encode()


class Connection(asyncio.Protocol):
    """One connection of a gateway. Answers leave in the order of their questions."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url = self._body = b""
        self._content_type = ""
        self._last: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = self._body = b""
        self._content_type = ""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self._content_type = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        memory, key = self._memory, (self._parser.get_method(), self._url, self._body)
        if self._url == b"/_control":
            self._write(memory.control(self._body))
            return
        memory.asked += 1
        known = memory.known.get(key)
        if known is not None:
            self._answer(known)
            return
        asked = _parts(key) if self._url.endswith(_TOGETHER) else []
        answer = memory.together(asked) if asked else memory.learn(key, self._content_type)
        self._last = asyncio.get_running_loop().create_task(self._later(answer))

    async def _later(self, answer: Coroutine[Any, Any, bytes]) -> None:
        self._answer(await answer)

    def _answer(self, known: bytes) -> None:
        if self._memory.latency:
            asyncio.get_running_loop().call_later(self._memory.latency, self._write, known)
        else:
            self._write(known)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


def _parts(key: Key) -> list[tuple[str, Key]]:
    """The questions that are asked together, by their references; none where they do more than
    read."""
    parts = json.loads(key[2]).get("compositeRequest", [])
    if any(part["method"] != "GET" for part in parts):
        return []
    return [(part["referenceId"], (b"GET", part["url"].encode(), b"")) for part in parts]


async def _serve(sandbox: str, port: int) -> None:
    memory = Memory(sandbox)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(memory), "127.0.0.1", port, backlog=1024)
    print(
        f"upstream listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True
    )
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    uvloop.run(_serve(options.sandbox, options.port))


if __name__ == "__main__":
    main()
