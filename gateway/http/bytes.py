"""Reads the body of a request as it comes, and no further than it is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive

from gateway.http.headers import Head
from gateway.http.refusals import Refusal

#: Told with a refusal in the middle of a body: its rest is not read, so nothing else can follow on
#: this connection.
CLOSE = {"connection": "close"}


class Broken(Exception):
    """The sender is gone, or silent for too long. text: for whoever may still hear it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def announced(head: Head) -> int | None:
    """How many bytes the body has, None where its sender does not say. Raises Refusal."""
    encoding = head.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        headers = {"accept-encoding": "identity", **CLOSE}
        raise Refusal(415, "Send the body without content encoding.", headers=headers)
    length = head.headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) <= 18 else None


async def chunks(receive: Receive, patience: float) -> AsyncIterator[bytes]:
    """The body. patience: seconds to wait for the next bytes. Raises Broken."""
    while True:
        try:
            async with asyncio.timeout(patience):
                message = await receive()
        except TimeoutError:
            raise Broken(408, "Nothing came for too long.") from None
        if message["type"] == "http.disconnect":
            raise Broken(400, "The body broke off.")
        data = message.get("body", b"")
        if data:
            yield data
        if not message.get("more_body", False):
            return
