"""A CRM in memory that takes cases: a key is used once, and it fails as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.port.errors import SourceError, Unavailable
from connectors.port.fields import Fields
from connectors.port.pages import Keyset, Page, Slice, slice_sorted
from connectors.port.queries import CaseQuery
from connectors.port.records import (
    Attachment,
    Author,
    Case,
    CaseComment,
    CaseStatus,
    CaseStatusChange,
    Content,
    NewCase,
    NewComment,
    NewFile,
    OpenedCase,
)
from connectors.port.scope import Scope
from gateway.submissions.merge import fits


@dataclass(slots=True)
class Crm:
    """A CaseSource and a CaseWriter.

    trouble: raised by each write before it is done. cut: how many writes are done and then fail.
    reads: how many questions were asked. silent: raised by questions for cases by id."""

    clock: Callable[[], datetime]
    cases: dict[str, Case] = field(default_factory=dict)
    comments: list[CaseComment] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    trouble: Callable[[str], SourceError | None] = lambda what: None
    cut: int = 0
    hold: asyncio.Event | None = None
    tries: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    silent: SourceError | None = None
    largest_file: int = 1_000_000
    at_once: int = 0
    most_at_once: int = 0

    async def _begin(self, what: str) -> None:
        self.tries.append(what)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if self.hold is not None:
                await self.hold.wait()
            error = self.trouble(what)
            if error is not None:
                raise error
        finally:
            self.at_once -= 1

    def _end(self) -> None:
        if self.cut > 0:
            self.cut -= 1
            raise Unavailable("crm", "the connection was cut")

    async def open_case(self, key: str, case: NewCase, scope: Scope) -> OpenedCase:
        await self._begin("open")
        assert case.account in scope
        if key not in self.keys:
            count = len(self.cases) + 1
            self.keys[key] = f"500{count:012d}AAA"
            self.cases[self.keys[key]] = Case(
                id=self.keys[key],
                owner=case.account,
                number=f"{count:08d}",
                category=case.category,
                subcategory=case.subcategory,
                subject=case.subject,
                description=case.description,
                status=CaseStatus.NEW,
                details=tuple(case.details),
                created_at=self.clock(),
                updated_at=self.clock(),
                closed_at=None,
                team=case.team,
                contact_id=case.contact_id,
                order_number=case.order_number,
            )
        self._end()
        found = self.cases[self.keys[key]]
        return OpenedCase(found.id, found.number or "")

    async def add_comment(self, key: str, comment: NewComment, scope: Scope) -> str:
        await self._begin("comment")
        case = self.cases[comment.case_id]
        assert case.owner in scope
        if key not in self.keys:
            self.keys[key] = f"00a{len(self.comments) + 1:012d}AAA"
            author = Author("?", is_service_team=False, contact_id=comment.contact_id)
            self.comments.append(
                CaseComment(self.keys[key], case.owner, case.id, comment.body, author, self.clock())
            )
        self._end()
        return self.keys[key]

    async def add_file(self, key: str, file: NewFile, scope: Scope) -> str:
        await self._begin("file")
        case = self.cases[file.case_id]
        assert case.owner in scope
        body = b"".join([chunk async for chunk in file.read()])
        assert len(body) == file.size
        if key not in self.keys:
            self.keys[key] = f"069{len(self.files) + 1:012d}AAA"
            self.contents[self.keys[key]] = body
            self.files.append(
                Attachment(
                    self.keys[key],
                    case.owner,
                    case.id,
                    file.filename,
                    file.content_type,
                    file.size,
                    self.clock(),
                    None,
                )
            )
        self._end()
        return self.keys[key]

    async def close_case(self, case_id: str, scope: Scope) -> bool:
        await self._begin("close")
        case = self.cases.get(case_id)
        if case is None or case.owner not in scope:
            return False
        from dataclasses import replace

        self.cases[case_id] = replace(case, status=CaseStatus.CLOSED, closed_at=self.clock())
        self._end()
        return True

    # ---------------------------------------------------------------------------- reading

    async def find_cases(self, query: CaseQuery) -> Page[Case]:
        self.reads.append("find_cases")
        for mark in (query.part.after, query.part.before):
            assert mark is None or not mark.id.startswith("sub-")

        def key(case: Case) -> Keyset:
            return Keyset(getattr(case, query.sort.value), case.id)

        def place(case: Case) -> Any:
            return (key(case).value, case.id)

        found = sorted(
            (case for case in self.cases.values() if fits(case, query)),
            key=place,
            reverse=query.descending,
        )
        return slice_sorted(
            found, query.part, key, descending=query.descending, with_total=query.with_total
        )

    async def cases_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Case | None]:
        self.reads.append("cases_by_id")
        assert not any(one.startswith("sub-") for one in ids)
        if self.silent is not None:
            raise self.silent
        found = (self.cases.get(one) for one in ids)
        return [case if case is not None and case.owner in scope else None for case in found]

    async def cases_by_order(
        self, order_numbers: Sequence[str], fields: Fields, scope: Scope, part: Slice
    ) -> list[Page[Case]]:
        self.reads.append("cases_by_order")
        return [
            await self.find_cases(CaseQuery(scope, fields, part, order_numbers=(number,)))
            for number in order_numbers
        ]

    async def comments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[CaseComment]]:
        self.reads.append("comments_by_case")
        return [[c for c in self.comments if c.case_id == i and c.owner in scope] for i in case_ids]

    async def attachments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Attachment]]:
        self.reads.append("attachments_by_case")
        return [[f for f in self.files if f.case_id == i and f.owner in scope] for i in case_ids]

    async def comments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[CaseComment | None]:
        self.reads.append("comments_by_id")
        known = {comment.id: comment for comment in self.comments if comment.owner in scope}
        return [known.get(one) for one in ids]

    async def attachments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Attachment | None]:
        self.reads.append("attachments_by_id")
        known = {file.id: file for file in self.files if file.owner in scope}
        return [known.get(one) for one in ids]

    async def status_changes_by_case(
        self, case_ids: Sequence[str], scope: Scope
    ) -> list[list[CaseStatusChange]]:
        self.reads.append("status_changes_by_case")
        return [[] for _ in case_ids]

    async def attachment_content(
        self, attachment_id: str, scope: Scope, first: int = 0
    ) -> Content | None:
        self.reads.append("attachment_content")
        return None
