"""Takes large files by tus 1.0 (https://tus.io/protocols/resumable-upload): a sender that loses its
connection asks how much arrived and goes on from there.

`createUpload` makes the address. It holds the right to send, so no token is asked for here.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import NoReturn

from starlette.types import Receive, Scope, Send

from connectors.port.errors import SourceError, Unavailable
from gateway.files.links import Links, UploadTicket
from gateway.files.receiving import CHECKSUMS, Interrupted, Receiving, WrongChecksum
from gateway.files.service import Files
from gateway.files.store import NAME, StoreError
from gateway.files.tables import State
from gateway.files.uploads import Upload
from gateway.http.answers import send_empty, send_error
from gateway.http.bytes import CLOSE, Broken, announced, chunks
from gateway.http.headers import Head
from gateway.http.refusals import Refusal
from gateway.operations import errors
from schema.problems import Problem
from schema.texts import N_

VERSION = "1.0.0"
_MEDIA_TYPE = "application/offset+octet-stream"
_METHODS = "OPTIONS, HEAD, PATCH, DELETE"
#: What this server can besides the core of the protocol.
_EXTENSIONS = "expiration,termination,checksum"
#: Seconds that a sender may be silent. It loses nothing by it: it can go on where it was.
_PATIENCE = 10.0


class UploadRoute:
    """An ASGI application that answers `/uploads/{ticket}`. language: of texts, by headers."""

    def __init__(
        self, files: Files, links: Links, language: Callable[[Mapping[str, str]], str]
    ) -> None:
        self._files, self._links, self._language = files, links, language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head.of(scope)
        base = {"tus-resumable": VERSION, "cache-control": "no-store"}
        try:
            status, headers = await self._answer(scope, head, receive)
        except Refusal as refused:
            language = self._language(head.headers)
            await send_error(send, refused, language, base, bodiless=scope["method"] == "HEAD")
        except Exception as error:  # noqa: BLE001 - nothing a sender does may end in a stack trace
            told = errors.masked(error, self._language(head.headers))
            await send_error(send, told, "", base, bodiless=scope["method"] == "HEAD")
        else:
            await send_empty(send, status, {**base, **headers})

    async def _answer(
        self, scope: Scope, head: Head, receive: Receive
    ) -> tuple[int, Mapping[str, str]]:
        method = scope["method"]
        if method == "OPTIONS":
            return 204, self._abilities()
        if method not in ("HEAD", "PATCH", "DELETE"):
            headers = {"allow": _METHODS, **CLOSE}
            raise Refusal(405, f"Use one of {_METHODS}.", headers=headers)
        if head.headers.get("tus-resumable") != VERSION:
            headers = {"tus-version": VERSION, **CLOSE}
            raise Refusal(412, "Say Tus-Resumable: 1.0.0.", headers=headers)
        ticket = self._links.read(scope["path_params"]["ticket"], UploadTicket)
        upload = await self._files.upload(ticket.upload_id) if ticket else None
        if upload is None:
            raise Refusal(404, _GONE, headers=CLOSE)
        if method == "HEAD":
            return 200, _state(await self._files.settled(upload.id) or upload)
        if method == "DELETE":
            return await self._give_up(upload)
        return await self._take(upload, head, receive)

    def _abilities(self) -> Mapping[str, str]:
        most = self._files.most_bytes(self._files.settings.upload_bytes)
        return {
            "tus-version": VERSION,
            "tus-extension": _EXTENSIONS,
            "tus-max-size": str(most),
            "tus-checksum-algorithm": ",".join(CHECKSUMS),
        }

    async def _give_up(self, upload: Upload) -> tuple[int, Mapping[str, str]]:
        if upload.holder is not None:
            raise Refusal(409, "The file is attached already.")
        await self._files.discard([upload.id])
        return 204, {}

    async def _take(
        self, upload: Upload, head: Head, receive: Receive
    ) -> tuple[int, Mapping[str, str]]:
        """The next bytes of a file. Whatever ends them, those that came are kept."""
        if upload.state in (State.READY, State.SENT):
            raise Refusal(403, "The file has arrived already.", headers=CLOSE)
        if upload.refusal is not None:
            _refuse(upload.refusal)
        offset, checksum = _offset(head), _checksum(head)
        length = announced(head)
        if length is not None and offset + length > upload.size:
            raise Refusal(413, "That is more than was announced.", headers=CLOSE)
        receiving = await self._receiving(upload, checksum)
        upload = receiving.upload
        if offset != upload.received:
            await receiving.leave()
            raise Refusal(409, "The offset is not where the file stopped.", headers=CLOSE)
        try:
            await _feed(receiving, receive)
        except StoreError as error:
            raise _unavailable(Unavailable(NAME, str(error))) from None
        finally:
            await _end(receiving)
        if receiving.is_whole:
            await self._look(upload)
        expires = format_datetime(upload.expires_at, usegmt=True)
        return 204, {"upload-offset": str(receiving.received), "upload-expires": expires}

    async def _receiving(self, upload: Upload, checksum: tuple[str, bytes] | None) -> Receiving:
        try:
            receiving = await self._files.receiving(upload.id, checksum)
        except LookupError:
            raise Refusal(404, _GONE, headers=CLOSE) from None
        except Unavailable as busy:
            raise _unavailable(busy) from None
        if receiving is None:
            headers = {"retry-after": "5", **CLOSE}
            text = "Somebody else sends this file right now."
            raise Refusal(423, text, headers=headers)
        return receiving

    async def _look(self, upload: Upload) -> None:
        """Looks at the whole file. A scanner that is away takes nothing from what arrived: whoever
        attaches the file has it looked at then."""
        with contextlib.suppress(SourceError):
            problem = await self._files.look(upload.id)
            if problem is not None:
                _refuse(problem)


_GONE = "There is no such file, or its time is over."


async def _feed(receiving: Receiving, receive: Receive) -> None:
    try:
        async for data in chunks(receive, _PATIENCE):
            await receiving.feed(data)
    except ValueError:
        raise Refusal(413, "That is more than was announced.", headers=CLOSE) from None
    except Interrupted:
        text = "Somebody else sends this file now."
        raise Refusal(409, text, headers=CLOSE) from None
    except Broken as broken:
        raise Refusal(broken.status, broken.text, headers=CLOSE) from None


async def _end(receiving: Receiving) -> None:
    try:
        await receiving.end()
    except WrongChecksum:
        text = "The checksum does not fit; nothing of this piece was kept."
        raise Refusal(460, text, headers=CLOSE) from None
    except Interrupted:
        text = "Somebody else sends this file now."
        raise Refusal(409, text, headers=CLOSE) from None
    except StoreError as error:
        raise _unavailable(Unavailable(NAME, str(error))) from None


def _state(upload: Upload) -> Mapping[str, str]:
    if upload.state == State.REFUSED:
        raise Refusal(410, "The file was not taken.")
    return {
        "upload-offset": str(upload.received),
        "upload-length": str(upload.size),
        "upload-expires": format_datetime(upload.expires_at, usegmt=True),
    }


def _offset(head: Head) -> int:
    content_type = head.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _MEDIA_TYPE:
        headers = {"accept-patch": _MEDIA_TYPE, **CLOSE}
        raise Refusal(415, f"Send the bytes as {_MEDIA_TYPE}.", headers=headers)
    text = head.headers.get("upload-offset", "")
    if not text.isdecimal() or not text.isascii() or len(text) > 18:
        raise Refusal(400, "Upload-Offset must be a number of bytes.", headers=CLOSE)
    return int(text)


def _checksum(head: Head) -> tuple[str, bytes] | None:
    said = head.headers.get("upload-checksum")
    if said is None:
        return None
    algorithm, _, digest = said.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        text = f"Upload-Checksum must be by one of {', '.join(CHECKSUMS)}."
        raise Refusal(400, text, headers=CLOSE)
    try:
        return algorithm, base64.b64decode(digest, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(400, "Upload-Checksum is no Base64.", headers=CLOSE) from None


def _refuse(problem: Problem) -> NoReturn:
    extensions = {"userErrorCode": problem.code.value}
    raise Refusal(422, problem.text, values=problem.values, extensions=extensions)


def _unavailable(error: SourceError) -> Refusal:
    text = N_("Files cannot be taken right now. Try again in a moment.")
    headers = {"retry-after": "5", **CLOSE}
    extensions = {"source": error.source, "retryable": True}
    return Refusal(503, text, code=error.code, headers=headers, extensions=extensions)
