"""What those who follow cases cost, and how soon they hear.

    python -m bench.followers [--followers 500]

Starts a gateway of its own on the sandbox, opens a WebSocket for each follower, lets each follow
all cases of one customer, and opens a case. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.live.portal import Gateway, embedded_default, written
from tests.live.processes import free_port, started, wait_until

_EMAIL = "ana.torres@andina.example"
_FOLLOW = "subscription { casesChanged { event case { id status } } }"
_OPEN = """mutation { createCase(input: {category: "QUERY", description: "¿Cuándo llega?"}) {
  userErrors { code } } }"""
_AT_ONCE = 50


def main(followers: int) -> None:
    settings = embedded_default()
    settings["connections"] = {"per_address": 10_000}
    settings["sockets"] = {"per_address": 10_000, "per_caller": 10_000}
    settings["rates"] = {"enabled": False}
    settings["server"] = {**settings.get("server", {}), "log_level": "DEBUG"}
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        config, log = written(folder, settings), folder / "gateway.log"
        words = [sys.executable, "-m", "gateway", "--config", str(config), "serve"]
        here = Gateway(f"http://127.0.0.1:{port}", config)
        with started([*words, "--port", str(port)], log) as process:
            wait_until(here.is_ready, process, log)
            asyncio.run(_measure(here, process.pid, followers, log))


async def _measure(here: Gateway, pid: int, followers: int, log: Path) -> None:
    token = await asyncio.to_thread(here.token, _EMAIL)
    alone = _megabytes(pid)
    async with AsyncExitStack() as opened:
        sockets: list[ClientConnection] = []
        for first in range(0, followers, _AT_ONCE):
            some = range(first, min(first + _AT_ONCE, followers))
            sockets += await asyncio.gather(*(_connected(here, token, opened) for _ in some))
        connected = _megabytes(pid)
        message = {"id": "1", "type": "subscribe", "payload": {"query": _FOLLOW}}
        await asyncio.gather(*(one.send(json.dumps(message)) for one in sockets))
        await asyncio.sleep(2)
        following = _megabytes(pid)
        before = _calls(log)
        seconds = await _opened_case(here, token, sockets)
        await asyncio.sleep(1)
        print(f"{followers} connections: {connected - alone:.0f} MB")
        print(f"{followers} subscriptions more: {following - connected:.0f} MB")
        print(f"from opening a case until all have heard: {seconds:.2f} s")
        print(f"calls to the CRM for all of it: {_calls(log) - before}")


async def _connected(here: Gateway, token: str, opened: AsyncExitStack) -> ClientConnection:
    protocols: Any = ["graphql-transport-ws"]
    url = here.url.replace("http", "ws") + "/graphql"
    link = connect(url, subprotocols=protocols, proxy=None, compression=None, open_timeout=60)
    socket = await opened.enter_async_context(link)
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    await socket.send(json.dumps(init))
    await socket.recv()
    return socket


async def _opened_case(here: Gateway, token: str, sockets: list[ClientConnection]) -> float:
    """Seconds until every follower has heard of a new case."""
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as client:
        begun = time.perf_counter()
        asking = asyncio.create_task(client.post(f"{here.url}/graphql", json={"query": _OPEN}))
        await asyncio.gather(*(one.recv() for one in sockets))
        seconds = time.perf_counter() - begun
        (await asking).raise_for_status()
    return seconds


def _megabytes(pid: int) -> float:
    """Memory that a process has."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1_024 if found else 0.0


def _calls(log: Path) -> int:
    return len(re.findall(r'"source": "crm"', log.read_text()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--followers", type=int, default=500)
    main(parser.parse_args().followers)
