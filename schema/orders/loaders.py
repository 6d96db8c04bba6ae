"""Answers what belongs to many orders at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connectors.port import records
from connectors.port.fields import NOT_FETCHED, Fields
from connectors.port.pages import Keyset, Page, Slice, slice_sorted
from connectors.port.queries import CaseQuery
from schema.batched import each
from schema.context import Context
from schema.nodes import finds
from schema.pages import After, First, Listing, Order, wanted

#: Positions count as numbers do: 20 comes before 100.
BY_POSITION = Order("position", str, at=lambda line: Keyset(line.position.zfill(10), line.position))
NEWEST_FIRST = Order("created_at", datetime)


@finds("Order")
async def orders_by_id(
    context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[records.Order | None]:
    if not context.scope:
        return [None] * len(ids)
    return await context.sources.orders.orders_by_id(ids, fields, context.scope)


async def lines_of_order(
    parents: Sequence[records.Order],
    context: Context,
    fields: Fields,
    counted: bool,
    first: First = None,
    after: After = None,
) -> Sequence[Listing]:
    """Embedded where the system gave them, else by order."""
    part = wanted(BY_POSITION, first, after)
    missing = [order.id if order.lines is NOT_FETCHED else None for order in parents]

    async def ask(ids: Sequence[str]) -> Sequence[list[records.OrderLine]]:
        return await context.sources.orders.lines_by_order(ids, fields, context.scope)

    found = await each(missing, ask)
    return [
        Listing(
            slice_sorted(
                lines if order.lines is NOT_FETCHED else order.lines,
                part,
                BY_POSITION.keyset,
                with_total=counted,
            ),
            BY_POSITION,
        )
        for order, lines in zip(parents, found, strict=True)
    ]


async def deliveries_of_order(
    parents: Sequence[records.Order], context: Context, fields: Fields
) -> Sequence[Sequence[records.Delivery] | None]:
    missing = [order.id if order.deliveries is NOT_FETCHED else None for order in parents]

    async def ask(ids: Sequence[str]) -> Sequence[list[records.Delivery]]:
        return await context.sources.orders.deliveries_by_order(ids, fields, context.scope)

    found = await each(missing, ask)
    return [
        deliveries if order.deliveries is NOT_FETCHED else order.deliveries
        for order, deliveries in zip(parents, found, strict=True)
    ]


async def invoices_of_order(
    parents: Sequence[records.Order], context: Context, fields: Fields
) -> Sequence[Sequence[records.Invoice] | None]:
    missing = [order.id if order.invoices is NOT_FETCHED else None for order in parents]

    async def ask(ids: Sequence[str]) -> Sequence[list[records.Invoice]]:
        return await context.sources.orders.invoices_by_order(ids, fields, context.scope)

    found = await each(missing, ask)
    return [
        invoices if order.invoices is NOT_FETCHED else order.invoices
        for order, invoices in zip(parents, found, strict=True)
    ]


async def cases_of_order(
    parents: Sequence[records.Order],
    context: Context,
    fields: Fields,
    counted: bool,
    first: First = None,
    after: After = None,
) -> Sequence[Listing]:
    """The cases that name an order, of the order's own account."""
    part = wanted(NEWEST_FIRST, first, after)

    async def ask(numbers: Sequence[str]) -> Sequence[Page[records.Case]]:
        return await context.sources.cases.cases_by_order(
            numbers, fields | {"created_at", "order_number"}, context.scope, part
        )

    pages = await each([order.number for order in parents], ask)
    own = [_of_account(page, order.owner) for order, page in zip(parents, pages, strict=True)]
    if counted:
        counts = [_count(context, order, page) for order, page in zip(parents, own, strict=True)]
        totals = await asyncio.gather(*counts)
        own = [replace(page, total=total) for page, total in zip(own, totals, strict=True)]
    return [Listing(page, NEWEST_FIRST) for page in own]


def _of_account(page: Page[records.Case], owner: records.AccountRef) -> Page[records.Case]:
    items = [case for case in page.items if case.owner == owner]
    return Page(items, page.has_next, page.has_previous)


async def _count(context: Context, order: records.Order, page: Page[records.Case]) -> int | None:
    """How many cases name an order; a page that is the whole list needs no further question."""
    if not page.has_next and not page.has_previous:
        return len(page.items)
    scope = context.scope.narrowed([order.owner.id])
    query = CaseQuery(scope, frozenset(), Slice(1), order_numbers=(order.number,), with_total=True)
    return (await context.sources.cases.find_cases(query)).total
