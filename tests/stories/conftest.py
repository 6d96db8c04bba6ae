"""One sandbox for all stories; a gateway of its own for each."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import sandbox.data
from gateway.operations.compiled import objects
from tests.stories.portal import NOW, Portal, opened


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's data, built once: stories only read it."""
    path = tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite"
    sandbox.data.build(path, NOW.date())
    return path


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the gateways keep their signing key."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(autouse=True)
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each document is run once here: it is run as those are that come again and again."""
    monkeypatch.setattr(objects, "COLD_RUNS", 0)


@pytest.fixture
async def portal(database: Path, keys: Path) -> AsyncIterator[Portal]:
    """A gateway on the sandbox."""
    async with opened(database, keys) as portal:
        yield portal


@pytest.fixture
async def house(database: Path, tmp_path: Path) -> AsyncIterator[Portal]:
    """A gateway with files of its own on a sandbox of its own, to be lived in."""
    own = tmp_path / "sandbox.sqlite"
    shutil.copy(database, own)
    async with opened(own, tmp_path) as portal:
        yield portal
