"""From the text of a message to what the client wants, and why a connection ends. Pure.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.http.body import parsed, shaped
from gateway.http.headers import Head
from gateway.http.reception import ACTING_FOR
from gateway.http.refusals import Refusal
from gateway.operations.requests import Request

PROTOCOL = "graphql-transport-ws"

GOING_AWAY, TOO_BIG, POLICY, TRY_LATER = 1001, 1009, 1008, 1013
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_OUR_PROTOCOL = 4400, 4401, 4403, 4406
TOO_LATE, DUPLICATE, TOO_MANY_INITS, INTERNAL = 4408, 4409, 4429, 4500

#: Longest id of an operation and longest header in `connection_init`, in characters.
_LONGEST_ID, _LONGEST_HEADER = 200, 20_000
#: Headers that may come in the payload of `connection_init`, since browsers can send none.
_HEADERS = ("authorization", "accept-language", ACTING_FOR)


class Closing(Exception):
    """The connection ends. code: of the close frame. reason: 123 bytes at most."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True)
class Init:
    """headers: that are to count as if they had come with the connection."""

    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ping:
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Pong:
    pass


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    request: Request


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


Message = Init | Ping | Pong | Subscribe | Complete


def read(text: str) -> Message:
    """What a client says. Raises Closing."""
    try:
        said = parsed(text.encode(), "The message")
    except (Refusal, UnicodeEncodeError):
        raise _bad("The message is no JSON.") from None
    if not isinstance(said, dict):
        raise _bad("A message must be a JSON object.")
    match said.get("type"):
        case "connection_init":
            return Init(_headers(_payload(said)))
        case "ping":
            return Ping(_payload(said))
        case "pong":
            _payload(said)
            return Pong()
        case "subscribe":
            return Subscribe(_id(said), _request(said))
        case "complete":
            return Complete(_id(said))
    raise _bad("The message has no type that a client may send.")


def renewed(head: Head, headers: Mapping[str, str]) -> Head:
    """What came with the connection, and what `connection_init` said, which counts more."""
    return Head({**head.headers, **headers}, head.peer) if headers else head


def _payload(said: dict[str, Any]) -> dict[str, Any] | None:
    payload = said.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _bad("`payload` must be an object.")
    return payload


def _headers(payload: dict[str, Any] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    inner = (payload or {}).get("headers")
    for given in (inner if isinstance(inner, dict) else {}, payload or {}):
        for name, value in given.items():
            if name.lower() not in _HEADERS or value is None:
                continue
            if not isinstance(value, str) or len(value) > _LONGEST_HEADER:
                raise _bad(f"`{name.lower()}` must be a string.")
            found[name.lower()] = value
    return found


def _id(said: dict[str, Any]) -> str:
    found = said.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ID:
        raise _bad("`id` must be a string that is not empty.")
    return found


def _request(said: dict[str, Any]) -> Request:
    try:
        return shaped(said.get("payload"))
    except Refusal as refused:
        raise _bad(refused.text) from None


def _bad(reason: str) -> Closing:
    return Closing(BAD_REQUEST, reason[:120])
