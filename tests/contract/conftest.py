"""The sandbox's file for all worlds, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

import sandbox.data
from tests.contract.rules import names
from tests.contract.world import NOW, module_of


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a world needs besides, it adds itself: `prepare(path)`."""
    path = tmp_path_factory.mktemp("contract") / "sandbox.sqlite"
    sandbox.data.build(path, NOW.date())
    for name in names():
        prepare = getattr(module_of(name), "prepare", None)
        if prepare is not None:
            prepare(path)
    return path
