"""Answers what belongs to many orders at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.port import records
from connectors.port.fields import Fields
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import CaseQuery
from connectors.port.scope import Scope
from schema.batched import Answers, afterwards, each, embedded_or_asked, held
from schema.context import Context
from schema.nodes import finds
from schema.pages import After, First, Listing, Order, slicing, wanted

#: Positions count as numbers do: 20 comes before 100.
BY_POSITION = Order("position", str, at=lambda line: Keyset(line.position.zfill(10), line.position))
#: A question of the port about what belongs to orders.
ByOrder = Callable[[Sequence[str], Fields, Scope], Awaitable[Sequence[Any]]]

NEWEST_FIRST = Order("created_at", datetime)


@finds("Order", asks="orders")
async def orders_by_id(
    context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[records.Order | None]:
    return await context.sources.orders.orders_by_id(ids, fields, context.scope)


def lines_of_order(
    parents: Sequence[records.Order],
    context: Context,
    fields: Fields,
    counted: bool,
    first: First = None,
    after: After = None,
) -> Answers:
    page = slicing(wanted(BY_POSITION, first, after), BY_POSITION, counted)

    def pages(lines: Sequence[Any]) -> list[Listing | Exception]:
        return [own if isinstance(own, Exception) else page(own) for own in lines]

    asked = _asked(context.sources.orders.lines_by_order, context, fields)
    return afterwards(embedded_or_asked(parents, "lines", _key, asked), pages)


def _key(order: records.Order) -> str:
    return order.id


def _asked(ask: ByOrder, context: Context, fields: Fields) -> Callable[..., Awaitable[Any]]:
    return lambda ids: ask(ids, fields, context.scope)


deliveries_of_order = held(
    "deliveries",
    _key,
    lambda context, fields: _asked(context.sources.orders.deliveries_by_order, context, fields),
)
invoices_of_order = held(
    "invoices",
    _key,
    lambda context, fields: _asked(context.sources.orders.invoices_by_order, context, fields),
)


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
    return [Listing.of(page, NEWEST_FIRST) for page in own]


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
