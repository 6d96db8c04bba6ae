"""Brings what happened to cases into one order: what was said, sent, changed and refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.port import records
from connectors.port.fields import Fields, inside
from connectors.port.pages import Keyset
from schema.cases.service import Rejection
from schema.context import Context
from schema.pages import After, Before, First, Last, Listing, Order, slicing, wanted


@dataclass(frozen=True, slots=True)
class Opening:
    """That a case was opened."""

    id: str
    at: datetime
    contact_id: str | None


Event = Opening | records.CaseStatusChange | records.CaseComment | records.Attachment | Rejection

#: The order among what happened in the same moment: a case is opened before anything is said.
_RANKS: Sequence[type[Event]] = (
    *(Opening, records.CaseStatusChange, records.CaseComment, records.Attachment, Rejection),
)


def _at(event: Event) -> datetime:
    if isinstance(event, records.CaseComment | records.Attachment):
        return event.created_at
    return event.at


def _place(event: Event) -> Keyset:
    return Keyset(_at(event), f"{_RANKS.index(type(event))}-{event.id}")


TIMELINE = Order("at", datetime, at=_place)


async def timeline_of_case(
    parents: Sequence[records.Case],
    context: Context,
    fields: Fields,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Sequence[Listing]:
    """All questions go out in one tick: a CRM that takes several at once is called once."""
    page = slicing(wanted(TIMELINE, first, after, last, before), TIMELINE)
    ids, cases, scope = [case.id for case in parents], context.sources.cases, context.scope
    comments, files, changes, refused = await asyncio.gather(
        cases.comments_by_case(ids, inside(fields, "CaseComment") | {"created_at"}, scope),
        cases.attachments_by_case(ids, inside(fields, "Attachment") | {"created_at"}, scope),
        cases.status_changes_by_case(ids, scope),
        _refused(parents, context),
    )
    return [
        page(_in_order(case, *happened))
        for case, happened in zip(
            parents, zip(comments, files, changes, refused, strict=True), strict=True
        )
    ]


def _in_order(case: records.Case, *groups: Sequence[Any]) -> list[Event]:
    """What happened to a case, each thing once, oldest first."""
    opened = Opening(case.id, case.created_at, case.contact_id)
    events: list[Event] = [opened, *(event for group in groups for event in group)]
    once = {(type(event), event.id): event for event in events}
    return sorted(once.values(), key=lambda event: (_at(event), _place(event).id))


async def _refused(parents: Sequence[records.Case], context: Context) -> list[list[Rejection]]:
    """What the CRM refused late; the scope is looked at here, for nobody stands between."""
    if context.submissions is None:
        return [[] for _ in parents]
    found = await context.submissions.rejections_by_case([case.id for case in parents])
    return [
        [one for one in refused if one.owner in context.scope and one.owner == case.owner]
        for case, refused in zip(parents, found, strict=True)
    ]
