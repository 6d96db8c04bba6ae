"""Names what SAP means by a refusal, where the status alone would say something else. Pure."""

from __future__ import annotations

import httpx

from connectors.kit.odata import failures
from connectors.kit.replies import Reply
from connectors.port.errors import Refused, Rejected, SourceError, Unreadable

#: What a page that asks a person to log on has and a page about maintenance has not.
_LOGON = (b"saml", b'type="password"', b"type='password'", b"sap-system-login", b"j_username")


class UnknownProperty(Rejected):
    """The service has no property of this name: an older release, or a mistake in the settings."""

    def __init__(self, source: str, message: str, name: str, detail: str | None) -> None:
        super().__init__(source, message, detail=detail)
        self.name = name


class TokenExpired(Rejected):
    """The token against forged requests is no longer good: nothing was done."""


def explain(reply: Reply) -> SourceError | None:
    """The failure that an answer tells in its own way; None leaves it to the status."""
    source, status = reply.source, reply.status
    if status in (301, 302, 303, 307) and _leads_to_logon(reply):
        return Refused(source, f"{reply.operation}: sent us to a logon page")
    if status == 403 and reply.headers.get("x-csrf-token", "").strip().lower() == "required":
        message = f"{reply.operation}: the token against forged requests has expired"
        return TokenExpired(source, message, detail=reply.quote())
    if status == 414:
        message = f"{reply.operation}: the question was too long, lower url_limit_bytes"
        return Rejected(source, message)
    if status not in (400, 404, 405, 422, 501):
        return None
    failure = failures.read(reply.body)
    if failure is None:
        return None
    if (name := failure.unknown_property) is not None:
        message = f"{reply.operation}: the service lacks a property that was asked for"
        return UnknownProperty(source, message, name, str(failure))
    return Rejected(source, f"{reply.operation}: answered {status}", detail=str(failure))


def not_odata(reply: Reply) -> SourceError | None:
    """The failure behind a success that is a page for people; None when it is none."""
    if reply.media_type not in ("text/html", "application/xhtml+xml"):
        return None
    page = reply.body[:20_000].lower()
    if any(sign in page for sign in _LOGON):
        # Without a valid logon the single sign-on answers first, with 200.
        return Refused(reply.source, f"{reply.operation}: answered with a logon page")
    return Unreadable(reply.source, f"{reply.operation}: answered with a page for people")


def _leads_to_logon(reply: Reply) -> bool:
    try:
        to = httpx.URL(reply.headers.get("location", ""))
    except httpx.InvalidURL:
        return False
    return any(sign in str(to).lower() for sign in ("saml", "login", "logon", "authorize", "idp"))
