"""The catalogue of cases: which kinds can be opened, what each is called, and the form it asks for.

It is data (`catalogue.toml`), read once at the start. Labels stand there in every language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from schema.cases.forms import LONGEST, Category, FormField, Subcategory, Text
from schema.cases.mistakes import misshapen, mistakes, told
from schema.errors import InputError
from schema.lines import Lines
from schema.texts import N_


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    categories: tuple[Category, ...]


class CatalogueError(ValueError):
    """A catalogue with mistakes; the text names file, line and key of each."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All categories, in the order of the file."""

    categories: Sequence[Category]

    @classmethod
    def read(cls, path: Path) -> Catalogue:
        """The catalogue of a file. Raises CatalogueError."""
        try:
            text = path.read_text(encoding="utf-8")
            raw = tomllib.loads(text)
        except (OSError, ValueError) as error:
            raise CatalogueError(f"{path}: {error}") from error
        categories: Sequence[Category] = ()
        try:
            categories = msgspec.convert(raw, _File).categories
            found = list(mistakes(categories))
        except msgspec.ValidationError as error:
            found = [misshapen(error)]
        if found:
            raise CatalogueError(told(path, found, Lines(text).of))
        return cls(tuple(map(_filled, categories)))

    def category(self, code: str) -> Category:
        """A category by its code. A code that no file knows is shown as it is: the CRM may hold
        cases from before the catalogue."""
        for category in self.categories:
            if category.code == code:
                return category
        return Category(code=code, kind="QUERY", label=Text(es=code, en=code, pt=code))

    def subcategory(self, category: str, code: str) -> Subcategory:
        """A subcategory by its code; an unknown one is shown as it is."""
        outer = self.category(category)
        for subcategory in outer.subcategories:
            if subcategory.code == code:
                return subcategory
        return _inheriting(outer, Subcategory(code=code, label=Text(es=code, en=code, pt=code)))

    def form(self, category: str, subcategory: str | None) -> Sequence[FormField]:
        """The whole form: that of the category, then that of the subcategory."""
        inner = self.subcategory(category, subcategory).form if subcategory else ()
        return (*self.category(category).form, *inner)

    def form_field(self, category: str, subcategory: str | None, name: str) -> FormField:
        """A field of the form by its name; an unknown one is shown as it is."""
        for field in self.form(category, subcategory):
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


def _filled(category: Category) -> Category:
    """With what a file may leave out."""
    return msgspec.structs.replace(
        category,
        form=_bounded(category.form),
        subcategories=tuple(_inheriting(category, sub) for sub in category.subcategories),
    )


def _inheriting(category: Category, sub: Subcategory) -> Subcategory:
    """With what its category says, where it says nothing itself."""
    given = {
        name: getattr(category, name)
        for name in ("team", "description_max_length", "asks_subject", "asks_order")
        if getattr(sub, name) is None
    }
    return msgspec.structs.replace(sub, form=_bounded(sub.form), **given)


def _bounded(form: Iterable[FormField]) -> tuple[FormField, ...]:
    """Each field with a length, by its type where the file says none."""
    return tuple(
        msgspec.structs.replace(field, max_length=field.max_length or LONGEST.get(field.type))
        for field in form
    )
