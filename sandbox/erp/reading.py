"""What is asked of one collection, and how it is read: rows, then what navigations lead to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sandbox.erp.conditions import ALWAYS, Condition, both
from sandbox.erp.model import EntitySet, Navigation, Property

# Above SQLite's limit of bound values there is nothing; below it a round number.
_PARENTS_AT_ONCE: Final = 5000


@dataclass(frozen=True, slots=True)
class Ask:
    """One level of a question. shown: the properties of the answer. links: navigations that only
    their address is shown of. top and skip: None and 0 for everything."""

    entity: EntitySet
    shown: tuple[Property, ...]
    links: tuple[str, ...] = ()
    expands: tuple[Expand, ...] = ()
    where: Condition = ALWAYS
    order: tuple[tuple[Property, bool], ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False


@dataclass(frozen=True, slots=True)
class Expand:
    navigation: Navigation
    ask: Ask


@dataclass(slots=True)
class Found:
    """A row, and by navigation the rows it leads to: those asked for, and how many there are."""

    row: sqlite3.Row
    under: dict[str, list[Found]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


@contextmanager
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection for one request: it reads only. One thread uses it."""
    connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, timeout=10)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.row_factory = sqlite3.Row
        connection.create_function("erp_lower", 1, str.lower, deterministic=True)
        connection.create_function("erp_upper", 1, str.upper, deterministic=True)
        yield connection
    finally:
        connection.close()


def count(connection: sqlite3.Connection, ask: Ask) -> int:
    """How many entities meet the condition, whatever top and skip say."""
    sql = f'SELECT count(*) FROM "{ask.entity.table}" WHERE {ask.where.sql}'  # noqa: S608 - names of the model
    (total,) = connection.execute(sql, ask.where.values).fetchone()
    return int(total)


def read(connection: sqlite3.Connection, ask: Ask) -> list[Found]:
    """The entities in order; entities that compare equal are in order of their keys."""
    sql = (
        f'SELECT * FROM "{ask.entity.table}" WHERE {ask.where.sql} '  # noqa: S608 - names of the model
        f"ORDER BY {_order(ask)} LIMIT ? OFFSET ?"
    )
    limit = -1 if ask.top is None else ask.top
    rows = connection.execute(sql, (*ask.where.values, limit, ask.skip)).fetchall()
    found = [Found(row) for row in rows]
    for one in ask.expands:
        for start in range(0, len(found), _PARENTS_AT_ONCE):
            _expand(connection, ask.entity, found[start : start + _PARENTS_AT_ONCE], one)
    return found


def _order(ask: Ask) -> str:
    asked = [f'"{by.stored}" {"DESC" if down else "ASC"}' for by, down in ask.order]
    named = {by.stored for by, _ in ask.order}
    keys = (ask.entity.properties[key].stored for key in ask.entity.keys)
    return ", ".join([*asked, *(f'"{key}"' for key in keys if key not in named)])


def _expand(
    connection: sqlite3.Connection, entity: EntitySet, parents: Sequence[Found], expand: Expand
) -> None:
    """Read what one navigation leads to for all parents at once, and hang it under them."""
    ask, on = expand.ask, expand.navigation.on
    own = [entity.properties[name].stored for name, _ in on]
    theirs = [ask.entity.properties[name].stored for _, name in on]
    wanted = {tuple(parent.row[column] for column in own) for parent in parents}
    every = Ask(
        ask.entity, ask.shown, ask.links, ask.expands, both(_any_of(theirs, wanted), ask.where),
        ask.order,
    )  # fmt: skip
    groups: dict[tuple[object, ...], list[Found]] = {}
    for child in read(connection, every):
        groups.setdefault(tuple(child.row[column] for column in theirs), []).append(child)
    last = None if ask.top is None else ask.skip + ask.top
    for parent in parents:
        group = groups.get(tuple(parent.row[column] for column in own), [])
        parent.under[expand.navigation.name] = group[ask.skip : last]
        parent.counts[expand.navigation.name] = len(group)


def _any_of(columns: Sequence[str], wanted: set[tuple[str, ...]]) -> Condition:
    if not wanted:
        return Condition("0")
    names = ", ".join(f'"{column}"' for column in columns)
    marks = "(" + ", ".join("?" * len(columns)) + ")"
    listed = ", ".join([marks] * len(wanted))
    values = tuple(value for key in sorted(wanted) for value in key)
    return Condition(f"({names}) IN (VALUES {listed})", values)


def linked(
    navigation: Navigation, row: sqlite3.Row, own: EntitySet, target: EntitySet
) -> Condition:
    """What holds for the entities that a navigation leads to from one row."""
    found = ALWAYS
    for mine, theirs in navigation.on:
        value = row[own.properties[mine].stored]
        column = target.properties[theirs].stored
        found = both(found, Condition(f'"{column}" = ?', (value,)))
    return found
