"""Reads a form with files (multipart/form-data, RFC 7578) from the socket: parts and their bytes in
the order in which they come, none of them kept."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive

from gateway.http.bytes import CLOSE, Broken, announced, chunks
from gateway.http.headers import Head
from gateway.http.refusals import Refusal

MEDIA_TYPE = "multipart/form-data"
#: Headers of one part, bytes of one of them, and parts at most.
_MOST_HEADERS, _LONGEST_HEADER, _MOST_PARTS = 8, 4_096, 104
#: Seconds that a sender may be silent.
_PATIENCE = 30.0
#: Encodings of a part that are none.
_PLAIN = ("", "binary", "7bit", "8bit")


@dataclass(frozen=True, slots=True)
class Part:
    """The beginning of a part. filename: None for a field of text."""

    name: str
    filename: str | None
    content_type: str


@dataclass(frozen=True, slots=True)
class PartEnd:
    """A part is whole."""


Event = Part | bytes | PartEnd


class Form:
    """The form in the body of a request. most_bytes: of the whole body. Raises Refusal where there
    cannot be one."""

    def __init__(self, head: Head, receive: Receive, most_bytes: int) -> None:
        # It would write down what people send.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
        length = announced(head)
        self._most_bytes = most_bytes
        if length is not None and length > most_bytes:
            raise self._too_large()
        self._receive = receive
        self._callbacks = _Callbacks()
        try:
            self._parser = MultipartParser(
                _boundary(head),
                self._callbacks.table,
                max_header_count=_MOST_HEADERS,
                max_header_size=_LONGEST_HEADER,
            )
        except FormParserError:
            raise _refused("The boundary is too long.") from None

    async def events(self) -> AsyncGenerator[Event]:
        """What comes, until the form ends. Nothing more is read while nobody asks for the next.
        Raises Refusal for a body that is no form, ends early or is too large."""
        size, parts = 0, 0
        try:
            async for data in chunks(self._receive, _PATIENCE):
                size += len(data)
                if size > self._most_bytes:
                    raise self._too_large()
                if not self._callbacks.ended:
                    self._parser.write(data)
                for event in self._callbacks.taken():
                    parts += isinstance(event, Part)
                    if parts > _MOST_PARTS:
                        raise _refused(f"The form has more than {_MOST_PARTS} parts.")
                    yield event
        except FormParserError:
            raise _refused("The body is no form with this boundary.") from None
        except Broken as broken:
            raise Refusal(broken.status, broken.text, headers=CLOSE) from None
        if not self._callbacks.ended:
            raise _refused("The form breaks off before its end.")

    def _too_large(self) -> Refusal:
        text = f"The body is larger than {self._most_bytes} bytes."
        return Refusal(413, text, headers=CLOSE)


@dataclass(slots=True)
class _Callbacks:
    """Collects what the parser tells."""

    ended: bool = False
    _events: list[Event] = field(default_factory=list)
    _headers: dict[str, bytes] = field(default_factory=dict)
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)

    @property
    def table(self) -> Any:
        names = (
            "on_part_begin on_part_data on_part_end on_header_field on_header_value on_header_end "
            "on_headers_finished on_end"
        )
        return {name: getattr(self, name) for name in names.split()}

    def taken(self) -> list[Event]:
        """What was told since the last time."""
        events, self._events = self._events, []
        return events

    def on_part_begin(self) -> None:
        self._headers = {}

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def on_headers_finished(self) -> None:
        self._events.append(_part(self._headers))

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def on_part_end(self) -> None:
        self._events.append(PartEnd())

    def on_end(self) -> None:
        self.ended = True


def _boundary(head: Head) -> bytes:
    _, options = parse_options_header(head.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise _refused("The content type names no boundary.")
    return boundary


def _part(headers: dict[str, bytes]) -> Part:
    kind, options = parse_options_header(headers.get("content-disposition", b""))
    if kind != b"form-data" or b"name" not in options:
        raise _refused("A part of the form has no name.")
    encoding = headers.get("content-transfer-encoding", b"").decode("latin-1").strip().lower()
    if encoding not in _PLAIN:
        raise _refused("Send the parts of the form without transfer encoding.")
    filename = options.get(b"filename")
    return Part(
        _text(options[b"name"]),
        None if filename is None else _text(filename),
        headers.get("content-type", b"").decode("latin-1").strip(),
    )


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _refused(text: str) -> Refusal:
    return Refusal(400, text, headers=CLOSE)
