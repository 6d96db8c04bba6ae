"""Where a request comes from: the socket's word, and that of proxies only as far as they are known.

Anybody can write an X-Forwarded-For header, so it is read from its end, and no further than through
the proxies that portal.toml names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

from gateway.http.headers import Head
from gateway.telemetry import request_id
from schema.identity.service import Origin

#: Longest user agent that is kept, and most proxies that are looked through.
_LONGEST, _MOST = 300, 20

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Origins:
    """Tells origins. trusted: addresses or networks of proxies in front. Raises ValueError for
    one that is none."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted: Sequence[_Network] = [ipaddress.ip_network(one) for one in trusted]

    def address(self, head: Head) -> str:
        """The client's address; "-" where the socket tells none."""
        peer = _parsed(head.peer)
        if peer is None:
            return "-"
        if not self._is_trusted(peer):
            return str(peer)
        named = head.headers.get("x-forwarded-for", "").split(",")
        for text in reversed(named[-_MOST:]):
            found = _parsed(text.strip())
            if found is None:
                break  # what stands before it cannot be placed
            peer = found
            if not self._is_trusted(found):
                break
        return str(peer)

    def trusts(self, address: str) -> bool:
        """Whether an address is that of a proxy in front."""
        found = _parsed(address)
        return found is not None and self._is_trusted(found)

    def of(self, head: Head) -> Origin:
        agent = head.headers.get("user-agent", "-")[:_LONGEST]
        return Origin(self.address(head), agent, request_id.get() or "-")

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


@lru_cache(4_096)
def _parsed(text: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    # An IPv4 client of an IPv6 socket is the same client.
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
