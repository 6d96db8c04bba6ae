"""Passwords and codes: what they must be, and their hashes (argon2id), off the event loop.

Hashing takes memory and time on purpose, so that few run at once and few may wait.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.identity import problems
from gateway.identity.settings import Passwords as PasswordSettings
from schema.identity.service import Problem

T = TypeVar("T")

LEAST, MOST = 10, 1024
#: Most bytes of UTF-8 that are looked at: longer ones are refused before any work is done.
MOST_BYTES = 4096

_COMMON = frozenset(
    (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split()
)


class Busy(Exception):
    """More hashes are waiting than may."""


def too_long(password: str, field: str) -> Problem | None:
    """What is wrong with a password that nobody could have set, without much work."""
    if len(password) > MOST:
        return problems.too_long(field, MOST)
    if len(password.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return problems.too_long(field, MOST)
    return None


def problem_with(password: str, email: str, field: str) -> Problem | None:
    """What keeps this from becoming the password of this person."""
    long = too_long(password, field)
    if long is not None:
        return long
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in password):
        return problems.password_unreadable(field)
    if len(_same(password)) < LEAST:
        return problems.password_too_short(field, LEAST)
    folded = _same(password).casefold().strip()
    if folded in {email, email.partition("@")[0]}:
        return problems.password_is_address(field)
    return problems.password_common(field) if folded in _COMMON else None


class Passwords:
    """Hashes and verifies. Made by `open_passwords`. worked: hashes and verifications so far."""

    def __init__(self, settings: PasswordSettings) -> None:
        self._hasher = PasswordHasher(settings.passes, settings.memory_kib, settings.lanes)
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="hash")
        self._room = settings.workers + settings.waiting
        self._inside = 0
        self._nobodys = ""
        self.worked = 0

    async def prepare(self, secret: str) -> None:
        """Makes the hash that stands in for a missing one. secret: forgotten at once."""
        self._nobodys = await self.hash(secret)

    async def hash(self, password: str) -> str:
        """Raises Busy."""
        return await self._work(lambda: self._hasher.hash(_same(password)))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether a password goes with its hash. Nobody's password (None) is never right, and takes
        the same work. Raises Busy."""
        right = await self._work(lambda: self._verify(kept or self._nobodys, password))
        return right and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(kept)

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, _same(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, work: Callable[[], T]) -> T:
        if self._inside >= self._room:
            raise Busy
        self._inside += 1
        self.worked += 1
        future = self._pool.submit(work)
        loop = asyncio.get_running_loop()
        # The place is free when the thread is done, not when whoever asked goes away.
        future.add_done_callback(lambda done: _later(loop, self._leave, done))
        return await asyncio.wrap_future(future)

    def _leave(self) -> None:
        self._inside -= 1


def _later(loop: asyncio.AbstractEventLoop, call: Callable[[], None], done: Future[T]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody counts any more
        loop.call_soon_threadsafe(call)


def _same(password: str) -> str:
    """Keyboards write é as one letter or as two: both are the same password."""
    return unicodedata.normalize("NFC", password)


async def open_passwords(settings: PasswordSettings, secret: str) -> Passwords:
    """secret: a random one; its hash stands in where nobody has the address."""
    passwords = Passwords(settings)
    await passwords.prepare(secret)
    return passwords
