"""What an ASGI scope tells of a request, read once: headers by name, and the socket's other end."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

#: Where a scope keeps it.
_KEPT = "portal.head"


@dataclass(frozen=True, slots=True)
class Head:
    """headers: by name in lower case, as ASGI has them; what was sent several times is joined by
    commas, as RFC 9110, 5.3 has it. peer: the address of the socket's other end, "" where there is
    none."""

    headers: Mapping[str, str]
    peer: str = ""

    @classmethod
    def of(cls, scope: MutableMapping[str, Any]) -> Head:
        """What a scope tells; whoever asks next finds it there."""
        known: Head | None = scope.get(_KEPT)
        if known is None:
            headers: dict[str, str] = {}
            for raw_name, raw_value in scope["headers"]:
                name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
            client = scope.get("client")
            known = scope[_KEPT] = cls(headers, client[0] if client else "")
        return known
