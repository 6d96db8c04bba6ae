"""GraphQL over HTTP: programs get JSON whatever they send, browsers get a page."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.stories.portal import Portal

pytestmark = pytest.mark.anyio

PLAIN = {"content-type": "application/json"}
RESPONSE_JSON = "application/graphql-response+json"
NEW = {**PLAIN, "accept": RESPONSE_JSON}


async def post(portal: Portal, body: bytes, **headers: str) -> Any:
    return await portal.client.post("/graphql", content=body, headers={**PLAIN, **headers})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"5",
        b'"x"',
        b"null",
        b"[]",
        b"{}",
        b"{",
        b"\xff",
        b"NaN",
        b'{"query": 5}',
        b'{"query": ""}',
        b'{"query": "{ viewer { name } }", "variables": []}',
        b'{"query": "{ viewer { name } }", "operationName": 1}',
        b"[" * 100_000,
        b'{"query": "{ viewer { name } }", "variables": {"a": ' + b"9" * 10_000 + b"}}",
    ],
)
async def test_what_is_no_request_is_told_as_json(portal: Portal, body: bytes) -> None:
    response = await post(portal, body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_body_that_is_too_large_is_not_read(portal: Portal) -> None:
    response = await post(portal, b'{"query": "' + b"x" * 300_000 + b'"}')
    assert response.status_code == 413


async def test_only_json_is_taken(portal: Portal) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded"):
        response = await portal.client.post(
            "/graphql", content=b"{}", headers={"content-type": media_type}
        )
        assert response.status_code == 415
        assert response.headers["accept-post"] == "application/json"
    other = {"content-type": "application/json; charset=latin-1"}
    assert (await portal.client.post("/graphql", content=b"{}", headers=other)).status_code == 415
    response = await post(portal, b"{}", **{"content-encoding": "gzip"})
    assert response.status_code == 415


async def test_other_methods_are_told_which_to_use(portal: Portal) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        response = await portal.client.request(method, "/graphql")
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, POST"
        assert response.json()["errors"]


async def test_a_mistake_in_the_document_has_the_status_of_its_media_type(portal: Portal) -> None:
    body = json.dumps({"query": "{ nothing }"}).encode()
    assert (await post(portal, body)).status_code == 200
    response = await portal.client.post("/graphql", content=body, headers=NEW)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("application/graphql-response+json")
    refused = await portal.client.post(
        "/graphql", content=body, headers={**PLAIN, "accept": "text/csv"}
    )
    assert refused.status_code == 406


async def test_a_query_may_come_by_get(portal: Portal) -> None:
    parameters = {
        "query": "query($c: CountryCode!) { supportDesk(country: $c) { phone } }",
        "variables": '{"c": "PE"}',
    }
    response = await portal.client.get("/graphql", params=parameters)
    assert response.json()["data"]["supportDesk"]["phone"]
    broken = await portal.client.get("/graphql", params={**parameters, "variables": "{"})
    assert broken.status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "query=%ff",
        "query=a&query=b",
        "query=",
        "&".join("abcdefghijklmnopqrstuvwxyz"),
        "query=%7B__typename%7D&variables=5",
    ],
)
async def test_an_address_that_is_no_request_is_told(portal: Portal, address: str) -> None:
    response = await portal.client.get(f"/graphql?{address}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_nothing_is_changed_by_get(portal: Portal) -> None:
    query = "mutation { __typename }"
    response = await portal.client.get("/graphql", params={"query": query})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*;q=0.5", "application/json"),
        ("application/graphql-response+json, application/json;q=0.9", RESPONSE_JSON),
        ("application/json;q=0.9, application/graphql-response+json", RESPONSE_JSON),
        ("application/graphql-response+json;q=0.2, */*", "application/json"),
        ("application/json;q=0, */*", RESPONSE_JSON),
        ("text/html, APPLICATION/JSON; charset=utf-8", "application/json"),
        ("application/json, application/graphql-response+json", "application/json"),
        ("text/csv", None),
        ("application/json;q=0", None),
        ("application/json;q=x", None),
    ],
)
async def test_the_media_type_is_what_the_caller_likes_best(
    portal: Portal, accept: str, media_type: str | None
) -> None:
    response = await post(portal, b'{"query": "{ __typename }"}', accept=accept)
    if media_type is None:
        assert response.status_code == 406
        assert response.json()["errors"]
    else:
        assert response.status_code == 200
        assert response.headers["content-type"] == f"{media_type}; charset=utf-8"


async def test_data_with_errors_has_a_status_of_its_own_where_the_new_type_was_asked(
    portal: Portal,
) -> None:
    body = b'{"query": "{ __typename cases(first: 0) { nodes { id } } }"}'
    response = await portal.client.post("/graphql", content=body, headers=NEW)
    assert response.status_code == 294
    assert response.json()["data"] == {"__typename": "Query", "cases": None}
    assert (await post(portal, body)).status_code == 200


async def test_a_document_that_is_nested_too_deeply_is_told(portal: Portal) -> None:
    deep = "{ viewer " * 20_000
    response = await post(portal, json.dumps({"query": deep}).encode())
    assert response.status_code == 200
    assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_a_browser_gets_a_page_that_may_load_nothing_from_elsewhere(portal: Portal) -> None:
    response = await portal.client.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert b"<div" in response.content
    asset = next(
        part.split(b'"')[0]
        for part in response.content.split(b'src="')
        if part.startswith(b"/graphiql")
    )
    served = await portal.client.get(asset.decode())
    assert served.status_code == 200
    assert served.headers["content-security-policy"] == policy


async def test_health_tells_which_systems_answer(portal: Portal) -> None:
    assert (await portal.client.get("/health/live")).json() == {"status": "live"}
    portal.faults.erp.arm("status", 503)
    ready = await portal.client.get("/health/ready")
    assert ready.status_code == 200
    told = ready.json()
    assert told["status"] == "degraded"
    assert told["systems"].pop("erp").startswith("SOURCE_")
    assert told["systems"] == {"crm": "ok", "site": "ok", "answers": "ok"}


async def test_it_is_ready_when_the_rest_of_the_start_is_done(house: Portal) -> None:
    finishing = asyncio.create_task(house.gateway.finish())
    await asyncio.sleep(0)
    starting = await house.client.get("/health/ready")
    assert (starting.status_code, starting.json()) == (503, {"status": "starting"})
    assert (await house.client.get("/health/live")).status_code == 200
    await finishing
    assert (await house.client.get("/health/ready")).json()["status"] == "ready"


async def test_every_answer_has_a_request_id_and_is_not_kept(portal: Portal) -> None:
    body = b'{"query": "{ viewer { name } }"}'
    response = await post(portal, body, **{"x-request-id": "frontend-12345"})
    assert response.headers["x-request-id"] == "frontend-12345"
    assert response.headers["cache-control"] == "no-store"
    other = await post(portal, body, **{"x-request-id": "with spaces\tand more"})
    assert other.headers["x-request-id"] not in ("", "with spaces\tand more")


async def test_where_there_is_nothing_it_says_so_in_json(portal: Portal) -> None:
    for path in ("/", "/nothing", "/graphiql/../../pyproject.toml", "/graphiql/nothing.js"):
        response = await portal.client.get(path)
        assert response.status_code == 404
        assert response.json()["errors"]
