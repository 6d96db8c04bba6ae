"""Text that callers search for: trimmed and bounded before it becomes data of a question."""

from __future__ import annotations

import unicodedata

from schema.errors import InputError
from schema.texts import N_

_LONGEST_CODE, _LONGEST_SEARCH = 200, 200


def code(argument: str, value: str | None) -> str | None:
    """A number or reference as people type it. None when nothing was asked."""
    return _clean(argument, value, _LONGEST_CODE)


def words(argument: str, value: str | None) -> str | None:
    """Words to search for. None when nothing was asked."""
    return _clean(argument, value, _LONGEST_SEARCH)


def ascii_lower(text: str) -> str:
    """With A to Z in lower case and nothing else changed, as addresses are compared: `str.lower`
    would make one address of two that only look alike."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _clean(argument: str, value: str | None, longest: int) -> str | None:
    if value is None:
        return None
    if value.isascii() and value.isalnum() and len(value) <= longest:
        return value  # nothing to trim, to put together or to refuse
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if not text:
        raise InputError(argument, N_("{argument} is empty. Leave it out to see everything."))
    if len(text) > longest:
        raise InputError(argument, N_("{argument} is longer than {most} characters."), most=longest)
    if any(unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") for c in text):
        raise InputError(argument, N_("{argument} holds characters that cannot be searched for."))
    return text
