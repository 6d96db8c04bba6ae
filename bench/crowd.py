"""What a crowd costs: 64 callers at once, on systems that take 50 ms for an answer.

    python -m bench.crowd [--seconds 4] [--write docs/benchmarks.md]

First, 64 equal queries at the same time, and one alone: how often the systems are asked, beside the
fewest calls that can answer the query. Then 64 connections with queries that differ, for a while:
as many answers a second as systems of that latency allow, or as many as our core does? Every round
trip takes 50 ms, so 64 connections get 1,280 answers a second at most where a query is one round
trip. Needs taskset and wrk. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.gateways.contenders import CONTENDERS, World
from bench.gateways.measuring import Figure, Plan, asked_by, load
from bench.gateways.queries import QUERIES, Query
from bench.gateways.report import put, where
from bench.gateways.running import control, counted, first_answer, needs, running, systems

_CROWD = 64
_LATENCY = 50
#: Of equal queries, each with variables that nobody has asked with before, and of load, of which
#: the best counts: what else a machine does only takes away.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """Of one query. alone, together: calls to the systems in each round. figure: the best load."""

    query: Query
    alone: Sequence[int]
    together: Sequence[int]
    figure: Figure


async def measured(seconds: float) -> list[Found]:
    ours = CONTENDERS[0]
    plan = Plan([ours], QUERIES, seconds, 1, _CROWD, [_LATENCY])
    with tempfile.TemporaryDirectory() as folder:
        async with systems(Path(folder)) as world:
            headers = {**ours.headers(world), "content-type": "application/json"}
            async with running(ours, world) as gateway, httpx.AsyncClient(timeout=30) as client:
                url = f"http://127.0.0.1:{gateway.port}{ours.path}"
                await first_answer(client, url, headers, gateway)
                found = []
                for query in QUERIES:
                    await _known(query, world, client, url, headers)
                    await control(client, world, _LATENCY)
                    alone, together = [], []
                    async with Crowd(gateway.port, ours.path, headers) as crowd:
                        for turn in range(_ROUNDS):
                            body = asked_by(query, turn)
                            alone.append(await _calls(crowd, body, 1, world, client))
                            together.append(await _calls(crowd, body, _CROWD, world, client))
                    figures = [
                        await load(plan, world, client, url, headers, query, _CROWD, gateway, ours)
                        for _ in range(_ROUNDS)
                    ]
                    await control(client, world, 0)
                    best = max(figures, key=lambda figure: figure.per_second)
                    found.append(Found(query, alone, together, best))
                return found


async def _known(
    query: Query, world: World, client: httpx.AsyncClient, url: str, headers: Mapping[str, str]
) -> None:
    """Has the systems behind learn their answers, and the gateway who asks."""
    await control(client, world, 0)
    for turn in range(len(query.variables)):
        reply = await client.post(url, json=asked_by(query, turn), headers=headers)
        if reply.status_code != 200 or "errors" in reply.json():
            raise RuntimeError(f"{query.name}: {reply.text[:500]}")


async def _calls(
    crowd: Crowd, body: Mapping[str, Any], askers: int, world: World, client: httpx.AsyncClient
) -> int:
    await counted(client, world)
    answers = await crowd.ask(body, askers)
    if len(set(answers)) != 1 or b'"errors"' in answers[0]:
        raise RuntimeError(f"not one answer: {answers[0][:500]!r}")
    return await counted(client, world)


class Crowd:
    """Connections that all ask in the same moment: what is sent is written to all of them before
    any answer is read."""

    def __init__(self, port: int, path: str, headers: Mapping[str, str]) -> None:
        self._port = port
        lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = "\r\n".join(lines)
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __aenter__(self) -> Crowd:
        for _ in range(_CROWD):
            self._open.append(await asyncio.open_connection("127.0.0.1", self._port))
        return self

    async def __aexit__(self, *error: object) -> None:
        for _, writer in self._open:
            writer.close()

    async def ask(self, body: Mapping[str, Any], askers: int) -> list[bytes]:
        """The bodies of the answers."""
        content = json.dumps(body).encode()
        sent = f"{self._head}\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content
        asking = self._open[:askers]
        for _, writer in asking:
            writer.write(sent)
        return [await _body(reader) for reader, _ in asking]


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.decode("latin-1"))
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


def table(found: Sequence[Found]) -> str:
    """Markdown."""
    lines = [
        f"{where()}; the systems answer after {_LATENCY} ms; the best of {_ROUNDS} rounds.",
        "",
    ]
    lines += [f"| | {' | '.join(one.query.title for one in found)} |"]
    lines += ["|---" * (len(found) + 1) + "|"]
    ideal = 1000 * _CROWD / _LATENCY
    rows: list[tuple[str, list[str]]] = [
        ("the fewest calls that can answer one", [f"{one.query.calls}" for one in found]),
        ("calls for one alone", [_each(one.alone) for one in found]),
        (f"calls for {_CROWD} equal ones at once", [_each(one.together) for one in found]),
        (
            f"answers a second to {_CROWD} connections",
            [f"{one.figure.per_second:,.0f}" for one in found],
        ),
        (
            f"of the {ideal:,.0f} that {_LATENCY} ms allow",
            [f"{one.figure.per_second / ideal:.0%}" for one in found],
        ),
        ("calls an answer", [f"{one.figure.calls:.2f}" for one in found]),
        (
            "of our core",
            [f"{one.figure.per_second * one.figure.cpu / 1000:.0%}" for one in found],
        ),
        ("p50, ms", [f"{one.figure.p50:.1f}" for one in found]),
    ]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
    return "\n".join(lines) + "\n"


def _each(counts: Sequence[int]) -> str:
    """What all rounds have in common, or each."""
    return ", ".join(map(str, counts if len(set(counts)) > 1 else counts[:1]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.crowd")
    parser.add_argument("--seconds", type=float, default=4, help="of load, for each query")
    parser.add_argument("--write", type=Path, help="puts the table into a document")
    options = parser.parse_args()
    needs("taskset", "wrk")
    text = table(asyncio.run(measured(options.seconds)))
    print(text)
    if options.write:
        put(options.write, "crowd", text)


if __name__ == "__main__":
    main()
