"""What one process was taught is known to the others, as far as the store they share can say."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError as NoConnection

from gateway.operations.persisted import Persisted
from gateway.operations.requests import Outcome, Request, hash_of
from gateway.operations.taught import SharedTexts

pytestmark = pytest.mark.anyio

TEXT = "{ __typename }"


class Store:
    """What a Redis keeps, in memory. asked: how often."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.asked, self.away = 0, False

    async def getex(self, name: str, ex: int) -> bytes | None:
        self._ask()
        return self.kept.get(name)

    async def set(self, name: str, body: bytes, ex: int) -> None:
        self._ask()
        self.kept[name] = body

    async def aclose(self) -> None:
        self.away = True

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise NoConnection("redis://user:secret@store")


def named(name: str, text: str = "") -> Request:
    return Request(text, extensions={"persistedQuery": {"version": 1, "sha256Hash": name}})


def process(store: Store, clock: Any = lambda: 1.0) -> Persisted:
    return Persisted(shared=SharedTexts("", clock, store))


async def learned(persisted: Persisted, text: str = TEXT) -> None:
    persisted.learn(named(hash_of(text), text))
    await asyncio.sleep(0)


async def test_what_one_process_was_taught_the_other_finds_and_keeps() -> None:
    store = Store()
    one, other = process(store), process(store)
    await learned(one)
    for _ in range(2):
        found = await other.found(named(hash_of(TEXT)))
        assert isinstance(found, Request)
        assert found.query == TEXT
    assert store.asked == 2  # kept once, and found once
    await one.close()


async def test_a_text_that_is_not_that_of_its_hash_is_none() -> None:
    store = Store()
    store.kept[f"portal:documents:{hash_of(TEXT)}"] = b"{ viewer { name } }"
    assert isinstance(await process(store).found(named(hash_of(TEXT))), Outcome)


@pytest.mark.parametrize("name", ["x", "", "a" * 5_000])
async def test_what_can_be_no_hash_is_not_asked_for(name: str) -> None:
    store = Store()
    assert isinstance(await process(store).found(named(name)), Outcome)
    assert store.asked == 0


async def test_a_store_that_is_away_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    store, now = Store(), 1.0
    persisted = process(store, lambda: now)
    store.away = True
    for _ in range(3):
        assert isinstance(await persisted.found(named(hash_of(TEXT))), Outcome)
    await learned(persisted)
    assert isinstance(await persisted.found(named(hash_of(TEXT))), Request)
    assert store.asked == 1
    assert "secret" not in caplog.text
    now, store.away = 7.0, False
    await learned(persisted, "{ a: __typename }")
    assert store.asked == 2


async def test_nothing_is_shared_where_clients_may_teach_nothing() -> None:
    store = Store()
    persisted = Persisted(automatic=False, shared=SharedTexts("", client=store))
    await learned(persisted)
    await persisted.found(named(hash_of(TEXT)))
    assert store.asked == 0
