"""Turns what stands after WHERE into SQL with bound values, and refuses what the vendor refuses.

SOQL knows no third truth value: a comparison with an empty field is false, its opposite is true.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from sandbox.crm import ids, moments
from sandbox.crm.columns import Column, Columns, source_entity
from sandbox.crm.errors import QueryRefusal
from sandbox.crm.objects import IDS, Entity, Field
from sandbox.crm.soql import (
    Comparison,
    Condition,
    Junction,
    Literal,
    Membership,
    Name,
    Negation,
    Statement,
    unescape,
)
from sandbox.database import fold

_GIVEN: Final = "IN (SELECT value FROM json_each(?))"
_MOST_SEMI_JOINS: Final = 2
_ORDERED: Final = frozenset({"<", ">", "<=", ">="})
_LITERALS: Final = {
    "boolean": frozenset({"boolean"}),
    "int": frozenset({"number"}),
    "date": frozenset({"date", "range"}),
    "datetime": frozenset({"datetime", "range"}),
}
_VENDOR_TYPES: Final = {"datetime": "dateTime", "id": "ID", "reference": "reference"}
_SINGLE_ID: Final = (
    "Implementation restriction: ContentDocumentLink requires a filter by a single Id on "
    "ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN "
    "operator."
)


class Conditions:
    """Writes the conditions of one statement; `parameters` fills in the order of the SQL."""

    def __init__(self, columns: Columns, today: date, parameters: list[Any]) -> None:
        self._columns = columns
        self._statement = columns.statement
        self._today = today
        self._parameters = parameters
        self._semi_joins = 0

    def sql(self, condition: Condition | None) -> str:
        """The condition as an SQL expression, `1` for none. Raises QueryRefusal."""
        return "1" if condition is None else self._condition(condition, alone=True)

    def _condition(self, condition: Condition, *, alone: bool) -> str:
        """alone: no OR stands around it, so that the vendor allows a semi-join here."""
        if isinstance(condition, Comparison):
            return self._comparison(condition)
        if isinstance(condition, Membership):
            return self._membership(condition, alone=alone)
        if isinstance(condition, Negation):
            return f"NOT coalesce({self._condition(condition.part, alone=False)}, 0)"
        alone = alone and condition.operator == "and"
        parts = [self._condition(part, alone=alone) for part in condition.parts]
        return _balanced(parts, f" {condition.operator.upper()} ")

    def _comparison(self, test: Comparison) -> str:
        column = self._filterable(test.field)
        field, operator, value = column.field, test.operator, test.value
        if value.kind == "null" or (value.kind == "string" and not value.text):
            return self._against_null(column, test)
        self._check_type(field, value)
        if operator == "like":
            return self._like(column, test)
        if value.kind == "range":
            return self._in_period(column.sql, field, operator, value)
        if operator in _ORDERED and field.type in ("boolean", "multipicklist"):
            raise self._operator_refusal(test.field, field)
        bound = self._bound(field, value)
        sql = "IS NOT" if operator == "!=" else operator
        if field.type in IDS or not isinstance(bound, str):
            self._parameters.append(bound)
            return f"{column.sql} {sql} ?"
        if operator in _ORDERED and field.type not in ("date", "datetime"):
            self._parameters.append(bound)
            return f"{column.sql} {sql} ? COLLATE folded"
        if bound.isascii():
            self._parameters.append(bound)
            return f"{column.sql} {sql} ?"
        self._parameters.append(fold(bound))
        return f"fold({column.sql}) {sql} ?"

    def _against_null(self, column: Column, test: Comparison) -> str:
        if test.operator not in ("=", "!="):
            raise self._operator_refusal(test.field, column.field)
        if test.value.kind == "string":
            self._check_type(column.field, test.value)
        return f"{column.sql} IS {'NOT ' if test.operator == '!=' else ''}NULL"

    def _like(self, column: Column, test: Comparison) -> str:
        field = column.field
        if test.value.kind != "string" or field.type in IDS or field.type == "multipicklist":
            raise self._operator_refusal(test.field, field)
        pattern = unescape(test.value, self._statement.text, like=True)
        if pattern.isascii():
            self._parameters.append(pattern)
            return f"{column.sql} LIKE ? ESCAPE '\\'"
        self._parameters.append(fold(pattern))
        return f"fold({column.sql}) LIKE ? ESCAPE '\\'"

    def _in_period(self, sql: str, field: Field, operator: str, value: Literal) -> str:
        bounds = moments.period(value.text, self._today)
        if bounds is None:
            raise self._refusal("MALFORMED_QUERY", f"unknown date literal '{value.text}'", value.at)
        start, end = (_bound_of_day(field, day) for day in bounds)
        if operator in ("=", "!="):
            self._parameters += [start, end]
            inside = f"({sql} >= ? AND {sql} < ?)"
            return inside if operator == "=" else f"NOT coalesce({inside}, 0)"
        self._parameters.append(start if operator in ("<", ">=") else end)
        return f"{sql} {'<' if operator in ('<', '<=') else '>='} ?"

    def _membership(self, test: Membership, *, alone: bool) -> str:
        column = self._filterable(test.field)
        if isinstance(test.values, Statement):
            return self._semi_join(column, test, test.values, alone=alone)
        for value in test.values:
            if value.kind == "null" and test.operator not in ("in", "not in"):
                raise self._operator_refusal(test.field, column.field)
            self._check_type(column.field, value)
        if test.operator in ("includes", "excludes"):
            return self._includes(column, test, test.values)
        bound, empty = self._bound_list(column.field, test.values)
        sql = self._in_list(column, bound) if bound else "0"
        if empty:
            sql = f"({sql} OR {column.sql} IS NULL)"
        return sql if test.operator == "in" else f"NOT coalesce({sql}, 0)"

    def _bound_list(self, field: Field, values: Sequence[Literal]) -> tuple[list[Any], bool]:
        empty = [one.kind == "null" or (one.kind == "string" and not one.text) for one in values]
        if any(one.kind == "range" for one in values):
            at = values[0].at
            raise self._refusal("MALFORMED_QUERY", "a date literal cannot stand in a list", at)
        given = [one for one, nothing in zip(values, empty, strict=True) if not nothing]
        return [self._bound(field, one) for one in given], any(empty)

    def _in_list(self, column: Column, bound: list[Any]) -> str:
        marks = ", ".join("?" * len(bound))
        text = column.field.type not in IDS and isinstance(bound[0], str)
        if text and not all(one.isascii() for one in bound):
            self._parameters += [fold(one) for one in bound]
            return f"fold({column.sql}) IN ({marks})"
        self._parameters += bound
        return f"{column.sql} IN ({marks})"

    def _includes(self, column: Column, test: Membership, values: Sequence[Literal]) -> str:
        if column.field.type != "multipicklist":
            raise self._operator_refusal(test.field, column.field)
        choices = []
        for value in values:
            wanted = unescape(value, self._statement.text).split(";")
            self._parameters += [f";{fold(one)};" for one in wanted]
            held = f"instr(';' || fold({column.sql}) || ';', ?) > 0"
            choices.append(" AND ".join([held] * len(wanted)))
        sql = _balanced([f"({one})" for one in choices], " OR ")
        return sql if test.operator == "includes" else f"NOT coalesce({sql}, 0)"

    def _semi_join(self, column: Column, test: Membership, inner: Statement, *, alone: bool) -> str:
        self._semi_joins += 1
        if not alone or self._semi_joins > _MOST_SEMI_JOINS or self._columns.table != "t":
            message = "Semi join sub-selects are not allowed here: only two, with AND, not nested"
            raise self._refusal("MALFORMED_QUERY", message, inner.at)
        if test.operator not in ("in", "not in") or column.field.type not in IDS:
            raise self._operator_refusal(test.field, column.field)
        source = source_entity(inner)
        if source.name == "ContentDocumentLink":
            message = f"Entity '{source.name}' is not supported for semi join inner selects"
            raise self._refusal("MALFORMED_QUERY", message, inner.at)
        if inner.order or inner.limit is not None or inner.offset or len(inner.select) != 1:
            message = "A semi join sub-select takes one field, and neither ORDER BY nor LIMIT"
            raise self._refusal("MALFORMED_QUERY", message, inner.at)
        columns = Columns.of(inner, source, f"s{self._semi_joins}")
        selected = inner.select[0]
        if isinstance(selected, Statement):
            raise self._refusal("MALFORMED_QUERY", "unexpected token: '('", selected.at)
        found = columns.column(selected)
        if found.field.type not in IDS:
            message = "The inner select field of a semi join must be an id or a reference"
            raise self._refusal("MALFORMED_QUERY", message, selected.at)
        where = Conditions(columns, self._today, self._parameters).sql(inner.where)
        inside = f"SELECT {found.sql} {columns.source()} WHERE ({where}) AND {found.sql} NOT NULL"
        sql = f"{column.sql} IN ({inside})"
        return sql if test.operator == "in" else f"NOT coalesce({sql}, 0)"

    def _filterable(self, name: Name) -> Column:
        column = self._columns.column(name)
        if not column.field.filterable:
            message = f"field '{column.field.name}' can not be filtered in a query call"
            raise self._columns.refusal("INVALID_FIELD", message, name)
        return column

    def _bound(self, field: Field, value: Literal) -> Any:
        """The value as the tables keep it."""
        if value.kind == "string":
            return self._bound_text(field, value)
        if value.kind == "boolean":
            return int(value.text == "true")
        if value.kind == "number":
            return _number(value.text)
        read = moments.read_date if value.kind == "date" else moments.read_datetime
        bound = read(value.text)
        if bound is None:
            raise self._refusal("MALFORMED_QUERY", f"invalid date: {value.text}", value.at)
        return bound

    def _bound_text(self, field: Field, value: Literal) -> str:
        text = unescape(value, self._statement.text)
        if field.type not in IDS:
            return text
        found = ids.full(text)
        if found is None:
            message = f"invalid ID field: {text}"
            raise self._refusal("INVALID_QUERY_FILTER_OPERATOR", message, value.at)
        return found

    def _check_type(self, field: Field, value: Literal) -> None:
        accepted = _LITERALS.get(field.type, frozenset({"string"}))
        if value.kind == "null" or value.kind in accepted:
            return
        quotes = "should be" if accepted == {"string"} else "should not be"
        kind = _VENDOR_TYPES.get(field.type, field.type if field.type in _LITERALS else "string")
        message = (
            f"value of filter criterion for field '{field.name}' must be of type {kind} and "
            f"{quotes} enclosed in quotes"
        )
        raise self._refusal("INVALID_FIELD", message, value.at)

    def _operator_refusal(self, name: Name, field: Field) -> QueryRefusal:
        message = f"invalid operator on {_VENDOR_TYPES.get(field.type, field.type)} field"
        return self._columns.refusal("INVALID_QUERY_FILTER_OPERATOR", message, name)

    def _refusal(self, code: str, message: str, at: int) -> QueryRefusal:
        return QueryRefusal(code, message, self._statement.text, at)


def require_an_id(statement: Statement, entity: Entity) -> None:
    """Links to files are only given for records that the statement names. Raises QueryRefusal."""
    if entity.name == "ContentDocumentLink" and not _names_an_id(statement.where):
        raise QueryRefusal("MALFORMED_QUERY", _SINGLE_ID, statement.text, statement.at)


def children_of(column: str, parents: Sequence[str], parameters: list[Any]) -> str:
    """The condition that holds for the child rows of these parents."""
    parameters.append(json.dumps(list(parents)))
    return f"{column} {_GIVEN}"


def _bound_of_day(field: Field, day: date) -> str:
    if field.type == "date":
        return day.isoformat()
    return moments.written(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _number(text: str) -> int | float:
    # More digits than SQLite's integers hold; and Python refuses to read thousands of them.
    return int(text) if "." not in text and len(text) < 19 else float(text)


def _names_an_id(condition: Condition | None) -> bool:
    """True when every row that can pass carries an id that the statement names."""
    if isinstance(condition, Junction) and condition.operator == "and":
        return any(_names_an_id(part) for part in condition.parts)
    if isinstance(condition, Comparison):
        return condition.operator == "=" and _is_id(condition.field)
    if isinstance(condition, Membership) and not isinstance(condition.values, Statement):
        return condition.operator == "in" and _is_id(condition.field)
    return False


def _is_id(name: Name) -> bool:
    return name.path[-1].lower() in ("id", "linkedentityid", "contentdocumentid")


def _balanced(parts: Sequence[str], glue: str) -> str:
    """One expression whose depth grows with the logarithm: SQLite refuses a thousand in a chain."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_balanced(parts[:half], glue)}{glue}{_balanced(parts[half:], glue)})"
