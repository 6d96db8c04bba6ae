"""Access tokens of the gateway's own issuer: signed JWTs (RFC 9068) that say who somebody is."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.access import compact
from gateway.access.claims import (
    Claims,
    InvalidToken,
    Proof,
    UnknownKey,
    address,
    at,
    expiry,
    meant_for,
    words,
)
from gateway.access.keys import ALGORITHM, KeyRing

__all__ = ["LONGEST_LEEWAY", "Claims", "InvalidToken", "Tokens", "signing_key"]

#: The type of our tokens: an ID token or one for another purpose is none. RFC 9068, 2.1.
_TYPE = "at+jwt"
#: Most seconds that clocks may be said to differ.
LONGEST_LEEWAY = 300


class Tokens:
    """Signs and checks tokens.

    keys: a ring, or a single key. lifetime: of a token that is issued without one. leeway: seconds
    that clocks may differ, at most LONGEST_LEEWAY. clock: aware UTC."""

    def __init__(
        self,
        keys: KeyRing | ECKey,
        issuer: str,
        audience: str,
        lifetime: timedelta,
        leeway: int,
        clock: Callable[[], datetime],
    ) -> None:
        if not 0 <= leeway <= LONGEST_LEEWAY:
            raise ValueError(f"leeway goes from 0 to {LONGEST_LEEWAY} seconds")
        self.keys = keys if isinstance(keys, KeyRing) else KeyRing.single(keys)
        self.issuer, self.audience = issuer, audience
        self.lifetime, self.leeway, self.clock = lifetime, leeway, clock

    @property
    def generation(self) -> int:
        """Counts up whenever what was proven has to be proven anew."""
        return self.keys.generation

    def issue(self, email: str) -> str:
        """A token for a person, by the address that the CRM knows. Raises ValueError when it is
        no address."""
        return self.issue_person(email)[0]

    def issue_session(self, email: str, session_id: str) -> tuple[str, datetime]:
        """A token of a session of our own, and when it ends."""
        return self.issue_person(email, session_id=session_id)

    def issue_person(
        self,
        email: str,
        *,
        session_id: str | None = None,
        contact_id: str | None = None,
        lifetime: timedelta | None = None,
    ) -> tuple[str, datetime]:
        """A token for a person, and when it ends. Raises ValueError when email is no address."""
        known = address(email)
        if known is None:
            raise ValueError("that is no mail address")
        said: dict[str, Any] = {"sub": known, "email": known, "email_verified": True}
        if session_id is not None:
            said["sid"] = session_id
        if contact_id is not None:
            said["contact"] = contact_id
        return self._signed(said, lifetime)

    def issue_staff(
        self, client_id: str, scopes: Iterable[str], lifetime: timedelta | None = None
    ) -> tuple[str, datetime]:
        """A token for a program of an integration team, and when it ends."""
        scope = " ".join(sorted(set(scopes)))
        said = {"sub": client_id, "client_id": client_id, "staff": True, "scope": scope}
        return self._signed(said, lifetime)

    def _signed(self, said: dict[str, Any], lifetime: timedelta | None) -> tuple[str, datetime]:
        now = int(self.clock().timestamp())
        expires = now + int((lifetime or self.lifetime).total_seconds())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "exp": expires,
            "jti": secrets.token_urlsafe(12),
            **said,
        }
        key = self.keys.signing
        header = {"alg": ALGORITHM, "typ": _TYPE, "kid": key.kid}
        return jwt.encode(header, claims, key.key, algorithms=[ALGORITHM]), at(expires)

    def check(self, token: str) -> Claims:
        """What a token says. Raises InvalidToken, which tells callers nothing of why."""
        return self.proof(compact.read(token)).claims

    def proof(self, token: compact.Compact) -> Proof:
        """What a token says, checked. Raises InvalidToken, or UnknownKey when no key of ours has
        the name that it gives."""
        now = self.clock().timestamp()
        if token.algorithm != ALGORITHM or token.type != _TYPE:
            raise InvalidToken("algorithm")
        key = self.keys.verifying(token.kid, now)
        if key is None:
            raise UnknownKey("unknown key")
        compact.verify(token, key.key, (ALGORITHM,))
        meant_for(token.claims, self.issuer, self.audience)
        expires = expiry(token.claims, now, self.leeway)
        until = expires + self.leeway
        if key.ends_at is not None:
            until = min(until, key.ends_at.timestamp())
        return Proof(self._claims(token.claims, expires), until)

    def _claims(self, said: dict[str, Any], expires: float) -> Claims:
        texts = {name: said.get(name) for name in ("sub", "sid", "contact", "client_id")}
        if any(not isinstance(one, str | None) for one in texts.values()) or not texts["sub"]:
            raise InvalidToken("claims")
        if said.get("staff") is True:
            if not texts["client_id"]:
                raise InvalidToken("no client")
            return Claims(
                issuer=self.issuer,
                subject=texts["sub"],
                email=None,
                contact_id=None,
                expires_at=at(expires),
                client_id=texts["client_id"],
                scopes=words(said.get("scope")),
                staff=True,
            )
        email = address(said.get("email")) if said.get("email_verified") is True else None
        if email is None:
            raise InvalidToken("no address")
        return Claims(
            issuer=self.issuer,
            subject=texts["sub"],
            email=email,
            contact_id=texts["contact"],
            expires_at=at(expires),
            session_id=texts["sid"],
        )


async def signing_key(path: Path) -> KeyRing:
    """The keys of a file, made when the file is missing. Only the owner may read the file. Raises
    SecretFileError."""
    return await KeyRing.load(path)
