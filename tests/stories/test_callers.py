"""Who asks: a token opens one's own data; without one there is help and news."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.access.tokens import Tokens
from tests.stories.portal import ANA, NOW, Portal

pytestmark = pytest.mark.anyio


async def test_without_a_token_there_is_help_and_news(portal: Portal) -> None:
    answer = await portal.ask(
        """{ viewer { name } news(first: 2) { nodes { title } } faqs { nodes { question } }
             supportDesk(country: "CO") { phone isOpen } caseCategories { code } }""",
        by=None,
    )
    assert answer.data["viewer"] is None
    assert len(answer.data["news"]["nodes"]) == 2
    assert answer.data["faqs"]["nodes"]
    assert answer.data["supportDesk"]["isOpen"] is True
    assert answer.data["caseCategories"]


@pytest.mark.parametrize(
    "query",
    [
        "{ cases { nodes { id } } }",
        "{ orders { nodes { id } } }",
        '{ case(by: {number: "1"}) { id } }',
        '{ order(by: {number: "1"}) { id } }',
        '{ account(id: "QWNjb3VudDox") { id } }',
        '{ contact(id: "Q29udGFjdDox") { id } }',
    ],
)
async def test_without_a_token_nothing_of_a_customer_is_told(portal: Portal, query: str) -> None:
    answer = await portal.ask(query, by=None)
    assert answer.error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert answer.error["message"] == "Inicia sesión para ver esto."
    assert answer.calls == []


async def test_someone_whom_the_crm_does_not_know_sees_nothing(portal: Portal) -> None:
    answer = await portal.ask(
        "{ viewer { email memberships { role } contact { id } } cases { totalCount nodes { id } } "
        "orders { totalCount nodes { id } } }",
        by="stranger@nowhere.example",
    )
    assert answer.data == {
        "viewer": {"email": "stranger@nowhere.example", "memberships": [], "contact": None},
        "cases": {"totalCount": 0, "nodes": []},
        "orders": {"totalCount": 0, "nodes": []},
    }
    assert answer.calls == []


async def test_a_session_says_when_it_ends(portal: Portal) -> None:
    answer = await portal.ask("{ viewer { sessionExpiresAt } }")
    ends = NOW + timedelta(minutes=60)
    assert answer.data["viewer"]["sessionExpiresAt"] == ends.isoformat()


@pytest.mark.parametrize("kind", ["nonsense", "foreign", "expired", "unsigned", "basic", "empty"])
async def test_a_token_that_proves_nothing_is_refused(portal: Portal, kind: str) -> None:
    good = portal.gateway.tokens.issue(ANA)
    header = {
        "nonsense": "Bearer nonsense",
        "foreign": "Bearer " + other_issuer(portal).issue(ANA),
        "expired": "Bearer " + long_ago(portal).issue(ANA),
        "unsigned": "Bearer " + good.rpartition(".")[0] + ".",
        "basic": "Basic YTpi",
        "empty": "Bearer ",
    }[kind]
    response = await portal.client.post(
        "/graphql", json={"query": "{ viewer { name } }"}, headers={"authorization": header}
    )
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def other_issuer(portal: Portal) -> Tokens:
    key = portal.gateway.tokens.keys
    return Tokens(key, "https://elsewhere.example", "portal", timedelta(hours=1), 0, lambda: NOW)


def long_ago(portal: Portal) -> Tokens:
    tokens = portal.gateway.tokens
    then = NOW - timedelta(days=1)
    return Tokens(tokens.keys, tokens.issuer, "portal", timedelta(hours=1), 0, lambda: then)


async def test_relations_that_ended_or_have_not_begun_open_nothing(portal: Portal) -> None:
    for person in (
        "jorge.pineda@andina.example",
        "maria.nanez@andina.example",
        "camila.soto@austral.example",
        "diego.oconnor@plata.example",
    ):
        answer = await portal.ask(
            "{ viewer { memberships { account { number } } } orders(first: 100) { nodes { account { number } } } }",
            by=person,
        )
        numbers = {m["account"]["number"] for m in answer.data["viewer"]["memberships"]}
        assert len(numbers) == 1, person
        assert {o["account"]["number"] for o in answer.data["orders"]["nodes"]} == numbers


async def test_a_company_is_told_of_no_one_whose_relation_does_not_hold_today(
    portal: Portal,
) -> None:
    for person, stranger in (
        ("luis.rojas@pacifico.example", "jorge.pineda@andina.example"),  # ended
        ("diego.oconnor@plata.example", "camila.soto@austral.example"),  # not begun
    ):
        answer = await portal.ask(
            "{ viewer { contact { id } memberships { account { contacts { nodes { email } } } } } }",
            by=person,
        )
        own = await portal.ask("{ viewer { contact { id } } }", by=stranger)
        people = answer.data["viewer"]["memberships"][0]["account"]["contacts"]["nodes"]
        emails = {contact["email"] for contact in people}
        assert person in emails
        assert stranger not in emails
        asked = "query($id: ID!) { contact(id: $id) { name } node(id: $id) { id } }"
        found = await portal.ask(asked, {"id": own.data["viewer"]["contact"]["id"]}, by=person)
        assert found.data == {"contact": None, "node": None}


async def test_many_requests_of_one_person_ask_once_who_it_is(portal: Portal) -> None:
    import asyncio

    token = portal.gateway.tokens.issue(ANA)
    headers = {"authorization": f"Bearer {token}"}
    body = {"query": "{ viewer { name } }"}
    answers = await asyncio.gather(
        *(portal.client.post("/graphql", json=body, headers=headers) for _ in range(20))
    )
    assert {answer.json()["data"]["viewer"]["name"] for answer in answers} == {"Ana Torres"}
    assert len(portal.recorder.calls) == 1
