"""What a request says before its body, read once: headers by name, and the socket's other end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

#: A header as it is sent; a name in lower case.
Pair = tuple[bytes, bytes]

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
            known = scope[_KEPT] = cls.read(scope["headers"], scope.get("client"))
        return known

    @classmethod
    def read(cls, raw: Iterable[Pair], client: tuple[str, int] | None) -> Head:
        """raw: headers as they came. client: the socket's other end."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in raw:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return cls(headers, client[0] if client else "")
