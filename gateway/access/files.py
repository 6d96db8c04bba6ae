"""Small files of secrets: only the owner reads them, and a reader never sees half of one."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Largest file that is read, in bytes.
_LARGEST = 1_000_000
_PRIVATE = 0o600

_log = logging.getLogger("gateway.access")


class SecretFileError(ValueError):
    """A file of secrets that cannot be used; the text names it and says why."""


def read(path: Path) -> str | None:
    """The text of the file, None when there is none. Raises SecretFileError."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_IMODE(status.st_mode) & 0o077:
                _log.warning("%s can be read by others than its owner: chmod 600 it", path)
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SecretFileError(f"{path}: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise SecretFileError(f"{path}: larger than {_LARGEST} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretFileError(f"{path}: no UTF-8 text") from None


def create(path: Path, text: str) -> bool:
    """Writes the file unless there is one: of several who try at once, exactly one does."""
    with _beside(path, text) as written:
        try:
            os.link(written, path)
        except FileExistsError:
            return False
    return True


def replace(path: Path, text: str) -> None:
    """Writes the file in place of the one that is there; readers see the one or the other."""
    with _beside(path, text) as written:
        written.replace(path)


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Only one process at a time is inside the block for this file. It waits, so call it from a
    thread."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, _PRIVATE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def version(path: Path) -> tuple[int, int, int] | None:
    """Something that changes whenever `replace` or `create` wrote the file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


@contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield written
    finally:
        written.unlink(missing_ok=True)


def complain(error: SecretFileError) -> None:
    """Tells operators of a file that should be read again and cannot be."""
    _log.error("%s", error)
