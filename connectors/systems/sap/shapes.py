"""What the bytes of an answer are decoded into: structs with just the columns that were asked for,
named as plans speak of them. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from connectors.kit.odata.expressions import Version
from connectors.port.fields import Fields
from connectors.systems.sap import columns as c
from connectors.systems.sap.columns import OrderColumns

#: name: column, type, whether it has to be there.
_Shape = dict[str, tuple[str, Any, bool]]

_HEADER: Mapping[str, tuple[str, Any]] = {
    "key": (c.KEY, str),
    "owner": (c.OWNER, str),
    "ordered_on": (c.ORDERED_ON, str),
    "reference": (c.REFERENCE, str),
    "net": (c.NET, Decimal),
    "requested_on": (c.REQUESTED_ON, str),
    "currency": (c.CURRENCY, str),
}


def readable(columns: OrderColumns) -> bool:
    """Whether each column is read in one way: a status may be told by a column of another use."""
    return {column for column, _ in _HEADER.values()}.isdisjoint(columns.statuses.properties)


def letters(columns: OrderColumns) -> list[str]:
    """The names of an order's columns that its status is told by, in the order of the map."""
    return [f"s{n}" for n in range(len(columns.statuses.properties))]


def whole(columns: OrderColumns, fields: Fields, select: Container[str]) -> Any:
    """An answer whose `rows` are orders, and what goes on or is unfinished does not fit. `count`
    is as it was written."""
    rows: Any = list[_orders(columns, fields, select)]  # type: ignore[misc]  # it is made here
    if columns.dialect.service.version is Version.V4:
        return _struct({**_list("value", rows, "@odata.nextLink"), "count": _maybe("@odata.count")})
    inner = _struct({**_list("results", rows, "__next"), "count": _maybe("__count")})
    return _struct({"d": ("d", inner, True)})


def _orders(columns: OrderColumns, fields: Fields, select: Container[str]) -> Any:
    told = zip(letters(columns), columns.statuses.properties, strict=True)
    shape = _asked({**_HEADER, **{name: (column, str) for name, column in told}}, select)
    for embedded in columns.embedded(fields):
        shape |= _embedded(columns, embedded.select)
    return _struct(shape)


def _embedded(columns: OrderColumns, select: Container[str]) -> _Shape:
    """The items of an order. V2 puts them into an object of their own."""
    dialect = columns.dialect
    v2 = dialect.service.version is Version.V2
    item = {
        "position": (c.POSITION, str),
        "product": (dialect.product, str),
        # As it is written, as the number is in V2: few are different, and what is known need not
        # be read again.
        "text": (c.ITEM_TEXT, msgspec.Raw),
        "quantity": (c.QUANTITY, str if v2 else Decimal),
        "unit": (dialect.unit, str),
        "net": (c.ITEM_NET, Decimal),
        "currency": (c.CURRENCY, str),
        "tax": (c.ITEM_TAX, Decimal),
        "rejected": (c.REJECTED, str),
    }
    items: Any = list[_struct(_asked(item, select))]  # type: ignore[misc]  # it is made here
    if v2:
        return {"items": (dialect.items, _struct(_list("results", items, "__next")), True)}
    return _list(dialect.items, items, f"{dialect.items}@odata.nextLink", "items")


def _asked(names: Mapping[str, tuple[str, Any]], select: Container[str]) -> _Shape:
    """The columns that were asked for. Each must be there; whether it holds anything, rows tell."""
    return {
        name: (column, kind if kind is msgspec.Raw else kind | None, True)
        for name, (column, kind) in names.items()
        if column in select
    }


def _list(column: str, rows: Any, further: str, name: str = "rows") -> _Shape:
    """A list that is whole: an address of the rest, in its column, does not fit."""
    return {name: (column, rows, True), "further": (further, None, False)}


def _maybe(column: str) -> tuple[str, Any, bool]:
    return column, Any, False


def _struct(shape: _Shape) -> Any:
    there = [(name, kind) for name, (_, kind, needed) in shape.items() if needed]
    perhaps = [(name, kind, None) for name, (_, kind, needed) in shape.items() if not needed]
    columns = {name: column for name, (column, _, _) in shape.items()}
    return msgspec.defstruct("Row", [*there, *perhaps], rename=columns, gc=False)
