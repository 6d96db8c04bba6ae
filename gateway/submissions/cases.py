"""Cases as the CRM has them, with what is still on its way there: stands between the guard and the
connector, and asks the CRM nothing that the gateway knows better.

While nothing of a caller's accounts waits, and no alias is asked for, it costs nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from connectors.port.errors import Unavailable
from connectors.port.fields import Fields
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import CaseQuery
from connectors.port.records import (
    Attachment,
    Case,
    CaseComment,
    CaseStatus,
    CaseStatusChange,
    Content,
)
from connectors.port.scope import Scope
from connectors.port.sources import CaseSource
from gateway.submissions.ledger import Ledger
from gateway.submissions.merge import OURS, Ordering, bare, fits, merged
from gateway.submissions.pending import Pending
from gateway.submissions.records import Deed, Entry, Part, State, named
from schema.cases.service import Sent

#: What decides whether a case that is being closed meets a question.
_CONDITIONS = frozenset(
    "category subcategory status subject description created_at updated_at number order_number "
    "closed_at".split()
)
_NEWEST_FIRST = Ordering()


R = TypeVar("R", CaseComment, Attachment)


#: The bytes of a file in the gateway's own store, from one on. Raises OSError.
ReadFile = Callable[[str, int], AsyncGenerator[bytes]]


class SubmittedCases:
    """A CaseSource. read: reads files that the CRM does not have yet."""

    def __init__(
        self, source: CaseSource, pending: Pending, ledger: Ledger, read: ReadFile
    ) -> None:
        self._source, self._pending, self._ledger, self._read = source, pending, ledger, read

    # ---------------------------------------------------------------------------- lists

    async def find_cases(self, query: CaseQuery) -> Page[Case]:
        ordering = Ordering(query.sort, query.descending)
        # Taken before the CRM is asked: what it takes meanwhile must not be missed by both.
        closing = self._pending.closing(query.scope)
        held = (_as_closed(e.case(), closing) for e in self._pending.cases(query.scope))
        own = [case for case in held if fits(case, query)]
        asked = _of_the_crm(query)
        part = ordering.upstream(query.part)
        if asked is None:
            page: Page[Case] = Page([], total=0 if query.with_total else None)
        elif closing and query.statuses is not None:
            return await self._with_closing(query, asked, own, set(closing), ordering)
        elif part is None:
            page = await self._beyond_all(asked)
        else:
            page = self._closed(await self._source.find_cases(replace(asked, part=part)), query)
        return merged(page, self._still(own, page), query.part, ordering)

    async def _beyond_all(self, query: CaseQuery) -> Page[Case]:
        """Nothing of the CRM's lies there; how many there are in all, it may have to say."""
        if not query.with_total:
            return Page([])
        page = await self._source.find_cases(replace(query, part=Slice(1)))
        return Page([], total=page.total)

    def _still(self, own: Sequence[Case], page: Page[Case]) -> list[Case]:
        """Without those that the CRM took and lists by now."""
        listed = {case.id for case in page.items}
        kept = []
        for case in own:
            name = named(case.id)
            entry = self._pending.found(name[0], Scope([case.owner])) if name else None
            if entry is None or entry.case_id not in listed:
                kept.append(case)
        return kept

    def _closed(self, page: Page[Case], query: CaseQuery) -> Page[Case]:
        closing = self._pending.closing(query.scope)
        if not closing:
            return page
        return replace(page, items=[_as_closed(case, closing) for case in page.items])

    async def _with_closing(
        self,
        query: CaseQuery,
        asked: CaseQuery,
        own: Sequence[Case],
        closing: set[str],
        ordering: Ordering,
    ) -> Page[Case]:
        """Where statuses are asked for, cases that are being closed count as closed: they are asked
        for by id, and put in their places or left out."""
        wanted = query.fields | _CONDITIONS | {query.sort.value}
        ids = [case_id for case_id in sorted(closing) if named(case_id) is None]
        found = await self._source.cases_by_id(ids, wanted, query.scope) if ids else []
        now = self._pending.closing(query.scope)
        known = [case for case in found if case is not None]
        listed = {case.id for case in known if fits(case, asked)}
        extra = [c for c in (_as_closed(case, now) for case in known) if fits(c, query)]
        part = ordering.upstream(query.part)
        if part is None:
            page = await self._beyond_all(asked)
        else:
            page = await self._without(replace(asked, part=part), listed, ordering)
        if page.total is not None:
            page = replace(page, total=page.total - len(listed))
        return merged(page, [*self._still(own, page), *extra], query.part, ordering)

    async def _without(
        self, query: CaseQuery, left_out: set[str], ordering: Ordering
    ) -> Page[Case]:
        """The CRM's page without some cases, filled up with those that follow."""
        page = await self._source.find_cases(query)
        kept = [case for case in page.items if case.id not in left_out]
        total, last = page.total, page
        backward = query.part.backward
        while len(kept) < query.part.limit and last.items:
            if not (last.has_previous if backward else last.has_next):
                break
            edge = last.items[0] if backward else last.items[-1]
            mark = Keyset(ordering.place(edge)[0], edge.id)
            part = replace(query.part, before=mark) if backward else replace(query.part, after=mark)
            last = await self._source.find_cases(replace(query, part=part, with_total=False))
            more = [case for case in last.items if case.id not in left_out]
            kept = [*more, *kept] if backward else [*kept, *more]
        limit = query.part.limit
        items = kept[-limit:] if backward else kept[:limit]
        rest = len(kept) > limit
        return Page(
            items,
            has_next=query.part.before is not None if backward else rest or last.has_next,
            has_previous=rest or last.has_previous if backward else query.part.after is not None,
            total=total,
        )

    async def cases_by_order(
        self, order_numbers: Sequence[str], fields: Fields, scope: Scope, part: Slice
    ) -> list[Page[Case]]:
        closing = self._pending.closing(scope)
        held = [_as_closed(entry.case(), closing) for entry in self._pending.cases(scope)]
        upstream = _NEWEST_FIRST.upstream(part) or part
        pages = await self._source.cases_by_order(order_numbers, fields, scope, upstream)
        answers = []
        for number, page in zip(order_numbers, pages, strict=True):
            own = [case for case in held if bare(case.order_number) == bare(number)]
            items = [_as_closed(case, closing) for case in page.items]
            still = self._still(own, page)
            answers.append(merged(replace(page, items=items), still, part, _NEWEST_FIRST))
        return answers

    # ---------------------------------------------------------------------------- by id

    async def cases_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Case | None]:
        known = await self._meant(ids, scope)
        found: dict[str, Case] = {}
        upstream = list(dict.fromkeys(filter(None, (_upstream(i, known) for i in ids))))
        if upstream:
            cases = await self._source.cases_by_id(upstream, fields, scope)
            found = {key: c for key, c in zip(upstream, cases, strict=True) if c is not None}
        closing = self._pending.closing(scope)
        answers: list[Case | None] = []
        for given in ids:
            entry = known.get(given)
            if entry is not None and entry.case_id is None:
                answers.append(_as_closed(entry.case(), closing))
                continue
            case = found.get(_upstream(given, known) or "")
            if case is not None:
                case = _as_closed(case, closing)
                case = replace(case, id=given) if entry is not None else case
            answers.append(case)
        return answers

    async def _meant(self, ids: Sequence[str], scope: Scope) -> dict[str, Entry]:
        """What the aliases among ids mean: submissions of cases of the scope."""
        entries = await self._entries(ids, scope)
        return {
            given: entry
            for given, (entry, position) in entries.items()
            if position is None and entry.kind is Sent.CASE
        }

    async def _entries(
        self, ids: Sequence[str], scope: Scope
    ) -> dict[str, tuple[Entry, int | None]]:
        """The submissions that the aliases among ids name."""
        names = {given: name for given in ids if (name := named(given))}
        if not names:
            return {}
        known = {key: self._pending.found(key, scope) for key, _ in names.values()}
        missing = [key for key, entry in known.items() if entry is None]
        asked = await self._ledger.by_id(missing) if missing else {}
        found = {}
        for given, (key, position) in names.items():
            entry = known[key] or asked.get(key)
            if entry is not None and entry.account in scope and not entry.heard:
                found[given] = (entry, position)
        return found

    async def comments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[CaseComment]]:
        ask = self._source.comments_by_case
        return await self._of_cases(ask, case_ids, fields, scope, Deed.COMMENT, Entry.comment)

    async def attachments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Attachment]]:
        ask = self._source.attachments_by_case
        return await self._of_cases(ask, case_ids, fields, scope, Deed.FILE, Entry.attachment)

    async def _of_cases(
        self,
        ask: Callable[[Sequence[str], Fields, Scope], Awaitable[list[list[R]]]],
        case_ids: Sequence[str],
        fields: Fields,
        scope: Scope,
        deed: Deed,
        shown: Callable[[Entry, Part], R],
    ) -> list[list[R]]:
        # Taken before the CRM is asked: what it takes meanwhile must not be missed by both.
        held = self._pending.about(case_ids, scope)
        known = await self._meant(case_ids, scope)
        upstream = list(dict.fromkeys(filter(None, (_upstream(i, known) for i in case_ids))))
        asked = fields | {"created_at"} if held else fields
        rows = await ask(upstream, asked, scope) if upstream else []
        found = dict(zip(upstream, rows, strict=True))
        answers = []
        for given in case_ids:
            case_id = _upstream(given, known)
            own = [shown(*waiting) for waiting in _waiting(held, given, case_id, deed)]
            answers.append(self._together(found.get(case_id or "", []), own, scope))
        return answers

    def _together(self, rows: Sequence[R], own: Sequence[R], scope: Scope) -> list[R]:
        """The CRM's rows and ours, oldest first, without ours that the CRM took meanwhile."""
        listed = {row.id for row in rows}
        still: list[R] = [one for one in own if self._taken_as(one.id, scope) not in listed]
        together = list(rows)
        if still:
            together.extend(still)
            together.sort(key=lambda one: (one.created_at, one.id))
        return together

    def _taken_as(self, given: str, scope: Scope) -> str | None:
        name = named(given)
        entry = self._pending.found(name[0], scope) if name else None
        if name is None or entry is None or name[1] is None or name[1] >= len(entry.parts):
            return None
        return entry.parts[name[1]].crm_id

    async def comments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[CaseComment | None]:
        ask = self._source.comments_by_id
        return await self._by_id(ask, ids, fields, scope, Deed.COMMENT, Entry.comment)

    async def attachments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Attachment | None]:
        ask = self._source.attachments_by_id
        return await self._by_id(ask, ids, fields, scope, Deed.FILE, Entry.attachment)

    async def _by_id(
        self,
        ask: Callable[[Sequence[str], Fields, Scope], Awaitable[list[R | None]]],
        ids: Sequence[str],
        fields: Fields,
        scope: Scope,
        deed: Deed,
        shown: Callable[[Entry, Part], R],
    ) -> list[R | None]:
        parts = await self._parts(ids, scope, deed)
        upstream = _distinct(ids, parts)
        rows = await ask(upstream, fields, scope) if upstream else []
        found = dict(zip(upstream, rows, strict=True))
        answers: list[R | None] = []
        for given in ids:
            mine = parts.get(given)
            row = found.get(_own_id(given, mine) or "")
            if mine is not None and mine[1].state is State.WAITING:
                row = shown(*mine)
            answers.append(replace(row, id=given) if row is not None and mine else row)
        return answers

    async def _parts(
        self, ids: Sequence[str], scope: Scope, deed: Deed
    ) -> dict[str, tuple[Entry, Part]]:
        """What the aliases among ids mean: comments or files."""
        return {
            given: (entry, entry.parts[position])
            for given, (entry, position) in (await self._entries(ids, scope)).items()
            if position is not None
            and position < len(entry.parts)
            and entry.parts[position].deed is deed
        }

    async def status_changes_by_case(
        self, case_ids: Sequence[str], scope: Scope
    ) -> list[list[CaseStatusChange]]:
        known = await self._meant(case_ids, scope)
        upstream = list(dict.fromkeys(filter(None, (_upstream(i, known) for i in case_ids))))
        rows = await self._source.status_changes_by_case(upstream, scope) if upstream else []
        found = dict(zip(upstream, rows, strict=True))
        return [found.get(_upstream(given, known) or "", []) for given in case_ids]

    async def attachment_content(
        self, attachment_id: str, scope: Scope, first: int = 0
    ) -> Content | None:
        parts = await self._parts([attachment_id], scope, Deed.FILE)
        mine = parts.get(attachment_id)
        crm_id = _own_id(attachment_id, mine)
        if crm_id is not None:
            return await self._source.attachment_content(crm_id, scope, first)
        if mine is None or mine[1].file is None or mine[1].state is not State.WAITING:
            return None
        chunks = self._read(mine[1].file.id, first)
        return Content(mine[0].account, mine[1].file.size, _told(chunks), chunks.aclose)


async def _told(chunks: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    """The bytes of a held file. Raises Unavailable where there are no more: it may have reached the
    CRM a moment ago."""
    try:
        async for data in chunks:
            yield data
    except OSError:
        raise Unavailable("files", "a held file cannot be read now", retry_after=1) from None


def _of_the_crm(query: CaseQuery) -> CaseQuery | None:
    """The question without what the CRM cannot know; None if nothing is left of it."""
    if query.statuses is None:
        return query
    statuses = tuple(status for status in query.statuses if status not in OURS)
    return replace(query, statuses=statuses) if statuses else None


def _upstream(given: str, known: dict[str, Entry]) -> str | None:
    """The CRM's id of a case; None while there is none."""
    if named(given) is None:
        return given
    entry = known.get(given)
    return entry.case_id if entry is not None else None


def _own_id(given: str, mine: tuple[Entry, Part] | None) -> str | None:
    if named(given) is None:
        return given
    return mine[1].crm_id if mine is not None else None


def _distinct(ids: Sequence[str], parts: dict[str, tuple[Entry, Part]]) -> list[str]:
    found = (_own_id(given, parts.get(given)) for given in ids)
    return list(dict.fromkeys(key for key in found if key))


def _waiting(
    held: Sequence[Entry], given: str, case_id: str | None, deed: Deed
) -> list[tuple[Entry, Part]]:
    """The parts that wait for one case."""
    return [
        (entry, part)
        for entry in held
        if entry.about in (given, case_id)
        for part in entry.parts
        if part.deed is deed and part.state is State.WAITING
    ]


def _as_closed(case: Case, closing: dict[str, Entry]) -> Case:
    """A case that is being closed reads as closed."""
    entry = closing.get(case.id)
    if entry is None or case.status is CaseStatus.CLOSED:
        return case
    return replace(case, status=CaseStatus.CLOSED, closed_at=entry.created_at)
