"""Language, country, tags and words: which posts match, and in how many calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.connector import Wiring
from connectors.port.errors import Rejected
from connectors.port.pages import Slice
from connectors.port.queries import NewsQuery
from connectors.systems.wordpress import filters
from connectors.systems.wordpress.filters import Clause
from connectors.systems.wordpress.settings import Told, WordPressSettings
from connectors.systems.wordpress.terms import slugged
from connectors.systems.wordpress.translate import words
from tests.connectors.wordpress.fake_site import CATEGORIES, SETTINGS, URL, Site, post

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIELDS = frozenset({"title", "locale", "countries", "published_at"})
QUERY = NewsQuery(FIELDS, Slice(100))
pytestmark = pytest.mark.anyio


def site_of(*categories: Iterable[int], tags: tuple[int, ...] = ()) -> Site:
    return Site(
        [
            post(number, START + timedelta(minutes=number), tuple(held), tags)
            for number, held in enumerate(categories, 1)
        ]
    )


async def found(site: Site, query: NewsQuery, settings: WordPressSettings = SETTINGS) -> set[str]:
    news = site.connector(settings)
    page = await news.find_news(query)
    await news.close()
    return {article.id for article in page.items}


async def test_a_locale_finds_its_language() -> None:
    site = site_of((2,), (3,), (2, 5), (4,), (1,))
    assert await found(site, replace(QUERY, locale="es-CO")) == {"1", "3"}
    assert await found(site, replace(QUERY, locale="pt-PT")) == {"4"}
    assert await found(site, replace(QUERY, locale="PT-br")) == {"4"}
    before = len(site.calls)
    assert await found(site, replace(QUERY, locale="fr")) == set()
    assert len(site.calls) == before + 1, "only the terms were asked"


async def test_posts_that_say_no_language_have_the_sites_own() -> None:
    settings = WordPressSettings(url=URL, language=Told(prefix="lang-"), locale="es")
    site = site_of((2,), (3,), (1,))
    assert await found(site, replace(QUERY, locale="es"), settings) == {"1", "3"}
    assert await found(site, replace(QUERY, locale="en"), settings) == {"2"}


async def test_a_site_of_one_language() -> None:
    plain = WordPressSettings(url=URL, locale="es")
    site = site_of((1,), (1,))
    assert await found(site, replace(QUERY, locale="es-PE"), plain) == {"1", "2"}
    assert len(site.calls) == 1
    assert await found(site, replace(QUERY, locale="en"), plain) == set()
    assert len(site.calls) == 1


@given(st.lists(st.sets(st.sampled_from(sorted(CATEGORIES))), max_size=20))
def test_a_country_finds_its_posts_and_those_for_all(held: list[set[int]]) -> None:
    """Co is 5, of the countries 5, 6, 7; a post for two countries is for both."""
    site = site_of(*held)
    query = replace(QUERY, locale="es", country="CO")

    def meets(categories: set[int]) -> bool:
        countries = categories & {5, 6, 7}
        return 2 in categories and (not countries or 5 in countries)

    expected = {str(number) for number, categories in enumerate(held, 1) if meets(categories)}
    assert asyncio.run(found(site, query)) == expected


async def test_a_country_costs_two_calls_side_by_side() -> None:
    site = site_of((2,), (2, 5), (2, 5, 6), (2, 6))
    news = site.connector()
    query = replace(QUERY, locale="es", country="co", part=Slice(2))
    page = await news.find_news(query)
    assert [article.id for article in page.items] == ["3", "2"]
    assert page.has_next
    assert [article.countries for article in page.items] == [("CO", "PE"), ("CO",)]
    here, nowhere = site.asked("posts")
    assert (here["categories[terms]"], here["categories[operator]"]) == ("2,5", "AND")
    assert (nowhere["categories"], nowhere["categories_exclude"]) == ("2", "5,6,7")
    assert len(site.asked("categories")) == 1
    await news.find_news(query)
    assert (len(site.asked("posts")), len(site.asked("categories"))) == (4, 1), "terms are kept"
    await news.close()


async def test_a_country_without_a_term_sees_what_is_for_all() -> None:
    site = site_of((2,), (2, 5))
    assert await found(site, replace(QUERY, country="AR")) == {"1"}
    assert len(site.asked("posts")) == 1


async def test_terms_are_asked_again_when_they_are_old() -> None:
    site = site_of((2,))
    now = [START]
    news = site.connector(
        wiring=Wiring(transport=httpx.MockTransport(site.handle), clock=lambda: now[0])
    )
    for seconds, asked in [(0, 1), (599, 1), (601, 2)]:
        now[0] = START + timedelta(seconds=seconds)
        await news.find_news(QUERY)
        assert len(site.asked("categories")) == asked
    site.posts[0]["categories"] = [2, 99]
    now[0] += timedelta(seconds=31)
    await news.find_news(QUERY)
    assert len(site.asked("categories")) == 3, "a term that nobody knows is worth a look"
    await news.find_news(QUERY)
    assert len(site.asked("categories")) == 3, "but not all the time"
    await news.close()


async def test_many_askers_read_the_terms_once() -> None:
    site = site_of((2,))
    news = site.connector()
    await asyncio.gather(*(news.find_news(replace(QUERY, locale="es")) for _ in range(5)))
    assert len(site.asked("categories")) == 1
    await news.close()


@pytest.mark.parametrize(
    ("tags", "ids", "calls"),
    [
        (("obra",), "20", 1),
        (("Obra",), "20", 1),
        (("yeso",), "21", 1),
        (("Yeso",), "22", 2),  # a name goes before the slug that it would have made
        (("Yeso", "R&D"), "22,23", 2),
        ((" obra ", "obra"), "20", 1),
    ],
)
async def test_tags_are_found_by_slug_or_name(tags: tuple[str, ...], ids: str, calls: int) -> None:
    site = site_of((2,), tags=(20, 22, 21, 23))
    news = site.connector()
    query = replace(QUERY, tags=tags)
    assert len((await news.find_news(query)).items) == 1
    assert site.asked("posts")[-1]["tags"] == ids
    assert len(site.asked("tags")) == calls
    await news.find_news(query)
    assert len(site.asked("tags")) == calls
    await news.close()


async def test_tags_that_nobody_has_ask_for_no_posts() -> None:
    site = site_of((2,), tags=(20,))
    assert await found(site, replace(QUERY, tags=("o'brien\"", "日本"))) == set()
    assert await found(site, replace(QUERY, tags=())) == set()
    assert site.asked("posts") == []


async def test_too_many_tags_are_refused() -> None:
    site = site_of((2,))
    with pytest.raises(Rejected) as caught:
        await found(site, replace(QUERY, tags=tuple(map(str, range(51)))))
    assert caught.value.field == "tags"
    assert site.calls == []


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("placa yeso", "placa yeso"),
        ('-placa --"yeso', "placa yeso"),
        ("O'Brien & co", "O'Brien & co"),
        ("fibro-cemento", "fibro-cemento"),
        ('"-"', ""),
    ],
)
def test_words_are_words(typed: str, asked: str) -> None:
    assert words(typed) == asked


async def test_a_search_travels_as_one_value() -> None:
    site = site_of((2,))
    await found(site, replace(QUERY, search="post&per_page=1#x'"))
    (asked,) = site.asked("posts")
    assert asked["search"] == "post&per_page=1#x'"
    assert asked.get_list("per_page") == ["100"]
    await found(site, replace(QUERY, search="  "))
    assert "search" not in site.asked("posts")[-1]


def test_slugs_as_wordpress_makes_them() -> None:
    made = {"Placas de Yeso": "placas-de-yeso", "Construcción": "construccion", "日本": ""}
    made |= {"R&D": "rd", "a,b": "ab", " - ": ""}
    assert {name: slugged(name) for name in made} == made


def test_a_question_in_the_words_of_wordpress() -> None:
    spanish, here = Clause("categories", frozenset({2})), Clause("categories", frozenset({5}))
    elsewhere = Clause("categories", frozenset({7, 6}), present=False)
    tags = Clause("tags", frozenset({20, 3}))
    (question,) = filters.choices([[spanish], [here], [elsewhere], [tags]])
    assert question.params() == [
        ("tags", "3,20"),
        ("categories[terms]", "2,5"),
        ("categories[operator]", "AND"),
        ("categories_exclude", "6,7"),
    ]


async def test_a_language_told_by_a_tag_is_no_tag_of_the_article() -> None:
    settings = WordPressSettings(url=URL, language=Told(prefix="yeso", taxonomy="tags"))
    site = site_of((2,), tags=(20, 21, 23))
    news = site.connector(settings)
    (article,) = await news.news_by_id(["1"], frozenset({"tags"}))
    assert article is not None
    assert article.tags == ("Obra", "R&D")
    await news.close()


CLAUSES = st.builds(
    Clause,
    st.sampled_from(["categories", "tags"]),
    st.frozensets(st.integers(1, 5), min_size=1, max_size=3),
    st.booleans(),
)


@given(
    asked=st.lists(st.lists(CLAUSES, max_size=2), max_size=3),
    held=st.dictionaries(
        st.sampled_from(["categories", "tags"]), st.frozensets(st.integers(1, 5)), max_size=2
    ),
)
def test_the_questions_together_mean_the_filters(
    asked: list[list[Clause]], held: dict[str, frozenset[int]]
) -> None:
    def one(clause: Clause) -> bool:
        return bool(held.get(clause.taxonomy, frozenset()) & clause.ids) is clause.present

    def of(question: filters.Choice) -> bool:
        def has(name: str) -> Any:
            return held.get(name, frozenset())

        return (
            all(has(name) & ids for name, ids in question.any_of.items())
            and all(has(name) >= ids for name, ids in question.all_of.items())
            and not any(has(name) & ids for name, ids in question.none_of.items())
        )

    try:
        questions = filters.choices(asked)
    except filters.TooManyChoices:
        return
    assert len(questions) <= filters.LIMIT
    meant = all(any(one(clause) for clause in alternatives) for alternatives in asked)
    assert any(of(question) for question in questions) is meant
