"""Answers in parts: `@defer`, for those who read it, where the settings say so."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.http import parts as http_parts
from gateway.operations import parts as operation_parts
from tests.stories.portal import ANA, LUIS, Portal, opened

pytestmark = pytest.mark.anyio

ACCEPT = (
    "multipart/mixed;incrementalSpec=v0.2,application/graphql-response+json,application/json;q=0.9"
)
ON = {"execution": {"incremental": True}}
QUERY = """{ viewer { name } cases(first: 3) { nodes { id number
  ... @defer(label: "said") { subject comments(first: 2) { nodes { body } } }
  ... @defer(label: "order") { order { number } } } } }"""
SLOW = "{ viewer { name } ... @defer { orders(first: 2) { nodes { number } } } }"
SECRET = "what Ana wrote"


@pytest.fixture
async def deferring(database: Path, keys: Path) -> AsyncIterator[Portal]:
    async with opened(database, keys, tables=ON) as portal:
        yield portal


def parts_of(text: str) -> list[dict[str, Any]]:
    """The parts of a body, which has nothing else."""
    before, *parts, after = text.split("\r\n---")
    assert (before, after) == ("", "--\r\n")
    read = []
    for part in parts:
        head, _, body = part.partition("\r\n\r\n")
        assert head == "\r\ncontent-type: application/json; charset=utf-8"
        read.append(json.loads(body))
    assert [part["hasNext"] for part in read] == [True] * (len(read) - 1) + [False]
    return read


def merged(parts: list[dict[str, Any]]) -> Any:
    """The data as a client puts them together, and all errors."""
    data, errors = parts[0]["data"], []
    pending: dict[str, list[Any]] = {}
    for part in parts:
        errors += part.get("errors", [])
        pending |= {one["id"]: one["path"] for one in part.get("pending", [])}
        for one in part.get("incremental", []):
            errors += one.get("errors", [])
            at = data
            for step in [*pending[one["id"]], *one.get("subPath", [])]:
                at = at[step]
            _merge(at, one["data"])
        for one in part.get("completed", []):
            errors += one.get("errors", [])
            del pending[one["id"]]
    assert not pending
    return data, errors


def _merge(into: dict[str, Any], new: Mapping[str, Any]) -> None:
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


async def ask(portal: Portal, query: str, *, by: str | None = ANA, accept: str = ACCEPT) -> Any:
    headers = {"accept-language": "es", "accept": accept}
    if by is not None:
        token = portal.gateway.tokens.issue(by)
        headers["authorization"] = f"Bearer {token}"
        await portal.gateway.callers.caller(portal.gateway.tokens.check(token))
    portal.recorder.calls.clear()
    return await portal.client.post("/graphql", json={"query": query}, headers=headers)


async def test_parts_put_together_are_the_whole_answer(database: Path, keys: Path) -> None:
    async with opened(database, keys, tables=ON) as portal:
        answer = await ask(portal, QUERY)
        in_parts = [call.system for call in portal.recorder.calls]
    assert answer.headers["content-type"].startswith('multipart/mixed; boundary="-"')
    read = parts_of(answer.text)
    assert len(read) > 2
    assert read[0]["data"]["cases"]["nodes"][0].keys() == {"id", "number"}
    data, errors = merged(read)
    async with opened(database, keys, tables=ON) as portal:
        whole = (await ask(portal, QUERY, accept="application/json")).json()
        at_once = [call.system for call in portal.recorder.calls]
    assert (data, errors) == (whole["data"], [])
    assert sorted(in_parts) == sorted(at_once) == ["crm", "crm", "erp"]


async def test_what_is_off_is_not_there(portal: Portal) -> None:
    answer = await ask(portal, QUERY)
    assert answer.status_code == 400
    assert {one["message"] for one in answer.json()["errors"]} == {"Unknown directive '@defer'."}
    assert portal.recorder.calls == []


@pytest.mark.parametrize(
    "accept",
    ["application/json", "multipart/mixed, application/json", "*/*", "text/event-stream",
     "multipart/mixed;deferSpec=20220824,application/json",
     "multipart/mixed;incrementalSpec=v0.2;q=0, application/json"],
)  # fmt: skip
async def test_who_reads_no_parts_gets_all_at_once(deferring: Portal, accept: str) -> None:
    answer = await ask(deferring, SLOW, accept=accept)
    text = answer.text.partition("data: ")[2].split("\n")[0] or answer.text
    data = json.loads(text)["data"]
    assert data["viewer"] == {"name": "Ana Torres"}
    assert len(data["orders"]["nodes"]) == 2


async def test_what_the_record_has_comes_with_the_first_question(deferring: Portal) -> None:
    answer = await ask(deferring, "{ cases(first: 2) { nodes { id ... @defer { subject } } } }")
    data, _ = merged(parts_of(answer.text))
    assert all(case["subject"] for case in data["cases"]["nodes"])
    assert [call.system for call in deferring.recorder.calls] == ["crm"]


async def test_a_document_may_be_told_by_its_hash(deferring: Portal) -> None:
    digest = hashlib.sha256(SLOW.encode()).hexdigest()
    named = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}
    token = deferring.gateway.tokens.issue(ANA)
    headers = {"accept": ACCEPT, "authorization": f"Bearer {token}"}
    unknown = await deferring.client.post("/graphql", json=named, headers=headers)
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    for body in ({**named, "query": SLOW}, named):
        answer = await deferring.client.post("/graphql", json=body, headers=headers)
        data, errors = merged(parts_of(answer.text))
        assert (len(data["orders"]["nodes"]), errors) == (2, [])


async def test_who_hears_the_cost_gets_all_at_once(deferring: Portal) -> None:
    headers = {"accept": ACCEPT, "portal-cost": "1"}
    query = "{ ... @defer { faqs(first: 1) { nodes { id } } } }"
    answer = await deferring.client.post("/graphql", json={"query": query}, headers=headers)
    assert answer.json()["extensions"]["cost"]["requested"] > 0
    assert len(answer.json()["data"]["faqs"]["nodes"]) == 1


async def test_what_nobody_foresaw_is_masked_in_a_later_part(
    deferring: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(deferring.gateway.sources.orders, "find_orders", fail, raising=False)
    answer = await ask(deferring, SLOW)
    data, (error,) = merged(parts_of(answer.text))
    assert data == {"viewer": {"name": "Ana Torres"}, "orders": None}
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["errorId"] in error["message"]
    assert error["path"] == ["orders"]
    assert SECRET not in answer.text


async def test_a_system_that_is_down_is_told_in_a_later_part(deferring: Portal) -> None:
    deferring.faults.erp.arm("status", 503)
    answer = await ask(deferring, SLOW)
    data, (error,) = merged(read := parts_of(answer.text))
    assert data == {"viewer": {"name": "Ana Torres"}, "orders": None}
    assert error["extensions"]["code"] == "SOURCE_UNAVAILABLE"
    assert "errors" not in read[0]
    (source,) = read[-1]["extensions"]["sources"]
    assert (source["name"], source["status"]) == ("erp", "SOURCE_UNAVAILABLE")


@pytest.mark.parametrize("by", [None, LUIS])
async def test_a_later_part_is_held_to_who_asks(deferring: Portal, by: str | None) -> None:
    plain = "{ cases(first: 1) { nodes { number id } } }"
    theirs = (await ask(deferring, plain)).json()["data"]["cases"]["nodes"][0]
    query = f"""{{ faqs(first: 1) {{ nodes {{ question }} }} ... @defer {{
      cases(first: 50) {{ nodes {{ number }} }}
      case(by: {{number: "{theirs["number"]}"}}) {{ subject }}
      node(id: "{theirs["id"]}") {{ ... on Case {{ subject }} }} }} }}"""
    answer = await ask(deferring, query, by=by)
    data, errors = merged(parts_of(answer.text))
    assert data["faqs"]["nodes"]
    assert data["case"] is None
    assert data["node"] is None
    if by is None:
        refused = {(error["path"][0], error["extensions"]["code"]) for error in errors}
        assert refused == {(name, "UNAUTHENTICATED") for name in ("cases", "case", "node")}
        assert all(call.system == "site" for call in deferring.recorder.calls)
    else:
        whole = (await ask(deferring, query, by=by, accept="application/json")).json()
        assert data == whole["data"]
        assert theirs["number"] not in [one["number"] for one in data["cases"]["nodes"]]


@pytest.mark.parametrize(("limit", "value"), [("_MOST", 5), ("_MOST_DEFERRALS", 1)])
async def test_more_parts_than_are_worth_it_come_at_once(
    deferring: Portal, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(operation_parts, limit, value)
    answer = await ask(deferring, QUERY)
    assert answer.headers["content-type"].startswith("application/graphql-response+json")
    assert len(answer.json()["data"]["cases"]["nodes"]) == 3


async def test_limits_and_mistakes_come_as_ever(deferring: Portal) -> None:
    large = (
        "{ ... @defer { " + " ".join(f"a{n}: faqs {{ nodes {{ id }} }}" for n in range(61)) + " } }"
    )
    refused = await ask(deferring, large)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    wrong = await ask(deferring, "{ ... @defer { nothing } }")
    assert wrong.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    never = await ask(deferring, "{ viewer { name } ... @defer(if: false) { __typename } }")
    assert never.json() == {"data": {"viewer": {"name": "Ana Torres"}, "__typename": "Query"}}


async def test_a_mutation_is_answered_at_once(deferring: Portal) -> None:
    mutation = """mutation { requestPasswordReset(input: {email: "a@b.example"}) {
      ... @defer { message } } }"""
    answer = await ask(deferring, mutation, by=None)
    assert answer.json()["data"]["requestPasswordReset"]["message"]


class Hanging:
    """An ERP that never answers."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def __call__(self, *_: object, **__: object) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.fixture
def hanging(deferring: Portal, monkeypatch: pytest.MonkeyPatch) -> Hanging:
    found = Hanging()
    monkeypatch.setattr(deferring.gateway.sources.orders, "find_orders", found, raising=False)
    return found


@pytest.mark.parametrize("when", ["after_the_first_part", "before", "during_a_write"])
async def test_a_client_that_leaves_ends_the_work(
    deferring: Portal, hanging: Hanging, when: str
) -> None:
    sent: list[dict[str, Any]] = []
    gone = asyncio.Event()
    query = QUERY if when == "during_a_write" else SLOW
    body = json.dumps({"query": query}).encode()
    asked = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if asked:
            if when == "before":
                gone.set()
            return asked.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if when == "during_a_write" and len(sent) == 2:
            gone.set()
            raise OSError("broken pipe")

    token = deferring.gateway.tokens.issue(ANA)
    headers = [("content-type", "application/json"), ("accept", ACCEPT), ("host", "portal.example")]
    headers.append(("authorization", f"Bearer {token}"))
    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql",
        "query_string": b"", "scheme": "http", "http_version": "1.1", "root_path": "",
        "server": ("portal.example", 80), "client": ("127.0.0.1", 4000), "asgi": {"version": "3.0"},
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }  # fmt: skip
    before = asyncio.all_tasks()
    serving = asyncio.ensure_future(deferring.gateway.app(scope, receive, send))
    if when == "after_the_first_part":
        await asyncio.wait_for(hanging.begun.wait(), 10)
        gone.set()
    await asyncio.wait_for(serving, 10)
    assert hanging.ended.is_set() == hanging.begun.is_set()
    left = asyncio.all_tasks() - before  # a connection to the database may still be on its way back
    if left:
        _, left = await asyncio.wait(left, timeout=10)
    assert not left
    assert not any(message.get("more_body") is False for message in sent)


async def test_parts_that_take_too_long_end_with_an_error(
    deferring: Portal, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_parts, "SECONDS", 0.3)
    answer = await ask(deferring, SLOW)
    first, end = parts_of(answer.text)
    assert first["data"] == {"viewer": {"name": "Ana Torres"}}
    assert end["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert hanging.ended.is_set()


async def test_what_breaks_between_parts_is_masked(
    deferring: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(operation_parts.InParts, "_part", fail)
    answer = await ask(deferring, SLOW)
    _, end = parts_of(answer.text)
    assert end["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert SECRET not in answer.text
