"""Answers what the port asks of orders: which questions it takes, and whose each row is.

Every question for orders names the customers of the scope, and every row is checked against it
again on the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from connectors.kit.odata.answers import Answer, Row, text
from connectors.kit.odata.expressions import Expression, every
from connectors.kit.odata.queries import By, Query
from connectors.port.errors import Unreadable
from connectors.port.fields import Fields, nested, own
from connectors.port.pages import Page, cut
from connectors.port.queries import OrderQuery, OrderSort
from connectors.port.records import (
    Address,
    CreditPosition,
    Delivery,
    Invoice,
    Order,
    OrderLine,
)
from connectors.port.scope import AccountRef, Scope
from connectors.systems.sap import columns as c
from connectors.systems.sap import dialects, filters
from connectors.systems.sap.client import Build, Exists, SapClient, both
from connectors.systems.sap.columns import OrderColumns
from connectors.systems.sap.documents import Documents
from connectors.systems.sap.keys import Owners, normal, normal_all
from connectors.systems.sap.parties import Parties
from connectors.systems.sap.plans import Plans
from connectors.systems.sap.settings import Settings
from connectors.systems.sap.statuses import Known, StatusMap, all_of
from connectors.systems.sap.translate import OrderWords

#: Sets of fields whose columns are kept.
_MOST: Final = 512


class SapOrders:
    """An OrderSource over an SAP."""

    def __init__(
        self, client: SapClient, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._settings = settings
        self._dialect = dialects.of(settings)
        self._statuses = StatusMap.of_settings(settings, self._dialect.local)
        self._columns = OrderColumns(self._dialect, settings, self._statuses)
        self._required = self._columns.required()
        self._wanting = lru_cache(_MOST)(self._query)
        self._plans = Plans(self._columns)
        self._documents = Documents(client, settings)
        self._parties = Parties(client, settings, clock)

    async def find_orders(self, query: OrderQuery) -> Page[Order]:
        owners, part = Owners(query.scope), query.part
        marks = (part.after, part.before)
        if not owners.numbers or not all(filters.well_formed(m, query.sort) for m in marks):
            return Page((), total=0 if query.with_total else None)
        # A count that comes with the page leaves out what lies before it, so only the first
        # page's is the whole list's.
        first = marks == (None, None)
        asked = self._list(query, owners, counted=query.with_total and first)
        operation, service = "find_orders", self._dialect.service
        required = self._required
        read = self._plans.reading(query.fields, self._of_list(query).select, owners)
        rows = self._client.ask(operation, service, asked, required, read)
        total: int | None
        if query.with_total and not first:
            whole = self._list(query, owners, counted=False, paged=False)
            count = self._client.count(operation + ".count", service, whole, required)
            found, total = await both(rows, count)
        else:
            found = await rows
            total = sum(answer.count or 0 for answer in found) if query.with_total else None
        orders = await self._orders(operation, found, query.fields, owners)
        if len(found) > 1:
            falling = query.descending != part.backward
            orders.sort(key=lambda order: _place(order, query.sort), reverse=falling)
        return cut(orders[: part.limit + 1], part, total)

    async def orders_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        return await self._by_key("orders_by_id", ids, fields, scope)

    async def orders_by_number(
        self, numbers: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        stripped = [number.strip() for number in numbers]
        return await self._by_key("orders_by_number", stripped, fields, scope)

    async def lines_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[OrderLine]]:
        wanted = nested("lines", fields) | {"lines"}
        orders = await self._by_key("lines_by_order", order_ids, wanted, scope)
        return [list(order.lines) if order else [] for order in orders]

    async def deliveries_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Delivery]]:
        return await self._documents.deliveries_by_order(order_ids, fields, scope)

    async def invoices_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Invoice]]:
        return await self._documents.invoices_by_order(order_ids, fields, scope)

    async def credit_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[CreditPosition | None]:
        return await self._parties.credit_by_account(accounts, scope)

    async def shipping_addresses_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[list[Address] | None]:
        return await self._parties.shipping_addresses_by_account(accounts, scope)

    # ------------------------------------------------------------------------------ questions

    def _list(
        self, query: OrderQuery, owners: Owners, *, counted: bool, paged: bool = True
    ) -> Build:
        wanted, top = self._of_list(query), query.part.limit + 1

        def build(exists: Exists) -> list[Query]:
            condition = all_of([self._wanted(query, exists), self._page(query) if paged else True])
            if condition is False:
                return []

            def make(of_owners: Expression) -> Query:
                terms = [of_owners] if condition is True else [of_owners, condition]
                return replace(wanted, filter=every(terms), top=top, count=counted)

            return self._questions(make, owners, ())

        return build

    def _of_list(self, query: OrderQuery) -> Query:
        falling = query.descending != query.part.backward
        return self._wanting(query.fields, filters.order_by(query.sort, falling=falling))

    def _query(self, fields: Fields, by: tuple[By, ...]) -> Query:
        """What is asked of orders, whichever they are."""
        header = self._columns.header(fields, (column.path for column in by))
        return Query(self._dialect.orders, header, self._columns.embedded(fields), order=by)

    def _wanted(self, query: OrderQuery, exists: Exists) -> Known:
        def has(name: str) -> bool:
            return exists(self._dialect.orders, name)

        return filters.wanted(query, self._settings, self._statuses, has)

    def _page(self, query: OrderQuery) -> Known:
        padded, part = self._settings.padded_keys, query.part
        fall = query.descending
        after = filters.beyond(part.after, query.sort, falling=fall, padded=padded)
        before = filters.beyond(part.before, query.sort, falling=not fall, padded=padded)
        return all_of([after, before])

    async def _by_key(
        self, operation: str, asked: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        owners, keys = Owners(scope), normal_all(asked)
        if not owners.numbers or not keys:
            return [None] * len(asked)
        wanted = self._wanting(fields, ())

        def make(condition: Expression) -> Query:
            return replace(wanted, filter=condition)

        queries = self._questions(make, owners, keys)
        found = await self._client.ask(
            operation,
            self._dialect.service,
            lambda _: queries,
            self._required,
            self._plans.reading(fields, wanted.select, owners),
        )
        orders = {o.id: o for o in await self._orders(operation, found, fields, owners)}
        return [orders.get(normal(key) or "") for key in asked]

    def _questions(
        self, make: Callable[[Expression], Query], owners: Owners, keys: Sequence[str]
    ) -> list[Query]:
        padded = self._settings.padded_keys
        return list(
            filters.questions(
                make,
                filters.one_of(c.OWNER, owners.numbers, padded=padded),
                filters.one_of(c.KEY, keys, padded=padded),
                version=self._dialect.service.version,
                room=self._client.room(self._dialect.service),
                limit=self._settings.keys_per_question,
            )
        )

    # -------------------------------------------------------------------------------- answers

    async def _orders(
        self, operation: str, found: Sequence[Answer], fields: Fields, owners: Owners
    ) -> list[Order]:
        """The orders of the answers that are the asker's, in order, with all that was wanted."""
        if all(answer.made is not None for answer in found):
            return [order for answer in found for order in answer.made or ()]
        held: list[tuple[Row, AccountRef]] = []
        try:
            for row in (row for answer in found for row in answer.rows):
                owner = owners.of(text(row, c.OWNER))
                if owner is not None:
                    held.append((row, owner))
            words = OrderWords(self._columns, fields, {})
            if "ship_to" in own(fields):
                customers = [words.ship_to_customer(row) for row, _ in held]
                addresses = await self._ship_to(operation, customers)
                words = replace(words, addresses=addresses)
            return [words.order(row, owner) for row, owner in held]
        except ValueError as error:
            raise Unreadable(self._client.source, f"{operation}: {error}") from None

    async def _ship_to(self, operation: str, customers: Sequence[str | None]) -> dict[str, Address]:
        """The first address in force of each ship-to customer: one call, none if there is none."""
        wanted = normal_all(filter(None, customers))
        if not wanted:
            return {}
        found = await self._parties.addresses(f"{operation}.ship_to", wanted)
        return {customer: held[0] for customer, held in found.items() if held}


def _place(order: Order, sort: OrderSort) -> tuple[object, str]:
    """Where an order stands in a list: a number is compared as SAP keeps it, with its zeros."""
    number = order.id.rjust(10, "0")
    return (number if sort is OrderSort.NUMBER else order.ordered_on, number)
