"""Finds what is wrong in a catalogue of cases, before anybody fills in a form. Pure: no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from schema.cases.forms import (
    LONG_TEXT,
    LONGEST,
    Category,
    FormField,
    Option,
    Subcategory,
    Text,
)
from schema.lines import KeyPath
from schema.texts import LANGUAGES

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
#: What a field costs beside its characters where all of a form are kept as one text, and what is
#: left for characters that take two.
_AROUND, _SPARE = 50, 2_000

_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>[^`]*)`$")


class Mistake(NamedTuple):
    """What is wrong, and with which key."""

    path: KeyPath
    what: str

    @property
    def key(self) -> str:
        """The key as people read it: categories[1].label.es"""
        parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(parts).removeprefix(".") or "the file"


def misshapen(error: msgspec.ValidationError) -> Mistake:
    """What a file that has another shape than a catalogue does wrong."""
    match = _WHERE.match(str(error))
    what, place = (match["what"], match["path"] or "") if match else (str(error), "")
    steps = re.findall(r"\[(\d+)\]|\.([^.\[]+)", place)
    path: KeyPath = tuple(int(number) if number else name for number, name in steps)
    unknown = _UNKNOWN.match(what)
    if unknown:
        return Mistake((*path, unknown["name"]), "there is no such key")
    return Mistake(path, what[:1].lower() + what[1:])


def mistakes(categories: Sequence[Category]) -> Iterator[Mistake]:
    """Everything that is wrong."""
    root: KeyPath = ("categories",)
    if not categories:
        yield Mistake(root, "is empty: nobody could open a case")
    yield from _doubled(root, "code", [category.code for category in categories])
    for place, category in enumerate(categories):
        path = (*root, place)
        yield from _kind(path, category)
        subcategories = category.subcategories
        inner = (*path, "subcategories")
        yield from _doubled(inner, "code", [sub.code for sub in subcategories])
        yield from _whole_form(path, (), category.form)
        for number, sub in enumerate(subcategories):
            yield from _kind((*inner, number), sub)
            yield from _whole_form((*inner, number), category.form, sub.form)


def _kind(path: KeyPath, kind: Category | Subcategory) -> Iterator[Mistake]:
    yield from _shaped((*path, "code"), kind.code, _CODE, "capitals, digits and _, 40 at most")
    yield from _text((*path, "label"), kind.label)
    yield from _text((*path, "description"), kind.description)
    if kind.team is not None:
        yield from _words((*path, "team"), kind.team)
    most = kind.description_max_length
    if most is not None and not 1 <= most <= LONG_TEXT:
        yield Mistake((*path, "description_max_length"), f"must be from 1 to {LONG_TEXT}")
    for place, field in enumerate(kind.form):
        yield from _field((*path, "form", place), field)


def _field(path: KeyPath, field: FormField) -> Iterator[Mistake]:
    shape = "small letters, digits and _, 40 at most"
    yield from _shaped((*path, "name"), field.name, _NAME, shape)
    yield from _text((*path, "label"), field.label)
    yield from _text((*path, "help"), field.help)
    most = LONGEST.get(field.type)
    if field.max_length is not None and most is None:
        yield Mistake((*path, "max_length"), f"a {field.type} has none")
    elif field.max_length is not None and not 1 <= field.max_length <= (most or 0):
        yield Mistake((*path, "max_length"), f"must be from 1 to {most} for {field.type}")
    if field.type == "CHOICE" and not field.options:
        yield Mistake((*path, "options"), "a CHOICE needs at least one")
    elif field.type != "CHOICE" and field.options is not None:
        yield Mistake((*path, "options"), f"only a CHOICE has options, not a {field.type}")
    yield from _options((*path, "options"), field.options or ())


def _options(path: KeyPath, options: Sequence[Option]) -> Iterator[Mistake]:
    yield from _doubled(path, "value", [option.value for option in options])
    for place, option in enumerate(options):
        shape = "letters, digits and _ . -, 40 at most"
        yield from _shaped((*path, place, "value"), option.value, _VALUE, shape)
        yield from _text((*path, place, "label"), option.label)


def _whole_form(
    path: KeyPath, outer: Sequence[FormField], form: Sequence[FormField]
) -> Iterator[Mistake]:
    """outer: the fields of the category, which come before those of its subcategory."""
    known = [field.name for field in outer]
    yield from _doubled(
        (*path, "form"), "name", [field.name for field in form], known, " in the category"
    )
    room = sum(_AROUND + (field.max_length or LONGEST.get(field.type, 40)) for field in form)
    room += sum(_AROUND + (field.max_length or LONGEST.get(field.type, 40)) for field in outer)
    if form and room > LONG_TEXT - _SPARE:
        what = f"its fields may hold {room} characters together; {LONG_TEXT - _SPARE} fit"
        yield Mistake((*path, "form"), what)


def _doubled(
    path: KeyPath, key: str, values: Sequence[str], outer: Sequence[str] = (), there: str = ""
) -> Iterator[Mistake]:
    seen: dict[str, str] = dict.fromkeys(outer, there)
    for place, value in enumerate(values):
        if value in seen:
            yield Mistake((*path, place, key), f"{value!r} is there already{seen[value]}")
        seen.setdefault(value, "")


def _text(path: KeyPath, text: Text | None) -> Iterator[Mistake]:
    for language in LANGUAGES if text else ():
        yield from _words((*path, language), text.of(language) if text else "")


def _words(path: KeyPath, words: str) -> Iterator[Mistake]:
    if not words.strip():
        yield Mistake(path, "is empty")
    elif words != words.strip() or not words.isprintable():
        yield Mistake(path, "begins or ends with a space, or is not on one line")


def _shaped(path: KeyPath, value: str, pattern: re.Pattern[str], shape: str) -> Iterator[Mistake]:
    if not pattern.fullmatch(value):
        yield Mistake(path, f"{value!r} must be made of {shape}")


def told(file: object, found: Sequence[Mistake], line: Callable[[KeyPath], int]) -> str:
    """All mistakes of a file, one a line."""
    return "\n".join(f"{file}, line {line(one.path)}: {one.key}: {one.what}" for one in found)
