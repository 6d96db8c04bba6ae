"""Starts what takes part, each on its core, and tells what it uses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.gateways.contenders import ROOT, Contender, World, environment

GATEWAY_CORE, OTHER_CORE = "0", "1"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Gateway:
    process: subprocess.Popen[bytes]
    port: int
    started: float
    log: Path

    def _ids(self) -> list[int]:
        """The gateway's own process and those below it."""
        found, waiting = [], [self.process.pid]
        while waiting:
            one = waiting.pop()
            found.append(one)
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
                waiting += map(int, children)
        return found

    def cpu(self) -> float:
        """Seconds of processor time that it has used, user's and system's."""
        total = 0
        for one in self._ids():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
        return total / _TICKS

    def memory(self) -> float:
        """Resident memory in MB."""
        total = 0
        for one in self._ids():
            with contextlib.suppress(OSError):
                pages = int(Path(f"/proc/{one}/statm").read_text().split()[1])
                total += pages * os.sysconf("SC_PAGE_SIZE")
        return total / 1e6

    def output(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


@contextlib.asynccontextmanager
async def running(contender: Contender, world: World) -> AsyncIterator[Gateway]:
    port = _free_port()
    log = world.folder / "gateway.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time worth a thread
            ["taskset", "-c", GATEWAY_CORE, *contender.command(world, port)],
            cwd=ROOT,
            env=environment(contender, world),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield Gateway(process, port, time.perf_counter(), log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def needs(*programs: str) -> None:
    """Ends the process where a program is missing."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)}")


@contextlib.asynccontextmanager
async def systems(folder: Path) -> AsyncIterator[World]:
    """The sandbox, and the memory of its answers in front of it."""
    python = ["taskset", "-c", OTHER_CORE, sys.executable, "-m"]
    with _listening([*python, "sandbox", "--db", str(folder / "sandbox.sqlite")]) as sandbox:
        upstream = [*python, "bench.gateways.upstream", "--sandbox", sandbox]
        with _listening(upstream) as url:
            yield World(sandbox, url, folder)


@contextlib.contextmanager
def _listening(command: list[str]) -> Iterator[str]:
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if "http://" not in line:
            raise RuntimeError(f"it does not start: {' '.join(command)}")
        yield line.split()[-1]
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def first_answer(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str], gateway: Gateway
) -> float:
    body = json.dumps({"query": "{ __typename }"})
    while True:
        with contextlib.suppress(httpx.TransportError):
            if (await client.post(url, content=body, headers=headers)).status_code == 200:
                return time.perf_counter() - gateway.started
        if gateway.process.poll() is not None or time.perf_counter() - gateway.started > 60:
            raise RuntimeError(f"it does not start: {gateway.output()}")
        await asyncio.sleep(0.01)


async def control(client: httpx.AsyncClient, world: World, latency: int) -> None:
    await client.post(f"{world.upstream}/_control", json={"latency_ms": latency})


async def counted(client: httpx.AsyncClient, world: World) -> int:
    asked: int = (await client.get(f"{world.upstream}/_control")).json()["asked"]
    return asked
