"""What callers change in the CRM: what is kept, what is made up for them, and what is refused."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.database import Database
from sandbox.faults import Faults

pytestmark = pytest.mark.anyio

ANA, ANDINA = "003SB00000ANATQAA1", "001SB00000ANDNAQA1"
CASE = "500SB0000000001YAA"


def error(response: httpx.Response) -> tuple[int, str, list[str]]:
    [found] = response.json()
    return response.status_code, found["errorCode"], found.get("fields", [])


async def test_a_new_case_gets_number_dates_and_state(client: httpx.AsyncClient) -> None:
    body = {"Subject": "¿Dónde está?", "Type": "Query", "AccountId": ANDINA, "ContactId": ANA}
    created = await client.post("/sobjects/Case", json=body)
    assert created.status_code == 201
    assert created.json()["success"] is True
    case = (await client.get(f"/sobjects/Case/{created.json()['id']}")).json()
    assert (case["CaseNumber"], case["Status"], case["IsClosed"]) == ("00001301", "New", False)
    assert case["CreatedDate"] == "2026-03-16T15:30:00.000+0000"
    assert case["Subject"] == "¿Dónde está?"


async def test_a_new_contact_is_related_to_its_account(
    client: httpx.AsyncClient, database: Database
) -> None:
    body = {"FirstName": "Eva", "LastName": "Ríos", "AccountId": ANDINA}
    made = (await client.post("/sobjects/Contact", json=body)).json()["id"]
    sql = "SELECT AccountId, Roles, IsActive, IsDirect FROM crm_AccountContactRelation"
    assert database.rows(f"{sql} WHERE ContactId = ?", (made,)) == [(ANDINA, None, 1, 1)]
    alone = (await client.post("/sobjects/Contact", json={"LastName": "Sola"})).json()["id"]
    assert database.rows(f"{sql} WHERE ContactId = ?", (alone,)) == []


async def test_the_same_key_makes_one_case(client: httpx.AsyncClient) -> None:
    path = "/sobjects/Case/Portal_Key__c/a%2Fb%20c"
    first = await client.patch(path, json={"Subject": "Uno"})
    second = await client.patch(path, json={"Subject": "Dos"})
    assert (first.status_code, first.json()["created"]) == (201, True)
    assert (second.status_code, second.json()["created"]) == (200, False)
    assert first.json()["id"] == second.json()["id"]
    found = (await client.get(path)).json()
    assert (found["Subject"], found["Portal_Key__c"]) == ("Dos", "a/b c")
    twice = await client.post("/sobjects/Case", json={"Portal_Key__c": "A/B C"})
    assert error(twice)[:2] == (400, "DUPLICATE_VALUE")
    only = await client.patch("/sobjects/Case/Portal_Key__c/new?updateOnly=true", json={})
    assert error(only)[:2] == (404, "NOT_FOUND")
    inside = await client.patch(path, json={"Portal_Key__c": "x"})
    assert error(inside) == (400, "INVALID_FIELD", ["Portal_Key__c"])


async def test_each_new_status_is_written_down(client: httpx.AsyncClient) -> None:
    made = (await client.post("/sobjects/Case", json={"Subject": "Uno"})).json()["id"]
    for status in ("Working", "Working", "Closed"):
        await client.patch(f"/sobjects/Case/{made}", json={"Status": status})
    asked = f"SELECT Field, OldValue, NewValue FROM CaseHistory WHERE CaseId = '{made}' ORDER BY Id"
    rows = (await client.get("/query", params={"q": asked})).json()["records"]
    assert [(one["Field"], one["OldValue"], one["NewValue"]) for one in rows] == [
        ("created", None, None),
        ("Status", "New", "Working"),
        ("Status", "Working", "Closed"),
    ]
    by_value = await client.get("/query", params={"q": f"{asked[:-11]} AND NewValue = 'Closed'"})
    assert error(by_value)[1] == "INVALID_FIELD"


async def test_closing_and_reopening_a_case(client: httpx.AsyncClient) -> None:
    path = "/sobjects/Case/500SB0000000001"
    assert (await client.patch(path, json={"Status": "Closed"})).status_code == 204
    closed = (await client.get(path)).json()
    assert (closed["IsClosed"], closed["ClosedDate"]) == (True, closed["LastModifiedDate"])
    await client.patch(path, json={"Status": "Working"})
    opened = (await client.get(path)).json()
    assert (opened["IsClosed"], opened["ClosedDate"]) == (False, None)


@pytest.mark.parametrize(
    ("entity", "body", "expected"),
    [
        ("Case", {"Foo": 1}, (400, "INVALID_FIELD", [])),
        ("Case", {"CaseNumber": "1"}, (400, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CaseNumber"])),
        ("Case", {"Subject": "a" * 256}, (400, "STRING_TOO_LONG", ["Subject"])),
        (
            "Case",
            {"Status": "Lost"},
            (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Status"]),
        ),
        ("Case", {"Status": None}, (400, "REQUIRED_FIELD_MISSING", ["Status"])),
        ("Case", {"AccountId": ANA}, (400, "MALFORMED_ID", ["AccountId"])),
        (
            "Case",
            {"AccountId": "001SB00000zzzzz"},
            (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", []),
        ),
        ("Case", {"Subject": 5}, (400, "JSON_PARSER_ERROR", ["Subject"])),
        ("CaseComment", {"CommentBody": "a"}, (400, "REQUIRED_FIELD_MISSING", ["ParentId"])),
        ("Contact", {"FirstName": "a"}, (400, "REQUIRED_FIELD_MISSING", ["LastName"])),
        ("User", {"Name": "a"}, (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", [])),
        ("ContentVersion", {"Title": "a"}, (400, "REQUIRED_FIELD_MISSING", ["PathOnClient"])),
    ],
)
async def test_what_does_not_fit_is_refused(
    client: httpx.AsyncClient,
    entity: str,
    body: dict[str, Any],
    expected: tuple[int, str, list[str]],
) -> None:
    assert error(await client.post(f"/sobjects/{entity}", json=body)) == expected


async def test_an_unknown_case_cannot_be_changed(client: httpx.AsyncClient) -> None:
    response = await client.patch("/sobjects/Case/500SB0000zzzzzz", json={"Subject": "a"})
    assert error(response)[:2] == (404, "NOT_FOUND")


async def test_a_contact_is_named_by_its_parts(client: httpx.AsyncClient) -> None:
    await client.patch(f"/sobjects/Contact/{ANA}", json={"LastName": "Torres Gil"})
    assert (await client.get(f"/sobjects/Contact/{ANA}")).json()["Name"] == "Ana Torres Gil"


# Holds what looks like the beginning of a boundary.
FILE = bytes(range(256)) + b"\r\n--b"


def multipart(boundary: str = "b1") -> tuple[bytes, dict[str, str]]:
    described = (
        b'{"Title":"Foto","PathOnClient":"foto.JPG","FirstPublishLocationId":"500SB0000000001YAA"}'
    )
    body = b"\r\n".join(
        [
            f"--{boundary}".encode(),
            b'Content-Disposition: form-data; name="entity_content"',
            b"Content-Type: application/json",
            b"",
            described,
            f"--{boundary}".encode(),
            b'Content-Disposition: form-data; name="VersionData"; filename="foto.JPG"',
            b"Content-Type: image/jpeg",
            b"",
            FILE,
            f"--{boundary}--".encode(),
            b"",
        ]
    )
    return body, {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}


async def test_a_file_goes_up_and_comes_down(client: httpx.AsyncClient, database: Database) -> None:
    body, headers = multipart()
    created = await client.post("/sobjects/ContentVersion", content=body, headers=headers)
    assert created.status_code == 201
    version = created.json()["id"]
    down = await client.get(f"/sobjects/ContentVersion/{version}/VersionData")
    assert down.content == FILE
    row = (await client.get(f"/sobjects/ContentVersion/{version}")).json()
    assert (row["Title"], row["FileExtension"], row["ContentSize"]) == ("Foto", "jpg", len(FILE))
    link = database.row(
        "SELECT LinkedEntityId, Visibility FROM crm_ContentDocumentLink "
        "WHERE ContentDocumentId = ?",
        (row["ContentDocumentId"],),
    )
    assert link == ("500SB0000000001YAA", "AllUsers")


async def test_a_small_file_may_be_base64(client: httpx.AsyncClient) -> None:
    body = {"PathOnClient": "a.txt", "VersionData": base64.b64encode(b"hola").decode()}
    created = (await client.post("/sobjects/ContentVersion", json=body)).json()
    down = await client.get(f"/sobjects/ContentVersion/{created['id']}/VersionData")
    assert down.content == b"hola"
    wrong = await client.post("/sobjects/ContentVersion", json={**body, "VersionData": "?"})
    assert error(wrong) == (400, "JSON_PARSER_ERROR", ["VersionData"])


async def test_a_body_cut_short_is_refused(client: httpx.AsyncClient) -> None:
    body, headers = multipart()
    cut = await client.post("/sobjects/ContentVersion", content=body[:200], headers=headers)
    assert error(cut)[:2] == (400, "INVALID_MULTIPART_REQUEST")
    none = await client.post(
        "/sobjects/ContentVersion",
        content=body,
        headers={"Content-Type": "multipart/form-data"},
    )
    assert error(none)[:2] == (400, "INVALID_MULTIPART_REQUEST")


async def test_a_file_and_an_entry_are_kept_once_by_their_keys(client: httpx.AsyncClient) -> None:
    keyed = {"Portal_Key__c": "k-1"}
    file = {"PathOnClient": "a.txt", "VersionData": base64.b64encode(b"hola").decode(), **keyed}
    made = await client.post("/sobjects/ContentVersion", json={**file, "Portal_Contact__c": ANA})
    assert made.status_code == 201
    assert error(await client.post("/sobjects/ContentVersion", json=file))[1] == "DUPLICATE_VALUE"
    asked = "SELECT Portal_Contact__r.Name FROM ContentVersion WHERE Portal_Key__c = 'k-1'"
    [row] = (await client.get("/query", params={"q": asked})).json()["records"]
    assert row["Portal_Contact__r"]["Name"] == "Ana Torres"
    entry = {**keyed, "Case__c": CASE, "Contact__c": ANA, "Comment_Id__c": "x"}
    assert (await client.post("/sobjects/Portal_Entry__c", json=entry)).status_code == 201
    again = await client.post("/sobjects/Portal_Entry__c", json=entry)
    assert error(again)[1] == "DUPLICATE_VALUE"
    asked = "SELECT Case__r.AccountId, Contact__r.Name FROM Portal_Entry__c"
    [row] = (await client.get("/query", params={"q": asked})).json()["records"]
    assert row["Case__r"]["AccountId"].startswith("001")


async def test_a_large_file_goes_up_and_comes_down_in_pieces(client: httpx.AsyncClient) -> None:
    piece = bytes(range(256)) * 4096
    head, _, tail = multipart()[0].partition(FILE)

    async def body() -> AsyncIterator[bytes]:
        yield head
        for _ in range(5):
            yield piece
        yield tail

    headers = multipart()[1]
    made = await client.post("/sobjects/ContentVersion", content=body(), headers=headers)
    version = made.json()["id"]
    down = await client.get(f"/sobjects/ContentVersion/{version}/VersionData")
    assert down.headers["content-length"] == str(5 * len(piece))
    assert down.content == piece * 5
    # As the vendor promises no ranges, none are known.
    part = {"range": "bytes=5-"}
    whole = await client.get(f"/sobjects/ContentVersion/{version}/VersionData", headers=part)
    assert (whole.status_code, len(whole.content)) == (200, 5 * len(piece))


async def test_an_answer_is_lost_after_the_work_is_done(
    client: httpx.AsyncClient, database: Database, faults: Faults
) -> None:
    faults.fail("crm=cutx1")
    asked = {"q": "SELECT count() FROM Case WHERE Portal_Key__c = 'k'"}
    assert (await client.get("/query", params=asked)).json()["totalSize"] == 0
    refused = await client.post("/sobjects/Case", json={"Subject": "x" * 256})
    assert refused.status_code == 400, "what changes nothing is answered"
    lost = await client.patch("/sobjects/Case/Portal_Key__c/k", json={"Subject": "Uno"})
    assert lost.status_code == 502
    assert lost.headers["content-type"].startswith("text/html")
    assert (await client.get("/query", params=asked)).json()["totalSize"] == 1
    again = await client.patch("/sobjects/Case/Portal_Key__c/k", json={"Subject": "Uno"})
    assert again.json()["created"] is False


async def test_a_validation_rule_refuses_what_holds_a_word(
    client: httpx.AsyncClient, faults: Faults
) -> None:
    faults.update({"crm": {"reject": "granizo", "times": 1}})
    assert (await client.post("/sobjects/Case", json={"Subject": "Lluvia"})).status_code == 201
    hail = {"Subject": "Hubo granizo"}
    refused = await client.post("/sobjects/Case", json=hail)
    assert error(refused) == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", [])
    assert (await client.post("/sobjects/Case", json=hail)).status_code == 201
