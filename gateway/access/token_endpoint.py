"""`POST /oauth/token`: a program of an integration team proves itself and gets a token.

Client credentials alone (RFC 6749, 4.4), with the secret in the header or in the form.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.access.files import SecretFileError, complain
from gateway.access.staff import StaffClients
from gateway.access.tokens import Tokens

PATH = "/oauth/token"
#: Bytes of a form, and fields in it, at most.
_LARGEST_FORM = 8192
_MOST_FIELDS = 20
#: How long a program's token lives.
LIFETIME = timedelta(minutes=15)

#: Told of every attempt: the client's name as it was given, what came of it, the request.
Heard = Callable[[str, str, Request], Awaitable[None]]


class OAuthError(Exception):
    """What RFC 6749, 5.2 calls an error. code: its word for it. text: for the developer."""

    def __init__(self, code: str, text: str, status: int = 400, wait: int | None = None) -> None:
        super().__init__(code)
        self.code, self.text, self.status, self.wait = code, text, status, wait


@dataclass(slots=True)
class Attempts:
    """Counts failures by source. A guess at 256 random bits never succeeds; this keeps whoever
    guesses from costing much. allowed: failures within `seconds`. most: sources remembered."""

    allowed: int = 10
    seconds: float = 60.0
    most: int = 10_000
    monotonic: Callable[[], float] = time.monotonic
    _failures: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)

    def wait(self, source: str) -> int | None:
        """Seconds until the source may try again, None when it may now."""
        began, count = self._failures.get(source, (0.0, 0))
        left = began + self.seconds - self.monotonic()
        return max(1, int(left) + 1) if count >= self.allowed and left > 0 else None

    def failed(self, source: str) -> None:
        now = self.monotonic()
        began, count = self._failures.pop(source, (now, 0))
        if now - began >= self.seconds:
            began, count = now, 0
        self._failures[source] = (began, count + 1)
        while len(self._failures) > self.most:
            self._failures.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, what it opens, and how many seconds it lives."""

    client_id: str
    token: str
    scope: str
    seconds: int


def grant(
    clients: StaffClients,
    tokens: Tokens,
    form: Sequence[tuple[str, str]],
    authorization: str | None,
    lifetime: timedelta = LIFETIME,
) -> Granted:
    """The token that a request asks for. form: its fields, decoded. authorization: the header.
    Raises OAuthError."""
    fields = dict(form)
    if len(fields) != len(form):
        raise OAuthError("invalid_request", "A parameter is there twice.")
    client_id, secret = credentials(fields, authorization)
    client = clients.proven(client_id, secret)
    if client is None:
        raise OAuthError("invalid_client", "No client has this name and secret.", 401)
    kind = fields.get("grant_type")
    if not kind:
        raise OAuthError("invalid_request", "grant_type is missing.")
    if kind != "client_credentials":
        raise OAuthError("unsupported_grant_type", "Only client_credentials is supported.")
    wanted = frozenset(fields.get("scope", "").split()) or client.scopes
    if not wanted <= client.scopes:
        raise OAuthError("invalid_scope", "The client may not ask for this scope.")
    token, _ = tokens.issue_staff(client.client_id, wanted, lifetime)
    return Granted(client_id, token, " ".join(sorted(wanted)), int(lifetime.total_seconds()))


def credentials(fields: dict[str, str], authorization: str | None) -> tuple[str, str]:
    """Name and secret of a client, from the header or from the form but not from both. Raises
    OAuthError. RFC 6749, 2.3.1."""
    if authorization is None:
        if not fields.get("client_id") or not fields.get("client_secret"):
            raise OAuthError("invalid_client", "Say client_id and client_secret.", 401)
        return fields["client_id"], fields["client_secret"]
    if "client_secret" in fields:
        raise OAuthError("invalid_request", "Say the secret once: in the header or in the form.")
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        name, colon, secret = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (ValueError, binascii.Error):
        raise OAuthError("invalid_client", "The Authorization header is not Basic.", 401) from None
    client_id = unquote_plus(name)
    if not colon or fields.get("client_id", client_id) != client_id:
        raise OAuthError("invalid_client", "Header and form name different clients.", 401)
    return client_id, unquote_plus(secret)


async def _unheard(client_id: str, outcome: str, http: Request) -> None:
    return None


def _peer(http: Request) -> str:
    return http.client.host if http.client else ""


class TokenEndpoint:
    """Answers the requests. source_of: the address to count attempts by, as far as it can be
    trusted. heard: told of every attempt, for the audit; its outcome is "ok" or an error's code."""

    def __init__(
        self,
        clients: StaffClients,
        tokens: Tokens,
        *,
        attempts: Attempts | None = None,
        source_of: Callable[[Request], str] = _peer,
        heard: Heard = _unheard,
        lifetime: timedelta = LIFETIME,
    ) -> None:
        self._clients, self._tokens, self._lifetime = clients, tokens, lifetime
        self._attempts, self._source_of, self._heard = attempts or Attempts(), source_of, heard

    @property
    def route(self) -> Route:
        return Route(PATH, self.answer, methods=["POST"])

    async def answer(self, http: Request) -> Response:
        source, named = self._source_of(http), ""
        try:
            wait = self._attempts.wait(source)
            if wait is not None:
                raise OAuthError("temporarily_unavailable", "Too many attempts.", 429, wait)
            form = await _form(http)
            authorization = http.headers.get("authorization")
            named = _name(form, authorization)
            await self._refresh()
            granted = grant(self._clients, self._tokens, form, authorization, self._lifetime)
        except OAuthError as error:
            if error.code == "invalid_client":
                self._attempts.failed(source)
            await self._heard(named, error.code, http)
            return _refusal(error)
        await self._heard(granted.client_id, "ok", http)
        body = {
            "access_token": granted.token,
            "token_type": "Bearer",
            "expires_in": granted.seconds,
            "scope": granted.scope,
        }
        return JSONResponse(body, headers=_NOT_KEPT)

    async def _refresh(self) -> None:
        """Reads the clients anew, so that one that was added a moment ago is known."""
        try:
            await self._clients.refresh()
        except SecretFileError as error:
            complain(error)


#: RFC 6749, 5.1.
_NOT_KEPT = {"cache-control": "no-store", "pragma": "no-cache"}


def _refusal(error: OAuthError) -> Response:
    headers = dict(_NOT_KEPT)
    if error.status == 401:
        headers["www-authenticate"] = 'Basic realm="portal", charset="UTF-8"'
    if error.wait is not None:
        headers["retry-after"] = str(error.wait)
    body = {"error": error.code, "error_description": error.text}
    return JSONResponse(body, error.status, headers)


def _name(form: Sequence[tuple[str, str]], authorization: str | None) -> str:
    """The client's name as far as it was given, for the audit."""
    try:
        name, _ = credentials(dict(form), authorization)
    except OAuthError:
        name = dict(form).get("client_id", "")
    return name[:100] if name.isprintable() else ""


async def _form(http: Request) -> list[tuple[str, str]]:
    media_type = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "Send a form: application/x-www-form-urlencoded.")
    body = b""
    try:
        async for chunk in http.stream():
            body += chunk
            if len(body) > _LARGEST_FORM:
                raise OAuthError("invalid_request", "The form is too large.", 413)
        return parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except (ValueError, ClientDisconnect):
        raise OAuthError("invalid_request", "The form cannot be read.") from None
