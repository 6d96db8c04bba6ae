"""GraphQL multipart requests: an operation and its files in one form, by the specification of
https://github.com/jaydenseric/graphql-multipart-request-spec

A file goes into the store while it comes; the operation gets its name, and has it looked at. What
the operation did not attach is gone when it has been answered, or when anything else ended it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from graphql import GraphQLError
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.port.errors import SourceError, Unavailable
from gateway.files.receiving import Interrupted, Receiving
from gateway.files.service import Files
from gateway.files.store import NAME, StoreError
from gateway.files.uploads import new_id
from gateway.files.verdict import empty, too_large, too_many
from gateway.http import body, preflight
from gateway.http.accept import PLAIN_JSON, RESPONSE_JSON, chosen
from gateway.http.bytes import CLOSE
from gateway.http.forms import MEDIA_TYPE, Event, Form, Part, PartEnd
from gateway.http.graphql import reply_of
from gateway.http.headers import Head
from gateway.http.reception import Reception
from gateway.http.refusals import Refusal
from gateway.operations import errors
from gateway.operations.requests import Outcome, Request
from schema.context import Caller
from schema.files.service import IncomingFile
from schema.problems import Problem, Problems
from schema.texts import N_

_log = logging.getLogger("gateway.files")

_OPERATIONS, _MAP = "operations", "map"
#: Bytes of `map`, files and places of one file that it may name, and steps of a path.
_LARGEST_MAP, _MOST_FILES, _MOST_PLACES, _LONGEST_PATH = 64 * 1024, 100, 10, 32
#: What stands around files in a form, in bytes at most.
_AROUND: Final = 64 * 1024


class MultipartRoute:
    """An ASGI application that answers them, and passes all else on. most_json: bytes of
    `operations`. rest: GraphQL by every other way."""

    def __init__(self, reception: Reception, files: Files, most_json: int, rest: ASGIApp) -> None:
        self._reception, self._files, self._most_json = reception, files, most_json
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head.of(scope)
        if scope["method"] != "POST" or not _is_form(head):
            await self._rest(scope, receive, send)
            return
        media_type = chosen(head.headers.get("accept"))
        try:
            if media_type is None:
                text = f"Accept {RESPONSE_JSON} or {PLAIN_JSON}."
                raise Refusal(406, text, headers=CLOSE)
            outcome = await self.answer(head, receive)
        except Refusal as refused:
            told = refused.told(self._reception.language(head.headers))
            outcome = Outcome.failed(told, refused.status, refused.headers)
        except Exception as error:  # noqa: BLE001 - nothing a caller sends may end in a stack trace
            told = errors.masked(error, self._reception.language(head.headers))
            outcome = Outcome.failed(told, 500, CLOSE)
        await reply_of(outcome, media_type or PLAIN_JSON).send(send)

    async def answer(self, head: Head, receive: Receive) -> Outcome:
        """What comes of a form. Raises Refusal."""
        preflight.required(head.headers)
        visitor = await self._reception.receive(head)
        if isinstance(visitor.who, SourceError):
            return _unavailable(visitor.who, visitor.language)
        if visitor.who is None:
            text = N_("Sign in to send files.")
            raise Refusal(401, text, code=errors.UNAUTHENTICATED, headers=CLOSE)
        most = self._files.settings.request_bytes + self._most_json + _AROUND
        form = Form(head, receive, most)
        reading = _Reading(self._files, visitor.who, self._most_json)
        try:
            async with contextlib.aclosing(form.events()) as events:
                request = await reading.request(events)
            return await self._reception.answer(visitor, request)
        except Unavailable as busy:
            return _unavailable(busy, visitor.language)
        except StoreError as error:
            return _unavailable(Unavailable(NAME, str(error), retry_after=30), visitor.language)
        finally:
            await self._forget(reading.kept)

    async def _forget(self, ids: Sequence[str]) -> None:
        """Removes what was not attached. Where that fails, time does: what was answered holds."""
        try:
            await self._files.discard(ids)
        except Exception as error:  # noqa: BLE001 - a database has errors of its own
            _log.error("files of a request could not be removed: %s", type(error).__name__)


def _is_form(head: Head) -> bool:
    content_type = head.headers.get("content-type", "")
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def _unavailable(error: SourceError, language: str) -> Outcome:
    told = errors.formatted(GraphQLError(error.message, original_error=error), language)
    return Outcome.failed(told, 503, CLOSE)


class _Reading:
    """One request while it is read. kept: files of which there may be bytes in the store."""

    def __init__(self, files: Files, caller: Caller, most_json: int) -> None:
        self._files, self._caller, self._most_json = files, caller, most_json
        self.kept: list[str] = []
        self._operations: Any = None
        self._places: dict[str, list[str]] | None = None
        self._came: dict[str, IncomingFile] = {}

    async def request(self, events: AsyncIterator[Event]) -> Request:
        """Raises Refusal, StoreError."""
        async for event in events:
            if not isinstance(event, Part):
                raise RuntimeError("a form's bytes without their part")
            if event.name == _OPERATIONS and self._operations is None:
                self._operations = _operations(await _small(events, event, self._most_json))
            elif event.name == _MAP and self._places is None:
                self._places = _places(self._operations, await _small(events, event, _LARGEST_MAP))
            else:
                await self._file(events, event)
        if self._operations is None:
            raise _refused("The form has no `operations`.")
        if self._places is None:
            raise _refused("The form has no `map`.")
        missing = [name for name in self._places if name not in self._came]
        if missing:
            raise _refused(f"`map` names files that did not come: {_quoted(missing)}.")
        for name, file in self._came.items():
            for path in self._places[name]:
                _put(self._operations, path, file)
        return body.shaped(self._operations)

    async def _file(self, events: AsyncIterator[Event], part: Part) -> None:
        if self._places is None:
            raise _refused("`operations` and `map` must come before files, each once.")
        if part.name not in self._places:
            raise _refused(f"A part is not in `map`: {_quoted([part.name])}.")
        if part.name in self._came:
            raise _refused(f"A file came twice: {_quoted([part.name])}.")
        if part.filename is None:
            raise _refused(f"A part is no file: {_quoted([part.name])}.")
        self._came[part.name] = await self._kept(events, part, part.filename)

    async def _kept(self, events: AsyncIterator[Event], part: Part, filename: str) -> IncomingFile:
        most = self._files.settings.request_files
        if len(self._places or ()) > most:
            await _passed(events)
            return IncomingFile(None, filename, too_many(most))
        most = self._files.most_bytes(self._files.settings.file_bytes)
        file_id = new_id()
        self.kept.append(file_id)  # first, so that whatever ends this finds it
        try:
            receiving = await self._files.incoming(
                file_id, self._caller, filename, part.content_type, most
            )
        except Problems as refused:
            await _passed(events)
            return IncomingFile(None, filename, refused.problems[0])
        problem = await _received(events, receiving, most)
        if problem is not None:
            await self._files.discard([file_id])
            return IncomingFile(None, filename, problem)
        return IncomingFile(file_id, receiving.upload.filename)


async def _received(
    events: AsyncIterator[Event], receiving: Receiving, most: int
) -> Problem | None:
    """Takes the bytes of one file. Answers why it cannot be one; what comes after that is passed
    over, which the bound of the whole request bounds."""
    problem: Problem | None = None
    whole = False
    try:
        async for event in events:
            if isinstance(event, PartEnd):
                break
            if problem is None and isinstance(event, bytes):
                try:
                    await receiving.feed(event)
                except ValueError:
                    problem = too_large(most)
        if receiving.received == 0 and problem is None:
            problem = empty()
        whole = problem is None
    finally:
        with contextlib.suppress(Interrupted):
            await receiving.end(whole=whole)
    return problem


async def _small(events: AsyncIterator[Event], part: Part, most: int) -> bytes:
    """A part that is small enough to be held. Raises Refusal."""
    parts, size = [], 0
    async for event in events:
        if not isinstance(event, bytes):
            break
        size += len(event)
        if size > most:
            raise Refusal(413, f"`{part.name}` is larger than {most} bytes.", headers=CLOSE)
        parts.append(event)
    return b"".join(parts)


async def _passed(events: AsyncIterator[Event]) -> None:
    """Passes over the rest of a part."""
    async for event in events:
        if isinstance(event, PartEnd):
            break


def _operations(raw: bytes) -> Any:
    found = body.parsed(raw, "`operations`")
    if not isinstance(found, dict):
        raise _refused("`operations` must be a JSON object with a `query`.")
    return found


def _places(operations: Any, raw: bytes) -> dict[str, list[str]]:
    """Where each file belongs. Raises Refusal for a map that does not fit `operations`."""
    if operations is None:
        raise _refused("`operations` must come before `map`.")
    found = body.parsed(raw, "`map`")
    if not isinstance(found, dict):
        raise _refused("`map` must be a JSON object of lists of paths.")
    if len(found) > _MOST_FILES:
        raise _refused(f"`map` names more than {_MOST_FILES} files.")
    seen = set[str]()
    for name, paths in found.items():
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise _refused("`map` must be a JSON object of lists of paths.")
        if not paths:
            raise _refused(f"`map` gives a file no place: {_quoted([name])}.")
        if len(paths) > _MOST_PLACES:
            raise _refused(f"`map` gives a file more than {_MOST_PLACES} places.")
        for path in paths:
            if path in seen:
                raise _refused(f"`map` names a place twice: {_quoted([path])}.")
            seen.add(path)
            _find(operations, path)
    return found


def _find(operations: Any, path: str) -> tuple[Any, str | int]:
    """What holds the place at the end of a path, and its key there. Raises Refusal unless the
    value is null."""
    steps = path.split(".")
    holder, key, value = None, "", operations
    if 1 < len(steps) <= _LONGEST_PATH and steps[0] == "variables":
        for step in steps:
            holder, key = value, step
            value = _inside(holder, step)
    if holder is None or value is not None:
        raise _refused(f"`map` names a place that is not a null in `variables`: {_quoted([path])}.")
    return holder, int(key) if isinstance(holder, list) else key


class _Nothing:
    """Stands where a path leads nowhere."""


def _inside(holder: Any, step: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(step, _Nothing)
    if isinstance(holder, list) and step.isascii() and step.isdecimal() and len(step) < 6:
        at = int(step)
        return holder[at] if at < len(holder) else _Nothing
    return _Nothing


def _put(operations: Any, path: str, file: IncomingFile) -> None:
    holder, key = _find(operations, path)
    holder[key] = file


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(name[:60]) for name in names[:5])


def _refused(text: str) -> Refusal:
    return Refusal(400, text, headers=CLOSE)
