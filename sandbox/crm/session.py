"""Lets callers in: the token resource with its two grants, and the check of what they bring."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "sandbox-secret"  # noqa: S105 - the sandbox holds nothing worth a secret
USERNAME: Final = "integration@portal.example"
_ORGANISATION: Final = "00DSB0000000001MAA"
_USER: Final = "005SB0000000001YAA"
_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUDIENCES: Final = frozenset({"https://login.salesforce.com", "https://test.salesforce.com"})

TokenAnswer = tuple[int, dict[str, Any]]


class Session:
    """One session at a time: all tokens asked for while it lives are the same, as the vendor's."""

    def __init__(self) -> None:
        self._token = _new_token()

    def expire(self) -> None:
        """From here on the tokens given out so far are worthless."""
        self._token = _new_token()

    def admits(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        right = secrets.compare_digest(token.strip().encode(), self._token.encode())
        return scheme.lower() in ("bearer", "oauth") and right

    def grant(
        self, form: Mapping[str, str], authorization: str, origin: str, now: datetime
    ) -> TokenAnswer:
        """Answer the form of a token request. origin: the address that later calls must go to."""
        kind = form.get("grant_type", "")
        if kind == "client_credentials":
            refusal = _check_client(form, authorization)
        elif kind == _JWT_BEARER:
            refusal = _check_assertion(form.get("assertion", ""), origin, now)
        else:
            refusal = _refused("unsupported_grant_type", "grant type not supported")
        if refusal is not None:
            return 400, refusal
        granted = {
            "access_token": self._token,
            "scope": "api",
            "instance_url": origin,
            "id": f"{origin}/id/{_ORGANISATION}/{_USER}",
            "token_type": "Bearer",
        }
        if kind == "client_credentials":
            granted["signature"] = base64.b64encode(secrets.token_bytes(32)).decode()
            granted["issued_at"] = str(int(now.timestamp() * 1000))
        return 200, granted


def _new_token() -> str:
    return f"{_ORGANISATION[:15]}!{secrets.token_urlsafe(48)}"


def _refused(error: str, description: str) -> dict[str, Any]:
    return {"error": error, "error_description": description}


def _check_client(form: Mapping[str, str], authorization: str) -> dict[str, Any] | None:
    client, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return _refused("invalid_client", "invalid client credentials")
    if client != CLIENT_ID:
        return _refused("invalid_client_id", "client identifier invalid")
    if not secrets.compare_digest(secret.encode(), CLIENT_SECRET.encode()):
        return _refused("invalid_client", "invalid client credentials")
    return None


def _check_assertion(assertion: str, origin: str, now: datetime) -> dict[str, Any] | None:
    """Reads the claims. The signature is not checked: the sandbox knows nobody's certificate."""
    claims = _claims(assertion)
    if claims is None:
        return _refused("invalid_grant", "invalid assertion")
    if claims.get("iss") != CLIENT_ID:
        return _refused("invalid_client_id", "client identifier invalid")
    if claims.get("aud") not in {*_AUDIENCES, origin}:
        return _refused("invalid_grant", "audience is invalid")
    expiry = claims.get("exp")
    if not isinstance(expiry, int) or expiry <= now.timestamp():
        return _refused("invalid_grant", "expired authorization code")
    if claims.get("sub") != USERNAME:
        return _refused("invalid_grant", "user hasn't approved this consumer")
    return None


def _claims(assertion: str) -> dict[str, Any] | None:
    parts = assertion.split(".")
    if len(parts) != 3 or not all(parts):
        return None
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(f"{one}==")) for one in parts[:2])
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or header.get("alg") != "RS256" or not isinstance(claims, dict):
        return None
    return claims
