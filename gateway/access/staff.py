"""Programs of integration teams: who they are, what they may, and the secrets that prove it.

The file is a JSON object of clients by their name. Of a secret only a salted hash is kept: secrets
are 256 random bits, made here, so that a slow hash would protect nothing that a fast one does not.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.access import files
from gateway.access.files import SecretFileError

#: Programs at most.
_MOST = 1000

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")
_SCOPE = re.compile(r"[a-z]{1,30}:[a-z]{1,30}")
_UNKNOWN = {"salt": "00" * 16, "hash": "00" * 32}


class StaffError(ValueError):
    """A program that cannot be added or removed; the text says why."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program. scopes: what it may at most, such as "cases:read". created_at: aware UTC."""

    client_id: str
    scopes: frozenset[str]
    created_at: datetime


class StaffClients:
    """The programs of a file; a file that is missing holds none. Read it with `load`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, int, int] | None = None
        self._clients: dict[str, Client] = {}
        self._hashes: dict[str, dict[str, str]] = {}

    @classmethod
    async def load(cls, path: Path) -> StaffClients:
        """Raises SecretFileError."""
        clients = cls(path)
        await clients.refresh()
        return clients

    @property
    def clients(self) -> list[Client]:
        """All programs, by name."""
        return sorted(self._clients.values(), key=lambda client: client.client_id)

    def scopes(self, client_id: str) -> frozenset[str] | None:
        """What the program may do today, None when there is none of that name any more."""
        client = self._clients.get(client_id)
        return client.scopes if client else None

    def proven(self, client_id: str, secret: str) -> Client | None:
        """The program if the secret is its own. It takes as long for a name that there is not."""
        kept = self._hashes.get(client_id, _UNKNOWN)
        same = hmac.compare_digest(_hash(secret, kept["salt"]), kept["hash"])
        return self._clients.get(client_id) if same else None

    async def refresh(self) -> None:
        """Reads the file again if it has changed. Raises SecretFileError."""
        version = await asyncio.to_thread(files.version, self._path)
        if version == self._version:
            return
        raw = await asyncio.to_thread(_read, self._path)
        self._clients = {name: _client(name, one) for name, one in raw.items()}
        self._hashes = {
            name: {"salt": one["salt"], "hash": one["hash"]} for name, one in raw.items()
        }
        self._version = version

    async def follow(self, every: float = 1.0) -> None:
        """Keeps up with the file until cancelled, so that who is removed is refused at once. A file
        that cannot be read is logged, and what is known stays. every: seconds."""
        while True:
            await asyncio.sleep(every)
            try:
                await self.refresh()
            except SecretFileError as error:
                files.complain(error)


async def add(
    path: Path, name: str, scopes: Iterable[str], clock: Callable[[], datetime] | None = None
) -> str:
    """Adds a program and answers its secret, which is not kept and cannot be told again. Raises
    StaffError, SecretFileError."""
    wanted = sorted(set(scopes))
    if not _NAME.fullmatch(name):
        raise StaffError(f"{name!r}: a name has 2 to 63 small letters, digits, dots, _ and -")
    for scope in wanted:
        if not _SCOPE.fullmatch(scope):
            raise StaffError(f"{scope!r} is no scope; one looks like cases:read")
    if not wanted:
        raise StaffError(f"{name}: name at least one scope")
    now = (clock or _now)()
    return await asyncio.to_thread(_add, path, name, wanted, now)


async def remove(path: Path, name: str) -> None:
    """Removes a program; its tokens end with it. Raises StaffError, SecretFileError."""
    await asyncio.to_thread(_remove, path, name)


def _add(path: Path, name: str, scopes: list[str], now: datetime) -> str:
    with files.changing(path):
        raw = _read(path)
        if name in raw:
            raise StaffError(f"there is a program {name} already; remove it first")
        if len(raw) >= _MOST:
            raise StaffError(f"there are {_MOST} programs already")
        secret, salt = secrets.token_urlsafe(32), secrets.token_hex(16)
        raw[name] = {
            "scopes": scopes,
            "salt": salt,
            "hash": _hash(secret, salt),
            "created_at": now.isoformat(),
        }
        files.replace(path, json.dumps(raw, indent=1))
    return secret


def _remove(path: Path, name: str) -> None:
    with files.changing(path):
        raw = _read(path)
        if name not in raw:
            raise StaffError(f"there is no program {name}")
        del raw[name]
        files.replace(path, json.dumps(raw, indent=1))


def _read(path: Path) -> dict[str, dict[str, Any]]:
    text = files.read(path)
    if text is None:
        return {}
    try:
        raw: dict[str, dict[str, Any]] = json.loads(text)
        for name, one in raw.items():
            _client(name, one)
            bytes.fromhex(one["salt"] + one["hash"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SecretFileError(f"{path}: no list of programs ({type(error).__name__})") from None
    return raw


def _client(name: str, raw: dict[str, Any]) -> Client:
    created_at = datetime.fromisoformat(raw["created_at"])
    return Client(name, frozenset(raw["scopes"]), created_at)


def _hash(secret: str, salt: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + secret.encode("utf-8", "replace")).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC)
