"""The wire: what travels together, what is read on, and what each failure is called."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from connectors.kit.connector import Call
from connectors.port.errors import (
    Refused,
    Rejected,
    SourceError,
    Throttled,
    Unavailable,
    Unreadable,
)
from connectors.systems.salesforce.answers import Reading
from connectors.systems.salesforce.client import Client, Usage
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.soql import ID, Column, Count, Select, columns
from tests.connectors.salesforce.fake_org import ROOT, URL, Org, example, found, settings

pytestmark = pytest.mark.anyio

MAINTENANCE = "<html><body>We are down for maintenance.</body></html>"
ERRORS = example("errors")
ID_ROW = msgspec.defstruct("Row", [("id", str)], rename={"id": "Id"})


def by(value: str, operation: str = "Case") -> Select:
    return Select(operation, columns(["Id"]), Column("Name").equals(value))


def error(status: int, name: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=ERRORS[name], headers=headers)


async def test_a_query_alone_is_a_get() -> None:
    org = Org(lambda soql: found({"Id": "1"}))
    client = org.client()
    (row,) = await client.rows("find", by("O'Brien + 100% \\ ñ"))
    assert row == Row({"Id": "1"}, "crm", "find")
    (call,) = org.calls
    assert call.method == "GET"
    assert call.url.path == f"{ROOT}/query"
    assert call.headers["authorization"] == "Bearer token-1"
    assert org.queries == ["SELECT Id FROM Case WHERE Name = 'O\\'Brien + 100% \\\\ ñ'"]
    assert org.logins == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["id"],
            "client_secret": ["s3cret-value"],
        }
    ]
    await client.close()


async def test_the_queries_of_one_tick_are_one_call() -> None:
    org = Org(lambda soql: found({"Id": soql}))
    client = org.client()
    answers = await asyncio.gather(
        *(client.rows("one", by(str(n))) for n in range(4)), client.count("two", Count("Case"))
    )
    (call,) = org.calls
    assert (call.method, call.url.path) == ("POST", f"{ROOT}/composite")
    sent = json.loads(call.content)
    assert sent["allOrNone"] is False
    assert sent["collateSubrequests"] is False
    assert [part["referenceId"] for part in sent["compositeRequest"]] == [f"q{n}" for n in range(5)]
    rows = [answer for answer in answers if isinstance(answer, list)]
    assert [row.data["Id"] for (row,) in rows] == org.queries[:4]
    assert answers[4] == 1


async def test_a_call_carries_five_queries_at_most_and_equal_ones_once() -> None:
    org = Org()
    client = org.client()
    await asyncio.gather(*(client.rows("one", by(str(n % 6))) for n in range(12)))
    assert len(org.queries) == 6
    assert sorted(call.url.path for call in org.calls) == [f"{ROOT}/composite", f"{ROOT}/query"]


async def test_without_composite_each_query_is_a_call() -> None:
    org = Org()
    client = org.client(composite=False)
    await asyncio.gather(*(client.rows("one", by(str(n))) for n in range(3)))
    assert [call.url.path for call in org.calls] == [f"{ROOT}/query"] * 3


async def test_a_long_query_travels_in_a_body() -> None:
    org = Org(lambda soql: found({"Id": "1"}))
    client = org.client()
    ids = [f"500SB{n:010d}AAA" for n in range(600)]
    (row,) = await client.rows("find", Select("Case", columns(["Id"]), ID.one_of(ids)))
    (call,) = org.calls
    assert (call.method, call.url.path) == ("POST", f"{ROOT}/composite")
    assert ids[-1] in org.queries[0]
    assert row.data["Id"] == "1"


async def test_each_part_of_a_call_has_its_own_failure() -> None:
    def answers(soql: str) -> Any:
        failing = {
            "'column'": (400, ERRORS["column"]),
            "'quota'": (403, ERRORS["quota"]),
            "'busy'": (503, ERRORS["busy"]),
            "'shape'": (200, {"records": "none"}),
        }
        return next((answer for name, answer in failing.items() if name in soql), found())

    org = Org(answers)
    client = org.client()
    names = ["column", "fine", "quota", "busy", "shape"]
    outcomes = await asyncio.gather(
        *(client.rows(f"ask_{name}", by(name)) for name in names), return_exceptions=True
    )
    assert len(org.calls) == 1
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Rejected, list, Throttled, Unavailable, Unreadable]
    rejected = outcomes[0]
    assert isinstance(rejected, Rejected)
    assert rejected.field == "team"
    assert rejected.message.startswith("ask_column: ")
    assert "No such column" in (rejected.detail or "")
    assert "Team__c" not in str(rejected)


async def test_a_part_that_is_left_out_is_unreadable() -> None:
    part = {"body": found(), "httpHeaders": {}, "httpStatusCode": 200, "referenceId": "q1"}
    org = Org(before=[httpx.Response(200, json={"compositeResponse": [part]})])
    client = org.client()
    outcomes = await asyncio.gather(
        client.rows("first", by("1")), client.rows("second", by("2")), return_exceptions=True
    )
    assert isinstance(outcomes[0], Unreadable)
    assert outcomes[1] == []


async def _asked(org: Org, names: list[str], reading: Reading | None) -> list[Any]:
    client = org.client()
    asked = (client.pages("ask", [by(name)], reading) for name in names)
    found: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
    return found


async def test_rows_that_are_known_are_decoded_with_their_answers() -> None:
    org = Org(lambda soql: found({"Id": soql[-2:]}))
    reading = Reading(ID_ROW)
    assert await _asked(org, ["1"], reading) == [[[ID_ROW("1'")]]]
    assert await _asked(org, ["1", "2"], reading) == [[[ID_ROW("1'")]], [[ID_ROW("2'")]]]
    # Beside a question without, or with another one, each part is still read as its own.
    client = org.client()
    known, other = client.pages("a", [by("1")], reading), client.pages("b", [by("2")])
    (rows,), (unread,) = await asyncio.gather(known, other)
    assert rows == [ID_ROW("1'")]
    assert isinstance(unread, msgspec.Raw)
    assert client.read("a", [rows, unread]) == [
        Row({"Id": "1'"}, "crm", "a"),
        Row({"Id": "2'"}, "crm", "a"),
    ]
    assert [call.url.path.rpartition("/")[2] for call in org.calls] == [
        *("query", "composite", "composite"),
    ]


async def test_a_count_is_read_with_the_rows_beside_it() -> None:
    org = Org(lambda soql: {**found({"Id": "x"}), "totalSize": 7} if "'1'" in soql else counted)
    counted = {"totalSize": 7, "done": True, "records": []}
    client, reading = org.client(), Reading(ID_ROW)
    asked = client.pages("a", [by("1")], reading), client.count("a", Count("Case"))
    assert await asyncio.gather(*asked) == [[[ID_ROW("x")]], 7]
    two = [client.count("a", Count("Case", Column("Name").equals(str(n)))) for n in (2, 3)]
    assert await asyncio.gather(*two, client.count("a", Count("Contact"))) == [7, 7, 7]
    del counted["records"]
    assert await client.count("a", Count("Case")) == 7
    asked = client.pages("a", [by("1")], reading), client.count("a", Count("Case"))
    assert await asyncio.gather(*asked) == [[[ID_ROW("x")]], 7]
    assert len(org.calls) == 4


async def test_a_part_that_is_not_as_known_leaves_the_others_as_they_are() -> None:
    def answers(soql: str) -> Any:
        wrong = {"'number'": found({"Id": 1}), "'busy'": (503, ERRORS["busy"]), "'none'": [1]}
        return next((one for name, one in wrong.items() if name in soql), found({"Id": "x"}))

    org = Org(answers)
    fine, number, busy, none = await _asked(
        org, ["fine", "number", "busy", "none"], Reading(ID_ROW)
    )
    assert len(org.calls) == 1
    assert fine == [[ID_ROW("x")]]
    assert [msgspec.json.decode(page) for page in number] == [[{"Id": 1}]]
    assert [type(busy), type(none)] == [Unavailable, Unreadable]
    part = {"body": found(), "httpHeaders": {}, "httpStatusCode": 200, "referenceId": "q1"}
    short = Org(before=[httpx.Response(200, json={"compositeResponse": [part]})])
    missing, there = await _asked(short, ["1", "2"], Reading(ID_ROW))
    assert isinstance(missing, Unreadable)
    assert there == [[]]


async def test_an_answer_in_a_part_that_failed_is_none() -> None:
    parts = [
        {"body": found(), "httpHeaders": {}, "httpStatusCode": status, "referenceId": reference}
        for status, reference in ((503, "q0"), (200, "q1"))
    ]
    org = Org(before=[httpx.Response(200, json={"compositeResponse": parts})])
    failed, fine = await _asked(org, ["1", "2"], Reading(ID_ROW))
    assert isinstance(failed, Unavailable)
    assert fine == [[]]


async def test_long_answers_are_read_on() -> None:
    more = f"{ROOT}/query/01gD0000002HU6KIAW-"
    first = {
        "totalSize": 5,
        "done": False,
        "nextRecordsUrl": more + "2000",
        "records": [{"Id": "1"}],
    }
    org = Org(lambda soql: first)
    org.pages = {
        more + "2000": {**first, "nextRecordsUrl": more + "4000", "records": [{"Id": "2"}]},
        more + "4000": found({"Id": "3"}),
    }
    rows = await org.client().rows("find", by("x"))
    assert [row.data["Id"] for row in rows] == ["1", "2", "3"]
    assert len(org.calls) == 3
    assert await _asked(org, ["x"], Reading(ID_ROW)) == [
        [[ID_ROW("1")], [ID_ROW("2")], [ID_ROW("3")]]
    ]


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "https://evil.example/services/data/v60.0/query/x-1",
        "//evil.example/x",
        f"{ROOT}/limits",
    ],
)
async def test_a_token_goes_nowhere_but_to_a_cursor(url: str | None) -> None:
    org = Org(lambda soql: {**found(), "done": False, "nextRecordsUrl": url})
    with pytest.raises(Unreadable, match="does not end"):
        await org.client().rows("find", by("x"))
    assert len(org.calls) == 1


async def test_an_answer_without_end_is_given_up() -> None:
    url = f"{ROOT}/query/01gD-2000"
    page = {"totalSize": 9, "done": False, "nextRecordsUrl": url, "records": []}
    org = Org(lambda soql: page, pages={url: page})
    with pytest.raises(Unreadable, match="does not end"):
        await org.client().rows("find", by("x"))
    assert len(org.calls) == 26


async def test_a_child_query_that_found_nothing_is_null() -> None:
    client = Org().client()
    assert await client.children(Row({"Kids": None}, "crm", "find"), "Kids") == []
    nested = {"totalSize": 1, "done": True, "records": [{"Id": "1"}]}
    (child,) = await client.children(Row({"Kids": nested}, "crm", "find"), "Kids")
    assert child.data == {"Id": "1"}
    with pytest.raises(Unreadable, match="Kids"):
        await client.children(Row({"Kids": []}, "crm", "find"), "Kids")
    with pytest.raises(Unreadable, match="lacks Kids"):
        await client.children(Row({}, "crm", "find"), "Kids")


async def test_an_expired_session_is_renewed_once() -> None:
    org = Org(before=[error(401, "expired")])
    assert await org.client().rows("find", by("x")) == []
    assert org.shown == ["Bearer token-1", "Bearer token-2"]
    org = Org(before=[error(401, "expired") for _ in range(3)])
    with pytest.raises(Refused):
        await org.client().rows("find", by("x"))
    assert len(org.calls) == 2


async def test_many_callers_log_in_once() -> None:
    org = Org()
    client = org.client()
    await asyncio.gather(*(client.rows("find", by(str(n))) for n in range(23)))
    assert len(org.calls) == 5
    assert len(org.logins) == 1


async def test_a_used_up_quota_is_told_and_not_tried_again() -> None:
    org = Org(before=[error(403, "quota", **{"sforce-limit-info": "api-usage=5000/5000"})])
    client = org.client(quota_retry_after=900.0)
    with pytest.raises(Throttled) as caught:
        await client.rows("find", by("x"))
    assert caught.value.retry_after == 900
    assert caught.value.retryable
    assert client.usage == Usage(5000, 5000)
    assert len(org.calls) == 1


@pytest.mark.parametrize(
    ("answers", "kind", "calls"),
    [
        ([error(400, "malformed")], Rejected, 1),
        ([error(400, "column")], Rejected, 1),
        ([error(403, "access")], Refused, 1),
        ([error(503, "busy")] * 3, Unavailable, 3),
        ([httpx.Response(503, html=MAINTENANCE)] * 3, Unavailable, 3),
        ([httpx.Response(200, html=MAINTENANCE)], Unreadable, 1),
        ([httpx.Response(403, html=MAINTENANCE)], Refused, 1),
        (
            [httpx.Response(200, content=b"{", headers={"content-type": "application/json"})],
            Unreadable,
            1,
        ),
        ([httpx.Response(200, json={"done": True})], Unreadable, 1),
        ([httpx.Response(400, json={"unheard": "of"})], Rejected, 1),
        ([httpx.Response(414)], Rejected, 1),
    ],
)
async def test_failures_have_their_names(
    answers: list[httpx.Response], kind: type[SourceError], calls: int
) -> None:
    org = Org(before=list(answers))
    with pytest.raises(kind) as caught:
        await org.client().rows("find", by("x"))
    assert caught.value.source == "crm"
    assert caught.value.message.startswith("find")
    assert len(org.calls) == calls


async def test_a_passing_failure_passes() -> None:
    org = Org(lambda soql: found({"Id": "1"}), before=[error(503, "busy"), error(503, "busy")])
    assert len(await org.client().rows("find", by("x"))) == 1


@pytest.mark.parametrize(
    ("login", "kind"),
    [
        (httpx.Response(400, json=ERRORS["grant"]), Refused),
        (httpx.Response(401, json={"error": "invalid_client"}), Refused),
        (httpx.Response(400, json={"error": "s3cret-value echoed"}), Refused),
        (httpx.Response(400, json=["s3cret-value"]), Refused),
        (httpx.Response(400, json={"error": "rate_limit_exceeded"}), Throttled),
        (httpx.Response(503, json={"error": "s3cret-value"}), Unavailable),
        (httpx.Response(200, json={"token": "s3cret-value"}), Unreadable),
        (httpx.Response(200, json={"access_token": ""}), Unreadable),
    ],
)
async def test_a_login_that_fails_tells_no_secret(
    login: httpx.Response, kind: type[SourceError]
) -> None:
    org = Org(login=login)
    client = org.client()
    with pytest.raises(kind) as caught:
        await client.rows("find", by("x"))
    shown = f"{caught.value!r} {caught.value} {caught.value.detail} {vars(caught.value)}"
    assert "s3cret-value" not in shown
    assert org.calls == []
    # A login changes nothing, so it is tried again where that can help.
    assert len(org.logins) == (3 if kind is Unavailable else 1)
    assert "s3cret-value" not in repr(vars(client))


async def test_an_assertion_logs_in_without_a_shared_secret() -> None:
    key = RSAKey.generate_key(2048)
    login = {
        "grant": "jwt_bearer",
        "client_id": "consumer",
        "user": "integration@acme.example",
        "private_key": key.as_pem(private=True).decode(),
        "url": "https://login.salesforce.com",
    }
    org = Org()
    hosts: list[str] = []
    handle = org.handle

    def noting(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return handle(request)

    # joserfc checks the claims against the real time.
    now = datetime.now(UTC)
    wiring = replace(org.wiring, transport=httpx.MockTransport(noting), clock=lambda: now)
    client = Client("crm", settings(login=login), wiring)
    await client.check()
    assert hosts == ["login.salesforce.com", "acme.my.salesforce.com"]
    (form,) = org.logins
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    token = jwt.decode(form["assertion"][0], key, algorithms=["RS256"])
    assert token.header["alg"] == "RS256"
    assert token.claims == {
        "iss": "consumer",
        "sub": "integration@acme.example",
        "aud": "https://login.salesforce.com",
        "exp": int(now.timestamp()) + 120,
    }
    assert "PRIVATE KEY" not in repr(client.__dict__)


async def test_check_is_one_cheap_call_that_tells_the_usage() -> None:
    org = Org()
    client = org.client()
    assert repr(client.usage) == "None"
    await client.check()
    assert [call.url for call in org.calls] == [URL + ROOT + "/limits"]
    assert client.usage == Usage(1, 5000)
    org.before = [httpx.Response(503, html=MAINTENANCE)] * 3
    with pytest.raises(Unavailable):
        await client.check()


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=18/5000", Usage(18, 5000)),
        ("per-app-api-usage=17/250(appName=portal); api-usage=25/5000", Usage(25, 5000)),
        ("per-app-api-usage=17/250(appName=portal)", None),
        ("api-usage=x/5000", None),
    ],
)
async def test_usage_is_read_from_each_answer(header: str, usage: Usage | None) -> None:
    answer = httpx.Response(200, json=found(), headers={"sforce-limit-info": header})
    client = Org(before=[answer]).client()
    await client.rows("find", by("x"))
    assert client.usage == usage


async def test_a_call_is_told_by_the_operations_it_carries() -> None:
    heard: list[Call] = []
    org = Org()
    client = Client("crm", settings(), replace(org.wiring, heard=heard.append))
    await asyncio.gather(client.rows("cases", by("1")), client.rows("comments", by("2")))
    assert [call.operation for call in heard] == ["login", "cases+comments"]
    assert {call.source for call in heard} == {"crm"}
