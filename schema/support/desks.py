"""Support desks by country: data (`desks.toml`), read once at the start."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from schema.support.hours import Hours

_WEEK = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class DesksError(ValueError):
    """A file of desks with a mistake; the text names file and key."""


class _Holidays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    country: str
    subdivision: str | None = None


class _Desk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file. Hours of service are whole or parts of hours."""

    country: str
    time_zone: str
    opening_hours: dict[str, list[str]]
    holidays: _Holidays
    answer_within: float
    phone: str | None = None
    email: str | None = None
    chat_url: str | None = None
    answer_within_by_category: dict[str, float] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    desks: list[_Desk]


@dataclass(frozen=True, slots=True)
class Desk:
    """One country's desk. answer_within: service time until an answer is due, by category."""

    country: str
    hours: Hours
    phone: str | None
    email: str | None
    chat_url: str | None
    answer_within: timedelta
    answer_within_by_category: Mapping[str, timedelta]

    @property
    def time_zone(self) -> str:
        return self.hours.zone.key


class _Days:
    """The holidays of a desk, loaded when they are first asked for: the library brings all the
    world's, which takes a twentieth of a second."""

    def __init__(self, where: str, table: _Holidays) -> None:
        self._where, self._table = where, table

    def has(self, day: date) -> bool:
        return day in self.loaded

    @cached_property
    def loaded(self) -> Any:
        """By day. Raises ValueError for a place that the library does not know."""
        import holidays

        try:
            return holidays.country_holidays(self._table.country, subdiv=self._table.subdivision)
        except NotImplementedError:
            raise ValueError(f"{self._where}: no holidays are known for {self._table}") from None


@dataclass(frozen=True, slots=True)
class Desks:
    """All desks by country. default_zone: of days that callers name, where no desk tells."""

    by_country: Mapping[str, Desk]
    default_zone: ZoneInfo
    _path: Path
    _days: Sequence[_Days]

    @classmethod
    def read(cls, path: Path, default_zone: ZoneInfo) -> Desks:
        """The desks of a file; `load` brings their holidays. Raises DesksError."""
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
            tables = msgspec.convert(raw, _File).desks
            days = [_Days(f"the desk of {table.country}", table.holidays) for table in tables]
            desks = {
                table.country: _desk(table, known)
                for table, known in zip(tables, days, strict=True)
            }
        except (OSError, ValueError, msgspec.ValidationError) as error:
            raise DesksError(f"{path}: {error}") from error
        return cls(desks, default_zone, path, days)

    def load(self) -> None:
        """Loads every desk's holidays, which otherwise happens when they are first needed. Raises
        DesksError."""
        try:
            for days in self._days:
                _ = days.loaded
        except ValueError as error:
            raise DesksError(f"{self._path}: {error}") from error

    def desk(self, country: str | None) -> Desk | None:
        """The desk of a country, ISO 3166-1 alpha-2."""
        return self.by_country.get(country) if country else None

    def zone(self, countries: Iterable[str | None]) -> ZoneInfo:
        """The time zone in which days are read: of the first country that has a desk."""
        for country in countries:
            desk = self.desk(country)
            if desk:
                return desk.hours.zone
        return self.default_zone

    def answer_due(self, country: str | None, category: str, since: datetime) -> datetime | None:
        """When an answer to a case opened at an instant is due; None without a desk."""
        desk = self.desk(country)
        if desk is None:
            return None
        within = desk.answer_within_by_category.get(category, desk.answer_within)
        return desk.hours.after(since, within)


def _desk(table: _Desk, days: _Days) -> Desk:
    where = f"the desk of {table.country}"
    try:
        zone = ZoneInfo(table.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{where}: there is no time zone {table.time_zone!r}") from None
    week = {
        _weekday(where, day): tuple(_span(where, day, span) for span in spans)
        for day, spans in table.opening_hours.items()
    }
    return Desk(
        country=table.country,
        hours=Hours(zone, week, days.has),
        phone=table.phone,
        email=table.email,
        chat_url=table.chat_url,
        answer_within=timedelta(hours=table.answer_within),
        answer_within_by_category={
            category: timedelta(hours=hours)
            for category, hours in table.answer_within_by_category.items()
        },
    )


def _weekday(where: str, day: str) -> int:
    if day not in _WEEK:
        raise ValueError(f"{where}: opening_hours has no day {day!r}; days are {', '.join(_WEEK)}")
    return _WEEK.index(day)


def _span(where: str, day: str, span: str) -> tuple[time, time]:
    match = _SPAN.fullmatch(span)
    if match:
        opens, closes = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
        if opens < closes:
            return opens, closes
    raise ValueError(f"{where}: {day} has {span!r}, where a span like '08:00-17:30' is needed")
