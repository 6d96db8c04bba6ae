"""What others need to check our tokens: the public keys, and where they and the rest is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.access.keys import ALGORITHM, KeyRing

JWKS_PATH = "/.well-known/jwks.json"
CONFIGURATION_PATH = "/.well-known/openid-configuration"
#: The same under the name that RFC 8414 gives it.
METADATA_PATH = "/.well-known/oauth-authorization-server"
#: Seconds that others may keep an answer. A key they do not know makes them ask again.
_KEPT = 300


def configuration(issuer: str, token_path: str | None) -> dict[str, Any]:
    """The discovery document (OpenID Connect Discovery 1.0, 3; RFC 8414, 2). issuer: the URL that
    our tokens name. token_path: where programs get tokens, None where they do not."""
    base = issuer.rstrip("/")
    found: dict[str, Any] = {
        "issuer": issuer,
        "jwks_uri": base + JWKS_PATH,
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }
    if token_path:
        found |= {
            "token_endpoint": base + token_path,
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
    return found


def routes(
    keys: KeyRing,
    issuer: str,
    clock: Callable[[], datetime],
    token_path: str | None = None,
) -> list[Route]:
    """Routes for the documents above. clock: aware UTC."""
    described = configuration(issuer, token_path)
    kept = {"cache-control": f"public, max-age={_KEPT}"}

    async def jwks(http: Request) -> Response:
        body = keys.published(clock())
        return JSONResponse(body, headers=kept, media_type="application/jwk-set+json")

    async def configured(http: Request) -> Response:
        return JSONResponse(described, headers=kept)

    return [
        Route(JWKS_PATH, jwks),
        Route(CONFIGURATION_PATH, configured),
        Route(METADATA_PATH, configured),
    ]
