"""The query string as OData reads it: `%20` is a space, `+` is a plus, system options come once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from sandbox.erp.errors import unknown_property, unreadable
from sandbox.erp.model import EntitySet, Property

V2_OPTIONS: Final = frozenset(
    "$filter $select $expand $orderby $top $skip $inlinecount $format $skiptoken".split()
)
V4_OPTIONS: Final = frozenset(
    "$filter $select $expand $orderby $top $skip $count $format $skiptoken".split()
)


def options_of(query: str, known: frozenset[str]) -> dict[str, str]:
    """System options by name; what has no `$` is no business of OData and passes. Raises ODataError
    400 for an option that is unknown or given twice."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        raw, _, value = pair.partition("=")
        name = unquote(raw)
        if not name.startswith("$"):
            continue
        if name not in known:
            raise unreadable(f"System query option '{name}' is not supported")
        if name in found:
            raise unreadable(f"System query option '{name}' must not be given more than once")
        found[name] = unquote(value)
    return found


def whole_number(options: Mapping[str, str], name: str) -> int | None:
    """A count of zero or more, None when the option is not given. Raises ODataError 400."""
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise unreadable(f"Invalid value '{text}' for system query option '{name}'")
    return int(text)


def names_of(text: str) -> list[str]:
    """The parts between commas, trimmed. Raises ODataError 400 for an empty one."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise unreadable(f"Invalid list '{text}'")
    return names


def order_of(text: str | None, entity: EntitySet) -> tuple[tuple[Property, bool], ...]:
    """`$orderby`: properties, each with whether it falls. Raises ODataError 400."""
    found = []
    for part in names_of(text) if text else ():
        name, *direction = part.split()
        if direction not in ([], ["asc"], ["desc"]):
            raise unreadable(f"Invalid value '{part}' for system query option '$orderby'")
        by = entity.properties.get(name)
        if by is None:
            raise unknown_property(name, entity.type_name)
        if not by.sortable:
            raise unreadable(f"Property '{name}' of type '{entity.type_name}' is not sortable")
        found.append((by, direction == ["desc"]))
    return tuple(found)


def page_of(options: Mapping[str, str], limit: int) -> tuple[int, int, int]:
    """How many entities to read, from which on, and how many of the asked ones went before, over
    all pages that the server cut at `limit`."""
    top, skip = whole_number(options, "$top"), whole_number(options, "$skip") or 0
    before = whole_number(options, "$skiptoken") or 0
    left = None if top is None else max(0, top - before)
    return (limit if left is None else min(limit, left)), skip + before, before
