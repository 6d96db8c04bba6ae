"""What the graph asks of whoever keeps files. `gateway.files` does.

Bytes never pass through the graph: a file of a multipart request is in the store before the
operation runs, a large one is sent to an address of its own. A method either does what its name
says or raises `Problems`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schema.context import Caller
from schema.problems import Problem


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file of a GraphQL multipart request: the value of the scalar Upload. id: of the file in the
    store; None where it was not kept, and `problem` (whose field is not known yet) says why."""

    id: str | None
    filename: str
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A whole, checked file in the store. filename: cleaned. content_type: by its content. size: in
    bytes. digest: SHA-256, hexadecimal. path: where the input names it, ("input", "files", "0")."""

    id: str
    filename: str
    content_type: str
    size: int
    digest: str
    path: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """Where the bytes of a large file are to be sent, by tus 1.0."""

    id: str
    url: str
    expires_at: datetime


class FileService(Protocol):
    """Files on their way in belong to the caller who sent them, and to nobody else."""

    async def create_upload(
        self, caller: Caller, filename: str, content_type: str, size: int
    ) -> UploadTarget:
        """Reserves a place for one file. Raises Problems with fields below `input`."""
        ...

    async def taken(
        self,
        caller: Caller,
        files: Sequence[IncomingFile],
        upload_ids: Sequence[str],
    ) -> list[StoredFile]:
        """The files that a mutation names, checked: those of the request, then those sent
        beforehand, in their order. Raises Problems with fields ("input", "files", "0") and
        ("input", "uploadIds", "0"), all that is wrong at once; SourceError where a file cannot be
        looked at now. It only looks; whoever takes them in claims them in a transaction of its
        own."""
        ...

    def over(self, already: Sequence[int], files: Sequence[StoredFile]) -> Problem | None:
        """Why the files would be too many or too large beside those that a case has. already:
        their sizes, in bytes."""
        ...

    def download_url(self, caller: Caller, attachment_id: str) -> tuple[str, datetime]:
        """A link to a file of a case, good for this caller alone, and when it ends."""
        ...
