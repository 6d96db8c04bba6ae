"""`$filter` from text to tree: a tokenizer and a recursive descent for both versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sandbox.erp.errors import unreadable


class Version(StrEnum):
    """Which OData a text is written in: the two differ in literals and in functions."""

    V2 = "2.0"
    V4 = "4.0"


class Shape(StrEnum):
    """What a literal looks like, which is not yet what it is compared with."""

    TEXT = "Edm.String"
    NUMBER = "Edm.Decimal"
    BOOLEAN = "Edm.Boolean"
    NULL = "null"
    DATETIME = "Edm.DateTime"
    INSTANT = "Edm.DateTimeOffset"
    DATE = "Edm.Date"
    TIME = "Edm.Time"
    GUID = "Edm.Guid"


@dataclass(frozen=True, slots=True)
class Literal:
    """text: without quotes, prefix and suffix; doubled quotes are single again."""

    shape: Shape
    text: str


@dataclass(frozen=True, slots=True)
class Path:
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not:
    inner: Node


@dataclass(frozen=True, slots=True)
class Every:
    """All of the parts hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Any of the parts holds."""

    parts: tuple[Node, ...]


Node = Literal | Path | Call | Comparison | Not | Every | Some

COMPARISONS: Final = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
FUNCTIONS: Final = {
    Version.V2: frozenset({"substringof", "startswith", "endswith", "tolower", "toupper"}),
    Version.V4: frozenset({"contains", "startswith", "endswith", "tolower", "toupper"}),
}
# Deeper nesting than people or programs write; it keeps the descent off the interpreter's limit.
_DEEPEST: Final = 60

_QUOTED: Final = r"'(?P<text>(?:[^']|'')*)'"
_TOKENS: Final = {
    Version.V2: re.compile(
        rf"(?P<prefix>datetimeoffset|datetime|time|guid)?{_QUOTED}"
        r"|(?P<number>-?\d+(?:\.\d+)?)(?P<suffix>[MmDdFfLl])?(?![\w.'])"
        r"|(?P<word>[A-Za-z_][\w/]*)|(?P<mark>[(),])"
    ),
    Version.V4: re.compile(
        rf"{_QUOTED}"
        r"|(?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))(?!\w)"
        r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?!\w)"
        r"|(?P<date>\d{4}-\d\d-\d\d)(?![\w:])"
        r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w.'])"
        r"|(?P<word>[A-Za-z_][\w/]*)|(?P<mark>[(),])"
    ),
}
_PREFIXES: Final = {
    "datetime": Shape.DATETIME,
    "datetimeoffset": Shape.INSTANT,
    "time": Shape.TIME,
    "guid": Shape.GUID,
}
_BARE: Final = {"instant": Shape.INSTANT, "guid": Shape.GUID, "date": Shape.DATE}


@dataclass(frozen=True, slots=True)
class _Token:
    at: int
    word: str = ""
    mark: str = ""
    literal: Literal | None = None

    def shown(self) -> str:
        return self.word or self.mark or (self.literal.text if self.literal else "")


def tokens(text: str, version: Version) -> list[_Token]:
    """Raises ODataError 400 at the first character that begins no token."""
    found = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        match = _TOKENS[version].match(text, at)
        if match is None:
            raise unreadable(f"Invalid token '{text[at : at + 20]}' at position '{at}'")
        # A quote that follows at once would belong to this literal or to the next: to neither.
        if match["text"] is not None and text[match.end() : match.end() + 1].isalnum():
            raise unreadable(f"Invalid token '{text[at : at + 20]}' at position '{at}'")
        found.append(_token(match, at))
        at = match.end()
    return found


def _token(match: re.Match[str], at: int) -> _Token:
    groups = match.groupdict()
    if (quoted := groups["text"]) is not None:
        shape = _PREFIXES.get(groups.get("prefix") or "", Shape.TEXT)
        return _Token(at, literal=Literal(shape, quoted.replace("''", "'")))
    if (digits := groups["number"]) is not None:
        return _Token(at, literal=Literal(Shape.NUMBER, digits))
    for name, shape in _BARE.items():
        if (bare := groups.get(name)) is not None:
            return _Token(at, literal=Literal(shape, bare))
    word = groups["word"] or ""
    if word in ("true", "false"):
        return _Token(at, literal=Literal(Shape.BOOLEAN, word))
    if word == "null":
        return _Token(at, literal=Literal(Shape.NULL, word))
    return _Token(at, word=word, mark=groups["mark"] or "")


def parse_filter(text: str, version: Version) -> Node:
    """The tree of a `$filter`. Raises ODataError 400 for anything that is not of the grammar."""
    parser = _Parser(tokens(text, version), version)
    tree = parser.some(0)
    parser.finish()
    return tree


class _Parser:
    """some := every ("or" every)*; every := inverse ("and" inverse)*;
    inverse := "not" inverse | comparison; comparison := operand [operator operand]."""

    def __init__(self, found: list[_Token], version: Version) -> None:
        self._tokens = found
        self._version = version
        self._at = 0

    def _next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _taken(self, *, word: str = "", mark: str = "") -> bool:
        token = self._next()
        if token is None or (token.word, token.mark) != (word, mark) or token.literal is not None:
            return False
        self._at += 1
        return True

    def _fail(self) -> Exception:
        token = self._next()
        if token is None:
            return unreadable("Invalid filter: expression ends too early")
        return unreadable(f"Invalid token '{token.shown()}' at position '{token.at}'")

    def _expect(self, mark: str) -> None:
        if not self._taken(mark=mark):
            raise self._fail()

    def finish(self) -> None:
        if self._next() is not None:
            raise self._fail()

    def some(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise unreadable("Invalid filter: nested too deeply")
        parts = [self._every(depth)]
        while self._taken(word="or"):
            parts.append(self._every(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _every(self, depth: int) -> Node:
        parts = [self._inverse(depth)]
        while self._taken(word="and"):
            parts.append(self._inverse(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _inverse(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise unreadable("Invalid filter: nested too deeply")
        if self._taken(word="not"):
            return Not(self._inverse(depth + 1))
        return self._comparison(depth)

    def _comparison(self, depth: int) -> Node:
        left = self._operand(depth)
        token = self._next()
        if token is None or token.word not in COMPARISONS:
            return left
        self._at += 1
        return Comparison(token.word, left, self._operand(depth))

    def _operand(self, depth: int) -> Node:
        token = self._next()
        if token is None:
            raise self._fail()
        if self._taken(mark="("):
            inner = self.some(depth + 1)
            self._expect(")")
            return inner
        if token.literal is not None:
            self._at += 1
            return token.literal
        if not token.word or token.word in COMPARISONS:
            raise self._fail()
        self._at += 1
        return self._call(token, depth) if self._taken(mark="(") else Path(token.word)

    def _call(self, token: _Token, depth: int) -> Node:
        if token.word not in FUNCTIONS[self._version]:
            raise unreadable(f"Function '{token.word}' at position '{token.at}' is not supported")
        arguments = [self.some(depth + 1)]
        while self._taken(mark=","):
            arguments.append(self.some(depth + 1))
        self._expect(")")
        return Call(token.word, tuple(arguments))
