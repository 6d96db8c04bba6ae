"""The CRM's resources on the wire: tokens, pages, rows, collections, files, limits and refusals."""

import base64
import json
from typing import Any

import httpx
import pytest

from sandbox.database import Database
from sandbox.faults import Faults

ANA, CARLA = "003SB00000ANATQAA1", "003SB00000CARLQAE1"
ANDINA = "001SB00000ANDNAQA1"
CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
}
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NOW_SECONDS = 1_773_675_000  # 2026-03-16T15:30:00Z

pytestmark = pytest.mark.anyio


async def ask(client: httpx.AsyncClient, statement: str, **headers: str) -> httpx.Response:
    return await client.get("/query", params={"q": statement}, headers=headers)


def errors(response: httpx.Response) -> tuple[int, str]:
    [error] = response.json()
    assert set(error) <= {"message", "errorCode", "fields"}
    return response.status_code, error["errorCode"]


def assertion(**changes: Any) -> dict[str, str]:
    claims = {
        "iss": "sandbox-client",
        "sub": "integration@portal.example",
        "aud": "https://login.salesforce.com",
        "exp": NOW_SECONDS + 180,
    }
    parts = ({"alg": "RS256"}, {**claims, **changes})
    encoded = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in parts]
    signed = ".".join([*(one.rstrip("=") for one in encoded), "c2lnbmF0dXJl"])
    return {"grant_type": JWT, "assertion": signed}


async def test_both_grants_give_the_session(stranger: httpx.AsyncClient) -> None:
    first = (await stranger.post("/services/oauth2/token", data=CREDENTIALS)).json()
    assert first["token_type"] == "Bearer"
    assert first["instance_url"] == "http://crm.example"
    assert first["issued_at"] == str(NOW_SECONDS * 1_000)
    second = (await stranger.post("/services/oauth2/token", data=assertion())).json()
    assert second["access_token"] == first["access_token"]
    assert "issued_at" not in second
    basic = base64.b64encode(b"sandbox-client:sandbox-secret").decode()
    third = await stranger.post(
        "/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert third.json()["access_token"] == first["access_token"]


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        (assertion(sub="who@portal.example"), "invalid_grant",
         "user hasn't approved this consumer"),
        (assertion(aud="https://elsewhere.example"), "invalid_grant", "audience is invalid"),
        (assertion(exp=NOW_SECONDS - 1), "invalid_grant", "expired authorization code"),
        (assertion(iss="x"), "invalid_client_id", "client identifier invalid"),
        ({"grant_type": JWT, "assertion": "a.b.c"}, "invalid_grant", "invalid assertion"),
        ({**CREDENTIALS, "client_secret": "x"}, "invalid_client", "invalid client credentials"),
        ({**CREDENTIALS, "client_id": "x"}, "invalid_client_id", "client identifier invalid"),
        ({"grant_type": "password"}, "unsupported_grant_type", "grant type not supported"),
    ],
)  # fmt: skip
async def test_a_wrong_credential_gets_no_token(
    stranger: httpx.AsyncClient, form: dict[str, str], error: str, description: str
) -> None:
    response = await stranger.post("/services/oauth2/token", data=form)
    assert response.status_code == 400
    assert response.json() == {"error": error, "error_description": description}


async def test_versions_are_open_and_data_are_not(stranger: httpx.AsyncClient) -> None:
    listed = (await stranger.get("/services/data/")).json()
    spring = {"label": "Spring '24", "url": "/services/data/v60.0", "version": "60.0"}
    assert spring in listed
    response = await stranger.get("/services/data/v60.0/limits")
    assert errors(response) == (401, "INVALID_SESSION_ID")
    stranger.headers["Authorization"] = "Bearer 00D!stolen"
    response = await stranger.get("/services/data/v60.0/limits")
    assert response.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]


async def test_every_answer_counts_and_says_so(client: httpx.AsyncClient) -> None:
    first = await client.get("/limits")
    second = await ask(client, "SELECT Foo FROM Case")
    assert first.headers["Sforce-Limit-Info"] == "api-usage=1/15000"
    assert second.headers["Sforce-Limit-Info"] == "api-usage=2/15000"
    limits = (await client.get("/limits")).json()["DailyApiRequests"]
    assert limits == {"Max": 15_000, "Remaining": 14_997}


async def test_a_long_answer_is_read_page_by_page(client: httpx.AsyncClient) -> None:
    options = {"Sforce-Query-Options": "batchSize=250"}
    statement = "SELECT Id, Parent.AccountId FROM CaseComment ORDER BY Id"
    page = (await ask(client, statement, **options)).json()
    total, pages, seen = page["totalSize"], 1, [row["Id"] for row in page["records"]]
    assert len(seen) == 250
    first_next = page["nextRecordsUrl"]
    assert first_next.startswith("/services/data/v60.0/query/01g")
    while not page["done"]:
        page = (await client.get(f"http://crm.example{page['nextRecordsUrl']}")).json()
        pages += 1
        seen += [row["Id"] for row in page["records"]]
        assert page["totalSize"] == total
    assert pages >= 3
    assert len(seen) == len(set(seen)) == total
    again = (await client.get(f"http://crm.example{first_next}")).json()
    assert again["records"][0]["Id"] == seen[250]


async def test_page_sizes_are_held_between_the_vendors_bounds(client: httpx.AsyncClient) -> None:
    options = {"Sforce-Query-Options": "batchSize=5"}
    page = (await ask(client, "SELECT Id FROM CaseComment", **options)).json()
    assert len(page["records"]) == 200


async def test_cursors_are_few(client: httpx.AsyncClient) -> None:
    options = {"Sforce-Query-Options": "batchSize=200"}
    opened = [
        (await ask(client, "SELECT Id FROM Case", **options)).json()["nextRecordsUrl"]
        for _ in range(11)
    ]
    newest = await client.get(f"http://crm.example{opened[-1]}")
    oldest = await client.get(f"http://crm.example{opened[0]}")
    assert newest.status_code == 200
    assert errors(oldest) == (400, "INVALID_QUERY_LOCATOR")
    assert errors(await client.get("/query/01gSB0000000001YAA-99999")) == (
        400,
        "INVALID_QUERY_LOCATOR",
    )


async def test_an_address_too_long_is_refused(client: httpx.AsyncClient) -> None:
    listed = ",".join(f"'500SB{number:013}'" for number in range(900))
    response = await ask(client, f"SELECT Id FROM Case WHERE Id IN ({listed})")
    assert response.status_code == 414
    assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nowhere", (404, "NOT_FOUND")),
        ("GET", "/sobjects/Foo/describe", (404, "NOT_FOUND")),
        ("GET", "/sobjects/Case/500SB00000zzzzz", (404, "NOT_FOUND")),
        ("GET", "/sobjects/Case/nonsense", (404, "NOT_FOUND")),
        ("GET", f"/sobjects/Case/{ANDINA}", (400, "MALFORMED_ID")),
        ("GET", f"/sobjects/Account/{ANDINA}?fields=Foo", (400, "INVALID_FIELD")),
        ("GET", "/sobjects/Case/Subject/x", (404, "NOT_FOUND")),
        ("GET", "/query", (400, "MALFORMED_QUERY")),
        ("DELETE", f"/sobjects/Account/{ANDINA}", (405, "METHOD_NOT_ALLOWED")),
        ("PUT", "/query?q=x", (405, "METHOD_NOT_ALLOWED")),
        ("GET", "/composite", (405, "METHOD_NOT_ALLOWED")),
        ("GET", "http://crm.example/services/data/v12.0/limits", (404, "NOT_FOUND")),
        ("GET", "http://crm.example/services/data/v60.0x/limits", (404, "NOT_FOUND")),
        ("GET", "http://crm.example/services/elsewhere", (404, "NOT_FOUND")),
    ],
)
async def test_refusals_are_arrays(
    client: httpx.AsyncClient, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert errors(await client.request(method, path)) == expected


async def test_a_row_is_read_by_its_id(client: httpx.AsyncClient) -> None:
    short = (await client.get(f"/sobjects/Contact/{ANA[:15]}?fields=Email,AccountId")).json()
    assert short == {
        "attributes": {
            "type": "Contact",
            "url": f"/services/data/v60.0/sobjects/Contact/{ANA}",
        },
        "Id": ANA,
        "Email": "ana.torres@andina.example",
        "AccountId": ANDINA,
    }
    whole = (await client.get(f"/sobjects/Account/{ANDINA}")).json()
    assert (whole["AccountNumber"], whole["BillingCountryCode"]) == ("17100001", "CO")


async def test_collections_keep_their_order_and_holes(client: httpx.AsyncClient) -> None:
    wanted = [CARLA, "003SB00000zzzzzAAA", "nonsense", ANDINA, ANA]
    path = "/composite/sobjects/Contact"
    got = (await client.get(path, params={"ids": ",".join(wanted), "fields": "Name"})).json()
    assert [one and one["Name"] for one in got] == [
        "Carla Mendes",
        None,
        None,
        None,
        "Ana Torres",
    ]
    posted = await client.post(path, json={"ids": wanted, "fields": ["Name"]})
    assert posted.json() == got
    wrong = await client.post(path, json={"ids": wanted, "fields": ["Name", "Foo"]})
    assert errors(wrong) == (400, "INVALID_FIELD")
    many = await client.post(path, json={"ids": [ANA] * 2_001, "fields": ["Name"]})
    assert errors(many) == (400, "EXCEEDED_ID_LIMIT")
    assert errors(await client.post(path, json={"ids": ANA})) == (400, "MISSING_ARGUMENT")


async def test_describe_tells_fields_and_values(client: httpx.AsyncClient) -> None:
    described = (await client.get("/sobjects/Case/describe")).json()
    fields = {one["name"]: one for one in described["fields"]}
    assert [one["value"] for one in fields["Type"]["picklistValues"]] == [
        "Query",
        "Invoice Claim",
        "Service Claim",
        "Product Claim",
        "Other Request",
    ]
    assert fields["Description"]["filterable"] is False
    assert fields["Portal_Key__c"]["externalId"] is True
    assert fields["ContactId"]["relationshipName"] == "Contact"
    children = {one["relationshipName"] for one in described["childRelationships"]}
    assert children == {"CaseComments", "ContentDocumentLinks", "Histories"}


async def test_files_come_as_they_are(client: httpx.AsyncClient, database: Database) -> None:
    starts = {"png": b"\x89PNG\r\n", "pdf": b"%PDF-1.4", "txt": b"Observaciones"}
    for extension, start in starts.items():
        link = await ask(
            client,
            "SELECT Id, Title, ContentSize, VersionData FROM ContentVersion "
            f"WHERE FileExtension = '{extension}' LIMIT 1",
        )
        [version] = link.json()["records"]
        response = await client.get(f"http://crm.example{version['VersionData']}")
        assert response.headers["content-type"] == "application/octetstream"
        assert response.content.startswith(start)
        assert len(response.content) == version["ContentSize"]
    missing = await client.get("/sobjects/ContentVersion/068SB0000zzzzzz/VersionData")
    assert errors(missing) == (404, "NOT_FOUND")


async def test_links_lead_from_a_case_to_its_files(
    client: httpx.AsyncClient, database: Database
) -> None:
    [case, expected] = database.row(
        "SELECT LinkedEntityId, count(*) FROM crm_ContentDocumentLink GROUP BY 1 "
        "HAVING count(*) > 1"
    )
    answer = await ask(
        client,
        "SELECT LinkedEntityId, Visibility, ContentDocument.Title, ContentDocument.FileExtension, "
        "ContentDocument.LatestPublishedVersionId, ContentDocument.CreatedBy.ContactId "
        f"FROM ContentDocumentLink WHERE LinkedEntityId IN ('{case}')",
    )
    records = answer.json()["records"]
    assert len(records) == expected
    assert all(one["ContentDocument"]["LatestPublishedVersionId"][:3] == "068" for one in records)


async def test_the_token_expires_once(client: httpx.AsyncClient, faults: Faults) -> None:
    faults.fail("crm=expirex1")
    assert errors(await client.get("/limits")) == (401, "INVALID_SESSION_ID")
    assert errors(await client.get("/limits")) == (401, "INVALID_SESSION_ID")
    granted = await client.post("http://crm.example/services/oauth2/token", data=CREDENTIALS)
    client.headers["Authorization"] = f"Bearer {granted.json()['access_token']}"
    assert (await client.get("/limits")).status_code == 200


async def test_the_quota_is_used_up_until_reset(client: httpx.AsyncClient, faults: Faults) -> None:
    faults.fail("crm=quota")
    for _ in range(2):
        response = await client.get("/limits")
        assert errors(response) == (403, "REQUEST_LIMIT_EXCEEDED")
        assert response.headers["Sforce-Limit-Info"] == "api-usage=15000/15000"
        assert "Retry-After" not in response.headers
    faults.reset()
    assert (await client.get("/limits")).status_code == 200


async def test_a_body_that_is_no_json(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/composite", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert errors(response) == (400, "JSON_PARSER_ERROR")
    response = await client.post("/composite", content=b"<a/>")
    assert errors(response) == (415, "UNSUPPORTED_MEDIA_TYPE")
