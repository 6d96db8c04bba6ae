"""What an answer is remembered by: the whole question, its scope included. Nothing is left out, so
two questions have one key only if any system would be asked the very same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from connectors.port.scope import Scope

#: (source, method, item or query, all other arguments).
Key = tuple[str, str, Any, tuple[Any, ...]]

#: Of what is kept outside the process: goes up when records or this file change their shape.
VERSION = 1


def key_of(source: str, method: str, item: Any, rest: tuple[Any, ...]) -> Key:
    """Hashable. item: one of the list that is asked for, or the query."""
    return source, method, item, rest


def written(key: Key) -> str:
    """The key as a text, the same in every process."""
    text = json.dumps(_plain(key), ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """JSON that differs for values that differ, and only for those. Raises TypeError for a value
    that no question holds."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Enum):
        return [type(value).__name__, value.value]
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return [type(value).__name__, value.isoformat()]
    if isinstance(value, frozenset):
        return ["set", sorted(json.dumps(_plain(one)) for one in value)]
    if isinstance(value, tuple):
        return ["tuple", [_plain(one) for one in value]]
    if isinstance(value, Mapping):
        return ["map", sorted([str(name), _plain(one)] for name, one in value.items())]
    if isinstance(value, Scope):
        return ["Scope", [_plain(account) for account in value.accounts]]
    if is_dataclass(value):
        held = [_plain(getattr(value, field.name)) for field in fields(value)]
        return [type(value).__name__, held]
    raise TypeError(f"{type(value).__name__} has no place in a question")
