"""How fast anybody may ask: buckets that fill steadily and are emptied by what operations cost, in
this process or in a Redis or Valkey that all processes share.

A store that does not answer lets nobody wait: this process counts by itself until it is back.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import structs

from connectors.port.errors import SourceError
from schema.context import Caller
from schema.identity.service import Origin

if TYPE_CHECKING:  # loaded where a store is named: they take a tenth of the whole start
    from throttled.asyncio import RedisStore, Throttled

_log = logging.getLogger("gateway.rates")

_Units = Annotated[int, msgspec.Meta(ge=0)]


class RateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of cost that may be spent within `seconds`, and at once: by a person, a program, an
    address of whoever does not say who they are, and an address with all who ask from it. 0 lets
    one spend without bound."""

    enabled: bool = True
    seconds: Annotated[int, msgspec.Meta(ge=1)] = 60
    person: _Units = 200_000
    program: _Units = 1_000_000
    anonymous: _Units = 100_000
    address: _Units = 2_000_000


#: Buckets that this process remembers at most, of each kind.
_MOST: Final = 100_000
#: Seconds that a store has to answer, and that it is left alone after it did not.
_PATIENCE, _PAUSE = 0.25, 5.0
_PREFIX: Final = "portal:rates"
_KINDS: Final = ("person", "program", "anonymous", "address")
#: What sums of fractions may be off by.
_TOLERATED: Final = 1e-6


class Level(msgspec.Struct, frozen=True):
    """How a bucket stands. policy: its kind, with what it holds (quota) within how many seconds.
    remaining: units that are left. reset: seconds until it is full. wait: seconds until what was
    asked is there, None when it was taken."""

    policy: str
    quota: int
    seconds: int
    remaining: int
    reset: float
    wait: float | None = None

    @property
    def share(self) -> float:
        """What is left of all that the bucket holds; less than nothing where nothing was taken."""
        left = self.remaining / self.quota
        return left if self.wait is None else left - 2

    @property
    def headers(self) -> Mapping[str, str]:
        """Of an answer over HTTP: draft-ietf-httpapi-ratelimit-headers-10, and RFC 9110, 10.2.3."""
        told = {
            "ratelimit-policy": f'"{self.policy}";q={self.quota};w={self.seconds}',
            "ratelimit": f'"{self.policy}";r={self.remaining};t={math.ceil(self.reset)}',
        }
        if self.wait is not None:
            told["retry-after"] = str(max(1, math.ceil(self.wait)))
        return told


#: Kinds of bucket, and whose: ("person", "0035…").
_Keys = Sequence[tuple[str, str]]


class Rates:
    """Counts what is spent. url: of a Redis or Valkey, None to count in this process alone."""

    def __init__(
        self,
        settings: RateSettings,
        url: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._monotonic = settings, monotonic
        units = {kind: int(getattr(settings, kind)) for kind in _KINDS if settings.enabled}
        self._quotas = {kind: quota for kind, quota in units.items() if quota}
        self._own = _Buckets(settings.seconds, self._quotas, monotonic)
        self._shared: Mapping[str, Throttled] | None = None
        self._store: RedisStore | None = None
        self._troubles: tuple[type[Exception], ...] = (OSError, TimeoutError)
        if url is not None:
            from redis.exceptions import RedisError
            from throttled.asyncio import RedisStore
            from throttled.exceptions import StoreUnavailableError

            self._troubles += (StoreUnavailableError, RedisError)
            waits = {"SOCKET_TIMEOUT": _PATIENCE, "SOCKET_CONNECT_TIMEOUT": _PATIENCE}
            self._store = RedisStore(server=url, options=waits)
            self._shared = _shared(self._quotas, settings.seconds, self._store)
        self._alone_until = -math.inf
        self._empty: OrderedDict[tuple[str, str], tuple[float, Level]] = OrderedDict()

    async def take(
        self, who: Caller | SourceError | None, origin: Origin, units: int, effort: int = 1
    ) -> Level | None:
        """Spends units of whoever asks: how the bucket stands that has least left. Nothing is run
        where that has a wait; only what was done already is spent then, the effort. None where
        nothing is counted."""
        keys = [pair for pair in _keys(who, origin) if pair[0] in self._quotas]
        if not keys:
            return None
        if self._shared is not None:
            levels = await self._taken(keys, units + effort)
        else:
            levels = self._own.taken(keys, units + effort)
        least = levels[0]
        for pair, level in zip(keys, levels, strict=True):
            if level.wait is not None:
                await self._refused(pair, level, effort)
            if level.share < least.share:
                least = level
        return least

    def waiting(self, who: Caller | SourceError | None, origin: Origin) -> Level | None:
        """How a bucket stands that was empty a moment ago and still must be: whoever asks on gets
        the same answer without any work. None for everybody else."""
        now = self._monotonic()
        for pair in _keys(who, origin) if self._empty else ():
            until, level = self._empty.get(pair, (0.0, None))
            if level is not None and until > now:
                return structs.replace(level, wait=until - now)
        return None

    async def close(self) -> None:
        """Lets go of the connections."""
        if self._store is not None:
            client: Any = self._store._backend.get_client()  # noqa: SLF001 - the only way to it
            await client.aclose(close_connection_pool=True)

    async def _taken(self, keys: _Keys, units: int) -> list[Level]:
        if self._shared is not None and self._monotonic() >= self._alone_until:
            asked = (self._one(self._shared[kind], kind, key, units) for kind, key in keys)
            try:
                async with asyncio.timeout(2 * _PATIENCE):
                    return list(await asyncio.gather(*asked))
            except self._troubles as error:
                self._alone_until = self._monotonic() + _PAUSE
                _log.warning("rates are counted by each process: %s", type(error).__name__)
        return self._own.taken(keys, units)

    async def _one(self, bucket: Throttled, kind: str, key: str, units: int) -> Level:
        quota = self._quotas[kind]
        result = await bucket.limit(key, cost=min(units, quota))
        state = result.state
        wait = state.retry_after if result.limited else None
        return Level(kind, quota, self._settings.seconds, state.remaining, state.reset_after, wait)

    async def _refused(self, pair: tuple[str, str], level: Level, effort: int) -> None:
        """Spends what is left up to the effort. A bucket that is empty then needs no look for a
        moment; one that is not may still hold enough for a smaller question."""
        spent = min(effort, level.remaining)
        if spent:
            await self._taken([pair], spent)
        if level.remaining > spent:
            return
        self._empty[pair] = (self._monotonic() + min(level.wait or 0.0, 1.0), level)
        self._empty.move_to_end(pair)
        while len(self._empty) > _MOST:
            self._empty.popitem(last=False)


class _Buckets:
    """The buckets of this process, by the generic cell rate algorithm: of each, when it is full."""

    def __init__(
        self, seconds: int, quotas: Mapping[str, int], monotonic: Callable[[], float]
    ) -> None:
        self._seconds, self._quotas, self._monotonic = seconds, quotas, monotonic
        self._full: OrderedDict[tuple[str, str], float] = OrderedDict()

    def taken(self, keys: _Keys, units: int) -> list[Level]:
        """Takes units of each bucket where they are there; of one that holds less, all."""
        now, seconds, buckets = self._monotonic(), self._seconds, self._full
        levels = []
        for pair in keys:
            kind = pair[0]
            quota = self._quotas[kind]
            reset = max(buckets.get(pair, now) - now, 0.0)
            after = reset + min(units, quota) * (seconds / quota)
            wait: float | None = after - seconds
            if after - seconds <= _TOLERATED:
                reset, wait = after, None
                buckets[pair] = now + after
                buckets.move_to_end(pair)
                if len(buckets) > _MOST:
                    buckets.popitem(last=False)
            left = max(0, int(quota * (1 - reset / seconds) + _TOLERATED))
            levels.append(Level(kind, quota, seconds, left, reset, wait))
        return levels


def _shared(quotas: Mapping[str, int], seconds: int, store: RedisStore) -> dict[str, Throttled]:
    """A limiter for each kind of bucket, by the same algorithm."""
    from throttled.asyncio import RateLimiterType, Throttled
    from throttled.asyncio.rate_limiter import per_duration

    return {
        kind: Throttled(
            using=RateLimiterType.GCRA.value,
            quota=per_duration(timedelta(seconds=seconds), units, burst=units),
            store=store,
            key_prefix=f"{_PREFIX}:{kind}",
        )
        for kind, units in quotas.items()
    }


def _keys(who: Caller | SourceError | None, origin: Origin) -> _Keys:
    """The buckets of whoever asks."""
    address = _network(origin.address)
    if isinstance(who, Caller):
        if who.staff:
            return (("program", who.name), ("address", address))
        return (("person", who.contact_id or who.email or who.name), ("address", address))
    return (("anonymous", address), ("address", address))


def _network(address: str) -> str:
    """What one customer of a provider has: a single IPv4 address, and 2^64 of IPv6."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
