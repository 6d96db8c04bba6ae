"""What 500 clients that send as slowly as they may cost everybody else.

    python -m bench.slow_clients [--rounds 3] [--seconds 20] [--slow 500]

Starts a gateway of its own on the sandbox and asks it at a steady pace from healthy clients, alone
and beside the slow ones by turns, so that whatever else the machine does falls on both. A third of
the slow ones never ends the head of a request, a third never ends a body, a third takes in no
answer. Who is dropped comes again at once. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import httpx

from tests.live.machine import ROOT
from tests.live.portal import embedded_default, written

#: Questions a second, by this many connections.
_PACE, _CLIENTS = 100, 10
_QUESTION = {"query": "{ caseCategories { code label form { name label } } }"}
_HEAD = b"GET /graphql HTTP/1.1\r\nHost: a\r\nX-Slow: "
_BODY = (
    b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Content-Length: 200000\r\n\r\n"
)
_READ = b"GET /graphiql/assets/monaco-parts-BvI3brez.js HTTP/1.1\r\nHost: a\r\n\r\n" * 12


async def main(rounds: int, seconds: int, slow: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        process, url = await _gateway(Path(folder))
        alone, beside, seen = list[float](), list[float](), Counter[str]()
        used = [0.0, 0.0]
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
                await _healthy(client, 3)
                for _ in range(rounds):
                    before = _work(process.pid)
                    alone += await _healthy(client, seconds)
                    used[0] += _work(process.pid) - before
                    crowd = [asyncio.create_task(_slow(url, n, seen)) for n in range(slow)]
                    await asyncio.sleep(2)
                    before = _work(process.pid)
                    beside += await _healthy(client, seconds)
                    used[1] += _work(process.pid) - before
                    for task in crowd:
                        task.cancel()
                    await asyncio.gather(*crowd, return_exceptions=True)
                    await asyncio.sleep(1)
        finally:
            process.terminate()
            await process.wait()
    _print("alone", alone, used[0])
    _print(f"beside {slow} slow clients", beside, used[1])
    print(f"connections of slow clients: {dict(seen)}")


async def _gateway(folder: Path) -> tuple[asyncio.subprocess.Process, str]:
    # A place for everybody, so that the slow ones are not simply kept out.
    settings = embedded_default()
    settings["connections"] = {"per_address": 4_000}
    settings["rates"] = {"enabled": False}
    config = written(folder, settings)
    words = [sys.executable, "-m", "gateway", "--config", str(config), "serve", "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None  # noqa: S101 - asked for above
    async for line in process.stdout:
        if b"GraphQL " in line:
            return process, line.split()[1].decode().removesuffix("/graphql")
    raise RuntimeError("the gateway did not start")


async def _healthy(client: httpx.AsyncClient, seconds: int) -> list[float]:
    """Milliseconds that each answer took, asked for at a steady pace whatever came before."""
    begun, took = time.perf_counter(), list[float]()

    async def ask(number: int) -> None:
        due = begun + number / _PACE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        sent = time.perf_counter()
        (await client.post("/graphql", json=_QUESTION)).raise_for_status()
        took.append(1_000 * (time.perf_counter() - sent))

    async def one(first: int) -> None:
        for number in range(first, seconds * _PACE, _CLIENTS):
            await ask(number)

    await asyncio.gather(*map(one, range(_CLIENTS)))
    return took


async def _slow(url: str, number: int, seen: Counter[str]) -> None:
    """One slow client, again and again."""
    host, port = url.removeprefix("http://").split(":")
    kind = ("head", "body", "answer")[number % 3]
    begin: bytes = {"head": _HEAD, "body": _BODY, "answer": _READ}[kind]
    while True:
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_connection(host, int(port), limit=1_024)
            seen[f"{kind} opened"] += 1
            writer.write(begin)
            while not reader.at_eof():
                await asyncio.sleep(1)
                if kind != "answer":
                    writer.write(b"a")
                    await writer.drain()
        except OSError:
            await asyncio.sleep(0.1)
        finally:
            if writer is not None:
                writer.close()
        seen[f"{kind} dropped"] += 1


def _work(pid: int) -> float:
    """Seconds that a process has worked, which nothing else on the machine adds to."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _print(what: str, took: list[float], used: float) -> None:
    cuts: Callable[[int], float] = quantiles(took, n=100, method="inclusive").__getitem__
    told = {
        "answers": len(took),
        "p50": cuts(49),
        "p95": cuts(94),
        "p99": cuts(98),
        "max": max(took),
        "work for each": 1_000 * used / len(took),
    }
    print(f"{what}: {json.dumps({name: round(value, 1) for name, value in told.items()})} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--slow", type=int, default=500)
    options = parser.parse_args()
    asyncio.run(main(options.rounds, options.seconds, options.slow))
