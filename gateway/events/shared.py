"""Events between processes, through a channel of a Redis or Valkey: what is published here is sent,
what others publish is delivered. While the channel is gone nobody waits for it; when it is back,
everybody reads again what may have changed meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.events.hub import Hub
from gateway.redis import TROUBLE, again_and_again, open_client
from schema.events import Event, What

_log = logging.getLogger("gateway.events")

_CHANNEL = "portal:events"
#: Events that wait to be sent at most; of more, others are told that they missed some.
_MOST_WAITING = 1_000
#: Seconds: for one command, and between two signs of life.
_PATIENCE, _PING = 5.0, 5.0
#: Said in the log each time that the channel is gone.
_GONE = "events do not reach other processes"


class _Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is on the channel. by: the process that sent it. what: None where it could not send all
    that it had to."""

    by: str
    what: What | None = None
    id: str = ""
    account: str = ""
    alias: str = ""


class SharedEvents:
    """Carries the events of a hub. url: of the Redis or Valkey. client: in place of one for it.
    Raises ValueError for an address that is none."""

    def __init__(self, hub: Hub, url: str, client: Any = None) -> None:
        self._hub = hub
        # No time is set for answers: whoever listens hears nothing for as long as nothing is said.
        self._client: Any = client or open_client(url, _PATIENCE)
        self._name = secrets.token_hex(8)
        self._waiting: deque[_Message] = deque()
        self._something = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        hub.send_by(self._queue)

    def start(self) -> None:
        """Sends and hears until it is closed."""
        self._tasks = [
            asyncio.create_task(again_and_again(self._hear_on, _log, _GONE)),
            asyncio.create_task(again_and_again(self._send_on, _log, _GONE)),
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(*TROUBLE):
            await self._client.aclose()

    # ---------------------------------------------------------------------------------- sending

    def _queue(self, event: Event | None) -> None:
        if event is None:
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.clear()
            self._waiting.append(_Message(self._name))
        self._waiting.append(
            _Message(self._name, event.what, event.id, event.account_id, event.alias)
        )
        self._something.set()

    async def _send_on(self, works: Callable[[], None]) -> None:
        while True:
            while self._waiting:
                message = self._waiting[0]
                async with asyncio.timeout(_PATIENCE):
                    await self._client.publish(_CHANNEL, msgspec.json.encode(message))
                if self._waiting and self._waiting[0] is message:
                    self._waiting.popleft()
                works()
            self._something.clear()
            await self._something.wait()

    # ---------------------------------------------------------------------------------- hearing

    async def _hear_on(self, works: Callable[[], None]) -> None:
        async with self._client.pubsub() as channel:
            async with asyncio.timeout(_PATIENCE):
                await channel.subscribe(_CHANNEL)
                while (await channel.get_message(timeout=_PATIENCE) or {}).get(
                    "type"
                ) != "subscribe":
                    pass
            works()
            # Also the first time: something may have happened between opening and listening.
            self._hub.missed()
            silent = 0
            while silent < 2:
                message = await channel.get_message(timeout=_PING)
                if message is None:
                    silent += 1
                    async with asyncio.timeout(_PATIENCE):
                        await channel.ping()
                    continue
                silent = 0
                if message["type"] == "message":
                    self._heard(message["data"])
            raise TimeoutError

    def _heard(self, data: bytes) -> None:
        try:
            message = msgspec.json.decode(data, type=_Message)
        except msgspec.DecodeError:
            _log.warning("there is something on the channel of events that is none")
            return
        if message.by == self._name:
            return
        if message.what is None:
            self._hub.missed()
        else:
            self._hub.deliver(Event(message.what, message.id, message.account, message.alias))
