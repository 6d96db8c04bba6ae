"""Turns what callers filter orders by into a question of the port, and asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Annotated

import strawberry

from connectors.port import records
from connectors.port.fields import Fields
from connectors.port.queries import OrderQuery, OrderSort
from connectors.port.scope import Scope
from schema.context import Context
from schema.dates import DateRange, days
from schema.errors import InputError
from schema.pages import After, Before, First, Last, Listing, Order, wanted
from schema.scalars import SortDirection
from schema.texts import N_
from schema.words import code, words

ORDERS = {
    OrderSort.ORDERED_ON: Order("ordered_on", date),
    OrderSort.NUMBER: Order("number", str),
}


@strawberry.enum(description="Where an order stands.")
class OrderStatus(Enum):
    DRAFT = strawberry.enum_value("DRAFT", description="Not sent yet.")
    OPEN = strawberry.enum_value("OPEN", description="Received, not confirmed yet.")
    CONFIRMED = strawberry.enum_value("CONFIRMED", description="Confirmed, not on its way yet.")
    IN_DELIVERY = strawberry.enum_value("IN_DELIVERY", description="Part of it is on its way.")
    DELIVERED = strawberry.enum_value("DELIVERED", description="All of it was delivered.")
    INVOICED = strawberry.enum_value("INVOICED", description="All of it was billed.")
    BLOCKED = strawberry.enum_value("BLOCKED", description="Held back: ask customer service.")
    CANCELLED = strawberry.enum_value("CANCELLED", description="Will not be delivered.")


@strawberry.enum(description="What orders can be ordered by.")
class OrderOrderField(Enum):
    ORDERED_ON = strawberry.enum_value("ordered_on", description="The day of the order.")
    NUMBER = strawberry.enum_value("number", description="Its number.")


@strawberry.input(description="Conditions on orders; all that are given must hold.")
class OrderFilter:
    search: str | None = strawberry.field(
        default=None,
        description="Part of the order number or of the customer's reference, as people type.",
    )
    number: str | None = strawberry.field(
        default=None, description="The order number, with or without leading zeros."
    )
    customer_reference: str | None = strawberry.field(
        default=None, description="Part of the customer's own purchase order reference."
    )
    ordered_on: DateRange | None = strawberry.field(
        default=None, description="Ordered between these days."
    )
    statuses: list[OrderStatus] | None = strawberry.field(
        default=None, description="Any of these statuses."
    )
    account_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of these accounts alone."
    )


@strawberry.input(description="How to order orders.")
class OrderOrder:
    field: OrderOrderField = strawberry.field(description="What to order by.")
    direction: SortDirection = strawberry.field(description="Which end comes first.")


OrderWhere = Annotated[
    OrderFilter | None, strawberry.argument(description="Which orders; all if not told.")
]
OrderBy = Annotated[
    OrderOrder | None, strawberry.argument(description="In which order; newest first if not told.")
]


def order_query(
    scope: Scope,
    fields: Fields,
    counted: bool,
    filter: OrderFilter | None,  # noqa: A002
    order_by: OrderOrder | None,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> OrderQuery:
    """The port's question. Raises InputError, which names the argument, before anyone is asked."""
    sort = OrderSort[order_by.field.name] if order_by else OrderSort.ORDERED_ON
    asked = filter or OrderFilter()
    since, until = days("filter.orderedOn", asked.ordered_on)
    return OrderQuery(
        scope=scope,
        fields=fields | {sort.value},
        part=wanted(ORDERS[sort], first, after, last, before),
        search=words("filter.search", asked.search),
        number=code("filter.number", asked.number),
        customer_reference=code("filter.customerReference", asked.customer_reference),
        ordered_from=since,
        ordered_to=until,
        statuses=None
        if asked.statuses is None
        else tuple(records.OrderStatus(status.name) for status in asked.statuses),
        sort=sort,
        descending=order_by is None or order_by.direction is SortDirection.DESC,
        with_total=counted,
    )


async def ask(context: Context, query: OrderQuery) -> Listing:
    """The page of orders that a question asks for."""
    page = await context.sources.orders.find_orders(query)
    return Listing.of(page, ORDERS[query.sort])


async def orders_of_account(
    parents: Sequence[records.Account],
    context: Context,
    fields: Fields,
    counted: bool,
    filter: OrderWhere = None,  # noqa: A002
    order_by: OrderBy = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Sequence[Listing | BaseException]:
    """Each account's own page."""
    if filter and filter.account_ids is not None:
        raise InputError("filter.accountIds", N_("{argument} is told by the account itself here."))

    async def one(parent: records.Account) -> Listing:
        scope = context.scope.narrowed([parent.id])
        query = order_query(scope, fields, counted, filter, order_by, first, after, last, before)
        return await ask(context, query)

    return await asyncio.gather(*map(one, parents), return_exceptions=True)
