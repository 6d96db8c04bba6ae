"""One question to the CRM and its answer, whether they came over HTTP or inside a composite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any


@dataclass(frozen=True, slots=True)
class Blob:
    """The bytes of a file that came with a call, on disk unless they are few."""

    file: IO[bytes]
    size: int


@dataclass(frozen=True, slots=True)
class Download:
    """The bytes of a file that is answered, in pieces."""

    size: int
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Call:
    """path: below the version, split at slashes and decoded. body: JSON as read, None for none.

    base: `/services/data/v60.0`. page_size: rows of an answer before it says where to read on.
    blob: the file that came with the body in a multipart request.
    """

    method: str
    path: tuple[str, ...]
    base: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    blob: Blob | None = None
    page_size: int = 2_000
    inner: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """body: JSON to write, a Download for a file, None for none."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
