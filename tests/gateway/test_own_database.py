"""Where the gateway's own database is: the file's word, and the environment's above it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.settings import parse

RAW: dict[str, Any] = {"systems": {}, "sources": {}}
POSTGRESQL = "postgresql://portal:secret@db.company.example/portal"


@pytest.mark.parametrize(
    ("identity", "environment", "database"),
    [
        ({}, {}, "sqlite:///var/identity.sqlite"),
        ({"database": "sqlite:///own.sqlite"}, {}, "sqlite:///own.sqlite"),
        ({"database": "sqlite:///own.sqlite"}, {"DATABASE_URL": ""}, "sqlite:///own.sqlite"),
        ({"database": "sqlite:///own.sqlite"}, {"DATABASE_URL": POSTGRESQL}, POSTGRESQL),
        ({}, {"DATABASE_URL": POSTGRESQL}, POSTGRESQL),
    ],
)
def test_the_environment_names_the_database(
    identity: dict[str, str], environment: dict[str, str], database: str
) -> None:
    raw = {**RAW, "identity": identity} if identity else RAW
    assert parse(raw, Path("portal.toml"), environment).identity.database == database


def test_what_else_the_table_says_stays() -> None:
    raw = {**RAW, "identity": {"portal_url": "https://portal.company.example"}}
    found = parse(raw, Path("portal.toml"), {"DATABASE_URL": POSTGRESQL}).identity
    assert found.portal_url == "https://portal.company.example"
    assert "identity" in raw
    assert raw["identity"] == {"portal_url": "https://portal.company.example"}
