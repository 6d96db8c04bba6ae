"""Follows field paths through the CRM's objects: `Contact.Account.Name` becomes a joined column."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.crm.errors import QueryRefusal, no_such_column, no_such_object, no_such_relationship
from sandbox.crm.objects import Entity, Field, entity
from sandbox.crm.soql import Name, Statement

_MOST_LEVELS = 5
_MOST_JOINS = 55


@dataclass(frozen=True, slots=True)
class Column:
    """A field as SQL names it; an id of the row it belongs to tells an absent parent."""

    sql: str
    field: Field


@dataclass(slots=True)
class Columns:
    """The tables that one statement reads: its object, and each parent that a path names."""

    statement: Statement
    entity: Entity
    table: str
    joins: dict[tuple[str, ...], tuple[str, Entity]] = field(default_factory=dict)
    clauses: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, statement: Statement, source: Entity, table: str) -> Columns:
        return cls(statement, source, table)

    def column(self, name: Name) -> Column:
        """The column of a path. Raises QueryRefusal as the vendor does for unknown names."""
        path = self.path(name)
        table, owner = self.parent(path[:-1], name)
        found = owner.find(path[-1])
        if found is None:
            raise self.refusal("INVALID_FIELD", no_such_column(path[-1], owner.name), name)
        return Column(_expression(owner, found, table), found)

    def path(self, name: Name) -> tuple[str, ...]:
        """The path without the statement's own object or alias in front."""
        first = name.path[0].lower()
        own = {self.statement.alias.lower(), self.entity.name.lower()} - {""}
        if len(name.path) > 1 and first in own and self.entity.parent(first) is None:
            return name.path[1:]
        return name.path

    def parent(self, path: tuple[str, ...], name: Name) -> tuple[str, Entity]:
        """The table and the object that a path of relationships ends at."""
        table, owner = self.table, self.entity
        if len(path) > _MOST_LEVELS:
            message = f"a path may not climb more than {_MOST_LEVELS} levels"
            raise self.refusal("INVALID_FIELD", message, name)
        for depth in range(len(path)):
            key = tuple(one.lower() for one in path[: depth + 1])
            if key not in self.joins:
                self.joins[key] = self._join(table, owner, path[depth], name)
            table, owner = self.joins[key]
        return table, owner

    def _join(self, table: str, owner: Entity, step: str, name: Name) -> tuple[str, Entity]:
        reference = owner.parent(step)
        target = entity(reference.to) if reference else None
        if reference is None or target is None:
            raise self.refusal("INVALID_FIELD", no_such_relationship(step), name)
        if len(self.joins) >= _MOST_JOINS:
            message = f"a statement may not use more than {_MOST_JOINS} relationships"
            raise self.refusal("MALFORMED_QUERY", message, name)
        joined = f"{self.table}_{len(self.joins)}"
        self.clauses.append(
            f"LEFT JOIN {target.table} {joined} ON {joined}.Id = {table}.{reference.name}"
        )
        return joined, target

    def refusal(self, code: str, message: str, name: Name) -> QueryRefusal:
        return QueryRefusal(code, message, self.statement.text, name.at)

    def source(self) -> str:
        """The FROM clause. Complete once every part of the statement has asked for its columns."""
        return " ".join([f"FROM {self.entity.table} {self.table}", *self.clauses])


def source_entity(statement: Statement) -> Entity:
    """The object that a statement names after FROM. Raises QueryRefusal (INVALID_TYPE)."""
    name = ".".join(statement.source.path)
    found = entity(name)
    if found is None:
        text, at = statement.text, statement.source.at
        raise QueryRefusal("INVALID_TYPE", no_such_object(name), text, at)
    return found


def _expression(owner: Entity, found: Field, table: str) -> str:
    # Bytes are not part of an answer: the vendor gives the address to fetch them from.
    if found.type == "base64":
        return f"'{owner.name}/' || {table}.Id || '/{found.name}'"
    return f"{table}.{found.name}"
