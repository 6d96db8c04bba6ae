"""Frequent questions and support desks, as callers see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import strawberry

from connectors.port import records
from connectors.port.fields import Fields
from schema.access import Anonymous
from schema.batched import derived
from schema.context import Context
from schema.nodes import Node, finds
from schema.recognition import instances_of
from schema.scalars import URL, CountryCode, EmailAddress
from schema.support.desks import Desk


@strawberry.enum(description="What a frequent question is about.")
class FaqTopic(Enum):
    ACCESS = strawberry.enum_value("ACCESS", description="Getting in: invitation, password.")
    CASES = strawberry.enum_value("CASES", description="Opening and following cases.")
    ORDERS = strawberry.enum_value("ORDERS", description="Finding orders.")
    DOCUMENTS = strawberry.enum_value("DOCUMENTS", description="Certificates and documents.")
    TRAINING = strawberry.enum_value("TRAINING", description="Courses and training.")
    CLAIMS = strawberry.enum_value("CLAIMS", description="Which claim is for what.")
    TROUBLESHOOTING = strawberry.enum_value(
        "TROUBLESHOOTING", description="When something does not work."
    )


@strawberry.type(description="A frequent question with its answer.", directives=[Anonymous()])
class FaqEntry(Node):
    question: str = strawberry.field(description="The question.")
    answer: str = strawberry.field(description="The answer: plain text, lists as in Markdown.")
    topic: FaqTopic = strawberry.field(description="What it is about.")

    is_type_of = instances_of(records.Question)


@finds("FaqEntry", asks="questions")
async def questions_by_id(
    context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[records.Question | None]:
    return await context.sources.questions.questions_by_id(ids, context.locale)


@strawberry.enum(description="A day of the week.")
class Weekday(Enum):
    MONDAY = strawberry.enum_value("MONDAY", description="Monday.")
    TUESDAY = strawberry.enum_value("TUESDAY", description="Tuesday.")
    WEDNESDAY = strawberry.enum_value("WEDNESDAY", description="Wednesday.")
    THURSDAY = strawberry.enum_value("THURSDAY", description="Thursday.")
    FRIDAY = strawberry.enum_value("FRIDAY", description="Friday.")
    SATURDAY = strawberry.enum_value("SATURDAY", description="Saturday.")
    SUNDAY = strawberry.enum_value("SUNDAY", description="Sunday.")


@strawberry.type(description="Hours of one day, in the desk's time zone.")
class OpeningHours:
    day: Weekday = strawberry.field(description="The day of the week.")
    opens: str = strawberry.field(description="From, 24 hours: 08:00.")
    closes: str = strawberry.field(description="To, 24 hours: 17:30.")


def _opening_hours(desk: Desk, context: Context) -> list[OpeningHours]:
    days = list(Weekday)
    return [
        OpeningHours(
            day=days[weekday], opens=opens.isoformat("minutes"), closes=closes.isoformat("minutes")
        )
        for weekday, spans in sorted(desk.hours.week.items())
        for opens, closes in spans
    ]


@strawberry.type(description="How to reach customer service in a country, and when it answers.")
class SupportDesk:
    country: CountryCode = strawberry.field(description="The country it is for.")
    phone: str | None = strawberry.field(description="Telephone number.")
    email: EmailAddress | None = strawberry.field(description="E-mail address.")
    chat_url: URL | None = strawberry.field(description="Where the chat is.")
    time_zone: str = strawberry.field(description="Time zone, IANA: America/Bogota.")

    opening_hours: list[OpeningHours] = derived(
        _opening_hours, description="When it answers in a week without holidays."
    )
    is_open: bool = derived(
        lambda desk, context: desk.hours.is_open(context.clock()),
        description="Whether it answers now; holidays of the country count.",
    )
    opens_at: datetime | None = derived(
        lambda desk, context: desk.hours.opens_at(context.clock()),
        description="When it answers next; null while it is open.",
    )
