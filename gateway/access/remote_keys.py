"""The public keys of another issuer: found by OIDC discovery, read again when a new one turns up.

One question at a time and a pause between two, whatever tokens come; when the issuer does not
answer, the last good keys stay.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from connectors.kit.connector import Wiring
from connectors.kit.http import HttpClient, HttpSettings
from connectors.kit.replies import Reply
from connectors.port.errors import SourceError, Throttled, TimedOut, Unreadable
from gateway.access.claims import UnknownKey
from gateway.access.compact import LONGEST_KID

#: Algorithms that an issuer may be pinned to, with the kind of key that each needs. Those with a
#: shared secret are not among them: who checks such a token could also have made it.
ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "Ed25519": ("OKP", "Ed25519"),
}
#: Keys of one issuer at most.
_MOST = 100
#: RSA keys in bits: shorter ones can be broken, longer ones cost too much to check.
_RSA_BITS = (2048, 8192)
#: Members of a public key; private ones that somebody published by mistake are not even read.
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_KINDS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}
#: Seconds by which a token may seem older than it is: `iat` is cut to whole seconds.
#: Within them a key that is not known may be one made since ours were read.
_SLACK = 1.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

PublicKey = RSAKey | ECKey | OKPKey


class _Configuration(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Known:
    """A key as it was published. algorithm: the only one it is for, None for any that fits."""

    key: PublicKey
    kind: str
    curve: str | None
    algorithm: str | None

    def fits(self, algorithm: str) -> bool:
        if ALGORITHMS.get(algorithm) != (self.kind, self.curve):
            return False
        return self.algorithm is None or self.algorithm == algorithm


def is_safe(url: str) -> bool:
    """Whether keys may be read there: over TLS, or from this machine itself."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


class RemoteKeys:
    """The keys of one issuer.

    source: the name that errors carry. issuer: its URL, exactly as its tokens say it. deadline:
    seconds for one reading, discovery and keys together. pause: seconds between two readings. age:
    seconds after which keys in use are read again in passing. monotonic: seconds.
    generation: counts up whenever the keys change."""

    def __init__(
        self,
        source: str,
        issuer: str,
        wiring: Wiring,
        *,
        deadline: float = 5.0,
        pause: float = 60.0,
        age: float = 600.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source, self.issuer, self.generation = source, issuer, 0
        settings = HttpSettings(deadline=deadline, tries=2, connections=2, max_megabytes=0.25)
        self._http = HttpClient(source, issuer, settings, wiring)
        self._deadline, self._pause, self._age = deadline, pause, age
        self._monotonic = monotonic
        self._wall = wiring.clock
        self._published: list[dict[str, Any]] = []
        self._keys: dict[str | None, list[_Known]] = {}
        self._asked: float | None = None
        self._failed: SourceError | None = None
        self._read_at: float | None = None
        self._asking: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self._asking:
            self._asking.cancel()
        await self._http.close()

    async def find(self, kid: str | None, algorithm: str, issued: float | None) -> PublicKey:
        """The key of that name for that algorithm. kid: None finds the only key that fits.
        issued: when the token says it was made, seconds since 1970.

        Raises UnknownKey when the issuer has no such key, SourceError when that cannot be told."""
        found = self._known(kid, algorithm)
        if found is not None:
            self.renew()
            return found
        await self._ask_if_due()
        found = self._known(kid, algorithm)
        if found is not None:
            return found
        if self._failed is not None:
            raise self._failed
        if issued is not None and self._read_at is not None and issued > self._read_at - _SLACK:
            # The key may have been made after ours were read, which is too short ago to ask again.
            wait = max(1.0, self._pause - (self._monotonic() - (self._asked or 0.0)))
            raise Throttled(self.source, "keys: read a moment ago", retry_after=wait)
        raise UnknownKey("unknown key")

    def _known(self, kid: str | None, algorithm: str) -> PublicKey | None:
        if kid is not None:
            fitting = [one.key for one in self._keys.get(kid, ()) if one.fits(algorithm)]
        else:
            every = (one for known in self._keys.values() for one in known)
            fitting = [one.key for one in every if one.fits(algorithm)]
        return fitting[0] if len(fitting) == 1 else None

    def renew(self) -> None:
        """Reads old keys again in passing, so that one that was withdrawn is not used for ever."""
        if self._asked is None or self._monotonic() - self._asked >= self._age:
            self._start()

    async def _ask_if_due(self) -> None:
        if self._asking is None:
            pause = self._pause if self._failed is None else min(self._pause, 5.0)
            if self._asked is not None and self._monotonic() - self._asked < pause:
                return
            self._start()
        if self._asking is not None:
            await asyncio.shield(self._asking)

    def _start(self) -> None:
        if self._asking is None:
            self._asked = self._monotonic()
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(self._answered)

    def _answered(self, done: asyncio.Task[None]) -> None:
        self._asking = None
        if not done.cancelled():
            done.exception()  # retrieved: whoever waited has seen it

    async def _ask(self) -> None:
        started = self._wall().timestamp()
        try:
            async with asyncio.timeout(self._deadline):
                published = await self._fetch()
        except TimeoutError:
            self._failed = TimedOut(self.source, "keys: no answer in time")
            return
        except SourceError as error:
            self._failed = error
            return
        self._failed, self._read_at = None, started
        if published != self._published:
            self._published, self._keys = published, _usable(published)
            self.generation += 1

    async def _fetch(self) -> list[dict[str, Any]]:
        path = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        reply = await self._http.get("discovery", path)
        configuration: _Configuration = reply.decoded(_Configuration)
        if configuration.issuer != self.issuer:
            raise reply.unreadable("names another issuer", configuration.issuer[:200])
        url = configuration.jwks_uri
        if not is_safe(url) or (_is_tls(self.issuer) and not _is_tls(url)):
            raise reply.unreadable("names a place for its keys that is not safe", url[:200])
        reply = await self._http.get("keys", url)
        found = _keys_of(reply)
        if not any(known for known in _usable(found).values()):
            raise reply.unreadable("published no key that can be used")
        return found


def _is_tls(url: str) -> bool:
    return url.startswith("https://")


def _keys_of(reply: Reply) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = reply.decoded(_KeySet).keys
    if len(keys) > _MOST:
        raise Unreadable(reply.source, f"keys: published more than {_MOST} keys")
    return keys


def _usable(published: list[dict[str, Any]]) -> dict[str | None, list[_Known]]:
    """Keys by name. What is not understood is left out, as RFC 7517, 5 asks."""
    found: dict[str | None, list[_Known]] = {}
    for raw in published:
        known, kid = _key(raw), raw.get("kid")
        if known is None or not (kid is None or _is_name(kid)):
            continue
        found.setdefault(kid, []).append(known)
    return found


def _is_name(kid: object) -> bool:
    return isinstance(kid, str) and 0 < len(kid) <= LONGEST_KID


def _key(raw: dict[str, Any]) -> _Known | None:
    kind: Any = raw.get("kty")
    algorithm, operations = raw.get("alg"), raw.get("key_ops", ["verify"])
    if not isinstance(kind, str) or kind not in _KINDS or raw.get("use", "sig") != "sig":
        return None
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    if algorithm is not None and algorithm not in list(ALGORITHMS):
        return None
    public: dict[str, Any] = {"kty": kind, **{name: raw.get(name) for name in _MEMBERS[kind]}}
    try:
        if kind == "RSA" and not _RSA_BITS[0] <= _bits(raw["n"]) <= _RSA_BITS[1]:
            return None
        key = _KINDS[kind].import_key(public)
        _ = key.raw_value  # a point that is not on its curve is noticed here
        curve = None if isinstance(key, RSAKey) else key.curve_name
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return _Known(key, kind, curve, algorithm)


def _bits(modulus: str) -> int:
    padded = modulus + "=" * (-len(modulus) % 4)
    return int.from_bytes(base64.urlsafe_b64decode(padded)).bit_length()
