"""A person follows their cases: each change is read in their scope as it is by then, and nobody
hears of what is another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.people import CUSTOMERS
from schema.events import Event, What
from schema.nodes import from_global
from tests.gateway.http.sockets import Client, connected, streamed
from tests.stories.doors import ANDINA, PACIFICO, PROFILE, do, in_crm, later, member
from tests.stories.portal import ANA, LUIS, Portal, opened
from tests.stories.test_envios import CLOSE, COMMENT, CREATE

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


async def heard_of(client: Client, until: str) -> list[tuple[str, str | None]]:
    """Events with the status of their case, until one of this kind has come with a case that the
    CRM has."""
    heard: list[tuple[str, str | None]] = []
    while not heard or heard[-1][0] != until:
        told = (await client.hear())["payload"]["data"]
        [change] = told.values()
        heard.append((change["event"], change["case"] and change["case"]["status"]))
    return heard


SHORT = """mutation($input: CreateCaseInput!) { createCase(input: $input) {
  case { id status number } userErrors { code } } }"""
STATUS = "subscription { casesChanged { event case { id status } } }"


async def test_what_one_sends_is_heard_of_by_those_who_follow(house: Portal) -> None:
    async with following(house, STATUS) as client, following(house, STATUS, LUIS) as other:
        sent = {"category": "QUERY", "description": "¿Cuándo llega?"}
        case = (await do(house, CREATE, by=ANA, **sent))["case"]["id"]
        assert (await heard_of(client, "OPENED"))[0] == ("OPENED", "SUBMITTED")
        payload = await do(house, COMMENT, by=ANA, caseId=case, body="Es urgente.")
        assert payload["userErrors"] == []
        await heard_of(client, "COMMENTED")
        assert (await do(house, CLOSE, by=ANA, caseId=case))["userErrors"] == []
        while (await heard_of(client, "STATUS_CHANGED"))[-1][1] != "CLOSED":
            pass
        assert await other.silent()


async def test_a_case_keeps_being_followed_when_the_crm_names_it(house: Portal) -> None:
    await a_case(house)  # who asks is known
    house.faults.crm.arm("status", 503)
    sent = {"category": "QUERY", "description": "¿Cuándo llega?"}
    case = (await do(house, SHORT, by=ANA, **sent))["case"]
    assert (case["status"], case["number"]) == ("SUBMITTED", None)
    one = "subscription($id: ID!) { caseChanged(id: $id) { event case { id status } } }"
    async with following(house, one, id=case["id"]) as client:
        house.faults.crm.clear("status")
        assert (await heard_of(client, "STATUS_CHANGED"))[-1][1] == "NEW"
        payload = await do(house, COMMENT, by=ANA, caseId=case["id"], body="Es urgente.")
        assert payload["userErrors"] == []
        await heard_of(client, "COMMENTED")


NAME = "{ viewer { name } }"


async def told_until_it_is_refused(client: Client, ask: Callable[[int], None]) -> Any:
    """The error that an operation ends with when it has been asked for often enough."""
    for number in range(40):
        ask(number)
        while (told := await client.hear())["type"] == "complete":
            pass
        if told["type"] == "error":
            (refused,) = told["payload"]
            return refused["extensions"]
    raise AssertionError("nothing was refused")


async def test_questions_by_websocket_are_counted_and_refused_as_others_are(
    database: Path, keys: Path
) -> None:
    tables = {"rates": {"enabled": True, "person": 40}, "limits": {"cost": 30}}
    async with (
        opened(database, keys, tables=tables) as portal,
        connected(portal.gateway.app) as client,
    ):
        await client.init({"authorization": f"Bearer {portal.gateway.tokens.issue(ANA)}"})
        client.subscribe("{ cases(first: 100) { nodes { id } } }")
        (refused,) = (await client.hear())["payload"]
        assert refused["extensions"]["code"] == "COST_EXCEEDED"
        refused = await told_until_it_is_refused(
            client, lambda number: client.subscribe(NAME, key=str(number))
        )
        assert refused["code"] == "RATE_LIMITED"
        assert refused["retryAfterMs"] > 0


async def test_each_change_that_is_told_costs_what_it_asks(database: Path, keys: Path) -> None:
    tables = {"rates": {"enabled": True, "person": 40}}
    async with opened(database, keys, tables=tables) as portal:
        case = await a_case(portal)
        async with following(portal, ALL) as client:
            refused = await told_until_it_is_refused(
                client, lambda number: happens(portal, case, list(What)[number % 2])
            )
            assert refused["code"] == "RATE_LIMITED"
            assert portal.gateway.events.followers == 0


async def test_a_change_is_made_whole_though_whoever_asked_has_left(house: Portal) -> None:
    case = await a_case(house)
    async with connected(house.gateway.app) as client:
        await client.init({"authorization": f"Bearer {house.gateway.tokens.issue(ANA)}"})
        before = len(house.recorder.calls)
        client.subscribe(PROFILE, {"input": {"jobTitle": "Jefa de compras"}})
        while len(house.recorder.calls) == before:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    await house.gateway.drain()
    answer = await house.ask("{ viewer { contact { jobTitle } } cases(first: 1) { nodes { id } } }")
    assert answer.data["viewer"]["contact"]["jobTitle"] == "Jefa de compras"
    assert answer.data["cases"]["nodes"][0]["id"] == case
    noted = (house.folder / "audit.jsonl").read_text()
    assert "profile.changed" in noted


async def test_a_person_who_changed_elsewhere_is_asked_for_anew(house: Portal) -> None:
    await a_case(house)
    before = len(house.recorder.calls)
    contact = (await house.ask("{ viewer { contact { id } } }")).data["viewer"]["contact"]["id"]
    known = len(house.recorder.calls)
    # As it arrives from another process.
    house.gateway.events.deliver(Event(What.CONTACT_CHANGED, from_global("id", contact)[1]))
    await house.ask("{ viewer { name } }")
    assert known > before
    assert len(house.recorder.calls) == known + 1


async def test_events_may_be_asked_for_by_get_and_changes_may_not(portal: Portal) -> None:
    case = await a_case(portal)
    headers = {"authorization": f"Bearer {portal.gateway.tokens.issue(ANA)}"}
    async with streamed(portal.gateway.app, {"query": ALL}, headers, method="GET") as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store"
        happens(portal, case)
        assert (await stream.part() or "").startswith("event: next\ndata: ")
    change = {"query": "mutation { __typename }"}
    async with streamed(portal.gateway.app, change, headers, method="GET") as stream:
        assert stream.status == 405
        assert "errors" in await stream.rest()


async def test_who_takes_json_alone_is_told_how_to_follow(portal: Portal) -> None:
    answer = await portal.ask(ALL)
    assert answer.status == 406
    assert "text/event-stream" in answer.error["message"]
