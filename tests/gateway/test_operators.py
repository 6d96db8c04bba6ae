"""The commands of operators, each leaving its mark in the audit."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main

CONFIG = """
[sources]
questions = "answers"
[systems.answers]
connector = "content"
[access]
key = "keys/signing.json"
staff = "keys/staff.json"
[identity]
database = "sqlite:///own.sqlite"
audit_file = "audit.jsonl"
"""


class Shell:
    """Runs commands on a portal.toml of its own."""

    def __init__(self, folder: Path, output: pytest.CaptureFixture[str]) -> None:
        self.folder, self._output = folder, output
        (folder / "portal.toml").write_text(CONFIG, encoding="utf-8")
        assert tomllib.loads(CONFIG)

    def __call__(self, *words: str) -> str:
        self._output.readouterr()
        main(["--config", str(self.folder / "portal.toml"), *words])
        return self._output.readouterr().out

    def refuses(self, *words: str) -> str:
        with pytest.raises(SystemExit) as raised:
            self(*words)
        return str(raised.value)

    def keys(self) -> list[dict[str, Any]]:
        text = (self.folder / "keys" / "signing.json").read_text(encoding="utf-8")
        return list(json.loads(text)["keys"])


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def test_programs_come_and_go(shell: Shell) -> None:
    told = shell("staff", "add", "erp-sync", "--scope", "cases:read", "--scope", "contacts:invite")
    secret = told.split("client_secret")[1].split()[0]
    assert "cases:read contacts:invite" in shell("staff", "list")
    assert secret not in (shell.folder / "keys" / "staff.json").read_text(encoding="utf-8")
    assert "already" in shell.refuses("staff", "add", "erp-sync", "--scope", "cases:read")
    shell("staff", "remove", "erp-sync")
    assert shell("staff", "list") == ""
    assert "no program" in shell.refuses("staff", "remove", "erp-sync")
    events = [json.loads(line) for line in shell("audit").splitlines()]
    assert [event["event"] for event in events] == ["staff.added", "staff.removed"]
    assert {event["whose"] for event in events} == {"erp-sync"}
    assert secret not in (shell.folder / "audit.jsonl").read_text(encoding="utf-8")


def test_a_scope_that_there_is_not_is_refused(shell: Shell) -> None:
    assert shell.refuses("staff", "add", "erp-sync", "--scope", "everything:write") == "2"


def test_keys_rotate(shell: Shell) -> None:
    shell("token", "ana@company.example")
    [first] = shell.keys()
    shell("keys", "rotate")
    new, old = shell.keys()
    assert old["jwk"]["x"] == first["jwk"]["x"]
    assert (new["ends_at"], old["ends_at"] is None) == (None, False)
    shell("keys", "rotate", "--at-once")
    assert len(shell.keys()) == 1
    events = [json.loads(line) for line in shell("audit", "--event", "keys.").splitlines()]
    assert [event["event"] for event in events] == ["keys.rotated"] * 2


def test_tables_are_brought_up_to_date(shell: Shell) -> None:
    assert "up to date" in shell("identity", "migrate")
    assert shell("identity", "migrate") == shell("identity", "migrate")
