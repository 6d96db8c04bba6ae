"""Support desks by country: data (`desks.toml`), read once at the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schema.support.hours import Hours


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


@dataclass(frozen=True, slots=True)
class Desks:
    """All desks by country. default_zone: of days that callers name, where no desk tells."""

    by_country: Mapping[str, Desk]
    default_zone: ZoneInfo

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


class DesksError(ValueError):
    """A file of desks with a mistake; the text names file and key."""
