"""News, as callers see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from connectors.port import records
from connectors.port.fields import Fields
from schema.access import Anonymous
from schema.context import Context
from schema.nodes import Node, finds
from schema.recognition import instances_of
from schema.scalars import URL, CountryCode, LanguageTag


@strawberry.type(description="A published article.", directives=[Anonymous()])
class NewsArticle(Node):
    slug: str = strawberry.field(description="Its name in addresses.")
    title: str = strawberry.field(description="Its title, plain text.")
    summary: str | None = strawberry.field(description="What it says, in short; plain text.")
    body: str = strawberry.field(description="Sanitised HTML.")
    image_url: URL | None = strawberry.field(description="A picture to go with it.")
    locale: LanguageTag = strawberry.field(description="The language it is written in.")
    countries: list[CountryCode] = strawberry.field(
        description="The countries it is for; empty: all."
    )
    tags: list[str] = strawberry.field(description="What it is about.")
    published_at: datetime = strawberry.field(description="When it was published.")

    is_type_of = instances_of(records.NewsArticle)


@finds("NewsArticle", asks="news")
async def news_by_id(
    context: Context, ids: Sequence[str], fields: Fields
) -> Sequence[records.NewsArticle | None]:
    return await context.sources.news.news_by_id(ids, fields)
