"""What an ASGI scope tells of a request, read once: headers by name, and the socket's other end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Head:
    """headers: by name in lower case; what was sent several times is joined by commas, as RFC 9110,
    5.3 has it. peer: the address of the socket's other end, "" where there is none."""

    headers: Mapping[str, str]
    peer: str = ""

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Head:
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        client = scope.get("client")
        return cls(headers, client[0] if client else "")
