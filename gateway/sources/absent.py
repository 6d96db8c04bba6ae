"""What answers for a noun that no system is configured for: a clear error, not a crash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from connectors.port.errors import NotConfigured


class Absent:
    """Any source of the port, for a noun that portal.toml gives to nobody."""

    def __init__(self, noun: str) -> None:
        self._noun = noun

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def refuse(*_: object, **__: object) -> Any:
            raise NotConfigured(self._noun, f"{name}: no system is configured")

        return refuse
