"""wp/v2 as clients meet it: what is listed, in which order, how it looks, what is refused."""

import random
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.faults import Faults
from sandbox.site import app, seed

pytestmark = pytest.mark.anyio

API = "/wp-json/wp/v2"
Item = dict[str, Any]


async def listed(site: httpx.AsyncClient, kind: str = "posts", /, **query: str | int) -> list[Item]:
    """One answer of a collection; `per_page` is 100 unless given."""
    answer = await site.get(f"{API}/{kind}", params={"per_page": 100, **query})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].lower().startswith("application/json")
    found: list[Item] = answer.json()
    return found


async def ids(site: httpx.AsyncClient, **query: str | int) -> list[int]:
    return [one["id"] for one in await listed(site, **query)]


async def terms(site: httpx.AsyncClient, kind: str = "categories") -> Mapping[str, int]:
    """Slug to id."""
    return {one["slug"]: one["id"] for one in await listed(site, kind)}


def digest(number: int) -> int:
    with closing(sqlite3.connect(":memory:")) as connection:
        seed(connection, date(2026, 6, 15), random.Random(number))
        return hash(tuple(connection.iterdump()))


def test_the_same_day_and_number_give_the_same_rows() -> None:
    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


async def test_forty_articles_in_three_languages(site: httpx.AsyncClient) -> None:
    found = await listed(site)
    assert len(found) == 40
    known = await terms(site)
    languages = {code: known[f"lang-{code}"] for code in ("es", "en", "pt")}
    counts = {
        code: sum(number in one["categories"] for one in found)
        for code, number in languages.items()
    }
    assert counts == {"es": 16, "en": 11, "pt": 13}
    countries = {number for slug, number in known.items() if slug.startswith("pais-")}
    assert len(countries) == 5
    bare = [one for one in found if not countries & set(one["categories"])]
    assert 0 < len(bare) < 40
    assert all(one["status"] == "publish" for one in found)


async def test_newest_first_and_two_in_the_same_second(site: httpx.AsyncClient) -> None:
    found = await listed(site)
    dates = [one["date_gmt"] for one in found]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) - len(set(dates)) == 1
    assert dates[0] < "2026-06-15"
    rising = await listed(site, order="asc")
    assert [one["date_gmt"] for one in rising] == sorted(dates)
    one = found[0]
    assert datetime.fromisoformat(one["date"]) == datetime.fromisoformat(
        one["date_gmt"]
    ) - timedelta(hours=5)


async def test_pages_and_their_headers(site: httpx.AsyncClient) -> None:
    whole = await ids(site)
    found: list[int] = []
    for page in range(1, 5):
        answer = await site.get(f"{API}/posts", params={"page": page, "per_page": 12})
        assert (answer.headers["x-wp-total"], answer.headers["x-wp-totalpages"]) == ("40", "4")
        found += [one["id"] for one in answer.json()]
        following = answer.links.get("next", {}).get("url")
        assert (following is None) == (page == 4)
        assert ("prev" in answer.links) == (page > 1)
    assert found == whole
    assert len(await listed(site, per_page=10)) == 10
    assert await ids(site, offset=5, per_page=3) == whole[5:8]
    assert await ids(site, offset=99) == []


async def test_a_page_beyond_the_last(site: httpx.AsyncClient) -> None:
    answer = await site.get(f"{API}/posts", params={"page": 5})
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "rest_post_invalid_page_number",
        "message": "The page number requested is larger than the number of pages available.",
        "data": {"status": 400},
    }
    # Nothing at all is no error, on whichever page.
    assert await listed(site, search="nowhere", page=3) == []


async def test_dates_bound_strictly_and_by_the_clock_of_the_site(site: httpx.AsyncClient) -> None:
    found = await listed(site)
    middle = found[20]["date_gmt"]
    newer = [one["id"] for one in found if one["date_gmt"] > middle]
    older = [one["id"] for one in found if one["date_gmt"] < middle]
    assert await ids(site, after=f"{middle}Z") == newer
    assert await ids(site, before=f"{middle}Z") == older
    assert await ids(site, after=f"{middle}+00:00") == newer
    assert await ids(site, after=found[20]["date"]) == newer
    changed = max(one["modified_gmt"] for one in found)
    assert await ids(site, modified_after=f"{changed}Z") == []
    assert len(await ids(site, modified_before=f"{changed}Z")) == 39


async def test_terms_bound(site: httpx.AsyncClient) -> None:
    known, found = await terms(site), await listed(site)
    portuguese, brazil, chile = known["lang-pt"], known["pais-br"], known["pais-cl"]

    def those(*groups: set[int]) -> list[int]:
        return [one["id"] for one in found if all(g & set(one["categories"]) for g in groups)]

    assert await ids(site, categories=portuguese) == those({portuguese})
    assert await ids(site, categories=f"{brazil},{chile}") == those({brazil, chile})
    both = {"categories[terms]": f"{portuguese},{brazil}", "categories[operator]": "AND"}
    assert await ids(site, **both) == those({portuguese}, {brazil})
    assert 0 < len(those({portuguese}, {brazil})) < len(those({portuguese}))
    countries = [number for slug, number in known.items() if slug.startswith("pais-")]
    bare = await ids(site, categories=portuguese, categories_exclude=",".join(map(str, countries)))
    assert bare == [
        one["id"]
        for one in found
        if portuguese in one["categories"] and not set(countries) & set(one["categories"])
    ]
    tags = await terms(site, "tags")
    tagged = await ids(site, tags=tags["portal"])
    assert tagged == [one["id"] for one in found if tags["portal"] in one["tags"]]
    assert set(await ids(site, tags_exclude=tags["portal"])) == set(await ids(site)) - set(tagged)
    assert await ids(site, categories=999_999) == []


async def test_include_exclude_and_slugs(site: httpx.AsyncClient) -> None:
    whole = await ids(site)
    wanted = [whole[7], whole[3], whole[30]]
    text = ",".join(map(str, wanted))
    assert await ids(site, include=f"{text},999999", orderby="include", order="asc") == wanted
    assert set(await ids(site, include=text)) == set(wanted)
    assert await ids(site, exclude=text) == [one for one in whole if one not in wanted]
    answer = await site.get(f"{API}/posts?include[]={wanted[0]}&include[]={wanted[1]}")
    assert {one["id"] for one in answer.json()} == set(wanted[:2])
    slugs = [one["slug"] for one in await listed(site, slug="nuevo-portal,nuevo-portal-pt,none")]
    assert set(slugs) == {"nuevo-portal", "nuevo-portal-pt"}


async def test_words_are_searched_without_case_and_accents(site: httpx.AsyncClient) -> None:
    async def slugs(search: str) -> set[str]:
        return {one["slug"] for one in await listed(site, search=search)}

    assert await slugs("DIRECAO") == set()
    assert "feria-de-la-construccion" in await slugs("demostracion")
    assert await slugs("bogotá calle") == await slugs("BOGOTA CALLE") == {"bodega-fontibon"}
    assert await slugs("bogotá quito") == set()
    assert await slugs('"calle 17"') == {"bodega-fontibon"}
    assert await slugs('"17 calle"') == set()
    assert await slugs("d'azur") == {"d-azur-vina-del-mar"}
    assert await slugs("100%") == set()
    assert "bodega-fontibon" not in await slugs("entregas -bogotá")


async def test_titles_hold_entities(site: httpx.AsyncClient) -> None:
    titles = {one["slug"]: one["title"]["rendered"] for one in await listed(site)}
    assert "&#8211; 2ª línea" in titles["nueva-planta-fibrocemento"]
    assert "&#8220;la verde&#8221;" in titles["placa-resistente-humedad"]
    assert "&#038; un plazo" in titles["aislamiento-acustico-hoteles"]
    assert "d&#8217;Azur" in titles["d-azur-vina-del-mar"]
    excerpts = [one["excerpt"]["rendered"] for one in await listed(site)]
    assert any(text.endswith(" [&hellip;]</p>\n") for text in excerpts)


async def test_one_article_holds_what_must_be_taken_out(site: httpx.AsyncClient) -> None:
    (one,) = await listed(site, slug="instalacion-segura")
    for part in ("<script>", "onerror=", "onclick=", "javascript:", "<iframe", "<style>", "<form"):
        assert part in one["content"]["rendered"]
    others = [each for each in await listed(site) if each["slug"] != "instalacion-segura"]
    assert not any("<script" in each["content"]["rendered"] for each in others)


async def test_what_is_not_published_is_never_listed(
    site: httpx.AsyncClient, database: Path
) -> None:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT id, slug, status FROM site_post WHERE status <> 'publish'"
        ).fetchall()
    assert sorted(status for _, _, status in rows) == ["draft", "draft", "future", "private"]
    shown = set(await ids(site))
    for number, slug, _ in rows:
        assert number not in shown
        assert await listed(site, include=number) == []
        assert await listed(site, slug=slug) == []
        answer = await site.get(f"{API}/posts/{number}")
        assert (answer.status_code, answer.json()["code"]) == (401, "rest_forbidden")
    assert await listed(site, search="borrador") == []
    answer = await site.get(f"{API}/posts", params={"status": "draft"})
    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_param")


async def test_what_is_dated_ahead_appears_on_its_day(database: Path) -> None:
    later = datetime(2026, 6, 26, tzinfo=UTC)
    transport = httpx.ASGITransport(app(database, Faults(), later))
    async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as site:
        (first, *_), total = await listed(site), len(await listed(site))
        assert (first["slug"], first["status"], total) == ("lanzamiento-futuro", "publish", 41)


async def test_fields_keep_names_and_paths(site: httpx.AsyncClient) -> None:
    (one,) = await listed(site, _fields="id,title.rendered,nothing,excerpt", per_page=1)
    assert set(one) == {"id", "title", "excerpt"}
    assert set(one["title"]) == {"rendered"}
    assert set(one["excerpt"]) == {"rendered", "protected"}
    (one,) = await listed(site, per_page=1)
    assert "_embedded" not in one
    assert one["_links"]["wp:term"][0]["embeddable"] is True


async def test_embedding_follows_the_links_that_were_kept(site: httpx.AsyncClient) -> None:
    query = {"slug": "nuevo-portal", "_embed": "wp:featuredmedia,wp:term"}
    (one,) = await listed(site, **query)
    assert set(one["_embedded"]) == {"wp:featuredmedia", "wp:term"}
    (media,) = one["_embedded"]["wp:featuredmedia"]
    assert media["id"] == one["featured_media"]
    categories, tags = one["_embedded"]["wp:term"]
    assert [each["id"] for each in categories] == one["categories"]
    assert {each["slug"] for each in tags} == {"portal", "pedidos"}
    (every,) = await listed(site, slug="nuevo-portal", _embed="")
    assert set(every["_embedded"]) == {"author", "wp:featuredmedia", "wp:term"}
    (bare,) = await listed(site, **query, _fields="id,_embedded")
    assert set(bare) == {"id"}
    (some,) = await listed(
        site,
        **query,
        _fields="id,_links.wp:featuredmedia,_embedded.wp:featuredmedia",
    )
    assert set(some) == {"id", "_links", "_embedded"}
    assert set(some["_embedded"]) == {"wp:featuredmedia"}
    (plain,) = await listed(site, slug="horario-fin-de-ano", _embed="wp:featuredmedia")
    assert plain["featured_media"] == 0
    assert "wp:featuredmedia" not in plain["_embedded"]


async def test_pictures_are_served_where_media_say(site: httpx.AsyncClient) -> None:
    found = await listed(site, "media")
    kinds = set()
    for media in found:
        assert media["source_url"].startswith("http://site.test/uploads/")
        answer = await site.get(media["source_url"])
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == media["mime_type"]
        kinds.add((media["mime_type"], answer.content[:4]))
    assert kinds == {("image/png", b"\x89PNG"), ("image/svg+xml", b"<svg")}
    one = found[0]
    assert (await site.get(f"{API}/media/{one['id']}")).json() == one
    assert (await site.get("/uploads/2020/01/none.png")).status_code == 404
    assert (await site.get("/uploads/../../etc/passwd")).status_code == 404


async def test_terms_have_names_and_counts(site: httpx.AsyncClient) -> None:
    categories = {one["slug"]: one for one in await listed(site, "categories")}
    assert categories["lang-es"]["count"] == 16
    assert categories["sin-categoria"]["count"] == 0
    assert "sin-categoria" not in {
        one["slug"] for one in await listed(site, "categories", hide_empty="true")
    }
    tags = await listed(site, "tags")
    assert [one["slug"] for one in await listed(site, "tags", search="calculo")] == ["calculo"]
    assert "Cálculo &amp; metrados" in {one["name"] for one in tags}
    (one,) = await listed(site, "tags", slug="portal")
    assert (await site.get(f"{API}/tags/{one['id']}")).json()["slug"] == "portal"
    (post,) = await listed(site, slug="nuevo-portal")
    held = await listed(site, "tags", post=post["id"])
    assert sorted(each["id"] for each in held) == post["tags"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("posts/999999", 404, "rest_post_invalid_id"),
        ("media/999999", 404, "rest_post_invalid_id"),
        ("tags/999999", 404, "rest_term_invalid"),
        ("categories/999999", 404, "rest_term_invalid"),
        ("nothing", 404, "rest_no_route"),
        ("posts/abc", 404, "rest_no_route"),
        ("posts?context=edit", 401, "rest_forbidden_context"),
        ("posts?orderby=include", 400, "rest_orderby_include_missing_include"),
        ("posts?orderby=relevance", 400, "rest_no_search_term_defined"),
    ],
)
async def test_refusals(site: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    answer = await site.get(f"{API}/{path}")
    assert answer.status_code == status
    body = answer.json()
    assert set(body) == {"code", "message", "data"}
    assert (body["code"], body["data"]["status"]) == (code, status)


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("per_page=101", "per_page", "rest_out_of_bounds"),
        ("per_page=0", "per_page", "rest_out_of_bounds"),
        ("page=0", "page", "rest_out_of_bounds"),
        ("page=one", "page", "rest_invalid_type"),
        ("offset=-1", "offset", "rest_out_of_bounds"),
        ("after=yesterday", "after", "rest_invalid_date"),
        ("include=1,a", "include", "rest_invalid_type"),
        ("categories=a", "categories", "rest_invalid_type"),
        ("orderby=price", "orderby", "rest_not_in_enum"),
        ("order=up", "order", "rest_not_in_enum"),
    ],
)
async def test_a_wrong_parameter_is_named(
    site: httpx.AsyncClient, query: str, name: str, code: str
) -> None:
    answer = await site.get(f"{API}/posts?{query}&search=x")
    assert answer.status_code == 400
    body = answer.json()
    assert body["code"] == "rest_invalid_param"
    assert body["message"] == f"Invalid parameter(s): {name}"
    assert body["data"]["params"] == {name: body["data"]["details"][name]["message"]}
    assert body["data"]["details"][name]["code"] == code


async def test_nothing_is_written(site: httpx.AsyncClient) -> None:
    answer = await site.post(f"{API}/posts", json={"title": "x"})
    assert (answer.status_code, answer.json()["code"]) == (401, "rest_cannot_create")
    answer = await site.delete(f"{API}/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "rest_no_route")


async def test_the_index_names_the_namespace(site: httpx.AsyncClient) -> None:
    for path in ("/wp-json", "/wp-json/"):
        assert "wp/v2" in (await site.get(path)).json()["namespaces"]
