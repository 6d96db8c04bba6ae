"""The tables of the ERP: made from the services, filled by rows that name only what differs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from sandbox.erp.model import Kind, table_columns, table_keys
from sandbox.erp.services import EVERY
from sandbox.erp.values import padded

Value = str | int | None

# What is looked up by other columns than the key.
_INDEXES: Final = {
    "erp_sales_order": ("SoldToParty", "SalesOrderDate", "PurchaseOrderByCustomer"),
    "erp_delivery_item": ("ReferenceSDDocument",),
    "erp_delivery_partner": ("SDDocument",),
    "erp_billing_document": ("SoldToParty",),
    "erp_billing_document_item": ("SalesDocument", "ReferenceSDDocument"),
}
_COLUMNS: Final = table_columns(EVERY)
_PADDED: Final = {
    (one.table, shown.stored): shown.length
    for held in EVERY
    for one in held.sets.values()
    for shown in one.properties.values()
    if shown.padded and shown.kind is Kind.TEXT
}


def create(connection: sqlite3.Connection) -> None:
    """Make the tables and their indexes. Raises sqlite3.OperationalError where they are already."""
    for table, keys in table_keys(EVERY).items():
        columns = ", ".join(f'"{name}" {kind}' for name, kind in _COLUMNS[table].items())
        key = ", ".join(f'"{name}"' for name in keys)
        connection.execute(f'CREATE TABLE "{table}" ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID')
        for column in _INDEXES.get(table, ()):
            connection.execute(f'CREATE INDEX "{table}_{column}" ON "{table}" ("{column}")')


class Rows:
    """Rows on their way to the tables."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[Value, ...]]] = {}
        self._plans = {table: _plan(table) for table in _COLUMNS}

    def add(self, table: str, values: Mapping[str, Value]) -> None:
        """values: by column; numbers may come without their leading zeros. Columns that are not
        named are empty, zero, or null for dates."""
        plan = self._plans[table]
        unknown = values.keys() - plan.keys()
        if unknown:
            raise KeyError(f"{table} has no column {min(unknown)}")
        row = []
        for column, (default, length) in plan.items():
            value = values.get(column, default)
            row.append(
                padded(value, length) if length and value and isinstance(value, str) else value
            )
        self._rows.setdefault(table, []).append(tuple(row))

    def write(self, connection: sqlite3.Connection) -> None:
        for table, rows in self._rows.items():
            names = ", ".join(f'"{name}"' for name in self._plans[table])
            marks = ", ".join("?" * len(self._plans[table]))
            into = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - model's names
            connection.executemany(into, rows)


def _plan(table: str) -> dict[str, tuple[Value, int]]:
    """Column to what it holds by default, and to the length that its numbers are filled up to."""
    return {
        name: (_default(kind), _PADDED.get((table, name), 0))
        for name, kind in _COLUMNS[table].items()
    }


def _default(kind: str) -> Value:
    if kind.startswith("INTEGER"):
        return 0
    return "" if "NOT NULL" in kind else None
