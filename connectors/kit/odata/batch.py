"""Packs several reads into one multipart `$batch` and takes the answer apart again. Pure.

The answer to a batch is a success although a part of it failed: each part has a status of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?")


@dataclass(frozen=True, slots=True)
class Part:
    """One answer inside a batch. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def pack(targets: Sequence[str], boundary: str, headers: Mapping[str, str]) -> bytes:
    """The body of a `$batch` that reads each target, an encoded address relative to the service.

    boundary: anything that occurs in no target. headers: sent with each part. Raises ValueError for
    a target or a header that would end its line.
    """
    lines: list[str] = []
    fields = [f"{key}: {value}" for key, value in headers.items()]
    for target in targets:
        if any(sign in part for part in (target, *fields) for sign in "\r\n") or " " in target:
            raise ValueError("a part of a batch must be one encoded line")
        lines += [f"--{boundary}", "Content-Type: application/http"]
        # A GET ends with two empty lines: its headers, then the body that it does not have.
        lines += ["Content-Transfer-Encoding: binary", "", f"GET {target} HTTP/1.1", *fields]
        lines += ["", ""]
    lines += [f"--{boundary}--", ""]
    return "\r\n".join(lines).encode("ascii")


def unpack(content_type: str, body: bytes) -> list[Part]:
    """The parts of a batch's answer, in order. Raises ValueError for what is none."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_maintype() != "multipart" or not boundary:
        raise ValueError("is no multipart answer")
    delimiter = b"--" + boundary.encode("latin-1", "replace")
    pieces: list[list[bytes]] = []
    closed = False
    for line in body.split(b"\n"):
        bare = line.rstrip(b"\r \t")
        if bare == delimiter:
            pieces.append([])
        elif bare == delimiter + b"--":
            closed = True
            break
        elif pieces:
            pieces[-1].append(line)
    if not closed:
        raise ValueError("is a multipart answer that breaks off")
    return [_part(b"\n".join(lines)) for lines in pieces]


def _part(piece: bytes) -> Part:
    _, _, inner = _head(piece)
    status, headers, body = _head(inner.lstrip(b"\r\n"), with_status=True)
    found = _STATUS.fullmatch(status)
    if found is None:
        raise ValueError("holds a part without a status")
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) <= len(body):
        return Part(int(found[1]), headers, body[: int(length)])
    return Part(int(found[1]), headers, body.strip(b"\r\n"))


def _head(piece: bytes, *, with_status: bool = False) -> tuple[bytes, dict[str, str], bytes]:
    """The status line, if there is one, the headers by lower-case name, and the rest."""
    status, headers = b"", {}
    rest = piece
    while rest:
        line, _, rest = rest.partition(b"\n")
        line = line.rstrip(b"\r")
        if with_status and not status:
            status = line
        elif not line:
            break
        else:
            key, _, value = line.partition(b":")
            headers[key.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()
    return status, headers, rest
