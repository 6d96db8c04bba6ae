"""Dates as SOQL writes them: literals and words such as LAST_N_DAYS:30 become bounds. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

_OFFSET: Final = re.compile(r"([+-]\d\d):?(\d\d)$")
_MOST_DAYS: Final = 100_000


def written(moment: datetime) -> str:
    """A moment as the vendor gives and the tables keep it: `2024-03-05T09:12:33.000+0000`."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}+0000"


def read_datetime(text: str) -> str | None:
    """A literal such as `2024-01-31T00:00:00Z` in the form the tables keep, None if it is none."""
    iso = text[:-1] + "+00:00" if text.endswith("Z") else _OFFSET.sub(r"\1:\2", text)
    try:
        return written(datetime.fromisoformat(iso))
    except (ValueError, OverflowError):
        return None


def read_date(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def period(words: str, today: date) -> tuple[date, date] | None:
    """The first day and the day after the last of `TODAY`, `LAST_N_DAYS:30`…; None if unknown."""
    name, _, number = words.partition(":")
    if number:
        return _counted(name, int(number[:7]), today)
    month = today.replace(day=1)
    year = month.replace(month=1)
    one = timedelta(days=1)
    named = {
        "TODAY": (today, today + one),
        "YESTERDAY": (today - one, today),
        "TOMORROW": (today + one, today + 2 * one),
        "THIS_MONTH": (month, _months(month, 1)),
        "LAST_MONTH": (_months(month, -1), month),
        "NEXT_MONTH": (_months(month, 1), _months(month, 2)),
        "LAST_90_DAYS": (today - 90 * one, today + one),
        "NEXT_90_DAYS": (today + one, today + 91 * one),
        "THIS_YEAR": (year, _months(year, 12)),
        "LAST_YEAR": (_months(year, -12), year),
        "NEXT_YEAR": (_months(year, 12), _months(year, 24)),
    }
    return named.get(name)


def _counted(name: str, number: int, today: date) -> tuple[date, date] | None:
    if number > _MOST_DAYS:
        return None
    one = timedelta(days=1)
    month = today.replace(day=1)
    if name == "LAST_N_DAYS":
        return today - number * one, today + one
    if name == "NEXT_N_DAYS":
        return today + one, today + (number + 1) * one
    if name == "N_DAYS_AGO":
        return today - number * one, today - (number - 1) * one
    if name == "LAST_N_MONTHS" and number <= 1_200:
        return _months(month, -number), month
    return None


def _months(first: date, count: int) -> date:
    at = first.year * 12 + first.month - 1 + count
    return date(at // 12, at % 12 + 1, 1)
