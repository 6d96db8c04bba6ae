"""What can be told of a value by its class: whether it is a plain value, nothing, an error, or
something to wait for. Told once a class, so that a column of values is looked through at once."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from types import CoroutineType, GeneratorType
from typing import Any, Final

from graphql import Undefined
from graphql.pyutils import is_awaitable

PLAIN: Final = 0
NOTHING: Final = 1
ERROR: Final = 2
#: To be looked at one by one: it may have to be waited for.
AWAITABLE: Final = 4

_known: dict[type, int] = {type(None): NOTHING, type(Undefined): NOTHING}
#: Classes that are remembered; programs that make classes on the way must not fill the memory.
_MOST = 10_000


def sort(kind: type) -> int:
    """The sort of a class's values."""
    known = _known.get(kind)
    if known is None:
        if len(_known) > _MOST:
            _known.clear()
            _known.update({type(None): NOTHING, type(Undefined): NOTHING})
        known = _known[kind] = _sort(kind)
    return known


def sorts(values: Iterable[Any]) -> int:
    """The sorts of all values, or-ed together."""
    found = 0
    for kind in set(map(type, values)):
        found |= sort(kind)
    return found


def _sort(kind: type) -> int:
    found = ERROR if issubclass(kind, Exception) else PLAIN
    if issubclass(kind, CoroutineType | GeneratorType) or hasattr(kind, "__await__"):
        found |= AWAITABLE
    return found


def waits(value: Any) -> bool:
    """Whether a value has to be waited for."""
    return bool(sort(type(value)) & AWAITABLE) and is_awaitable(value)


def dropped(values: Iterable[Any]) -> None:
    """Closes what was never begun, so that nothing is left un-awaited."""
    for value in values:
        if inspect.iscoroutine(value) and inspect.getcoroutinestate(value) == "CORO_CREATED":
            value.close()
