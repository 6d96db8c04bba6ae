"""The tests of submissions once more, with PostgreSQL in the place of both SQLite files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.port.errors import Unavailable
from tests.gateway.submissions import test_more, test_opening, test_operators_view
from tests.gateway.submissions.house import House, caller, house, new_case, opened, until
from tests.live.postgresql import Cluster, postgresql

pytestmark = [pytest.mark.live, pytest.mark.anyio]


def again() -> Iterator[tuple[str, object]]:
    """Every test of these modules that uses the fixture below."""
    for module in (test_opening, test_more, test_operators_view):
        for name, test in vars(module).items():
            if name.startswith("test_") and "home" in getattr(test, "__annotations__", ()):
                yield name, test


globals().update(again())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgresql() as running:
        yield running


@pytest.fixture
async def home(cluster: Cluster, tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, url=cluster.database()) as made:
        assert not made.database.is_sqlite
        yield made


async def test_enough_is_tried_again() -> None:
    assert len(dict(again())) > 20


async def test_two_gateways_with_one_key_open_one_case(home: House) -> None:
    other = await opened(home)
    try:
        services = [home.open.service, other.service] * 5
        answers = asyncio.gather(
            *(one.open_case(caller(), new_case(), (), "one") for one in services)
        )
        await until(lambda: bool(home.crm.cases))
        assert {case.id for case in await answers} == set(home.crm.cases)
        assert len(home.crm.cases) == 1
    finally:
        await other.close()


async def test_two_gateways_share_what_is_left(home: House) -> None:
    """Whoever is there brings it, and only one of them."""
    home.crm.trouble = lambda what: Unavailable("crm", "down")
    for number in range(6):
        await home.open.service.open_case(caller(), new_case(str(number)), (), None)
    other = await opened(home)
    try:
        await home.open.close()
        home.crm.trouble = lambda what: None
        home.crm.tries.clear()
        await other.sweep()
        await until(lambda: other.pending.waiting == 0)
        assert len(home.crm.cases) == 6
        assert home.crm.tries == ["open"] * 6
    finally:
        await other.close()
        await home.reopen()
