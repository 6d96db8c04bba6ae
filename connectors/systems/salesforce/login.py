"""Logs in: turns client credentials or a signed assertion into the token of all other calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlencode

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from msgspec import Meta

from connectors.kit.auth import Fetched
from connectors.kit.http import HttpClient
from connectors.systems.salesforce.failures import LOGIN
from connectors.systems.salesforce.settings import ClientCredentials, JwtBearer, Settings

_PATH: Final = "/services/oauth2/token"
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: How long an assertion is good for, in seconds. The org accepts no more than three minutes.
_ASSERTION: Final = 120

Form = Mapping[str, str]


class _Token(msgspec.Struct):
    access_token: Annotated[str, Meta(min_length=1)]


def credential(settings: Settings, clock: Callable[[], datetime]) -> Fetched:
    """A token that is fetched at the first call and again when it is refused. Calls go on to the
    org's own host, never to one that an answer names. Raises ValueError for a key that is none."""
    form = _form(settings.login, clock)
    url = (settings.login.url or settings.url).rstrip("/") + _PATH

    async def fetch(client: HttpClient) -> str:
        reply = await client.call(
            LOGIN,
            "POST",
            url,
            headers={"content-type": "application/x-www-form-urlencoded"},
            content=urlencode(form()).encode(),
            reads=True,
            authorized=False,
        )
        token: _Token = reply.decoded(_Token)
        return token.access_token

    return Fetched(fetch)


def _form(
    login: ClientCredentials | JwtBearer, clock: Callable[[], datetime]
) -> Callable[[], Form]:
    if isinstance(login, ClientCredentials):
        fixed = {
            "grant_type": "client_credentials",
            "client_id": login.client_id,
            "client_secret": login.client_secret,
        }
        return lambda: fixed
    key = _key(login.private_key)
    return lambda: {"grant_type": _JWT_GRANT, "assertion": _assertion(login, key, clock())}


def _key(pem: str) -> RSAKey:
    try:
        key = RSAKey.import_key(pem)
        private = key.is_private
    except (ValueError, TypeError, JoseError):
        private = False
        key = None
    if key is None or not private:
        # Without the cause, which may quote the text.
        raise ValueError("login.private_key is no RSA private key in PEM") from None
    return key


def _assertion(login: JwtBearer, key: RSAKey, now: datetime) -> str:
    claims = {
        "iss": login.client_id,
        "sub": login.user,
        "aud": login.audience,
        "exp": int(now.timestamp()) + _ASSERTION,
    }
    return jwt.encode({"alg": "RS256"}, claims, key, algorithms=["RS256"])
