"""The door of the ERP: Basic authentication, and tokens against forged requests."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections import OrderedDict
from typing import Final

USER: Final = "SANDBOX"
PASSWORD: Final = "sandbox-secret"  # noqa: S105 - everybody may know it: all data is invented
_MOST_SESSIONS: Final = 500
COOKIE: Final = "SAP_SESSIONID_S4H_100"

UNAUTHORISED: Final = (
    b"<html><head><title>Logon failed</title></head>"
    b"<body><h1>Anmeldung fehlgeschlagen / Logon failed</h1>"
    b"<p>401 Unauthorized: user name or password is incorrect</p></body></html>"
)
TOO_LONG: Final = (
    b"<html><head><title>Request-URI Too Long</title></head>"
    b"<body><h1>414 Request-URI Too Long</h1></body></html>"
)


def is_known(authorization: str) -> bool:
    """Whether an Authorization header holds the user and password of the sandbox."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    wanted = f"{USER}:{PASSWORD}".encode()
    return scheme.lower() == "basic" and hmac.compare_digest(given, wanted)


class Sessions:
    """Tokens and the sessions that they belong to, the newest few hundred of them."""

    def __init__(self) -> None:
        self._session_of: OrderedDict[str, str] = OrderedDict()

    def begin(self) -> tuple[str, list[str]]:
        """A new token, and the Set-Cookie headers that go with it."""
        token, session = secrets.token_urlsafe(16), secrets.token_urlsafe(24)
        self._session_of[token] = session
        while len(self._session_of) > _MOST_SESSIONS:
            self._session_of.popitem(last=False)
        cookies = [
            "sap-usercontext=sap-client=100; path=/",
            f"{COOKIE}={session}; path=/; HttpOnly",
        ]
        return token, cookies

    def expire(self) -> None:
        """All tokens are worth nothing from now on."""
        self._session_of.clear()

    def holds(self, token: str, session: str | None) -> bool:
        """Whether the token was given out, and to the session that the cookie names."""
        known = self._session_of.get(token)
        return known is not None and session is not None and hmac.compare_digest(known, session)
