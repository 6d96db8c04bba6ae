"""Asks the CRM how the status of cases went, where it keeps that."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

from connectors.port.records import CaseStatusChange
from connectors.port.scope import Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.filters import owned
from connectors.systems.salesforce.paging import CASE, chunks, wanted
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.soql import (
    ID,
    Column,
    Order,
    Select,
    columns,
    every,
    record_id,
    same,
)

#: The newest steps of one case that are read.
_STEPS: Final = 200
#: Cases whose steps one query reads, so that all of them fit under what an answer may hold.
_CASES: Final = 250


class History:
    """The CRM as a source of how the status of cases went."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    async def status_changes_by_case(
        self, case_ids: Sequence[str], scope: Scope
    ) -> list[list[CaseStatusChange]]:
        asked, table = wanted(case_ids, CASE), self._settings.status_history
        if not scope or not asked or not table:
            return [[] for _ in case_ids]
        groups = list(chunks(asked, scope, _CASES))
        answers = await asyncio.gather(*(self._steps(table, group, scope) for group in groups))
        found: dict[str, list[CaseStatusChange]] = {}
        for group, rows in zip(groups, answers, strict=True):
            if len(group) > 1 and len(rows) >= _STEPS * len(group):
                # A case that went to and fro for ever may have crowded out the others.
                apart = await asyncio.gather(*(self._steps(table, [one], scope) for one in group))
                rows = [row for part in apart for row in part]
            for step in self._changes(rows, scope):
                found.setdefault(same(step.case_id), []).append(step)
        return [
            found.get(same(one), [])[:_STEPS][::-1] if record_id(one) else [] for one in case_ids
        ]

    def _steps(
        self, table: str, case_ids: Sequence[str], scope: Scope
    ) -> Coroutine[Any, Any, list[Row]]:
        """Newest first, as a limit is to leave the oldest out."""
        status = self._settings.columns.case.status
        query = Select(
            table,
            columns(selection.status_change(self._settings)),
            every(
                Column("CaseId").one_of(case_ids),
                Column("Field").equals(status),
                owned(scope, "Case.AccountId"),
            ),
            (Order(Column("CreatedDate"), descending=True), Order(ID, descending=True)),
            _STEPS * len(case_ids),
        )
        return self._client.rows("status_changes_by_case", query)

    def _changes(self, rows: Iterable[Row], scope: Scope) -> list[CaseStatusChange]:
        changes = (translate.status_change(row, self._settings, scope) for row in rows)
        return [change for change in changes if change is not None]
