"""Texts for people, in the languages of the portal: gettext catalogues, found by language tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.core import negotiate_locale

LANGUAGES = ("es", "en", "pt")
_LOCALE = Path(__file__).parent / "locale"


def N_(text: str) -> str:  # noqa: N802 - the name that message extractors look for
    """Marks a text for the catalogues without translating it yet."""
    return text


@cache
def catalogue(language: str) -> NullTranslations:
    """The texts of one of LANGUAGES. English is what stands in the code."""
    path = _LOCALE / language / "LC_MESSAGES" / "portal.po"
    if language == "en" or not path.exists():
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def load() -> None:
    """Reads every language's texts, which otherwise happens when one is first needed."""
    for language in LANGUAGES:
        catalogue(language)


def say(language: str, text: str, values: Mapping[str, object] | None = None) -> str:
    """A text in a language, with its placeholders filled."""
    return catalogue(language).gettext(text).format_map(values or {})


def negotiate(wanted: Iterable[str], default: str) -> str:
    """The one of LANGUAGES that fits best. wanted: BCP 47 tags, best first."""
    tags = [tag.replace("_", "-") for tag in wanted]
    return negotiate_locale(tags, LANGUAGES, sep="-") or default
