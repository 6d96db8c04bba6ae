"""The entry points to orders."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from schema.access import ORDERS_READ, Authorized
from schema.cases.filters import narrowed
from schema.context import Context
from schema.errors import InputError
from schema.nodes import key_of
from schema.orders.filters import OrderBy, OrderWhere, ask, order_query
from schema.orders.loaders import orders_by_id
from schema.orders.types import Order
from schema.pages import After, Before, CountedConnection, First, Last
from schema.price import asks
from schema.selection import selected, selects
from schema.texts import N_
from schema.words import code


@strawberry.input(one_of=True, description="Which order: by exactly one of these.")
class OrderLookup:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its global id."
    )
    number: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its number, with or without leading zeros."
    )


@strawberry.type
class OrderQueries:
    @strawberry.field(
        directives=[Authorized(scope=ORDERS_READ)],
        metadata=asks("orders"),
        description="One order of the viewer's accounts. Null when there is none.",
    )
    async def order(
        self,
        info: strawberry.Info,
        by: Annotated[OrderLookup, strawberry.argument(description="Which one.")],
    ) -> Order | None:
        context: Context = info.context
        scope = context.scope
        fields = selected(info)
        found: Any
        if by.id:
            found = await orders_by_id(context, [key_of("by.id", by.id, "Order")], fields)
            return found[0]  # type: ignore[no-any-return]
        number = code("by.number", by.number or None)
        if number is None:
            raise InputError("by", N_("{argument} is empty: give an id or a number."))
        if not scope:
            return None
        found = await context.sources.orders.orders_by_number([number], fields, scope)
        return found[0]  # type: ignore[no-any-return]

    @strawberry.field(
        directives=[Authorized(scope=ORDERS_READ)],
        metadata=asks("orders"),
        description="Orders of the viewer's accounts, newest first unless ordered otherwise.",
    )
    async def orders(
        self,
        info: strawberry.Info,
        filter: OrderWhere = None,  # noqa: A002
        order_by: OrderBy = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> CountedConnection[Order] | None:
        context: Context = info.context
        asked = filter.account_ids if filter else None
        query = order_query(
            narrowed(context, asked, "filter.accountIds"),
            selected(info),
            selects(info, "totalCount"),
            filter,
            order_by,
            first,
            after,
            last,
            before,
        )
        found: Any = await ask(context, query)
        return found  # type: ignore[no-any-return]
