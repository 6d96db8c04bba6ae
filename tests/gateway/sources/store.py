"""A Redis that is a dictionary, for what `gateway.sources.shared` asks of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gateway.sources.shared import Shared


class Dictionary:
    """down: every command fails."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.down = False
        self.asked = 0

    def _check(self) -> None:
        self.asked += 1
        if self.down:
            raise ConnectionError

    async def mget(self, names: Iterable[str]) -> list[bytes | None]:
        self._check()
        return [self.held.get(name) for name in names]

    async def set(self, name: str, value: bytes, px: int) -> bool:
        self._check()
        self.held[name] = value
        return True

    def pipeline(self, transaction: bool) -> _Pipeline:
        return _Pipeline(self)

    async def aclose(self) -> None:
        return None


class _Pipeline:
    def __init__(self, store: Dictionary) -> None:
        self._store = store
        self._names: list[str] = []

    def incr(self, name: str) -> None:
        self._names.append(name)

    def expire(self, name: str, seconds: int) -> None:
        return None

    async def execute(self) -> list[int]:
        self._store._check()
        for name in self._names:
            self._store.held[name] = str(int(self._store.held.get(name, b"0")) + 1).encode()
        return [1]


def store(dictionary: Dictionary | None = None, **more: Any) -> Callable[[], Shared]:
    """Makes clients of one store, one for each process."""
    held = dictionary or Dictionary()

    def make() -> Shared:
        return Shared("redis://nobody.example", client=held, **more)

    return make
