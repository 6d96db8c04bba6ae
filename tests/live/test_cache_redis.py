"""Answers in a real Redis: processes share them, a change in one holds in all, and one that is away
fails nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

import sandbox.data
from gateway.sources.freshness import Kind
from gateway.sources.shared import Shared
from tests.gateway.sources.test_cached import LASTING, OF_A, OF_B, House, cases
from tests.live.redis import Redis, redis_server
from tests.stories.doors import PROFILE
from tests.stories.portal import ANA, LUIS, NOW, Portal, opened

pytestmark = [pytest.mark.live, pytest.mark.anyio]

PHONE = "{ viewer { contact { phone } } }"


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other things is no store that is away."""
    monkeypatch.setattr("gateway.sources.shared._PATIENCE", 5.0)


@pytest.fixture
def redis() -> Iterator[Redis]:
    with redis_server() as server:
        yield server


async def settled(house: House) -> None:
    """What is sent in the background has arrived."""
    shared = house.answers._shared
    assert shared
    await shared.told()


async def test_processes_share_answers_and_changes(redis: Redis) -> None:
    one = House(Shared(redis.url), cases=LASTING)
    other = House(Shared(redis.url), cases=LASTING)
    page = await one.source.find_cases(cases(OF_A))
    assert await one.names("x", "y") == ["x2", "y2"]
    await settled(one)
    assert await other.source.find_cases(cases(OF_A)) == page
    assert await other.names("y", "x") == ["y2", "x2"]
    assert other.system.asked == []
    assert await other.names("y", scope=OF_B) == ["y1"]
    other.answers.changed(Kind.ACCOUNTS, "a")
    await settled(other)
    assert await one.names("x") == ["x3"]
    assert await one.source.find_cases(cases(OF_A)) == page
    await one.answers.close()
    await other.answers.close()


async def test_while_it_is_away_each_process_goes_on_alone(redis: Redis) -> None:
    now = [0.0]
    one = House(Shared(redis.url, lambda: now[0]))
    other = House(Shared(redis.url, lambda: now[0]))
    await one.names("x")
    await settled(one)
    redis.stop()
    assert await one.names("x") in (["x1"], ["x2"])
    asked = len(one.system.asked)
    assert await one.names("x") == [f"x{asked}"]
    assert await other.names("x") == ["x1"]
    one.answers.changed(Kind.ACCOUNTS, "a")
    assert await one.names("x") == [f"x{asked + 1}"]
    redis.start()
    now[0] = 6.0
    await other.names("x")
    await one.names("y")  # tells what is owed
    await settled(one)
    assert one.answers._shared
    assert not one.answers._shared._owed
    await one.names("z")
    await settled(one)
    assert await other.names("z") == [f"z{len(one.system.asked)}"]
    await one.answers.close()
    await other.answers.close()


async def test_many_questions_at_once_wait_for_a_connection(redis: Redis) -> None:
    house = House(Shared(redis.url))
    found = await asyncio.gather(*(house.names(f"x{n}-") for n in range(300)))
    assert len({name for names in found for name in names}) == 300
    await settled(house)
    other = House(Shared(redis.url))
    shared = await asyncio.gather(*(other.names(f"x{n}-") for n in range(300)))
    assert (shared, other.system.asked) == (found, [])
    await house.answers.close()
    await other.answers.close()


async def test_one_that_was_never_there_fails_nobody() -> None:
    house = House(Shared("redis://127.0.0.1:1/0"))
    assert await house.names("x") == ["x1"]
    assert await house.names("x") == ["x1"]
    house.answers.changed(Kind.ACCOUNTS, "a")
    assert await house.names("x") == ["x2"]
    await house.answers.close()


@pytest.fixture
async def two(redis: Redis, tmp_path: Path) -> AsyncIterator[tuple[Portal, Portal]]:
    """Two whole gateways over the same systems."""
    database = tmp_path / "sandbox.sqlite"
    sandbox.data.build(database, NOW.date())
    async with AsyncExitStack() as running:
        folders = [tmp_path / name for name in "ab"]
        for folder in folders:
            folder.mkdir()
        one, other = [
            await running.enter_async_context(opened(database, folder, redis=redis.url))
            for folder in folders
        ]
        yield one, other


async def test_two_gateways_ask_once_and_see_each_others_changes(
    two: tuple[Portal, Portal], redis: Redis
) -> None:
    one, other = two
    first = await one.ask(PHONE)
    assert first.cost == {"crm": 1}
    await asyncio.sleep(0.5)  # it is sent in the background
    shared = await other.ask(PHONE)
    assert (shared.data, shared.cost) == (first.data, {})
    assert (await other.ask(PHONE, by=LUIS)).cost == {"crm": 1}
    await other.ask(PROFILE, {"input": {"phone": "+57 300 1234567"}})
    await asyncio.sleep(0.5)
    for portal in two:
        assert (await portal.ask(PHONE)).data["viewer"]["contact"]["phone"] == "+57 300 1234567"
    redis.stop()
    for portal in two:
        again = await portal.ask(PHONE, by=ANA)
        assert again.data["viewer"]["contact"]["phone"] == "+57 300 1234567"
