"""`$batch` apart and together: multipart/mixed with one GET a part, each answered by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise
from typing import Final

from sandbox.erp.errors import ODataError, unreadable

BOUNDARY: Final = "ejjeeffe0"
_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))')
_LINE: Final = re.compile(r"([A-Z]+) (\S+)(?: HTTP/1\.[01])?")


@dataclass(frozen=True, slots=True)
class Inner:
    """One request of a batch. target: as written, encoded, mostly relative to the service root."""

    method: str
    target: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a batch."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str]


def requests_of(content_type: str, body: bytes) -> list[Inner]:
    """The requests in order; a change set counts as one POST. Raises ODataError 400."""
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/mixed") or found is None:
        raise unreadable("A batch request needs 'Content-Type: multipart/mixed; boundary=...'")
    delimiter = "--" + (found[1] or found[2])
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    marks = [i for i, line in enumerate(lines) if line.rstrip() in (delimiter, delimiter + "--")]
    if len(marks) < 2 or lines[marks[-1]].rstrip() != delimiter + "--":
        raise unreadable("The batch request is malformed: its boundary does not end it")
    return [_inner(lines[a + 1 : b]) for a, b in pairwise(marks)]


def _inner(lines: Sequence[str]) -> Inner:
    about, rest = _head(lines)
    kind = about.get("content-type", "")
    if kind.startswith("multipart/mixed"):
        return Inner("POST", "", {})
    if not kind.startswith("application/http"):
        raise unreadable("The batch request is malformed: a part is not 'application/http'")
    while rest and not rest[0].strip():
        rest = rest[1:]
    request = _LINE.fullmatch(rest[0].strip()) if rest else None
    if request is None:
        raise unreadable("The batch request is malformed: a part has no request line")
    headers, _ = _head(rest[1:])
    return Inner(request[1], request[2], headers)


def _head(lines: Sequence[str]) -> tuple[dict[str, str], Sequence[str]]:
    headers: dict[str, str] = {}
    for place, line in enumerate(lines):
        if not line.strip():
            return headers, lines[place + 1 :]
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers, ()


def together(replies: Sequence[Reply]) -> bytes:
    """The body of the answer, parts in the order of the requests."""
    parts = []
    for reply in replies:
        headers = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **reply.headers}.items()]
        inner = "\r\n".join([*lines, "", ""]).encode() + reply.body
        head = (
            f"--{BOUNDARY}\r\nContent-Type: application/http\r\n"
            f"Content-Length: {len(inner)}\r\ncontent-transfer-encoding: binary\r\n\r\n"
        )
        parts.append(head.encode() + inner + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def failed_part() -> ODataError:
    """What one part of a batch says when it alone fails."""
    return ODataError(500, "/IWBEP/CM_MGW_RT/022", "An exception was raised.")
