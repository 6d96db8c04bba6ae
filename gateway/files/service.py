"""Keeps files on their way in: reserves places, takes bytes, looks at them, hands them on."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.port.errors import Unavailable
from gateway.files.links import Links
from gateway.files.names import clean_name, extension
from gateway.files.receiving import Receiving, locked, settled
from gateway.files.scanner import Scanner
from gateway.files.settings import FilesSettings
from gateway.files.slots import Slots
from gateway.files.store import NAME, Store, StoreError, finished
from gateway.files.tables import State
from gateway.files.types import KNOWN, Looker
from gateway.files.uploads import Upload, Uploads, new_id, whose
from gateway.files.verdict import (
    Verdict,
    empty,
    full,
    not_taken,
    too_large,
    too_many_for_case,
    verdict,
)
from schema.context import Caller
from schema.files.service import IncomingFile, StoredFile, UploadTarget
from schema.problems import Problem, ProblemCode, Problems
from schema.texts import N_

_log = logging.getLogger("gateway.files")

#: How long a file of a request that breaks off in the middle may lie around.
_OF_A_REQUEST = timedelta(hours=1)
#: Seconds that whoever wants to write a file waits for another writer to stop.
_PATIENCE = 2.0
#: Longest name that is read at all, in characters.
_LONGEST_NAME = 1_000
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,50}/[\w.+-]{1,100}(\s*;.{0,100})?", re.ASCII)
#: What senders say who do not know.
_UNKNOWN = ("", "application/octet-stream")


class Files:
    """A `schema.files.service.FileService`, and what submissions and the HTTP routes need.

    largest: bytes of the largest file that the system behind takes, None where nobody says."""

    def __init__(
        self,
        settings: FilesSettings,
        store: Store,
        uploads: Uploads,
        links: Links,
        clock: Callable[[], datetime],
        largest: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.settings, self._store, self._uploads = settings, store, uploads
        self._links, self._clock, self._largest = links, clock, largest
        self._scanner = Scanner(settings.scanner) if settings.scanner else None
        self._slots = Slots(settings.at_once)
        self._lasts = timedelta(hours=settings.unattached_hours)

    def most_bytes(self, allowed: int) -> int:
        """The most that a file may have: by the settings and by the system behind."""
        largest = self._largest()
        return allowed if largest is None else min(allowed, largest)

    # ------------------------------------------------------------------------------ for the graph

    async def create_upload(
        self, caller: Caller, filename: str, content_type: str, size: int
    ) -> UploadTarget:
        """See the protocol."""
        most = self.most_bytes(self.settings.upload_bytes)
        name = clean_name(filename[:_LONGEST_NAME])
        self._check_announced(filename, name, content_type.strip(), size, most)
        row = await self._uploads.reserve(
            new_id(), whose(caller), name, content_type.strip()[:100], size, self._lasts, self._room
        )
        url = self._links.upload(row.id, row.expires_at)
        return UploadTarget(row.id, url, row.expires_at)

    def _check_announced(
        self, filename: str, name: str, content_type: str, size: int, most: int
    ) -> None:
        problems = []
        if not filename.strip():
            text = N_("This is needed.")
            problems.append(Problem(ProblemCode.REQUIRED, text, field=("input", "filename")))
        elif not self._may_fit(name, content_type):
            problems.append(_at(not_taken(self.settings.types), "contentType"))
        if content_type and not _MEDIA_TYPE.fullmatch(content_type):
            text = N_("This is no media type. It looks like application/pdf.")
            problems.append(Problem(ProblemCode.INVALID, text, field=("input", "contentType")))
        if size < 1:
            problems.append(_at(empty(), "size"))
        elif size > most:
            problems.append(_at(too_large(most), "size"))
        if problems:
            raise Problems(*problems)

    def _may_fit(self, name: str, content_type: str) -> bool:
        """Whether it is worth sending: what it really is, its content tells. Windows and telephones
        say the strangest things of a CSV or a photo, so either a type or a name will do."""
        said = content_type.partition(";")[0].strip().lower()
        endings = {ending for taken in self.settings.types for ending in KNOWN[taken]}
        ending = extension(name)
        return said in self.settings.types or ending in endings or (not ending and said in _UNKNOWN)

    async def taken(
        self,
        caller: Caller,
        files: Sequence[IncomingFile],
        upload_ids: Sequence[str],
    ) -> list[StoredFile]:
        """See the protocol."""
        # Before anything is asked.
        if len(files) + len(upload_ids) > self.settings.case_files:
            many = too_many_for_case(self.settings.case_files)
            raise Problems(_at(many, "files" if files else "uploadIds"))
        asked = [(("files", str(at)), file.id, file.problem) for at, file in enumerate(files)]
        asked += [(("uploadIds", str(at)), one, None) for at, one in enumerate(upload_ids)]
        rows = await self._looked_at([file_id for _, file_id, _ in asked if file_id])
        found: list[StoredFile] = []
        problems: list[Problem] = []
        for path, file_id, refused in asked:
            row = rows.get(file_id or "")
            problem = refused or self._why_not(caller, row, {file.id for file in found})
            if problem is not None:
                problems.append(_at(problem, *path))
            elif row is not None:
                found.append(_stored(row, path))
        overfull = self.over((), found)
        if overfull is not None:
            problems.append(overfull)
        if problems:
            raise Problems(*problems)
        return found

    def over(self, already: Sequence[int], files: Sequence[StoredFile]) -> Problem | None:
        """See the protocol."""
        most, bound = self.settings.case_files, self.settings.case_bytes
        if len(already) + len(files) > most:
            problem = too_many_for_case(most)
        elif sum(already) + sum(file.size for file in files) > bound:
            problem = full(bound)
        else:
            return None
        named = {file.path[1] for file in files if file.path}
        return _at(problem, "files" if "files" in named else "uploadIds")

    async def _looked_at(self, ids: Sequence[str]) -> dict[str, Upload]:
        """Files by id; what arrived while the scanner was away is looked at now."""
        rows = await self._uploads.find(ids)
        waiting = [row.id for row in rows.values() if row.state == State.RECEIVED]
        for upload_id in waiting:
            await self.look(upload_id)
        return await self._uploads.find(ids) if waiting else rows

    def _why_not(self, caller: Caller, row: Upload | None, seen: set[str]) -> Problem | None:
        if row is None or row.who != whose(caller):  # another's file is told from none by nobody
            text = N_("There is no such file, or its time is over. Send it again.")
            return Problem(ProblemCode.NOT_FOUND, text)
        if row.id in seen:
            return Problem(ProblemCode.INVALID, N_("This file is named twice."))
        if row.state in (State.RECEIVING, State.RECEIVED):
            text = N_("This file has not arrived completely. Send the rest first.")
            return Problem(ProblemCode.INVALID, text)
        most = self.most_bytes(max(self.settings.file_bytes, self.settings.upload_bytes))
        return too_large(most) if row.size > most else row.refusal

    def download_url(self, caller: Caller, attachment_id: str) -> tuple[str, datetime]:
        """See the protocol."""
        return self._links.download(caller, attachment_id)

    # ------------------------------------------------------------------------------ for the routes

    async def incoming(
        self, upload_id: str, caller: Caller, filename: str, content_type: str, most: int
    ) -> Receiving:
        """A place for a file of a request, and the right to write it. upload_id: a new one. most:
        bytes. Raises Problems when the caller has too much waiting, Unavailable while too many
        files come in."""
        name, who = clean_name(filename[:_LONGEST_NAME]), whose(caller)
        with self._slot(who) as slot:
            row = await self._uploads.reserve(
                upload_id, who, name, content_type[:100], most, _OF_A_REQUEST, self._room
            )
            key = await self._uploads.lock(row.id)
            slot.pop_all()
            return Receiving(self._store, self._uploads, row, key or "", self._slots.free)

    async def upload(self, upload_id: str) -> Upload | None:
        """What is known of a file, None where there is none or its time is over."""
        return (await self._uploads.find([upload_id])).get(upload_id)

    async def settled(self, upload_id: str) -> Upload | None:
        """The same, once what is being written of it is put away, if that does not take long."""
        await settled(self._uploads, upload_id, _PATIENCE)
        return await self.upload(upload_id)

    async def receiving(
        self, upload_id: str, checksum: tuple[str, bytes] | None = None
    ) -> Receiving | None:
        """The right to write a file where it stopped, None while somebody else has it. Raises
        LookupError where there is no such file that could still be written, Unavailable while too
        many files come in."""
        if await self.upload(upload_id) is None:
            raise LookupError
        key = await locked(self._uploads, upload_id, _PATIENCE)
        row = await self.upload(upload_id)  # whoever wrote it may have gone on
        if row is not None and key is None:
            return None
        try:
            if row is None or row.state not in (State.RECEIVING, State.RECEIVED):
                raise LookupError
            self._slots.take(row.who)
        except (LookupError, Unavailable):
            await self._uploads.unlock(upload_id, key or "")
            raise
        free = self._slots.free
        return Receiving(self._store, self._uploads, row, key or "", free, checksum)

    @contextlib.contextmanager
    def _slot(self, who: str) -> Iterator[contextlib.ExitStack]:
        """A place for a file that comes in, given back unless whoever has it keeps it."""
        self._slots.take(who)
        with contextlib.ExitStack() as slot:
            slot.callback(self._slots.free, who)
            yield slot

    async def look(self, upload_id: str) -> Problem | None:
        """Looks at a file that has arrived completely, and notes whether it is taken. Answers why
        not. Raises Unavailable when that cannot be told now; the file is kept then."""
        row = await self.upload(upload_id)
        if row is None or row.state != State.RECEIVED:
            return row.refusal if row else None
        try:
            found, digest = await self._look(row)
            judged = verdict(row.filename, found, self.settings.types)
            if isinstance(judged, Verdict) and not await self._is_clean(row):
                text = N_("The virus scanner found something harmful in this file.")
                judged = Problem(ProblemCode.FILE_INFECTED, text)
        except StoreError as error:
            raise Unavailable(NAME, str(error)) from None
        if isinstance(judged, Problem):
            await self._uploads.refuse(row, judged)
            await self._delete(row.id)
            return judged
        await self._uploads.ready(row, judged.filename, judged.content_type, digest)
        return None

    async def _look(self, row: Upload) -> tuple[str | None, str]:
        looker, digest = Looker(), hashlib.sha256()
        async for data in self._store.read(row.id, row.size):
            looker.feed(data)
            digest.update(data)
        return looker.found(), digest.hexdigest()

    async def _is_clean(self, row: Upload) -> bool:
        if self._scanner is None:
            return True
        async with contextlib.aclosing(self._store.read(row.id, row.size)) as chunks:  # type: ignore[type-var]
            return await self._scanner.is_clean(chunks)

    async def discard(self, ids: Sequence[str]) -> None:
        """Removes files that nobody claimed, also when whoever waits is cancelled."""
        if ids:
            await finished(self._discard(ids))

    async def _discard(self, ids: Sequence[str]) -> None:
        for upload_id in await self._uploads.drop(ids):
            await self._delete(upload_id)

    async def _delete(self, upload_id: str) -> None:
        try:
            await self._store.delete(upload_id)
        except StoreError as error:
            _log.warning("bytes of a file stay until they are swept: %s", error)

    # ----------------------------------------------------------------------------- for submissions

    async def claim(
        self, connection: AsyncConnection, ids: Sequence[str], holder: str
    ) -> list[str]:
        """See `gateway.submissions.files`."""
        return await self._uploads.claim(connection, ids, holder)

    def read(self, file_id: str) -> AsyncIterator[bytes]:
        """See `gateway.submissions.files`. Raises StoreError."""
        return self.read_from(file_id)

    async def read_from(self, file_id: str, first: int = 0) -> AsyncGenerator[bytes]:
        """The bytes of a file from byte `first` on. Raises StoreError."""
        row = await self.upload(file_id)
        if row is None or row.state != State.READY:
            raise StoreError("there is no such file")
        async for data in self._store.read(row.id, row.size, first):
            yield data

    async def release(self, ids: Sequence[str]) -> None:
        """See `gateway.submissions.files`."""
        for upload_id in await self._uploads.sent(ids, self._lasts):
            await self._delete(upload_id)

    @property
    def _room(self) -> tuple[int, int]:
        return self.settings.caller_files, self.settings.caller_bytes


def _at(problem: Problem, *path: str) -> Problem:
    return Problem(problem.code, problem.text, problem.values, ("input", *path), problem.retry_at)


def _stored(row: Upload, path: tuple[str, ...]) -> StoredFile:
    return StoredFile(
        row.id, row.filename, row.content_type, row.size, row.digest or "", ("input", *path)
    )
