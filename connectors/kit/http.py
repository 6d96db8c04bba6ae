"""The wire: one client per system, with a deadline for every call and a name for every failure.

A call is one operation of a connector. Reads are tried again when the system is unavailable or asks
for a short wait, with full jitter and inside the same deadline; writes never are, except when the
credential was refused, since then nothing was done. Bodies are read up to a cap, but for those of
files, which pass as they come.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
import msgspec

from connectors.kit.auth import Anonymous, Credential, repeats
from connectors.kit.connector import Call, Wiring
from connectors.kit.replies import Explain, Reply, name_failure, unexplained
from connectors.kit.sockets import SocketWire
from connectors.kit.streams import Body, Download, moving, stood_still
from connectors.kit.wire import (
    DEFAULT_HEADERS,
    BadEncoding,
    HttpxWire,
    Incoming,
    Outgoing,
    TimedOutOnWire,
    TooLarge,
    Wire,
    WireError,
    httpx_errors,
    whole,
)
from connectors.port.errors import (
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Unavailable,
    Unreadable,
)

T = TypeVar("T")

#: The credential that travels; None for a call that fetches one.
Granted = Mapping[str, str] | None
Params = Mapping[str, str | int | Sequence[str]] | list[tuple[str, str | int]] | str


class HttpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a system is called: a table `http` inside any system's table of portal.toml.

    deadline: seconds for one call with all its tries. tries: of a read. connections: kept open at
    most. concurrency: calls in flight at most. max_megabytes: of a decoded body. streams: files
    under way at most, beside the calls. idle: seconds that a file under way may stand still.
    """

    deadline: float = 8.0
    connect: float = 3.0
    tries: int = 3
    connections: int = 20
    concurrency: int = 16
    max_megabytes: float = 32.0
    streams: int = 16
    idle: float = 30.0


class _UnknownError(Exception):
    """A refusal by 401: the system does not know our credential, perhaps no longer. Any other
    refusal would be the same with a new one."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__()
        self.refusal = refusal


class _Note:
    """Tells of one try, whatever becomes of it."""

    __slots__ = ("_began", "_heard", "_operation", "_source", "outcome", "size", "status")

    def __init__(self, source: str, operation: str, heard: Callable[[Call], None]) -> None:
        self._source, self._operation, self._heard = source, operation, heard
        self.outcome, self.size = "ok", 0
        self.status: int | None = None

    def __enter__(self) -> _Note:
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _UnknownError):
            self.outcome = error.refusal.code
        elif isinstance(error, SourceError):
            self.outcome = error.code
        elif isinstance(error, asyncio.CancelledError):
            self.outcome = TimedOut.code
        seconds = time.perf_counter() - self._began
        told = Call(self._source, self._operation, self.outcome, self.status, seconds, self.size)
        self._heard(told)


class HttpClient:
    """Calls to one system under one credential.

    source: the configured name, which errors carry. base_url: paths are joined to it as they are.
    explain: names failures that this system tells in its body (a quota behind a 403).
    """

    def __init__(
        self,
        source: str,
        base_url: str,
        settings: HttpSettings,
        wiring: Wiring,
        *,
        credential: Credential | None = None,
        explain: Explain = unexplained,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.source = source
        self.base_url = base_url.rstrip("/")
        self._settings = settings
        self._wiring = wiring
        self._credential: Credential = credential or Anonymous()
        self._explain = explain
        self._headers = _lower(headers or {})
        self._slots = asyncio.Semaphore(min(settings.concurrency, settings.connections))
        #: Apart, since a file under way may take long: it must not keep calls waiting.
        self._streams = asyncio.Semaphore(settings.streams)
        self._patient = httpx.Timeout(settings.idle, connect=settings.connect)
        self._cap = int(settings.max_megabytes * 1_000_000)
        self._wire: Wire
        if wiring.transport is None:
            most = settings.connections
            self._wire = SocketWire(self.base_url, settings.connect, most, wiring.dial)
        else:
            self._wire = HttpxWire(self._client)

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        """For files, and for calls where a transport was wired."""
        settings = self._settings
        return httpx.AsyncClient(
            transport=self._wiring.transport,
            headers={**DEFAULT_HEADERS, **self._headers},
            timeout=httpx.Timeout(settings.deadline, connect=settings.connect),
            limits=httpx.Limits(
                max_connections=settings.streams,
                max_keepalive_connections=settings.streams,
                keepalive_expiry=30.0,
            ),
            # A cookie would tie our calls to one session of the system, and keep it there.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._wire.close()
        if "_client" in self.__dict__:
            await self._client.aclose()

    async def get(
        self,
        operation: str,
        path: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A read: tried again when that can help."""
        return await self.call(operation, "GET", path, params=params, headers=headers, reads=True)

    async def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        reads: bool = False,
        authorized: bool = True,
    ) -> Reply:
        """One operation. reads: it changes nothing, so it may be tried again (a query by POST).
        authorized=False sends no credential, for the call that fetches one. params given as str is
        a query string that is already encoded. Answers 2xx only; all else is a SourceError."""
        url = path if path.startswith(("http://", "https://")) else self.base_url + path
        if isinstance(params, str):
            url = f"{url}?{params}"
        sent = {**self._headers, **_lower(headers)} if headers else dict(self._headers)
        try:
            if params and not isinstance(params, str):
                url = str(httpx.URL(url, params=params))
            if json is not None:
                content = msgspec.json.encode(json)
                sent.setdefault("content-type", "application/json")
            request = Outgoing(method, url, sent, content)
            exchange = partial(self._wire.exchange, request, self._cap)

            async def once(granted: Granted) -> Reply:
                if granted:
                    sent.update(_lower(granted))
                return await self._once(operation, exchange, granted, self._slots)

            async with asyncio.timeout(self._settings.deadline):
                return await self._tries(once, reads, authorized)
        except UnicodeEncodeError:
            # Half of a surrogate pair: JSON can say it, UTF-8 cannot.
            message = f"{operation}: a text in the question is no Unicode text"
            raise Rejected(self.source, message) from None
        except TimeoutError:
            raise self._timed_out(operation) from None

    async def download(self, operation: str, path: str, *, size: int, first: int = 0) -> Download:
        """A file of `size` bytes from byte `first` on, which lies within it. It begins within the
        deadline, all tries included. Whoever gets it closes it."""
        headers = {"accept": "*/*", "accept-encoding": "identity"}
        if first:
            headers["range"] = f"bytes={first}-"
        url = self.base_url + path
        request = self._client.build_request("GET", url, headers=headers, timeout=self._patient)

        async def once(granted: Granted) -> Download:
            request.headers.update(granted or {})
            return await self._begin(operation, request, granted, size, first)

        try:
            async with asyncio.timeout(self._settings.deadline):
                return await self._tries(once, reads=True, authorized=True)
        except TimeoutError:
            raise self._timed_out(operation) from None

    async def upload(
        self, operation: str, path: str, body: Body, *, size: int, headers: Mapping[str, str]
    ) -> Reply:
        """Sends a body of `size` bytes as it is read. It may take as long as it moves, and its
        answer as long as a file may stand still. Never tried again, but for a credential that was
        refused."""
        idle, url = self._settings.idle, self.base_url + path
        headers = {**headers, "content-length": str(size)}
        try:
            async with asyncio.timeout(idle) as limit:

                async def once(granted: Granted) -> Reply:
                    request = self._client.build_request(
                        "POST",
                        url,
                        headers={**headers, **(granted or {})},
                        content=moving(body, limit, idle),
                        timeout=self._patient,
                    )
                    exchange = partial(self._sent, request)
                    return await self._once(operation, exchange, granted, self._streams)

                return await self._tries(once, reads=False, authorized=True)
        except TimeoutError:
            raise stood_still(self.source, operation, idle) from None

    async def _tries(
        self, once: Callable[[Granted], Awaitable[T]], reads: bool, authorized: bool
    ) -> T:
        """once: one try with a credential; None for a call that fetches one."""
        left = self._settings.tries if reads else 1
        pause, renewed = 0.1, False
        while True:
            left -= 1
            granted = await self._credential.headers(self) if authorized else {}
            try:
                return await once(granted if authorized else None)
            except _UnknownError as unknown:
                if renewed or not authorized or not await self._credential.renew(granted):
                    raise unknown.refusal from None
                renewed, left = True, left + 1
                continue
            except (Unavailable, Throttled) as error:
                wait = _wait(error, pause)
                if left <= 0 or wait is None or wait >= self._settings.deadline:
                    raise
            await self._wiring.sleep(wait)
            pause = min(pause * 3, 2.0)

    async def _once(
        self,
        operation: str,
        exchange: Callable[[], Awaitable[Incoming]],
        granted: Granted,
        slots: asyncio.Semaphore,
    ) -> Reply:
        with self._noting(operation) as note:
            await slots.acquire()
            try:
                found = await exchange()
            except WireError as error:
                raise self._named(operation, error) from None
            finally:
                slots.release()
            note.status, note.size = found.status, len(found.body)
            reply = self._reply(operation, found)
            self._check(reply, granted)
            return reply

    async def _begin(
        self, operation: str, request: httpx.Request, granted: Granted, size: int, first: int
    ) -> Download:
        """Its place among the files under way is given back, and it is noted, when it has ended."""
        with ExitStack() as until_ended:
            note = until_ended.enter_context(self._noting(operation))
            await self._streams.acquire()
            until_ended.callback(self._streams.release)
            with self._naming(operation), httpx_errors():
                response = await self._client.send(request, stream=True)
            note.status = response.status_code
            if response.status_code not in (200, 206):
                with self._naming(operation), httpx_errors():
                    reply = self._reply(operation, await whole(response, self._cap))
                self._check(reply, granted)
                raise reply.unreadable("answered without a file")

            def ended(failure: SourceError | None, came: int) -> None:
                note.outcome, note.size = failure.code if failure else "ok", came
                kept.close()

            try:
                found = Download(
                    *(self.source, operation, response),
                    size=size,
                    first=first,
                    idle=self._settings.idle,
                    ended=ended,
                )
            except BaseException:
                await response.aclose()
                raise
            kept = until_ended.pop_all()
            return found

    def _noting(self, operation: str) -> _Note:
        return _Note(self.source, operation, self._wiring.heard)

    def _check(self, reply: Reply, granted: Granted) -> None:
        """Raises what an answer that is none of 2xx means."""
        if 200 <= reply.status < 300:
            return
        failure = self._failure(reply, granted)
        if isinstance(failure, Refused) and reply.status == 401:
            raise _UnknownError(failure)
        if failure is not None:
            raise failure

    def _failure(self, reply: Reply, granted: Granted) -> SourceError | None:
        """What an answer that is none of 2xx means, without our credential in it."""
        failure = self._explain(reply)
        if failure is None:
            failure = name_failure(reply, time.time())
            # Whoever hands out credentials may repeat what it was sent, the secret among it.
            if failure is not None and granted is None:
                failure.detail = None
        if failure is not None and repeats(failure.detail, granted or {}):
            failure.detail = "withheld: it repeats our credential"
        return failure

    async def _sent(self, request: httpx.Request) -> Incoming:
        with httpx_errors():
            return await whole(await self._client.send(request, stream=True), self._cap)

    def _reply(self, operation: str, found: Incoming) -> Reply:
        return Reply(self.source, operation, found.status, found.headers, found.body)

    @contextmanager
    def _naming(self, operation: str) -> Iterator[None]:
        try:
            yield
        except WireError as error:
            raise self._named(operation, error) from None

    def _named(self, operation: str, error: WireError) -> SourceError:
        """What went wrong on the wire."""
        if isinstance(error, TimedOutOnWire):
            return self._timed_out(operation)
        if isinstance(error, BadEncoding):
            message = f"{operation}: answered with a broken content encoding"
            return Unreadable(self.source, message, detail=str(error))
        if isinstance(error, TooLarge):
            message = f"{operation}: answered with more than {self._cap} bytes"
            return Unreadable(self.source, message)
        message = f"{operation}: could not be reached"
        return Unavailable(self.source, message, detail=str(error))

    def _timed_out(self, operation: str) -> TimedOut:
        seconds = self._settings.deadline
        return TimedOut(self.source, f"{operation}: no answer within {seconds:g} s")


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _wait(error: SourceError, pause: float) -> float | None:
    """How long to wait before another try; None when another try would only cost."""
    if isinstance(error, TimedOut):
        return None
    if error.retry_after is not None:
        return error.retry_after
    if isinstance(error, Throttled):
        return None
    # Full jitter: the whole pause is random, so that clients do not come back together.
    return random.uniform(0, pause)  # noqa: S311 - it spreads load, it guards nothing
