"""Reads SOQL: a statement's text goes in, its parts come out. Knows grammar only, no objects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sandbox.crm.errors import QueryRefusal, Refusal

LONGEST_STATEMENT: Final = 100_000
LONGEST_LITERAL: Final = 4_000
HIGHEST_OFFSET: Final = 2_000
_DEEPEST: Final = 60

_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)(?![\w.:+-]))
    | (?P<date>\d{4}-\d\d-\d\d(?![\w.:+-]))
    | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.:]))
    | (?P<string>'[^'\\\r\n]*(?:\\.[^'\\\r\n]*)*')
    | (?P<range>[A-Za-z_]+:\d+(?!\w))
    | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    """,
    re.VERBOSE | re.ASCII,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
}
_COMPARISONS: Final = frozenset({"=", "!=", "<>", "<", ">", "<=", ">="})
_RESERVED: Final = frozenset(
    {"and", "or", "not", "where", "order", "limit", "offset", "from", "select", "group", "having"}
    | {"like", "in", "includes", "excludes", "asc", "desc", "nulls", "null", "true", "false"}
    | {"using", "with", "for", "update", "all"}
)
_NOT_MODELLED: Final = frozenset({"group", "having", "using", "with", "for", "update", "all"})


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "name" else ""


@dataclass(frozen=True, slots=True)
class Name:
    """A field path as written: `Account.Name` is ("Account", "Name")."""

    path: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """kind: string, number, boolean, null, date, datetime or range (TODAY, LAST_N_DAYS:30).

    text is as written: a string still with its escapes, without its quotes.
    """

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """operator: = != < > <= >= like."""

    field: Name
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """operator: in, not in, includes, excludes. values: literals, or the inner statement."""

    field: Name
    operator: str
    values: tuple[Literal, ...] | Statement


@dataclass(frozen=True, slots=True)
class Negation:
    part: Condition


@dataclass(frozen=True, slots=True)
class Junction:
    """operator: and, or. Never both on one level: the vendor asks for parentheses."""

    operator: str
    parts: tuple[Condition, ...]


Condition = Comparison | Membership | Negation | Junction


@dataclass(frozen=True, slots=True)
class Ordering:
    field: Name
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT. An empty `select` is COUNT(). text is the whole statement, for error messages."""

    text: str
    at: int
    select: tuple[Name | Statement, ...]
    source: Name
    alias: str
    where: Condition | None
    order: tuple[Ordering, ...]
    limit: int | None
    offset: int


def parse(text: str) -> Statement:
    """Read one statement. Raises QueryRefusal (MALFORMED_QUERY) where the vendor would."""
    if len(text) > LONGEST_STATEMENT:
        message = "SOQL statements cannot be longer than 100,000 characters."
        raise Refusal(400, "MALFORMED_QUERY", message)
    return _Parser(text).statement_alone()


def unescape(literal: Literal, statement: str, *, like: bool = False) -> str:
    r"""The text a string literal stands for; for LIKE a pattern where `\` keeps `%` and `_` plain.

    Raises QueryRefusal for an escape that SOQL does not know, and for literals that are too long.
    """

    def replace(found: re.Match[str]) -> str:
        letter = found[1]
        if like and letter in "_%\\":
            return f"\\{letter}"
        if letter not in _ESCAPES:
            message = f"Illegal character sequence '\\{letter}' in string literal"
            raise QueryRefusal("MALFORMED_QUERY", message, statement, literal.at)
        return _ESCAPES[letter]

    text = _ESCAPE.sub(replace, literal.text)
    if len(text) > LONGEST_LITERAL:
        message = f"String literals in WHERE cannot be longer than {LONGEST_LITERAL} characters"
        raise QueryRefusal("MALFORMED_QUERY", message, statement, literal.at)
    return text


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            word = text[at : at + 20].split()[0] if text[at : at + 20].split() else text[at]
            raise QueryRefusal("MALFORMED_QUERY", f"unexpected token: '{word}'", text, at)
        if found.lastgroup != "space":
            tokens.append(Token(found.lastgroup or "", found[0], at))
        at = found.end()
    tokens.append(Token("end", "<EOF>", len(text)))
    return tokens


class _Parser:
    """Recursive descent over the tokens of one statement."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def statement_alone(self) -> Statement:
        statement = self._statement(nested=False)
        if self._now.kind != "end":
            raise self._unexpected()
        return statement

    @property
    def _now(self) -> Token:
        return self._tokens[self._next]

    def _step(self) -> Token:
        token = self._now
        self._next += token.kind != "end"
        return token

    def _accept(self, *words: str) -> bool:
        """Step over these words (names in any case, or signs) if all of them come next."""
        ahead = self._tokens[self._next : self._next + len(words)]
        if tuple(one.word or one.text for one in ahead) != words:
            return False
        self._next += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected(f"expecting '{word}'")

    def _unexpected(self, hint: str = "") -> QueryRefusal:
        token = self._now
        message = f"unexpected token: '{token.text[:60]}'"
        if token.word in _NOT_MODELLED:
            hint = "the sandbox does not model this clause"
        text = f"{message} ({hint})" if hint else message
        return QueryRefusal("MALFORMED_QUERY", text, self._text, token.at)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            message = "the statement is nested too deeply"
            raise QueryRefusal("MALFORMED_QUERY", message, self._text, self._now.at)

    def _statement(self, *, nested: bool) -> Statement:
        at = self._now.at
        self._expect("select")
        select = self._selection(nested=nested)
        self._expect("from")
        source = self._name()
        alias = ""
        if self._now.kind == "name" and self._now.word not in _RESERVED:
            alias = self._step().text
        where = self._condition() if self._accept("where") else None
        order = self._order() if self._accept("order", "by") else ()
        limit = self._whole_number() if self._accept("limit") else None
        offset_at = self._now.at
        offset = self._whole_number() if self._accept("offset") else 0
        if offset > HIGHEST_OFFSET:
            message = f"Maximum SOQL offset allowed is {HIGHEST_OFFSET}"
            raise QueryRefusal("NUMBER_OUTSIDE_VALID_RANGE", message, self._text, offset_at)
        return Statement(self._text, at, select, source, alias, where, order, limit, offset)

    def _selection(self, *, nested: bool) -> tuple[Name | Statement, ...]:
        if not nested and self._accept("count", "(", ")"):
            return ()
        listed: list[Name | Statement] = [self._selected(nested=nested)]
        while self._accept(","):
            listed.append(self._selected(nested=nested))
        return tuple(listed)

    def _selected(self, *, nested: bool) -> Name | Statement:
        if nested or not self._accept("("):
            return self._name()
        inner = self._statement(nested=True)
        self._expect(")")
        return inner

    def _name(self) -> Name:
        token = self._now
        if token.kind != "name" or token.word in _RESERVED:
            raise self._unexpected()
        self._step()
        return Name(tuple(token.text.split(".")), token.at)

    def _whole_number(self) -> int:
        token = self._now
        if token.kind != "number" or not token.text.isdigit() or len(token.text) > 9:
            raise self._unexpected("expecting a whole number")
        return int(self._step().text)

    def _order(self) -> tuple[Ordering, ...]:
        listed = [self._ordering()]
        while self._accept(","):
            listed.append(self._ordering())
        return tuple(listed)

    def _ordering(self) -> Ordering:
        field = self._name()
        descending = self._accept("desc")
        if not descending:
            self._accept("asc")
        last = self._accept("nulls", "last")
        if not last:
            self._accept("nulls", "first")
        return Ordering(field, descending, last)

    def _condition(self) -> Condition:
        if self._accept("not"):
            return Negation(self._simple())
        parts = [self._simple()]
        operator = self._now.word
        if operator not in ("and", "or"):
            return parts[0]
        while self._accept(operator):
            parts.append(self._simple())
        return Junction(operator, tuple(parts))

    def _simple(self) -> Condition:
        if not self._accept("("):
            return self._test()
        self._deeper()
        inner = self._condition()
        self._expect(")")
        self._depth -= 1
        return inner

    def _test(self) -> Condition:
        field = self._name()
        if self._now.text in _COMPARISONS:
            operator = self._step().text
            return Comparison(field, "!=" if operator == "<>" else operator, self._literal())
        if self._accept("like"):
            return Comparison(field, "like", self._literal())
        for words in (("in",), ("not", "in"), ("includes",), ("excludes",)):
            if self._accept(*words):
                return Membership(field, " ".join(words), self._values())
        raise self._unexpected()

    def _values(self) -> tuple[Literal, ...] | Statement:
        self._expect("(")
        if self._now.word == "select":
            self._deeper()
            inner = self._statement(nested=True)
            self._expect(")")
            self._depth -= 1
            return inner
        listed = [self._literal()]
        while self._accept(","):
            listed.append(self._literal())
        self._expect(")")
        return tuple(listed)

    def _literal(self) -> Literal:
        token = self._now
        kind = token.kind
        text = token.text
        if kind == "string":
            text = text[1:-1]
        elif token.word in ("true", "false"):
            kind, text = "boolean", token.word
        elif token.word == "null":
            kind = "null"
        elif kind == "name" and "." not in text and token.word not in _RESERVED:
            kind, text = "range", text.upper()
        elif kind == "range":
            text = text.upper()
        elif kind not in ("number", "date", "datetime"):
            raise self._unexpected()
        self._step()
        return Literal(kind, text, token.at)
