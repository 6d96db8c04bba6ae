"""Generated code: reads an attribute off many rows, and puts columns together to objects.

Python runs `[row.number for row in rows]` much faster than anything that takes the name as a
value. The functions carry names of the schema and the document, never a value of a request.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

Read = Callable[[Sequence[Any]], list[Any]]
Assemble = Callable[..., list[dict[str, Any]]]

#: Most functions of each sort that are kept.
_MOST = 4_096


@functools.lru_cache(_MOST)
def reading(type_name: str, attribute: str) -> Read:
    """Reads an attribute of every row. One function a type: the interpreter adapts each to the
    class of record that it meets."""
    if not attribute.isidentifier():
        return lambda rows: [getattr(row, attribute) for row in rows]
    read: Read = _made(f"lambda rows: [row.{attribute} for row in rows]")
    return read


@functools.lru_cache(_MOST)
def assembling(keys: tuple[str, ...]) -> Assemble:
    """Makes one object a row of as many columns as there are keys, each under its key."""
    names = [f"v{place}" for place in range(len(keys))]
    pairs = ", ".join(f"{key!r}: {name}" for key, name in zip(keys, names, strict=True))
    joined = ", ".join(names)
    source = f"lambda *columns: [{{{pairs}}} for {joined} in zip(*columns)]"
    if len(names) == 1:
        source = f"lambda column: [{{{pairs}}} for {joined} in column]"
    assemble: Assemble = _made(source)
    return assemble


def _made(source: str) -> Any:
    return eval(compile(source, "<plan>", "eval"))  # noqa: S307
