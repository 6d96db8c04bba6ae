"""Asks the CRM for its published articles, as frequent questions and as news."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from connectors.kit.html import Sanitiser
from connectors.port.errors import Rejected
from connectors.port.fields import Fields
from connectors.port.pages import Keyset, Page, cut, slice_sorted
from connectors.port.queries import NewsQuery, QuestionQuery
from connectors.port.records import NewsArticle, Question
from connectors.port.scope import Scope
from connectors.systems.salesforce import articles
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.paging import chunks, matchable, seek, wanted
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Knowledge
from connectors.systems.salesforce.soql import (
    ID,
    Column,
    Condition,
    Order,
    Select,
    columns,
    either,
    every,
    record_id,
    same,
)

ARTICLE: Final = "ka"

_LANGUAGE: Final = Column("Language")
_PUBLISHED: Final = Column("LastPublishedDate")
_SLUG: Final = Column("UrlName")


def _published(knowledge: Knowledge, types: Sequence[str]) -> list[Condition]:
    """What everybody may read: drafts and internal articles are nobody's business."""
    found = [Column("PublishStatus").equals("Online")]
    if knowledge.audience:
        found.append(Column(knowledge.audience).equals(True))
    if types:
        found.append(Column("RecordType.DeveloperName").one_of(types))
    return found


class Questions:
    """The articles of one language, read at once: answers cannot be searched on the other side,
    and a portal has dozens of them, not thousands."""

    def __init__(self, client: Client, knowledge: Knowledge) -> None:
        self._client = client
        self._knowledge = knowledge

    async def find_questions(self, query: QuestionQuery) -> Page[Question]:
        for field, mark in (("after", query.part.after), ("before", query.part.before)):
            if mark is not None and type(mark.value) is not int:
                message = f"the place `{field}` is not of this list"
                raise Rejected(self._client.source, message, field=field)
        code = articles.language(self._knowledge.languages, query.locale)
        if code is None:
            return Page(())
        query_rows = self._select([_LANGUAGE.equals(code)], self._knowledge.most)
        rows = await self._client.rows("find_questions", query_rows)
        words = [_plain(word) for word in (query.search or "").split()]
        found = [
            question
            for question in (articles.question(row, self._knowledge) for row in rows)
            if query.topic in (None, question.topic) and _mentions(question, words)
        ]
        found.sort(key=lambda question: (question.position, question.id))
        return slice_sorted(found, query.part, lambda one: Keyset(one.position, one.id))

    async def questions_by_id(self, ids: Sequence[str], locale: str) -> list[Question | None]:
        asked = wanted(ids, ARTICLE)
        queries = [self._select([ID.one_of(chunk)]) for chunk in chunks(asked, Scope())]
        rows = await self._client.rows_of("questions_by_id", queries)
        found = (articles.question(row, self._knowledge) for row in rows)
        by_id = {same(question.id): question for question in found}
        return [by_id.get(same(one)) if record_id(one) else None for one in ids]

    def _select(self, where: Sequence[Condition], limit: int | None = None) -> Select:
        shown = columns(articles.question_columns(self._knowledge))
        public = _published(self._knowledge, self._knowledge.question_types)
        order = (Order(Column("ArticleNumber")), Order(ID))
        return Select(self._knowledge.object, shown, every(*public, *where), order, limit)


def _plain(text: str) -> str:
    """Without case and accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _mentions(question: Question, words: Sequence[str]) -> bool:
    if not words:
        return True
    text = _plain(question.question + "\n" + question.answer)
    return all(word in text for word in words)


class News:
    """Articles as news, newest first. An id names one version: what is published anew has another,
    and keeps its slug."""

    def __init__(self, client: Client, knowledge: Knowledge, site: str) -> None:
        """site: the org's address, against which links in articles are resolved."""
        self._client = client
        self._knowledge = knowledge
        self._sanitiser = Sanitiser(site)

    async def find_news(self, query: NewsQuery) -> Page[NewsArticle]:
        where = self._conditions(query)
        if where is None:
            return Page(())
        fields = query.fields | {"published_at"}
        source = self._client.source
        place = seek(source, query.part, _PUBLISHED, descending=True, times=True)
        asked = self._select(fields, [*where, *place.conditions], place.order, place.limit)
        rows = await self._client.rows("find_news", asked)
        return cut(self._read(rows, fields), query.part)

    def _conditions(self, query: NewsQuery) -> list[Condition] | None:
        """None: no article can match."""
        knowledge = self._knowledge
        found: list[Condition] = []
        if query.locale is not None:
            code = articles.language(knowledge.languages, query.locale)
            if code is None:
                return None
            found.append(_LANGUAGE.equals(code))
        if query.tags is not None:
            # An entry of a picklist holds no semicolon: in a query it would mean "both of them".
            tags = [tag for tag in matchable(query.tags) if ";" not in tag]
            if not tags or not knowledge.tags:
                return None
            found.append(Column(knowledge.tags).includes(tags))
        if query.country is not None and knowledge.countries:
            column = Column(knowledge.countries)
            found.append(either(column.equals(None), column.includes([query.country])))
        if query.published_from is not None:
            found.append(_PUBLISHED.since(_midnight(query.published_from)))
        if query.published_to is not None:
            found.append(_PUBLISHED.before(_midnight(query.published_to, 1)))
        words = dict.fromkeys((query.search or "").split())
        searched = [Column(name) for name in knowledge.searched]
        return found + [either(*(name.contains(word) for name in searched)) for word in words]

    async def news_by_id(self, ids: Sequence[str], fields: Fields) -> list[NewsArticle | None]:
        asked = wanted(ids, ARTICLE)
        queries = [self._select(fields, [ID.one_of(chunk)]) for chunk in chunks(asked, Scope())]
        rows = await self._client.rows_of("news_by_id", queries)
        found = self._read(rows, fields)
        by_id = {same(article.id): article for article in found}
        return [by_id.get(same(one)) if record_id(one) else None for one in ids]

    async def news_by_slug(self, slugs: Sequence[str], fields: Fields) -> list[NewsArticle | None]:
        """A slug that several languages share leads to the language that is configured first."""
        fields |= {"slug", "locale"}
        queries = [
            self._select(fields, [_SLUG.one_of(chunk)])
            for chunk in chunks(matchable(slugs), Scope())
        ]
        rows = await self._client.rows_of("news_by_slug", queries)
        found = self._read(rows, fields)
        rank = {tag: place for place, tag in enumerate(self._knowledge.languages)}
        found.sort(key=lambda article: rank.get(article.locale, len(rank)), reverse=True)
        by_slug = {article.slug: article for article in found}
        return [by_slug.get(slug) for slug in slugs]

    def _read(self, rows: Iterable[Row], fields: Fields) -> list[NewsArticle]:
        return [articles.news(row, self._knowledge, fields, self._sanitiser) for row in rows]

    def _select(
        self,
        fields: Fields,
        where: Sequence[Condition],
        order: tuple[Order, ...] = (),
        limit: int | None = None,
    ) -> Select:
        shown = columns(articles.news_columns(self._knowledge, fields))
        public = _published(self._knowledge, self._knowledge.news_types)
        return Select(self._knowledge.object, shown, every(*public, *where), order, limit)


def _midnight(day: date, later: int = 0) -> datetime:
    """The UTC midnight with which a day begins, or one some days later. The calendar's last day has
    no next one."""
    try:
        return datetime.combine(day + timedelta(days=later), time(), UTC)
    except OverflowError:
        return datetime.combine(day, time.max, UTC)
