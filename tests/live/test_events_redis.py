"""What one process changes is heard of in others, through a real Redis that goes and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from gateway.events.hub import Hub
from gateway.events.shared import SharedEvents
from schema.events import Event, What
from tests.live.redis import Redis, redis_server

pytestmark = [pytest.mark.live, pytest.mark.anyio]

SAID = Event(What.CASE_COMMENTED, "500", "a1")


@pytest.fixture
def redis() -> Iterator[Redis]:
    with redis_server() as server:
        yield server


@asynccontextmanager
async def process(url: str) -> AsyncIterator[tuple[Hub, list[Event | None]]]:
    """A hub as each process has one, and all that it hears."""
    hub, heard = Hub(), list[Event | None]()
    hub.listen(heard.append)
    shared = SharedEvents(hub, url)
    shared.start()
    try:
        await until(lambda: heard == [None])  # it listens from now on
        heard.clear()
        yield hub, heard
    finally:
        await shared.close()


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_every_process_hears_it_once(redis: Redis) -> None:
    async with process(redis.url) as (one, at_one), process(redis.url) as (_, at_other):
        one.publish(SAID)
        await until(lambda: at_other != [])
        await asyncio.sleep(0.1)
        assert (at_one, at_other) == ([SAID], [SAID])


async def test_what_may_have_been_missed_is_told_when_it_is_back(redis: Redis) -> None:
    async with process(redis.url) as (one, at_one), process(redis.url) as (other, at_other):
        follower = other.follow(["a1"])
        redis.stop()
        one.publish(SAID)  # waits for nobody
        assert at_one == [SAID]
        redis.start()
        await until(lambda: None in at_one and None in at_other)
        assert await anext(follower) is None
        one.publish(SAID)
        # The one from before may come as well: it waited.
        await until(lambda: SAID in at_other)
        assert await anext(follower) == SAID


async def test_rubbish_on_the_channel_is_let_be(redis: Redis) -> None:
    async with process(redis.url) as (one, _), process(redis.url) as (_, at_other):
        from redis.asyncio import Redis as Client

        async with Client.from_url(redis.url) as client:
            for rubbish in (b"", b"{", b'{"by": 5}', b'{"by": "x", "what": "NOTHING"}'):
                await client.publish("portal:events", rubbish)
        one.publish(SAID)
        await until(lambda: SAID in at_other)
        assert at_other == [SAID]


async def test_without_one_a_process_goes_on_alone() -> None:
    hub, heard = Hub(), list[Event | None]()
    hub.listen(heard.append)
    shared = SharedEvents(hub, "redis://127.0.0.1:9/0")
    shared.start()
    for _ in range(3_000):
        hub.publish(SAID)
    await asyncio.sleep(0.3)
    assert heard == [SAID] * 3_000
    assert len(shared._waiting) <= 1_001
    await shared.close()
