"""An answer that is there as a whole, on its way out: by ASGI, or as the bytes of HTTP/1.1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.http.headers import Head, Pair

#: What no header may hold: with it, one could be made two.
_FORBIDDEN = bytes([*range(9), *range(10, 32), 127])
#: Bytes from which on it costs more to copy a body than to send it in a part of its own.
_LONG: Final = 4_096
_CLOSE: Pair = (b"connection", b"close")


class Reply(msgspec.Struct):
    """headers: names in lower case; `content-length` is among them where there is a body."""

    status: int
    headers: Sequence[Pair]
    body: bytes

    async def send(self, send: Send) -> None:
        """By ASGI."""
        message = {
            "type": "http.response.start",
            "status": self.status,
            "headers": list(self.headers),
        }
        await send(message)
        await send({"type": "http.response.body", "body": self.body})

    def written(self, first: Sequence[Pair], *, last: bool) -> Sequence[bytes]:
        """As HTTP/1.1 has it, in parts. first: headers that the server adds. last: nothing follows
        on this connection. Raises ValueError for a header that is none."""
        headers = [*first, *self.headers]
        if last and not self.closes:
            headers.append(_CLOSE)
        lines = b"\r\n".join([b": ".join(pair) for pair in headers])
        if len(lines) - len(lines.translate(None, _FORBIDDEN)) != 2 * (len(headers) - 1):
            raise ValueError("a header holds what no header may")
        head = b"%b%b\r\n\r\n" % (STATUS_LINE[self.status], lines)
        # A long body is not copied.
        return (head + self.body,) if len(self.body) < _LONG else (head, self.body)

    @property
    def closes(self) -> bool:
        """Whether it says that nothing follows on this connection."""
        return _CLOSE in self.headers


class Replies(Protocol):
    """Answers requests whose bodies are there already."""

    async def reply(self, head: Head, body: bytes) -> Reply: ...
