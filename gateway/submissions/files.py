"""What whoever takes in submissions needs of whoever keeps files: `gateway.files` does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection


class HeldFiles(Protocol):
    """The store of files on their way in. A file that is claimed stays, whole and unchanged, until
    it is released; one that nobody claims expires."""

    async def claim(
        self, connection: AsyncConnection, ids: Sequence[str], holder: str
    ) -> list[str]:
        """In a transaction of the caller's, lets `holder` (the id of a submission, 32 characters)
        have the files. The same holder may claim again. Answers those that are gone or another's;
        the caller undoes the transaction then."""
        ...

    def read(self, file_id: str) -> AsyncIterator[bytes]:
        """The bytes of a claimed file from the beginning, anew at each call. Raises OSError or a
        kind of it when they cannot be read."""
        ...

    async def release(self, ids: Sequence[str]) -> None:
        """Lets the store remove claimed files: they were sent, or will never be. An id that it does
        not know is none of its business. What cannot be removed now is removed later."""
        ...
