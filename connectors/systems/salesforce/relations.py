"""Which of the CRM's relations between people and companies hold today. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.systems.salesforce.soql import Column, Condition, either, every


def in_force(now: datetime) -> Condition:
    """The relations by which a company's people are told: the direct one, which somebody may have
    set inactive, and those that are active and whose days hold today. now: aware UTC."""
    today = now.date()
    begins, ends = Column("StartDate"), Column("EndDate")
    return either(
        Column("IsDirect").equals(True),
        every(
            Column("IsActive").equals(True),
            either(begins.equals(None), begins.before(today + timedelta(days=1))),
            either(ends.equals(None), ends.since(today)),
        ),
    )
