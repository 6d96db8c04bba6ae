"""GraphQL over HTTP: one route that answers programs with JSON and browsers with a page.

It stands before all other routes, and is written against ASGI itself: a router and its request
objects would cost a quarter of a simple answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, TypeVar

from msgspec import structs
from starlette.types import Receive, Scope, Send

from gateway.http import graphiql
from gateway.http.accept import (
    ANSWER_TYPES,
    EVENT_STREAM,
    JSON_TYPES,
    PLAIN_JSON,
    RESPONSE_JSON,
    chosen,
    takes_parts,
)
from gateway.http.body import Bodies, of_address
from gateway.http.headers import Head, Pair
from gateway.http.parts import send_parts
from gateway.http.reception import Reception
from gateway.http.refusals import Refusal
from gateway.http.replies import Reply
from gateway.operations import errors
from gateway.operations.requests import Outcome, Request, encoded

if TYPE_CHECKING:
    from gateway.http.sse import EventStreams

T = TypeVar("T")

PATH = "/graphql"
#: What an answer with data and errors has as its status, where the caller asked for our media type.
PARTIAL = 294
#: Parameters of an address that asks something.
_ASKING = (b"query=", b"documentId=", b"extensions=")
_VARY: Pair = (b"vary", b"Accept, Accept-Language, Authorization")
_UNKEPT: Pair = (b"cache-control", b"no-store")
_TYPES: Mapping[str, Pair] = {
    media_type: (b"content-type", f"{media_type}; charset=utf-8".encode())
    for media_type in ANSWER_TYPES
}


class GraphQLRoute:
    """An ASGI application that answers `/graphql`. events: answers those who like streams of them
    best. page: for people, if there is one."""

    def __init__(
        self,
        reception: Reception,
        bodies: Bodies,
        events: EventStreams,
        page: bytes | None = None,
    ) -> None:
        self._reception, self._bodies, self._events = reception, bodies, events
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head.of(scope)
        if scope["method"] == "GET" and self._page and _wants_page(head, scope["query_string"]):
            await _send_page(send, self._page)
            return
        media_type = chosen(head.headers.get("accept"), ANSWER_TYPES)
        outcome = await self._safely(head, self._outcome(scope, head, receive, send, media_type))
        if outcome is not None:
            # What was not run is told as any other refusal is.
            told_as = RESPONSE_JSON if media_type == EVENT_STREAM else media_type or PLAIN_JSON
            held = head.headers.get("if-none-match") if scope["method"] == "GET" else None
            await reply_of(outcome, told_as, held).send(send)

    def replies(self, head: Head) -> bool:
        """Whether `reply` answers a POST that begins so: JSON, with one answer in JSON."""
        accept = head.headers.get("accept")
        if takes_parts(accept) or chosen(accept, ANSWER_TYPES) not in JSON_TYPES:
            return False
        return self._bodies.is_json(head)

    async def reply(self, head: Head, body: bytes) -> Reply:
        """The answer to a POST whose body is there already."""
        media_type = chosen(head.headers.get("accept"), ANSWER_TYPES)
        outcome = await self._safely(head, self._told(head, body))
        return reply_of(outcome, media_type or PLAIN_JSON)

    async def _told(self, head: Head, body: bytes) -> Outcome:
        request = self._bodies.of_json(body)
        return await self._reception.answer(await self._reception.receive(head), request)

    async def _safely(self, head: Head, work: Awaitable[T]) -> T | Outcome:
        try:
            return await work
        except Refusal as refused:
            told = refused.told(self._reception.language(head.headers))
            return Outcome.failed(told, refused.status, refused.headers)
        except Exception as error:  # noqa: BLE001 - nothing a caller sends may end in a stack trace
            language = self._reception.language(head.headers)
            return Outcome.failed(errors.masked(error, language), 500)

    async def _outcome(
        self, scope: Scope, head: Head, receive: Receive, send: Send, media_type: str | None
    ) -> Outcome | None:
        request = await self._request(scope, head, receive, media_type)
        if media_type == EVENT_STREAM:
            return await self._events.answer(head, request, receive, send)
        return await self._answer(head, request, receive, send)

    async def _answer(
        self, head: Head, request: Request, receive: Receive, send: Send
    ) -> Outcome | None:
        visitor = await self._reception.receive(head)
        if not takes_parts(head.headers.get("accept")):
            return await self._reception.answer(visitor, request)
        answer = await self._reception.in_parts(visitor, request)
        return answer if isinstance(answer, Outcome) else await send_parts(answer, receive, send)

    async def _request(
        self, scope: Scope, head: Head, receive: Receive, media_type: str | None
    ) -> Request:
        method = scope["method"]
        if method == "POST":
            _check_type(media_type)
            return await self._bodies.request(head, receive)
        if method == "GET":
            _check_type(media_type)
            return structs.replace(of_address(scope["query_string"]), reads_only=True)
        raise Refusal(405, "Use GET or POST.", headers={"allow": "GET, POST"})


def _check_type(media_type: str | None) -> None:
    if media_type is None:
        raise Refusal(406, f"Accept {RESPONSE_JSON} or {PLAIN_JSON}.")


def _wants_page(head: Head, query_string: bytes) -> bool:
    asks = any(name in query_string for name in _ASKING)
    return not asks and "text/html" in head.headers.get("accept", "")


def status_of(outcome: Outcome, media_type: str) -> int:
    """The status of an answer: by what came of it and, where GraphQL itself refused, by the media
    type. application/json keeps 200 for that, as clients from before the other type expect."""
    if outcome.status is not None and (not outcome.well_formed or media_type == RESPONSE_JSON):
        return outcome.status
    if media_type == RESPONSE_JSON and "errors" in outcome.body:
        return PARTIAL if outcome.body.get("data") is not None else 200
    return 200


def reply_of(outcome: Outcome, media_type: str, held: str | None = None) -> Reply:
    """An answer as JSON of a media type. held: validators of what the caller has already."""
    body = encoded(outcome.body) if outcome.encoded is None else outcome.encoded
    status = status_of(outcome, media_type)
    if status == 200 and outcome.tag and held and outcome.tag in held:
        status, body = 304, b""
        headers = [_VARY]
    else:
        headers = [_TYPES[media_type], (b"content-length", b"%d" % len(body)), _VARY]
    if "cache-control" not in outcome.headers:
        headers.append(_UNKEPT)
    for name, value in outcome.headers.items():
        headers.append((name.encode("latin-1"), value.encode("latin-1")))
    return Reply(status, headers, body)


async def _send_page(send: Send, body: bytes) -> None:
    headers = {
        **graphiql.SECURITY_HEADERS,
        "content-type": "text/html; charset=utf-8",
        "content-length": str(len(body)),
        "vary": "Accept",
        "cache-control": "no-cache",
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    await send({"type": "http.response.body", "body": body})
