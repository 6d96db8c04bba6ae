"""Who takes part: how each gateway is started, and how it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
#: Kept across runs: what npm installed.
PEERS = ROOT / "build" / "bench"
PERSON = "ana.torres@andina.example"

_SETTINGS = """
[sources]
customers = "crm"
cases = "crm"
orders = "erp"
news = "site"
[systems.crm]
connector = "salesforce"
url = "{upstream}"
http = {{ connections = 128, concurrency = 128 }}
[systems.crm.login]
grant = "client_credentials"
client_id = "sandbox-client"
client_secret = "sandbox-secret"
url = "{sandbox}"
[systems.erp]
connector = "sap"
url = "{upstream}"
basic = {{ user = "SANDBOX", password = "sandbox-secret" }}
http = {{ connections = 128, concurrency = 128 }}
[systems.site]
connector = "wordpress"
url = "{upstream}"
language = {{ prefix = "lang-" }}
country = {{ prefix = "pais-" }}
http = {{ connections = 128, concurrency = 128 }}
[access]
key = "signing.json"
staff = "staff.json"
membership_seconds = 3600
token_minutes = 600
[identity]
database = "sqlite:///identity.sqlite"
audit_file = "audit.jsonl"
[texts]
catalogue = "{root}/content/catalogue.toml"
desks = "{root}/content/desks.toml"
[server]
log_level = "ERROR"
[rates]                      # counted as ever, for one caller that asks as much as a thousand
person = 1000000000000
address = 1000000000000
{more}
"""


@dataclass(frozen=True, slots=True)
class World:
    """What a gateway is started in. folder: for its files."""

    sandbox: str
    upstream: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Contender:
    """A gateway in one configuration. command: for a port. cached: it may answer from its own
    cache. headers: of every question. leaves_out: queries that it cannot answer, each with the
    reason. says: what it calls otherwise in the document of a query."""

    name: str
    command: Callable[[World, int], list[str]]
    environment: Callable[[World], Mapping[str, str]] = lambda world: {}
    headers: Callable[[World], Mapping[str, str]] = lambda world: {}
    path: str = "/graphql"
    cached: bool = False
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def ours(name: str, more: str = "", *, cached: bool = False) -> Contender:
    """more: further tables of its portal.toml."""
    file = f"{name.replace(' ', '-').replace(',', '')}.toml"

    def settings(world: World) -> Path:
        path = world.folder / file
        text = _SETTINGS.format(
            upstream=world.upstream, sandbox=world.sandbox, root=ROOT, more=more
        )
        path.write_text(text, encoding="utf-8")
        return path

    def command(world: World, port: int) -> list[str]:
        gateway = [sys.executable, "-m", "gateway", "--config", str(settings(world))]
        return [*gateway, "serve", "--port", str(port)]

    def headers(world: World) -> Mapping[str, str]:
        asked = [sys.executable, "-m", "gateway", "--config", str(settings(world)), "token", PERSON]
        done = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True)
        return {"authorization": f"Bearer {done.stdout.strip()}"}

    return Contender(name, command, headers=headers, cached=cached)


def _node(name: str, file: str, *, tuned: bool = False, cached: bool = False) -> Contender:
    """tuned: with a faster client than node's own, and joins where the system offers them."""

    def environment(world: World) -> Mapping[str, str]:
        return {
            "NODE_ENV": "production",
            "UPSTREAM": world.upstream,
            "CALLS": "least" if tuned else "loaders",
            "CLIENT": "pool" if tuned else "fetch",
            "CACHED": "1" if cached else "",
        }

    def command(world: World, port: int) -> list[str]:
        return ["env", f"PORT={port}", "node", str(PEERS / "peers" / file)]

    return Contender(name, command, environment, cached=cached)


def _hive(*, cached: bool = False) -> Contender:
    folder = PEERS / "hive"

    def environment(world: World) -> Mapping[str, str]:
        return {
            "NODE_ENV": "production",
            "UPSTREAM": world.upstream,
            "CACHED": "1" if cached else "",
        }

    def command(world: World, port: int) -> list[str]:
        compose = [
            str(folder / "node_modules" / ".bin" / "mesh-compose"),
            "-o",
            "supergraph.graphql",
        ]
        settled = {**os.environ, **environment(world)}
        subprocess.run(compose, cwd=folder, env=settled, check=True, capture_output=True)
        gateway = str(folder / "node_modules" / ".bin" / "hive-gateway")
        listen = ["--host", "127.0.0.1", "--port", str(port), "--fork", "1"]
        return ["env", "-C", str(folder), gateway, "supergraph", *listen]

    name = "Hive Gateway 2 + JIT"
    return Contender(f"{name}, cached" if cached else name, command, environment, cached=cached)


def _tailcall(*, cached: bool = False) -> Contender:
    def command(world: World, port: int) -> list[str]:
        text = (HERE / "tailcall" / "config.graphql").read_text(encoding="utf-8")
        text = text.replace("UPSTREAM", world.upstream).replace("PORT", str(port))
        if cached:
            text = text.replace("type Query ", "type Query @cache(maxAge: 3600000) ")
        path = world.folder / f"tailcall{'-cached' if cached else ''}.graphql"
        path.write_text(text, encoding="utf-8")
        package = PEERS / "tailcall" / "node_modules" / "@tailcallhq" / "core-linux-x64-gnu"
        return [str(package / "bin" / "tailcall"), "start", str(path)]

    quiet = {"TAILCALL_TRACKER": "false", "TAILCALL_LOG_LEVEL": "error"}
    return Contender(
        "Tailcall 1.0, cached" if cached else "Tailcall 1.0",
        command,
        lambda world: quiet,
        cached=cached,
        says={"tiny": ("{ cases(", "{ cases: caseOfNumber(")},
        leaves_out={"home": "its configuration cannot put a list of the news site into a page"},
    )


def _plain() -> Contender:
    def command(world: World, port: int) -> list[str]:
        return [sys.executable, "-m", "bench.gateways.plain", "--port", str(port)]

    return Contender(
        "Strawberry, plain", command, lambda world: {"UPSTREAM": world.upstream, **_PATH}
    )


_PATH = {"PYTHONPATH": str(ROOT)}

CONTENDERS = (
    ours("ours"),
    _plain(),
    _node("Mercurius 16 + JIT", "mercurius.mjs"),
    _node("Mercurius 16 + JIT, tuned", "mercurius.mjs", tuned=True),
    _node("Yoga 5 + JIT", "yoga.mjs"),
    _node("Yoga 5 + JIT, tuned", "yoga.mjs", tuned=True),
    _node("Apollo Server 5", "apollo.mjs"),
    _node("Apollo Server 5, tuned", "apollo.mjs", tuned=True),
    _hive(),
    _tailcall(),
    ours("ours, cached", "[answers]\nprivate_seconds = 60", cached=True),
    _node("Mercurius 16 + JIT, cached", "mercurius.mjs", tuned=True, cached=True),
    _node("Yoga 5 + JIT, cached", "yoga.mjs", tuned=True, cached=True),
    _node("Apollo Server 5, cached", "apollo.mjs", tuned=True, cached=True),
    _hive(cached=True),
    _tailcall(cached=True),
)


def install() -> None:
    """What npm brings, pinned. Done once."""
    for part in ("peers", "hive", "tailcall"):
        folder = PEERS / part
        folder.mkdir(parents=True, exist_ok=True)
        changed = False
        for file in (HERE / part).iterdir():
            target = folder / file.name
            if not target.exists() or target.read_bytes() != file.read_bytes():
                target.write_bytes(file.read_bytes())
                changed = changed or file.name == "package-lock.json"
        if changed or not (folder / "node_modules").exists():
            npm = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", "--force"]
            subprocess.run(npm, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def environment(contender: Contender, world: World) -> dict[str, str]:
    # A user's Python keeps what it compiled.
    known = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**known, **contender.environment(world)}
