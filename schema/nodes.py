"""Global ids: one opaque name for any object, and the way from it back to the object."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import strawberry
from graphql import GraphQLResolveInfo

from connectors.port.fields import Fields
from schema.batched import typed
from schema.context import Context
from schema.errors import InputError
from schema.selection import raw, selected
from schema.texts import N_

#: Longest id of a system that we hand out or take back, in characters.
_LONGEST = 200
#: Global ids that are kept ready: lists name the same objects again and again.
_REMEMBERED = 16_384
#: Most ids that `nodes` answers at once.
MOST_NODES = 100

#: A global id as an argument called `id`.
GlobalId = Annotated[strawberry.ID, strawberry.argument(description="A global id.")]

#: Finds records by the ids of their system, in order, None where there is none to be seen.
Finder = Callable[[Context, Sequence[str], Fields], Awaitable[Sequence[Any]]]
_finders: dict[str, Finder] = {}
#: Which source is asked for a type's objects.
_asks: dict[str, str] = {}


@functools.lru_cache(_REMEMBERED)
def to_global(type_name: str, key: str) -> strawberry.ID:
    """The global id of an object: its type and its system's id, base64url without padding."""
    text = f"{type_name}:{key}".encode()
    return strawberry.ID(base64.urlsafe_b64encode(text).decode().rstrip("="))


def from_global(argument: str, value: str) -> tuple[str, str]:
    """Type and system's id of a global id. Raises InputError, which names the argument."""
    try:
        if len(value) > 2 * _LONGEST:
            raise ValueError
        padded = value + "=" * (-len(value) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        type_name, _, key = text.partition(":")
        known = type_name in _finders and 0 < len(key) <= _LONGEST and key.isprintable()
        if not known or to_global(type_name, key) != value:
            raise ValueError
    except (ValueError, binascii.Error):
        raise InputError(
            argument, N_("{argument} is no id of this API. Use the id that an answer gave.")
        ) from None
    return type_name, key


def key_of(argument: str, value: str, type_name: str) -> str:
    """The system's id of a global id that must be of one type."""
    found, key = from_global(argument, value)
    if found != type_name:
        raise InputError(
            argument,
            N_("{argument} is the id of a {found}; the id of a {wanted} is needed here."),
            found=found,
            wanted=type_name,
        )
    return key


def _global_id(type_name: str) -> Callable[[Any], strawberry.ID]:
    return lambda record: to_global(type_name, record.id)


@strawberry.interface(description="Anything that can be asked for again by its id.")
class Node:
    id: strawberry.ID = typed(
        _global_id,
        description="A global id: opaque, stable, and unique among all objects of this API.",
    )


def finds(type_name: str, asks: str) -> Callable[[Finder], Finder]:
    """Declares how objects of a type are found by the ids of their system. asks: the source that
    is asked for them."""

    def declare(finder: Finder) -> Finder:
        _finders[type_name], _asks[type_name] = finder, asks
        return finder

    return declare


def asked_for(type_name: str) -> str | None:
    """The source that is asked for objects of a type by their ids; None for a type without ids."""
    return _asks.get(type_name)


async def found(
    type_name: str, context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[Any]:
    """Records of a type by the ids of their system, in order, None where there is none."""
    return await _finders[type_name](context, ids, fields)


async def find_nodes(
    argument: str,
    ids: Sequence[str],
    info: strawberry.Info,
    may_read: Callable[[GraphQLResolveInfo[Any], str], Awaitable[None]],
) -> list[Any]:
    """Records of any types by global id, in order: one question a type. Errors stay at their own
    place in the list, as exceptions. may_read: raises when the caller may not see this type."""
    if len(ids) > MOST_NODES:
        raise InputError(
            argument,
            N_("{argument} holds {count} ids; {most} are answered at once."),
            count=len(ids),
            most=MOST_NODES,
        )
    named = [from_global(argument, value) for value in ids]
    answers: list[Any] = [None] * len(named)
    for type_name in dict.fromkeys(type_name for type_name, _ in named):
        places = [place for place, (other, _) in enumerate(named) if other == type_name]
        keys = list(dict.fromkeys(named[place][1] for place in places))
        try:
            await may_read(raw(info), type_name)
            records = await found(type_name, info.context, keys, selected(info, type_name))
        except Exception as error:  # noqa: BLE001 - it becomes the error of these places alone
            records = [error] * len(keys)
        by_key = dict(zip(keys, records, strict=True))
        for place in places:
            answers[place] = by_key[named[place][1]]
    return answers
