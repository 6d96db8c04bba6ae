"""Answers what belongs to many cases at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.port import records
from connectors.port.fields import Fields
from schema.batched import each, held
from schema.cases.timeline import Opening
from schema.context import Context
from schema.nodes import finds, found
from schema.pages import After, Before, First, Last, Listing, Order, slicing, wanted

OLDEST_FIRST = Order("created_at", datetime)


@finds("Case", asks="cases")
async def cases_by_id(
    context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[records.Case | None]:
    return await context.sources.cases.cases_by_id(ids, fields, context.scope)


@finds("CaseComment", asks="cases")
async def comments_by_id(
    context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[records.CaseComment | None]:
    return await context.sources.cases.comments_by_id(ids, fields, context.scope)


@finds("Attachment", asks="cases")
async def attachments_by_id(
    context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[records.Attachment | None]:
    return await context.sources.cases.attachments_by_id(ids, fields, context.scope)


contact_of_case = held(
    "contact",
    lambda case: case.contact_id,
    lambda context, fields: lambda ids: found("Contact", context, ids, fields),
)


async def contact_of_author(
    parents: Sequence[records.Author | Opening], context: Context, fields: Fields
) -> Sequence[records.Contact | None]:
    return await each(
        [author.contact_id for author in parents],
        lambda ids: found("Contact", context, ids, fields),
    )


async def order_of_case(
    parents: Sequence[records.Case], context: Context, fields: Fields
) -> Sequence[records.Order | None]:
    """The order that a case names, if the ERP has it and it is of the same account."""

    async def ask(numbers: Sequence[str]) -> Sequence[records.Order | None]:
        return await context.sources.orders.orders_by_number(numbers, fields, context.scope)

    orders = await each([case.order_number or None for case in parents], ask)
    return [
        order if not isinstance(order, records.Order) or order.owner == case.owner else None
        for case, order in zip(parents, orders, strict=True)
    ]


async def comments_of_case(
    parents: Sequence[records.Case],
    context: Context,
    fields: Fields,
    counted: bool,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Sequence[Listing]:
    part = wanted(OLDEST_FIRST, first, after, last, before)
    asked = await context.sources.cases.comments_by_case(
        [case.id for case in parents], fields | {"created_at"}, context.scope
    )
    return list(map(slicing(part, OLDEST_FIRST, counted), asked))


async def attachments_of_case(
    parents: Sequence[records.Case],
    context: Context,
    fields: Fields,
    counted: bool,
    first: First = None,
    after: After = None,
) -> Sequence[Listing]:
    part = wanted(OLDEST_FIRST, first, after)
    asked = await context.sources.cases.attachments_by_case(
        [case.id for case in parents], fields | {"created_at"}, context.scope
    )
    return list(map(slicing(part, OLDEST_FIRST, counted), asked))
