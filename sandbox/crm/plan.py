"""A SOQL statement becomes a plan here: the SQL to run, and how its rows become records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sandbox.crm.columns import Columns, source_entity
from sandbox.crm.conditions import Conditions, children_of, require_an_id
from sandbox.crm.errors import QueryRefusal
from sandbox.crm.objects import ENTITIES, TEXTS, Entity, Field
from sandbox.crm.soql import Name, Ordering, Statement

_MOST_SUBQUERIES: Final = 20

Record = dict[str, Any]
Shape = Callable[[Sequence[Any]], Record | None]


@dataclass(slots=True)
class Node:
    """The part of an answer that one object fills: its own fields, its parents, its child sets.

    items: the key in the answer -> the row's column with its field, a parent, or the number of a
    child set. identity: the row's column with the id.
    """

    entity: Entity
    identity: int
    items: dict[str, tuple[int, Field] | Node | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """sql gives the rows, count_sql their number. children: in the order of the node's numbers."""

    statement: Statement
    sql: str
    count_sql: str
    parameters: list[Any]
    node: Node
    children: tuple[ChildPlan, ...]

    @property
    def counts_only(self) -> bool:
        return not self.statement.select


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """A subselect. `build` gives its SQL for some parents; their id is each row's last but one."""

    statement: Statement
    entity: Entity
    link: str
    today: date

    def build(self, parents: Sequence[str]) -> tuple[str, list[Any], Node]:
        writer = _Writer(self.statement, self.entity, "c", self.today)
        node = writer.node()
        parameters: list[Any] = []
        where = Conditions(writer.columns, self.today, parameters).sql(self.statement.where)
        of_parents = children_of(f"c.{self.link}", parents, parameters)
        order = writer.order_by() or "ORDER BY c.Id"
        first = self.statement.offset
        last = first + (2_000 if self.statement.limit is None else self.statement.limit)
        parameters += [first, last]
        rank = f"row_number() OVER (PARTITION BY c.{self.link} {order}) AS place"
        inner = (
            f"SELECT {writer.selected()}, c.{self.link} AS parent, {rank} "
            f"{writer.columns.source()} WHERE ({where}) AND {of_parents}"
        )
        sql = f"SELECT * FROM ({inner}) WHERE place > ? AND place <= ? ORDER BY place"  # noqa: S608
        return sql, parameters, node


def plan(statement: Statement, today: date) -> Plan:
    """Raises QueryRefusal for what the vendor would refuse in a statement that reads well."""
    source = source_entity(statement)
    require_an_id(statement, source)
    writer = _Writer(statement, source, "t", today)
    node = writer.node()
    parameters: list[Any] = []
    where = Conditions(writer.columns, today, parameters).sql(statement.where)
    order = writer.order_by()
    rest = f"{writer.columns.source()} WHERE {where}"
    limit = -1 if statement.limit is None else statement.limit
    sql = f"SELECT {writer.selected()} {rest} {order} LIMIT {limit} OFFSET {statement.offset}"
    return Plan(statement, sql, f"SELECT count(*) {rest}", parameters, node, tuple(writer.children))


class _Writer:
    """Gathers the columns that one statement selects, and the tree that they fill."""

    def __init__(self, statement: Statement, source: Entity, table: str, today: date) -> None:
        self.columns = Columns.of(statement, source, table)
        self.children: list[ChildPlan] = []
        self._statement = statement
        self._today = today
        self._selected: list[str] = []
        self._identities: dict[str, int] = {}

    def node(self) -> Node:
        root = Node(self.columns.entity, self._identity(self.columns.table))
        for item in self._statement.select:
            if isinstance(item, Statement):
                self._add_child(root, item)
            else:
                self._add_field(root, item)
        return root

    def selected(self) -> str:
        return ", ".join(self._selected)

    def order_by(self) -> str:
        listed = [self._ordering(one) for one in self._statement.order]
        return f"ORDER BY {', '.join(listed)}" if listed else ""

    def _ordering(self, one: Ordering) -> str:
        column = self.columns.column(one.field)
        if not column.field.sortable:
            message = f"field '{column.field.name}' can not be sorted in a query call"
            raise self.columns.refusal("MALFORMED_QUERY", message, one.field)
        collation = " COLLATE folded" if column.field.type in TEXTS else ""
        direction = "DESC" if one.descending else "ASC"
        return f"{column.sql}{collation} {direction} NULLS {'LAST' if one.nulls_last else 'FIRST'}"

    def _add_field(self, node: Node, name: Name) -> None:
        path = self.columns.path(name)
        for depth in range(1, len(path)):
            table, owner = self.columns.parent(path[:depth], name)
            key = self._relationship(node.entity, path[depth - 1])
            inner = node.items.get(key)
            if not isinstance(inner, Node):
                inner = node.items[key] = Node(owner, self._identity(table))
            node = inner
        column = self.columns.column(name)
        key = column.field.name
        if key in node.items:
            message = f"duplicate field selected: {'.'.join(path)}"
            raise self.columns.refusal("INVALID_FIELD", message, name)
        node.items[key] = (len(self._selected), column.field)
        self._selected.append(column.sql)

    def _relationship(self, owner: Entity, step: str) -> str:
        found = owner.parent(step)
        return found.parent if found else step

    def _identity(self, table: str) -> int:
        if table not in self._identities:
            self._identities[table] = len(self._selected)
            self._selected.append(f"{table}.Id")
        return self._identities[table]

    def _add_child(self, node: Node, inner: Statement) -> None:
        name = ".".join(inner.source.path)
        found = self.columns.entity.child(name)
        if found is None:
            message = f"Didn't understand relationship '{name}' in FROM part of query call."
            raise QueryRefusal("INVALID_TYPE", message, inner.text, inner.source.at)
        if len(self.children) >= _MOST_SUBQUERIES:
            message = f"a statement may not hold more than {_MOST_SUBQUERIES} subqueries"
            raise QueryRefusal("MALFORMED_QUERY", message, inner.text, inner.at)
        key = next(key for key in self.columns.entity.children if key.lower() == name.lower())
        if key in node.items:
            message = f"duplicate relationship selected: {key}"
            raise QueryRefusal("MALFORMED_QUERY", message, inner.text, inner.at)
        entity_name, link = found
        child = ChildPlan(inner, ENTITIES[entity_name.lower()], link, self._today)
        child.build([])  # so that what is wrong in it is refused even when there are no parents
        node.items[key] = len(self.children)
        self.children.append(child)


def shape(node: Node, base: str, child_sets: Sequence[dict[str, Any]] = ()) -> Shape:
    """A function that makes the record of a row, None for a parent that is not there.

    base: the address before `/sobjects`. child_sets: for each subselect, parent id -> its set.
    """
    prefix = f"{base}/sobjects/{node.entity.name}/"
    kind, identity = node.entity.name, node.identity
    plain: list[tuple[str, int, Callable[[Any], Any] | None]] = []
    for key, item in node.items.items():
        if isinstance(item, Node):
            # A parent reads its own columns of the same row, so it takes the row as it is.
            plain.append((key, -1, shape(item, base)))
        elif isinstance(item, int):
            plain.append((key, identity, child_sets[item].get))
        else:
            plain.append((key, item[0], _converter(item[1], base)))

    def record(row: Sequence[Any]) -> Record | None:
        if (own := row[identity]) is None:
            return None
        made: Record = {"attributes": {"type": kind, "url": prefix + own}}
        for key, at, convert in plain:
            value = row if at < 0 else row[at]
            made[key] = convert(value) if convert else value
        return made

    return record


def _converter(found: Field, base: str) -> Callable[[Any], Any] | None:
    if found.type == "boolean":
        return bool
    if found.type == "base64":
        return lambda path: None if path is None else f"{base}/sobjects/{path}"
    return None
