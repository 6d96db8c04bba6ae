"""Orders: sales of Tryton with a number and a date, their lines, shipments and invoices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TypeVar

from connectors.kit.batching import in_groups
from connectors.port.errors import Rejected
from connectors.port.fields import Fields
from connectors.port.pages import Page, cut
from connectors.port.queries import OrderQuery, OrderSort
from connectors.port.records import Address, CreditPosition, Delivery, Invoice, Order, OrderLine
from connectors.port.scope import AccountRef, Scope
from connectors.systems.tryton import places, selection, translate
from connectors.systems.tryton.client import Row, Tryton, key_of
from connectors.systems.tryton.domain import (
    AllOf,
    Clause,
    Domain,
    all_of,
    among,
    any_of,
    containing,
    equal,
    present,
)
from connectors.systems.tryton.settings import TrytonSettings
from connectors.systems.tryton.statuses import with_status

_MODEL = "sale.sale"
#: Records of one call by id or number.
BATCH = 100

T = TypeVar("T")


class Orders:
    """An OrderSource over one Tryton."""

    def __init__(self, tryton: Tryton, settings: TrytonSettings) -> None:
        self._tryton = tryton
        self._settings = settings

    async def find_orders(self, query: OrderQuery) -> Page[Order]:
        operation, part = "find_orders", query.part
        if not query.scope.numbers or query.statuses == ():
            return Page([], total=0 if query.with_total else None)
        line = places.Line("number", str, by_length=True)
        if query.sort is OrderSort.ORDERED_ON:
            line = places.Line(self._settings.dated_by, date)
        try:
            bounds = places.bounds(line, query.descending, part)
        except places.NoSuchPlace:
            raise Rejected(self._tryton.source, f"{operation}: no cursor of this list") from None
        domain = self._wanted(query)
        rows, total = await asyncio.gather(
            self._tryton.search(
                operation,
                _MODEL,
                AllOf((*domain.parts, *bounds)),
                selection.order_paths(query.fields, self._settings.dated_by),
                places.ordering(line, query.descending, part),
                part.limit + 1,
            ),
            self._total(domain, query.with_total),
        )
        page = cut(rows, part, total)
        found = self._orders(operation, page.items, query.fields, query.scope)
        return Page([order for _, order in found], page.has_next, page.has_previous, total)

    async def orders_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        operation = "orders_by_id"
        rows = await self._by_id(operation, ids, self._order_paths(fields), scope)
        found = {order.id: order for _, order in self._orders(operation, rows, fields, scope)}
        return [found.get(key) for key in ids]

    async def orders_by_number(
        self, numbers: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        operation = "orders_by_number"
        spellings = {number: self._spellings(number) for number in numbers}
        asked = dict.fromkeys(one for group in spellings.values() for one in group)
        rows = await self._among(operation, "number", asked, self._order_paths(fields), scope)
        found: dict[str, Order] = {}
        orders = self._orders(operation, rows, fields, scope)
        with self._tryton.reading(operation):
            for row, order in orders:
                found.setdefault(row["number"], order)
        return [
            next((found[one] for one in spellings[number] if one in found), None)
            for number in numbers
        ]

    async def lines_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[OrderLine]]:
        paths = selection.line_paths(fields)
        return await self._parts(
            "lines_by_order", order_ids, paths, scope, lambda sale: translate.lines(sale, fields)
        )

    async def deliveries_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Delivery]]:
        paths = selection.delivery_paths(fields)

        def read(sale: Row) -> list[Delivery]:
            return translate.deliveries(sale, fields, self._settings)

        return await self._parts("deliveries_by_order", order_ids, paths, scope, read)

    async def invoices_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Invoice]]:
        paths = selection.invoice_paths(fields)

        def read(sale: Row) -> list[Invoice]:
            return translate.invoices(sale, fields)

        return await self._parts("invoices_by_order", order_ids, paths, scope, read)

    async def credit_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[CreditPosition | None]:
        # Without the module account_credit_limit, which few have, Tryton keeps none.
        return [None] * len(accounts)

    async def shipping_addresses_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[list[Address] | None]:
        operation = "shipping_addresses_by_account"
        paths = selection.under("addresses", (*selection.ADDRESS, "delivery"))
        numbers = scope.narrowed(account.id for account in accounts).numbers
        found: dict[AccountRef, list[Address]] = {}
        for group in in_groups(numbers, BATCH):
            domain = among("code", group)
            rows = await self._tryton.search(operation, "party.party", domain, {"code", *paths})
            with self._tryton.reading(operation):
                for row in rows:
                    owner = scope.by_number(row["code"])
                    if owner is not None:
                        found[owner] = translate.delivery_addresses(row)
        return [found.get(account) for account in accounts]

    def _visible(self, scope: Scope) -> list[Domain]:
        """What every question about sales asks: of this scope, and an order by now. Tryton gives
        a sale its number and dates on the way; before, it is a seller's draft."""
        found: list[Domain] = [among(selection.ORDER_OWNER, scope.numbers)]
        if self._settings.company is not None:
            found.append(equal("company", self._settings.company))
        return [*found, present("number"), present(self._settings.dated_by)]

    def _wanted(self, query: OrderQuery) -> AllOf:
        found: list[Domain | None] = [*self._visible(query.scope)]
        if query.search is not None:
            inside = containing("number", query.search), containing("reference", query.search)
            found.append(any_of(*inside))
        if query.number is not None:
            found.append(among("number", self._spellings(query.number)))
        if query.customer_reference is not None:
            found.append(containing("reference", query.customer_reference))
        if query.ordered_from is not None:
            found.append(Clause(self._settings.dated_by, ">=", query.ordered_from))
        if query.ordered_to is not None:
            found.append(Clause(self._settings.dated_by, "<=", query.ordered_to))
        if query.statuses is not None:
            found.append(with_status(query.statuses, self._settings.statuses))
        return all_of(found)

    async def _total(self, domain: Domain, wanted: bool) -> int | None:
        return await self._tryton.count("count_orders", _MODEL, domain) if wanted else None

    def _order_paths(self, fields: Fields) -> set[str]:
        return selection.order_paths(fields, self._settings.dated_by)

    def _spellings(self, number: str) -> list[str]:
        """A number as it may be stored, likeliest first."""
        short = number.lstrip("0") or number
        return list(dict.fromkeys((number, short, short.zfill(self._settings.number_digits))))

    def _orders(
        self, operation: str, rows: Sequence[Row], fields: Fields, scope: Scope
    ) -> list[tuple[Row, Order]]:
        """Without rows that are not of the scope."""
        found = []
        with self._tryton.reading(operation):
            for row in rows:
                owner = scope.by_number(row["party"]["code"])
                if owner is not None:
                    found.append((row, translate.order(row, owner, fields, self._settings)))
        return found

    async def _parts(
        self,
        operation: str,
        order_ids: Sequence[str],
        paths: set[str],
        scope: Scope,
        read: Callable[[Row], list[T]],
    ) -> list[list[T]]:
        """What belongs to each order."""
        rows = await self._by_id(operation, order_ids, {selection.ORDER_OWNER, *paths}, scope)
        with self._tryton.reading(operation):
            found = {
                str(row["id"]): read(row)
                for row in rows
                if scope.by_number(row["party"]["code"]) is not None
            }
        return [list(found.get(key, ())) for key in order_ids]

    async def _by_id(
        self, operation: str, ids: Sequence[str], paths: set[str], scope: Scope
    ) -> list[Row]:
        keys = [key for key in map(key_of, dict.fromkeys(ids)) if key is not None]
        return await self._among(operation, "id", keys, paths, scope)

    async def _among(
        self,
        operation: str,
        name: str,
        values: Iterable[str | int],
        paths: set[str],
        scope: Scope,
    ) -> list[Row]:
        """The sales of the scope whose field has any of these values."""
        if not scope.numbers:
            return []

        async def ask(group: Sequence[str | int]) -> list[Row]:
            domain = all_of([among(name, group), *self._visible(scope)])
            return await self._tryton.search(operation, _MODEL, domain, {name, *paths})

        answers = await asyncio.gather(*map(ask, in_groups(values, BATCH)))
        return [row for rows in answers for row in rows]
