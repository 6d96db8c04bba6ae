"""Starts servers on free ports of loopback, waits until they answer, and stops what it started."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.live.machine import ROOT

_STOP_SECONDS = 15
_SHOWN = 40


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(answers: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until a server answers. Raises RuntimeError with the end of its log."""
    deadline = time.monotonic() + 90
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            told = "\n".join(log.read_text(errors="replace").splitlines()[-_SHOWN:])
            raise RuntimeError(f"{log.stem} does not answer (exit {process.returncode}):\n{told}")
        time.sleep(0.1)


@contextmanager
def started(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs inside the block; what it says goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends one process that was started here, if it still runs."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
