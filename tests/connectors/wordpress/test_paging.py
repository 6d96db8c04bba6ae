"""Paging by keyset: each page once, whatever shares a second, and normally one call a page."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.connector import Wiring
from connectors.port.errors import Rejected, Unreadable
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import NewsQuery
from connectors.port.records import NewsArticle
from connectors.systems.wordpress.client import WordPress
from connectors.systems.wordpress.settings import WordPressSettings
from connectors.systems.wordpress.walk import days
from tests.connectors.wordpress.fake_site import URL, Site, post

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIELDS = frozenset({"title", "published_at"})
#: A site of one language: no term is ever asked for.
PLAIN = WordPressSettings(url=URL, locale="es")


def keyset(article: NewsArticle) -> Keyset:
    return Keyset(article.published_at, article.id)


def expected(site: Site) -> list[str]:
    ordered = sorted(site.posts, key=lambda item: (item["date_gmt"], item["id"]), reverse=True)
    return [str(item["id"]) for item in ordered if item["id"] not in site.hidden]


def query(part: Slice, first: date | None = None, last: date | None = None) -> NewsQuery:
    return NewsQuery(FIELDS, part, published_from=first, published_to=last)


async def forward(news: WordPress, limit: int) -> list[list[str]]:
    pages: list[list[str]] = []
    after = None
    while True:
        page = await news.find_news(query(Slice(limit, after=after)))
        pages.append([article.id for article in page.items])
        assert page.has_previous is (after is not None)
        if not page.has_next:
            return pages
        after = keyset(page.items[-1])


async def backward(news: WordPress, limit: int) -> list[list[str]]:
    pages: list[list[str]] = []
    before = None
    while True:
        page = await news.find_news(query(Slice(limit, before=before, backward=True)))
        pages.insert(0, [article.id for article in page.items])
        assert page.has_next is (before is not None)
        if not page.has_previous:
            return pages
        before = keyset(page.items[0])


SECONDS = st.lists(st.integers(0, 6), max_size=40)


@given(
    seconds=SECONDS,
    limit=st.integers(1, 12),
    says_total=st.booleans(),
    seed=st.integers(0, 999),
    hide=st.booleans(),
)
def test_pages_hold_each_post_once_and_in_order(
    seconds: list[int], limit: int, says_total: bool, seed: int, hide: bool
) -> None:
    chance = random.Random(seed)
    numbers = chance.sample(range(1, 200), len(seconds))
    posts = [post(n, START + timedelta(seconds=s)) for n, s in zip(numbers, seconds, strict=True)]
    hidden = frozenset(chance.sample(numbers, len(numbers) // 5)) if hide and says_total else ()
    site = Site(posts, frozenset(hidden), says_total, chance)

    async def both() -> tuple[list[list[str]], list[list[str]]]:
        news = site.connector(PLAIN)
        pages = await forward(news, limit), await backward(news, limit)
        await news.close()
        return pages

    onwards, back = asyncio.run(both())
    assert [number for page in onwards for number in page] == expected(site)
    assert [number for page in back for number in page] == expected(site)
    assert all(len(page) == limit for page in onwards[:-1])
    assert all(len(page) == limit for page in back[1:])


@given(seconds=SECONDS, ends=st.tuples(st.integers(0, 39), st.integers(0, 39)), back=st.booleans())
def test_both_bounds_at_once_cut_on_both_sides(
    seconds: list[int], ends: tuple[int, int], back: bool
) -> None:
    posts = [post(n + 1, START + timedelta(seconds=s)) for n, s in enumerate(seconds)]
    site = Site(posts)
    whole = expected(site)
    if len(whole) < 2:
        return
    first, last = sorted(end % len(whole) for end in ends)
    times = {str(item["id"]): datetime.fromisoformat(item["date_gmt"] + "Z") for item in posts}

    def place(index: int) -> Keyset:
        return Keyset(times[whole[index]], whole[index])

    async def page() -> Page[NewsArticle]:
        part = Slice(5, after=place(first), before=place(last), backward=back)
        news = site.connector(PLAIN)
        found = await news.find_news(query(part))
        await news.close()
        return found

    between = whole[first + 1 : last]
    found = asyncio.run(page())
    assert [item.id for item in found.items] == (between[-5:] if back else between[:5])


@pytest.mark.anyio
@pytest.mark.parametrize("backward_too", [False, True])
async def test_a_page_is_one_call(backward_too: bool) -> None:
    site = Site([post(n, START + timedelta(minutes=n)) for n in range(1, 60)])
    news = site.connector(PLAIN)
    page = await news.find_news(query(Slice(10, backward=backward_too)))
    assert len(site.calls) == 1
    mark = keyset(page.items[0] if backward_too else page.items[-1])
    more = Slice(10, backward=True, before=mark) if backward_too else Slice(10, after=mark)
    assert len((await news.find_news(query(more))).items) == 10
    assert len(site.calls) == 2
    assert [params["per_page"] for params in site.asked("posts")] == ["11", "12"]
    await news.close()


@pytest.mark.anyio
async def test_the_largest_page_takes_two_calls() -> None:
    site = Site([post(n, START + timedelta(minutes=n)) for n in range(1, 150)])
    news = site.connector(PLAIN)
    page = await news.find_news(query(Slice(100)))
    assert [item.id for item in page.items] == [str(n) for n in range(149, 49, -1)]
    assert page.has_next
    assert [int(params["per_page"]) for params in site.asked("posts")] == [100, 10]
    await news.close()


@pytest.mark.anyio
async def test_three_hundred_posts_in_one_second_are_read_in_bounded_rounds() -> None:
    site = Site([post(n, START) for n in range(1, 301)])
    news = site.connector(PLAIN)
    page = await news.find_news(query(Slice(10)))
    assert [item.id for item in page.items] == [str(n) for n in range(300, 290, -1)]
    assert len(site.calls) <= 8
    await news.close()


@pytest.mark.anyio
async def test_more_equals_than_can_be_told_apart_are_an_error() -> None:
    news = Site([post(n, START) for n in range(1, 700)]).connector(PLAIN)
    with pytest.raises(Unreadable, match="share one second"):
        await news.find_news(query(Slice(10)))
    await news.close()


@pytest.mark.anyio
async def test_a_site_that_ignores_the_question_is_an_error() -> None:
    site = Site([post(n, START) for n in range(1, 200)])

    def deaf(request: httpx.Request) -> httpx.Response:
        site.chance.seed(0)
        return site.handle(httpx.Request("GET", request.url.copy_remove_param("exclude")))

    news = site.connector(PLAIN, Wiring(transport=httpx.MockTransport(deaf)))
    with pytest.raises(Unreadable, match="same posts"):
        await news.find_news(query(Slice(1)))
    await news.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "mark",
    [
        Keyset("2026-03-01", "5"),
        Keyset(datetime(2026, 3, 1), "5"),  # noqa: DTZ001 - the naive instant is what is refused
        Keyset(START, "5; --"),
        Keyset(START, "٣"),
    ],
)
async def test_a_foreign_cursor_never_reaches_the_site(mark: Keyset) -> None:
    site = Site([])
    news = site.connector(PLAIN)
    with pytest.raises(Rejected):
        await news.find_news(query(Slice(5, after=mark)))
    assert site.calls == []
    await news.close()


@pytest.mark.anyio
async def test_cursors_at_the_ends_of_the_calendar() -> None:
    news = Site([post(1, START)]).connector(PLAIN)
    late = Keyset(datetime.max.replace(tzinfo=UTC), "1")
    early = Keyset(datetime.min.replace(tzinfo=UTC), "1")
    assert len((await news.find_news(query(Slice(5, after=late, before=early)))).items) == 1
    await news.close()


@pytest.mark.anyio
async def test_days_are_inclusive() -> None:
    instants = ["02-28T23:59:59", "03-01T00:00:00", "03-02T23:59:59", "03-03T00:00:00"]
    posts = [post(n, datetime.fromisoformat(f"2026-{at}Z")) for n, at in enumerate(instants, 1)]
    site = Site(posts)
    news = site.connector(PLAIN)
    page = await news.find_news(query(Slice(5), date(2026, 3, 1), date(2026, 3, 2)))
    assert [item.id for item in page.items] == ["3", "2"]
    (asked,) = site.asked("posts")
    assert (asked["after"], asked["before"]) == ("2026-02-28T23:59:59Z", "2026-03-03T00:00:00Z")
    await news.close()


def test_days_without_neighbours() -> None:
    assert days(date.min, date.max) == (None, None)
