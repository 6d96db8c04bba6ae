"""Service hours: when a desk is open, and when so many hours of service have passed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: How far ahead a desk is searched for an open hour: longer than any row of holidays.
_HORIZON = 60


@dataclass(frozen=True, slots=True)
class Hours:
    """When a desk answers. week: for each weekday (0 is Monday) its open spans, local time, in
    order. is_holiday tells the days on which it does not answer."""

    zone: ZoneInfo
    week: Mapping[int, tuple[tuple[time, time], ...]]
    is_holiday: Callable[[date], bool]

    def is_open(self, now: datetime) -> bool:
        """Whether the desk answers at an instant."""
        return any(start <= now < end for start, end in self._spans(now))

    def opens_at(self, now: datetime) -> datetime | None:
        """When the desk opens next; None while it is open or when it never does."""
        for start, end in self._spans(now):
            if start <= now < end:
                return None
            if start > now:
                return start.astimezone(self.zone)
        return None

    def after(self, since: datetime, service: timedelta) -> datetime | None:
        """The instant by which the desk has been open for `service` since an instant."""
        left = service
        for start, end in self._spans(since):
            begin = max(start, since.astimezone(UTC))
            if begin + left <= end:
                return (begin + left).astimezone(self.zone)
            left -= max(end - begin, timedelta())
        return None

    def _spans(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open spans that end after an instant, in order. They are in UTC, so that an hour that a
        time zone skips or repeats is neither lost nor counted twice."""
        today = since.astimezone(self.zone).date()
        for offset in range(_HORIZON):
            day = today + timedelta(days=offset)
            if self.is_holiday(day):
                continue
            for opens, closes in self.week.get(day.weekday(), ()):
                start = datetime.combine(day, opens, self.zone).astimezone(UTC)
                end = datetime.combine(day, closes, self.zone).astimezone(UTC)
                if end > since:
                    yield start, end
