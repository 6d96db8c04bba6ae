"""The ring of keys on disk: private, whole at any moment, and old files still open."""

from __future__ import annotations

import asyncio
import json
import stat
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey
from starlette.applications import Starlette

from connectors.kit.connector import Wiring
from gateway.access import files, keys
from gateway.access.claims import InvalidToken
from gateway.access.files import SecretFileError
from gateway.access.issuers import Issuer, IssuerSettings
from gateway.access.keys import KeyRing
from gateway.access.published import routes
from gateway.access.tokens import Tokens, signing_key
from gateway.access.verifier import Verifier
from tests.gateway.access.forged import ANA, AUDIENCE, OWN, Clock, own_tokens

pytestmark = pytest.mark.anyio


async def test_a_missing_file_is_made_and_private(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "deep" / "signing.json"
    ring = await KeyRing.load(path, clock)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = await KeyRing.load(path, clock)
    assert [one.kid for one in again.keys] == [one.kid for one in ring.keys]
    await keys.rotate(path, timedelta(hours=1), clock)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {one.name for one in path.parent.iterdir()} == {"signing.json", ".signing.json.lock"}


async def test_several_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    path = tmp_path / "signing.json"
    rings = await asyncio.gather(*(signing_key(path) for _ in range(8)))
    assert len({ring.signing.kid for ring in rings}) == 1


async def test_several_rotations_at_once_lose_no_key(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "signing.json"
    first = await KeyRing.load(path, clock)
    made = await asyncio.gather(*(keys.rotate(path, timedelta(hours=1), clock) for _ in range(5)))
    ring = await KeyRing.load(path, clock)
    known = {one.kid for one in ring.keys}
    assert known == {one.kid for one in made} | {first.signing.kid}
    assert [one.ends_at is None for one in ring.keys] == [True] + [False] * 5


async def test_a_file_of_an_older_version_still_opens(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "signing.json"
    key = ECKey.generate_key("P-256")
    path.write_text(json.dumps(key.as_dict(private=True)))
    path.chmod(0o600)
    before = Tokens(key, OWN, AUDIENCE, timedelta(hours=1), 30, clock).issue(ANA)
    after = Tokens(await signing_key(path), OWN, AUDIENCE, timedelta(hours=1), 30, clock)
    assert after.check(before).email == ANA
    await keys.rotate(path, timedelta(hours=1), clock)
    await after.keys.refresh(patient=False)
    assert after.check(before).email == ANA
    assert after.keys.signing.kid != key.thumbprint()


async def test_ended_keys_leave_the_ring_and_the_publication(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "signing.json"
    first = (await KeyRing.load(path, clock)).signing.kid
    second = (await keys.rotate(path, timedelta(minutes=10), clock)).kid
    ring = await KeyRing.load(path, clock)
    assert [one["kid"] for one in ring.published(clock())["keys"]] == [second, first]
    clock.pass_(600)
    assert [one["kid"] for one in ring.published(clock())["keys"]] == [second]
    third = (await keys.rotate(path, timedelta(minutes=10), clock)).kid
    ring = await KeyRing.load(path, clock)
    assert [one.kid for one in ring.keys] == [third, second]


async def test_a_rotation_never_lengthens_the_life_of_an_older_key(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "signing.json"
    await KeyRing.load(path, clock)
    await keys.rotate(path, timedelta(minutes=10), clock)
    await keys.rotate(path, timedelta(hours=10), clock)
    oldest = (await KeyRing.load(path, clock)).keys[-1]
    assert oldest.ends_at == clock() + timedelta(minutes=10)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "not JSON",
        '{"keys": []}',
        '{"keys": [{}]}',
        '{"keys": {"a": 1}}',
        '{"keys": [{"jwk": {"kty": "oct", "k": "c2VjcmV0"}}]}',
        json.dumps(ECKey.generate_key("P-256").as_dict(private=False)),
        json.dumps(ECKey.generate_key("P-384").as_dict(private=True)),
    ],
)
async def test_a_file_that_holds_no_keys_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "signing.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SecretFileError) as caught:
        await KeyRing.load(path)
    assert str(path) in str(caught.value)
    assert "kty" not in str(caught.value)
    assert path.read_text() == text


async def test_a_file_that_breaks_later_changes_nothing(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "signing.json"
    tokens = Tokens(
        await KeyRing.load(path, clock, clock.monotonic),
        OWN,
        AUDIENCE,
        timedelta(hours=1),
        30,
        clock,
    )
    verifier = Verifier(tokens)
    files.replace(path, "broken")
    stranger = own_tokens(clock, ECKey.generate_key("P-256")).issue(ANA)
    with pytest.raises(InvalidToken):
        await verifier.check(stranger)
    assert str(path) in caplog.text
    assert (await verifier.check(tokens.issue(ANA))).email == ANA


async def test_a_file_that_others_can_read_is_complained_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "signing.json"
    await KeyRing.load(path)
    assert caplog.text == ""
    path.chmod(0o644)
    await KeyRing.load(path)
    assert "chmod 600" in caplog.text


async def test_others_can_check_our_tokens_by_what_is_published(
    tmp_path: Path, clock: Clock
) -> None:
    """Another gateway trusts us as it would any issuer, over a rotation."""
    path = tmp_path / "signing.json"
    ring = await KeyRing.load(path, clock)
    here = "http://127.0.0.1:8000"
    ours = Tokens(ring, here, AUDIENCE, timedelta(hours=1), 30, clock)
    transport = httpx.ASGITransport(
        Starlette(routes=list(routes(ring, here, clock, "/oauth/token")))
    )
    settings = IssuerSettings(issuer=here, audience=AUDIENCE, algorithms=["ES256"])
    theirs = Issuer.open("portal", settings, 30, Wiring(transport=transport, clock=clock))
    theirs._keys._monotonic = clock.monotonic
    there = Verifier(own_tokens(clock), [theirs])
    before = ours.issue(ANA)
    assert (await there.check(before)).email == ANA
    await keys.rotate(path, timedelta(hours=1), clock)
    await ring.refresh(patient=False)
    clock.pass_(61)
    assert (await there.check(ours.issue(ANA))).email == ANA
    assert (await there.check(before)).email == ANA

    async with httpx.AsyncClient(transport=transport, base_url=here) as client:
        published = await client.get("/.well-known/jwks.json")
        described = (await client.get("/.well-known/openid-configuration")).json()
    assert published.headers["content-type"] == "application/jwk-set+json"
    assert {frozenset(one) for one in published.json()["keys"]} == {
        frozenset({"kty", "crv", "x", "y", "kid", "use", "alg"})
    }
    assert described["issuer"] == here
    assert described["jwks_uri"] == f"{here}/.well-known/jwks.json"
    assert described["token_endpoint"] == f"{here}/oauth/token"
    await there.close()
