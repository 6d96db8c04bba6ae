"""Writes mails: a template in a language, its values, and headers that nobody else can add to."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from enum import StrEnum
from functools import cache
from pathlib import Path

from schema.texts import LANGUAGES

_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST = 200
_SUBJECT = "Subject: "


class Kind(StrEnum):
    """What a mail is about; the start of its templates' names."""

    INVITATION = "invitation"
    RESET = "reset_code"
    CHANGED = "password_changed"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be written. values: for the template; they may hold a secret. gist: the one line
    that somebody needs who cannot read mails, on the embedded default."""

    kind: Kind
    recipient: str
    language: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    name: str = ""
    gist: str = field(default="", repr=False)


def compose(
    letter: Letter, sender_name: str, sender_address: str, clock: Callable[[], datetime]
) -> EmailMessage:
    """The mail, in HTML and plain text. Raises ValueError for an address that is none."""
    language = letter.language if letter.language in LANGUAGES else "en"
    values = {name: one_line(value) for name, value in letter.values.items()}
    subject, _, text = _template(letter.kind, language, "txt").partition("\n")
    message = EmailMessage(policy=SMTP)
    domain = sender_address.rpartition("@")[2]
    message["From"] = Address(one_line(sender_name), addr_spec=sender_address)
    message["To"] = Address(one_line(letter.name), addr_spec=letter.recipient)
    message["Subject"] = one_line(subject.removeprefix(_SUBJECT).format_map(values))
    message["Date"] = format_datetime(clock())
    message["Message-ID"] = make_msgid(domain=domain)
    # No answer is expected, and vacation notices would be one: RFC 3834.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(text.lstrip().format_map(values))
    safe = {name: html.escape(value) for name, value in values.items()}
    body = _template(letter.kind, language, "html").format_map(safe)
    frame = _frame().replace("[language]", language)
    message.add_alternative(frame.replace("[body]", body), subtype="html")
    # Last: whatever sets the content removes such headers.
    message["Content-Language"] = language
    return message


def one_line(text: str) -> str:
    """Without line breaks and other controls: what people typed cannot become a header."""
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[:_LONGEST])
    return " ".join(kept.split())


@cache
def _template(kind: Kind, language: str, form: str) -> str:
    path = _TEMPLATES / f"{kind.value}.{language}.{form}"
    return path.read_text(encoding="utf-8")


@cache
def _frame() -> str:
    return (_TEMPLATES / "frame.html").read_text(encoding="utf-8")


def read_templates() -> None:
    """Reads all of them once, so that no mail waits for a disk. Raises OSError."""
    _frame()
    for kind in Kind:
        for language in LANGUAGES:
            _template(kind, language, "txt")
            _template(kind, language, "html")
