"""A PostgreSQL cluster of its own, on a free port of loopback, from Debian's package."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.live.processes import free_port

_VERSIONS = Path("/usr/lib/postgresql")
#: A server that runs as root refuses to start; the package brings this user along.
_USER = "postgres"
_SECONDS = 60


class Cluster:
    """A running cluster. Each call of `database` makes a new, empty one."""

    def __init__(self, programs: Path, port: int) -> None:
        self._programs, self._port, self._made = programs, port, 0

    def database(self) -> str:
        """The address of a new database."""
        self._made += 1
        name = f"portal_{self._made}"
        server = ["-h", "127.0.0.1", "-p", str(self._port), "-U", _USER]
        _run([str(self._programs / "createdb"), *server, name])
        return f"postgresql://{_USER}@127.0.0.1:{self._port}/{name}"


@contextmanager
def postgresql() -> Iterator[Cluster]:
    """Runs inside the block; nothing of it stays. Raises RuntimeError where it is not installed."""
    programs, port = _programs(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="portal-postgresql-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _USER)
        data = folder / "data"
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off"
        # Nobody but this machine can reach it, and nothing in it is worth a password.
        _run([str(programs / "initdb"), "-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8"])
        control = [str(programs / "pg_ctl"), "-D", str(data), "-w"]
        options += f" -c unix_socket_directories={folder}"
        _run([*control, "-l", str(folder / "log"), "-o", options, "start"])
        try:
            yield Cluster(programs, port)
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Where initdb and pg_ctl are: Debian keeps them out of the PATH."""
    found = sorted(_VERSIONS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError(
            "PostgreSQL is not installed: run `make test-live`, or `apt-get install postgresql`"
        )
    return found[-1].parent


def _run(command: Sequence[str]) -> None:
    root = os.geteuid() == 0
    done = subprocess.run(
        command,
        user=pwd.getpwnam(_USER).pw_uid if root else None,
        group=pwd.getpwnam(_USER).pw_gid if root else None,
        extra_groups=[] if root else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        # Not pipes: the server that pg_ctl starts would keep them open.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {' '.join(command)}")
