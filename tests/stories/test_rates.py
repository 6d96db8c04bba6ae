"""How fast anybody may ask: told with every answer, and kept before anything is asked upstream."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.portal import ANA, LUIS, opened

pytestmark = pytest.mark.anyio

RATES = {"rates": {"enabled": True, "seconds": 3_600, "person": 100, "anonymous": 30}}
CASES = "query($n: Int) { cases(first: $n) { nodes { id } } }"


async def test_a_person_who_asks_too_much_waits_and_others_do_not(
    database: Path, tmp_path: Path
) -> None:
    async with opened(database, tmp_path, tables=RATES) as portal:
        first = await portal.ask(CASES, {"n": 80})
        assert len(first.data["cases"]["nodes"]) > 0
        assert first.headers["ratelimit-policy"] == '"person";q=100;w=3600'
        assert first.headers["ratelimit"].startswith('"person";r=14;t=')
        second = await portal.ask(CASES, {"n": 80})
        assert second.status == 429
        assert 2_500 < int(second.headers["retry-after"]) <= 3_600
        extensions = second.error["extensions"]
        assert extensions["code"] == "RATE_LIMITED"
        assert extensions["retryable"] is True
        assert extensions["retryAfterMs"] == int(second.headers["retry-after"]) * 1_000
        assert "Inténtalo de nuevo" in second.error["message"]
        assert second.calls == []
        assert (await portal.ask(CASES, {"n": 80}, by=LUIS)).data
        assert (await portal.ask("{ caseCategories { code } }", by=None)).data


async def test_nobody_in_particular_has_a_bucket_of_their_own(
    database: Path, tmp_path: Path
) -> None:
    async with opened(database, tmp_path, tables=RATES) as portal:
        # What is not valid is counted too.
        statuses = [(await portal.ask("{ nothing }", by=None)).status for _ in range(35)]
        assert statuses == [200] * 30 + [429] * 5
        answer = await portal.ask("{ caseCategories { code } }", by=None)
        assert answer.status == 429
        assert answer.headers["ratelimit"].startswith('"anonymous";r=0')
        assert (await portal.ask("{ viewer { name } }")).data["viewer"]


async def test_who_wants_to_know_hears_what_an_operation_costs(
    database: Path, tmp_path: Path
) -> None:
    async with opened(database, tmp_path, tables=RATES) as portal:
        token = portal.gateway.tokens.issue(ANA)
        headers = {"authorization": f"Bearer {token}", "portal-cost": "1"}
        body = {"query": "{ cases(first: 3) { nodes { id order { number } } } }"}
        answer = (await portal.client.post("/graphql", json=body, headers=headers)).json()
        cost = answer["extensions"]["cost"]
        remaining = cost.pop("remaining")
        assert 80 < remaining < 90
        assert cost == {
            "requested": 11,
            "allowed": 20_000,
            "upstreamCalls": {"crm": 1, "erp": 1},
            "upstreamCallsAllowed": 200,
            "policy": "person",
            "quota": 100,
        }
        assert "extensions" not in (await portal.ask(body["query"])).body


async def test_rates_are_off_where_things_are_tried_out(database: Path, tmp_path: Path) -> None:
    async with opened(database, tmp_path) as portal:
        assert "ratelimit" not in (await portal.ask("{ __typename }")).headers
