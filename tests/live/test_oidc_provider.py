"""Tokens of a real oidc-provider: persons, programs, keys that rotate, and an outage."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from connectors.kit.connector import Wiring
from connectors.port.errors import Throttled, Unavailable
from gateway.access import compact
from gateway.access.claims import Claims, InvalidToken
from gateway.access.issuers import Issuer, IssuerSettings
from gateway.access.tokens import Tokens
from gateway.access.verifier import Verifier
from tests.live.conftest import StartGateway
from tests.live.oidc.servers import NodeProvider, key
from tests.live.portal import Gateway

pytestmark = [pytest.mark.live, pytest.mark.anyio]

ANA = "ana.torres@andina.example"
FIRST, SECOND = key("first"), key("second")


def _now() -> datetime:
    return datetime.now(UTC)


def door(url: str, **settings: Any) -> Verifier:
    """A gateway's door that trusts the provider. It may ask for keys every second."""
    table = {"issuer": url, "audience": "portal", "refresh_seconds": 1.0, **settings}
    issuer = Issuer.open("login", IssuerSettings(**table), 5, Wiring())
    hour = timedelta(hours=1)
    own = Tokens(ECKey.generate_key("P-256"), "https://portal.example", "portal", hour, 5, _now)
    return Verifier(own, [issuer])


#: How the provider tells programs from persons, and what they may do here at most.
STAFF = {
    "staff_claim": "roles",
    "staff_value": "portal-staff",
    "staff_scopes": ["cases:read", "customers:read"],
}


@pytest.fixture
def provider(tmp_path: Path) -> NodeProvider:
    return NodeProvider(tmp_path)


@pytest.fixture
def running(provider: NodeProvider) -> Iterator[NodeProvider]:
    with provider.running(FIRST):
        yield provider


@pytest.fixture
async def verifier(provider: NodeProvider) -> AsyncIterator[Verifier]:
    opened = door(provider.url, **STAFF)
    yield opened
    await opened.close()


async def test_a_person_who_signed_in_there_is_known_here(
    running: NodeProvider, verifier: Verifier
) -> None:
    tokens = running.person(ANA)
    claims = await verifier.check(tokens["access_token"])
    assert (claims.email, claims.staff, claims.issuer) == (ANA, False, running.url)
    assert _now() < claims.expires_at <= _now() + timedelta(seconds=600)
    # The ID token is the client's, not ours: it names the client as its audience.
    with pytest.raises(InvalidToken) as caught:
        await verifier.check(tokens["id_token"])
    assert caught.value.reason == "wrong audience"


async def test_an_address_that_was_not_verified_there_is_none_here(
    running: NodeProvider, verifier: Verifier
) -> None:
    with pytest.raises(InvalidToken) as caught:
        await verifier.check(running.person("new.person@andina.example")["access_token"])
    assert caught.value.reason == "address not verified"


async def test_a_program_gets_the_scopes_that_count_here(
    running: NodeProvider, verifier: Verifier
) -> None:
    claims = await verifier.check(running.program("cases:read admin:all"))
    assert (claims.staff, claims.client_id, claims.email) == (True, "sync", None)
    assert claims.scopes == {"cases:read"}


async def test_a_token_for_another_audience_is_refused(running: NodeProvider) -> None:
    elsewhere = door(running.url, audience="shop", **STAFF)
    with pytest.raises(InvalidToken):
        await elsewhere.check(running.program("cases:read"))
    await elsewhere.close()


async def patiently(verifier: Verifier, token: str) -> Claims:
    """Comes again as long as the door asks to: its keys were read a moment ago."""
    while True:
        try:
            return await verifier.check(token)
        except Throttled as error:
            await asyncio.sleep(error.retry_after or 1)


async def test_keys_rotate_there_without_a_restart_here(
    provider: NodeProvider, verifier: Verifier
) -> None:
    with provider.running(FIRST):
        old = provider.program("cases:read")
        assert (await verifier.check(old)).staff
    with provider.running(SECOND, FIRST):
        new = provider.program("cases:read")
        assert compact.read(new).kid == "second"
        assert (await patiently(verifier, new)).staff
        assert (await verifier.check(old)).staff
    third = key("third")
    with provider.running(third, SECOND):
        assert (await patiently(verifier, provider.program("cases:read"))).staff
        with pytest.raises(InvalidToken):
            await verifier.check(old)


async def test_an_outage_there_keeps_known_keys_and_tells_of_unknown_ones(
    provider: NodeProvider, verifier: Verifier
) -> None:
    with provider.running(FIRST):
        first, other = provider.program("cases:read"), provider.program("contacts:invite")
        assert (await verifier.check(first)).staff
    assert (await verifier.check(first)).staff
    assert (await verifier.check(other)).staff  # not seen before
    fresh = door(provider.url, **STAFF)
    with pytest.raises(Unavailable):
        await fresh.check(first)
    await fresh.close()


async def test_a_gateway_by_its_settings_lets_them_in(
    provider: NodeProvider, start_gateway: StartGateway
) -> None:
    """The whole way: portal.toml, HTTP, the provider's keys, and the CRM's word on the person."""

    def trust(settings: dict[str, Any]) -> None:
        table = {"issuer": provider.url, "audience": "portal", "algorithms": ["RS256"], **STAFF}
        settings["access"]["issuers"] = [table]

    gateway = start_gateway(trust)
    with provider.running(FIRST):
        person = provider.person(ANA)["access_token"]
        program = provider.program("cases:read customers:read")
        own = ask(gateway, person)
        (account,) = {one["account"]["id"] for one in own["data"]["viewer"]["memberships"]}
        assert {one["account"]["id"] for one in own["data"]["cases"]["nodes"]} == {account}
        nobodys = ask(gateway, program, CASES)
        assert nobodys["data"] == {"cases": {"nodes": []}}
        acting = ask(gateway, program, CASES, account)
        assert acting["data"]["cases"]["nodes"] == own["data"]["cases"]["nodes"]
    assert (
        ask(gateway, person)["data"] == own["data"]
    )  # the provider does not run, its keys are known
    head, body, _ = person.split(".")
    refused = post(gateway, f"{head}.{body}.{'A' * 342}", CASES)
    assert refused.status_code == 401
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


CASES = "{ cases(first: 5) { nodes { number account { id } } } }"
OWN = "{ viewer { memberships { account { id } } } " + CASES[1:]


def ask(
    gateway: Gateway, token: str, query: str = OWN, acting_for: str | None = None
) -> dict[str, Any]:
    answer = post(gateway, token, query, acting_for)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert "errors" not in told, told["errors"]
    return told


def post(gateway: Gateway, token: str, query: str, acting_for: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    if acting_for is not None:
        headers["portal-acting-for"] = acting_for
    body = {"query": query}
    return httpx.post(f"{gateway.url}/graphql", json=body, headers=headers, trust_env=False)


async def test_a_changed_token_is_refused(running: NodeProvider, verifier: Verifier) -> None:
    good = running.person(ANA)["access_token"]
    head, body, signature = good.split(".")
    said = compact.read(good).claims | {"email": "luis.rojas@pacifico.example"}
    other = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidToken) as caught:
        await verifier.check(f"{head}.{other}.{signature}")
    assert caught.value.reason == "signature"
    assert (await verifier.check(f"{head}.{body}.{signature}")).email == ANA
