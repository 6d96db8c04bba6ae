"""Takes a multipart body apart: the JSON that describes a file, and the file's bytes. Pure."""

from __future__ import annotations

import re
from email.message import Message
from typing import Final

from sandbox.crm.errors import Refusal

_NAME: Final = re.compile(rb'\bname="([^"]*)"', re.IGNORECASE)


def parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts by name. Raises Refusal when the body is no well-formed multipart."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise _unreadable("no boundary")
    delimiter = b"\r\n--" + boundary.encode()
    pieces = (b"\r\n" + body).split(delimiter)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise _unreadable("no end")
    found = {}
    for piece in pieces[1:-1]:
        head, blank, content = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not blank or name is None:
            raise _unreadable("a part without a name")
        found[name[1].decode(errors="replace")] = content
    return found


def _unreadable(why: str) -> Refusal:
    return Refusal(400, "INVALID_MULTIPART_REQUEST", f"the multipart body has {why}")
