"""GraphQL over HTTP: one route that answers programs with JSON and browsers with a page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from connectors.port.errors import SourceError
from gateway.access.callers import Callers, UnknownAccount
from gateway.access.claims import InvalidToken
from gateway.access.token_endpoint import Attempts
from gateway.access.verifier import Verifier
from gateway.audit import Audit, Outcome
from gateway.http import graphiql
from gateway.http.body import Unacceptable, encoded, request_of
from gateway.http.origins import Origins
from gateway.operations import errors
from gateway.operations.run import Operations, Request
from schema.context import Caller, Context
from schema.errors import InputError
from schema.identity.service import Origin
from schema.nodes import key_of
from schema.texts import N_, negotiate, say

_log = logging.getLogger("gateway.http")

RESPONSE_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
#: What a caller of ours may still ask for, at most, in languages.
_MOST_LANGUAGES = 10

#: With it a program says for which account it acts, by global id.
ACTING_FOR = "portal-acting-for"
#: Refused tokens of one source and minute that the audit tells of: it must not be filled by whoever
#: sends rubbish.
_TOLD = 10

#: Makes the surroundings of one operation: who asks, the language of texts, the locale of content,
#: and where the request comes from.
MakeContext = Callable[[Caller | SourceError | None, str, str, Origin], Context]


class GraphQLRoute:
    """Answers `/graphql`."""

    def __init__(
        self,
        operations: Operations,
        verifier: Verifier,
        callers: Callers,
        origins: Origins,
        audit: Audit,
        make_context: MakeContext,
        default_language: str,
        max_body: int,
    ) -> None:
        self._operations, self._verifier, self._callers = operations, verifier, callers
        self._origins, self._audit = origins, audit
        self._make_context, self._default_language = make_context, default_language
        self._max_body = max_body
        self._refused = Attempts(allowed=_TOLD)

    async def answer(self, http: HttpRequest) -> Response:
        if http.method == "GET" and _wants_page(http):
            headers = {**graphiql.SECURITY_HEADERS, "Vary": "Accept", "Cache-Control": "no-cache"}
            return Response(graphiql.page(), headers=headers, media_type="text/html")
        language, _ = self._languages(http, None)
        try:
            return await self._answer(http)
        except Unacceptable as refused:
            refusal = errors.refusal(errors.BAD_REQUEST, refused.text)
            return _json({"errors": [refusal]}, http, refused.status, refused.headers)
        except InvalidToken as refused:
            await self._tell_refused(http, refused)
            text = say(language, N_("The access token is not valid or has expired. Sign in again."))
            refusal = errors.refusal(errors.UNAUTHENTICATED, text)
            header = {"www-authenticate": 'Bearer error="invalid_token"'}
            return _json({"errors": [refusal]}, http, 401, header)
        except Exception as error:  # noqa: BLE001 - nothing a caller sends may end in a stack trace
            return _json({"errors": [errors.masked(error, language)]}, http, 500)

    async def _answer(self, http: HttpRequest) -> Response:
        if http.method not in ("GET", "POST"):
            raise Unacceptable(405, "Use GET or POST.", {"allow": "GET, POST"})
        media_type = _media_type(http)
        request = await request_of(http, self._max_body)
        if http.method == "GET" and self._operations.changes_something(request):
            raise Unacceptable(405, "Use POST to change something.", {"allow": "POST"})
        origin = self._origins.of(http)
        who = await self._who(http)
        if isinstance(who, Caller) and who.staff:
            await self._tell_staff(who, request, origin)
        language, locale = self._languages(http, who)
        context = self._make_context(who, language, locale, origin)
        outcome = await self._operations.run(request, context)
        failed = not outcome.started and "errors" in outcome.body
        status = 400 if failed and media_type == RESPONSE_JSON else 200
        return _json(outcome.body, http, status)

    async def _who(self, http: HttpRequest) -> Caller | SourceError | None:
        scheme, _, token = http.headers.get("authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not token.strip():
            raise InvalidToken
        try:
            claims = await self._verifier.check(token.strip())
        except SourceError as error:
            return error
        acting_for = http.headers.get(ACTING_FOR) if claims.staff else None
        try:
            key = None if acting_for is None else key_of(ACTING_FOR, acting_for, "Account")
            return await self._callers.caller(claims, key)
        except SourceError as error:
            # News and questions can still be read: what needs the caller tells this error.
            return error
        except (InputError, UnknownAccount):
            await self._audit.note(
                "access.refused",
                who=claims.client_id or claims.subject,
                whose=(acting_for or "-")[:100],
                what=ACTING_FOR,
                origin=self._origins.of(http),
                outcome=Outcome.REFUSED,
            )
            raise Unacceptable(403, "Portal-Acting-For names no account.") from None

    async def _tell_staff(self, who: Caller, request: Request, origin: Origin) -> None:
        whose = " ".join(who.scope.ids) or "-"
        what = request.operation_name or "-"
        await self._audit.note("staff.asked", who=who.name, whose=whose, what=what, origin=origin)

    async def _tell_refused(self, http: HttpRequest, refused: InvalidToken) -> None:
        origin = self._origins.of(http)
        if self._refused.wait(origin.address) is not None:
            return
        self._refused.failed(origin.address)
        what = refused.reason or "no bearer token"
        await self._audit.note(
            "token.refused", who="-", what=what, origin=origin, outcome=errors.UNAUTHENTICATED
        )

    def _languages(self, http: HttpRequest, who: Caller | SourceError | None) -> tuple[str, str]:
        """The language of texts and the locale of content: what the request asks for, else what
        the person prefers, else the portal's default."""
        wanted = _accepted(http.headers.get("accept-language", ""))
        if not wanted and isinstance(who, Caller) and who.locale:
            wanted = [who.locale]
        language = negotiate(wanted, self._default_language)
        fitting = [tag for tag in wanted if negotiate([tag], "") == language]
        return language, fitting[0] if fitting else language


def _accepted(header: str) -> list[str]:
    """Language tags of an Accept-Language header, best first. RFC 9110, 12.5.4."""
    weighted: list[tuple[float, str]] = []
    for part in header.split(",")[:_MOST_LANGUAGES]:
        tag, _, weight = part.strip().partition(";")
        tag = tag.strip()
        if not tag.replace("-", "").isalnum() or not tag.isascii() or len(tag) > 35:
            continue
        try:
            weighted.append((float(weight.strip().removeprefix("q=") or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0]


def _wants_page(http: HttpRequest) -> bool:
    accept = http.headers.get("accept", "")
    return "text/html" in accept and "query" not in http.query_params


def _media_type(http: HttpRequest) -> str:
    """The media type to answer with. A caller that names none gets what old clients expect."""
    accept = http.headers.get("accept", "*/*").lower()
    offered = [part.partition(";")[0].strip() for part in accept.split(",")]
    for media_type in offered:
        if media_type in (RESPONSE_JSON, PLAIN_JSON):
            return media_type
        if media_type in ("*/*", "application/*", ""):
            return PLAIN_JSON
    raise Unacceptable(406, f"Accept {RESPONSE_JSON} or {PLAIN_JSON}.")


def _json(
    body: Mapping[str, Any],
    http: HttpRequest,
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    try:
        media_type = _media_type(http)
    except Unacceptable:
        media_type = PLAIN_JSON
    return Response(
        encoded(body),
        status,
        headers={
            "cache-control": "no-store",
            "vary": "Accept, Accept-Language, Authorization",
            **(headers or {}),
        },
        media_type=f"{media_type}; charset=utf-8",
    )
