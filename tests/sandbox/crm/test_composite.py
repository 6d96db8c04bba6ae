"""Many calls in one: inner statuses, references, limits, all or none, and a part that fails."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from sandbox.database import Database
from sandbox.faults import Faults

pytestmark = pytest.mark.anyio

ROOT = "/services/data/v60.0"
ANA = "003SB00000ANATQAA1"


def query(name: str, statement: str) -> dict[str, Any]:
    return {"method": "GET", "url": f"{ROOT}/query?q={quote(statement)}", "referenceId": name}


async def send(client: httpx.AsyncClient, *parts: dict[str, Any], **more: Any) -> httpx.Response:
    return await client.post("/composite", json={"compositeRequest": list(parts), **more})


async def answers(
    client: httpx.AsyncClient, *parts: dict[str, Any], **more: Any
) -> list[dict[str, Any]]:
    response = await send(client, *parts, **more)
    assert response.status_code == 200
    found: list[dict[str, Any]] = response.json()["compositeResponse"]
    return found


async def test_each_part_has_its_own_status(client: httpx.AsyncClient) -> None:
    found = await answers(
        client,
        query("good", "SELECT Name FROM Account WHERE Name LIKE 'Andina%'"),
        query("bad", "SELECT Foo FROM Case"),
        {"method": "GET", "url": f"{ROOT}/sobjects/Contact/{ANA}?fields=Name", "referenceId": "r"},
    )
    assert [(one["referenceId"], one["httpStatusCode"]) for one in found] == [
        ("good", 200),
        ("bad", 400),
        ("r", 200),
    ]
    assert found[0]["body"]["records"][0]["Name"] == "Andina Construcciones S.A.S."
    assert found[1]["body"][0]["errorCode"] == "INVALID_FIELD"
    assert found[2]["body"]["Name"] == "Ana Torres"


async def test_it_counts_as_one_call_and_a_batch_as_many(client: httpx.AsyncClient) -> None:
    parts = [query(f"q{at}", "SELECT COUNT() FROM Case") for at in range(5)]
    response = await send(client, *parts)
    assert response.headers["Sforce-Limit-Info"] == "api-usage=1/15000"
    batch = {"batchRequests": [{"method": "GET", "url": "v60.0/limits"}] * 3}
    response = await client.post("/composite/batch", json=batch)
    assert response.headers["Sforce-Limit-Info"] == "api-usage=4/15000"
    assert response.json()["hasErrors"] is False
    assert [one["statusCode"] for one in response.json()["results"]] == [200] * 3


async def test_a_part_may_refer_to_an_earlier_answer(client: httpx.AsyncClient) -> None:
    found = await answers(
        client,
        query("ana", "SELECT Id, AccountId, Name FROM Contact WHERE FirstName = 'Diego'"),
        {
            "method": "GET",
            "url": f"{ROOT}/sobjects/Account/@{{ana.records[0].AccountId}}?fields=Name",
            "referenceId": "account",
        },
        {
            "method": "GET",
            "url": f"{ROOT}/query?q=SELECT+Id+FROM+Contact+WHERE+AccountId="
            "'@{ana.records[0].AccountId}'",
            "referenceId": "people",
        },
        {"method": "GET", "url": f"{ROOT}/sobjects/Account/@{{ana.none}}", "referenceId": "lost"},
    )
    assert found[1]["body"]["Name"] == "Plata Construcción en Seco S.A."
    assert found[2]["body"]["totalSize"] == 2
    assert found[3]["httpStatusCode"] == 400
    assert found[3]["body"][0]["errorCode"] == "PROCESSING_HALTED"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([query(f"q{at}", "SELECT COUNT() FROM Case") for at in range(6)], "LIMIT_EXCEEDED"),
        (
            [
                {"method": "GET", "url": f"{ROOT}/limits", "referenceId": f"q{at}"}
                for at in range(26)
            ],
            "LIMIT_EXCEEDED",
        ),
        ([], "LIMIT_EXCEEDED"),
        ([query("a-b", "SELECT Id FROM Case")], "JSON_PARSER_ERROR"),
        ([query("a", "SELECT Id FROM Case")] * 2, "JSON_PARSER_ERROR"),
    ],
)
async def test_limits_refuse_the_whole(
    client: httpx.AsyncClient, parts: list[dict[str, Any]], code: str
) -> None:
    response = await send(client, *parts)
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, code)


@pytest.mark.parametrize(
    "part",
    [
        {"method": "GET", "url": "/elsewhere", "referenceId": "a"},
        {"method": "GET", "url": 5, "referenceId": "a"},
        {"method": "GET", "url": "http://[bad/services/data/v60.0", "referenceId": "a"},
        {"method": "FETCH", "url": f"{ROOT}/limits", "referenceId": "a"},
        {"method": "POST", "url": f"{ROOT}/composite", "referenceId": "a"},
        {
            "method": "GET",
            "url": f"{ROOT}/sobjects/ContentVersion/068SB0000000001/VersionData",
            "referenceId": "a",
        },
    ],
)
async def test_a_part_that_cannot_be_run_fails_alone(
    client: httpx.AsyncClient, part: dict[str, Any]
) -> None:
    found = await answers(client, part, query("b", "SELECT COUNT() FROM Case"))
    assert found[0]["httpStatusCode"] in (400, 404)
    assert found[1]["httpStatusCode"] == 200


async def test_a_body_nested_too_deeply_fails_alone(client: httpx.AsyncClient) -> None:
    body = f'{{"Subject":{"[" * 900}{"]" * 900}}}'
    part = f'{{"method":"POST","url":"{ROOT}/sobjects/Case","referenceId":"a","body":{body}}}'
    response = await client.post(
        "/composite",
        content=f'{{"compositeRequest":[{part}]}}',
        headers={"Content-Type": "application/json"},
    )
    assert response.json()["compositeResponse"][0]["httpStatusCode"] == 400


async def test_what_a_query_found_is_written_on_and_nothing_else(client: httpx.AsyncClient) -> None:
    close = {
        "method": "PATCH",
        "url": "/services/data/v60.0/sobjects/Case/@{q.records[0].Id}",
        "referenceId": "close",
        "body": {"Status": "Closed"},
    }
    one = query("q", "SELECT Id FROM Case WHERE CaseNumber = '00001001'")
    statuses = [part["httpStatusCode"] for part in await answers(client, one, close)]
    assert statuses == [200, 204]
    none = query("q", "SELECT Id FROM Case WHERE CaseNumber = 'x'")
    parts = await answers(client, none, close)
    assert [part["httpStatusCode"] for part in parts] == [200, 400]
    assert parts[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"


async def test_the_partial_fault_breaks_one_part(client: httpx.AsyncClient, faults: Faults) -> None:
    faults.fail("crm=partialx1")
    parts = [query(f"q{at}", "SELECT COUNT() FROM Case") for at in range(3)]
    assert [one["httpStatusCode"] for one in await answers(client, *parts)] == [200, 200, 500]
    assert [one["httpStatusCode"] for one in await answers(client, *parts)] == [200, 200, 200]


def new_case(key: str, **body: Any) -> dict[str, Any]:
    url = f"{ROOT}/sobjects/Case/Portal_Key__c/{key}"
    return {"method": "PATCH", "url": url, "referenceId": "case", "body": body}


def new_comment(body: str) -> dict[str, Any]:
    values = {"ParentId": "@{case.id}", "CommentBody": body, "IsPublished": True}
    url = f"{ROOT}/sobjects/CaseComment"
    return {"method": "POST", "url": url, "referenceId": "comment", "body": values}


async def test_all_or_none_leaves_nothing_behind(
    client: httpx.AsyncClient, database: Database
) -> None:
    def cases() -> int:
        row = database.row("SELECT count(*) FROM crm_Case")
        return int(row[0])

    before = cases()
    parts = (new_case("k1", Subject="Uno"), new_comment("ñ" * 2_001))
    failed = await answers(client, *parts, allOrNone=True)
    assert [one["httpStatusCode"] for one in failed] == [400, 400]
    assert failed[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert failed[1]["body"][0] == {
        "message": failed[1]["body"][0]["message"],
        "errorCode": "STRING_TOO_LONG",
        "fields": ["CommentBody"],
    }
    assert cases() == before
    parts = (new_case("k1", Subject="Uno"), new_comment("ñ" * 2_000))
    done = await answers(client, *parts, allOrNone=True)
    assert [one["httpStatusCode"] for one in done] == [201, 201]
    assert done[0]["httpHeaders"]["Location"].endswith(done[0]["body"]["id"])
    assert cases() == before + 1
    parent = database.row(
        "SELECT ParentId FROM crm_CaseComment WHERE Id = ?", (done[1]["body"]["id"],)
    )
    assert parent == (done[0]["body"]["id"],)
