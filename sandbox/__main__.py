"""The sandbox's command line: builds the data where there are none, then serves them."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvicorn

from sandbox.app import create
from sandbox.data import build
from sandbox.database import is_current
from sandbox.faults import BadFault, Faults

_LAST_ANSWERS_SECONDS: Final = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 for a clean end, 2 for words that are not understood."""
    options = _options(arguments)
    for ending in (signal.SIGTERM, signal.SIGINT):
        # uvicorn answers what is under way first, and then passes the signal on to this.
        signal.signal(ending, lambda *_: sys.exit(0))
    now = datetime.now(UTC)
    if options.reset:
        build(options.db, now.date())
        return 0
    if not is_current(options.db):
        build(options.db, now.date())
    listener = _listen(options.host, options.port)
    server = uvicorn.Server(
        uvicorn.Config(
            create(options.db, options.faults, now),
            log_level="critical",  # a body cut short on request is an error to uvicorn
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
        )
    )
    asyncio.run(_serve(server, listener))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    add = parser.add_argument
    add("--db", type=Path, default=Path("var/sandbox.sqlite"), help="file that keeps the data")
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    add("--latency", action="append", default=[], metavar="TIME", help="80ms for all, or erp=2s")
    add("--fail", action="append", default=[], metavar="PART=KIND", help="crm=503, erp=htmlx3")
    add("--reset", action="store_true", help="make the data anew, and end")
    options = parser.parse_args(arguments)
    options.faults = Faults()
    try:
        for words in options.latency:
            options.faults.latency(words)
        for words in options.fail:
            options.faults.fail(words)
    except BadFault as error:
        parser.error(str(error))
    return options


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only over sockets that say that they are TCP; otherwise
    # each answer waits 40 ms for the caller's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(128)
    return listener


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    print(f"sandbox listening on http://{shown}:{port}", flush=True)
    _end_with_standard_input()
    await server.serve(sockets=[listener])


def _end_with_standard_input() -> None:
    """A pipe as standard input belongs to whoever started us: its end is theirs."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    descriptor = sys.stdin.fileno()
    while os.read(descriptor, 4_096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
