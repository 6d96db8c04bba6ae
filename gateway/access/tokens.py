"""Access tokens of the gateway's own issuer: signed JWTs (RFC 7519) that say who somebody is."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

#: The one algorithm of this issuer: what a token's header says is never believed.
_ALGORITHM = "ES256"
#: Longest token that is looked at, in characters.
_LONGEST = 4096


class InvalidToken(Exception):
    """A token that proves nothing: broken, foreign, expired or not valid yet."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says. email is verified and lower case."""

    email: str
    expires_at: datetime


class Tokens:
    """Signs and checks tokens. clock: aware UTC. leeway: seconds that clocks may differ."""

    def __init__(
        self,
        key: ECKey,
        issuer: str,
        audience: str,
        lifetime: timedelta,
        leeway: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._key, self._issuer, self._audience = key, issuer, audience
        self._lifetime, self._leeway, self._clock = lifetime, leeway, clock

    def issue(self, email: str) -> str:
        """A token for a person, by the address that the CRM knows."""
        now = int(self._clock().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": email.lower(),
            "email": email.lower(),
            "email_verified": True,
            "iat": now,
            "exp": now + int(self._lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(12),
        }
        header = {"alg": _ALGORITHM, "typ": "at+jwt", "kid": self._key.thumbprint()}
        return jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM])

    def check(self, token: str) -> Claims:
        """What a token says. Raises InvalidToken, which does not tell why."""
        if len(token) > _LONGEST:
            raise InvalidToken
        try:
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken from error
        return self._believed(claims)

    def _believed(self, claims: dict[str, Any]) -> Claims:
        now = self._clock().timestamp()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires, begins = claims.get("exp"), claims.get("nbf", claims.get("iat"))
        email = claims.get("email")
        if (
            claims.get("iss") != self._issuer
            or self._audience not in audiences
            or not isinstance(expires, int)
            or not isinstance(begins, int)
            or expires + self._leeway <= now
            or begins - self._leeway > now
            or claims.get("email_verified") is not True
            or not isinstance(email, str)
        ):
            raise InvalidToken
        return Claims(email.lower(), datetime.fromtimestamp(expires, UTC))


async def signing_key(path: Path) -> ECKey:
    """The key of a file, made when the file is missing. Only the owner may read the file."""
    return await asyncio.to_thread(_signing_key, path)


def _signing_key(path: Path) -> ECKey:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The process that creates the file makes the key; whoever comes second reads it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return ECKey.import_key(json.loads(path.read_text(encoding="utf-8")))
    key = ECKey.generate_key("P-256")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(key.as_dict(private=True), file)
    return key
