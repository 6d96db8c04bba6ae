"""Answers as bytes and back, for what is kept outside the process. Data alone: reading them runs no
code, whoever wrote them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from connectors.port.fields import NotFetched
from gateway.sources.attributes import attributes

#: Most of what records hold: it has nothing inside.
_FLAT: Final = {str, type(None), bool, int, Decimal, date, datetime}


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
    held = attributes(value)
    if held is None:
        return value
    names, read = held
    return {
        name: one if type(one) in _FLAT else _plain(one)
        for name, one in zip(names, read(value), strict=True)
        if type(one) is not NotFetched
    }
