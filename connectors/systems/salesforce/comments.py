"""Asks the CRM for what was said on cases, as far as customers may read it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Final

from connectors.port.fields import Fields, own
from connectors.port.records import Author, CaseComment
from connectors.port.scope import Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.filters import owned
from connectors.systems.salesforce.paging import CASE, COMMENT, chunks, wanted
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings, Writes
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

_NEWEST: Final = (
    Order(Column("CreatedDate"), descending=True),
    Order(ID, descending=True),
)

#: Rows of comments, and of the entries that belong to them.
Both = Awaitable[tuple[list[Row], list[Row]]]


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
        for group, (rows, entries) in zip(groups, answers, strict=True):
            if len(group) > 1 and len(rows) >= _COMMENTS * len(group):
                # One endless discussion may have crowded out the others: ask for each by itself.
                apart = await asyncio.gather(*(self._said([one], fields, scope) for one in group))
                rows = [row for said, _ in apart for row in said]
                entries = [row for _, told in apart for row in told]
            for comment in self._comments(rows, entries, fields, scope):
                found.setdefault(same(comment.case_id), []).append(comment)
        return [
            found.get(same(one), [])[:_COMMENTS][::-1] if record_id(one) else [] for one in case_ids
        ]

    def _said(self, case_ids: Sequence[str], fields: Fields, scope: Scope) -> Both:
        """The newest comments of cases, and who sent those that our own user wrote."""
        limit = _COMMENTS * len(case_ids)
        query = Select(
            "CaseComment",
            columns(selection.comment(self._settings, fields)),
            every(Column("ParentId").one_of(case_ids), *_public(scope)),
            _NEWEST,
            limit,
        )
        entries: list[Select] = []
        writes = self._settings.writes
        if writes and "author" in own(fields):
            of_cases = Column(writes.entry_case).one_of(case_ids)
            entries.append(self._entry(writes, of_cases, scope, limit))
        operation = "comments_by_case"
        # Both are on board before either is waited for.
        said = self._client.rows(operation, query)
        return asyncio.gather(said, self._client.rows_of(operation, entries))

    def _entry(
        self, writes: Writes, which: Condition, scope: Scope, limit: int | None = None
    ) -> Select:
        owner = f"{selection.relationship(writes.entry_case)}AccountId"
        return Select(
            writes.entry,
            columns(selection.entry(self._settings, writes)),
            every(which, owned(scope, owner)),
            _NEWEST if limit else (),
            limit,
        )

    def _comments(
        self, rows: Iterable[Row], entries: Iterable[Row], fields: Fields, scope: Scope
    ) -> list[CaseComment]:
        senders = self._senders(entries)
        comments = (translate.comment(row, self._settings, fields, scope, senders) for row in rows)
        return [comment for comment in comments if comment is not None]

    def _senders(self, entries: Iterable[Row]) -> dict[str, Author]:
        writes = self._settings.writes
        if writes is None:
            return {}
        pairs = (
            (
                row.text(writes.entry_comment),
                translate.sender(row, self._settings, writes.entry_contact),
            )
            for row in entries
        )
        return {same(comment): sender for comment, sender in pairs if comment and sender}

    async def comments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[CaseComment | None]:
        asked = wanted(ids, COMMENT)
        if not scope or not asked:
            return [None for _ in ids]
        shown = columns(selection.comment(self._settings, fields))
        groups = chunks(asked, scope)
        queries = [
            Select("CaseComment", shown, every(ID.one_of(chunk), *_public(scope)))
            for chunk in groups
        ]
        entries: list[Select] = []
        writes = self._settings.writes
        if writes and "author" in own(fields):
            of_ids = (Column(writes.entry_comment).one_of(chunk) for chunk in groups)
            entries = [self._entry(writes, which, scope) for which in of_ids]
        operation = "comments_by_id"
        rows, told = await asyncio.gather(
            self._client.rows_of(operation, queries), self._client.rows_of(operation, entries)
        )
        comments = self._comments(rows, told, fields, scope)
        found = {same(comment.id): comment for comment in comments}
        return [found.get(same(one)) if record_id(one) else None for one in ids]


def _public(scope: Scope) -> tuple[Condition, Condition]:
    """What a customer may read of what was said: never the internal notes of the service team."""
    return owned(scope, "Parent.AccountId"), Column("IsPublished").equals(True)
