"""Picks orders of the sandbox's ERP that Tryton is given as well, so that both can be compared."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx

import sandbox.app
import sandbox.data
from connectors.catalog import start
from connectors.kit.connector import Wiring
from connectors.port.pages import Slice
from connectors.port.queries import OrderQuery
from connectors.port.records import AccountRef, Order, OrderLine, OrderStatus
from connectors.port.scope import Scope
from sandbox.faults import Faults
from tests.live.portal import embedded_default
from tests.live.tryton.documents import ANDINA, PACIFICO, Document, Line, Outcome, Product

#: How far Tryton takes an order that has this status in the sandbox.
_OUTCOMES = {
    OrderStatus.OPEN: Outcome.QUOTATION,
    OrderStatus.CONFIRMED: Outcome.CONFIRMED,
    OrderStatus.CANCELLED: Outcome.CANCELLED,
    OrderStatus.IN_DELIVERY: Outcome.PARTIAL,
    OrderStatus.DELIVERED: Outcome.SENT,
    OrderStatus.INVOICED: Outcome.INVOICED,
    OrderStatus.BLOCKED: Outcome.BLOCKED,
}
#: Of whom which statuses: of one customer each, of another those that take Tryton no time.
_WANTED = {ANDINA: tuple(_OUTCOMES), PACIFICO: tuple(_OUTCOMES)[:3]}
_FIELDS = frozenset(
    "number customer_reference status ordered_on lines.product lines.quantity lines.unit "
    "lines.total".split()
)
#: Tryton keeps prices to this.
_SMALLEST_PRICE = Decimal("0.0001")
_MOST_LINES = 3
_LOOKED_AT = 60


async def pick(folder: Path) -> list[Document]:
    """Orders of two customers, out of the data that the sandbox makes today. folder: for it."""
    path, now = folder / "sandbox.sqlite", datetime.now(UTC)
    sandbox.data.build(path, now.date())
    app = sandbox.app.create(path, Faults(), now)
    settings = embedded_default()
    table = {**settings["systems"][settings["sources"]["orders"]], "url": "http://sandbox.test"}
    erp = await start("erp", table, Wiring(transport=httpx.ASGITransport(app)))
    assert erp.orders is not None
    try:
        found = []
        for number, statuses in _WANTED.items():
            for status in statuses:
                scope = Scope([AccountRef(number, number)])
                query = OrderQuery(scope, _FIELDS, Slice(_LOOKED_AT), statuses=(status,))
                orders = (await erp.orders.find_orders(query)).items
                chosen = next(order for order in orders if _fits(order))
                found.append(_document(chosen, number, _OUTCOMES[status]))
        return found
    finally:
        await erp.close()


def _price(line: OrderLine) -> Decimal:
    assert line.total is not None
    return line.total.amount / line.quantity


def _fits(order: Order) -> bool:
    """Whether Tryton can hold it: with prices that come out even, and without much to do."""
    prices = [_price(line) for line in order.lines]
    return 1 <= len(prices) <= _MOST_LINES and all(
        price > 0 and price == price.quantize(_SMALLEST_PRICE) for price in prices
    )


def _document(order: Order, customer: str, outcome: Outcome) -> Document:
    lines = []
    for line in order.lines:
        price = _price(line).quantize(_SMALLEST_PRICE)
        product = Product(line.product.code, line.product.name, line.unit, price)
        lines.append(Line(int(line.position), product, line.quantity, price))
    reference = order.customer_reference
    return Document(order.number, customer, reference, order.ordered_on, outcome, tuple(lines))
