"""Opens connectors over fakes and lets them go."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.connectors.tryton.fake_tryton import FakeTryton, Opener


@pytest.fixture
async def opened() -> AsyncIterator[Opener]:
    """opened(*answers, **settings): see FakeTryton."""
    running: list[FakeTryton] = []

    async def open_(*answers: Any, **settings: Any) -> FakeTryton:
        running.append(await FakeTryton(*answers).open(**settings))
        return running[-1]

    yield open_
    for fake in running:
        await fake.system.close()
