"""One embedded identity service a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.identity.house import House, house, unlimited


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """With the limits of the default settings."""
    async with house(tmp_path) as opened:
        yield opened


@pytest.fixture
async def open_home(tmp_path: Path) -> AsyncIterator[House]:
    """Without limits on tries."""
    async with house(tmp_path, unlimited()) as opened:
        yield opened
