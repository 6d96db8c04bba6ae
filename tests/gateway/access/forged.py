"""An issuer of its own, and tokens in every form that somebody might send: what tests forge."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, serialize_compact

from connectors.kit.connector import Wiring
from gateway.access.issuers import Issuer, IssuerSettings
from gateway.access.tokens import Tokens

NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
AUDIENCE = "portal"
OWN = "https://portal.example"
ANA = "ana.torres@andina.example"

Key = RSAKey | ECKey | OKPKey

#: RSA keys take long to make; the tests need two.
FIRST = RSAKey.generate_key(2048, {"kid": "first"})
SECOND = RSAKey.generate_key(2048, {"kid": "second"})
CURVE = ECKey.generate_key("P-256", {"kid": "curve"})


def public(key: Key, **more: object) -> dict[str, Any]:
    """The key as an issuer publishes it."""
    return {**key.as_dict(private=False), **more}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(payload: bytes, key: Key, header: Mapping[str, object]) -> str:
    """A token with exactly this payload and header, whatever they hold."""
    algorithm = str(header["alg"])
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = 1_000_000
    return serialize_compact(dict(header), payload, key, registry=registry)


def raw(header: str, payload: str, key: Key) -> str:
    """A token of texts that no library would write, signed by RS256 or ES256."""
    text = f"{encoded(header.encode())}.{encoded(payload.encode())}".encode()
    name = "ES256" if isinstance(key, ECKey) else "RS256"
    algorithm = JWSRegistry.algorithms[name]
    return f"{text.decode()}.{encoded(algorithm.sign(text, key))}"


@dataclass(slots=True)
class Clock:
    """A wall clock and a monotonic one that go on when told to."""

    now: datetime = NOW
    seconds: float = 1000.0

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


@dataclass(slots=True)
class World(httpx.AsyncBaseTransport):
    """Other issuers, by URL: what each publishes, and every call that was made.

    answers: instead of what an issuer publishes, by path."""

    keys: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    answers: dict[str, Callable[[httpx.Request], httpx.Response]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.calls.append(url)
        if url in self.answers:
            return self.answers[url](request)
        issuer, _, name = url.partition("/.well-known/")
        if issuer not in self.keys:
            raise httpx.ConnectError("nobody there")
        if name == "openid-configuration":
            jwks = f"{issuer}/.well-known/keys"
            return httpx.Response(200, json={"issuer": issuer, "jwks_uri": jwks, "more": 1})
        return httpx.Response(200, json={"keys": self.keys[issuer]})

    def reads(self, issuer: str) -> int:
        """How often the issuer's keys were read."""
        return self.calls.count(f"{issuer}/.well-known/keys")


async def no_pause(seconds: float) -> None:
    """Instead of waiting between two tries."""


ISSUER = "https://login.example"


def claims(**changes: object) -> dict[str, object]:
    """What a good token of ISSUER says of Ana; a change to None takes a claim away."""
    now = int(NOW.timestamp())
    good: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u-1",
        "email": ANA,
        "email_verified": True,
        "iat": now - 10,
        "exp": now + 600,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(key: Key = FIRST, header: Mapping[str, object] | None = None, **changes: object) -> str:
    """A token of ISSUER by RS256, with these changes to its claims."""
    head = {"alg": "RS256", "typ": "JWT", "kid": key.kid, **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    return signed(json.dumps(claims(**changes)).encode(), key, head)


def issuer_of(world: World, clock: Clock, **settings: Any) -> Issuer:
    """An issuer by its settings, ISSUER unless they name another."""
    table = IssuerSettings(**{"issuer": ISSUER, "audience": AUDIENCE, **settings})
    wiring = Wiring(transport=world, clock=clock, sleep=no_pause)
    opened = Issuer.open("login", table, 30, wiring)
    opened._keys._monotonic = clock.monotonic
    return opened


def own_tokens(clock: Clock, key: ECKey = CURVE, issuer: str = OWN) -> Tokens:
    return Tokens(key, issuer, AUDIENCE, timedelta(hours=1), 30, clock)
