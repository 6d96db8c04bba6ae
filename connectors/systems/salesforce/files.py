"""Asks the CRM for the files of cases: what they are, and their bytes as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from connectors.port.fields import Fields
from connectors.port.records import Attachment, Content
from connectors.port.scope import AccountRef, Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.filters import owned
from connectors.systems.salesforce.paging import CASE, DOCUMENT, VERSION, chunks, wanted
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.soql import ID, Column, Select, columns, every, record_id, same

#: What leads to the bytes of a file.
_CONTENT: Final = (
    *("LinkedEntityId", "ContentDocumentId", "ContentDocument.CreatedDate"),
    *("ContentDocument.ContentSize", "ContentDocument.LatestPublishedVersionId"),
)


class Files:
    """The CRM as a source of the files of cases."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

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

    async def attachment_content(
        self, attachment_id: str, scope: Scope, first: int = 0
    ) -> Content | None:
        pair = _named(attachment_id)
        if not scope or pair is None:
            return None
        rows = await self._rows("attachment_content", [pair[0]], [pair[1]], _CONTENT, scope)
        if not rows:
            return None
        row, owner = rows[0]
        size = row.number("ContentDocument.ContentSize")
        if first >= size:
            return Content(owner, size, _nothing(), _let_go)
        version = row.record("ContentDocument.LatestPublishedVersionId", VERSION)
        found = await self._client.file("attachment_content", version, size, first)
        return Content(owner, size, found.chunks(), found.close)

    async def _files(
        self,
        operation: str,
        case_ids: Sequence[str],
        documents: Sequence[str] | None,
        fields: Fields,
        scope: Scope,
    ) -> list[Attachment]:
        shown = selection.attachment(self._settings, fields)
        rows = await self._rows(operation, case_ids, documents, shown, scope)
        return [translate.attachment(row, self._settings, fields, owner) for row, owner in rows]

    async def _rows(
        self,
        operation: str,
        case_ids: Sequence[str],
        documents: Sequence[str] | None,
        shown: Sequence[str],
        scope: Scope,
    ) -> list[tuple[Row, AccountRef]]:
        """The files of those cases that the scope holds, oldest first. A link does not know the
        account of what it hangs on, so the cases prove it: asked at the same time."""
        links: list[Select] = []
        proofs: list[Select] = []
        for chunk in chunks(case_ids, scope):
            proof = every(ID.one_of(chunk), owned(scope))
            proofs.append(Select("Case", columns(["Id", "AccountId"]), proof))
            links += self._links(chunk, documents, shown)
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
            (row, owners[case_id])
            for row in linked
            if (case_id := row.required("LinkedEntityId")) in owners
        ]

    def _links(
        self, case_ids: Sequence[str], documents: Sequence[str] | None, shown: Sequence[str]
    ) -> list[Select]:
        where = [Column("LinkedEntityId").one_of(case_ids)]
        if self._settings.visible_files:
            where.append(Column("Visibility").one_of(self._settings.visible_files))
        if documents is None:
            return [Select("ContentDocumentLink", columns(shown), every(*where))]
        document = Column("ContentDocumentId")
        return [
            Select("ContentDocumentLink", columns(shown), every(*where, document.one_of(chunk)))
            for chunk in chunks(documents, Scope())
        ]


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield  # what makes it an iterator


async def _let_go() -> None:
    """Nothing is held."""


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
