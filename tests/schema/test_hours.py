"""Service hours: nights, weekends, holidays and shifted clocks do not count."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schema.support.hours import Hours

SANTIAGO = ZoneInfo("America/Santiago")
WORKDAY = ((time(8), time(12)), (time(13), time(17)))
HOURS = Hours(SANTIAGO, dict.fromkeys(range(5), WORKDAY), {date(2026, 9, 18)}.__contains__)


def at(day: int, hour: int, minute: int = 0, month: int = 9) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SANTIAGO)


def test_open_and_closed() -> None:
    assert HOURS.is_open(at(16, 8))
    assert not HOURS.is_open(at(16, 12, 30))
    assert not HOURS.is_open(at(16, 17))
    assert not HOURS.is_open(at(19, 10)), "a Saturday"
    assert not HOURS.is_open(at(18, 10)), "a holiday"


def test_when_it_opens_next() -> None:
    assert HOURS.opens_at(at(16, 9)) is None
    assert HOURS.opens_at(at(16, 12, 15)) == at(16, 13)
    assert HOURS.opens_at(at(17, 18)) == at(21, 8), "holiday and weekend between"


def test_service_time_runs_in_service_hours_alone() -> None:
    assert HOURS.after(at(16, 8), timedelta(hours=4)) == at(16, 12)
    assert HOURS.after(at(16, 8), timedelta(hours=5)) == at(16, 14)
    assert HOURS.after(at(17, 16), timedelta(hours=16)) == at(22, 16)


def test_a_clock_that_shifts_does_not_change_an_hour_of_service() -> None:
    # Chile moves its clocks in the night to 2026-09-06.
    friday, monday = at(4, 16), at(7, 9)
    assert HOURS.after(friday, timedelta(hours=2)) == monday
    assert monday - friday.astimezone(UTC) == timedelta(hours=64)


def test_a_desk_that_never_opens_says_so() -> None:
    closed = Hours(SANTIAGO, {}, lambda day: False)
    assert closed.opens_at(at(1, 1)) is None
    assert closed.after(at(1, 1), timedelta(hours=1)) is None


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_service_time_adds_up(since: datetime, first: int, second: int) -> None:
    middle = HOURS.after(since, timedelta(hours=first))
    assert middle is not None
    both = HOURS.after(since, timedelta(hours=first + second))
    assert both == HOURS.after(middle, timedelta(hours=second))
