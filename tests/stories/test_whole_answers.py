"""Whole answers are kept for everybody where an anonymous caller may be told them, for one caller
where the settings say so, and never across the wall; headers tell caches the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from graphql import GraphQLObjectType, get_named_type, is_object_type

from gateway import telemetry
from schema.caching import CacheScope, declared
from schema.root import SCHEMA
from tests.stories.doors import PROFILE
from tests.stories.portal import ANA, CARLA, LUIS, Portal, opened

pytestmark = pytest.mark.anyio

NEWS = "query News($n: Int = 2) { news(first: $n) { nodes { title } } }"
CASES = "{ cases(first: 3) { nodes { number } } }"


@pytest.fixture
async def keeping(database: Path, keys: Path) -> AsyncIterator[Portal]:
    """A portal that keeps whole answers of each caller for half a minute."""
    async with opened(database, keys, tables={"answers": {"private_seconds": 30}}) as portal:
        yield portal


async def get(portal: Portal, query: str, **headers: str) -> httpx.Response:
    address = "/graphql?" + urlencode({"query": query})
    return await portal.client.get(address, headers={"accept": "application/json", **headers})


def remembered() -> int:
    return telemetry.loads["answers", "remembered"]


async def test_what_is_public_is_kept_for_everybody(portal: Portal) -> None:
    before = remembered()
    first = await portal.ask(NEWS, by=None)
    assert first.headers["cache-control"] == "public, max-age=60"
    assert first.headers["age"] == "0"
    assert "Authorization" in first.headers["vary"]
    assert "Accept-Language" in first.headers["vary"]
    portal.clock.now += timedelta(seconds=20)
    again = await portal.ask(NEWS, by=None)
    assert (again.body, again.headers["age"]) == (first.body, "20")
    assert again.headers["etag"] == first.headers["etag"]
    signed_in = await portal.ask(NEWS, by=ANA)
    assert signed_in.body == first.body
    assert signed_in.headers["cache-control"] == "private, max-age=60"
    assert remembered() - before == 2
    portal.clock.now += timedelta(seconds=50)
    assert (await portal.ask(NEWS, by=None)).headers.get("age", "0") == "0"


async def test_another_language_variable_operation_or_document_is_another_answer(
    portal: Portal,
) -> None:
    await portal.ask(NEWS, by=None)
    before = remembered()
    await portal.ask(NEWS, by=None, language="pt")
    await portal.ask(NEWS, {"n": 3}, by=None)
    await portal.ask(NEWS + " ", by=None)
    assert remembered() == before
    assert len((await portal.ask(NEWS, {"n": 3}, by=None)).data["news"]["nodes"]) == 3
    assert remembered() == before + 1


@pytest.mark.parametrize(
    "query",
    [
        CASES,
        "{ viewer { name } news(first: 1) { nodes { title } } }",
        "query Q($no: Boolean = false) { news(first: 1) { nodes { title } } ...F @include(if: $no) } fragment F on Query { viewer { name } }",
        "{ news(first: 1) { nodes { title } } ... { supportDesks { isOpen } } }",
        "{ __schema { queryType { name } } }",
        "{ __typename }",
    ],
)
async def test_what_is_not_public_is_kept_by_nobody(portal: Portal, query: str) -> None:
    before = remembered()
    for _ in range(2):
        answer = await portal.ask(query)
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
    assert remembered() == before


async def test_errors_and_old_answers_are_kept_by_nobody(portal: Portal) -> None:
    portal.faults.site.arm("status", 503)
    failed = await portal.ask(NEWS, by=None)
    assert failed.error["extensions"]["code"] == "SOURCE_UNAVAILABLE"
    assert failed.headers["cache-control"] == "no-store"
    portal.faults.site.clear("status")
    good = await portal.ask(NEWS, by=None)
    portal.clock.now += timedelta(seconds=90)
    old = await portal.ask(NEWS, by=None)
    assert old.body["extensions"]["sources"][0]["stale"]
    assert old.headers["cache-control"] == "no-store"
    assert old.data == good.data


async def test_whoever_has_it_already_is_told_so(portal: Portal) -> None:
    first = await get(portal, NEWS)
    tag = first.headers["etag"]
    again = await get(portal, NEWS, **{"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert again.headers["cache-control"] == "public, max-age=60"
    other = await get(portal, NEWS, **{"if-none-match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_a_refused_token_is_answered_nothing_that_is_kept(portal: Portal) -> None:
    await portal.ask(NEWS, by=None)
    refused = await portal.ask(NEWS, token="nonsense")
    assert refused.status == 401
    assert refused.headers["cache-control"] == "no-store"


async def test_answers_of_one_caller_are_their_own(keeping: Portal) -> None:
    first = {person: await keeping.ask(CASES, by=person) for person in (ANA, LUIS, CARLA)}
    before = remembered()
    for person, answer in first.items():
        again = await keeping.ask(CASES, by=person)
        assert again.body == answer.body
        assert again.cost == {}
        assert again.headers["cache-control"] == "no-store"
    assert remembered() == before + 3
    assert len({str(answer.body) for answer in first.values()}) == 3
    assert (await keeping.ask(CASES, by=None)).errors
    keeping.clock.now += timedelta(seconds=31)
    assert (await keeping.ask(CASES)).cost["crm"] > 0


async def test_what_a_caller_changes_is_seen_at_once_although_answers_are_kept(
    database: Path, tmp_path: Path
) -> None:
    import shutil

    own = tmp_path / "sandbox.sqlite"
    shutil.copy(database, own)
    asked = "{ viewer { contact { phone } } }"
    async with opened(own, tmp_path, tables={"answers": {"private_seconds": 60}}) as house:
        await house.ask(asked)
        await house.ask(PROFILE, {"input": {"phone": "+57 300 1234567"}})
        assert (await house.ask(asked)).data["viewer"]["contact"]["phone"] == "+57 300 1234567"


async def test_what_it_cost_is_told_of_what_was_run(portal: Portal) -> None:
    await portal.ask(NEWS, by=None)
    body = {"query": NEWS}
    told = await portal.client.post("/graphql", json=body, headers={"portal-cost": "1"})
    assert "cost" in told.json()["extensions"]
    assert told.headers["cache-control"] == "no-store"


def test_nothing_that_is_public_leads_to_what_is_somebodys() -> None:
    """From each field that says so, every type that can be reached is for everybody."""
    graph = SCHEMA._schema
    assert graph.query_type
    public = {
        name: field
        for name, field in graph.query_type.fields.items()
        if (said := declared(field)) and said.scope is CacheScope.PUBLIC
    }
    assert {"news", "faqs", "newsArticle"} <= public.keys()
    waiting: list[Any] = [get_named_type(field.type) for field in public.values()]
    seen: set[str] = set()
    while waiting:
        found = waiting.pop()
        if not is_object_type(found) or found.name in seen:
            continue
        seen.add(found.name)
        assert isinstance(found, GraphQLObjectType)
        waiting += [get_named_type(field.type) for field in found.fields.values()]
    assert seen <= {
        *("NewsArticle", "NewsArticleConnection", "NewsArticleEdge", "PageInfo"),
        *("FaqEntry", "FaqEntryConnection", "FaqEntryEdge"),
    }
