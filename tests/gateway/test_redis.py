"""A store that does not answer is left alone for a while, and holds nobody up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as NoConnection

from gateway.redis import PAUSE, Store, again_and_again, open_client

pytestmark = pytest.mark.anyio

_log = logging.getLogger("gateway.test")


class Client:
    """Answers, hangs, or is away. asked: how often."""

    def __init__(self) -> None:
        self.asked, self.under_way, self.most_under_way = 0, 0, 0
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def get(self) -> str:
        self.asked += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        if self.failure is not None:
            raise self.failure
        return "answer"

    async def aclose(self) -> None:
        return None


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def asked(store: Store) -> str | None:
    found: str | None = await store.ask(lambda client: client.get())
    return found


def store(client: Client, patience: float = 5.0, **more: Any) -> tuple[Store, Clock]:
    clock = Clock()
    return Store("", patience, _log, "it is away", clock=clock, client=client, **more), clock


@pytest.mark.parametrize(
    "failure", [NoConnection("redis://user:secret@store"), OSError(), TimeoutError(), ValueError()]
)
async def test_it_is_left_alone_for_a_while_and_said_once(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    one, clock = store(client)
    assert await asked(one) == "answer"
    client.failure = failure
    assert [await asked(one) for _ in range(3)] == [None] * 3
    assert (client.asked, one.answers) == (2, False)
    client.failure = None
    clock.now += PAUSE
    assert one.answers
    assert await asked(one) == "answer"
    assert [record.message for record in caplog.records] == [
        f"it is away: {type(failure).__name__}"
    ]


async def test_many_that_fail_together_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    client = Client()
    one, _ = store(client)
    client.failure = NoConnection()
    client.gate.clear()
    asking = asyncio.gather(*(asked(one) for _ in range(5)))
    await asyncio.sleep(0)
    client.gate.set()
    assert await asking == [None] * 5
    assert len(caplog.records) == 1


async def test_nobody_waits_longer_than_the_room_is_patient() -> None:
    client = Client()
    client.gate.clear()
    one, _ = store(client, patience=0.01)
    assert await asked(one) is None
    assert not one.answers


async def test_so_many_are_asked_at_once_and_none_after_it_fell_silent() -> None:
    client = Client()
    one, _ = store(client, at_once=2)
    client.gate.clear()
    asking = asyncio.gather(*(asked(one) for _ in range(6)))
    for _ in range(3):
        await asyncio.sleep(0)
    assert client.under_way == 2
    client.failure = OSError()
    client.gate.set()
    assert await asking == [None] * 6
    assert (client.asked, client.most_under_way) == (2, 2)


async def test_what_is_done_in_the_background_is_not_begun_while_it_is_away() -> None:
    client = Client()
    one, clock = store(client)
    one.later(lambda client: client.get())
    await one.settled()
    client.failure = OSError()
    await asked(one)
    one.later(lambda client: client.get())
    await one.settled()
    assert client.asked == 2
    clock.now += PAUSE
    client.gate.clear()
    one.later(lambda client: client.get())
    await asyncio.sleep(0)
    await one.close()
    await asyncio.sleep(0)
    assert (client.asked, client.under_way) == (3, 0)


async def test_what_goes_on_without_an_end_waits_longer_until_it_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    turns = 0

    async def work(works: Callable[[], None]) -> None:
        nonlocal turns
        turns += 1
        if turns == 12:
            works()
        if turns == 14:
            raise asyncio.CancelledError
        raise NoConnection

    monkeypatch.setattr("gateway.redis.random.uniform", lambda low, high: high)
    monkeypatch.setattr("gateway.redis.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await again_and_again(work, _log, "it is away")
    assert slept[:4] == [0.1, 0.2, 0.4, 0.8]
    assert slept[10] == 10.0
    assert slept[11:] == [0.1, 0.2]


async def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="scheme"):
        open_client("nonsense", 1.0)
