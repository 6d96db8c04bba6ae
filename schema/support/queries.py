"""The entry points to help. Open to anonymous callers."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from connectors.port import records
from connectors.port.pages import Keyset
from connectors.port.queries import QuestionQuery
from schema.access import Anonymous
from schema.caching import everybody
from schema.context import Context
from schema.pages import After, Connection, First, Listing, Order, wanted
from schema.price import asks
from schema.scalars import CountryCode
from schema.support.types import FaqEntry, FaqTopic, SupportDesk
from schema.words import words

IN_READING_ORDER = Order("position", int, at=lambda entry: Keyset(entry.position, entry.id))


@strawberry.type
class SupportQueries:
    @strawberry.field(
        directives=[Anonymous(), everybody(60)],
        metadata=asks("questions"),
        description="Answers to frequent questions, in the caller's language. Open to anonymous "
        "callers.",
    )
    async def faqs(
        self,
        info: strawberry.Info,
        search: Annotated[
            str | None, strawberry.argument(description="Words in question or answer.")
        ] = None,
        topic: Annotated[
            FaqTopic | None, strawberry.argument(description="About this alone.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> Connection[FaqEntry] | None:
        context: Context = info.context
        query = QuestionQuery(
            locale=context.locale,
            part=wanted(IN_READING_ORDER, first, after),
            topic=records.QuestionTopic(topic.name) if topic else None,
            search=words("search", search),
        )
        found: Any = Listing.of(
            await context.sources.questions.find_questions(query), IN_READING_ORDER
        )
        return found  # type: ignore[no-any-return]

    @strawberry.field(
        directives=[Anonymous()],
        description="How to reach customer service in a country, and when it answers. Null when "
        "there is no desk for it. Open to anonymous callers.",
    )
    def support_desk(
        self,
        info: strawberry.Info,
        country: Annotated[CountryCode, strawberry.argument(description="Of which country.")],
    ) -> SupportDesk | None:
        context: Context = info.context
        desk: Any = context.desks.desk(country)
        return desk  # type: ignore[no-any-return]
