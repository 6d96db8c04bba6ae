"""Generated code: reads an attribute off many rows, and puts columns together to objects.

Python runs a loop over `row.number` much faster than anything that takes the name as a value. The
functions carry names of the schema and the document, never a value of a request.
"""

from __future__ import annotations

import functools
import keyword
from collections.abc import Callable, Sequence
from typing import Any

#: Appends an attribute of each row to a list, which keeps what was read before an error.
Read = Callable[[Sequence[Any], list[Any]], None]
Assemble = Callable[..., list[dict[str, Any]]]

#: Most functions of each sort that are kept.
_MOST = 4_096


@functools.lru_cache(_MOST)
def reading(type_name: str, attribute: str) -> Read:
    """Reads an attribute of every row. One function a type: the interpreter adapts each to the
    class of record that it meets."""
    if not attribute.isidentifier() or keyword.iskeyword(attribute):

        def slowly(rows: Sequence[Any], values: list[Any]) -> None:
            values.extend(getattr(row, attribute) for row in rows)

        return slowly
    space: dict[str, Any] = {}
    source = f"def read(rows, values):\n for row in rows:\n  values.append(row.{attribute})"
    exec(compile(source, "<plan>", "exec"), space)  # noqa: S102 - an identifier, by the test above
    read: Read = space["read"]
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
    assemble: Assemble = eval(compile(source, "<plan>", "eval"))  # noqa: S307 - names of GraphQL
    return assemble
