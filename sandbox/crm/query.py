"""Runs SOQL: a statement's rows come back page by page, as the query resource gives them."""

from __future__ import annotations

import re
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sandbox.crm import ids
from sandbox.crm.errors import Refusal
from sandbox.crm.plan import Plan, Record, plan, shape
from sandbox.crm.soql import parse
from sandbox.database import Database

# How many results one user may leave half read; the oldest one is forgotten first.
_MOST_CURSORS: Final = 10
_LOCATOR: Final = re.compile(r"(01g[A-Za-z0-9]{15})-(\d{1,9})")


@dataclass(frozen=True, slots=True)
class _Cursor:
    plan: Plan
    rows: list[Any]
    page_size: int


class Queries:
    """today: gives the day that TODAY means."""

    def __init__(self, database: Database, today: Callable[[], date]) -> None:
        self._database = database
        self._today = today
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()
        self._opened = 0

    def first_page(self, text: str, base: str, page_size: int) -> dict[str, Any]:
        """The answer to a statement. Raises Refusal."""
        found = plan(parse(text), self._today())
        if found.counts_only:
            [[count]] = self._rows(found.count_sql, found.parameters)
            return {"totalSize": count, "done": True, "records": []}
        rows = self._rows(found.sql, found.parameters)
        cursor = _Cursor(found, rows, page_size)
        locator = self._keep(cursor) if len(rows) > page_size else ""
        return self._page(cursor, locator, 0, base)

    def next_page(self, locator: str, base: str) -> dict[str, Any]:
        """The answer to a nextRecordsUrl. Raises Refusal (INVALID_QUERY_LOCATOR)."""
        read = _LOCATOR.fullmatch(locator)
        cursor = self._cursors.get(read[1]) if read else None
        if read is None or cursor is None or int(read[2]) >= len(cursor.rows):
            raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(cursor, read[1], int(read[2]), base)

    def records(self, found: Plan, rows: Sequence[Any], base: str) -> list[Record]:
        """The records that rows of a plan stand for, with the sets of its subselects."""
        parents = [row[found.node.identity] for row in rows]
        sets = [self._child_sets(found, at, parents, base) for at in range(len(found.children))]
        make = shape(found.node, base, sets)
        return [record for row in rows if (record := make(row)) is not None]

    def _page(self, cursor: _Cursor, locator: str, start: int, base: str) -> dict[str, Any]:
        end = start + cursor.page_size
        answer: dict[str, Any] = {"totalSize": len(cursor.rows), "done": end >= len(cursor.rows)}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"{base}/query/{locator}-{end}"
        answer["records"] = self.records(cursor.plan, cursor.rows[start:end], base)
        return answer

    def _keep(self, cursor: _Cursor) -> str:
        self._opened += 1
        locator = ids.numbered("01g", self._opened)
        self._cursors[locator] = cursor
        if len(self._cursors) > _MOST_CURSORS:
            self._cursors.popitem(last=False)
        return locator

    def _child_sets(
        self, found: Plan, at: int, parents: Sequence[str], base: str
    ) -> dict[str, dict[str, Any]]:
        sql, parameters, node = found.children[at].build(parents)
        make = shape(node, base)
        sets: dict[str, dict[str, Any]] = {}
        for row in self._rows(sql, parameters):
            records = sets.setdefault(row[-2], {"totalSize": 0, "done": True, "records": []})
            records["totalSize"] += 1
            records["records"].append(make(row))
        return sets

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        try:
            return self._database.rows(sql, parameters)
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            # More columns, joins or characters than SQLite takes: the vendor has such bounds too.
            message = "Query is either selecting too many fields or the filter conditions are "
            raise Refusal(400, "QUERY_TOO_COMPLICATED", f"{message}too complicated.") from error
