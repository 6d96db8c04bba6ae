"""Questions as they are answered: languages, words, topics and slices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.kit.connector import Wiring
from connectors.port.errors import Rejected
from connectors.port.pages import Keyset, Slice, SortValue
from connectors.port.queries import QuestionQuery
from connectors.port.records import Question, QuestionTopic
from connectors.systems import content
from connectors.systems.content.client import Questions

pytestmark = pytest.mark.anyio


def text(question: str, answer: str, topic: str = "ACCESS") -> str:
    return f"---\ntopic: {topic}\n---\n# {question}\n\n{answer}\n"


FILES = {
    "010-password.es.md": text("¿Olvidó su contraseña?", "Pide un código."),
    "010-password.es-CO.md": text("¿Olvidaste la clave?", "Pide un código."),
    "010-password.en.md": text("Forgot your password?", "Ask for a code."),
    "020-orders.es.md": text("¿Y mis pedidos?", "En Pedidos, 24/7.", "ORDERS"),
    "020-orders.en.md": text("And my orders?", "In Orders.", "ORDERS"),
    "030-hours.es.md": text("¿Cuándo?", "24/7, siempre."),
    "030-hours.pt-BR.md": text("Quando?", "Sempre: 24 horas."),
}


@pytest.fixture
async def questions(tmp_path: Path) -> Questions:
    for name, written in FILES.items():
        (tmp_path / name).write_text(written, encoding="utf-8")
    system = await content.connector.start("help", {"path": str(tmp_path)}, Wiring())
    assert isinstance(system.questions, Questions)
    await system.check()
    return system.questions


async def found(
    questions: Questions,
    locale: str = "es",
    search: str | None = None,
    topic: QuestionTopic | None = None,
) -> Sequence[Question]:
    query = QuestionQuery(locale, Slice(100), topic, search)
    return (await questions.find_questions(query)).items


@pytest.mark.parametrize(
    ("locale", "locales"),
    [
        ("es", ["es", "es", "es"]),
        ("es-CO", ["es-CO", "es", "es"]),
        ("ES-co", ["es-CO", "es", "es"]),
        ("es-PE", ["es", "es", "es"]),
        ("en-US", ["en", "en", "es"]),
        ("pt-BR", ["es", "es", "pt-BR"]),
        ("pt", ["es", "es", "pt-BR"]),
        ("pt-PT", ["es", "es", "pt-BR"]),
        ("fr", ["es", "es", "es"]),
        ("", ["es", "es", "es"]),
    ],
)
async def test_the_nearest_language_answers(
    questions: Questions, locale: str, locales: list[str]
) -> None:
    answered = await found(questions, locale)
    assert [question.locale for question in answered] == locales
    assert [question.id for question in answered] == ["password", "orders", "hours"]


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("CONTRASENA", ["password"]),
        ("contraseña", ["password"]),
        ("codigo olvido", ["password"]),
        ("24/7", ["orders", "hours"]),
        ("¿cuándo?", ["hours"]),
        ("contraseña siempre", []),
        ("' OR 1=1 --", []),
        ("%", ["password", "orders", "hours"]),  # no word, no condition
        ("", ["password", "orders", "hours"]),
    ],
)
async def test_each_word_is_found_whatever_case_and_accents(
    questions: Questions, search: str, ids: list[str]
) -> None:
    assert [question.id for question in await found(questions, search=search)] == ids


async def test_a_topic(questions: Questions) -> None:
    answered = await found(questions, topic=QuestionTopic.ORDERS)
    assert [question.id for question in answered] == ["orders"]
    assert await found(questions, topic=QuestionTopic.TRAINING) == []


async def test_slices_in_both_directions(questions: Questions) -> None:
    async def ids(part: Slice) -> tuple[list[str], bool, bool]:
        page = await questions.find_questions(QuestionQuery("es", part))
        return [item.id for item in page.items], page.has_previous, page.has_next

    middle = Keyset(20, "orders")
    assert await ids(Slice(2)) == (["password", "orders"], False, True)
    assert await ids(Slice(2, after=middle)) == (["hours"], True, False)
    assert await ids(Slice(1, backward=True)) == (["hours"], True, False)
    assert await ids(Slice(1, before=middle, backward=True)) == (["password"], False, True)


@pytest.mark.parametrize("value", ["20", True])
async def test_a_foreign_cursor_is_refused(questions: Questions, value: SortValue) -> None:
    query = QuestionQuery("es", Slice(1, after=Keyset(value, "orders")))
    with pytest.raises(Rejected):
        await questions.find_questions(query)


async def test_by_id_in_order_with_holes(questions: Questions) -> None:
    asked = ["hours", "nobody", "password", "hours", "../password", ""]
    answered = await questions.questions_by_id(asked, "es")
    assert [q and (q.id, q.locale) for q in answered] == [
        ("hours", "es"),
        None,
        ("password", "es"),
        ("hours", "es"),
        None,
        None,
    ]
    assert await questions.questions_by_id([], "es") == []
    (brazilian,) = await questions.questions_by_id(["hours"], "pt-BR")
    assert brazilian is not None
    assert brazilian.locale == "pt-BR"
