"""What one call costs on the way to a system: several clients, the same answer, in turns.

python -m bench.wire [--calls 2000] [--rounds 7]

CPU is of this process alone; the upstream is another one. Clients that are not installed are left
out. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import multiprocessing
import os
import platform
import socket
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import httptools
import httpx
import uvloop

from connectors.kit.auth import Fixed
from connectors.kit.connector import Wiring
from connectors.kit.http import HttpClient, HttpSettings
from connectors.kit.sockets import SocketWire
from connectors.kit.wire import Outgoing

Ask = Callable[[], Awaitable[int]]
Close = Callable[[], Awaitable[None]]
_AUTH = {"authorization": "Bearer some-token", "accept": "application/json"}
_PATH = "/services/data/v62.0/query?q=SELECT%20Id%2CAccountId%20FROM%20Case%20LIMIT%2051"


# --------------------------------------------------------------------------------- the upstream


class _Upstream(asyncio.Protocol):
    """Answers every request with the same bytes."""

    answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(self.answer)


def _serve(listener: socket.socket, size: int, ready: Connection) -> None:
    body = b'{"totalSize":1,"done":true,"records":[],"x":"' + b"x" * size + b'"}'
    head = (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=UTF-8\r\n"
        "date: Wed, 18 Nov 2026 15:30:00 GMT\r\nsforce-limit-info: api-usage=18/15000\r\n"
        "cache-control: no-cache,must-revalidate\r\nvary: accept-encoding\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    _Upstream.answer = head.encode() + body

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Upstream, sock=listener)
        ready.send(True)
        await server.serve_forever()

    uvloop.run(run())


# ---------------------------------------------------------------------------------- the clients


class _Adapter(httpx.AsyncBaseTransport):
    """Our sockets as a transport of httpx: what remains then is httpx's own."""

    def __init__(self, url: str) -> None:
        self._wire = SocketWire(url, 3.0, 20)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = {k: v for k, v in request.headers.items() if k not in ("host", "content-length")}
        outgoing = Outgoing(
            request.method, str(request.url), headers, await request.aread() or None
        )
        found = await self._wire.exchange(outgoing, 10_000_000)
        return httpx.Response(found.status, headers=list(found.headers.items()), content=found.body)


def _by_httpx(url: str, transport: httpx.AsyncBaseTransport | None) -> tuple[Ask, Close]:
    client = httpx.AsyncClient(transport=transport, trust_env=False)

    async def ask() -> int:
        return len((await client.get(url + _PATH, headers=_AUTH)).content)

    return ask, client.aclose


def _by_kit(url: str, transport: httpx.AsyncBaseTransport | None) -> tuple[Ask, Close]:
    credential = Fixed("authorization", _AUTH["authorization"])
    wiring = Wiring(transport=transport)
    client = HttpClient("crm", url, HttpSettings(), wiring, credential=credential)

    async def ask() -> int:
        return len((await client.get("find_cases", _PATH)).body)

    return ask, client.close


def _clients(url: str) -> dict[str, tuple[Ask, Close]]:
    found = {
        "httpx, its own transport": _by_httpx(url, None),
        "httpx on our sockets": _by_httpx(url, _Adapter(url)),
        "kit on httpx's transport": _by_kit(url, httpx.AsyncHTTPTransport(trust_env=False)),
        "kit on our sockets": _by_kit(url, None),
    }
    for name, module, kind in (
        ("httpx-aiohttp", "httpx_aiohttp", "AiohttpTransport"),
        ("pyreqwest", "pyreqwest.compatibility.httpx", "HttpxTransport"),
    ):
        try:
            transport = getattr(importlib.import_module(module), kind)
        except ImportError:
            continue
        found[f"httpx on {name}"] = _by_httpx(url, transport())
        found[f"kit on {name}"] = _by_kit(url, transport())
    return found


# ---------------------------------------------------------------------------------- the figures


@dataclass(frozen=True, slots=True)
class _Round:
    cpu: float
    wall: float


async def _round(ask: Ask, calls: int, together: int) -> _Round:
    async def some() -> None:
        for _ in range(calls // together):
            await ask()

    await asyncio.gather(*(ask() for _ in range(together)))
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(some() for _ in range(together)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return _Round(cpu / calls * 1e6, wall / calls * 1e6)


async def _measure(url: str, calls: int, rounds: int, size: int) -> None:
    clients = _clients(url)
    for together in (1, 16):
        rows: dict[str, list[_Round]] = {name: [] for name in clients}
        for _ in range(rounds):
            for name, (ask, _) in clients.items():
                if await ask() < size:
                    raise ValueError(f"{name}: another answer")
                rows[name].append(await _round(ask, calls, together))
        print(f"\nanswers of {size:,} bytes, {together} at a time; microseconds a call, medians")
        print(f"{'':32}{'CPU':>8}{'elapsed':>9}")
        for name, found in rows.items():
            cpu = statistics.median(one.cpu for one in found)
            wall = statistics.median(one.wall for one in found)
            print(f"{name:32}{cpu:8.0f}{wall:9.0f}")
    for _, close in clients.values():
        await close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{os.cpu_count()} CPUs, Python {platform.python_version()}")
    for size in (500, 20_000):
        listener = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        upstream = context.Process(target=_serve, args=(listener, size, there), daemon=True)
        upstream.start()
        here.recv()
        try:
            uvloop.run(_measure(url, options.calls, options.rounds, size))
        finally:
            upstream.terminate()
            upstream.join()


if __name__ == "__main__":
    main()
