"""Reads orders from the bytes of an answer straight into records, by a plan that is made once for
each set of fields. Pure.

A plan takes only whole answers whose rows are as documented. Whatever else comes (a column that is
missing, a number that is none, a further page) is None here, and the answer is then read row by row
as `translate` does: it copes, or says what is wrong. The two read alike; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec

from connectors.kit.odata import answers
from connectors.kit.odata.answers import Answer
from connectors.kit.odata.expressions import Version
from connectors.port.fields import NOT_FETCHED, Fields, inside, own
from connectors.port.making import maker
from connectors.port.records import Order, OrderLine, OrderStatus, Product
from connectors.port.scope import AccountRef
from connectors.systems.sap import columns as c
from connectors.systems.sap.columns import OrderColumns
from connectors.systems.sap.keys import Owners, normal
from connectors.systems.sap.translate import money, unit_price

#: Plans, days, combinations of status letters and products that are kept.
_MOST: Final = 256
_DAYS: Final = 4_096
_LETTERS: Final = 1_000
_PRODUCTS: Final = 4_096
_NOTHING: Final = Decimal(0)
#: Lines per order are few, and in order.
_line, _product, _order = maker(OrderLine), maker(Product), maker(Order)

#: Reads a body, None where it is not as documented.
Read = Callable[[bytes], Answer | None]


class _Unfit(ValueError):
    """The row is not as documented: `translate` has to look at it."""


@lru_cache(_DAYS)
def _day(written: str) -> date | None:
    return answers.day({"": written}, "")


def _text(value: str | None) -> str:
    return value.strip() if value else ""


def _finite(value: Decimal | None) -> Decimal | None:
    if value is not None and not value.is_finite():
        raise _Unfit
    return value


class Plans:
    """The plans of one system."""

    def __init__(self, columns: OrderColumns) -> None:
        def plan(fields: Fields, select: tuple[str, ...]) -> Plan | None:
            wanted, lines = own(fields), own(inside(fields, "lines"))
            # Partners and schedule lines are rare in lists: left to `translate`.
            if "ship_to" in wanted or "delivered_quantity" in lines:
                return None
            return Plan(columns, fields, select)

        self._of = lru_cache(_MOST)(plan)

    def reading(self, fields: Fields, select: tuple[str, ...], owners: Owners) -> Read | None:
        """Reads orders of these fields, of which the columns in `select` were asked for. None
        where there is no plan for them."""
        plan = self._of(fields, select)
        return None if plan is None else lambda body: plan.read(body, owners)


class Plan:
    """How to read the orders of one set of fields."""

    def __init__(self, columns: OrderColumns, fields: Fields, select: tuple[str, ...]) -> None:
        self._columns = columns
        self._wanted, self._of_line = own(fields), own(inside(fields, "lines"))
        self._version = columns.dialect.service.version
        self._gross = columns.settings.prices == "gross"
        self._taxed = columns.sums_tax(fields)
        self._dated = c.ORDERED_ON in select
        self._letters_of = _several(f"s{n}" for n in range(len(columns.statuses.properties)))
        self._letters: dict[tuple[str | None, ...], OrderStatus] = {}
        embedded = {one.navigation: one.select for one in columns.embedded(fields)}
        shape = _envelope(self._version, _rows(columns, select, embedded))
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(shape)

    def read(self, body: bytes, owners: Owners) -> Answer | None:
        """The orders of a whole answer that are the asker's; None when it is not as documented."""
        try:
            whole = self._decoder.decode(body)
            held = whole.d if self._version is Version.V2 else whole
            if held.following is not None:
                return None
            count = None if held.count is None else answers.whole_number(held.count)
            of, order = owners.of, self._order
            made = [
                order(row, owner)
                for row in held.rows
                if (owner := of(_text(row.owner))) is not None
            ]
        except (ValueError, ArithmeticError, RecursionError):
            return None
        return Answer([], count, made=made)

    def _order(self, row: Any, owner: AccountRef) -> Order:
        wanted, currency = self._wanted, _text(row.currency)
        key = normal(_text(row.key))
        net = _finite(row.net)
        tax = self._tax(row) if self._taxed else None
        ordered_on = _day(row.ordered_on) if self._dated and row.ordered_on else None
        if (
            key is None
            or (self._dated and ordered_on is None)
            or (net is None and "total" in wanted)
        ):
            raise _Unfit
        total = NOT_FETCHED
        if net is not None and "total" in wanted:
            total = money(net + (tax or _NOTHING) if self._gross else net, currency)
        asked_for = row.requested_on
        return _order(
            key,
            owner,
            key,
            (_text(row.reference) or None) if "customer_reference" in wanted else NOT_FETCHED,
            self._status(row) if "status" in wanted else NOT_FETCHED,
            ordered_on if self._dated else NOT_FETCHED,
            (_day(asked_for) if asked_for else None)
            if "requested_delivery_on" in wanted
            else NOT_FETCHED,
            NOT_FETCHED,
            (None if net is None else money(net, currency))
            if "subtotal" in wanted
            else NOT_FETCHED,
            None if "freight" in wanted else NOT_FETCHED,
            (None if tax is None else money(tax, currency)) if "tax" in wanted else NOT_FETCHED,
            total,
            self._lines(_items(row)) if "lines" in wanted else NOT_FETCHED,
            NOT_FETCHED,
            NOT_FETCHED,
        )

    def _lines(self, items: Iterable[Any]) -> tuple[OrderLine, ...]:
        """The lines in order of position, as they come mostly. Hundreds in one answer: what a
        function would do of a value is done here."""
        wanted, units = self._of_line, self._columns.settings.units
        product, quantity, unit = "product" in wanted, "quantity" in wanted, "unit" in wanted
        priced, summed = "unit_price" in wanted, "total" in wanted
        lines, ordered, before = [], True, (0, "")
        for item in items:
            position = item.position.strip().lstrip("0") if item.position else ""
            place = (len(position), position)
            ordered, before = ordered and before <= place, place
            currency = item.currency.strip() if item.currency else ""
            amount, net = item.quantity or _NOTHING, item.net
            if not position or not amount.is_finite() or not (net is None or net.is_finite()):
                raise _Unfit
            price: Any = NOT_FETCHED
            if priced:
                price = None if net is None else unit_price(net, amount, currency)
            total: Any = NOT_FETCHED
            if summed:
                total = None if net is None else money(net, currency)
            measure: Any = NOT_FETCHED
            if unit:
                measure = item.unit.strip() if item.unit else ""
                measure = units.get(measure, measure)
            lines.append(
                _line(
                    position,
                    _product_of(item.product, item.text) if product else NOT_FETCHED,
                    amount if quantity else NOT_FETCHED,
                    measure,
                    price,
                    total,
                    NOT_FETCHED,
                )
            )
        if not ordered:
            lines.sort(key=_place)
        return tuple(lines)

    def _tax(self, row: Any) -> Decimal:
        every_item, tax = self._columns.settings.tax_of_rejected_items, _NOTHING
        for item in _items(row):
            amount, rejected = item.tax, item.rejected
            if amount and (every_item or not rejected or not rejected.strip()):
                tax += amount
        return _finite(tax) or _NOTHING

    def _status(self, row: Any) -> OrderStatus:
        statuses = self._columns.statuses
        letters = self._letters_of(row)
        known = self._letters.get(letters)
        if known is None:
            named = zip(statuses.properties, map(_text, letters), strict=True)
            known = statuses.of(dict(named))
            if len(self._letters) < _LETTERS:
                self._letters[letters] = known
        return known


def _several(names: Iterable[str]) -> Callable[[Any], tuple[str | None, ...]]:
    """Reads attributes as a tuple, however many there are."""
    found = tuple(names)
    if len(found) > 1:
        return attrgetter(*found)
    return lambda row: tuple(getattr(row, name) for name in found)


def _place(line: OrderLine) -> tuple[int, str]:
    return len(line.position), line.position


@lru_cache(_PRODUCTS)
def _product_of(code: str | None, text: str | None) -> Product:
    code = _text(code)
    code = (code.lstrip("0") or code) if code.isdigit() else code
    return _product(code, _text(text) or code)


def _items(row: Any) -> list[Any]:
    """The items of an order. A list that the server did not finish has to be read on."""
    if row.more is not None:
        raise _Unfit
    items = row.items
    if isinstance(items, list):
        return items
    if items is None or items.more is not None:
        raise _Unfit
    found: list[Any] = items.results
    return found


# -------------------------------------------------------------------------------------- shapes


def _rows(
    columns: OrderColumns, select: tuple[str, ...], embedded: dict[str, tuple[str, ...]]
) -> Any:
    dialect = columns.dialect
    header = {
        "key": (c.KEY, str),
        "owner": (c.OWNER, str),
        "ordered_on": (c.ORDERED_ON, str),
        "reference": (c.REFERENCE, str),
        "net": (c.NET, Decimal),
        "requested_on": (c.REQUESTED_ON, str),
        "currency": (c.CURRENCY, str),
        **{f"s{n}": (name, str) for n, name in enumerate(columns.statuses.properties)},
    }
    item = {
        "position": (c.POSITION, str),
        "product": (dialect.product, str),
        "text": (c.ITEM_TEXT, str),
        "quantity": (c.QUANTITY, Decimal),
        "unit": (dialect.unit, str),
        "net": (c.ITEM_NET, Decimal),
        "currency": (c.CURRENCY, str),
        "tax": (c.ITEM_TAX, Decimal),
        "rejected": (c.REJECTED, str),
    }
    asked = embedded.get(dialect.items)
    lines: Any = list[_struct(item, asked or ())]  # type: ignore[misc]  # it is made here
    if dialect.service.version is Version.V2:
        more = {"results": ("results", lines, ...), "more": ("__next", Any, None)}
        lines = _named(more)
    return list[  # type: ignore[misc]  # it is made here
        _struct(
            header, select, items=(dialect.items, lines), more=f"{dialect.items}@odata.nextLink"
        )
        if asked is not None
        else _struct(header, select)
    ]


def _struct(
    held: dict[str, tuple[str, Any]],
    select: tuple[str, ...],
    items: tuple[str, Any] | None = None,
    more: str = "",
) -> Any:
    """A row. Columns that were asked for must be there; of all others there is None."""
    shape = {
        name: (column, kind | None, ... if column in select else None)
        for name, (column, kind) in held.items()
    }
    if items is not None:
        shape |= {"items": (*items, ...), "more": (more, Any, None)}
    return _named(shape)


def _named(shape: dict[str, tuple[str, Any, Any]]) -> Any:
    """name: column, type, default (... where there is none). One without a default comes first."""
    held: list[Any] = [(name, kind) for name, (_, kind, default) in shape.items() if default is ...]
    held += [(n, kind, default) for n, (_, kind, default) in shape.items() if default is not ...]
    columns = {name: column for name, (column, _, _) in shape.items()}
    return msgspec.defstruct("Row", held, rename=columns, gc=False)


def _envelope(version: Version, rows: Any) -> Any:
    if version is Version.V4:
        return _named(
            {
                "rows": ("value", rows, ...),
                "count": ("@odata.count", Any, None),
                "following": ("@odata.nextLink", Any, None),
            }
        )
    inner = _named(
        {
            "rows": ("results", rows, ...),
            "count": ("__count", Any, None),
            "following": ("__next", Any, None),
        }
    )
    return _named({"d": ("d", inner, ...)})
