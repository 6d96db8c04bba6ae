"""What a connector's folder offers to the catalog: its name, its settings, how it is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import httpx
import msgspec

from connectors.kit.sockets import Dial, dial
from connectors.port.sources import System

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(slots=True)
class Call:
    """One finished try of one call, for logs and metrics: no address, no body, no credential.

    operation: the connector's own word for it ("find_orders"). outcome: "ok" or an error's code.
    seconds: from sending to the last byte. bytes: of the decoded body.
    """

    source: str
    operation: str
    outcome: str
    status: int | None
    seconds: float
    bytes: int


def _now() -> datetime:
    return datetime.now(UTC)


def _unheard(call: Call) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a connector needs of the world, passed in so that tests can pass something else.

    transport: an httpx transport that calls take; None for the network, which dial opens
    connections to. clock: aware UTC. sleep: seconds. heard: told of every call.
    """

    transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    heard: Callable[[Call], None] = _unheard
    dial: Dial = dial


@dataclass(frozen=True, slots=True)
class Connector(Generic[S]):
    """A kind of system. `connectors/systems/<name>/__init__.py` holds one as `connector`, and an
    installed package offers one by an entry point of the group `portal_gateway.connectors`.

    name: the word that portal.toml says after `connector =`. settings: a msgspec Struct with
    `forbid_unknown_fields`. open: called once with the configured name of the system, its settings
    and the wiring; it may not call the system yet. exempt: rules of the contract suite that do not
    apply, each with its reason.
    """

    name: str
    settings: type[S]
    open: Callable[[str, S, Wiring], Awaitable[System]]
    exempt: Mapping[str, str] = field(default_factory=dict)

    async def start(self, source: str, raw: Mapping[str, Any], wiring: Wiring) -> System:
        """Opens the system from its table in portal.toml. Raises msgspec.ValidationError, which
        names the key that is wrong."""
        return await self.open(source, msgspec.convert(raw, self.settings), wiring)
