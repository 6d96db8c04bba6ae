"""What nobody foresaw is told by a number that finds the log line, on every path."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from gateway.http import health
from gateway.telemetry import JsonLines
from tests.stories.portal import ANA, Portal

pytestmark = pytest.mark.anyio

SECRET = "what Ana wrote"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the gateway would write on standard error."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def lines(log: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def test_an_error_in_a_field_finds_its_line(
    portal: Portal, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(portal.gateway.sources.cases, "find_cases", fail, raising=False)
    token = portal.gateway.tokens.issue(ANA)
    headers = {"authorization": f"Bearer {token}", "x-request-id": "frontend-77"}
    query = "query($t: String) { cases(filter: {search: $t}) { nodes { id } } }"
    body = {"query": query, "variables": {"t": SECRET}}
    answer = await portal.client.post("/graphql", json=body, headers=headers)
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert SECRET not in answer.text
    (line,) = [one for one in lines(log) if one["level"] == "ERROR"]
    assert line["error_id"] == error["extensions"]["errorId"]
    assert line["request_id"] == answer.headers["x-request-id"] == "frontend-77"
    assert "ValueError" in line["exception"]
    assert SECRET not in log.getvalue()
    assert token not in log.getvalue()


@pytest.mark.parametrize("path", ["/graphql", "/health/live"])
async def test_an_error_outside_of_fields_does_too(
    portal: Portal, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(portal.gateway.operations, "found", fail)
    monkeypatch.setattr(health, "JSONResponse", fail)
    if path == "/graphql":
        answer = await portal.client.post(path, json={"query": "{ __typename }"})
    else:
        answer = await portal.client.get(path)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    (line,) = [one for one in lines(log) if one["level"] == "ERROR"]
    assert line["error_id"] == error["extensions"]["errorId"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert SECRET not in log.getvalue() + answer.text
