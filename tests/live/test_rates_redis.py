"""Rates in a real Redis: processes share the buckets, and each counts alone while it is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from connectors.port.scope import Scope
from gateway.access.rates import Level, Rates, RateSettings
from schema.context import Caller
from schema.identity.service import Origin
from tests.live.redis import Redis, redis_server

pytestmark = [pytest.mark.live, pytest.mark.anyio]

ANA = Caller("C1", "ana@a.example", "Ana", (), Scope(), datetime(2030, 1, 1, tzinfo=UTC))
HERE = Origin("192.0.2.1", "-", "-")
SMALL = RateSettings(seconds=3_600, person=100, program=0, anonymous=50, address=0)


@pytest.fixture
def redis() -> Iterator[Redis]:
    with redis_server() as server:
        yield server


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def process(url: str, clock: Clock | None = None) -> AsyncIterator[Rates]:
    """Rates as each process counts them."""
    rates = Rates(SMALL, url, clock or Clock())
    try:
        yield rates
    finally:
        await rates.close()


async def taken(rates: Rates, units: int) -> Level:
    level = await rates.take(ANA, HERE, units, effort=0)
    assert level is not None
    return level


async def test_what_one_process_lets_pass_is_gone_for_the_other(redis: Redis) -> None:
    async with process(redis.url) as one, process(redis.url) as other:
        assert (await taken(one, 40)).remaining == 60
        assert (await taken(other, 40)).remaining == 20
        level = await taken(one, 40)
        assert level.wait == pytest.approx(20 * 36, abs=5)
        assert (level.remaining, level.policy) == (20, "person")
        assert (await taken(other, 20)).wait is None


async def test_while_it_is_away_each_process_counts_alone(redis: Redis) -> None:
    clock = Clock()
    async with process(redis.url, clock) as rates:
        assert (await taken(rates, 90)).remaining == 10
        redis.stop()
        assert (await taken(rates, 40)).remaining == 60
        assert (await taken(rates, 40)).remaining == 20
        redis.start()
        assert (await taken(rates, 10)).remaining == 10  # it is left alone for a moment
        clock.now = 6.0
        assert (await taken(rates, 30)).remaining == 70  # it has forgotten, being new


async def test_one_that_was_never_there_stops_nobody() -> None:
    async with process("redis://127.0.0.1:1/0") as rates:
        assert (await taken(rates, 40)).remaining == 60
