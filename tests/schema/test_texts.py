"""Texts for people: every one in every language, with the same placeholders."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from schema.texts import LANGUAGES, negotiate, say

ROOT = Path(__file__).parent.parent.parent


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def in_code() -> set[str]:
    found: set[str] = set()
    for room in ("gateway", "schema"):
        for _, _, message, _, _ in extract_from_dir(
            ROOT / room, method_map=[("**.py", "python")], keywords={"N_": None, "say": None}
        ):
            assert isinstance(message, str)
            found.add(message)
    return found


@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "en"])
def test_every_text_is_there(language: str) -> None:
    path = ROOT / "schema" / "locale" / language / "LC_MESSAGES" / "portal.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    texts = {str(m.id): str(m.string) for m in catalogue if m.id}
    assert set(texts) == in_code(), "run `make messages` and translate what is new"
    for text, translated in texts.items():
        assert translated, text
        assert placeholders(translated) == placeholders(text), text


def test_a_text_is_said_in_its_language() -> None:
    assert say("es", "Sign in to see this.") == "Inicia sesión para ver esto."
    assert say("pt", "Sign in to see this.") == "Entre para ver isto."
    assert say("en", "Sign in to see this.") == "Sign in to see this."


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (["pt-BR", "es"], "pt"),
        (["fr", "en-GB"], "en"),
        (["es-419"], "es"),
        (["fr"], "es"),
        ([], "es"),
    ],
)
def test_the_best_fitting_language_is_chosen(wanted: list[str], language: str) -> None:
    assert negotiate(wanted, "es") == language
