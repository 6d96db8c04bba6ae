"""Asks the CRM for cases, what was said on them and the files they carry."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

from connectors.port.fields import Fields
from connectors.port.pages import Page, Slice, cut
from connectors.port.queries import CaseQuery, CaseSort
from connectors.port.records import Attachment, Case, CaseComment
from connectors.port.scope import AccountRef, Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.filters import conditions, owned
from connectors.systems.salesforce.paging import Seek, chunks, matchable, seek, wanted
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.soql import (
    ID,
    Column,
    Condition,
    Count,
    Order,
    Select,
    columns,
    every,
    record_id,
    same,
)

CASE: Final = "500"
COMMENT: Final = "00a"
DOCUMENT: Final = "069"

#: The newest comments of one case that are read.
_COMMENTS: Final = 1000
#: Cases whose comments one query reads, so that all of them fit under what an answer may hold.
_DISCUSSED: Final = 50
#: Rows of one page of an answer: asking for more in one query takes another call.
_PAGE: Final = 2000

_CREATED: Final = Column("CreatedDate")


class Cases:
    """The CRM as a source of cases."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    async def find_cases(self, query: CaseQuery) -> Page[Case]:
        where = conditions(query, self._settings)
        if where is None:
            return Page((), total=0 if query.with_total else None)
        fields = query.fields | {query.sort.value}
        place = self._place(query.part, query.sort, query.descending)
        asked = self._select(fields, [*where, *place.conditions], place.order, place.limit)
        if query.with_total:
            rows, total = await asyncio.gather(
                self._client.rows("find_cases", asked),
                self._client.count("find_cases", Count("Case", every(*where))),
            )
            return cut(self._cases(rows, fields, query.scope), query.part, total)
        rows = await self._client.rows("find_cases", asked)
        return cut(self._cases(rows, fields, query.scope), query.part)

    async def cases_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Case | None]:
        asked = wanted(ids, CASE)
        if not scope or not asked:
            return [None for _ in ids]
        queries = [
            self._select(fields, [ID.one_of(chunk), owned(scope)]) for chunk in chunks(asked, scope)
        ]
        rows = await self._client.rows_of("cases_by_id", queries)
        found = {same(case.id): case for case in self._cases(rows, fields, scope)}
        return [found.get(same(one)) if record_id(one) else None for one in ids]

    async def cases_by_order(
        self, order_numbers: Sequence[str], fields: Fields, scope: Scope, part: Slice
    ) -> list[Page[Case]]:
        asked = matchable(order_numbers)
        column = self._settings.columns.case.order_number
        if not scope or not asked or not column:
            return [Page(()) for _ in order_numbers]
        fields |= {"order_number", "created_at"}
        place = self._place(part, CaseSort.CREATED_AT, descending=True)
        groups = [(group, min(len(group) * place.limit, _PAGE)) for group in chunks(asked, scope)]
        answers = await asyncio.gather(
            *(self._about(group, fields, scope, place, limit) for group, limit in groups)
        )
        found: dict[str, list[Case]] = {}
        short: list[str] = []
        for (group, limit), rows in zip(groups, answers, strict=True):
            cases = self._cases(rows, fields, scope)
            for number in group:
                found[number] = [case for case in cases if case.order_number == number]
                # All rows came, or enough of this number's: otherwise some may have been cut off.
                if len(rows) >= limit and len(found[number]) < place.limit and len(group) > 1:
                    short.append(number)
        again = await asyncio.gather(
            *(self._about([number], fields, scope, place, place.limit) for number in short)
        )
        for number, rows in zip(short, again, strict=True):
            cases = self._cases(rows, fields, scope)
            found[number] = [case for case in cases if case.order_number == number]
        return [cut(found.get(number, [])[: place.limit], part) for number in order_numbers]

    def _about(
        self, numbers: Sequence[str], fields: Fields, scope: Scope, place: Seek, limit: int
    ) -> Coroutine[Any, Any, list[Row]]:
        column = Column(self._settings.columns.case.order_number or "")
        where = [owned(scope), column.one_of(numbers), *place.conditions]
        query = self._select(fields, where, place.order, limit)
        return self._client.rows("cases_by_order", query)

    def _place(self, part: Slice, sort: CaseSort, descending: bool) -> Seek:
        column = Column(selection.sortable(self._settings.columns.case, sort.value))
        times = sort is not CaseSort.NUMBER
        return seek(self._client.source, part, column, descending=descending, times=times)

    def _select(
        self,
        fields: Fields,
        where: Iterable[Condition],
        order: tuple[Order, ...] = (),
        limit: int | None = None,
    ) -> Select:
        shown = columns(selection.case(self._settings.columns, fields))
        return Select("Case", shown, every(*where), order, limit)

    def _cases(self, rows: Iterable[Row], fields: Fields, scope: Scope) -> list[Case]:
        cases = (translate.case(row, self._settings, fields, scope) for row in rows)
        return [case for case in cases if case is not None]

    # ------------------------------------------------------------------------------- comments

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

    # ------------------------------------------------------------------------------- attachments

    async def attachments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Attachment]]:
        asked = wanted(case_ids, CASE)
        if not scope or not asked:
            return [[] for _ in case_ids]
        files = await self._files("attachments_by_case", asked, None, fields, scope)
        found: dict[str, list[Attachment]] = {}
        for file in files:
            found.setdefault(same(file.case_id), []).append(file)
        return [list(found.get(same(one), ())) if record_id(one) else [] for one in case_ids]

    async def attachments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Attachment | None]:
        named = [_named(one) for one in ids]
        keys = [pair for pair in named if pair is not None]
        if not scope or not keys:
            return [None for _ in ids]
        case_ids = wanted((case_id for case_id, _ in keys), CASE)
        documents = wanted((document for _, document in keys), DOCUMENT)
        files = await self._files("attachments_by_id", case_ids, documents, fields, scope)
        found = {_named_alike(file.id): file for file in files}
        return [found.get((same(pair[0]), same(pair[1]))) if pair else None for pair in named]

    async def _files(
        self,
        operation: str,
        case_ids: Sequence[str],
        documents: Sequence[str] | None,
        fields: Fields,
        scope: Scope,
    ) -> list[Attachment]:
        """The files of those cases that the scope holds, oldest first. A link does not know the
        account of what it hangs on, so the cases prove it: asked at the same time."""
        links: list[Select] = []
        proofs: list[Select] = []
        for chunk in chunks(case_ids, scope):
            proof = every(ID.one_of(chunk), owned(scope))
            proofs.append(Select("Case", columns(["Id", "AccountId"]), proof))
            links += self._links(chunk, documents, fields)
        proven, linked = await asyncio.gather(
            self._client.rows_of(operation, proofs), self._client.rows_of(operation, links)
        )
        owners: dict[str, AccountRef] = {}
        for row in proven:
            owner = scope.by_id(row.text("AccountId"))
            if owner is not None:
                owners[row.required("Id")] = owner
        linked.sort(key=_age)
        return [
            translate.attachment(row, self._settings, fields, owners[case_id])
            for row in linked
            if (case_id := row.required("LinkedEntityId")) in owners
        ]

    def _links(
        self, case_ids: Sequence[str], documents: Sequence[str] | None, fields: Fields
    ) -> list[Select]:
        shown = columns(selection.attachment(self._settings, fields))
        where = [Column("LinkedEntityId").one_of(case_ids)]
        if self._settings.visible_files:
            where.append(Column("Visibility").one_of(self._settings.visible_files))
        if documents is None:
            return [Select("ContentDocumentLink", shown, every(*where))]
        document = Column("ContentDocumentId")
        return [
            Select("ContentDocumentLink", shown, every(*where, document.one_of(chunk)))
            for chunk in chunks(documents, Scope())
        ]


def _public(scope: Scope) -> tuple[Condition, Condition]:
    """What a customer may read of what was said: never the internal notes of the service team."""
    return owned(scope, "Parent.AccountId"), Column("IsPublished").equals(True)


def _age(row: Row) -> tuple[object, str]:
    return row.moment("ContentDocument.CreatedDate"), row.required("ContentDocumentId")


def _named(attachment_id: str) -> tuple[str, str] | None:
    """The case and the document that an attachment's id names, None for any other text."""
    case_id, _, document = attachment_id.partition("-")
    if record_id(case_id, CASE) and record_id(document, DOCUMENT):
        return case_id, document
    return None


def _named_alike(attachment_id: str) -> tuple[str, str]:
    case_id, _, document = attachment_id.partition("-")
    return same(case_id), same(document)
