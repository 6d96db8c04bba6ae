"""Published articles as questions and as news: for whom, in which language, in what form."""

# queries are written out here to be compared, never to be run

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import NewsQuery, QuestionQuery
from connectors.port.records import NewsArticle, Question, QuestionTopic
from connectors.port.sources import NewsSource, QuestionSource
from connectors.systems.salesforce.articles import plain
from tests.connectors.salesforce.fake_org import Answers, Org, found, nothing

pytestmark = pytest.mark.anyio

PUBLIC = "PublishStatus = 'Online' AND IsVisibleInCsp = true"
PUBLISHED = datetime(2026, 3, 5, 9, tzinfo=UTC)
ONE, TWO, THREE = "ka0SB0000000001AAA", "ka0SB0000000002AAA", "ka0SB0000000003AAA"


async def questions(answers: Answers = nothing, **changes: Any) -> tuple[QuestionSource, Org]:
    org = Org(answers)
    system = await org.system(knowledge={"serves": ["questions"], **changes})
    assert system.questions is not None
    assert system.news is None
    return system.questions, org


async def news(answers: Answers = nothing, **changes: Any) -> tuple[NewsSource, Org]:
    org = Org(answers)
    system = await org.system(knowledge={"serves": ["news"], **changes})
    assert system.news is not None
    assert system.questions is None
    return system.news, org


async def test_an_org_without_knowledge_offers_none() -> None:
    system = await Org().system()
    assert system.name == "crm"
    assert (system.news, system.questions, system.orders) == (None, None, None)
    assert system.customers is not None
    assert system.cases is not None
    await system.check()
    await system.close()


# ------------------------------------------------------------------------------------- questions


def article(article_id: str, number: str, title: str, body: str = "") -> dict[str, Any]:
    row = {"Id": article_id, "ArticleNumber": number, "Title": title, "Body__c": body}
    return row | {"Language": "es", "Topic__c": "Pedidos"}


ROWS = [
    article(TWO, "000000012", "¿Qué es?", "<p>Una <b>plataforma</b></p>"),
    article(ONE, "000000003", "¿Olvidó su contraseña?", "<ol><li>Haz clic</li><li>Copia</li></ol>"),
    article(THREE, "000000012", "¿Dónde están mis pedidos?", "En &laquo;Mis pedidos&raquo;"),
]


async def test_questions_come_in_reading_order_as_plain_text() -> None:
    source, org = await questions(
        lambda soql: found(*ROWS), topic="Topic__c", topics={"ORDERS": ["Pedidos"]}
    )
    page = await source.find_questions(QuestionQuery("es-CO", Slice(2)))
    assert page.items == [
        Question(
            ONE, "¿Olvidó su contraseña?", "- Haz clic\n- Copia", QuestionTopic.ORDERS, "es", 3
        ),
        Question(TWO, "¿Qué es?", "Una plataforma", QuestionTopic.ORDERS, "es", 12),
    ]
    assert page.has_next
    after = Slice(2, after=Keyset(12, TWO))
    page = await source.find_questions(QuestionQuery("es", after))
    assert [one.id for one in page.items] == [THREE]
    assert org.queries[0] == (
        "SELECT Id,Title,ArticleNumber,Language,Body__c,Topic__c FROM Knowledge__kav "
        f"WHERE {PUBLIC} AND Language = 'es' ORDER BY ArticleNumber ASC,Id ASC LIMIT 500"
    )


@pytest.mark.parametrize(
    ("search", "topic", "ids"),
    [
        ("CONTRASENA", None, [ONE]),
        ("plataforma que", None, [TWO]),
        ("plataforma contraseña", None, []),
        (None, QuestionTopic.ACCESS, []),
        (None, QuestionTopic.CLAIMS, [ONE, TWO, THREE]),
        ("  ", None, [ONE, TWO, THREE]),
    ],
)
async def test_questions_are_searched_whatever_their_case_and_accents(
    search: str | None, topic: QuestionTopic | None, ids: list[str]
) -> None:
    source, _ = await questions(lambda soql: found(*ROWS), other_topic="CLAIMS")
    page = await source.find_questions(QuestionQuery("es", Slice(5), topic, search))
    assert [one.id for one in page.items] == ids


async def test_questions_of_a_language_that_is_not_kept_are_none() -> None:
    source, org = await questions(languages={"es": "es", "pt-BR": "pt_BR"})
    for locale in ("de", "pt", "pt-PT", ""):
        assert await source.find_questions(QuestionQuery(locale, Slice(5))) == Page(())
    assert org.calls == []
    await source.find_questions(QuestionQuery("pt-br", Slice(5)))
    assert "Language = 'pt_BR'" in org.queries[0]


async def test_questions_by_id() -> None:
    source, org = await questions(lambda soql: found(*ROWS), question_types=["FAQ"], audience="")
    answer = await source.questions_by_id([TWO, "nonsense'", ONE[:15], "ka0SB0000000009AAA"], "es")
    assert [one and one.id for one in answer] == [TWO, None, ONE, None]
    assert f"AND Id IN ('{TWO}','{ONE[:15]}','ka0SB0000000009AAA')" in org.queries[0]
    assert "PublishStatus = 'Online' AND RecordType.DeveloperName IN ('FAQ')" in org.queries[0]
    assert await source.questions_by_id(["nonsense"], "es") == [None]
    assert len(org.calls) == 1


def test_plain_text_keeps_lines_and_nothing_else() -> None:
    html = (
        "<style>p{}</style><p>Uno &amp; dos<br>tres</p>\n<ul><li></li><li>a\n b</li></ul>"
        "<script>alert(1)</script><template>x</template></style>fin<b> negro</b><!-- no -->"
    )
    assert plain(html) == "Uno & dos\ntres\n- a b\nfin negro"
    assert plain("") == ""


# ------------------------------------------------------------------------------------------ news


def told(article_id: str, language: str = "es", slug: str = "obra") -> dict[str, Any]:
    return {
        "Id": article_id,
        "Title": "Nueva placa",
        "UrlName": slug,
        "Summary": None,
        "Body__c": '<p onclick="x()">Hola<script>alert(1)</script> <a href="/kb">aquí</a></p>',
        "Language": language,
        "LastPublishedDate": "2026-03-05T09:00:00.000+0000",
        "Tags__c": "Obra;Yeso",
        "Countries__c": "co;PE",
    }


WHOLE = frozenset({"slug", "title", "summary", "body", "image_url", "locale", "countries", "tags"})


async def test_news_in_full_are_sanitised() -> None:
    source, org = await news(
        lambda soql: found(told(ONE)), tags="Tags__c", countries="Countries__c"
    )
    page = await source.find_news(NewsQuery(WHOLE, Slice(1)))
    assert page.items == [
        NewsArticle(
            ONE,
            "obra",
            "Nueva placa",
            None,
            '<p>Hola <a href="https://acme.my.salesforce.com/kb" rel="noopener">aquí</a></p>',
            None,
            "es",
            ("CO", "PE"),
            ("Obra", "Yeso"),
            PUBLISHED,
        )
    ]
    assert org.queries == [
        (
            "SELECT Id,LastPublishedDate,UrlName,Title,Summary,Body__c,Language,"
            "Countries__c,Tags__c "
            f"FROM Knowledge__kav WHERE {PUBLIC} ORDER BY LastPublishedDate DESC,Id DESC LIMIT 2"
        )
    ]


async def test_news_ask_for_no_more_than_is_needed() -> None:
    source, org = await news(lambda soql: found(told(ONE)))
    page = await source.find_news(NewsQuery(frozenset({"tags", "countries"}), Slice(1)))
    assert page.items == [NewsArticle(ONE, countries=(), tags=(), published_at=PUBLISHED)]
    assert org.queries[0].startswith("SELECT Id,LastPublishedDate FROM Knowledge__kav ")


@pytest.mark.parametrize(
    ("filters", "where"),
    [
        ({"locale": "en-GB"}, "Language = 'en_US'"),
        ({"tags": ("Obra", "a;b")}, "Tags__c INCLUDES ('Obra')"),
        ({"country": "CO"}, "(Countries__c = null OR Countries__c INCLUDES ('CO'))"),
        (
            {"published_from": date(2026, 3, 1), "published_to": date(2026, 3, 2)},
            (
                "LastPublishedDate >= 2026-03-01T00:00:00.000Z AND "
                "LastPublishedDate < 2026-03-03T00:00:00.000Z"
            ),
        ),
        ({"published_to": date.max}, "LastPublishedDate < 4000-12-31T00:00:00.000Z"),
        (
            {"search": "placa d'obra"},
            (
                "(Title LIKE '%placa%' OR Summary LIKE '%placa%') AND "
                "(Title LIKE '%d\\'obra%' OR Summary LIKE '%d\\'obra%')"
            ),
        ),
        (
            {"part": Slice(5, after=Keyset(PUBLISHED, ONE))},
            (
                "(LastPublishedDate < 2026-03-05T09:00:00.000Z OR "
                f"(LastPublishedDate = 2026-03-05T09:00:00.000Z AND Id < '{ONE}'))"
            ),
        ),
    ],
)
async def test_news_filters(filters: dict[str, Any], where: str) -> None:
    source, org = await news(tags="Tags__c", countries="Countries__c")
    await source.find_news(NewsQuery(**{"fields": frozenset(), "part": Slice(5), **filters}))
    assert f" WHERE {PUBLIC} AND {where} ORDER BY " in org.queries[0]


async def test_news_that_cannot_be_are_not_asked_for() -> None:
    source, org = await news()
    assert await source.find_news(NewsQuery(frozenset(), Slice(5), "de")) == Page(())
    query = NewsQuery(frozenset(), Slice(5), tags=("Obra",))
    assert await source.find_news(query) == Page(())
    # Articles that name no country are for all of them.
    await source.find_news(NewsQuery(frozenset(), Slice(5), country="CO"))
    assert len(org.calls) == 1


async def test_news_by_id_and_by_slug() -> None:
    rows = [told(TWO, "pt_BR"), told(ONE), told(THREE, "en_US", "x")]
    source, org = await news(lambda soql: found(*rows))
    answer = await source.news_by_id([THREE, "x'", ONE[:15]], frozenset())
    assert [one and one.id for one in answer] == [THREE, None, ONE]
    answer = await source.news_by_slug(["obra", "none", "x", ""], frozenset({"title"}))
    assert [one and one.id for one in answer] == [ONE, None, THREE, None]
    assert org.queries[1] == (
        "SELECT Id,LastPublishedDate,UrlName,Title,Language FROM Knowledge__kav "
        f"WHERE {PUBLIC} AND UrlName IN ('obra','none','x')"
    )
    assert await source.news_by_slug([""], frozenset()) == [None]
    assert len(org.calls) == 2
