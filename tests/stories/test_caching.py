"""Equal queries at the same time cost the calls of one; what is remembered is told where it is old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stories.doors import PROFILE
from tests.stories.portal import ANA, CARLA, LUIS, Portal, opened

pytestmark = pytest.mark.anyio

CASES = "{ cases(first: 5) { nodes { number contact { name } account { name } } } }"
HOME = """{
  viewer { contact { name } }
  cases(first: 5) { nodes { number account { name } order { number status } } }
  orders(first: 5) { nodes { number lines(first: 2) { nodes { product { code } } } } }
  news(first: 3) { nodes { title } }
}"""
NEWS = "{ news(first: 2) { nodes { title } } }"


@pytest.mark.parametrize("query", [CASES, HOME])
async def test_64_equal_queries_cost_the_calls_of_one(
    database: Path, keys: Path, query: str
) -> None:
    async with opened(database, keys) as portal:
        alone = await portal.ask(query)
    async with opened(database, keys) as portal:
        token = portal.gateway.tokens.issue(ANA)
        await portal.ask("{ __typename }", token=token)
        before = len(portal.recorder.calls)
        found = await asyncio.gather(*(portal.ask(query, token=token) for _ in range(64)))
        calls = portal.recorder.calls[before:]
    assert all(answer.data == alone.data for answer in found)
    # One more: who asks is asked first here, for all of them.
    assert len(calls) - len(alone.calls) in (0, 1)


async def test_equal_queries_of_several_people_are_each_their_own(portal: Portal) -> None:
    people = [ANA, LUIS, CARLA] * 8
    found = await asyncio.gather(*(portal.ask(CASES, by=person) for person in people))
    for person, answer in zip(people, found, strict=True):
        assert answer.data == (await portal.ask(CASES, by=person)).data
    assert len({str(answer.data) for answer in found}) == 3


async def test_news_are_read_once_a_minute_and_then_in_passing(portal: Portal) -> None:
    first = await portal.ask(NEWS)
    assert first.cost["site"] > 0
    assert (await portal.ask(NEWS, by=LUIS)).cost == {}
    portal.clock.now += timedelta(seconds=90)
    again = await portal.ask(NEWS)
    assert again.data == first.data
    assert again.body["extensions"]["sources"] == [
        {"name": "site", "status": "OK", "ageSeconds": 90, "stale": True}
    ]
    assert (await portal.ask(NEWS)).cost == {}


async def test_old_news_stand_in_for_a_site_that_is_down(portal: Portal) -> None:
    first = await portal.ask(NEWS)
    portal.faults.site.arm("status", 503)
    portal.clock.now += timedelta(minutes=30)
    again = await portal.ask(NEWS)
    assert again.data == first.data
    assert again.body["extensions"]["sources"] == [
        {"name": "site", "status": "SOURCE_UNAVAILABLE", "ageSeconds": 1800, "stale": True}
    ]
    portal.clock.now += timedelta(hours=2)
    last = await portal.ask(NEWS)
    assert last.error["extensions"]["code"] == "SOURCE_UNAVAILABLE"


async def test_what_a_caller_changes_they_see_at_once(house: Portal) -> None:
    asked = "{ viewer { contact { phone } } }"
    assert (await house.ask(asked)).data["viewer"]["contact"]["phone"] != "+57 300 1234567"
    changed = await house.ask(PROFILE, {"input": {"phone": "+57 300 1234567"}})
    assert changed.data["updateProfile"]["userErrors"] == []
    assert (await house.ask(asked)).data["viewer"]["contact"]["phone"] == "+57 300 1234567"


@pytest.fixture
async def lasting(database: Path, keys: Path) -> AsyncIterator[Portal]:
    """A portal that remembers cases, too."""
    tables = {"cache": {"cases": {"seconds": 30, "error_seconds": 300}}}
    async with opened(database, keys, tables=tables) as portal:
        yield portal


async def test_cases_are_remembered_where_that_is_wanted(lasting: Portal) -> None:
    first = await lasting.ask(CASES)
    assert first.cost["crm"] > 0
    assert (await lasting.ask(CASES)).cost == {}
    assert (await lasting.ask(CASES, by=LUIS)).cost["crm"] > 0
    lasting.clock.now += timedelta(seconds=31)
    assert (await lasting.ask(CASES)).cost["crm"] > 0
