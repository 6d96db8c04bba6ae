"""A running gateway, on settings and data of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.live.machine import ROOT
from tests.live.processes import free_port, started, wait_until

Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gateway:
    """url: http://127.0.0.1:8123, without a slash at the end. config: its portal.toml."""

    url: str
    config: Path
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def token(self, email: str) -> str:
        """An access token of that person, as the command line gives it."""
        if email not in self._tokens:
            self._tokens[email] = self._issued(email)
        return self._tokens[email]

    def _issued(self, email: str) -> str:
        command = [sys.executable, "-m", "gateway", "--config", str(self.config), "token", email]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, query: str, variables: Mapping[str, Any] | None = None, *, by: str) -> Any:
        """The data of an answer without errors, to a person."""
        headers = {"authorization": f"Bearer {self.token(by)}", "accept-language": "es"}
        body = {"query": query, "variables": variables}
        url = f"{self.url}/graphql"
        answer = httpx.post(url, json=body, headers=headers, timeout=30, trust_env=False).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


def embedded_default() -> Settings:
    """What portal.toml says. Its data go beside the file they are read from, the texts stay."""
    settings = tomllib.loads((ROOT / "portal.toml").read_text())
    for name, value in settings.get("texts", {}).items():
        if isinstance(value, str) and (ROOT / value).exists():
            settings["texts"][name] = str(ROOT / value)
    return settings


@contextmanager
def gateway(folder: Path, settings: Settings) -> Iterator[Gateway]:
    """Runs inside the block. folder: empty, for its settings, data and log."""
    config = written(folder, settings)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gateway",
        "--config",
        str(config),
        "serve",
        "--port",
        str(port),
    ]
    here, log = Gateway(f"http://127.0.0.1:{port}", config), folder / "gateway.log"
    with started(command, log) as process:
        wait_until(here.is_ready, process, log)
        yield here


def written(folder: Path, settings: Settings) -> Path:
    """The settings as a file."""
    config = folder / "portal.toml"
    config.write_text("\n".join(_toml(settings, ())))
    return config


def _toml(table: Mapping[str, Any], path: tuple[str, ...], brackets: str = "[]") -> Iterator[str]:
    """Lines of TOML. JSON writes strings, numbers, booleans and lists of them the same way.
    brackets: two more for a table of a list."""
    if path:
        half = len(brackets) // 2
        yield f"{brackets[:half]}{'.'.join(map(json.dumps, path))}{brackets[half:]}"
    inner = {name: value for name, value in table.items() if _holds_tables(value)}
    for name, value in table.items():
        if name not in inner:
            yield f"{json.dumps(name)} = {json.dumps(value, ensure_ascii=False)}"
    for name, value in inner.items():
        if isinstance(value, Mapping):
            yield from _toml(value, (*path, name))
        else:
            for one in value:
                yield from _toml(one, (*path, name), "[[]]")


def _holds_tables(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], Mapping)
    return isinstance(value, Mapping)
