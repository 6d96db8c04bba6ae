"""E-mail addresses and client addresses, in the one form in which each is compared."""

from __future__ import annotations

import ipaddress
import re
import string

_LONGEST = 254
_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@"
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def plain(text: str) -> str | None:
    """An address without white space around it, in lower case; None for what cannot be one here.

    Only ASCII is taken, and only A to Z are folded: `str.lower` turns the Kelvin sign into a k,
    and systems fold by rules of their own, so that a look-alike could become somebody else."""
    if len(text) > 2 * _LONGEST:
        return None
    address = text.strip(" \t\r\n").translate(_LOWER)
    if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
        return None
    local = address.partition("@")[0]
    return None if local.startswith(".") or local.endswith(".") or ".." in local else address


def network(client: str) -> str:
    """What limits per source count by: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        parsed = ipaddress.ip_address(client)
    except ValueError:
        return client[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
