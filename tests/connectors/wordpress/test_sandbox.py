"""The connector against the sandbox's site: filters and pages, checked against the whole list."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.kit.connector import Wiring
from connectors.kit.http import HttpSettings
from connectors.port.errors import Rejected, SourceError, TimedOut, Unavailable, Unreadable
from connectors.port.pages import Keyset, Slice
from connectors.port.queries import NewsQuery
from connectors.port.records import NewsArticle
from connectors.systems.wordpress.client import WordPress
from connectors.systems.wordpress.settings import Told, WordPressSettings
from sandbox import site
from sandbox.faults import Faults
from sandbox.faulty import Faulty

URL = "http://127.0.0.1:8765"
NOW = datetime(2026, 3, 31, 15, tzinfo=UTC)
EVERYTHING = frozenset(NewsArticle.__dataclass_fields__) - {"id"}
PLACE = frozenset({"published_at"})
pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Sandbox:
    """The site as an application, what goes wrong in it, and what was asked of it."""

    transport: httpx.AsyncBaseTransport
    faults: Faults
    calls: list[httpx.Request]


@dataclass
class _Counting(httpx.AsyncBaseTransport):
    inner: httpx.AsyncBaseTransport
    calls: list[httpx.Request]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        return await self.inner.handle_async_request(request)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site") / "site.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        site.seed(connection, NOW.date(), random.Random(7))
        connection.commit()
    return path


@pytest.fixture
def sandbox(database: Path) -> Sandbox:
    faults, calls = Faults(), list[httpx.Request]()
    app = Faulty(site.app(database, faults, NOW), "site", faults)
    return Sandbox(_Counting(httpx.ASGITransport(app), calls), faults, calls)


def connect(sandbox: Sandbox, **more: Any) -> WordPress:
    settings = WordPressSettings(
        url=URL, language=Told(prefix="lang-"), country=Told(prefix="pais-"), **more
    )
    return WordPress("news", settings, Wiring(transport=sandbox.transport))


async def published(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Every post that the site shows, newest first, with its slugs of categories and its tags."""
    async with httpx.AsyncClient(transport=sandbox.transport, base_url=URL) as client:
        query = {"per_page": "100", "_embed": "wp:term"}
        posts: list[dict[str, Any]] = (
            await client.get("/wp-json/wp/v2/posts", params=query)
        ).json()
    for post in posts:
        categories, tags = post["_embedded"]["wp:term"]
        post["held"] = {term["slug"] for term in categories}
        post["tag_slugs"] = {term["slug"] for term in tags}
    sandbox.calls.clear()
    return sorted(posts, key=lambda post: (post["date_gmt"], post["id"]), reverse=True)


def ids(posts: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(post["id"]) for post in posts]


async def all_of(news: WordPress, query: NewsQuery) -> list[str]:
    return [article.id for article in (await news.find_news(query)).items]


@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_pages_in_both_directions_hold_every_post_once(sandbox: Sandbox, limit: int) -> None:
    expected = ids(await published(sandbox))
    assert len(expected) == 40
    news = connect(sandbox)
    onwards: list[str] = []
    back: list[str] = []
    after = before = None
    for _ in range(41):
        page = await news.find_news(NewsQuery(PLACE, Slice(limit, after=after)))
        onwards += [article.id for article in page.items]
        if not page.has_next:
            break
        after = Keyset(page.items[-1].published_at, page.items[-1].id)
    for _ in range(41):
        page = await news.find_news(NewsQuery(PLACE, Slice(limit, before=before, backward=True)))
        back = [article.id for article in page.items] + back
        if not page.has_previous:
            break
        before = Keyset(page.items[0].published_at, page.items[0].id)
    assert onwards == back == expected
    await news.close()


@pytest.mark.parametrize("language", ["es", "en", "pt-BR", "fr"])
@pytest.mark.parametrize("country", [None, "CO", "PE", "CL", "AR", "BR", "MX"])
async def test_language_and_country(sandbox: Sandbox, language: str, country: str | None) -> None:
    def meets(post: Mapping[str, Any]) -> bool:
        countries = {slug for slug in post["held"] if slug.startswith("pais-")}
        here = country is None or not countries or f"pais-{country.lower()}" in countries
        return here and f"lang-{language[:2]}" in post["held"]

    expected = ids(post for post in await published(sandbox) if meets(post))
    news = connect(sandbox)
    query = NewsQuery(PLACE, Slice(100), locale=language, country=country)
    assert await all_of(news, query) == expected
    assert bool(expected) is (language != "fr")
    await news.close()


async def test_tags_words_and_days(sandbox: Sandbox) -> None:
    posts = await published(sandbox)
    news = connect(sandbox)

    async def found(**asked: Any) -> list[str]:
        return await all_of(news, NewsQuery(PLACE, Slice(100), **asked))

    tagged = ids(post for post in posts if {"calculo", "placas"} & post["tag_slugs"])
    assert await found(tags=("Cálculo & metrados", "placas")) == tagged != []
    assert await found(tags=("no such tag'\"",)) == []
    days = sorted(post["date_gmt"][:10] for post in posts)
    first, last = date.fromisoformat(days[10]), date.fromisoformat(days[20])
    within = ids(post for post in posts if days[10] <= post["date_gmt"][:10] <= days[20])
    assert await found(published_from=first, published_to=last) == within
    assert set(await found(search="FIBROCEMENTO")) <= set(ids(posts))
    assert await found(search="fibrocemento") != []
    assert await found(search="-fibrocemento") == await found(search="fibrocemento")
    assert await found(search="o'brien\" OR 1=1 --") == []
    await news.close()


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


async def test_articles_are_whole_and_harmless(sandbox: Sandbox) -> None:
    posts = {str(post["id"]): post for post in await published(sandbox)}
    news = connect(sandbox)
    articles = await news.news_by_id([*posts, "999999"], EVERYTHING)
    assert articles.pop() is None
    for article, post in zip(articles, posts.values(), strict=True):
        assert article is not None
        assert article.slug == post["slug"]
        assert "&#" not in article.title
        assert article.published_at == datetime.fromisoformat(post["date_gmt"] + "Z")
        assert f"lang-{article.locale}" in post["held"]
        assert {f"pais-{c.lower()}" for c in article.countries} == {
            slug for slug in post["held"] if slug.startswith("pais-")
        }
        assert len(article.tags) == len(post["tags"])
        assert (article.image_url is None) is (post["featured_media"] == 0)
        assert article.image_url is None or article.image_url.startswith(f"{URL}/uploads/")
    (unsafe,) = [a for a in articles if a is not None and a.slug == "instalacion-segura"]
    tags = _Tags()
    tags.feed(unsafe.body)
    assert {tag for tag, _ in tags.seen} <= {"p", "a", "img", "strong", "em"}
    assert {name for _, held in tags.seen for name in held} <= {"href", "rel", "src", "alt"}
    assert "javascript" not in unsafe.body
    assert "owned" not in unsafe.body
    assert "siempre" in unsafe.body
    assert len(sandbox.calls) == 2, "the posts and, once, the categories"
    await news.close()


async def test_what_is_not_published_stays_hidden(database: Path, sandbox: Sandbox) -> None:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT id, slug, status, date_gmt FROM site_post").fetchall()
    hidden = [row for row in rows if row[2] != "publish" or row[3] > NOW.isoformat()[:19]]
    assert hidden
    news = connect(sandbox)
    by_id = await news.news_by_id([str(row[0]) for row in hidden], PLACE)
    by_slug = await news.news_by_slug([row[1] for row in hidden], PLACE)
    assert [*by_id, *by_slug] == [None] * (2 * len(hidden))
    await news.close()


async def test_slugs_in_order(sandbox: Sandbox) -> None:
    posts = await published(sandbox)
    news = connect(sandbox)
    slugs = [posts[5]["slug"], "nobody", posts[0]["slug"]]
    found = await news.news_by_slug(slugs, frozenset({"slug"}))
    assert [article and article.slug for article in found] == [slugs[0], None, slugs[2]]
    assert len(sandbox.calls) == 1
    await news.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 503}, Unavailable),
        ({"status": 500}, Unavailable),
        ({"html": 200}, Unreadable),
        ({"html": 503}, Unavailable),
        ({"hang": True}, TimedOut),
        ({"truncated": True}, Unreadable),
    ],
)
async def test_trouble_has_its_name(
    sandbox: Sandbox, fault: Mapping[str, Any], error: type[SourceError]
) -> None:
    sandbox.faults.update({"site": fault})
    news = connect(sandbox, http=HttpSettings(deadline=0.3, tries=1))
    with pytest.raises(error) as caught:
        await news.find_news(NewsQuery(PLACE, Slice(5)))
    assert not isinstance(caught.value, Rejected)
    await news.close()
