"""What travels: addresses, parameters, call counts, and the names of failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import respx

from connectors.kit.auth import basic
from connectors.kit.connector import Call, Wiring
from connectors.kit.http import HttpSettings
from connectors.port.errors import (
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Unavailable,
    Unreadable,
)
from connectors.port.fields import NOT_FETCHED
from connectors.port.pages import Slice
from connectors.port.queries import NewsQuery
from connectors.port.records import NewsArticle
from connectors.systems import wordpress
from connectors.systems.wordpress.client import WordPress
from connectors.systems.wordpress.settings import WordPressSettings
from tests.connectors.wordpress.fake_site import SETTINGS, URL, Site, post

EXAMPLES = Path(wordpress.__file__).parent / "examples"
POSTS = (EXAMPLES / "posts.json").read_bytes()
CATEGORIES = (EXAMPLES / "categories.json").read_bytes()
JSON = {"content-type": "application/json; charset=UTF-8"}
EVERYTHING = frozenset(NewsArticle.__dataclass_fields__) - {"id"}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.anyio


@pytest.fixture
def site() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        router.get("/wp-json/wp/v2/posts", name="posts").respond(200, content=POSTS, headers=JSON)
        router.get("/wp-json/wp/v2/categories", name="categories").respond(
            200, content=CATEGORIES, headers=JSON
        )
        yield router


@pytest.fixture
async def news() -> AsyncIterator[WordPress]:
    client = WordPress("news", SETTINGS, Wiring(httpx.AsyncHTTPTransport(trust_env=False)))
    yield client
    await client.close()


async def test_a_whole_article(site: respx.MockRouter, news: WordPress) -> None:
    assert await news.news_by_id(["42"], EVERYTHING) == [
        NewsArticle(
            id="42",
            slug="nueva-planta",
            title="Nueva planta – 2026 & más",
            summary="Abrimos una planta de fibrocemento en Cali…",
            body=(
                '<p>Abrimos una <a href="https://news.example/contacto" rel="noopener">planta</a>.'
                '</p>\n<figure><img src="https://news.example/wp-content/uploads/planta.jpg"'
                ' alt="La planta" width="1200"></figure>'
            ),
            image_url="https://cdn.example/planta.jpg",
            locale="es",
            countries=("CO",),
            tags=("Obra", "I&D"),
            published_at=datetime(2026, 3, 5, 15, 12, 33, tzinfo=UTC),
        )
    ]
    asked = site["posts"].calls.last.request.url.params
    assert asked["_embed"] == "wp:featuredmedia,wp:term"
    assert asked["_fields"].split(",") == [
        *("id", "date_gmt", "status", "slug", "title", "excerpt", "content", "featured_media"),
        *("tags", "categories", "_links.wp:featuredmedia", "_embedded.wp:featuredmedia"),
        *("_links.wp:term", "_embedded.wp:term"),
    ]


async def test_nothing_is_asked_that_is_not_selected(
    site: respx.MockRouter, news: WordPress
) -> None:
    page = await news.find_news(NewsQuery(frozenset({"title"}), Slice(5)))
    (request,) = [call.request for call in site.calls]
    assert dict(request.url.params) == {
        "_fields": "id,date_gmt,status,title",
        "orderby": "date",
        "order": "desc",
        "per_page": "6",
    }
    (article,) = page.items
    assert article.title == "Nueva planta – 2026 & más"
    for name in EVERYTHING - {"title"}:
        assert getattr(article, name) is NOT_FETCHED


async def test_ids_travel_together_in_hundreds(news: WordPress) -> None:
    site = Site([post(n, START) for n in range(1, 251)])
    client = site.connector()
    wanted = [str(n) for n in range(251, 0, -1)]
    articles = await client.news_by_id([*wanted, "7"], frozenset({"slug"}))
    assert [article and article.id for article in articles] == [None, *wanted[1:], "7"]
    asked = site.asked("posts")
    assert sorted(len(params["include"].split(",")) for params in asked) == [51, 100, 100]
    assert {params["per_page"] for params in asked} == {"100"}
    await client.close()


async def test_slugs_travel_together(news: WordPress) -> None:
    site = Site([post(n, START) for n in range(1, 4)])
    client = site.connector()
    slugs = ["post-3", "nobody", "post-1", "post-3", "a,b", "a b", "../x", ""]
    articles = await client.news_by_slug(slugs, frozenset({"title"}))
    assert [article and article.id for article in articles] == ["3", None, "1", "3", *[None] * 4]
    assert [params["slug"] for params in site.asked("posts")] == ["post-3,nobody,post-1"]
    assert articles[0] is not None
    assert articles[0].slug is NOT_FETCHED
    await client.close()


async def test_long_slugs_make_no_address_that_servers_refuse() -> None:
    site = Site([post(n, START) for n in range(1, 4)])
    client = site.connector()
    slugs = [f"{'%e6%97%a5' * 20}-{n}" for n in range(100)]
    assert await client.news_by_slug(slugs, frozenset({"title"})) == [None] * 100
    assert len(site.calls) > 1
    assert [slug for asked in site.asked("posts") for slug in asked["slug"].split(",")] == slugs
    await client.close()


@pytest.mark.parametrize(
    "number", ["", "0", "-1", "1,2", "42 ", " 42", "٤٢", "042", "1e3", "4" * 19, "42'", "42&x=1"]
)
async def test_a_malformed_id_is_unknown_without_a_call(number: str) -> None:
    site = Site([post(42, START), post(1, START)])
    client = site.connector()
    assert await client.news_by_id([number], frozenset({"title"})) == [None]
    assert await client.news_by_id([], frozenset({"title"})) == []
    assert site.calls == []
    await client.close()


async def test_what_is_not_published_is_unknown() -> None:
    draft = {**post(1, START), "status": "draft"}
    client = Site([draft, post(2, START)]).connector()
    fields = frozenset({"title"})
    assert [a and a.id for a in await client.news_by_id(["1", "2"], fields)] == [None, "2"]
    assert [a and a.id for a in await client.news_by_slug(["post-1"], fields)] == [None]
    assert [a.id for a in (await client.find_news(NewsQuery(fields, Slice(5)))).items] == ["2"]
    await client.close()


async def test_a_site_without_permalinks(site: respx.MockRouter) -> None:
    site.get("/", name="query").respond(200, content=POSTS, headers=JSON)
    settings = WordPressSettings(url=URL, locale="es", routes="query")
    client = WordPress("news", settings, Wiring(httpx.AsyncHTTPTransport(trust_env=False)))
    assert await client.news_by_id(["42"], frozenset({"slug"}))
    asked = site["query"].calls.last.request.url.params
    assert (asked["rest_route"], asked["include"]) == ("/wp/v2/posts", "42")
    await client.close()


async def test_a_site_in_a_folder_with_a_password(site: respx.MockRouter) -> None:
    route = site.get("/blog/wp-json/wp/v2/articles").respond(200, content=b"[]", headers=JSON)
    settings = WordPressSettings(
        url=URL + "/blog/",
        locale="es",
        collection="articles",
        user="gateway",
        application_password="abcd efgh ijkl",
    )
    client = WordPress("news", settings, Wiring(httpx.AsyncHTTPTransport(trust_env=False)))
    await client.check()
    expected = (await basic("gateway", "abcd efgh ijkl").headers(client._http))["authorization"]
    assert route.calls.last.request.headers["authorization"] == expected
    assert "efgh" not in repr(settings)
    await client.close()


async def test_a_page_past_the_end_is_empty(site: respx.MockRouter, news: WordPress) -> None:
    body = (EXAMPLES / "page_past_the_end.json").read_bytes()
    site["posts"].respond(400, content=body, headers=JSON)
    page = await news.find_news(NewsQuery(frozenset({"title"}), Slice(5)))
    assert (list(page.items), page.has_next, page.has_previous) == ([], False, False)


HTML = {"content-type": "text/html; charset=UTF-8"}
NO_ROUTE = (EXAMPLES / "no_route.json").read_bytes()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx.Response(404, content=NO_ROUTE, headers=JSON), Unreadable),
        (httpx.Response(404, content=b"<h1>Not here</h1>", headers=HTML), Unreadable),
        (httpx.Response(200, content=b"<h1>Maintenance</h1>", headers=HTML), Unreadable),
        (httpx.Response(200, content=b'{"id": 1}', headers=JSON), Unreadable),
        (httpx.Response(200, content=b'[{"id": 1', headers=JSON), Unreadable),
        (httpx.Response(200, content=b"[{}]", headers=JSON), Unreadable),
        (httpx.Response(200, content=b'[{"id": 1}]', headers=JSON), Unreadable),
        (httpx.Response(301, headers={"location": "https://elsewhere.example/"}), Unreadable),
        (httpx.Response(401, json={"code": "rest_forbidden", "message": "Sorry"}), Refused),
        (httpx.Response(403, content=b"<h1>Forbidden</h1>", headers=HTML), Refused),
        (httpx.Response(429, headers={"retry-after": "120"}), Throttled),
        (httpx.Response(400, json={"code": "rest_invalid_param", "message": "no"}), Rejected),
        (httpx.Response(400, json=["not", "an", "object"]), Rejected),
        (httpx.Response(500, content=b"<p>Database</p>", headers=HTML), Unavailable),
        (httpx.Response(503, content=b"<h1>Back soon</h1>", headers=HTML), Unavailable),
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ReadTimeout("slow"), TimedOut),
    ],
)
async def test_failures_have_their_names(
    site: respx.MockRouter, reply: Any, error: type[SourceError]
) -> None:
    site["posts"].mock(**{"side_effect" if isinstance(reply, Exception) else "return_value": reply})
    calls: list[Call] = []
    settings = WordPressSettings(url=URL, locale="es", http=HttpSettings(tries=1))
    client = WordPress(
        "news", settings, Wiring(httpx.AsyncHTTPTransport(trust_env=False), heard=calls.append)
    )
    for ask in (
        client.find_news(NewsQuery(frozenset({"title"}), Slice(5))),
        client.news_by_id(["1"], frozenset({"title"})),
        client.check(),
    ):
        with pytest.raises(SourceError) as caught:
            await ask
        assert type(caught.value) is error
        assert caught.value.source == "news"
    assert [call.operation for call in calls] == ["find_news", "news_by_id", "check"]
    await client.close()


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("slug", "slug"),
        ("title", "title"),
        ("summary", "excerpt"),
        ("body", "content"),
        ("locale", "categories"),
        ("countries", "categories"),
        ("tags", "tags"),
        ("published_at", "date_gmt"),
    ],
)
async def test_a_missing_name_is_named(
    site: respx.MockRouter, news: WordPress, field: str, name: str
) -> None:
    (whole,) = msgspec.json.decode(POSTS)
    whole.pop(name)
    site["posts"].respond(200, json=[{**whole, "unheard_of": {"x": 1}}])
    with pytest.raises(Unreadable, match=f"post 42 has no {name}"):
        await news.news_by_id(["42"], frozenset({field}))


async def test_a_hidden_picture_is_no_picture(site: respx.MockRouter, news: WordPress) -> None:
    (whole,) = msgspec.json.decode(POSTS)
    hidden = [{"code": "rest_forbidden", "message": "Sorry", "data": {"status": 401}}]
    for embedded in (hidden, [], None):
        whole["_embedded"]["wp:featuredmedia"] = embedded
        site["posts"].respond(200, json=[whole])
        (article,) = await news.news_by_id(["42"], frozenset({"image_url"}))
        assert article is not None
        assert article.image_url is None


async def test_terms_without_a_slug_are_unreadable(site: respx.MockRouter, news: WordPress) -> None:
    site["categories"].respond(200, json=[{"id": 1}])
    with pytest.raises(Unreadable, match="find_terms"):
        await news.find_news(NewsQuery(frozenset(), Slice(5), locale="es"))


async def test_categories_without_end_are_unreadable(
    site: respx.MockRouter, news: WordPress
) -> None:
    site["categories"].respond(200, content=CATEGORIES, headers={**JSON, "X-WP-TotalPages": "21"})
    with pytest.raises(Unreadable, match="too many terms"):
        await news.find_news(NewsQuery(frozenset(), Slice(5), locale="es"))


async def test_categories_of_several_pages_are_read_whole(
    site: respx.MockRouter, news: WordPress
) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page", "1"))
        terms = [{"id": number * 10, "slug": f"lang-{'abc'[number - 1]}a", "name": "x"}]
        return httpx.Response(200, json=terms, headers={"X-WP-TotalPages": "3"})

    site["categories"].mock(side_effect=page)
    await news.find_news(NewsQuery(frozenset(), Slice(5), locale="ca"))
    assert site["posts"].calls.last.request.url.params["categories"] == "30"
    assert site["categories"].call_count == 3


async def test_heavy_bodies_leave_the_loop_free() -> None:
    body = "<p>word</p>" * 20_000
    posts = [{**post(n, START), "content": {"rendered": body}} for n in range(1, 11)]
    client = Site(posts).connector()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    page = await client.find_news(NewsQuery(frozenset({"body"}), Slice(10)))
    heart.cancel()
    assert len(page.items[0].body) == len(body)
    assert beats > 50, "the loop turned while bodies were sanitised"
    await client.close()


async def test_a_real_answer_of_the_system_is_opened_by_the_catalog() -> None:
    system = await wordpress.connector.start(
        "news", {"url": URL, "language": {"prefix": "lang-"}}, Wiring()
    )
    assert isinstance(system.news, WordPress)
    await system.close()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"url": "ftp://x.example", "locale": "es"}, "url"),
        ({"url": "https://u:p@x.example", "locale": "es"}, "password"),
        ({"url": URL}, "locale"),
        ({"url": URL, "locale": "spanish language"}, "BCP 47"),
        ({"url": URL, "locale": "es", "user": "u"}, "go together"),
        (
            {"url": "http://x.example", "locale": "es", "user": "u", "application_password": "p"},
            "https",
        ),
        ({"url": URL, "locale": "es", "language": {"prefix": ""}}, "prefix"),
        ({"url": URL, "locale": "es", "unheard_of": 1}, "unheard_of"),
    ],
)
async def test_wrong_settings_are_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        await wordpress.connector.start(
            "news", wrong, Wiring(httpx.AsyncHTTPTransport(trust_env=False))
        )
