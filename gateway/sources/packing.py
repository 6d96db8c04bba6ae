"""Answers as bytes and back, for what is kept outside the process. Data alone: reading them runs no
code, whoever wrote them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

import msgspec

from connectors.port.fields import NotFetched


class Packed(msgspec.Struct, array_like=True):
    """at: when it was asked for, epoch seconds. versions: as the shared store counted then."""

    at: float
    versions: list[str]
    value: msgspec.Raw


_unpack = msgspec.msgpack.Decoder(Packed)


@lru_cache(100)
def _decoder(answer: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(answer)


def pack(value: Any, at: float, versions: list[str]) -> bytes:
    body = msgspec.Raw(msgspec.msgpack.encode(_plain(value)))
    return msgspec.msgpack.encode(Packed(at, versions, body))


def unpack(packed: bytes) -> Packed:
    """Raises msgspec.MsgspecError (a ValueError) for what `pack` did not write."""
    return _unpack.decode(packed)


def value_of(packed: Packed, answer: Any) -> Any:
    """answer: the type of the value. Raises msgspec.MsgspecError for another's."""
    return _decoder(answer).decode(packed.value)


def _plain(value: Any) -> Any:
    """Records as maps, without the attributes that nobody asked for: their defaults say so."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if not is_dataclass(value):
        return value
    held = ((field.name, getattr(value, field.name)) for field in fields(value))
    return {name: _plain(one) for name, one in held if not isinstance(one, NotFetched)}
