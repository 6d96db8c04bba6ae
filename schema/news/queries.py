"""The entry points to news. Open to anonymous callers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry

from connectors.port.queries import NewsQuery
from schema.access import Anonymous
from schema.caching import everybody
from schema.context import Context
from schema.dates import DateRange, days
from schema.errors import InputError
from schema.news.types import NewsArticle, news_by_id
from schema.nodes import key_of
from schema.pages import After, Before, Connection, First, Last, Listing, Order, wanted
from schema.price import asks
from schema.scalars import CountryCode, LanguageTag
from schema.selection import selected
from schema.texts import N_
from schema.words import code, words

NEWEST_FIRST = Order("published_at", datetime)
#: Most tags that one question may name.
_MOST_TAGS = 20


@strawberry.input(description="Conditions on news; all that are given must hold.")
class NewsFilter:
    locale: LanguageTag | None = strawberry.field(
        default=None, description="In this language; by default in the caller's."
    )
    country: CountryCode | None = strawberry.field(
        default=None, description="For this country or for all."
    )
    tags: list[str] | None = strawberry.field(default=None, description="About any of these.")
    search: str | None = strawberry.field(default=None, description="Words that it must hold.")
    published_on: DateRange | None = strawberry.field(
        default=None, description="Published between these days, UTC."
    )


NewsWhere = Annotated[
    NewsFilter | None, strawberry.argument(description="Which news; all if not told.")
]


@strawberry.input(one_of=True, description="Which article: by exactly one of these.")
class NewsArticleLookup:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its global id."
    )
    slug: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its name in addresses."
    )


@strawberry.type
class NewsQueries:
    @strawberry.field(
        directives=[Anonymous(), everybody(60)],
        metadata=asks("news"),
        description="Published news, newest first. Open to anonymous callers.",
    )
    async def news(
        self,
        info: strawberry.Info,
        filter: NewsWhere = None,  # noqa: A002
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[NewsArticle] | None:
        context: Context = info.context
        asked = filter or NewsFilter()
        since, until = days("filter.publishedOn", asked.published_on)
        if asked.tags is not None and len(asked.tags) > _MOST_TAGS:
            raise InputError(
                "filter.tags", N_("{argument} names more than {most} tags."), most=_MOST_TAGS
            )
        query = NewsQuery(
            fields=selected(info) | {NEWEST_FIRST.name},
            part=wanted(NEWEST_FIRST, first, after, last, before),
            locale=asked.locale or context.locale,
            country=asked.country,
            tags=None
            if asked.tags is None
            else tuple(code("filter.tags", tag) or "" for tag in asked.tags),
            search=words("filter.search", asked.search),
            published_from=since,
            published_to=until,
        )
        found: Any = Listing.of(await context.sources.news.find_news(query), NEWEST_FIRST)
        return found  # type: ignore[no-any-return]

    @strawberry.field(
        directives=[Anonymous(), everybody(60)],
        metadata=asks("news"),
        description="One published article. Open to anonymous callers.",
    )
    async def news_article(
        self,
        info: strawberry.Info,
        by: Annotated[NewsArticleLookup, strawberry.argument(description="Which one.")],
    ) -> NewsArticle | None:
        context: Context = info.context
        fields = selected(info)
        found: Any
        if by.id:
            found = await news_by_id(context, [key_of("by.id", by.id, "NewsArticle")], fields)
            return found[0]  # type: ignore[no-any-return]
        slug = code("by.slug", by.slug or None)
        if slug is None:
            raise InputError("by", N_("{argument} is empty: give an id or a slug."))
        found = await context.sources.news.news_by_slug([slug], fields)
        return found[0]  # type: ignore[no-any-return]
