"""Credentials: what a call carries so that a system knows us, renewed once when refused."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from connectors.kit.http import HttpClient

Headers = Mapping[str, str]

#: How much of a credential gives it away.
_TELLING = 12


class Credential(Protocol):
    """headers: what to add to a call; may fetch a token through the client (authorized=False).
    renew: told that `used` was refused; True when the call is worth one more try."""

    async def headers(self, client: HttpClient) -> Headers: ...

    async def renew(self, used: Headers) -> bool: ...


class Anonymous:
    """No credential."""

    async def headers(self, client: HttpClient) -> Headers:
        return {}

    async def renew(self, used: Headers) -> bool:
        return False


class Fixed:
    """A header that never changes: an API key, a long-lived token."""

    def __init__(self, name: str, value: str) -> None:
        self._headers = {name: value}

    async def headers(self, client: HttpClient) -> Headers:
        return self._headers

    async def renew(self, used: Headers) -> bool:
        return False

    def __repr__(self) -> str:
        return f"Fixed({next(iter(self._headers))!r}, ...)"


def basic(user: str, password: str) -> Fixed:
    """HTTP Basic, RFC 7617."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Fixed("authorization", f"Basic {pair}")


class Fetched:
    """A bearer token that the system hands out. It is fetched once for all callers (single flight),
    kept until it is refused, and then fetched again once.

    fetch: asks for a token; raises SourceError. It must pass authorized=False to its call.
    """

    def __init__(self, fetch: Callable[[HttpClient], Awaitable[str]]) -> None:
        self._fetch = fetch
        self._headers: Headers | None = None
        self._lock = asyncio.Lock()

    async def headers(self, client: HttpClient) -> Headers:
        if self._headers is None:
            async with self._lock:
                if self._headers is None:
                    self._headers = {"authorization": f"Bearer {await self._fetch(client)}"}
        return self._headers

    async def renew(self, used: Headers) -> bool:
        # Only the first of many refused calls drops the token: the others find a new one.
        if used == self._headers:
            self._headers = None
        return True

    def __repr__(self) -> str:
        return "Fetched(...)"


def repeats(detail: str | None, granted: Mapping[str, str]) -> bool:
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
