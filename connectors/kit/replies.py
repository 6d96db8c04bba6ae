"""Complete answers of a system, and what those that are none of 2xx mean. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec

from connectors.kit.wire import Headers
from connectors.port.errors import (
    Refused,
    Rejected,
    SourceError,
    Throttled,
    Unavailable,
    Unreadable,
)

T = TypeVar("T")

#: Longest text of a system that is kept for the log.
_DETAIL = 500


@dataclass(slots=True)
class Reply:
    """A complete answer. body is decoded (no content encoding left)."""

    source: str
    operation: str
    status: int
    headers: Headers
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


def unexplained(reply: Reply) -> SourceError | None:
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
