"""A person follows their cases: each change is read in their scope as it is by then, and nobody
hears of what is another's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sandbox.people import CUSTOMERS
from schema.events import Event, What
from schema.nodes import from_global
from tests.gateway.http.sockets import Client, connected, streamed
from tests.stories.doors import ANDINA, PACIFICO, in_crm, later, member
from tests.stories.portal import ANA, LUIS, Portal

pytestmark = pytest.mark.anyio

ONE = """subscription($id: ID!) { caseChanged(id: $id) {
  event case { id subject comments(first: 1) { nodes { body } } } } }"""
ALL = "subscription($of: [ID!]) { casesChanged(accountIds: $of) { event case { id } } }"
ANDINA_KEY, PACIFICO_KEY = CUSTOMERS[0].crm_id, CUSTOMERS[1].crm_id


async def a_case(portal: Portal, by: str = ANA) -> str:
    answer = await portal.ask("{ cases(first: 1) { nodes { id } } }", by=by)
    return str(answer.data["cases"]["nodes"][0]["id"])


def happens(
    portal: Portal, case: str, what: What = What.CASE_COMMENTED, of: str = ANDINA_KEY
) -> None:
    portal.gateway.events.publish(Event(what, from_global("id", case)[1], of))


@asynccontextmanager
async def following(
    portal: Portal, query: str, by: str = ANA, language: str = "es", **variables: Any
) -> AsyncIterator[Client]:
    bearer = f"Bearer {portal.gateway.tokens.issue(by)}"
    headers = {"accept-language": language}
    async with connected(portal.gateway.app, headers=headers) as client:
        await client.init({"authorization": bearer})
        client.subscribe(query, variables)
        assert await client.silent()
        yield client


async def test_a_change_is_read_again_at_the_cost_of_one_question(portal: Portal) -> None:
    case = await a_case(portal)
    async with following(portal, ONE, id=case) as client:
        before = len(portal.recorder.calls)
        happens(portal, case)
        told = (await client.hear())["payload"]["data"]["caseChanged"]
        assert told["event"] == "COMMENTED"
        assert told["case"]["id"] == case
        assert [call.system for call in portal.recorder.calls[before:]] == ["crm", "crm"]


async def test_other_cases_and_accounts_are_not_heard_of(portal: Portal) -> None:
    case = await a_case(portal)
    other = await a_case(portal, LUIS)
    async with following(portal, ONE, id=case) as client:
        happens(portal, other, of=PACIFICO_KEY)
        happens(portal, "Q2FzZTp4", of=ANDINA_KEY)
        assert await client.silent()
    async with following(portal, ALL) as client:
        happens(portal, other, of=PACIFICO_KEY)
        portal.gateway.events.publish(Event(What.CONTACT_CHANGED, "c1", ANDINA_KEY))
        assert await client.silent()
        happens(portal, case, What.CASE_OPENED)
        told = (await client.hear())["payload"]["data"]["casesChanged"]
        assert told == {"event": "OPENED", "case": {"id": case}}


async def test_what_is_announced_under_a_wrong_account_shows_nothing(portal: Portal) -> None:
    other = await a_case(portal, LUIS)
    async with following(portal, ALL) as client:
        happens(portal, other, of=ANDINA_KEY)
        told = (await client.hear())["payload"]["data"]["casesChanged"]
        assert told == {"event": "COMMENTED", "case": None}


@pytest.mark.parametrize(
    ("query", "variables", "argument"),
    [
        (ONE, {"id": "theirs"}, "id"),
        (ONE, {"id": "nonsense"}, "id"),
        (ALL, {"of": [PACIFICO]}, "accountIds"),
    ],
)
async def test_nobody_follows_what_is_anothers(
    portal: Portal, query: str, variables: dict[str, Any], argument: str
) -> None:
    if variables.get("id") == "theirs":
        variables = {"id": await a_case(portal, LUIS)}
    bearer = f"Bearer {portal.gateway.tokens.issue(ANA)}"
    async with connected(portal.gateway.app) as client:
        await client.init({"Authorization": bearer})
        client.subscribe(query, variables)
        told = await client.hear()
        assert (told["type"], told["id"]) == ("error", "1")
        assert told["payload"][0]["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
        assert portal.gateway.events.followers == 0


async def test_without_a_caller_nothing_is_followed(portal: Portal) -> None:
    async with connected(portal.gateway.app) as client:
        await client.init()
        client.subscribe(ALL)
        told = await client.hear()
        assert told["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_events_that_were_missed_are_told_as_such(portal: Portal) -> None:
    case = await a_case(portal)
    async with following(portal, ONE, id=case) as client:
        portal.gateway.events.missed()
        told = (await client.hear())["payload"]["data"]["caseChanged"]
        assert (told["event"], told["case"]["id"]) == (None, case)
    async with following(portal, ALL) as client:
        portal.gateway.events.missed()
        told = (await client.hear())["payload"]["data"]["casesChanged"]
        assert told == {"event": None, "case": None}


async def test_a_membership_that_ended_ends_what_is_followed(house: Portal) -> None:
    case = await a_case(house)
    async with following(house, ONE, language="en", id=case) as client:
        sql = "UPDATE crm_AccountContactRelation SET EndDate = '2026-11-01' WHERE AccountId = ?"
        await in_crm(house, sql, ANDINA_KEY)
        await later(house, seconds=61)
        before = len(house.recorder.calls)
        happens(house, case)
        told = await client.hear()
        assert told["type"] == "error"
        assert told["payload"][0]["extensions"]["code"] == "NOT_ALLOWED"
        # Who they are was asked again; the case was not.
        assert len(house.recorder.calls) == before + 1
        happens(house, case)
        assert await client.silent()
        assert house.gateway.events.followers == 0


async def test_a_system_that_is_down_costs_the_case_and_not_the_subscription(
    portal: Portal,
) -> None:
    case = await a_case(portal)
    async with following(portal, ALL) as client:
        portal.faults.crm.arm("status", 503)
        happens(portal, case)
        told = (await client.hear())["payload"]
        assert told["data"]["casesChanged"] == {"event": "COMMENTED", "case": None}
        assert told["errors"][0]["path"] == ["casesChanged", "case"]
        assert told["errors"][0]["extensions"]["code"] == "SOURCE_UNAVAILABLE"
        portal.faults.crm.clear("status")
        happens(portal, case)
        assert (await client.hear())["payload"]["data"]["casesChanged"]["case"] == {"id": case}


async def test_signing_out_ends_what_is_followed(house: Portal) -> None:
    session = await member(house)
    async with connected(house.gateway.app) as client:
        await client.init({"authorization": f"Bearer {session['accessToken']}"})
        client.subscribe(ALL)
        assert await client.silent()
        answer = await house.ask(
            "mutation($t: String!) { signOut(input: {refreshToken: $t}) { userErrors { code } } }",
            {"t": session["refreshToken"]},
            by=None,
        )
        assert answer.data["signOut"]["userErrors"] == []
        happens(house, "Q2FzZTp4")
        assert await client.hear() is None
        assert client.closed is not None
        assert client.closed[0] == 4403


async def test_the_same_as_server_sent_events(portal: Portal) -> None:
    case = await a_case(portal)
    bearer = f"Bearer {portal.gateway.tokens.issue(ANA)}"
    body = {"query": ALL, "variables": {"of": [ANDINA]}}
    async with streamed(portal.gateway.app, body, {"authorization": bearer}) as stream:
        assert stream.status == 200
        happens(portal, case)
        part = await stream.part()
        assert part == (
            'event: next\ndata: {"data":{"casesChanged":{"event":"COMMENTED","case":{"id":"'
            + case
            + '"}}}}\n\n'
        )
    assert portal.gateway.events.followers == 0
