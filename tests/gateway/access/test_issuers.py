"""Other issuers: their keys come, go and fail to come; their claims become persons and programs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import msgspec
import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from connectors.port.errors import SourceError, Throttled, TimedOut, Unavailable, Unreadable
from gateway.access.claims import InvalidToken
from gateway.access.issuers import IssuerSettings
from gateway.access.tokens import Tokens
from gateway.access.verifier import Verifier
from tests.gateway.access.forged import (
    ANA,
    AUDIENCE,
    CURVE,
    FIRST,
    ISSUER,
    NOW,
    SECOND,
    Clock,
    Key,
    World,
    claims,
    issuer_of,
    public,
    signed,
    token,
)

pytestmark = pytest.mark.anyio

CONFIGURATION = f"{ISSUER}/.well-known/openid-configuration"
KEYS = f"{ISSUER}/.well-known/keys"
#: What went wrong long ago or is to come, so that no token is younger than the keys.
LONG_AGO = int(NOW.timestamp()) - 500


def door(own: Tokens, world: World, clock: Clock, **settings: Any) -> Verifier:
    return Verifier(own, [issuer_of(world, clock, **settings)])


# ------------------------------------------------------------------------------------- keys


async def test_keys_are_asked_for_once_however_many_wait(verifier: Verifier, world: World) -> None:
    found = await asyncio.gather(*(verifier.check(token(sub=f"u-{n}")) for n in range(50)))
    assert {one.email for one in found} == {ANA}
    assert world.calls == [CONFIGURATION, KEYS]


async def test_an_unknown_kid_has_keys_read_again_once_and_not_on_every_try(
    verifier: Verifier, world: World, clock: Clock
) -> None:
    await verifier.check(token())
    clock.pass_(61)
    for number in range(200):
        with pytest.raises(InvalidToken):
            await verifier.check(token(SECOND, {"kid": f"k-{number}"}, iat=LONG_AGO))
    assert world.reads(ISSUER) == 2
    clock.pass_(61)
    many = [verifier.check(token(SECOND, {"kid": f"j-{n}"}, iat=LONG_AGO)) for n in range(100)]
    refusals = await asyncio.gather(*many, return_exceptions=True)
    assert {type(one).__mro__[1] for one in refusals} == {InvalidToken}
    assert world.reads(ISSUER) == 3


async def test_what_needs_no_key_is_refused_without_asking_for_one(
    verifier: Verifier, world: World
) -> None:
    for forged in (token(aud="other"), token(exp=1), token(FIRST, {"alg": "RS512"})):
        with pytest.raises(InvalidToken):
            await verifier.check(forged)
    assert world.calls == []


async def test_keys_rotate_without_a_restart(
    verifier: Verifier, world: World, clock: Clock
) -> None:
    old = token()
    await verifier.check(old)
    clock.pass_(61)
    world.keys[ISSUER] = [public(SECOND), public(FIRST)]
    assert (await verifier.check(token(SECOND))).email == ANA
    assert (await verifier.check(old)).email == ANA
    # The old key is withdrawn: its tokens end, remembered or not, once the keys are read again.
    clock.pass_(61)
    world.keys[ISSUER] = [public(SECOND)]
    with pytest.raises(InvalidToken):
        await verifier.check(token(SECOND, {"kid": "other"}, iat=LONG_AGO))
    with pytest.raises(InvalidToken):
        await verifier.check(old)
    assert (await verifier.check(token(SECOND))).email == ANA


async def test_a_withdrawn_key_is_noticed_although_nobody_brings_a_new_one(
    verifier: Verifier, world: World, clock: Clock
) -> None:
    good = token(exp=int(NOW.timestamp()) + 9000)
    await verifier.check(good)
    world.keys[ISSUER] = [public(SECOND)]
    clock.pass_(601)
    await verifier.check(good)  # believed once more, while the keys are read in passing
    await asyncio.sleep(0.01)
    with pytest.raises(InvalidToken):
        await verifier.check(good)
    assert world.reads(ISSUER) == 2


async def test_keys_that_did_not_change_are_not_proven_anew(
    verifier: Verifier, world: World, clock: Clock
) -> None:
    good = token(exp=int(NOW.timestamp()) + 9000)
    await verifier.check(good)
    before = verifier._issuers[ISSUER].generation
    clock.pass_(601)
    await verifier.check(good)
    await asyncio.sleep(0.01)
    assert world.reads(ISSUER) == 2
    assert verifier._issuers[ISSUER].generation == before


async def test_a_token_younger_than_the_keys_is_not_decided_rather_than_refused(
    verifier: Verifier, world: World, clock: Clock
) -> None:
    """Its key may have been made since; the pause is over soon, so its bearer may come again."""
    await verifier.check(token())
    clock.pass_(20)
    world.keys[ISSUER] = [public(SECOND)]
    young = token(SECOND, iat=int(clock.now.timestamp()))
    with pytest.raises(Throttled) as caught:
        await verifier.check(young)
    assert caught.value.retry_after == pytest.approx(40)
    assert world.reads(ISSUER) == 1
    clock.pass_(41)
    assert (await verifier.check(young)).email == ANA


async def test_a_token_of_the_second_in_which_keys_were_read_is_not_refused_either(
    verifier: Verifier, world: World, clock: Clock
) -> None:
    """`iat` is cut to whole seconds, so such a token looks older than the keys and may not be."""
    clock.pass_(0.9)
    await verifier.check(token())
    world.keys[ISSUER] = [public(SECOND)]
    clock.pass_(0.05)
    young = token(SECOND, iat=int(clock.now.timestamp()))
    with pytest.raises(Throttled):
        await verifier.check(young)


def html(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, html="<html>Sign in to our captive portal</html>")


def down(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("down")


def redirect(request: httpx.Request) -> httpx.Response:
    return httpx.Response(302, headers={"location": "https://evil.example/keys"})


def slow(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow")


def huge(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"keys": [public(FIRST)], "more": "x" * 300_000})


def answer(body: object) -> Any:
    return lambda request: httpx.Response(200, json=body)


FAILURES: list[tuple[Any, type[SourceError]]] = [
    (down, Unavailable),
    (slow, TimedOut),
    (html, Unreadable),
    (redirect, Unreadable),
    (huge, Unreadable),
    (lambda request: httpx.Response(503), Unavailable),
    (answer([]), Unreadable),
    (answer({"keys": {}}), Unreadable),
    (answer({"keys": []}), Unreadable),
    (answer({"keys": [1]}), Unreadable),
    (answer({"keys": [{}]}), Unreadable),
    (answer({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "first"}]}), Unreadable),
    (answer({"keys": [{"kty": ["RSA"], "kid": "first"}]}), Unreadable),
    (answer({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "first"}]}), Unreadable),
    (answer({"keys": [{"kty": "RSA", "n": 7, "e": None, "kid": "first"}]}), Unreadable),
    (answer({"keys": [public(FIRST, alg={"a": 1})]}), Unreadable),
    (answer({"keys": [public(FIRST, use="enc")]}), Unreadable),
    (answer({"keys": [public(FIRST, key_ops=["encrypt"])]}), Unreadable),
    (answer({"keys": [public(FIRST, alg="HS256")]}), Unreadable),
    (answer({"keys": [{**public(CURVE), "y": "AAAA"}]}), Unreadable),
    (answer({"keys": [public(FIRST)] * 101}), Unreadable),
]


@pytest.mark.parametrize(("failure", "error"), FAILURES)
async def test_keys_that_cannot_be_had_at_first_are_told_as_such(
    verifier: Verifier, world: World, clock: Clock, failure: Any, error: type[SourceError]
) -> None:
    world.answers[KEYS] = failure
    for _ in range(20):
        with pytest.raises(error) as caught:
            await verifier.check(token())
        assert caught.value.source == "login"
    assert 1 <= world.reads(ISSUER) <= 2  # a read is tried again once; then nobody asks for a while
    del world.answers[KEYS]
    clock.pass_(6)
    assert (await verifier.check(token())).email == ANA


@pytest.mark.parametrize(("failure", "error"), FAILURES)
async def test_in_an_outage_the_last_good_keys_stay(
    verifier: Verifier, world: World, clock: Clock, failure: Any, error: type[SourceError]
) -> None:
    await verifier.check(token())
    world.answers[KEYS] = failure
    clock.pass_(61)
    with pytest.raises(error):  # nobody can say whether the issuer has this key by now
        await verifier.check(token(SECOND, {"kid": "new"}))
    assert (await verifier.check(token(sub="u-2"))).email == ANA
    clock.pass_(400)
    assert (await verifier.check(token(sub="u-3"))).email == ANA


async def test_keys_that_are_not_understood_are_left_out_and_the_rest_holds(
    verifier: Verifier, world: World
) -> None:
    world.keys[ISSUER] = [
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": "future"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "first"},
        public(FIRST, use="sig", key_ops=["verify"], more={"a": 1}, x5u="https://evil.example/"),
        {},
    ]
    assert (await verifier.check(token())).email == ANA
    assert world.calls == [CONFIGURATION, KEYS]


async def test_private_keys_published_by_mistake_are_read_as_public_ones(
    verifier: Verifier, world: World
) -> None:
    world.keys[ISSUER] = [FIRST.as_dict(private=True)]
    await verifier.check(token())
    (known,) = verifier._issuers[ISSUER]._keys._keys["first"]
    assert not known.key.is_private


async def test_a_token_without_kid_needs_an_issuer_with_one_key(
    verifier: Verifier, world: World, clock: Clock
) -> None:
    nameless = token(FIRST, {"kid": None}, iat=LONG_AGO)
    assert (await verifier.check(nameless)).email == ANA
    world.keys[ISSUER] = [public(FIRST), public(SECOND)]
    clock.pass_(61)
    with pytest.raises(InvalidToken):
        await verifier.check(token(SECOND, {"kid": "nobody's"}, iat=LONG_AGO))
    with pytest.raises(InvalidToken):
        await verifier.check(nameless)


# -------------------------------------------------------------------------------- discovery


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": ISSUER + "/", "jwks_uri": KEYS},
        {"issuer": "https://evil.example", "jwks_uri": KEYS},
        {"issuer": ISSUER},
        {"jwks_uri": KEYS},
        {"issuer": ISSUER, "jwks_uri": "http://login.example/keys"},
        {"issuer": ISSUER, "jwks_uri": "http://127.0.0.1/keys"},
        {"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"},
        {"issuer": ISSUER, "jwks_uri": "//evil.example/keys"},
        {"issuer": ISSUER, "jwks_uri": "https://user:secret@login.example/keys"},
        {"issuer": ISSUER, "jwks_uri": "https://[/keys"},
        {"issuer": ISSUER, "jwks_uri": "https://login.example:99999/keys"},
        {"issuer": ISSUER, "jwks_uri": ""},
        {"issuer": ISSUER, "jwks_uri": 7},
        ["issuer"],
    ],
    ids=str,
)
async def test_a_discovery_document_that_cannot_be_believed(
    verifier: Verifier, world: World, document: object
) -> None:
    world.answers[CONFIGURATION] = answer(document)
    with pytest.raises(Unreadable):
        await verifier.check(token())
    assert world.calls == [CONFIGURATION]


async def test_keys_may_lie_with_another_host_over_tls(verifier: Verifier, world: World) -> None:
    elsewhere = "https://keys.example/v3/certs"
    world.answers[CONFIGURATION] = answer({"issuer": ISSUER, "jwks_uri": elsewhere})
    world.answers[elsewhere] = answer({"keys": [public(FIRST)]})
    assert (await verifier.check(token())).email == ANA


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9100", "http://localhost:9100/realms/x"])
async def test_an_issuer_on_this_machine_needs_no_tls(
    own: Tokens, clock: Clock, issuer: str
) -> None:
    world = World({issuer: [public(FIRST)]})
    verifier = door(own, world, clock, issuer=issuer)
    assert (await verifier.check(token(iss=issuer))).issuer == issuer


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "http://login.example"},
        {"issuer": "login.example"},
        {"issuer": "https://"},
        {"issuer": "https://login.example?tenant=1"},
        {"issuer": "https://login.example#x"},
        {"issuer": "ftp://login.example"},
        {"issuer": "http://127.0.0.1.evil.example"},
        {"algorithms": []},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256"]},
        {"algorithms": ["RS256", "HS512"]},
        {"algorithms": ["rs256"]},
        {"audience": ""},
        {"staff_claim": "role"},
        {"staff_value": "staff"},
        {"holds": "name"},
        {"deadline": 0},
        {"refresh_seconds": 0},
        {"unknown": 1},
    ],
    ids=str,
)
def test_settings_that_would_open_the_door_too_far(changes: dict[str, Any]) -> None:
    table = {"issuer": ISSUER, "audience": AUDIENCE, **changes}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, IssuerSettings)


def test_two_issuers_of_one_url_are_refused(own: Tokens, world: World, clock: Clock) -> None:
    one = issuer_of(world, clock)
    with pytest.raises(ValueError, match="same URL"):
        Verifier(own, [one, one])
    with pytest.raises(ValueError, match="same URL"):
        Verifier(own, [issuer_of(world, clock, issuer=own.issuer)])


# ----------------------------------------------------------------------------- several issuers


async def test_two_issuers_with_the_same_kid_are_kept_apart(own: Tokens, clock: Clock) -> None:
    other = "https://id.partner.example"
    world = World({ISSUER: [public(FIRST)], other: [public(SECOND, kid="first")]})
    issuers = [issuer_of(world, clock), issuer_of(world, clock, issuer=other)]
    verifier = Verifier(own, issuers)
    assert (await verifier.check(token(FIRST))).issuer == ISSUER
    assert (await verifier.check(token(SECOND, {"kid": "first"}, iss=other))).issuer == other
    for key, issuer in ((SECOND, ISSUER), (FIRST, other)):
        with pytest.raises(InvalidToken):
            await verifier.check(token(key, {"kid": "first"}, iss=issuer))


async def test_one_issuer_that_is_down_costs_only_its_own_tokens(
    own: Tokens, world: World, clock: Clock
) -> None:
    lost = "https://lost.example"
    verifier = Verifier(own, [issuer_of(world, clock), issuer_of(world, clock, issuer=lost)])
    with pytest.raises(Unavailable):
        await verifier.check(token(iss=lost))
    assert (await verifier.check(token())).email == ANA
    assert (await verifier.check(own.issue(ANA))).email == ANA


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", FIRST),
        ("PS256", FIRST),
        ("RS512", FIRST),
        ("ES256", CURVE),
        ("ES384", ECKey.generate_key("P-384", {"kid": "c"})),
        ("ES512", ECKey.generate_key("P-521", {"kid": "c"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "c"})),
    ],
)
async def test_each_algorithm_that_may_be_pinned(
    own: Tokens, world: World, clock: Clock, algorithm: str, key: Key
) -> None:
    world.keys[ISSUER] = [public(key)]
    verifier = door(own, world, clock, algorithms=[algorithm])
    assert (await verifier.check(token(key, {"alg": algorithm}))).email == ANA


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_a_short_rsa_key_is_no_key(verifier: Verifier, world: World) -> None:
    short = RSAKey.generate_key(1024, {"kid": "first"})
    world.keys[ISSUER] = [public(short)]
    with pytest.raises(Unreadable):
        await verifier.check(token(short))


# ------------------------------------------------------------------------------------ claims


async def test_a_person_by_the_subject(own: Tokens, world: World, clock: Clock) -> None:
    verifier = door(own, world, clock, claim="sub", holds="contact")
    found = await verifier.check(token(sub="003000000000001AAA", email_verified=None))
    assert (found.contact_id, found.email) == ("003000000000001AAA", None)


async def test_a_person_by_a_claim_of_the_company(own: Tokens, world: World, clock: Clock) -> None:
    by_contact = door(own, world, clock, claim="urn:crm:contact", holds="contact")
    named: dict[str, Any] = {"urn:crm:contact": "003-7"}
    found = await by_contact.check(token(**named))
    assert (found.contact_id, found.email) == ("003-7", None)
    by_address = door(own, world, clock, claim="upn")
    assert (await by_address.check(token(upn="Ana@X.example", email=None))).email == "ana@x.example"
    wrong: list[Any] = [None, "", 7, ["003-7"], "003\x007", "x" * 256]
    for said in wrong:
        crm: dict[str, Any] = {"urn:crm:contact": said}
        with pytest.raises(InvalidToken):
            await by_contact.check(token(**crm))
        with pytest.raises(InvalidToken):
            await by_address.check(token(upn=said))


async def test_an_address_that_nobody_verified_is_nobodys(verifier: Verifier) -> None:
    for verified in (None, False, "true", "True", 1, [True], {"a": True}):
        with pytest.raises(InvalidToken) as caught:
            await verifier.check(token(email_verified=verified))
        assert caught.value.reason == "address not verified"


async def test_a_session_of_another_issuer_is_not_one_of_ours(verifier: Verifier) -> None:
    assert (await verifier.check(token(sid="s-1"))).session_id is None


async def test_programs_by_a_claim_or_by_a_scope(own: Tokens, world: World, clock: Clock) -> None:
    settings = {
        "staff_claim": "roles",
        "staff_value": "portal-staff",
        "staff_scope": "portal:staff",
        "staff_scopes": ["cases:read", "contacts:invite"],
    }
    verifier = door(own, world, clock, **settings)
    by_claim = await verifier.check(
        token(roles=["x", "portal-staff"], scope="openid cases:read admin:all", azp="sync")
    )
    assert (by_claim.staff, by_claim.client_id, by_claim.scopes) == (
        True,
        "sync",
        frozenset({"cases:read"}),
    )
    assert (by_claim.email, by_claim.contact_id) == (None, None)
    by_scope = await verifier.check(token(scp=["portal:staff", "contacts:invite"], email=None))
    assert (by_scope.staff, by_scope.client_id) == (True, "u-1")
    assert by_scope.scopes == {"contacts:invite"}
    nearly: list[dict[str, Any]] = [
        {"roles": "portal-staff2"},
        {"roles": {"portal-staff": 1}},
        {"scope": "portal"},
    ]
    for near in nearly:
        person = await verifier.check(token(FIRST, None, **near))
        assert (person.staff, person.scopes, person.email) == (False, frozenset(), ANA)


async def test_an_audience_among_others(verifier: Verifier) -> None:
    assert (await verifier.check(token(aud=["account", AUDIENCE]))).email == ANA


async def test_times_may_have_fractions(verifier: Verifier) -> None:
    until = NOW.timestamp() + 60.5
    found = await verifier.check(token(exp=until))
    assert found.expires_at.timestamp() == pytest.approx(until)


async def test_a_payload_with_more_than_we_know(verifier: Verifier) -> None:
    said = claims(address={"country": "CO"}, amr=["pwd"], more=None) | {"x": None}
    header = {"alg": "RS256", "kid": "first", "nonce": "abc", "x5t": "abc", "x": "y" * 2000}
    good = signed(json.dumps(said).encode(), FIRST, header)
    assert (await verifier.check(good)).email == ANA
