"""A start loads what its settings need and no more, and what is wrong with it is told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.database.engine import DatabaseError
from gateway.http.guard import ConnectionSettings
from gateway.http.server import serve

ROOT = Path(__file__).parent.parent.parent

#: What takes its time to load, and only some gateways need, or only some requests.
LATER = {
    "aiosmtplib",
    "alembic",
    "argon2",
    "asyncpg",
    "babel.messages",
    "dbos",
    "holidays",
    "prometheus_client",
    "psycopg",
    "redis",
    "throttled",
    "gateway.events.shared",
    "gateway.identity.embedded",
    "gateway.identity.tables",
    "gateway.operations.taught",
    "gateway.redis",
    "gateway.sources.shared",
    "gateway.submissions.opened",
    "connectors.systems.tryton",
}

SETTINGS = """
[sources]
customers = "crm"
cases = "crm"
orders = "erp"
news = "site"
questions = "answers"
[systems.crm]
connector = "salesforce"
url = "http://127.0.0.1:9"
login = {{ grant = "client_credentials", client_id = "a", client_secret = "b" }}
[systems.erp]
connector = "sap"
url = "http://127.0.0.1:9"
basic = {{ user = "a", password = "b" }}
[systems.site]
connector = "wordpress"
url = "http://127.0.0.1:9"
language = {{ prefix = "lang-" }}
country = {{ prefix = "pais-" }}
[systems.answers]
connector = "content"
[access]
key = "signing.json"
staff = "staff.json"
[identity]
database = "sqlite:///own.sqlite"
audit_file = "audit.jsonl"
[texts]
catalogue = "{root}/content/catalogue.toml"
desks = "{root}/content/desks.toml"
"""

#: Opens a gateway, and tells what is loaded by then. It runs twice: the first one makes tables.
OPEN = """
import asyncio, gc, json, sys
import gateway.__main__
collecting = gc.isenabled()
from pathlib import Path
from gateway.app import open_gateway
from gateway.settings import read

async def opened():
    gateway = await open_gateway(read(Path(sys.argv[1])))
    loaded = sorted(sys.modules)
    await gateway.close()
    return loaded

print(json.dumps([collecting, asyncio.run(opened())]))
"""


def test_a_start_loads_nothing_that_its_settings_do_not_need(tmp_path: Path) -> None:
    config = tmp_path / "portal.toml"
    config.write_text(SETTINGS.format(root=ROOT), encoding="utf-8")
    command = [sys.executable, "-c", OPEN, str(config)]
    env = {name: text for name, text in os.environ.items() if not name.endswith("_URL")}
    first, second = (
        subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        for _ in range(2)
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    collecting, loaded = json.loads(second.stdout)
    assert "connectors.systems.salesforce" in loaded
    assert LATER.intersection(loaded) == set()
    assert not collecting


@pytest.mark.anyio
async def test_what_is_wrong_with_the_rest_of_a_start_stops_it_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[str] = []

    async def finish() -> None:
        told.append("finishing")
        raise DatabaseError("it cannot be opened")

    async def drain() -> None:
        told.append("drained")

    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError("nobody asks")

    listener = socket.socket(socket.AF_UNIX)
    listener.bind("listener")
    with pytest.raises(DatabaseError, match="it cannot be opened"):
        await serve(
            app,
            listener,
            ConnectionSettings(),
            trusts=lambda address: False,
            message_bytes=1000,
            ping_seconds=1.0,
            begun=lambda: told.append("begun"),
            finish=finish,
            drain=drain,
        )
    assert told == ["begun", "finishing", "drained"]
