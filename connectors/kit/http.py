"""The wire: one client per system, with a deadline for every call and a name for every failure.

A call is one operation of a connector. Reads are tried again when the system is unavailable or asks
for a short wait, with full jitter and inside the same deadline; writes never are, except when the
credential was refused, since then nothing was done. Bodies are read up to a cap.
"""

from __future__ import annotations

import asyncio
import base64
import json as jsonlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
import msgspec

from connectors.kit.auth import Anonymous, Credential
from connectors.kit.connector import Call, Wiring
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

Params = Mapping[str, str | int | Sequence[str]] | list[tuple[str, str | int]] | str

#: Longest text of a system that is kept for the log.
_DETAIL = 500
#: How much of a credential gives it away.
_TELLING = 12


class HttpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a system is called: a table `http` inside any system's table of portal.toml.

    deadline: seconds for one call with all its tries. tries: of a read. connections: kept open at
    most. concurrency: calls in flight at most. max_megabytes: of a decoded body.
    """

    deadline: float = 8.0
    connect: float = 3.0
    tries: int = 3
    connections: int = 20
    concurrency: int = 16
    max_megabytes: float = 32.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer. body is decoded (no content encoding left)."""

    source: str
    operation: str
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def media_type(self) -> str:
        """Without parameters, lower case; empty when the system sent none."""
        content_type: str = self.headers.get("content-type", "")
        return content_type.partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        return self.media_type == "application/json" or self.media_type.endswith("+json")

    def json(self) -> Any:
        """The body as JSON. Raises Unreadable when it is none."""
        return self.decoded(Any)

    def decoded(self, shape: type[T] | Any) -> T:
        """The body as JSON of a shape that msgspec knows. Raises Unreadable when it is not."""
        if not self.is_json:
            raise self.unreadable(f"answered with {self.media_type or 'no content type'}")
        try:
            return msgspec.json.decode(self.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.unreadable("answered with JSON of another shape", str(error)) from None

    def unreadable(self, message: str, detail: str | None = None) -> Unreadable:
        """The error for an answer that is not in the system's own format."""
        return Unreadable(self.source, f"{self.operation}: {message}", detail=detail)

    def quote(self) -> str:
        """The beginning of the body, for the log alone."""
        return self.body[:_DETAIL].decode("utf-8", "replace")


#: Names a failure by what only this system means by it; None leaves it to the status.
Explain = Callable[[Reply], SourceError | None]


def _unexplained(reply: Reply) -> SourceError | None:
    return None


def name_failure(reply: Reply, now: float) -> SourceError | None:
    """The failure that a status stands for, None for 2xx. now: epoch seconds, for Retry-After."""
    status, source = reply.status, reply.source
    if 200 <= status < 300:
        return None
    what = f"{reply.operation}: answered {status}"
    detail, wait = reply.quote(), retry_after(reply.headers, now)
    if status == 429:
        return Throttled(source, what, detail=detail, retry_after=wait)
    if status in (401, 403, 407):
        return Refused(source, what, detail=detail)
    if status == 408 or status >= 500:
        return Unavailable(source, what, detail=detail, retry_after=wait)
    if 300 <= status < 400:
        return Unreadable(source, f"{reply.operation}: redirected us elsewhere", detail=detail)
    return Rejected(source, what, detail=detail)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as an HTTP date. RFC 9110, 10.2.3."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


class _UnknownError(Exception):
    """A refusal by 401: the system does not know our credential, perhaps no longer. Any other
    refusal would be the same with a new one."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__()
        self.refusal = refusal


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
        explain: Explain = _unexplained,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.source = source
        self.base_url = base_url.rstrip("/")
        self._settings = settings
        self._wiring = wiring
        self._credential: Credential = credential or Anonymous()
        self._explain = explain
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._cap = int(settings.max_megabytes * 1_000_000)
        self._client = httpx.AsyncClient(
            transport=wiring.transport,
            headers={"accept": "application/json", **(headers or {})},
            timeout=httpx.Timeout(settings.deadline, connect=settings.connect),
            limits=httpx.Limits(
                max_connections=settings.connections,
                max_keepalive_connections=settings.connections,
                keepalive_expiry=30.0,
            ),
            # A cookie would tie our calls to one session of the system, and keep it there.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
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
        body = content
        url = path if path.startswith(("http://", "https://")) else self.base_url + path
        if isinstance(params, str):
            url, params = f"{url}?{params}", None
        try:
            if json is not None:
                body = jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
                headers = {"content-type": "application/json", **(headers or {})}
            request = self._client.build_request(
                method,
                url,
                params=params,  # type: ignore[arg-type]  # httpx wants list's exact item type
                headers=headers,
                content=body,
            )
        except UnicodeEncodeError:
            # Half of a surrogate pair: JSON can say it, UTF-8 cannot.
            message = f"{operation}: a text in the question is no Unicode text"
            raise Rejected(self.source, message) from None
        try:
            async with asyncio.timeout(self._settings.deadline):
                return await self._tries(operation, request, reads, authorized)
        except TimeoutError:
            raise self._timed_out(operation) from None

    async def _tries(
        self, operation: str, request: httpx.Request, reads: bool, authorized: bool
    ) -> Reply:
        left = self._settings.tries if reads else 1
        pause, renewed = 0.1, False
        while True:
            left -= 1
            granted = await self._credential.headers(self) if authorized else {}
            request.headers.update(granted)
            try:
                return await self._once(operation, request, granted if authorized else None)
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
        self, operation: str, request: httpx.Request, granted: Mapping[str, str] | None
    ) -> Reply:
        """granted: the credential that travels; None for a call that fetches one."""
        started, outcome, status, size = time.perf_counter(), "ok", None, 0
        try:
            async with self._slots:
                reply = await self._exchange(operation, request)
            status, size = reply.status, len(reply.body)
            failure = None
            if not 200 <= reply.status < 300:
                failure = self._failure(reply, granted)
            if isinstance(failure, Refused) and reply.status == 401:
                outcome = failure.code
                raise _UnknownError(failure)
            if failure is not None:
                raise failure
            return reply
        except SourceError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = TimedOut.code
            raise
        finally:
            seconds = time.perf_counter() - started
            self._wiring.heard(Call(self.source, operation, outcome, status, seconds, size))

    def _failure(self, reply: Reply, granted: Mapping[str, str] | None) -> SourceError | None:
        """What an answer that is none of 2xx means, without our credential in it."""
        failure = self._explain(reply)
        if failure is None:
            failure = name_failure(reply, time.time())
            # Whoever hands out credentials may repeat what it was sent, the secret among it.
            if failure is not None and granted is None:
                failure.detail = None
        if failure is not None and _repeats(failure.detail, granted or {}):
            failure.detail = "withheld: it repeats our credential"
        return failure

    async def _exchange(self, operation: str, request: httpx.Request) -> Reply:
        try:
            response = await self._client.send(request, stream=True)
            try:
                body = await self._read(operation, response)
            finally:
                await response.aclose()
        except httpx.TimeoutException:
            raise self._timed_out(operation) from None
        except httpx.DecodingError as error:
            message = f"{operation}: answered with a broken content encoding"
            raise Unreadable(self.source, message, detail=str(error)) from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            message = f"{operation}: could not be reached"
            raise Unavailable(self.source, message, detail=type(error).__name__) from None
        return Reply(self.source, operation, response.status_code, response.headers, body)

    async def _read(self, operation: str, response: httpx.Response) -> bytes:
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._cap:
                message = f"{operation}: answered with more than {self._cap} bytes"
                raise Unreadable(self.source, message)
            parts.append(part)
        return b"".join(parts)

    def _timed_out(self, operation: str) -> TimedOut:
        seconds = self._settings.deadline
        return TimedOut(self.source, f"{operation}: no answer within {seconds:g} s")


def _repeats(detail: str | None, granted: Mapping[str, str]) -> bool:
    """Whether a text holds a credential, or how one begins: a quote may end within it. Pages for
    developers show the headers of the call that failed."""
    secrets = (secret for value in granted.values() for secret in _secrets(value))
    return any(secret and secret[:_TELLING] in (detail or "") for secret in secrets)


def _secrets(value: str) -> list[str]:
    """What is secret of a header: all that follows the scheme, and the password of Basic."""
    scheme, _, rest = value.rpartition(" ")
    if scheme.lower() != "basic":
        return [rest]
    pair = base64.b64decode(rest).decode("utf-8", "replace")
    return [rest, pair.partition(":")[2]]


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
