"""Days as callers give them."""

from __future__ import annotations

from datetime import date

import strawberry

from schema.errors import InputError
from schema.texts import N_

#: Days that every system behind can tell: before and after these lie typing errors.
_FIRST, _LAST = date(1970, 1, 1), date(9998, 12, 31)


@strawberry.input(description="A range of days. An end that is left out is open.")
class DateRange:
    from_: date | None = strawberry.field(
        name="from", default=None, description="First day, inclusive."
    )
    to: date | None = strawberry.field(default=None, description="Last day, inclusive.")


def days(argument: str, asked: DateRange | None) -> tuple[date | None, date | None]:
    """First and last day. Raises InputError, which names the argument, for a range backwards."""
    if asked is None:
        return None, None
    for name, day in (("from", asked.from_), ("to", asked.to)):
        if day is not None and not _FIRST <= day <= _LAST:
            raise InputError(f"{argument}.{name}", N_("{argument} is too far away."))
    if asked.from_ and asked.to and asked.from_ > asked.to:
        raise InputError(argument, N_("{argument} ends before it begins."))
    return asked.from_, asked.to
