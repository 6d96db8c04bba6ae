"""Tokens of a real Canaille: a contact by the subject, keys that rotate, unverified addresses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey

from connectors.kit.connector import Wiring
from gateway.access import compact
from gateway.access.claims import InvalidToken
from gateway.access.issuers import Issuer, IssuerSettings
from gateway.access.tokens import Tokens
from gateway.access.verifier import Verifier
from tests.live.oidc.servers import Canaille, key

pytestmark = [pytest.mark.live, pytest.mark.anyio]

ANA = "ana.torres@andina.example"
CONTACT = "003000000000001AAA"
FIRST, SECOND = key("first"), key("second")


def door(url: str, **settings: Any) -> Verifier:
    """A gateway's door that trusts Canaille. It may ask for keys every second."""
    table = {"issuer": url, "audience": "web", "refresh_seconds": 1.0, **settings}
    issuer = Issuer.open("login", IssuerSettings(**table), 5, Wiring())
    own = Tokens(
        ECKey.generate_key("P-256"),
        "https://portal.example",
        "portal",
        timedelta(hours=1),
        5,
        lambda: datetime.now(UTC),
    )
    return Verifier(own, [issuer])


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Canaille:
    server = Canaille(tmp_path_factory.mktemp("canaille"))
    server.fill(ANA, CONTACT)
    return server


@pytest.fixture
def running(filled: Canaille) -> Iterator[Canaille]:
    with filled.running(FIRST):
        yield filled


async def test_a_person_is_known_by_the_contact_that_the_subject_names(running: Canaille) -> None:
    verifier = door(running.url, claim="sub", holds="contact")
    claims = await verifier.check(running.tokens()["access_token"])
    assert (claims.contact_id, claims.email, claims.staff) == (CONTACT, None, False)
    await verifier.close()


async def test_an_address_without_a_word_that_it_was_verified_opens_nothing(
    running: Canaille,
) -> None:
    token = running.tokens()["access_token"]
    said = compact.read(token).claims
    assert said["email"] == ANA
    assert "email_verified" not in said
    verifier = door(running.url)
    with pytest.raises(InvalidToken) as caught:
        await verifier.check(token)
    assert caught.value.reason == "address not verified"
    await verifier.close()


async def test_an_audience_that_is_not_ours_opens_nothing(running: Canaille) -> None:
    verifier = door(running.url, audience="portal", claim="sub", holds="contact")
    with pytest.raises(InvalidToken) as caught:
        await verifier.check(running.tokens()["access_token"])
    assert caught.value.reason == "wrong audience"
    await verifier.close()


async def test_keys_rotate_there_without_a_restart_here(filled: Canaille) -> None:
    verifier = door(filled.url, claim="sub", holds="contact")
    with filled.running(FIRST):
        old = filled.tokens()["access_token"]
        assert (await verifier.check(old)).contact_id == CONTACT
    assert (await verifier.check(old)).contact_id == CONTACT  # it does not run, its keys are known
    with filled.running(SECOND, FIRST):  # it takes longer to start than the pause between two reads
        new = filled.tokens()["access_token"]
        assert (compact.read(old).kid, compact.read(new).kid) == ("first", "second")
        assert (await verifier.check(new)).contact_id == CONTACT
        assert (await verifier.check(old)).contact_id == CONTACT
    await verifier.close()
