"""What a checked token says of its bearer, in one form for every issuer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: Longest address that is one. RFC 5321 leaves 254 characters between the angle brackets.
_LONGEST_ADDRESS = 254
#: Largest number that a datetime can hold as seconds since 1970.
_LAST_SECOND = 253_402_300_799


class InvalidToken(Exception):
    """A token that proves nothing: broken, foreign, expired, not valid yet, or ended.

    reason: a fixed word or two for logs and the audit. Callers are never told it."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownKey(InvalidToken):
    """A token whose key is not known here; it may have been made since the keys were read."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says.

    issuer, subject: as the token has them. email: proven to be the bearer's, see `address`.
    contact_id: the CRM's key, where the issuer knows it. session_id: of a session of our own.
    staff: the bearer is a program of an integration team, with `scopes` and neither email nor
    contact. client_id: the program's name."""

    issuer: str
    subject: str
    email: str | None
    contact_id: str | None
    expires_at: datetime
    session_id: str | None = None
    client_id: str | None = None
    scopes: frozenset[str] = frozenset()
    staff: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """Claims, and until when (seconds since 1970) their token need not be checked again."""

    claims: Claims
    until: float


def ascii_lower(text: str) -> str:
    """The text with A to Z in lower case and nothing else changed. `str.lower` would make the
    Kelvin sign a "k", and so one person of two."""
    if text.isascii():
        return text.lower()
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def address(value: object) -> str | None:
    """A mail address in the form that addresses are compared in: A to Z in lower case, the rest as
    it is. None when the value is none. Two addresses are the same when this is equal, whatever
    else may look alike."""
    if not isinstance(value, str) or not 3 <= len(value) <= _LONGEST_ADDRESS:
        return None
    local, at, domain = value.rpartition("@")
    if not (local and at and domain) or not value.isprintable() or " " in value:
        return None
    return ascii_lower(value)


def moment(claims: dict[str, Any], name: str) -> float | None:
    """A time claim as seconds since 1970, None when it is missing. Raises InvalidToken when it is
    no time. RFC 7519, 2: NumericDate, which may have a fraction."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"{name} is no time")
    if not 0 <= value <= _LAST_SECOND:  # infinity and NaN too
        raise InvalidToken(f"{name} is no time")
    return float(value)


def expiry(claims: dict[str, Any], now: float, leeway: float) -> float:
    """When the token ends, in seconds since 1970. Raises InvalidToken when it has ended, has not
    begun, or never ends. leeway: seconds that clocks may differ."""
    expires = moment(claims, "exp")
    if expires is None:
        raise InvalidToken("no exp")
    if expires + leeway <= now:
        raise InvalidToken("expired")
    for name in ("nbf", "iat"):
        begins = moment(claims, name)
        if begins is not None and begins - leeway > now:
            raise InvalidToken("not valid yet")
    return expires


def meant_for(claims: dict[str, Any], issuer: str, audience: str) -> None:
    """Raises InvalidToken unless issuer and audience are exactly these."""
    if claims.get("iss") != issuer:
        raise InvalidToken("wrong issuer")
    named = claims.get("aud")
    audiences = named if isinstance(named, list) else [named]
    if not any(isinstance(one, str) and one == audience for one in audiences):
        raise InvalidToken("wrong audience")


def at(seconds: float) -> datetime:
    """A moment as aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def words(value: object) -> frozenset[str]:
    """Scopes: a string with spaces (RFC 8693, 4.2) or a list of strings."""
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(one for one in value if isinstance(one, str))
    return frozenset()
