"""Requests that chance makes: documents of the schema in bodies, headers and addresses that are
right, nearly right, or nothing at all."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from graphql import GraphQLSchema

from tests.worlds.documents import Generator
from tests.worlds.values import Pool

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. parts: of its body, as they come in."""

    method: str
    query_string: bytes
    headers: Headers
    parts: Sequence[bytes]


#: JSON values that break those who took them for something else.
ODD: Sequence[bytes] = (
    b"null",
    b"5",
    b"-0",
    b"true",
    b'"x"',
    b"[]",
    b"{}",
    b"NaN",
    b"Infinity",
    b"1e400",
    b"9" * 5_000,
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b'"\\ud800"',
    b'"\\u0000"',
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b'{"__proto__":1,"":2}',
    b'"' + b"x" * 70_000 + b'"',
    b"",
)
_ACCEPT = (
    "*/*",
    "application/json",
    "application/graphql-response+json",
    "application/graphql-response+json, application/json;q=0.9",
    "text/html",
    "text/event-stream",
    "multipart/mixed;deferSpec=20220824, application/json",
    "application/json;q=0",
    "application/json;q=nan",
    ";;;,,,",
    "\xff\x00",
    "a" * 5_000,
)
_CONTENT_TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    'APPLICATION/JSON;CHARSET="UTF-8"',
    "application/json; charset=utf-16",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "",
    "\xff",
)
_LANGUAGES = ("es", "pt-BR,pt;q=0.9", "q=,;,-,--", "*", "xx;q=9", "\xff", "en-" * 300)
_AUTHORIZATION = (
    "Bearer x",
    "Bearer",
    "Bearer a.b.c",
    "Basic eDp4",
    "\xff",
    "Bearer " + "x" * 900,
)
_METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "TRACE", "get", "\x00")
#: Bits of documents, and what is no document.
_BITS = (
    "{", "}", "(", ")", "[", "]", "...", "@include(if: true)", "@skip(if: $x)", "$x", "!", ":", "=",
    "query", "mutation", "subscription", "fragment F on Case { id ...F }", "...F", "on", "__schema",
    "__typename", '"', '"""', "\\u{110000}", "\\uD800", "#", "\u0000", "\ufeff", "é", "\U0001f600",
    "9" * 400, "1e999999", "null", "{a:{a:{a:{}}}}", "first: 2147483648", "id: 5", "type T",
)  # fmt: skip


def _json(value: object, **words: Any) -> str:
    """JSON as text. A file, which only travels in a form, becomes a word."""
    return json.dumps(value, default=str, **words)


class Hostile:
    """Makes requests by the dice. tokens: of callers who are let in."""

    def __init__(self, schema: GraphQLSchema, pool: Pool, tokens: Sequence[str]) -> None:
        self._schema, self._pool, self._tokens = schema, pool, tokens

    def request(self, dice: random.Random) -> Sent:
        """The next request."""
        method = "POST" if dice.random() < 0.92 else dice.choice(_METHODS)
        asked = self._asked(dice)
        headers = self._headers(dice, method)
        if method == "GET":
            return Sent(method, self._address(dice, asked), headers, (b"",))
        body = self._body(dice, asked)
        return Sent(method, b"", headers, self._parts(dice, body))

    def _asked(self, dice: random.Random) -> dict[str, Any]:
        kind = "mutation" if dice.random() < 0.05 else "query"
        size = dice.choice((1, 3, 8, 40))
        asked = Generator(self._schema, dice, self._pool, size=size, depth=6).document(kind)
        text = asked.text
        if dice.random() < 0.35:
            text = self._bent(dice, text)
        found: dict[str, Any] = {"query": text, "variables": asked.variables}
        if dice.random() < 0.1:
            found["operationName"] = dice.choice(("Generated", "Other", "", None, 5, "\u0000"))
        if dice.random() < 0.1:
            hashed = {"version": dice.choice((1, 2, "1")), "sha256Hash": dice.choice(("a" * 64, 5))}
            found["extensions"] = dice.choice((None, {}, {"persistedQuery": hashed}, [], "x"))
        if dice.random() < 0.05:
            found["documentId"] = dice.choice(("sha256:x", "x", 5, "", "\u0000"))
        if dice.random() < 0.1:
            found[dice.choice(list(found))] = dice.choice((None, 5, [], {}, "", True, 1e308))
        return found

    def _bent(self, dice: random.Random, text: str) -> str:
        for _ in range(dice.randint(1, 3)):
            at = dice.randint(0, len(text))
            way = dice.randint(0, 4)
            if way == 0:
                text = text[:at] + dice.choice(_BITS) + text[at:]
            elif way == 1:
                text = text[:at] + text[at + dice.randint(1, 9) :]
            elif way == 2:
                text = text[:at]
            elif way == 3:
                part = text[at : at + dice.randint(1, 60)]
                text = text[:at] + part * dice.choice((2, 3, 40)) + text[at:]
            else:
                text = text.replace("first", dice.choice(("last", "frist", "first: 1, first")), 1)
        return text

    def _body(self, dice: random.Random, asked: dict[str, Any]) -> bytes:
        body = _json(asked, ensure_ascii=dice.random() < 0.5).encode("utf-8", "replace")
        chance = dice.random()
        if chance < 0.84:
            return body
        if chance < 0.89:
            return dice.choice(ODD)
        if chance < 0.95:
            name = dice.choice(("query", "variables", "extensions", "operationName", "documentId"))
            rest = _json({key: value for key, value in asked.items() if key != name})
            middle = b', "' if len(rest) > 2 else b'"'
            return rest[:-1].encode() + middle + name.encode() + b'": ' + dice.choice(ODD) + b"}"
        at = dice.randint(0, len(body))
        return body[:at] + dice.randbytes(dice.randint(0, 3)) + body[at + dice.randint(0, 3) :]

    def _address(self, dice: random.Random, asked: dict[str, Any]) -> bytes:
        told = {
            name: value if isinstance(value, str) else _json(value) for name, value in asked.items()
        }
        address = urlencode(told, errors="replace").encode()
        if dice.random() < 0.2:
            at = dice.randint(0, len(address))
            bits = (b"%", b"%ff", b"&query=x", b"&", b"=", b"%00")
            address = address[:at] + dice.choice(bits) + address[at:]
        return address

    def _headers(self, dice: random.Random, method: str) -> Headers:
        found: dict[str, str] = {}
        if method != "GET" and dice.random() < 0.97:
            odd = dice.random() < 0.05
            found["content-type"] = dice.choice(_CONTENT_TYPES) if odd else "application/json"
        chance = dice.random()
        if chance < 0.6:
            found["authorization"] = f"Bearer {dice.choice(self._tokens)}"
        elif chance < 0.63:
            found["authorization"] = dice.choice(_AUTHORIZATION)
        if dice.random() < 0.2:
            found["accept"] = dice.choice(_ACCEPT)
        if dice.random() < 0.2:
            found["accept-language"] = dice.choice(_LANGUAGES)
        if dice.random() < 0.03:
            found["content-encoding"] = dice.choice(("gzip", "br", "identity", "\xff"))
        if dice.random() < 0.03:
            found["content-length"] = dice.choice(("0", "-1", "x", "9" * 30, "²"))
        if dice.random() < 0.05:
            found["portal-acting-for"] = dice.choice(("x", "QWNjb3VudDox", "\xff", ""))
        if dice.random() < 0.05:
            found["x-forwarded-for"] = dice.choice(("1.2.3.4", "x", "::1, ,", "\xff"))
        if dice.random() < 0.05:
            found["portal-cost"] = "1"
        return [(name.encode(), value.encode("latin-1")) for name, value in found.items()]

    def _parts(self, dice: random.Random, body: bytes) -> Sequence[bytes]:
        if dice.random() < 0.9:
            return (body,)
        size = dice.choice((1, 7, 1_000)) if len(body) < 2_000 else 4_000
        return [body[at : at + size] for at in range(0, len(body), size)] or [b""]
