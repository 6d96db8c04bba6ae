"""What people write into forms: brought into one shape, and told from what cannot be kept. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Characters that turn the direction of what stands around them, so that it reads as another text.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Control characters, halves of a pair, and what each company means something else by. Not what
#: Unicode has not assigned yet: newer telephones know more characters than this program.
_NEVER: Final = frozenset({"Cc", "Cs", "Co"})
_NO_CHARACTERS: Final = frozenset("\ufffe\uffff")
_LINE_END: Final = re.compile("\r\n|[\r\n\u0085\u2028\u2029]")
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()./-]{3,}( ?(x|ext\.?|#) ?[0-9]{1,6})?")
_EMAIL: Final = re.compile(r"[^@\s<>()\[\],;:\\\"]{1,64}@[^@\s<>()\[\],;:\\\".]+(\.[^@\s<>.]+)+")


def one_line(text: str) -> str:
    """On one line, without spaces around or doubled inside."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def lines(text: str) -> str:
    """Lines that end with a newline alone and without spaces; empty ones around are gone."""
    plain = _LINE_END.split(unicodedata.normalize("NFC", text))
    return "\n".join(line.rstrip() for line in plain).strip()


def can_be_kept(text: str) -> bool:
    """Whether there is nothing in it that systems refuse or that makes a text look like another."""
    return not any(
        letter in _TURNING
        or letter in _NO_CHARACTERS
        or (letter not in "\n\t" and unicodedata.category(letter) in _NEVER)
        for letter in text
    )


def is_phone(text: str) -> bool:
    """Whether it reads as a telephone number."""
    return _PHONE.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Whether it reads as an e-mail address."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None
