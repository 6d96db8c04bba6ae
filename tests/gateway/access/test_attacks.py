"""Every way to get in without being let in, tried on our own issuer and on another one."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from gateway.access import compact
from gateway.access.claims import InvalidToken
from gateway.access.tokens import Tokens
from gateway.access.verifier import Verifier
from tests.gateway.access.forged import (
    ANA,
    AUDIENCE,
    CURVE,
    FIRST,
    ISSUER,
    NOW,
    OWN,
    SECOND,
    Clock,
    Key,
    World,
    claims,
    encoded,
    own_tokens,
    public,
    raw,
    signed,
    token,
)

pytestmark = pytest.mark.anyio

SECONDS = int(NOW.timestamp())


def own_claims(**changes: object) -> dict[str, object]:
    said = {"iss": OWN, "sub": ANA}
    return claims(**(said | changes))


def own_token(
    own: Tokens, header: dict[str, object] | None = None, key: Key = CURVE, **changes: object
) -> str:
    """A token as our own issuer makes it, with changes to its claims and header."""
    head = {"alg": "ES256", "typ": "at+jwt", "kid": own.keys.signing.kid, **(header or {})}
    return signed(json.dumps(own_claims(**changes)).encode(), key, head)


async def refused(verifier: Verifier, forged: str) -> str:
    """Why it was refused. It is refused the second time too."""
    with pytest.raises(InvalidToken):
        await verifier.check(forged)
    with pytest.raises(InvalidToken) as caught:
        await verifier.check(forged)
    return caught.value.reason


async def test_good_tokens_open_the_door(verifier: Verifier, own: Tokens) -> None:
    """Without this the tests below could pass by refusing everything."""
    assert (await verifier.check(token())).email == ANA
    assert (await verifier.check(own_token(own))).email == ANA
    assert (await verifier.check(own.issue(ANA))).email == ANA


def unsigned(said: dict[str, object], kid: str, algorithm: str) -> list[str]:
    head = encoded(json.dumps({"alg": algorithm, "typ": "at+jwt", "kid": kid}).encode())
    body = encoded(json.dumps(said).encode())
    return [f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}.AA", f"{head}.{body}.{body}"]


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
async def test_a_token_that_nobody_signed(verifier: Verifier, own: Tokens, algorithm: str) -> None:
    for forged in unsigned(claims(), "first", algorithm):
        await refused(verifier, forged)
    for forged in unsigned(own_claims(), own.keys.signing.kid, algorithm):
        await refused(verifier, forged)


def keyed(head: Mapping[str, object], said: Mapping[str, object], secret: bytes) -> str:
    """A token under a shared secret. By hand: a library that is careful refuses to make it."""
    text = ".".join(encoded(json.dumps(part).encode()) for part in (head, said))
    digest = str(head["alg"]).replace("HS", "sha")
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), digest))}"


def secrets_of(key: RSAKey | ECKey) -> list[bytes]:
    """The public key in every form that somebody could take for a shared secret."""
    pem = key.as_pem(private=False)
    jwk = key.as_dict(private=False)
    return [
        pem,
        pem.strip(),
        key.as_der(private=False),
        json.dumps(jwk).encode(),
        json.dumps(jwk, separators=(",", ":")).encode(),
        json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode(),
        str(jwk.get("n", jwk.get("x"))).encode(),
    ]


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_a_public_key_used_as_a_shared_secret(
    verifier: Verifier, own: Tokens, world: World, algorithm: str
) -> None:
    for secret in secrets_of(FIRST):
        head = {"alg": algorithm, "typ": "JWT", "kid": "first"}
        assert await refused(verifier, keyed(head, claims(), secret)) == "algorithm"
    for secret in secrets_of(CURVE):
        head = {"alg": algorithm, "typ": "at+jwt", "kid": own.keys.signing.kid}
        assert await refused(verifier, keyed(head, own_claims(), secret)) == "algorithm"
    assert world.calls == []


async def test_an_algorithm_that_the_issuer_is_not_pinned_to(
    verifier: Verifier, own: Tokens, world: World
) -> None:
    world.keys[ISSUER] = [public(FIRST), public(CURVE)]
    assert await refused(verifier, token(FIRST, {"alg": "RS512"})) == "algorithm"
    assert await refused(verifier, token(FIRST, {"alg": "PS256"})) == "algorithm"
    assert await refused(verifier, token(CURVE, {"alg": "ES256"})) == "algorithm"
    assert await refused(verifier, own_token(own, {"alg": "RS256"}, FIRST)) == "algorithm"


async def test_a_signature_is_only_checked_by_the_algorithms_of_the_keys_owner() -> None:
    good = compact.read(token())
    compact.verify(good, FIRST, ["RS256"])
    for pinned in (["RS512"], ["ES256", "PS256"], []):
        with pytest.raises(InvalidToken):
            compact.verify(good, FIRST, pinned)


async def test_a_key_of_another_kind_under_the_pinned_algorithms_name(
    verifier: Verifier, world: World
) -> None:
    world.keys[ISSUER] = [public(CURVE, kid="first")]
    forged = raw(json.dumps({"alg": "RS256", "kid": "first"}), json.dumps(claims()), CURVE)
    assert await refused(verifier, forged) == "unknown key"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": ISSUER + "/"},
        {"iss": ISSUER.upper()},
        {"iss": "http://login.example"},
        {"iss": ISSUER + "\x00"},
        {"iss": ISSUER + ":443"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"iss": {"url": ISSUER}},
        {"iss": OWN},
        {"aud": "other"},
        {"aud": AUDIENCE.upper()},
        {"aud": AUDIENCE + " "},
        {"aud": ["other", "another"]},
        {"aud": [[AUDIENCE]]},
        {"aud": {AUDIENCE: True}},
        {"aud": []},
        {"aud": None},
        {"exp": SECONDS - 31},
        {"exp": SECONDS - 30},
        {"exp": 0},
        {"exp": None},
        {"exp": True},
        {"exp": str(SECONDS + 600)},
        {"exp": -1},
        {"exp": 10**30},
        {"exp": [SECONDS + 600]},
        {"nbf": SECONDS + 31},
        {"nbf": str(SECONDS)},
        {"nbf": True},
        {"iat": SECONDS + 31},
        {"iat": "yesterday"},
        {"email": None},
        {"email_verified": None},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email": "ana"},
        {"email": "@andina.example"},
        {"email": ANA + "\x00"},
        {"email": "\x00" + ANA},
        {"email": ANA + "\n"},
        {"email": " " + ANA},
        {"email": [ANA]},
        {"email": "a" * 250 + "@x.example"},
        {"sub": None},
        {"sub": 7},
        {"sub": "u\x001"},
        {"sub": ""},
    ],
    ids=str,
)
async def test_a_claim_that_is_wrong(verifier: Verifier, own: Tokens, changes: Any) -> None:
    await refused(verifier, token(**changes))
    if changes not in ({"iss": OWN}, {"sub": "u\x001"}):
        await refused(verifier, own_token(own, **changes))


async def test_clocks_may_differ_by_the_leeway_and_no_more(verifier: Verifier) -> None:
    assert (await verifier.check(token(exp=SECONDS - 29))).email == ANA
    assert (await verifier.check(token(nbf=SECONDS + 30))).email == ANA
    assert (await verifier.check(token(iat=SECONDS + 30))).email == ANA


def test_a_leeway_without_bound_is_refused(clock: Clock) -> None:
    with pytest.raises(ValueError, match="leeway"):
        Tokens(CURVE, OWN, AUDIENCE, timedelta(hours=1), 301, clock)


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../etc/passwd",
        "/dev/null",
        "file:///proc/self/environ",
        "first' OR '1'='1",
        "'; DROP TABLE keys; --",
        "first\x00",
        "first ",
        "FIRST",
        "https://evil.example/key",
        "__class__",
        "ｆirst",
        "k" * 256,
        "k" * 257,
        "",
        7,
        ["first"],
        {"kid": "first"},
        True,
    ],
    ids=repr,
)
async def test_a_kid_is_a_name_in_a_dictionary_and_nothing_else(
    verifier: Verifier, own: Tokens, world: World, kid: Any
) -> None:
    head = json.dumps({"alg": "RS256", "typ": "JWT", "kid": kid})
    await refused(verifier, raw(head, json.dumps(claims()), FIRST))
    head = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": kid})
    await refused(verifier, raw(head, json.dumps(own_claims()), CURVE))
    assert set(world.calls) <= {
        f"{ISSUER}/.well-known/openid-configuration",
        f"{ISSUER}/.well-known/keys",
    }


async def test_our_own_tokens_always_name_their_key(verifier: Verifier, own: Tokens) -> None:
    head = json.dumps({"alg": "ES256", "typ": "at+jwt"})
    assert await refused(verifier, raw(head, json.dumps(own_claims()), CURVE)) == "unknown key"


async def test_a_key_that_the_token_brings_along_is_not_looked_at(
    verifier: Verifier, own: Tokens, world: World
) -> None:
    world.keys["https://evil.example"] = [public(SECOND, kid="first")]
    mine = ECKey.generate_key("P-256")
    brought: list[dict[str, object]] = [
        {"jku": "https://evil.example/.well-known/keys"},
        {"jku": f"{ISSUER}/.well-known/keys/../../evil"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": [encoded(b"certificate")]},
        {"jwk": public(SECOND)},
    ]
    for header in brought:
        assert await refused(verifier, token(SECOND, {**header, "kid": "first"})) == "signature"
        assert await refused(verifier, own_token(own, header, mine)) == "signature"
    own_jwk: dict[str, object] = {"jwk": public(mine)}
    assert await refused(verifier, own_token(own, own_jwk, mine)) == "signature"
    assert not [call for call in world.calls if not call.startswith(f"{ISSUER}/.well-known/")]


async def test_such_a_header_does_no_harm_to_a_good_token(verifier: Verifier, world: World) -> None:
    good = token(FIRST, {"jku": "https://evil.example/keys", "x5u": "https://evil.example/x"})
    assert (await verifier.check(good)).email == ANA
    assert not [call for call in world.calls if "evil" in call]


async def test_what_is_critical_and_not_understood(verifier: Verifier) -> None:
    forged = raw(
        json.dumps({"alg": "RS256", "kid": "first", "crit": ["exp"], "exp": 1}),
        json.dumps(claims()),
        FIRST,
    )
    assert await refused(verifier, forged) == "crit"
    forged = raw(
        json.dumps({"alg": "RS256", "kid": "first", "b64": False}), json.dumps(claims()), FIRST
    )
    assert await refused(verifier, forged) == "crit"


@pytest.mark.parametrize("kind", ["logout+jwt", "dpop+jwt", "secevent+jwt", "JWE", "at+jwt\x00"])
async def test_a_token_made_for_something_else(verifier: Verifier, own: Tokens, kind: str) -> None:
    assert await refused(verifier, token(FIRST, {"typ": kind})) == "algorithm"
    assert await refused(verifier, own_token(own, {"typ": kind})) == "algorithm"
    assert await refused(verifier, own_token(own, {"typ": "JWT"})) == "algorithm"


async def test_a_claim_twice(verifier: Verifier, own: Tokens) -> None:
    head = json.dumps({"alg": "RS256", "kid": "first"})
    good = json.dumps(claims())
    for more in (
        '"email": "luis.rojas@pacifico.example"',
        f'"email": "{ANA}"',
        f'"exp": {SECONDS + 9999}',
        '"deep": {"a": 1, "a": 2}',
    ):
        assert (
            await refused(verifier, raw(head, f"{good[:-1]}, {more}}}", FIRST)) == "a claim twice"
        )
    twice = '{"alg": "none", "alg": "RS256", "kid": "first"}'
    assert await refused(verifier, raw(twice, good, FIRST)) == "a claim twice"
    own_head = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": own.keys.signing.kid})
    forged = raw(own_head, json.dumps(own_claims())[:-1] + ', "email": "x@y.example"}', CURVE)
    assert await refused(verifier, forged) == "a claim twice"


async def test_a_huge_token(verifier: Verifier, world: World) -> None:
    for forged in (
        token(more="x" * 10_000),
        "A" * 10_000_000,
        "." * 1_000_000,
        "é" * 9000,
    ):
        assert await refused(verifier, forged) == "too long"
        with pytest.raises(InvalidToken):
            compact.read(forged)
    with pytest.raises(InvalidToken) as caught:
        compact.read(token(more="x" * 10_000))
    assert caught.value.reason == "too long"
    deep = "[" * 5000 + "]" * 5000
    head = json.dumps({"alg": "RS256", "kid": "first"})
    await refused(verifier, raw(head, '{"a":' + deep[: 2 * 900] + "}", FIRST))
    assert world.calls == []


async def test_what_is_no_token(verifier: Verifier, world: World) -> None:
    good = token()
    first, second, third = good.split(".")
    for forged in (
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        "\x00",
        good + "\x00",
        "\x00" + good,
        good.replace(".", "\x00.", 1),
        good + " ",
        good + "\n",
        good + "=",
        good + ".",
        good + ".AAAA",
        good + "AAAA",
        good + "#fragment",
        good + "," + good,
        f"{first}.{second}={third}",
        f"{first}..{third}",
        f"{first}.{second}.{third[:-4]}",
        f"{first}.{second}.{third.replace('-', '+').replace('_', '/')}+",
        f"{first}.{second}.{third}==",
        f"{first}\n.{second}.{third}",
        f"{encoded(b'[]')}.{second}.{third}",
        f"{encoded(b'null')}.{second}.{third}",
        f"{encoded(bytes([0xFF, 0xFE]))}.{second}.{third}",
        f"{first}.{encoded(b'{')}.{third}",
        f"{first}.{encoded(b'NaN')}.{third}",
        f"{encoded(b'{}')}.{second}.{third}",
        good[::-1],
    ):
        await refused(verifier, forged)
    assert (await verifier.check(good)).email == ANA


async def test_bits_of_a_signature_that_belong_to_no_byte(verifier: Verifier, own: Tokens) -> None:
    """The last character of a signature on P-256 holds four bits that no byte takes up."""
    good = own.issue(ANA)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(good[-1])
    for more in range(1, 16):
        changed = alphabet[(last & ~15) | ((last + more) & 15)]
        assert await refused(verifier, good[:-1] + changed) == "no base64"


async def test_numbers_that_are_none(verifier: Verifier) -> None:
    head = json.dumps({"alg": "RS256", "kid": "first"})
    good = json.dumps(claims(exp=None))
    for number in ("Infinity", "-Infinity", "NaN", "1e999", "1e400", "9" * 5000, "-1e999"):
        await refused(verifier, raw(head, f'{good[:-1]}, "exp": {number}}}', FIRST))


async def test_a_changed_payload_or_signature(verifier: Verifier, own: Tokens) -> None:
    for good, said in ((token(), claims()), (own.issue(ANA), own_claims())):
        head, body, signature = good.split(".")
        other = encoded(json.dumps(said | {"email": "luis.rojas@pacifico.example"}).encode())
        assert await refused(verifier, f"{head}.{other}.{signature}") == "signature"
        flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
        assert await refused(verifier, f"{head}.{body}.{flipped}") == "signature"
        zero = encoded(bytes(64))
        assert await refused(verifier, f"{head}.{body}.{zero}") == "signature"


async def test_another_issuer_cannot_speak_for_us_nor_we_for_it(
    verifier: Verifier, own: Tokens, clock: Clock
) -> None:
    """The issuer that a token names chooses keys and rules, so its own key opens nothing else."""
    assert await refused(verifier, token(iss=OWN)) == "algorithm"
    forged = signed(
        json.dumps(own_claims()).encode(),
        FIRST,
        {"alg": "RS256", "typ": "at+jwt", "kid": "first"},
    )
    assert await refused(verifier, forged) == "algorithm"
    as_them = own_tokens(clock, issuer=ISSUER).issue(ANA)
    assert await refused(verifier, as_them) == "algorithm"
    assert await refused(verifier, own_tokens(clock, issuer="https://third.example").issue(ANA))


async def test_a_program_cannot_pass_for_a_person_nor_a_person_for_a_program(
    verifier: Verifier, own: Tokens
) -> None:
    program = await verifier.check(own.issue_staff(ANA, ["cases:read"])[0])
    assert (program.staff, program.email, program.contact_id) == (True, None, None)
    for staff in ("true", 1, None, False):
        person = await verifier.check(
            own_token(own, staff=staff, scope="cases:read", client_id="x")
        )
        assert (person.staff, person.scopes, person.email) == (False, frozenset(), ANA)
    # Another issuer's "staff" is a claim like any other until the settings say otherwise.
    assert not (await verifier.check(token(staff=True, scope="cases:read", sid="s-1"))).staff


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana.torres@andina.example", "аna.torres@andina.example"),  # Cyrillic а
        ("ana.torres@andina.example", "ana.tοrres@andina.example"),  # Greek ο
        ("mark@andina.example", "mar\N{KELVIN SIGN}@andina.example"),
        ("strasse@andina.example", "straße@andina.example"),
        ("angstrom@x.example", "\N{ANGSTROM SIGN}ngstrom@x.example"),
        ("\N{LATIN CAPITAL LETTER A WITH RING ABOVE}@x.example", "\N{ANGSTROM SIGN}@x.example"),
        ("peña@x.example", "pen\N{COMBINING TILDE}a@x.example"),
        ("ana@x.example", "ａna@x.example"),
        ("fi@x.example", "ﬁ@x.example"),
        ("i@x.example", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}@x.example"),
        ("i@x.example", "\N{LATIN SMALL LETTER DOTLESS I}@x.example"),
        ("É@x.example", "é@x.example"),
        ("ana@x.example", "ana@x.example\N{ZERO WIDTH SPACE}"),
        ("ana@x.example", "a\N{SOFT HYPHEN}na@x.example"),
        ("ana@andina.example", "ana@andina。example"),
    ],
)
async def test_addresses_that_look_alike_are_two_persons(
    verifier: Verifier, own: Tokens, one: str, other: str
) -> None:
    first = await verifier.check(token(email=one))
    try:
        second = (await verifier.check(token(email=other))).email
    except InvalidToken:
        second = None  # signs that cannot be seen are in no address
    assert second != first.email
    if second is not None:
        assert own.check(own.issue(other)).email == second
        assert own.check(own.issue(one)).email != second


async def test_letters_of_ascii_have_no_case_in_an_address(verifier: Verifier) -> None:
    for said in ("Ana.Torres@Andina.Example", ANA.upper()):
        assert (await verifier.check(token(email=said))).email == ANA
    assert (await verifier.check(token(email="PEÑA@x.example"))).email == "peÑa@x.example"
