"""Takes a multipart body apart as it comes: JSON that describes a file, and the file's bytes."""

from __future__ import annotations

import re
import tempfile
from email.message import Message
from io import BytesIO
from typing import IO, Final

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from sandbox.crm.calls import Blob
from sandbox.crm.errors import Refusal

FILE: Final = "VersionData"
#: Bytes of a file that are held in memory; a larger one waits on disk.
_HELD: Final = 1024 * 1024
_LARGEST_JSON: Final = 1024 * 1024
_NAME: Final = re.compile(rb'\bname="([^"]*)"', re.IGNORECASE)


class Multipart:
    """One body. Give it to `take` piece by piece, then ask for what was `found`. Raises Refusal
    when the body is no well-formed multipart."""

    def __init__(self, content_type: str) -> None:
        header = Message()
        header["Content-Type"] = content_type
        boundary = header.get_param("boundary")
        if not isinstance(boundary, str) or not boundary:
            raise _unreadable("no boundary")
        self._described: IO[bytes] = BytesIO()
        self._file: IO[bytes] | None = None
        self._part: IO[bytes] | None = None
        self._head = bytearray()
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._head.clear,
                "on_header_field": self._on_header,
                "on_header_value": self._on_header,
                "on_header_end": lambda: self._head.extend(b"\r\n"),
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_end": self._on_end,
            },
        )

    def take(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except MultipartParseError:
            raise _unreadable("no well-formed part") from None

    def found(self) -> tuple[bytes, Blob | None]:
        """The JSON, and the file if there was one."""
        if not self._ended:
            raise _unreadable("no end")
        self._described.seek(0)
        blob = None if self._file is None else Blob(self._file, self._file.tell())
        return self._described.read(), blob

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._head += data[start:end]

    def _on_headers(self) -> None:
        name = _NAME.search(self._head)
        if name is None:
            raise _unreadable("a part without a name")
        if name[1] == FILE.encode():
            self._file = tempfile.SpooledTemporaryFile(max_size=_HELD)  # noqa: SIM115 - kept open
            self._part = self._file
        else:
            self._part = self._described

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        assert self._part is not None  # noqa: S101 - headers come before data
        self._part.write(data[start:end])
        if self._part is self._described and self._part.tell() > _LARGEST_JSON:
            raise Refusal(413, "REQUEST_ENTITY_TOO_LARGE", "too much JSON beside a file")

    def _on_end(self) -> None:
        self._ended = True


def _unreadable(why: str) -> Refusal:
    return Refusal(400, "INVALID_MULTIPART_REQUEST", f"the multipart body has {why}")
