"""A running Tryton over a copy of the filled database, on a free port of loopback."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.live.processes import free_port, started, stop, wait_until
from tests.live.tryton.installation import (
    DATA,
    DATABASE,
    PROGRAMS,
    Seeded,
    configuration,
    seeded,
)


@dataclass(frozen=True, slots=True)
class TrytonServer:
    """url: without the database. seeded: what is in it, see documents.py for the rest."""

    url: str
    database: str
    seeded: Seeded
    process: subprocess.Popen[bytes]

    @property
    def table(self) -> dict[str, object]:
        """The table of portal.toml that reaches it."""
        return {
            "connector": "tryton",
            "url": self.url,
            "database": self.database,
            "key": self.seeded.key,
            "company": 1,
            "tax_identifiers": [""],
        }

    def stop(self) -> None:
        stop(self.process)


@contextmanager
def tryton(folder: Path) -> Iterator[TrytonServer]:
    """Runs inside the block. folder: empty, for the copy and the log."""
    known = seeded()
    shutil.copy(DATA / f"{DATABASE}.sqlite", folder)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [f"{PROGRAMS}/trytond", "-c", str(configuration(folder, port)), "-d", DATABASE]
    log = folder / "trytond.log"
    with started(command, log) as process:
        wait_until(lambda: _answers(url, known.key), process, log)
        yield TrytonServer(url, DATABASE, known, process)


def _answers(url: str, key: str) -> bool:
    path = f"{url}/{DATABASE}/rest/model/party.party?s=1"
    try:
        answer = httpx.get(path, headers={"authorization": f"Bearer {key}"}, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.is_success
