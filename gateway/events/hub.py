"""Events within one process: first to whoever keeps copies, then to subscribers, none of whom can
hold up the others or make memory grow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection

from schema.events import Behind, Event

#: Events that wait for a follower at most; of one who is this far behind, reading anew asks less.
_MOST_WAITING = 64

#: Is told of each event before any follower is, None when some may have been missed. It must not
#: raise and must not wait: it drops a copy, or puts the event where it is sent on.
Listener = Callable[[Event | None], None]


class Hub:
    """Hands events on. most_waiting: for one follower."""

    def __init__(self, most_waiting: int = _MOST_WAITING) -> None:
        self._most = most_waiting
        self._listeners: list[Listener] = []
        self._senders: list[Listener] = []
        self._followers: dict[str, set[Follower]] = {}

    def listen(self, listener: Listener) -> None:
        """Every event from now on, whoever published it."""
        self._listeners.append(listener)

    def send_by(self, sender: Listener) -> None:
        """Every event that is published here goes to other processes by this way too."""
        self._senders.append(sender)

    def publish(self, event: Event) -> None:
        self.deliver(event)
        self.elsewhere(event)

    def elsewhere(self, event: Event) -> None:
        """Tells other processes alone: this one knows already."""
        for send in self._senders:
            send(event)

    def deliver(self, event: Event) -> None:
        """Tells everybody in this process."""
        for listener in self._listeners:
            listener(event)
        for follower in tuple(self._followers.get(event.account_id, ())):
            follower.hear(event)

    def missed(self) -> None:
        """Events of other processes may be lost: everybody has to read again."""
        for listener in self._listeners:
            listener(None)
        for follower in {one for some in self._followers.values() for one in some}:
            follower.hear(None)

    def follow(self, accounts: Collection[str]) -> Follower:
        follower = Follower(frozenset(accounts), self._most, self._leave)
        for account in follower.accounts:
            self._followers.setdefault(account, set()).add(follower)
        return follower

    def _leave(self, follower: Follower) -> None:
        for account in follower.accounts:
            others = self._followers.get(account, set())
            others.discard(follower)
            if not others:
                self._followers.pop(account, None)

    @property
    def followers(self) -> int:
        """How many follow something."""
        return len({one for some in self._followers.values() for one in some})


class Follower:
    """One subscriber's events, as `schema.events.Following` has it."""

    def __init__(
        self, accounts: frozenset[str], most: int, leave: Callable[[Follower], None]
    ) -> None:
        self.accounts = accounts
        self._most, self._leave = most, leave
        self._waiting: deque[Event | None] = deque()
        self._something = asyncio.Event()
        self._behind = self._closed = False

    def hear(self, event: Event | None) -> None:
        """Never waits: who is too far behind is dropped."""
        if event is None:
            self._waiting.clear()  # they read anew anyway
        elif self._waiting and (self._waiting[-1] == event or len(self._waiting) >= self._most):
            if self._waiting[-1] == event:
                return  # not read yet, so reading once shows both
            self._behind = True
            self._waiting.clear()
            self._leave(self)
            self._something.set()
            return
        self._waiting.append(event)
        self._something.set()

    def __aiter__(self) -> AsyncIterator[Event | None]:
        return self

    async def __anext__(self) -> Event | None:
        while not self._waiting:
            if self._behind:
                raise Behind
            if self._closed:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
        return self._waiting.popleft()

    async def aclose(self) -> None:
        self._closed = True
        self._waiting.clear()
        self._leave(self)
        self._something.set()
