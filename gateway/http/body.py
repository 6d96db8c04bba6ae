"""From the bytes of an HTTP request to a GraphQL request: what cannot be one is refused."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import structs
from starlette.types import Receive

from gateway.http.headers import Head
from gateway.http.refusals import Refusal
from gateway.operations.requests import Request

#: Most parameters in an address that are looked at.
_MOST_PARAMETERS = 20

#: Requests that are kept, the bytes of all their bodies, and the longest body of one. Pages ask the
#: same again and again; what a request holds is not changed by whoever answers it.
_MOST_KEPT, _MOST_BYTES_KEPT, _LONGEST_KEPT = 1_000, 500_000, 4_096

#: Reads a request of one media type from the socket. Raises Refusal.
Reader = Callable[[Head, Receive], Awaitable[Request]]


class Bodies:
    """Reads requests by POST. max_bytes: of a body of JSON. readers: of other media types."""

    def __init__(self, max_bytes: int, readers: Mapping[str, Reader] | None = None) -> None:
        self._max_bytes = max_bytes
        self._kept = _Kept()
        self._readers = {"application/json": self._of_json, **(readers or {})}

    def is_json(self, head: Head) -> bool:
        """Whether `of_json` reads the body that follows a head, if it is no larger than may be."""
        content_type = head.headers.get("content-type", "")
        try:
            reader = self._reader(content_type)
        except Refusal:
            return False
        return reader == self._of_json and "content-encoding" not in head.headers

    async def request(self, head: Head, receive: Receive) -> Request:
        """The GraphQL request in a body. Raises Refusal."""
        return await self._reader(head.headers.get("content-type", ""))(head, receive)

    def _reader(self, content_type: str) -> Reader:
        """What reads a body of a type. Raises Refusal."""
        reader = self._readers.get(content_type)
        if reader is None:
            media_type, _, parameters = content_type.partition(";")
            reader = self._readers.get(media_type.strip().lower())
            if reader is None:
                taken = ", ".join(self._readers)
                raise Refusal(415, f"Send the request as {taken}.", headers={"accept-post": taken})
            _check_charset(parameters)
        return reader

    def of_json(self, body: bytes) -> Request:
        """The GraphQL request in a body of JSON. Raises Refusal."""
        request = self._kept.get(body)
        if request is None:
            request = shaped(parsed(body))
            if len(body) <= _LONGEST_KEPT and says_all(request):
                request = structs.replace(request, worked_out={})
                self._kept.put(body, request)
        return request

    async def _of_json(self, head: Head, receive: Receive) -> Request:
        return self.of_json(await read(head, receive, self._max_bytes))


class _Kept:
    """Requests by their bodies, the latest last."""

    def __init__(self) -> None:
        self._requests: OrderedDict[bytes, Request] = OrderedDict()
        self._bytes = 0

    def get(self, body: bytes) -> Request | None:
        request = self._requests.get(body)
        if request is not None:
            self._requests.move_to_end(body)
        return request

    def put(self, body: bytes, request: Request) -> None:
        self._requests[body] = request
        self._bytes += len(body)
        while len(self._requests) > _MOST_KEPT or self._bytes > _MOST_BYTES_KEPT:
            gone, _ = self._requests.popitem(last=False)
            self._bytes -= len(gone)


def _check_charset(parameters: str) -> None:
    for parameter in parameters.lower().split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('" ') not in ("utf-8", "utf8"):
            raise Refusal(415, "Send the body in UTF-8.")


async def read(head: Head, receive: Receive, max_bytes: int) -> bytes:
    """A body as it came, counted while it comes. Raises Refusal."""
    if head.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(
            415, "Send the body without content encoding.", headers={"accept-encoding": "identity"}
        )
    length = head.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 18 or int(length) > max_bytes):
        raise _too_large(max_bytes)
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "The body broke off.")
        part = message.get("body", b"")
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(max_bytes: int) -> Refusal:
    # The rest of the body is not read, so nothing else can follow on this connection.
    return Refusal(
        413, f"The body is larger than {max_bytes} bytes.", headers={"connection": "close"}
    )


def of_address(query_string: bytes) -> Request:
    """The GraphQL request in the address of a GET. Raises Refusal."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MOST_PARAMETERS,
            errors="strict",
        )
    except ValueError:
        raise Refusal(400, "The address cannot be read.") from None
    asked: dict[str, Any] = dict(pairs)
    if len(asked) != len(pairs):
        raise Refusal(400, "A parameter is in the address twice.")
    for name in ("variables", "extensions"):
        if name in asked:
            asked[name] = parsed(asked[name].encode(), f"`{name}`") if asked[name] else None
    return shaped(asked)


def parsed(body: bytes, what: str = "The body") -> Any:
    """JSON as Python has it. what: how the sender knows it. Raises Refusal."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise Refusal(400, f"{what} is no JSON.") from None


def shaped(asked: object) -> Request:
    """A request from the JSON value that a client sent. Raises Refusal."""
    if not isinstance(asked, dict):
        raise Refusal(400, "The request must be a JSON object with a `query`.")
    query = _part(asked, "query", str, "a GraphQL document")
    name = _part(asked, "operationName", str, "a string")
    variables = _part(asked, "variables", dict, "an object")
    extensions = _part(asked, "extensions", dict, "an object")
    document_id = _part(asked, "documentId", str, "a string")
    if not (query and query.strip()):
        query = ""
        if not document_id and "persistedQuery" not in (extensions or {}):
            raise Refusal(400, "`query` must be a GraphQL document.")
    return Request(query, name or None, variables, extensions, document_id or None)


def says_all(request: Request) -> bool:
    """Whether a request has its document with it: a name may stand for another one later."""
    return request.document_id is None and not request.extensions


def _part(asked: dict[str, Any], name: str, kind: type, words: str) -> Any:
    value = asked.get(name)
    if value is not None and not isinstance(value, kind):
        raise Refusal(400, f"`{name}` must be {words}.")
    return value
