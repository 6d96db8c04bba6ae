"""Starts gateways one after the other, asks them, and counts: how fast, at what cost."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.gateways.contenders import Contender, World
from bench.gateways.queries import Query
from bench.gateways.running import (
    OTHER_CORE,
    Gateway,
    control,
    counted,
    first_answer,
    needs,
    running,
    systems,
)

_WARM_SECONDS = 1


class NotTheSameError(RuntimeError):
    """A gateway gave another answer than the golden one: its speed means nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    contenders: Sequence[Contender]
    queries: Sequence[Query]
    seconds: float
    rounds: int
    connections: int
    latencies: Sequence[int]


@dataclass(frozen=True, slots=True)
class Figure:
    """One run of one query. p50, p99: in milliseconds. cpu: milliseconds of the gateway's processes
    for one request. calls: upstream, for one request."""

    per_second: float
    p50: float
    p99: float
    cpu: float
    calls: float


@dataclass(slots=True)
class Result:
    """All that was measured of one gateway. figures: by query, connections and latency. memory: MB
    at the end. cold: seconds from its start to the first answer."""

    figures: dict[tuple[str, int, int], list[Figure]] = field(default_factory=dict)
    memory: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)


async def measure(plan: Plan) -> dict[str, Result]:
    needs("node", "npm", "taskset", "wrk")
    with tempfile.TemporaryDirectory() as folder:
        async with systems(Path(folder)) as world:
            golden = await _golden(plan, world)
            results = {one.name: Result() for one in plan.contenders}
            for turn in range(plan.rounds):
                for contender in plan.contenders:
                    print(f"round {turn + 1}: {contender.name}", file=sys.stderr, flush=True)
                    await _round(plan, world, contender, golden, results[contender.name])
            return results


# ------------------------------------------------------------------------------------ one round


async def _round(
    plan: Plan,
    world: World,
    contender: Contender,
    golden: Mapping[str, Any],
    result: Result,
) -> None:
    headers = {**contender.headers(world), "content-type": "application/json"}
    async with running(contender, world) as gateway, httpx.AsyncClient(timeout=30) as client:
        url = f"http://127.0.0.1:{gateway.port}{contender.path}"
        result.cold.append(await first_answer(client, url, headers, gateway))
        for query in plan.queries:
            if query.name in contender.leaves_out:
                continue
            await _check(client, url, headers, query, contender, golden)
            for latency in plan.latencies:
                await control(client, world, latency)
                for connections in sorted({1, plan.connections} if latency else {plan.connections}):
                    figure = await load(
                        plan, world, client, url, headers, query, connections, gateway, contender
                    )
                    key = (query.name, connections, latency)
                    result.figures.setdefault(key, []).append(figure)
            await control(client, world, 0)
        result.memory.append(gateway.memory())


async def _check(
    client: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str],
    query: Query,
    contender: Contender,
    golden: Mapping[str, Any],
) -> None:
    for turn in range(len(query.variables)):
        asked = json.dumps(asked_by(query, turn, contender))
        reply = await client.post(url, content=asked, headers=headers)
        if reply.status_code == 200 and reply.json() == golden[query.name][turn]:
            continue
        raise NotTheSameError(
            f"{contender.name}, {query.name}: {reply.status_code} {reply.text[:2000]}"
        )


_LUA = """
local bodies, sent, turn = {bodies}, {{}}, 0
local headers = {headers}
function init(args)
  for place, body in ipairs(bodies) do sent[place] = wrk.format("POST", nil, headers, body) end
end
function request()
  turn = turn % #sent + 1
  return sent[turn]
end
"""
_RATE = re.compile(r"^Requests/sec:\s+([0-9.]+)", re.MULTILINE)
_PERCENTILE = re.compile(r"^\s+(50|99)%\s+([0-9.]+)(us|ms|s)", re.MULTILINE)
_DONE = re.compile(r"^\s+(\d+) requests in", re.MULTILINE)
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


async def load(
    plan: Plan,
    world: World,
    client: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str],
    query: Query,
    connections: int,
    gateway: Gateway,
    contender: Contender,
) -> Figure:
    """One run of a query, after a short one to warm up."""
    script = world.folder / "ask.lua"
    bodies = [json.dumps(asked_by(query, turn, contender)) for turn in range(len(query.variables))]
    script.write_text(_LUA.format(bodies=_lua(bodies), headers=_lua(headers)), encoding="utf-8")
    await _wrk(script, url, connections, _WARM_SECONDS)
    await counted(client, world)
    spent = gateway.cpu()
    text = await _wrk(script, url, connections, plan.seconds)
    spent = gateway.cpu() - spent
    asked = await counted(client, world)
    if bad := _BAD.search(text):
        raise RuntimeError(f"{query.name}: {bad.group()}")
    requests = int(_found(_DONE, text)[1])
    if not requests:
        raise RuntimeError(f"{query.name}: no answer within {plan.seconds} s")
    latencies = {
        name: float(n) * _MILLISECONDS[unit] for name, n, unit in _PERCENTILE.findall(text)
    }
    return Figure(
        per_second=float(_found(_RATE, text)[1]),
        p50=latencies["50"],
        p99=latencies["99"],
        cpu=1000 * spent / requests,
        calls=asked / requests,
    )


def _found(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.search(text)
    if found is None:
        raise RuntimeError(f"wrk said: {text}")
    return found


def asked_by(query: Query, turn: int, contender: Contender | None = None) -> dict[str, Any]:
    """A request of a query, with one of its sets of variables, as the gateway is asked it."""
    document = query.document
    if contender and query.name in contender.says:
        document = document.replace(*contender.says[query.name])
    return {"query": document, "variables": query.variables[turn]}


def _lua(value: Sequence[str] | Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        pairs = (f"[{json.dumps(name)}] = {json.dumps(text)}" for name, text in value.items())
        return f"{{{', '.join(pairs)}}}"
    return f"{{{', '.join(json.dumps(text) for text in value)}}}"


async def _wrk(script: Path, url: str, connections: int, seconds: float) -> str:
    command = ["taskset", "-c", OTHER_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s"]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--latency",
        "--timeout",
        "20s",
        "-s",
        str(script),
        url,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return output.decode()


async def _golden(plan: Plan, world: World) -> dict[str, Any]:
    """What everybody has to answer: what the plain libraries make of the upstream's answers."""
    from bench.gateways.contenders import CONTENDERS

    plain = next(one for one in CONTENDERS if one.name == "Strawberry, plain")
    async with running(plain, world) as gateway, httpx.AsyncClient(timeout=30) as client:
        url = f"http://127.0.0.1:{gateway.port}{plain.path}"
        await first_answer(client, url, {"content-type": "application/json"}, gateway)
        answers: dict[str, list[Any]] = {}
        for query in plan.queries:
            for turn in range(len(query.variables)):
                reply = await client.post(url, json=asked_by(query, turn))
                if reply.status_code != 200 or "errors" in reply.json():
                    raise NotTheSameError(f"{query.name}: {reply.text[:500]}")
                answers.setdefault(query.name, []).append(reply.json())
        return answers
