"""Programs of integration teams: `POST /oauth/token`, in the words of RFC 6749."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from gateway.access import files, staff
from gateway.access.files import SecretFileError
from gateway.access.staff import StaffClients, StaffError
from gateway.access.token_endpoint import PATH, Attempts, TokenEndpoint
from gateway.access.tokens import Tokens
from gateway.access.verifier import Verifier
from tests.gateway.access.forged import Clock, own_tokens

pytestmark = pytest.mark.anyio


@dataclass(slots=True)
class Desk:
    """The endpoint with one program, `sync`, that may read cases and invite contacts."""

    path: Path
    client: httpx.AsyncClient
    tokens: Tokens
    clients: StaffClients
    secret: str
    attempts: Attempts
    heard: list[tuple[str, str]] = field(default_factory=list)

    async def post(self, form: Any, **more: Any) -> httpx.Response:
        return await self.client.post(PATH, data=form, **more)

    def form(self, **changes: str) -> dict[str, str]:
        good = {
            "grant_type": "client_credentials",
            "client_id": "sync",
            "client_secret": self.secret,
        }
        return {name: value for name, value in (good | changes).items() if value}


@pytest.fixture
async def desk(tmp_path: Path, clock: Clock) -> AsyncIterator[Desk]:
    path = tmp_path / "staff.json"
    secret = await staff.add(path, "sync", ["cases:read", "contacts:invite"], clock)
    clients, tokens = await StaffClients.load(path), own_tokens(clock)
    attempts = Attempts(allowed=5, monotonic=clock.monotonic, most=100)
    heard: list[tuple[str, str]] = []

    async def listen(client_id: str, outcome: str, http: Request) -> None:
        heard.append((client_id, outcome))

    endpoint = TokenEndpoint(clients, tokens, attempts=attempts, heard=listen)
    transport = httpx.ASGITransport(Starlette(routes=[endpoint.route]))
    async with httpx.AsyncClient(transport=transport, base_url="http://x.example") as client:
        yield Desk(path, client, tokens, clients, secret, attempts, heard)


def basic(name: str, secret: str) -> dict[str, str]:
    pair = f"{quote_plus(name)}:{quote_plus(secret)}".encode()
    return {"authorization": "Basic " + base64.b64encode(pair).decode()}


async def test_a_program_gets_a_token_by_form_or_header(desk: Desk) -> None:
    by_form = await desk.post(desk.form())
    by_header = await desk.post(
        {"grant_type": "client_credentials"}, headers=basic("sync", desk.secret)
    )
    for answer in (by_form, by_header):
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        assert body | {"access_token": ""} == {
            "access_token": "",
            "token_type": "Bearer",
            "expires_in": 900,
            "scope": "cases:read contacts:invite",
        }
        claims = await Verifier(desk.tokens, staff=desk.clients).check(body["access_token"])
        assert (claims.staff, claims.client_id) == (True, "sync")
        assert claims.scopes == {"cases:read", "contacts:invite"}
    assert desk.heard == [("sync", "ok"), ("sync", "ok")]


async def test_a_program_may_ask_for_less_and_never_for_more(desk: Desk) -> None:
    less = await desk.post(desk.form(scope="cases:read"))
    assert less.json()["scope"] == "cases:read"
    assert desk.tokens.check(less.json()["access_token"]).scopes == {"cases:read"}
    for scope in ("cases:write", "cases:read cases:write", "*", "CASES:READ"):
        more = await desk.post(desk.form(scope=scope))
        assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")


async def test_who_is_not_a_program_gets_nothing_and_no_hint(desk: Desk) -> None:
    answers = [
        await desk.post(desk.form(client_secret="wrong")),
        await desk.post(desk.form(client_id="nobody")),
        await desk.post({"grant_type": "client_credentials"}, headers=basic("sync", "")),
        await desk.post({"grant_type": "x"}, headers=basic("sync", desk.secret + "x")),
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert answer.json() == answers[0].json()
        assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("content", "error", "status"),
    [
        ("grant_type=password&client_id=sync&client_secret={}", "unsupported_grant_type", 400),
        ("client_id=sync&client_secret={}", "invalid_request", 400),
        ("grant_type=client_credentials&client_id=sync", "invalid_client", 401),
        ("grant_type=client_credentials", "invalid_client", 401),
        ("", "invalid_client", 401),
        (
            "grant_type=client_credentials&client_id=sync&client_secret={}&client_id=sync",
            "invalid_request",
            400,
        ),
        ("grant_type", "invalid_request", 400),
        ("client_id=%FF&client_secret={}", "invalid_request", 400),
        ("&".join(f"a{n}=1" for n in range(30)), "invalid_request", 400),
        ("a=" + "x" * 9000, "invalid_request", 413),
        ("client_id=%00&client_secret=%00", "invalid_client", 401),
        ("client_id=sync&client_secret=" + "x" * 5000, "invalid_client", 401),
    ],
)
async def test_requests_that_are_wrong(desk: Desk, content: str, error: str, status: int) -> None:
    answer = await desk.client.post(
        PATH,
        content=content.replace("{}", desk.secret),
        headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
    )
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "header",
    ["Bearer x", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"sync").decode(), "Basic /w=="],
)
async def test_headers_that_are_wrong(desk: Desk, header: str) -> None:
    form = {"grant_type": "client_credentials"}
    answer = await desk.post(form, headers={"authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_secrets_are_said_once_and_in_a_form(desk: Desk) -> None:
    twice = await desk.post(desk.form(), headers=basic("sync", desk.secret))
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    other = await desk.post(
        {"grant_type": "client_credentials", "client_id": "x"}, headers=basic("sync", desk.secret)
    )
    assert (other.status_code, other.json()["error"]) == (401, "invalid_client")
    as_json = await desk.client.post(PATH, json=desk.form())
    assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")
    assert (await desk.client.get(PATH, params=desk.form())).status_code == 405


async def test_attempts_are_limited_by_source_and_told_until_when(desk: Desk, clock: Clock) -> None:
    for _ in range(5):
        assert (await desk.post(desk.form(client_secret="x"))).status_code == 401
    for form in (desk.form(), desk.form(client_secret="x")):
        answer = await desk.post(form)
        assert answer.status_code == 429
        assert answer.json()["error"] == "temporarily_unavailable"
        assert 1 <= int(answer.headers["retry-after"]) <= 61
    clock.pass_(61)
    assert (await desk.post(desk.form())).status_code == 200
    assert desk.heard[-3:] == [
        ("", "temporarily_unavailable"),
        ("", "temporarily_unavailable"),
        ("sync", "ok"),
    ]


def test_what_is_counted_has_a_bound(clock: Clock) -> None:
    attempts = Attempts(allowed=2, most=10, monotonic=clock.monotonic)
    for number in range(100):
        attempts.failed(f"10.0.0.{number}")
    assert len(attempts._failures) == 10
    attempts.failed("10.0.0.99")
    assert attempts.wait("10.0.0.99") == 61
    assert attempts.wait("10.0.0.98") is None


async def test_a_program_added_by_command_is_known_at_once_and_a_removed_one_is_not(
    desk: Desk,
) -> None:
    secret = await staff.add(desk.path, "reports", ["orders:read"])
    granted = await desk.post(desk.form(client_id="reports", client_secret=secret))
    assert granted.json()["scope"] == "orders:read"
    await staff.remove(desk.path, "reports")
    gone = await desk.post(desk.form(client_id="reports", client_secret=secret))
    assert gone.status_code == 401
    assert [client.client_id for client in desk.clients.clients] == ["sync"]


async def test_the_file_holds_no_secret_and_is_private(desk: Desk) -> None:
    text = desk.path.read_text()
    assert desk.secret not in text
    assert len(desk.secret) == 43
    assert stat.S_IMODE(desk.path.stat().st_mode) == 0o600
    other = await staff.add(desk.path, "other", ["cases:read"])
    assert other != desk.secret
    kept = json.loads(desk.path.read_text())
    assert kept["sync"]["salt"] != kept["other"]["salt"]


async def test_a_file_that_breaks_changes_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    files.replace(desk.path, '{"sync": {"salt": 1}}')
    assert (await desk.post(desk.form())).status_code == 200
    assert str(desk.path) in caplog.text
    with pytest.raises(SecretFileError):
        await StaffClients.load(desk.path)


@pytest.mark.parametrize(
    ("name", "scopes"),
    [
        ("sync", ["cases:read"]),
        ("", ["cases:read"]),
        ("Sync", ["cases:read"]),
        ("../x", ["cases:read"]),
        ("a b", ["cases:read"]),
        ("new", []),
        ("new", ["cases"]),
        ("new", ["cases:read contacts:invite"]),
    ],
)
async def test_programs_that_cannot_be_added(desk: Desk, name: str, scopes: list[str]) -> None:
    before = desk.path.read_text()
    with pytest.raises(StaffError):
        await staff.add(desk.path, name, scopes)
    assert desk.path.read_text() == before
    with pytest.raises(StaffError):
        await staff.remove(desk.path, "nobody")
