"""Asks the CRM for cases. What was said on them, their files and their history: see the bases."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

from connectors.port.fields import Fields
from connectors.port.pages import Page, Slice, cut
from connectors.port.queries import CaseQuery, CaseSort
from connectors.port.records import Case
from connectors.port.scope import Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.answers import Rows, length
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.comments import Comments
from connectors.systems.salesforce.files import Files
from connectors.systems.salesforce.filters import conditions, owned
from connectors.systems.salesforce.history import History
from connectors.systems.salesforce.paging import CASE, Seek, chunks, matchable, seek, wanted
from connectors.systems.salesforce.plans import Plan, Plans
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.soql import (
    ID,
    Column,
    Condition,
    Count,
    Order,
    Select,
    every,
    record_id,
    same,
)

#: Rows of one page of an answer: asking for more in one query takes another call.
_PAGE: Final = 2000


class Cases(Comments, Files, History):
    """The CRM as a source of cases."""

    def __init__(self, client: Client, settings: Settings) -> None:
        super().__init__(client, settings)
        self._plans = Plans(settings)
        names = settings.columns.case
        self._sorted = {one: Column(selection.sortable(names, one.value)) for one in CaseSort}

    async def find_cases(self, query: CaseQuery) -> Page[Case]:
        where = conditions(query, self._settings)
        if where is None:
            return Page((), total=0 if query.with_total else None)
        plan = self._plans.cases(query.fields | {query.sort.value})
        place = self._place(query.part, query.sort, query.descending)
        asked = self._select(plan, [*where, *place.conditions], place.order, place.limit)
        answer, total = self._client.pages("find_cases", [asked], plan.reading), None
        if query.with_total:
            counted = self._client.count("find_cases", Count("Case", every(*where)))
            pages, total = await asyncio.gather(answer, counted)
        else:
            pages = await answer
        return cut(self._read("find_cases", pages, plan, query.scope), query.part, total)

    async def cases_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Case | None]:
        asked = wanted(ids, CASE)
        if not scope or not asked:
            return [None for _ in ids]
        plan = self._plans.cases(fields)
        queries = [
            self._select(plan, [ID.one_of(chunk), owned(scope)]) for chunk in chunks(asked, scope)
        ]
        pages = await self._client.pages("cases_by_id", queries, plan.reading)
        cases = self._read("cases_by_id", pages, plan, scope)
        found = {same(case.id): case for case in cases}
        return [found.get(same(one)) if record_id(one) else None for one in ids]

    async def cases_by_order(
        self, order_numbers: Sequence[str], fields: Fields, scope: Scope, part: Slice
    ) -> list[Page[Case]]:
        asked = matchable(order_numbers)
        column = self._settings.columns.case.order_number
        if not scope or not asked or not column:
            return [Page(()) for _ in order_numbers]
        plan = self._plans.cases(fields | {"order_number", "created_at"})
        place = self._place(part, CaseSort.CREATED_AT, descending=True)
        groups = [(group, min(len(group) * place.limit, _PAGE)) for group in chunks(asked, scope)]
        answers = await asyncio.gather(
            *(self._about(group, plan, scope, place, limit) for group, limit in groups)
        )
        found: dict[str, list[Case]] = {}
        short: list[str] = []
        for (group, limit), pages in zip(groups, answers, strict=True):
            cases = self._read("cases_by_order", pages, plan, scope)
            full = sum(map(length, pages)) >= limit
            for number in group:
                found[number] = [case for case in cases if case.order_number == number]
                # All rows came, or enough of this number's: otherwise some may have been cut off.
                if full and len(found[number]) < place.limit and len(group) > 1:
                    short.append(number)
        again = await asyncio.gather(
            *(self._about([number], plan, scope, place, place.limit) for number in short)
        )
        for number, pages in zip(short, again, strict=True):
            cases = self._read("cases_by_order", pages, plan, scope)
            found[number] = [case for case in cases if case.order_number == number]
        return [cut(found.get(number, [])[: place.limit], part) for number in order_numbers]

    def _about(
        self, numbers: Sequence[str], plan: Plan, scope: Scope, place: Seek, limit: int
    ) -> Coroutine[Any, Any, list[Rows]]:
        column = Column(self._settings.columns.case.order_number or "")
        where = [owned(scope), column.one_of(numbers), *place.conditions]
        query = self._select(plan, where, place.order, limit)
        return self._client.pages("cases_by_order", [query], plan.reading)

    def _place(self, part: Slice, sort: CaseSort, descending: bool) -> Seek:
        column, times = self._sorted[sort], sort is not CaseSort.NUMBER
        return seek(self._client.source, part, column, descending=descending, times=times)

    def _select(
        self,
        plan: Plan,
        where: Iterable[Condition],
        order: tuple[Order, ...] = (),
        limit: int | None = None,
    ) -> Select:
        return Select("Case", plan.columns, every(*where), order, limit)

    def _read(self, operation: str, pages: Sequence[Rows], plan: Plan, scope: Scope) -> list[Case]:
        found = plan.read(pages, scope)
        if found is None:
            found = self._cases(self._client.read(operation, pages), plan.fields, scope)
        return found

    def _cases(self, rows: Iterable[Row], fields: Fields, scope: Scope) -> list[Case]:
        cases = (translate.case(row, self._settings, fields, scope) for row in rows)
        return [case for case in cases if case is not None]
