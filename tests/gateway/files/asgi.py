"""Puts requests to ASGI applications by hand, so that a body can come in any way and end in any."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

from connectors.port.errors import SourceError
from gateway.http.headers import Head
from gateway.http.reception import Visitor
from gateway.operations.requests import Outcome, Request
from schema.context import Caller
from schema.identity.service import Origin
from tests.gateway.files.cabinet import ANA


@dataclass(slots=True)
class Sender:
    """A request's body in pieces. breaks: hangs up after them. hangs: says nothing more. asked: how
    many pieces were taken."""

    pieces: Sequence[bytes] = ()
    breaks: bool = False
    hangs: bool = False
    asked: int = 0
    #: That all pieces were taken, and that it hangs up after all.
    spoken: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        if self.asked < len(self.pieces):
            self.asked += 1
            last = self.asked == len(self.pieces) and not (self.breaks or self.hangs)
            body = self.pieces[self.asked - 1]
            return {"type": "http.request", "body": body, "more_body": not last}
        if self.asked == 0 and not (self.breaks or self.hangs):
            self.asked += 1
            return {"type": "http.request", "body": b"", "more_body": False}
        self.spoken.set()
        if not self.breaks:
            await self.gone.wait()
        return {"type": "http.disconnect"}


@dataclass(slots=True)
class Answer:
    """What came back. complete: whether it ended as HTTP has it."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False

    @property
    def error(self) -> Any:
        [error] = json.loads(self.body)["errors"]
        return error

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            raw = message["headers"]
            self.headers = {name.decode(): value.decode() for name, value in raw}
        else:
            self.body += message.get("body", b"")
            self.complete = not message.get("more_body", False)


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    sender: Sender | None = None,
) -> Answer:
    """The answer of an application whose routes end in a ticket."""
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "path_params": {"ticket": path.rpartition("/")[2]},
        "query_string": b"",
        "headers": raw,
    }
    answer = Answer()
    await app(scope, (sender or Sender()).receive, answer.send)
    return answer


def cut(body: bytes, size: int = 50_000) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)] or [b""]


@dataclass(slots=True)
class Desk:
    """Stands in for a Reception: lets in whom it is told to, and writes down what is asked."""

    who: Caller | SourceError | None = ANA
    asked: list[Request] = field(default_factory=list)
    received: int = 0
    answers: Any = None

    async def receive(self, head: Head) -> Visitor:
        self.received += 1
        return Visitor(self.who, Origin("-", "-", "-"), "en", "en")

    async def answer(self, visitor: Visitor, request: Request) -> Outcome:
        self.asked.append(request)
        if self.answers is not None:
            await self.answers(request)
        return Outcome({"data": None})


def form(
    *parts: tuple[str, bytes | str, str | None], boundary: str = "b0undary", end: str = "--\r\n"
) -> bytes:
    """A form: name, content, filename."""
    body = b""
    for name, content, filename in parts:
        data = content.encode() if isinstance(content, str) else content
        more = "" if filename is None else f'; filename="{filename}"'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    return body + f"--{boundary}{end}".encode()


async def streamed(content: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]
