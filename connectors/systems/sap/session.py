"""Sends what is not a GET: fetches the token against forged requests and sends it with its cookies.

Token and cookies belong to one security session of SAP, so they are kept and replaced together.
Plain reads carry no cookies: each session that is held open costs the system memory.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from connectors.kit.http import HttpClient
from connectors.kit.replies import Reply
from connectors.port.errors import Refused, Unreadable
from connectors.systems.sap.failures import TokenExpired, not_odata


@dataclass(frozen=True, slots=True)
class _Session:
    token: str
    cookies: str

    @property
    def headers(self) -> dict[str, str]:
        cookies = {"cookie": self.cookies} if self.cookies else {}
        return {"x-csrf-token": self.token, **cookies}


class WriteSession:
    """The security session for one service. path: of the service, on the client's host."""

    def __init__(self, http: HttpClient, path: str) -> None:
        self._http = http
        self._path = path
        self._session: _Session | None = None
        self._lock = asyncio.Lock()

    async def post(
        self, operation: str, path: str, content: bytes, headers: dict[str, str], *, reads: bool
    ) -> Reply:
        """POST under a valid token; one that was refused is fetched again once.

        reads: it changes nothing, so it may be tried again when the system is unavailable."""
        session = await self._current(None)
        for renewed in (False, True):
            try:
                return await self._http.call(
                    operation,
                    "POST",
                    path,
                    content=content,
                    headers={**headers, **session.headers},
                    reads=reads,
                )
            except TokenExpired as error:
                if renewed:
                    message = f"{operation}: a fresh token against forged requests was refused"
                    raise Refused(error.source, message, detail=error.detail) from None
                session = await self._current(session)
        raise AssertionError("unreachable")

    async def _current(self, refused: _Session | None) -> _Session:
        async with self._lock:
            # Only the first of many refused calls fetches: the others find its new session.
            if self._session is None or self._session is refused:
                self._session = await self._fetch()
            return self._session

    async def _fetch(self) -> _Session:
        operation = "csrf_token"
        reply = await self._http.get(operation, self._path + "/", headers={"x-csrf-token": "Fetch"})
        if (failure := not_odata(reply)) is not None:
            raise failure
        token = reply.headers.get("x-csrf-token", "")
        if not token or token.lower() == "required":
            raise Unreadable(reply.source, f"{operation}: answered without a token")
        pairs = (line.partition(";")[0].strip() for line in reply.headers.get_list("set-cookie"))
        return _Session(token, "; ".join(pair for pair in pairs if "=" in pair))
