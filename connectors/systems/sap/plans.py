"""Reads orders from the bytes of an answer straight into records, by a plan that is made once for
each set of fields. Pure.

A plan takes only whole answers whose rows are as documented. Whatever else comes (a column that is
missing, a number that is none, a further page) is None here, and the answer is then read row by row
as `translate` does: it copes, or says what is wrong. The two read alike; a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from connectors.kit.generated import Code
from connectors.kit.memo import Memo
from connectors.kit.odata import answers
from connectors.kit.odata.answers import Answer
from connectors.kit.odata.expressions import Version
from connectors.port.fields import Fields, inside, own
from connectors.port.making import maker
from connectors.port.records import Money, Order, OrderLine, OrderStatus, Product
from connectors.systems.sap import columns as c
from connectors.systems.sap import shapes
from connectors.systems.sap.columns import OrderColumns
from connectors.systems.sap.keys import Owners, normal
from connectors.systems.sap.translate import DIVIDE, QUANTIZE, money, rounding

#: Plans that are kept, and how many of the values that come again and again.
_MOST: Final = 256
_MANY: Final = 4_096
#: No product of a longer code and name is kept.
_LONGEST: Final = 200
_NOTHING: Final = Decimal(0)
_product = maker(Product)

#: Reads a body, None where it is not as documented.
Read = Callable[[bytes], Answer | None]


class _Unfit(ValueError):
    """The row is not as documented: `translate` has to look at it."""


class Plans:
    """The plans of one system."""

    def __init__(self, columns: OrderColumns) -> None:
        writer, readable = _Writer(columns), shapes.readable(columns)

        def plan(fields: Fields, select: tuple[str, ...]) -> Plan | None:
            wanted, lines = own(fields), own(inside(fields, "lines"))
            # Partners and schedule lines are rare in lists: left to `translate`.
            if not readable or "ship_to" in wanted or "delivered_quantity" in lines:
                return None
            return Plan(columns, writer, fields, select)

        self._of = lru_cache(_MOST)(plan)

    def reading(self, fields: Fields, select: tuple[str, ...], owners: Owners) -> Read | None:
        """Reads orders of these fields, of which the columns in `select` were asked for. None
        where there is no plan for them."""
        plan = self._of(fields, select)
        return None if plan is None else lambda body: plan.read(body, owners)


class Plan:
    """How to read the orders of one set of fields."""

    def __init__(
        self, columns: OrderColumns, writer: _Writer, fields: Fields, select: tuple[str, ...]
    ) -> None:
        self._v2 = columns.dialect.service.version is Version.V2
        shape = shapes.whole(columns, fields, select)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(shape)
        self._orders = writer.orders(fields, dated=c.ORDERED_ON in select)

    def read(self, body: bytes, owners: Owners) -> Answer | None:
        """The orders of a whole answer that are the asker's; None when it is not as documented."""
        try:
            whole = self._decoder.decode(body)
            held = whole.d if self._v2 else whole
            count = None if held.count is None else answers.whole_number(held.count)
            made = self._orders(held.rows, owners.of)
        except (ValueError, ArithmeticError, RecursionError):  # msgspec's errors are ValueErrors
            return None
        return Answer([], count, made=made)


# -------------------------------------------------------------------------------------- values


def _text(value: str | None) -> str:
    return value.strip() if value else ""


def _number(key: str | None) -> str:
    shown = normal(_text(key))
    if shown is None:
        raise _Unfit
    return shown


def _day(written: str | None) -> date | None:
    return answers.day({"": written}, "")


def _dated(written: str | None) -> date:
    day = _day(written)
    if day is None:
        raise _Unfit
    return day


def _quantity(written: str | None) -> Decimal:
    return answers.number({"": written}, "") or _NOTHING


def _position(written: str | None) -> tuple[int, str]:
    """Where a line stands, and how that is shown."""
    shown = _text(written).lstrip("0")
    if not (shown.isdigit() and shown.isascii()):
        raise _Unfit
    return int(shown), shown


def _rounding(currency: str | None) -> tuple[Decimal, Decimal, str]:
    return rounding(_text(currency))


class _Products(dict[str | None, tuple[msgspec.Raw | None, Product | None]]):
    """The product that a code stood for last, with its text as it was written: a code has mostly
    one, which need not be decoded each time."""

    _text: Final = msgspec.json.Decoder(str | None).decode

    def __missing__(self, code: str | None) -> tuple[None, None]:
        return None, None

    def made(self, code: str | None, written: msgspec.Raw) -> Product:
        """The product of a code beside another text. Raises ValueError where that is no text."""
        name, shown = _text(self._text(written)), _text(code)
        shown = (shown.lstrip("0") or shown) if shown.isdigit() else shown
        product = _product(shown, name or shown)
        if len(shown) + len(name) <= _LONGEST:
            if len(self) >= _MANY:
                self.clear()
            # A copy: what was decoded holds the whole answer.
            self[code] = written.copy(), product
        return product


#: A key that is shown as it is written.
_plain = re.compile(r"[1-9][0-9]{0,9}", re.ASCII).fullmatch
_days, _dates = Memo(_day, _MANY), Memo(_dated, _MANY)
_quantities, _positions = Memo(_quantity, _MANY), Memo(_position, _MANY)
_currencies = Memo(_rounding, _MOST)
_products = _Products()


def _place(line: OrderLine) -> int:
    return int(line.position)


# ------------------------------------------------------------------------------------- records


class _Writer:
    """Writes functions from the rows of an answer, and whose they are, to orders."""

    def __init__(self, columns: OrderColumns) -> None:
        self._columns = columns
        units, statuses = columns.settings.units, columns.statuses

        def unit(written: str | None) -> str:
            return units.get(_text(written), _text(written))

        def status(letters: tuple[str | None, ...]) -> OrderStatus:
            return statuses.of(dict(zip(statuses.properties, map(_text, letters), strict=True)))

        self._units, self._statuses = Memo(unit, _MOST), Memo(status, _MANY)

    def orders(self, fields: Fields, *, dated: bool) -> Callable[..., list[Order]]:
        """Takes rows and `Owners.of`. dated: whether the day of each order was asked for."""
        code = Code("rows", "of")
        code.line("found, whose, owner = [], None, None")
        with code.block("for row in rows:"):
            with code.block("if row.owner != whose:"):
                code.line("whose = row.owner")
                code.line(f"owner = of({code.bound(_text)}(whose))")
            with code.block("if owner is None:"):
                code.line("continue")
            order = code.record(Order, self._order(code, fields, dated))
            code.line(f"found.append({order})")
        code.line("return found")
        return code.function()

    def _order(self, code: Code, fields: Fields, dated: bool) -> dict[str, str]:
        """What each attribute of an order is: only those that are wanted."""
        wanted = own(fields)
        plain, number = code.bound(_plain), code.bound(_number)
        key = code.local(f"row.key if {plain}(row.key or '') else {number}(row.key)")
        values = {"id": key, "owner": "owner", "number": key}
        if dated:
            values["ordered_on"] = f"{code.bound(_dates)}[row.ordered_on]"
        if "requested_delivery_on" in wanted:
            values["requested_delivery_on"] = f"{code.bound(_days)}[row.requested_on]"
        if "customer_reference" in wanted:
            values["customer_reference"] = "(row.reference or '').strip() or None"
        if "freight" in wanted:
            values["freight"] = "None"
        if "status" in wanted:
            letters = "".join(f"row.{name}, " for name in shapes.letters(self._columns))
            values["status"] = f"{code.bound(self._statuses)}[({letters})]"
        if "lines" in wanted or self._columns.sums_tax(fields):
            self._items(code, fields)
        if "lines" in wanted:
            values["lines"] = "tuple(lines)"
        return values | self._amounts(code, fields)

    def _amounts(self, code: Code, fields: Fields) -> dict[str, str]:
        wanted, values = own(fields), {}
        made = f"{code.bound(money)}({{}}, {code.bound(_text)}(row.currency))"
        if "tax" in wanted:
            values["tax"] = made.format("tax")
        if wanted.isdisjoint({"subtotal", "total"}):
            return values
        net = code.local("row.net")
        # Only a total cannot do without it.
        bad = f"{net} is None or not" if "total" in wanted else f"{net} is not None and not"
        self._finite(code, net, bad)
        if "subtotal" in wanted:
            values["subtotal"] = f"None if {net} is None else {made.format(net)}"
        if "total" in wanted:
            taxed = self._columns.settings.prices == "gross"
            tax = f" + (tax or {code.bound(_NOTHING)})" if taxed else ""
            values["total"] = made.format(net + tax)
        return values

    def _items(self, code: Code, fields: Fields) -> None:
        """Leaves an order's `lines` in order of position, as they come mostly, and its `tax`: what
        of both is wanted."""
        lines, taxed = "lines" in own(fields), self._columns.sums_tax(fields)
        if lines:
            code.line("lines, before, ordered = [], 0, True")
        if taxed:
            code.line(f"tax = {code.bound(_NOTHING)}")
        v2 = self._columns.dialect.service.version is Version.V2
        with code.block(f"for item in row.items{'.rows' if v2 else ''}:"):
            if taxed:
                self._add_tax(code)
            if lines:
                self._line(code, own(inside(fields, "lines")))
        if taxed:
            self._finite(code, "tax")
        if lines:
            with code.block("if not ordered:"):
                code.line(f"lines.sort(key={code.bound(_place)})")

    def _add_tax(self, code: Code) -> None:
        # What is no number makes the sum none, and is found there.
        every = self._columns.settings.tax_of_rejected_items
        counts = "" if every else " and not (item.rejected and item.rejected.strip())"
        with code.block(f"if item.tax{counts}:"):
            code.line("tax += item.tax")

    def _line(self, code: Code, wanted: Fields) -> None:
        code.line(f"place, position = {code.bound(_positions)}[item.position]")
        with code.block("if place < before:"):
            code.line("ordered = False")
        code.line("before = place")
        values = {"position": "position"}
        if "product" in wanted:
            values["product"] = self._product(code)
        if not wanted.isdisjoint({"quantity", "unit_price"}):
            quantity = self._quantity(code)
            if "quantity" in wanted:
                values["quantity"] = quantity
        if "unit" in wanted:
            values["unit"] = f"{code.bound(self._units)}[item.unit]"
        if not wanted.isdisjoint({"unit_price", "total"}):
            values |= self._prices(code, wanted)
        line = code.record(OrderLine, values)
        code.line(f"lines.append({line})")

    def _product(self, code: Code) -> str:
        code.line(f"text, product = {code.bound(_products)}[item.product]")
        with code.block("if text != item.text:"):
            code.line(f"product = {code.bound(_products.made)}(item.product, item.text)")
        return "product"

    def _quantity(self, code: Code) -> str:
        if self._columns.dialect.service.version is Version.V2:
            code.line(f"quantity = {code.bound(_quantities)}[item.quantity]")
        else:
            code.line(f"quantity = item.quantity or {code.bound(_NOTHING)}")
            self._finite(code, "quantity")
        return "quantity"

    def _prices(self, code: Code, wanted: Fields) -> dict[str, str]:
        """As `unit_price` and `money` make them, without a call for each."""
        values = {n: code.local("None") for n in sorted(wanted & {"unit_price", "total"})}
        code.line("net = item.net")
        with code.block("if net is not None:"):
            self._finite(code, "net")
            currencies, rounded = code.bound(_currencies), code.bound(QUANTIZE)
            code.line(f"smallest, of_unit, currency = {currencies}[item.currency]")
            if "unit_price" in wanted:
                with code.block("if quantity:"):
                    price = f"{rounded}({code.bound(DIVIDE)}(net, quantity), of_unit)"
                    made = code.record(Money, {"amount": price, "currency": "currency"})
                    code.line(f"{values['unit_price']} = {made}")
            if "total" in wanted:
                code.line(f"amount = {rounded}(net, smallest)")
                amount = "amount if amount == net else net"
                made = code.record(Money, {"amount": amount, "currency": "currency"})
                code.line(f"{values['total']} = {made}")
        return values

    def _finite(self, code: Code, number: str, bad: str = "not") -> None:
        """Leaves to `translate` what is no number."""
        with code.block(f"if {bad} {number}.is_finite():"):
            code.line(f"raise {code.bound(_Unfit)}")
