"""Buckets fill steadily, what operations cost empties them, and a dead store stops nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from throttled.exceptions import StoreUnavailableError

from connectors.port.errors import Unavailable
from connectors.port.scope import Scope
from gateway.access.rates import Rates, RateSettings
from schema.context import Caller
from schema.identity.service import Origin

pytestmark = pytest.mark.anyio

ANA = Caller("C1", "ana@a.example", "Ana", (), Scope(), datetime(2030, 1, 1, tzinfo=UTC))
LUIS = replace(ANA, contact_id="C2", email="luis@b.example", name="Luis")
SYNC = replace(ANA, contact_id="", email="", name="erp-sync", staff=True)
HERE, THERE = Origin("192.0.2.1", "-", "-"), Origin("192.0.2.2", "-", "-")
SMALL = RateSettings(seconds=3_600, person=100, program=1_000, anonymous=50, address=300)


async def test_each_has_a_bucket_of_their_own() -> None:
    rates = Rates(SMALL)
    for who, policy, left in ((ANA, "person", 59), (LUIS, "person", 59), (None, "anonymous", 9)):
        level = await rates.take(who, HERE, 40)
        assert level is not None
        assert (level.policy, level.remaining, level.wait) == (policy, left, None)
    assert (await rates.take(None, THERE, 40)).remaining == 9  # type: ignore[union-attr]
    level = await rates.take(SYNC, THERE, 200)
    assert level is not None
    assert (level.policy, level.remaining) == ("address", 300 - 41 - 201)


async def test_an_empty_bucket_lets_nothing_pass_and_says_when_it_will() -> None:
    rates = Rates(SMALL)
    assert (await rates.take(ANA, HERE, 99)).wait is None  # type: ignore[union-attr]
    level = await rates.take(ANA, HERE, 10)
    assert level is not None
    assert level.wait == pytest.approx(11 * 36, abs=2)
    assert level.headers == {
        "ratelimit-policy": '"person";q=100;w=3600',
        "ratelimit": '"person";r=0;t=3600',
        "retry-after": level.headers["retry-after"],
    }
    assert int(level.headers["retry-after"]) == pytest.approx(11 * 36, abs=2)
    # Another person of the same address is not kept out.
    assert (await rates.take(LUIS, HERE, 10)).wait is None  # type: ignore[union-attr]


async def test_who_asks_on_with_an_empty_bucket_is_told_without_work() -> None:
    now = 0.0
    rates = Rates(SMALL, monotonic=lambda: now)
    assert rates.waiting(ANA, HERE) is None
    await rates.take(ANA, HERE, 99)
    assert rates.waiting(ANA, HERE) is None
    await rates.take(ANA, HERE, 10)
    assert rates.waiting(ANA, HERE) is not None
    assert rates.waiting(LUIS, HERE) is None
    now = 1.1
    assert rates.waiting(ANA, HERE) is None


async def test_what_is_too_dear_for_now_does_not_keep_out_what_is_cheap() -> None:
    rates = Rates(SMALL)
    await rates.take(ANA, HERE, 50)
    assert (await rates.take(ANA, HERE, 80, effort=5)).wait is not None  # type: ignore[union-attr]
    assert rates.waiting(ANA, HERE) is None
    level = await rates.take(ANA, HERE, 10)
    assert level is not None
    assert (level.wait, level.remaining) == (None, 100 - 51 - 5 - 11)  # the effort was spent


async def test_what_costs_more_than_a_bucket_holds_passes_when_it_is_full() -> None:
    level = await Rates(SMALL).take(ANA, HERE, 5_000)
    assert level is not None
    assert (level.policy, level.remaining, level.wait) == ("person", 0, None)


async def test_a_whole_network_of_one_customer_is_one_address() -> None:
    rates = Rates(SMALL)
    await rates.take(None, Origin("2001:db8::1", "-", "-"), 49)
    level = await rates.take(None, Origin("2001:db8::ffff:2", "-", "-"), 10)
    assert level is not None
    assert level.wait is not None
    other = await rates.take(None, Origin("2001:db8:0:1::1", "-", "-"), 10)
    assert other is not None
    assert other.wait is None


async def test_somebody_whom_the_crm_does_not_name_counts_by_address() -> None:
    level = await Rates(SMALL).take(Unavailable("crm", "down"), HERE, 1)
    assert level is not None
    assert level.policy == "anonymous"


@pytest.mark.parametrize(
    "settings",
    [RateSettings(enabled=False), RateSettings(person=0, program=0, anonymous=0, address=0)],
)
async def test_where_nothing_is_counted_nothing_is_told(settings: RateSettings) -> None:
    rates = Rates(settings)
    assert await rates.take(ANA, HERE, 10**9) is None
    assert rates.waiting(ANA, HERE) is None


async def test_a_store_that_is_down_stops_nobody_and_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now, tries = 0.0, 0
    rates = Rates(SMALL, "redis://127.0.0.1:1/0", lambda: now)
    assert rates._shared is not None

    async def down(*_: Any, **__: Any) -> Any:
        nonlocal tries
        tries += 1
        raise StoreUnavailableError("redis://user:secret@store")

    for bucket in rates._shared.values():
        monkeypatch.setattr(bucket.limiter, "limit", down)
    for left in (89, 78, 67):
        level = await rates.take(ANA, HERE, 10)
        assert level is not None
        assert (level.remaining, level.wait) == (left, None)
    assert tries == 2  # both buckets, once
    assert [record.getMessage() for record in caplog.records] == [
        "rates are counted by each process: StoreUnavailableError"
    ]
    now = 6.0
    await rates.take(ANA, HERE, 10)
    assert tries == 4
    await rates.close()
