"""Transports that stand between a connector and its system: they write down, break, bend, hang."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

#: What httpx has decoded already, and must not be told about again.
_UNTRUE_AFTER_DECODING = ("content-encoding", "content-length", "transfer-encoding")

#: The whole of a question: method, address, body.
Question = tuple[str, str, bytes]


def question(request: httpx.Request) -> Question:
    return request.method, str(request.url), request.content


def answered(response: httpx.Response, body: bytes) -> httpx.Response:
    """The same answer with another body."""
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in _UNTRUE_AFTER_DECODING
    ]
    return httpx.Response(response.status_code, headers=headers, content=body)


class Nowhere(httpx.AsyncBaseTransport):
    """No system at all, for worlds whose system does not run here."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("there is no system behind this wire")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call that was answered. request: its body is read."""

    request: httpx.Request
    status: int
    headers: httpx.Headers
    body: bytes


class Recorder(httpx.AsyncBaseTransport):
    """Writes down every call to the system; those that fetch a credential apart."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, is_login: Callable[[httpx.Request], bool]
    ) -> None:
        self._inner = inner
        self._is_login = is_login
        self.requests: list[httpx.Request] = []
        self.logins: list[httpx.Request] = []
        self.exchanges: list[Exchange] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()  # a file is read as it is sent
        # A copy: a client sends the same request again with another credential.
        kept = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.content
        )
        (self.logins if self._is_login(request) else self.requests).append(kept)
        response = await self._inner.handle_async_request(request)
        if not isinstance(response.stream, Endless):
            body = await response.aread()
            if not self._is_login(request):
                exchange = Exchange(kept, response.status_code, response.headers, body)
                self.exchanges.append(exchange)
            return answered(response, body)
        return response

    async def aclose(self) -> None:
        self.closed = True

    def forget(self) -> None:
        self.requests.clear()
        self.logins.clear()
        self.exchanges.clear()

    @property
    def tries(self) -> Counter[Question]:
        """How often each question was sent."""
        return Counter(map(question, self.requests))


Answer = Callable[[httpx.Request], httpx.Response]


class Answering(httpx.AsyncBaseTransport):
    """Answers every call itself; what it raises is raised."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request)


class PastLogin(httpx.AsyncBaseTransport):
    """The system hands out credentials; all other calls go elsewhere."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        broken: httpx.AsyncBaseTransport,
        is_login: Callable[[httpx.Request], bool],
    ) -> None:
        self._inner, self._broken, self._is_login = inner, broken, is_login

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        to = self._inner if self._is_login(request) else self._broken
        return await to.handle_async_request(request)


class FirstTimeDown(httpx.AsyncBaseTransport):
    """Every question fails once with 503 and is answered when it is asked again."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._seen: set[Question] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = question(request)
        if asked not in self._seen:
            self._seen.add(asked)
            return httpx.Response(503)
        return await self._inner.handle_async_request(request)


Swap = Callable[[httpx.Request, Mapping[str, str]], httpx.Request]


def swapped(request: httpx.Request, words: Mapping[str, str]) -> httpx.Request:
    """The request with some words for others: letters and digits, which travel as they are."""
    path, body = request.url.raw_path, request.content
    for said, heard in words.items():
        path = path.replace(said.encode(), heard.encode())
        body = body.replace(said.encode(), heard.encode())
    return rewritten(request, request.url.copy_with(raw_path=path), body)


def rewritten(request: httpx.Request, url: httpx.URL, body: bytes) -> httpx.Request:
    headers = {n: v for n, v in request.headers.items() if n.lower() != "content-length"}
    return httpx.Request(
        request.method, url, headers=headers, content=body, extensions=request.extensions
    )


class Swapping(httpx.AsyncBaseTransport):
    """The system hears other words than were said, and answers those. words: said, heard."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, words: Mapping[str, str], swap: Swap
    ) -> None:
        self._inner, self._words, self._swap = inner, words, swap

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(self._swap(request, self._words))


class Endless(httpx.AsyncByteStream):
    """A body that begins and never ends."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"["
        await asyncio.Event().wait()


class Hanging(httpx.AsyncBaseTransport):
    """Never answers, or begins to."""

    def __init__(self, *, begins: bool) -> None:
        self._begins = begins

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._begins:
            await asyncio.Event().wait()
        headers = {"content-type": "application/json"}
        return httpx.Response(200, headers=headers, stream=Endless())


Bend = Callable[[Any], Any]


class Bending(httpx.AsyncBaseTransport):
    """Changes the JSON of every answer, tokens included."""

    def __init__(self, inner: httpx.AsyncBaseTransport, bend: Bend) -> None:
        self._inner, self._bend = inner, bend

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        return answered(response, bent(response.headers, body, self._bend))


class Replaying(httpx.AsyncBaseTransport):
    """Answers again what a system once answered, bent. strayed: another question was asked, which
    a bent answer may lead to."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self._known = {question(one.request): one for one in exchanges}
        self._bend: Bend = lambda document: document
        self.strayed = False

    def change(self, bend: Bend) -> None:
        """From now on answers are bent so."""
        self._bend, self.strayed = bend, False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        known = self._known.get(question(request))
        if known is None:
            self.strayed = True
            raise httpx.ConnectError("this was never asked before")
        response = httpx.Response(known.status, headers=known.headers)
        return answered(response, bent(known.headers, known.body, self._bend))


def bent(headers: httpx.Headers, body: bytes, bend: Bend) -> bytes:
    """A body with its JSON changed; as it is when it is no JSON."""
    if "json" not in headers.get("content-type", ""):
        return body
    return msgspec.json.encode(bend(msgspec.json.decode(body)))


def keys_of(document: Any) -> set[str]:
    """Every key of every object."""
    if isinstance(document, dict):
        return set(document).union(*map(keys_of, document.values()))
    if isinstance(document, list):
        return set().union(*map(keys_of, document))
    return set()


def with_more(document: Any) -> Any:
    """Every object with a key that nobody knows."""
    if isinstance(document, dict):
        more = {"zzUnknown": {"zz": [1, None, "x"]}}
        return {name: with_more(value) for name, value in document.items()} | more
    return [with_more(one) for one in document] if isinstance(document, list) else document


def without(key: str) -> Bend:
    """Takes a key out of every object."""

    def bend(document: Any) -> Any:
        if isinstance(document, dict):
            return {name: bend(value) for name, value in document.items() if name != key}
        return [bend(one) for one in document] if isinstance(document, list) else document

    return bend


def with_other(key: str, other: Any) -> Bend:
    """Puts another value behind a key of every object."""

    def bend(document: Any) -> Any:
        if isinstance(document, dict):
            return {n: other if n == key else bend(value) for n, value in document.items()}
        return [bend(one) for one in document] if isinstance(document, list) else document

    return bend
