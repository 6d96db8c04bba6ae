"""Asks the CRM for what was said on cases, as far as customers may read it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

from connectors.port.fields import Fields
from connectors.port.records import CaseComment
from connectors.port.scope import Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.filters import owned
from connectors.systems.salesforce.paging import CASE, COMMENT, chunks, wanted
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.soql import (
    ID,
    Column,
    Condition,
    Order,
    Select,
    columns,
    every,
    record_id,
    same,
)

#: The newest comments of one case that are read.
_COMMENTS: Final = 1000
#: Cases whose comments one query reads, so that all of them fit under what an answer may hold.
_DISCUSSED: Final = 50

_CREATED: Final = Column("CreatedDate")


class Comments:
    """The CRM as a source of what was said on cases."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    async def comments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[CaseComment]]:
        asked = wanted(case_ids, CASE)
        if not scope or not asked:
            return [[] for _ in case_ids]
        groups = list(chunks(asked, scope, _DISCUSSED))
        answers = await asyncio.gather(*(self._said(group, fields, scope) for group in groups))
        found: dict[str, list[CaseComment]] = {}
        for group, rows in zip(groups, answers, strict=True):
            if len(group) > 1 and len(rows) >= _COMMENTS * len(group):
                # One endless discussion may have crowded out the others: ask for each by itself.
                apart = await asyncio.gather(*(self._said([one], fields, scope) for one in group))
                rows = [row for part in apart for row in part]
            for comment in self._comments(rows, fields, scope):
                found.setdefault(same(comment.case_id), []).append(comment)
        return [
            found.get(same(one), [])[:_COMMENTS][::-1] if record_id(one) else [] for one in case_ids
        ]

    def _said(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> Coroutine[Any, Any, list[Row]]:
        query = Select(
            "CaseComment",
            columns(selection.comment(self._settings, fields)),
            every(Column("ParentId").one_of(case_ids), *_public(scope)),
            (Order(_CREATED, descending=True), Order(ID, descending=True)),
            _COMMENTS * len(case_ids),
        )
        return self._client.rows("comments_by_case", query)

    def _comments(self, rows: Iterable[Row], fields: Fields, scope: Scope) -> list[CaseComment]:
        comments = (translate.comment(row, self._settings, fields, scope) for row in rows)
        return [comment for comment in comments if comment is not None]

    async def comments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[CaseComment | None]:
        asked = wanted(ids, COMMENT)
        if not scope or not asked:
            return [None for _ in ids]
        shown = columns(selection.comment(self._settings, fields))
        queries = [
            Select("CaseComment", shown, every(ID.one_of(chunk), *_public(scope)))
            for chunk in chunks(asked, scope)
        ]
        rows = await self._client.rows_of("comments_by_id", queries)
        found = {same(comment.id): comment for comment in self._comments(rows, fields, scope)}
        return [found.get(same(one)) if record_id(one) else None for one in ids]


def _public(scope: Scope) -> tuple[Condition, Condition]:
    """What a customer may read of what was said: never the internal notes of the service team."""
    return owned(scope, "Parent.AccountId"), Column("IsPublished").equals(True)
