"""Asks a WordPress site for news: wp/v2 posts, in batches and pages, with nothing but what is
selected."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from connectors.kit.auth import basic
from connectors.kit.batching import by_size
from connectors.kit.connector import Wiring
from connectors.kit.html import Sanitiser
from connectors.kit.http import HttpClient
from connectors.kit.replies import Reply
from connectors.port.errors import Rejected, SourceError, Unreadable
from connectors.port.fields import Fields
from connectors.port.pages import Page, cut
from connectors.port.queries import NewsQuery
from connectors.port.records import NewsArticle
from connectors.systems.wordpress import filters, translate, walk
from connectors.systems.wordpress.filters import Alternatives, Choice
from connectors.systems.wordpress.settings import Told, WordPressSettings
from connectors.systems.wordpress.terms import Term, TermPage, Terms, TooManyTerms, term
from connectors.systems.wordpress.walk import Glimpse, Row, Window

#: WordPress's own limit for one call.
BATCH = 100
#: Bytes of ids or slugs in one address; servers refuse addresses from 8,000 on.
ADDRESS = 4000
#: Bytes of posts from which on sanitising them would hold up the event loop.
HEAVY = 200_000
#: Different tags at most in one filter.
TAGS = 50

Params = list[tuple[str, str | int]]


class PastTheEnd(Rejected):
    """A page beyond the last one was asked for: there is nothing there."""


class _Problem(msgspec.Struct):
    """What WordPress says went wrong."""

    code: str
    message: str = ""


def explain(reply: Reply) -> SourceError | None:
    """Names what WordPress tells in its body; None leaves it to the status."""
    problem = _Problem("")
    if reply.is_json:
        try:
            problem = msgspec.json.decode(reply.body, type=_Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            problem = _Problem("")
    if problem.code == "rest_post_invalid_page_number":
        return PastTheEnd(reply.source, f"{reply.operation}: there is no such page")
    if reply.status == 404:
        # Lists always exist: a 404 means that the REST API is elsewhere or switched off.
        return reply.unreadable("the site has no such route: check url and routes", reply.quote())
    return None


class WordPress:
    """A NewsSource over one site."""

    def __init__(self, source: str, settings: WordPressSettings, wiring: Wiring) -> None:
        self._source = source
        self._settings = settings
        self._sanitiser = Sanitiser(settings.url)
        secret = settings.application_password
        self._http = HttpClient(
            source,
            settings.url,
            settings.http,
            wiring,
            credential=basic(settings.user, secret) if settings.user and secret else None,
            explain=explain,
        )
        self._terms = Terms(self._ask_terms, timedelta(seconds=settings.terms_kept), wiring.clock)

    async def find_news(self, query: NewsQuery) -> Page[NewsArticle]:
        try:
            questions = filters.choices(await self._filters(query))
        except filters.TooManyChoices:
            raise Rejected(self._source, "find_news: too many tags", field="tags") from None
        asked = translate.asked_for(query.fields, self._settings)
        if query.search is not None and (words := translate.words(query.search)):
            asked["search"] = words
        after, before = walk.days(query.published_from, query.published_to)

        async def rows(question: Choice) -> list[Row]:
            async def ask(window: Window) -> Glimpse:
                return await self._glimpse({**asked, **dict(question.params())}, window)

            return await walk.walk(ask, query.part, after, before)

        try:
            answers = await asyncio.gather(*map(rows, questions))
        except walk.NoSuchPlace:
            raise Rejected(self._source, "find_news: the cursor is not of this list") from None
        except walk.NoEnd as error:
            raise Unreadable(self._source, f"find_news: {error}") from None
        found = {row.id: row for answer in answers for row in answer}
        ordered = sorted(found.values(), key=lambda row: row.place, reverse=not query.part.backward)
        page = cut(ordered, query.part)
        return Page(
            await self._articles("find_news", page.items, query.fields),
            has_next=page.has_next,
            has_previous=page.has_previous,
        )

    async def news_by_id(self, ids: Sequence[str], fields: Fields) -> list[NewsArticle | None]:
        numbers = [number for number in dict.fromkeys(ids) if _is_id(number)]
        rows = await self._batches("news_by_id", "include", numbers, fields)
        articles = await self._articles("news_by_id", rows, fields)
        found = {article.id: article for article in articles}
        return [found.get(number) for number in ids]

    async def news_by_slug(self, slugs: Sequence[str], fields: Fields) -> list[NewsArticle | None]:
        asked = [slug for slug in dict.fromkeys(slugs) if _is_slug(slug)]
        rows = await self._batches("news_by_slug", "slug", asked, fields | {"slug"})
        # A plugin may let several posts share a slug: the newest is meant, whoever asks.
        rows = sorted(rows, key=lambda row: row.place)
        articles = await self._articles("news_by_slug", rows, fields)
        pairs = zip(rows, articles, strict=True)
        found = {str(row.post.get("slug")): article for row, article in pairs}
        return [found.get(slug) for slug in slugs]

    async def check(self) -> None:
        """Raises SourceError when the site does not answer with posts."""
        await self._posts("check", [("per_page", 1), ("_fields", "id,date_gmt,status")])

    async def close(self) -> None:
        await self._http.close()

    # ------------------------------------------------------------------------------ questions

    async def _filters(self, query: NewsQuery) -> list[Alternatives]:
        """What each condition of the query demands of a post's terms."""
        found: list[Alternatives | None] = []
        if query.locale is not None:
            found.append(await self._language(translate.primary(query.locale)))
        if query.country is not None and self._settings.country is not None:
            told = self._settings.country
            codes = {
                number: code
                for number, known in (await self._whole(told)).items()
                if (code := translate.country_code(known.slug, told))
            }
            here = [number for number, code in codes.items() if code == query.country.upper()]
            found.append(filters.holding_or_bare(told.taxonomy, here, codes))
        if query.tags is not None:
            if len(set(query.tags)) > TAGS:
                raise Rejected(self._source, "find_news: too many tags", field="tags")
            tags = self._settings.tags
            found.append(filters.holding(tags, await self._terms.named(tags, query.tags)))
        return [alternatives for alternatives in found if alternatives is not None]

    async def _language(self, language: str) -> Alternatives | None:
        told = self._settings.language
        untold = translate.primary(self._settings.locale) == language
        if told is None:
            return None if untold else ()
        tags = {
            number: tag
            for number, known in (await self._whole(told)).items()
            if (tag := translate.language_tag(known.slug, told))
        }
        here = [number for number, tag in tags.items() if translate.primary(tag) == language]
        if untold:
            return filters.holding_or_bare(told.taxonomy, here, tags)
        return filters.holding(told.taxonomy, here)

    async def _glimpse(self, asked: Mapping[str, str], window: Window) -> Glimpse:
        params: Params = [
            *asked.items(),
            ("orderby", "date"),
            ("order", "asc" if window.ascending else "desc"),
            ("per_page", window.size),
        ]
        if window.after is not None:
            params.append(("after", _stamp(window.after)))
        if window.before is not None:
            params.append(("before", _stamp(window.before)))
        if window.exclude:
            params.append(("exclude", ",".join(map(str, window.exclude))))
        try:
            rows, count, total = await self._posts("find_news", params)
        except PastTheEnd:
            return Glimpse([], more=False)
        # A site may hide posts that it counted, so a short answer alone is no end.
        more = count >= window.size if total is None else total > count
        return Glimpse(rows, more)

    async def _batches(
        self, operation: str, name: str, values: Sequence[str], fields: Fields
    ) -> list[Row]:
        asked = translate.asked_for(fields, self._settings)
        answers = await asyncio.gather(
            *(
                self._posts(
                    operation, [(name, ",".join(group)), ("per_page", BATCH), *asked.items()]
                )
                for group in by_size(values, _size, ADDRESS, BATCH)
            )
        )
        return [row for rows, _, _ in answers for row in rows]

    # ------------------------------------------------------------------------------- the wire

    async def _get(self, operation: str, route: str, params: Params) -> Reply:
        if self._settings.routes == "query":
            return await self._http.get(
                operation, "/", params=[("rest_route", f"/wp/v2/{route}"), *params]
            )
        return await self._http.get(operation, f"/wp-json/wp/v2/{route}", params=params)

    async def _posts(self, operation: str, params: Params) -> tuple[list[Row], int, int | None]:
        """Published posts, how many the site sent, and how many it says there are."""
        reply = await self._get(operation, self._settings.collection, params)
        posts: list[dict[str, Any]] = reply.decoded(list[dict[str, Any]])
        try:
            rows = [row for row in map(translate.row, posts) if row is not None]
        except translate.Odd as error:
            raise reply.unreadable(str(error)) from None
        return rows, len(posts), _number(reply, "x-wp-total")

    async def _ask_terms(self, taxonomy: str, conditions: Mapping[str, str | int]) -> TermPage:
        params: Params = [*conditions.items(), ("_fields", "id,slug,name")]
        reply = await self._get("find_terms", taxonomy, params)
        found: list[dict[str, Any]] = reply.decoded(list[dict[str, Any]])
        try:
            terms = [term(raw) for raw in found]
        except (KeyError, TypeError, ValueError) as error:
            raise reply.unreadable("a term lacks id, slug or name", repr(error)) from None
        return TermPage(terms, _number(reply, "x-wp-totalpages") or 1)

    async def _whole(self, told: Told, covering: Sequence[int] = ()) -> Mapping[int, Term]:
        try:
            return await self._terms.whole(told.taxonomy, covering)
        except TooManyTerms:
            message = f"find_terms: {told.taxonomy} holds too many terms to tell a language by"
            raise Unreadable(self._source, message) from None

    # -------------------------------------------------------------------------------- answers

    async def _articles(
        self, operation: str, rows: Sequence[Row], fields: Fields
    ) -> list[NewsArticle]:
        try:
            reading = await self._reading(rows, fields)
            if "body" in fields and _weight(rows) > HEAVY:
                return await asyncio.to_thread(_translated, rows, fields, reading)
            return _translated(rows, fields, reading)
        except translate.Odd as error:
            raise Unreadable(self._source, f"{operation}: {error}") from None

    async def _reading(self, rows: Sequence[Row], fields: Fields) -> translate.Reading:
        known: dict[str, Mapping[int, Term]] = {"locale": {}, "countries": {}}
        told = {"locale": self._settings.language, "countries": self._settings.country}
        for field, way in told.items():
            if rows and way is not None and field in fields:
                named = {number for row in rows for number in translate.ids(row.post, way.taxonomy)}
                known[field] = await self._whole(way, sorted(named))
        return translate.Reading(
            self._settings, self._sanitiser, known["locale"], known["countries"]
        )


def _translated(
    rows: Sequence[Row], fields: Fields, reading: translate.Reading
) -> list[NewsArticle]:
    return [translate.article(row, fields, reading) for row in rows]


def _weight(rows: Sequence[Row]) -> int:
    contents = (row.post.get("content") for row in rows)
    return sum(len(str(found.get("rendered"))) for found in contents if isinstance(found, dict))


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 18 and value[0] != "0"


def _is_slug(value: str) -> bool:
    # A comma or a space would make two slugs of one, and half a surrogate pair travels nowhere.
    return 0 < len(value) <= 200 and not any(
        c in ",/" or c.isspace() or "\ud800" <= c <= "\udfff" for c in value
    )


def _size(value: str) -> int:
    # With the comma, which is encoded too.
    return len(quote(value, safe="")) + 3


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _number(reply: Reply, header: str) -> int | None:
    value = str(reply.headers.get(header, ""))
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 12 else None
