"""What a catalogue of cases is made of: categories, subcategories, and the forms they ask for."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

FieldType = Literal[
    "TEXT",
    "MULTILINE",
    "EMAIL",
    "PHONE",
    "INTEGER",
    "DATE",
    "CHOICE",
    "ORDER_NUMBER",
    "INVOICE_NUMBER",
]

#: Most characters of a field by its type; what has a form of its own needs no bound.
LONGEST: Final[dict[FieldType, int]] = {
    "TEXT": 255,
    "MULTILINE": 10_000,
    "EMAIL": 254,
    "PHONE": 40,
    "INTEGER": 15,
    "ORDER_NUMBER": 40,
    "INVOICE_NUMBER": 40,
}
#: Most characters of a subject.
SUBJECT: Final = 255
#: What CRMs hold of a long text, as they count it: see `taken`. Salesforce: 32,000 for the
#: description, and as much for all fields of the form together, with their names.
LONG_TEXT: Final = 32_000
#: Bytes of a comment. Salesforce counts bytes here: CaseComment.CommentBody.
COMMENT: Final = 4_000


def taken(text: str) -> int:
    """How long CRMs find a text: in units of UTF-16, a line's end counted as two."""
    return len(text.encode("utf-16-le")) // 2 + text.count("\n")


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in every language of the portal."""

    es: str
    en: str
    pt: str

    def of(self, language: str) -> str:
        """The text in one of schema.texts.LANGUAGES."""
        text: str = getattr(self, language)
        return text


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice of a field. value is what is sent."""

    value: str
    label: Text


class FormField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field of a form. name is what `details` calls it. max_length: that of LONGEST where the
    file says nothing."""

    name: str
    type: FieldType
    label: Text
    required: bool = False
    help: Text | None = None
    max_length: int | None = None
    options: tuple[Option, ...] | None = None


class Subcategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of request within a category, which tells what is left out here."""

    code: str
    label: Text
    description: Text | None = None
    team: str | None = None
    description_max_length: int | None = None
    asks_subject: bool | None = None
    asks_order: bool | None = None
    form: tuple[FormField, ...] = ()


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One category. team: where its cases are routed to. asks_subject, asks_order: whether a portal
    shows a field for it; both are taken from whoever sends them."""

    code: str
    kind: Literal["QUERY", "CLAIM", "REQUEST"]
    label: Text
    description: Text | None = None
    team: str | None = None
    description_max_length: int = 4_000
    asks_subject: bool = True
    asks_order: bool = True
    form: tuple[FormField, ...] = ()
    subcategories: tuple[Subcategory, ...] = ()
