"""News and questions in memory: for everybody, so that nothing in them can leak."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.port.fields import Fields
from connectors.port.pages import Page
from connectors.port.queries import (
    NewsQuery,
    QuestionQuery,
)
from connectors.port.records import (
    NewsArticle,
    Question,
)
from tests.worlds.memory import Memory, by_id, holds, listed


class News(Memory):
    """A NewsSource."""

    async def find_news(self, query: NewsQuery) -> Page[NewsArticle]:
        self.begin("find_news")
        found = [a for a in self.world.news if _article_fits(a, query)]
        fields = query.fields | {"published_at"}
        return listed([self.shown(a, fields) for a in found], query.part, "published_at", True)

    async def news_by_id(self, ids: Sequence[str], fields: Fields) -> list[NewsArticle | None]:
        self.begin("news_by_id")
        return by_id([self.shown(article, fields) for article in self.world.news], ids)

    async def news_by_slug(self, slugs: Sequence[str], fields: Fields) -> list[NewsArticle | None]:
        self.begin("news_by_slug")
        known = {article.slug: self.shown(article, fields) for article in self.world.news}
        return [known.get(slug) for slug in slugs]


def _article_fits(article: NewsArticle, query: NewsQuery) -> bool:
    day = article.published_at.date()
    return (
        (query.locale is None or query.locale.partition("-")[0] == article.locale)
        and (not query.country or not article.countries or query.country in article.countries)
        and (query.tags is None or bool({*query.tags} & {*article.tags}))
        and (query.search is None or holds(query.search, article.title, article.body))
        and (query.published_from is None or query.published_from <= day)
        and (query.published_to is None or day <= query.published_to)
    )


class Questions(Memory):
    """A QuestionSource."""

    async def find_questions(self, query: QuestionQuery) -> Page[Question]:
        self.begin("find_questions")
        found = [
            question
            for question in self.world.questions
            if (query.topic is None or question.topic is query.topic)
            and (query.search is None or holds(query.search, question.question, question.answer))
        ]
        return listed(found, query.part, "position")

    async def questions_by_id(self, ids: Sequence[str], locale: str) -> list[Question | None]:
        self.begin("questions_by_id")
        return by_id(self.world.questions, ids)
