"""The catalogue of cases: which kinds can be opened, what each is called, and the form it asks for.

It is data (`catalogue.toml`), read once at the start. Labels stand there in every language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from schema.errors import InputError
from schema.texts import N_

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
    """One field of a form. name is what `details` calls it."""

    name: str
    type: FieldType
    label: Text
    required: bool = False
    help: Text | None = None
    max_length: int | None = None
    options: tuple[Option, ...] | None = None


class Subcategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of request within a category."""

    code: str
    label: Text
    description: Text | None = None
    team: str | None = None
    form: tuple[FormField, ...] = ()


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One category. team: where its cases are routed to."""

    code: str
    kind: Literal["QUERY", "CLAIM", "REQUEST"]
    label: Text
    description: Text | None = None
    team: str | None = None
    form: tuple[FormField, ...] = ()
    subcategories: tuple[Subcategory, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    categories: tuple[Category, ...]


class CatalogueError(ValueError):
    """A catalogue with a mistake; the text names file and key."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All categories, in the order of the file."""

    categories: Sequence[Category]

    @classmethod
    def read(cls, path: Path) -> Catalogue:
        """The catalogue of a file. Raises CatalogueError."""
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(msgspec.convert(raw, _File).categories)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError, OSError) as error:
            raise CatalogueError(f"{path}: {error}") from error

    def category(self, code: str) -> Category:
        """A category by its code. A code that no file knows is shown as it is: the CRM may hold
        cases from before the catalogue."""
        for category in self.categories:
            if category.code == code:
                return category
        return Category(code=code, kind="QUERY", label=Text(es=code, en=code, pt=code))

    def subcategory(self, category: str, code: str) -> Subcategory:
        """A subcategory by its code; an unknown one is shown as it is."""
        for subcategory in self.category(category).subcategories:
            if subcategory.code == code:
                return subcategory
        return Subcategory(code=code, label=Text(es=code, en=code, pt=code))

    def form_field(self, category: str, subcategory: str | None, name: str) -> FormField:
        """A field of the form by its name; an unknown one is shown as it is."""
        form = list(self.category(category).form)
        if subcategory:
            form += self.subcategory(category, subcategory).form
        for field in form:
            if field.name == name:
                return field
        return FormField(name=name, type="TEXT", label=Text(es=name, en=name, pt=name))

    def categories_of(
        self, argument: str, codes: Sequence[str] | None, kinds: Sequence[str] | None
    ) -> tuple[str, ...] | None:
        """Codes of the categories that are meant, None for no condition. Raises InputError."""
        if codes is not None:
            self._known(argument, codes, [category.code for category in self.categories])
        if codes is None and kinds is None:
            return None
        return tuple(
            category.code
            for category in self.categories
            if (codes is None or category.code in codes)
            and (kinds is None or category.kind in kinds)
        )

    def subcategories_of(
        self, argument: str, codes: Sequence[str] | None
    ) -> tuple[str, ...] | None:
        """Codes of the subcategories that are meant, None for no condition. Raises InputError."""
        if codes is None:
            return None
        known = [sub.code for category in self.categories for sub in category.subcategories]
        self._known(argument, codes, known)
        return tuple(dict.fromkeys(codes))

    @staticmethod
    def _known(argument: str, codes: Iterable[str], known: Sequence[str]) -> None:
        for code in codes:
            if code not in known:
                raise InputError(
                    argument,
                    N_("{argument}: there is no {code}. There are: {known}."),
                    code=code[:60],
                    known=", ".join(known),
                )
