"""Hands out files of cases by signed links, streamed from wherever they are.

A link names a viewer and gives nobody more than that viewer has: whether their session goes on and
what they may see is asked again each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from connectors.port.errors import SourceError, Unreadable
from connectors.port.records import Attachment, Content
from connectors.port.scope import Scope as AccountScope
from connectors.port.sources import CaseSource
from gateway.access.callers import Callers, UnknownAccount
from gateway.access.claims import Claims
from gateway.access.revocations import Revocations
from gateway.files.links import DownloadTicket, Links
from gateway.files.names import clean_name
from gateway.files.types import KNOWN
from gateway.http.answers import send_empty, send_error, send_head
from gateway.http.headers import Head
from gateway.http.ranges import Unsatisfiable, asked
from gateway.http.refusals import Refusal
from gateway.operations import errors
from schema.access import CASES_READ
from schema.context import Caller
from schema.texts import N_

_log = logging.getLogger("gateway.files")

_NEEDED = frozenset({"filename", "content_type", "size"})
#: What keeps a file from doing anything in a browser but being saved.
_SAFE = {
    "accept-ranges": "bytes",
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-site",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class DownloadRoute:
    """An ASGI application that answers `/files/{ticket}`. language: of texts, by headers."""

    def __init__(
        self,
        links: Links,
        cases: CaseSource,
        callers: Callers,
        revocations: Revocations,
        language: Callable[[Mapping[str, str]], str],
    ) -> None:
        self._links, self._cases, self._callers = links, cases, callers
        self._revocations, self._language = revocations, language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head.of(scope)
        bodiless = scope["method"] == "HEAD"
        error: Refusal | dict[str, Any]
        try:
            await self._answer(scope, head, receive, send)
            return
        except Refusal as refused:
            error = refused
        except SourceError as failed:
            error = _unavailable(failed)
        except Exception as unforeseen:  # noqa: BLE001 - no link may end in a stack trace
            error = errors.masked(unforeseen, self._language(head.headers))
        headers = {"cache-control": "private, no-store"}
        await send_error(send, error, self._language(head.headers), headers, bodiless=bodiless)

    async def _answer(self, scope: Scope, head: Head, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise Refusal(405, "Use GET or HEAD.", headers={"allow": "GET, HEAD"})
        ticket = self._links.read(scope["path_params"]["ticket"], DownloadTicket)
        if ticket is None:
            raise _gone()
        caller = await self._viewer(ticket)
        reading = _Reading(self._cases, ticket.attachment_id, caller.scope)
        try:
            if scope["method"] == "GET" and "range" not in head.headers:
                await reading.begin()
            file = await reading.file()
            first, after = part = _part(head, file.size)
            headers = _headers(file, *part)
            status = 206 if "content-range" in headers else 200
            if scope["method"] == "HEAD":
                await send_empty(send, status, headers)
                return
            content = await reading.content(first)
            if content.size != file.size:
                raise Unreadable("crm", "a file has another size than was said")
            await _send(send, receive, status, headers, _bounded(content, after - first))
        finally:
            await reading.close()

    async def _viewer(self, ticket: DownloadTicket) -> Caller:
        """Who the link was made for, as they are now. Raises Refusal, SourceError."""
        if ticket.session_id and self._revocations.ended(ticket.session_id):
            raise _gone()
        is_program = ticket.client_id is not None
        claims = Claims(
            issuer="",
            subject=ticket.client_id or ticket.contact_id,
            email=None,
            contact_id=None if is_program else ticket.contact_id,
            expires_at=datetime.fromtimestamp(ticket.expires_at, UTC),
            session_id=ticket.session_id,
            client_id=ticket.client_id,
            scopes=frozenset(ticket.scopes),
            staff=is_program,
        )
        if is_program and CASES_READ not in ticket.scopes:
            raise _gone()
        try:
            return await self._callers.caller(claims, ticket.account_id)
        except UnknownAccount:
            raise _gone() from None


class _Reading:
    """One file, asked for as seldom as can be."""

    def __init__(self, cases: CaseSource, attachment_id: str, scope: AccountScope) -> None:
        self._cases, self._id, self._scope = cases, attachment_id, scope
        self._file: Attachment | None = None
        self._content: Content | None = None

    async def begin(self) -> None:
        """What it is, and its bytes from the first on: systems answer both at once. Raises
        Refusal."""
        asked = asyncio.gather(self._ask_file(), self._ask_content(0), return_exceptions=True)
        for failed in await asked:
            if isinstance(failed, BaseException):
                raise failed
        if self._file is None or self._content is None:
            raise _gone()

    async def file(self) -> Attachment:
        """What it is. Raises Refusal where there is none to be seen."""
        if self._file is None:
            await self._ask_file()
        if self._file is None:
            raise _gone()
        return self._file

    async def content(self, first: int) -> Content:
        """Its bytes. Raises Refusal."""
        if self._content is None:
            await self._ask_content(first)
        if self._content is None:
            raise _gone()
        return self._content

    async def close(self) -> None:
        if self._content is not None:
            await self._content.close()

    async def _ask_file(self) -> None:
        [self._file] = await self._cases.attachments_by_id([self._id], _NEEDED, self._scope)

    async def _ask_content(self, first: int) -> None:
        self._content = await self._cases.attachment_content(self._id, self._scope, first)


def _gone() -> Refusal:
    return Refusal(404, N_("This link does not work any more. Open the case again for a new one."))


def _unavailable(error: SourceError) -> Refusal:
    headers = {"retry-after": str(round(error.retry_after or 5))} if error.retryable else {}
    return Refusal(
        503 if error.retryable else 502,
        N_("This file cannot be read right now. Try again in a moment."),
        code=error.code,
        headers=headers,
        extensions={"source": error.source, "retryable": error.retryable},
    )


def _part(head: Head, size: int) -> tuple[int, int]:
    # Nothing here has a version that If-Range could name, so with it the whole file is meant.
    header = None if "if-range" in head.headers else head.headers.get("range")
    try:
        return asked(header, size) or (0, size)
    except Unsatisfiable:
        headers = {"content-range": f"bytes */{size}"}
        raise Refusal(416, "The file has no such part.", headers=headers) from None


def _headers(file: Attachment, first: int, after: int) -> dict[str, str]:
    headers = {
        **_SAFE,
        "content-type": file.content_type if file.content_type in KNOWN else _OPAQUE,
        "content-disposition": disposition(file.filename),
        "content-length": str(after - first),
    }
    if after - first < file.size:
        headers["content-range"] = f"bytes {first}-{after - 1}/{file.size}"
    return headers


#: What a file is said to be that could do something in a browser.
_OPAQUE = "application/octet-stream"


def disposition(filename: str) -> str:
    """The header that has a file saved under its name, RFC 6266: for old programs in ASCII, for
    others as it is."""
    name = clean_name(filename)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    plain = plain.replace("\\", "_").replace("%", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _bounded(content: Content, length: int) -> AsyncIterator[bytes]:
    """Exactly that many bytes. Raises Unreadable when there are fewer."""
    left = length
    async for data in content.chunks:
        part = data[:left]
        left -= len(part)
        if part:
            yield part
        if left == 0:
            return
    if left:
        raise Unreadable("crm", "a file ended too early")


async def _send(
    send: Send,
    receive: Receive,
    status: int,
    headers: Mapping[str, str],
    chunks: AsyncIterator[bytes],
) -> None:
    """Sends a body as it comes. One that breaks off is left unfinished, so that the connection is
    closed: nobody shall take a part for the whole. Raises SourceError as long as nothing was
    sent."""
    gone = asyncio.ensure_future(_gone_away(receive))
    started = False
    try:
        async for data in chunks:
            if gone.done():
                return
            if not started:
                await send_head(send, status, headers)
                started = True
            await send({"type": "http.response.body", "body": data, "more_body": True})
    except SourceError as error:
        if not started:
            raise
        _log.warning("a file broke off while it was read: %s", error)
        return
    finally:
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone
    if not started:
        await send_head(send, status, headers)
    await send({"type": "http.response.body", "body": b""})


async def _gone_away(receive: Receive) -> None:
    """Ends when whoever asked has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
