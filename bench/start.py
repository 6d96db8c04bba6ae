"""How long a start takes: until the first answer, and until nothing of it is left to do.

    python -m bench.start [--rounds 10]

Two gateways, in turn: one that reads systems alone, as the comparison with others has it, and one
by `portal.toml`, where people sign in and open cases. The first start of each makes files and
tables and does not count. Needs taskset. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.gateways.contenders import CONTENDERS, Contender, World
from bench.gateways.report import where
from bench.gateways.running import Gateway, first_answer, needs, running, systems
from tests.live.portal import embedded_default, written

_PAUSE = 0.01


@dataclass(slots=True)
class Starts:
    """Seconds of each start: to the first answer, until it was ready, and of processor time until
    the first answer."""

    first: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def default() -> Contender:
    """A gateway by portal.toml, beside a sandbox that has started."""

    def command(world: World, port: int) -> list[str]:
        settings = embedded_default()
        settings["sandbox"]["enabled"] = False
        folder = world.folder / "default"
        folder.mkdir(exist_ok=True)
        config = written(folder, settings)
        return [sys.executable, "-m", "gateway", "--config", str(config), "serve", f"--port={port}"]

    def environment(world: World) -> Mapping[str, str]:
        return {"SANDBOX_URL": world.sandbox}

    return Contender("portal.toml", command, environment)


async def measured(rounds: int) -> dict[str, Starts]:
    found = {"systems alone": Starts(), "portal.toml": Starts()}
    with tempfile.TemporaryDirectory() as folder:
        async with systems(Path(folder)) as world, httpx.AsyncClient(timeout=30) as client:
            for turn in range(rounds + 1):
                for name, contender in zip(found, (CONTENDERS[0], default()), strict=True):
                    async with running(contender, world) as gateway:
                        starts = found[name] if turn else Starts()
                        await _start(gateway, client, starts)
    return found


async def _start(gateway: Gateway, client: httpx.AsyncClient, starts: Starts) -> None:
    url = f"http://127.0.0.1:{gateway.port}"
    headers = {"content-type": "application/json"}
    starts.first.append(await first_answer(client, f"{url}/graphql", headers, gateway))
    starts.cpu.append(gateway.cpu())
    while True:
        reply = await client.get(f"{url}/health/ready")
        if reply.is_success:
            break
        await asyncio.sleep(_PAUSE)
    starts.ready.append(time.perf_counter() - gateway.started)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.start")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    needs("taskset")
    found = asyncio.run(measured(options.rounds))
    print(f"{where()}; {options.rounds} starts in turn, medians in seconds.\n")
    print("| a gateway with | first answer | fastest | ready | processor, to the first answer |")
    print("|---|---|---|---|---|")
    for name, starts in found.items():
        first, cpu = statistics.median(starts.first), statistics.median(starts.cpu)
        ready, fastest = statistics.median(starts.ready), min(starts.first)
        print(f"| {name} | {first:.2f} | {fastest:.2f} | {ready:.2f} | {cpu:.2f} |")


if __name__ == "__main__":
    main()
