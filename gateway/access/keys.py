"""The keys of our own issuer: one signs, older ones still verify until their end.

The file is a JSON object: `{"keys": [{"jwk": {...}, "created_at": ..., "ends_at": ...}]}`, the
signing key first and without an end. A file with a single private JWK, as older versions wrote it,
is a ring of one.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from gateway.access import files
from gateway.access.files import SecretFileError

#: The one algorithm of this issuer.
ALGORITHM = "ES256"
_CURVE = "P-256"
#: Keys of a ring at most; a rotation drops those that have ended.
_MOST = 20
#: Seconds between two looks at the file because of a key that is not known.
_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True, slots=True)
class RingKey:
    """A private key and its times, aware UTC. ends_at: None for the key that signs."""

    key: ECKey
    kid: str
    created_at: datetime | None = None
    ends_at: datetime | None = None

    @classmethod
    def of(cls, key: ECKey, created_at: datetime | None = None) -> RingKey:
        """A key by its thumbprint, RFC 7638."""
        return cls(key, key.thumbprint(), created_at)


class KeyRing:
    """The keys of a file, or of nowhere. `load` makes the file when it is missing.

    generation: counts up whenever the keys change, so that what was proven by them is proven anew.
    monotonic: seconds, for the pause between two looks at the file."""

    def __init__(
        self,
        keys: Sequence[RingKey],
        path: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.generation = 0
        self._monotonic = monotonic
        self._by_kid: dict[str, RingKey] = {}
        self._version: tuple[int, int, int] | None = None
        self._looked: float | None = None
        self._looking: asyncio.Task[None] | None = None
        self.keys: tuple[RingKey, ...] = ()
        self._set(keys)

    @classmethod
    async def load(
        cls,
        path: Path,
        clock: Callable[[], datetime] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> KeyRing:
        """The ring of a file, made when it is missing. Raises SecretFileError."""
        now = (clock or _now)()
        return cls(await asyncio.to_thread(_load, path, now), path, monotonic)

    @classmethod
    def single(cls, key: ECKey) -> KeyRing:
        """A ring of one key, kept nowhere."""
        return cls([RingKey.of(key)])

    def _set(self, keys: Sequence[RingKey]) -> None:
        if [(one.kid, one.ends_at) for one in keys] == [(k.kid, k.ends_at) for k in self.keys]:
            return
        self.keys = tuple(keys)
        self._by_kid = {one.kid: one for one in self.keys}
        self.generation += 1

    @property
    def signing(self) -> RingKey:
        """The key that signs."""
        return self.keys[0]

    def verifying(self, kid: str | None, now: float) -> RingKey | None:
        """The key of that name if it may still verify. now: seconds since 1970."""
        found = self._by_kid.get(kid) if kid else None
        if found and found.ends_at and found.ends_at.timestamp() <= now:
            return None
        return found

    def published(self, now: datetime) -> dict[str, Any]:
        """The JWK Set that others check our tokens by: public keys alone, the signing one first."""
        return {
            "keys": [
                {**_public(one.key), "kid": one.kid, "use": "sig", "alg": ALGORITHM}
                for one in self.keys
                if one.ends_at is None or one.ends_at > now
            ]
        }

    async def refresh(self, *, patient: bool = True) -> None:
        """Reads the file again if it has changed since. patient: at most once a second, however
        many ask. Raises SecretFileError."""
        if self.path is None:
            return
        if self._looking is None:
            looked = self._looked
            if patient and looked is not None and self._monotonic() - looked < _BETWEEN_LOOKS:
                return
            self._looking = asyncio.create_task(self._look(self.path))
            self._looking.add_done_callback(self._looked_up)
        await asyncio.shield(self._looking)

    def _looked_up(self, done: asyncio.Task[None]) -> None:
        self._looking = None
        if not done.cancelled():
            done.exception()  # retrieved: whoever waited has seen it

    async def _look(self, path: Path) -> None:
        self._looked = self._monotonic()
        version = await asyncio.to_thread(files.version, path)
        if version is None or version == self._version:
            return
        keys = await asyncio.to_thread(_read, path)
        self._version = version
        if keys is not None:
            self._set(keys)

    async def follow(self, every: float = 5.0) -> None:
        """Keeps up with the file until cancelled, so that a rotation by command needs no restart.
        A file that cannot be read is logged, and the known keys stay. every: seconds."""
        while True:
            await asyncio.sleep(every)
            try:
                await self.refresh(patient=False)
            except SecretFileError as error:
                files.complain(error)


async def rotate(
    path: Path, keep: timedelta, clock: Callable[[], datetime] | None = None
) -> RingKey:
    """Makes a new key that signs from now on and answers it. keep: how long the key that signed so
    far still verifies; at least the life of a token, so that nobody is signed out. `timedelta(0)`
    ends every older key at once, for a key that was stolen. Raises SecretFileError."""
    return await asyncio.to_thread(_rotate, path, keep, (clock or _now)())


def _rotate(path: Path, keep: timedelta, now: datetime) -> RingKey:
    with files.changing(path):
        new = RingKey.of(ECKey.generate_key(_CURVE), now)
        kept = [
            replace(one, ends_at=min(one.ends_at or now + keep, now + keep))
            for one in _read(path) or ()
        ]
        ring = [new, *(one for one in kept if one.ends_at and one.ends_at > now)][:_MOST]
        files.replace(path, _written(ring))
    return new


def _load(path: Path, now: datetime) -> Sequence[RingKey]:
    found = _read(path)
    if found is None:
        files.create(path, _written([RingKey.of(ECKey.generate_key(_CURVE), now)]))
        found = _read(path)  # whoever came second reads what the first has written
    if found is None:
        raise SecretFileError(f"{path}: vanished while it was made")
    return found


def _read(path: Path) -> Sequence[RingKey] | None:
    text = files.read(path)
    if text is None:
        return None
    try:
        raw = json.loads(text)
        keys = [_key(one) for one in raw["keys"]] if "keys" in raw else [RingKey.of(_private(raw))]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        # The text of the error could quote the file.
        raise SecretFileError(f"{path}: no keys of this program ({type(error).__name__})") from None
    if not keys or keys[0].ends_at is not None:
        raise SecretFileError(f"{path}: no key that signs")
    return keys


def _key(raw: dict[str, Any]) -> RingKey:
    key = RingKey.of(_private(raw["jwk"]))
    created_at, ends_at = (
        datetime.fromisoformat(raw[name]).astimezone(UTC) if raw.get(name) else None
        for name in ("created_at", "ends_at")
    )
    return replace(key, created_at=created_at, ends_at=ends_at)


def _private(raw: dict[str, Any]) -> ECKey:
    key = ECKey.import_key(raw)
    if not key.is_private or key.curve_name != _CURVE:
        raise ValueError("a private key on P-256 is needed")
    return key


def _written(ring: Sequence[RingKey]) -> str:
    keys = [
        {
            "jwk": one.key.as_dict(private=True),
            "created_at": one.created_at and one.created_at.isoformat(),
            "ends_at": one.ends_at and one.ends_at.isoformat(),
        }
        for one in ring
    ]
    return json.dumps({"keys": keys}, indent=1)


def _public(key: ECKey) -> dict[str, Any]:
    known = key.as_dict(private=False)
    return {name: known[name] for name in ("kty", "crv", "x", "y")}


def _now() -> datetime:
    return datetime.now(UTC)
