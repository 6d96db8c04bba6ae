"""What the rows of a query are decoded into: structs with just the columns that were asked for.

Their fields are called by number, since an org may call a column anything, `class` for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Shape:
    """A row, or the record that a relationship leads to. fields: what the struct calls each column
    and relationship. inner: what relationships lead to. blank: a struct without any value."""

    struct: Any
    fields: Mapping[str, str]
    inner: Mapping[str, Shape]
    blank: Any


def shape(columns: Mapping[str, Any]) -> Shape:
    """columns: dotted as in the query, each with the type of its values; all of them have to come,
    and each can be null. Raises ValueError where one is a column and a relationship."""
    steps: dict[str, dict[str, Any]] = {}
    for column, kind in columns.items():
        step, _, rest = column.partition(".")
        steps.setdefault(step, {})[rest] = kind
    if any("" in rest and len(rest) > 1 for rest in steps.values()):
        raise ValueError("a column that is a relationship as well")
    inner = {step: shape(rest) for step, rest in steps.items() if "" not in rest}
    fields = {step: f"f{place}" for place, step in enumerate(steps)}
    held = [
        (fields[step], (inner[step].struct if step in inner else rest[""]) | None)
        for step, rest in steps.items()
    ]
    columns_of = {field: step for step, field in fields.items()}
    struct = msgspec.defstruct("Row", held, rename=columns_of, gc=False)
    return Shape(struct, fields, inner, struct(*(None for _ in steps)))
