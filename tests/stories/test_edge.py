"""What strangers learn and may do at the edge: who sees the schema, which pages may ask, what a
browser may do with an answer, and how much may be asked at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query

from gateway.settings import SettingsError
from tests.stories.doors import program
from tests.stories.portal import ANA, Portal, opened

pytestmark = pytest.mark.anyio

PAGE = "https://portal.company.example"
SCHEMA = get_introspection_query()


def server(**values: Any) -> dict[str, dict[str, Any]]:
    return {"server": values}


@pytest.mark.parametrize(
    ("audience", "nobody", "person", "staff"),
    [
        ("everyone", True, True, True),
        ("signed-in", False, True, True),
        ("staff", False, False, True),
        ("nobody", False, False, False),
    ],
)
async def test_the_schema_is_shown_to_whom_it_may_be(
    database: Path, tmp_path: Path, audience: str, nobody: bool, person: bool, staff: bool
) -> None:
    async with opened(database, tmp_path, tables=server(introspection=audience)) as portal:
        tokens = {"nobody": None, "person": portal.gateway.tokens.issue(ANA)}
        tokens["staff"] = await program(portal, "cases:read")
        shown = {}
        for name, token in tokens.items():
            asked = await portal.ask(SCHEMA, by=None, token=token)
            typed = await portal.ask('{ __type(name: "Case") { name } }', by=None, token=token)
            wrong = await portal.ask("{ vewer { name } }", by=None, token=token)
            value = await portal.ask(
                "{ cases(filter: {statuses: [CLOSD]}) { nodes { id } } }", by=None, token=token
            )
            query = "query($s: [CaseStatus!]) { cases(filter: {statuses: $s}) { nodes { id } } }"
            variable = await portal.ask(query, {"s": ["CLOSD"]}, by=None, token=token)
            shown[name] = "data" in asked.body
            assert ("data" in typed.body) == shown[name]
            for answer in (wrong, value, variable):
                assert ("Did you mean" in str(answer.body)) == shown[name], answer.body
            if not shown[name]:
                assert asked.error["extensions"]["code"] == "NOT_ALLOWED"
            assert (await portal.ask("{ __typename }", by=None, token=token)).data
    assert shown == {"nobody": nobody, "person": person, "staff": staff}


async def test_there_need_be_no_page_for_people(database: Path, tmp_path: Path) -> None:
    async with opened(database, tmp_path, tables=server(graphiql=False)) as portal:
        page = await portal.client.get("/graphql", headers={"accept": "text/html, */*"})
        assert page.headers["content-type"].startswith("application/json")
        assert page.status_code == 400
        assert (await portal.client.get("/graphiql/index.html")).status_code == 404


async def test_pages_of_the_origins_that_are_named_may_ask(database: Path, tmp_path: Path) -> None:
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, graphql-require-preflight",
    }
    async with opened(database, tmp_path, tables=server(origins=[PAGE])) as portal:
        allowed = await portal.client.options("/graphql", headers=asked)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == PAGE
        assert "access-control-allow-credentials" not in allowed.headers
        body = {"query": "{ __typename }"}
        answer = await portal.client.post("/graphql", json=body, headers={"origin": PAGE})
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "x-request-id" in answer.headers["access-control-expose-headers"]
        other = "https://portal.company.example.evil.example"
        refused = await portal.client.options("/graphql", headers={**asked, "origin": other})
        assert refused.status_code == 400
        assert "access-control-allow-origin" not in refused.headers
        answer = await portal.client.post("/graphql", json=body, headers={"origin": other})
        assert "access-control-allow-origin" not in answer.headers


async def test_no_page_elsewhere_may_ask_by_default(portal: Portal) -> None:
    asked = {"origin": PAGE, "access-control-request-method": "POST"}
    refused = await portal.client.options("/graphql", headers=asked)
    assert refused.status_code == 405
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("origin", ["*", "portal.example", "https://portal.example/", "null"])
async def test_an_origin_that_is_none_stops_the_start(
    database: Path, tmp_path: Path, origin: str
) -> None:
    with pytest.raises(SettingsError, match="is no origin"):
        async with opened(database, tmp_path, tables=server(origins=[origin])):
            pass


@pytest.mark.parametrize("path", ["/graphql", "/health/live", "/nothing", "/.well-known/jwks.json"])
async def test_a_browser_may_do_nothing_with_an_answer_but_read_it(
    portal: Portal, path: str
) -> None:
    headers = (await portal.client.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


async def test_too_much_is_told_and_asks_nobody(database: Path, tmp_path: Path) -> None:
    query = "query($n: Int) { cases(first: $n) { nodes { id } } }"
    async with opened(database, tmp_path, tables={"limits": {"cost": 50, "aliases": 2}}) as portal:
        answer = await portal.ask(query, {"n": 46})
        assert answer.status == 200
        assert answer.error["extensions"] == {
            "code": "COST_EXCEEDED",
            "limit": "cost",
            "allowed": 50,
            "value": 51,
        }
        assert "51" in answer.error["message"]
        assert answer.calls == []
        assert len((await portal.ask(query, {"n": 5})).data["cases"]["nodes"]) == 5
        many = await portal.ask("{ a: __typename b: __typename c: __typename }")
        assert many.error["extensions"]["limit"] == "aliases"
        accept = {"accept": "application/graphql-response+json"}
        body = {"query": query, "variables": {"n": 46}}
        response = await portal.client.post("/graphql", json=body, headers=accept)
        assert response.status_code == 422


async def test_an_operation_that_is_not_named_is_told(portal: Portal) -> None:
    body = {"query": "query A { __typename } query B { __typename }"}
    accept = {"accept": "application/graphql-response+json"}
    for name in (None, "C"):
        asked = {**body, "operationName": name}
        response = await portal.client.post("/graphql", json=asked, headers=accept)
        assert response.status_code == 422
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    named = {**body, "operationName": "B"}
    assert (await portal.client.post("/graphql", json=named)).json()["data"]
