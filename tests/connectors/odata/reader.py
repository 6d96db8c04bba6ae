"""A reader of `$filter` that shares no line with the builder: it says what a text means.

It reads by OData's grammar of either version and decides for a row whether the condition is met,
so that tests can ask what a question finds instead of how it looks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""
      (?P<space> [ ]+ )
    | (?P<typed> (?:datetimeoffset|datetime|guid) ' [^']* ' )
    | (?P<text> ' (?: [^'] | '' )* ' )
    | (?P<moment> \d{4}-\d{2}-\d{2} (?: T [0-9:.]+ Z )? )
    | (?P<uuid> [0-9a-f]{8} (?: -[0-9a-f]{4} ){3} -[0-9a-f]{12} )
    | (?P<number> -? \d+ (?: \.\d+ )? [ML]? )
    | (?P<word> [A-Za-z_][A-Za-z0-9_/]* )
    | (?P<sign> [(),] )
    """,
    re.VERBOSE | re.DOTALL,
)
_FUNCTIONS = {"substringof": 2, "contains": 2, "startswith": 2, "toupper": 1}
_OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge")


@dataclass(frozen=True)
class Literal:
    """kind: of the token, which tells a text from a word. text: what stands between the quotes."""

    kind: str
    text: str


@dataclass(frozen=True)
class Name:
    path: str


@dataclass(frozen=True)
class Apply:
    """An operator or a function with its operands."""

    name: str
    parts: tuple[Any, ...]


def tokens(source: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while place < len(source):
        match = _TOKEN.match(source, place)
        if match is None:
            raise ValueError(f"no OData at {source[place : place + 20]!r}")
        if match.lastgroup != "space":
            found.append((str(match.lastgroup), match[0]))
        place = match.end()
    return found


class _Reading:
    def __init__(self, source: str) -> None:
        self._left = tokens(source)

    def whole(self) -> Any:
        found = self._either()
        if self._left:
            raise ValueError(f"left over: {self._left}")
        return found

    def _next(self) -> tuple[str, str]:
        return self._left[0] if self._left else ("end", "")

    def _take(self, text: str) -> bool:
        if self._next() in (("word", text), ("sign", text)):
            self._left.pop(0)
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise ValueError(f"expected {text!r}, found {self._next()}")

    def _either(self) -> Any:
        terms = [self._every()]
        while self._take("or"):
            terms.append(self._every())
        return terms[0] if len(terms) == 1 else Apply("or", tuple(terms))

    def _every(self) -> Any:
        terms = [self._term()]
        while self._take("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else Apply("and", tuple(terms))

    def _term(self) -> Any:
        if self._take("("):
            found = self._either()
            self._need(")")
            return found
        left = self._operand()
        kind, text = self._next()
        if kind == "word" and text in _OPERATORS:
            self._left.pop(0)
            return Apply(text, (left, self._operand()))
        if not isinstance(left, Apply):
            raise ValueError("an operand is no condition")
        return left

    def _operand(self) -> Any:
        kind, text = self._next()
        self._left[:1] = []
        if kind == "word" and text in _FUNCTIONS:
            self._need("(")
            parts = [self._operand()]
            while self._take(","):
                parts.append(self._operand())
            self._need(")")
            if len(parts) != _FUNCTIONS[text]:
                raise ValueError(f"{text} with {len(parts)} operands")
            return Apply(text, tuple(parts))
        if kind == "word" and text in ("true", "false", "null"):
            return Literal(text, text)
        if kind == "word":
            return Name(text)
        if kind == "text":
            return Literal("text", text[1:-1].replace("''", "'"))
        if kind == "typed":
            return Literal("moment", text.partition("'")[2][:-1].removesuffix("T00:00:00"))
        if kind in ("moment", "uuid"):
            return Literal(kind, text)
        if kind == "number":
            return Literal("number", text.rstrip("ML"))
        raise ValueError(f"no operand: {kind} {text!r}")


def parse(source: str) -> Any:
    """The condition as a tree. Raises ValueError for what is no `$filter`."""
    return _Reading(source).whole()


def met(tree: Any, row: Mapping[str, str]) -> bool:
    """Whether a row, of texts and ISO days, meets a condition."""
    if tree.name == "and":
        return all(met(part, row) for part in tree.parts)
    if tree.name == "or":
        return any(met(part, row) for part in tree.parts)
    left, right = (_value(part, row) for part in tree.parts)
    if tree.name == "substringof":
        return left in right
    if tree.name == "contains":
        return right in left
    if tree.name == "startswith":
        return left.startswith(right)
    return {
        "eq": left == right,
        "ne": left != right,
        "lt": left < right,
        "le": left <= right,
        "gt": left > right,
        "ge": left >= right,
    }[tree.name]


def _value(part: Any, row: Mapping[str, str]) -> str:
    if isinstance(part, Name):
        return row[part.path]
    if isinstance(part, Apply):
        return _value(part.parts[0], row).upper()
    text: str = part.text
    return text
