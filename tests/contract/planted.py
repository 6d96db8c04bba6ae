"""Rules about values: whatever somebody types stays data on its way into a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from connectors.port.errors import Rejected
from connectors.port.pages import Keyset, Slice
from connectors.port.queries import CaseQuery, OrderQuery, QuestionQuery
from connectors.port.records import Question
from connectors.port.scope import AccountRef, Scope
from tests.contract.methods import Many, Method, Paged, is_hole, records, texts
from tests.contract.world import Opened, World

#: Texts that mean something in some system's language.
PLANTED = (
    "x' OR Name != 'y",
    "x') or ('1' eq '1",
    "x'' or 1 eq 1",
    "o'x",
    "a%b",
    "a_b",
    "%x",
    "back\\' OR x",
    "x\\",
    'say "so" x',
    "line\nbreak x",
    "tab\tx\rx",
    "ñandú 中文 😀",
    "x&limit=1#y?z=/%27%00",
    "{x}[y](z)<w>",
    "x /*z*/ -- y;",
    "-x +y",
    "x,y",
    "$x:y@z",
)
#: Conditions that a record meets by holding the text.
_SOUGHT = ("number", "customer_reference", "search")
#: Texts that no database can hold, or nobody types. They may not reach the system at all.
HOPELESS = ("nul\0x", "half\ud800x", "x" * 5000, "'" * 3000)


async def keeps_values_as_data(world: World, method: Method) -> None:
    """What is planted into any text of a question leaves its structure as it is: the same as with
    plain letters, or no question at all. It finds only what holds it, and only the asker's."""
    async with world.open() as opened:
        await opened.ask(method)
        for way in _ways(method):
            plain: set[str] = set()  # of all texts: what a connector keeps, it does not ask again
            for text in PLANTED:
                asked = await _asked(opened, method, way, text)
                for harmless in _harmless(text):
                    plain |= await _asked(opened, method, way, harmless)
                assert asked <= plain, f"{way}: {text!r} changes the question: {asked - plain}"
            for text in HOPELESS:
                await _asked(opened, method, way, text)


def _ways(method: Method) -> list[tuple[str, bool]]:
    """Where a text can be planted, and whether it is one of several."""
    ways = [("keys", True)] if isinstance(method.example, Many) else [("key", False)]
    if isinstance(method.example, Paged):
        ways = [*texts(method.example.query), ("after.id", False), ("before.id", False)]
        ways += [("after.value", False)]
    elif "locale" in method.takes:
        ways.append(("locale", False))
    return [*ways, ("scope", False)] if method.scoped else ways


def _harmless(text: str) -> tuple[str, str]:
    """The text with letters in place of everything special: such that are no letters of any
    code, so that it is as malformed as before, and such that are."""
    return re.sub(r"[^A-Za-z0-9\s]", "中", text), re.sub(r"[^A-Za-z0-9\s]", "z", text)


async def _asked(opened: Opened, method: Method, way: tuple[str, bool], text: str) -> set[str]:
    """The structures of the questions with this text, after a look at the answer."""
    name, several = way
    opened.wire.forget()
    facts = opened.world.facts
    scope, arguments = facts.scope, dict[str, Any]()
    if name in ("keys", "key"):
        kind = method.example.kind  # type: ignore[union-attr]  # only queries have none
        arguments["keys"] = [AccountRef(text, text, "CO") if kind == "account_ref" else text]
        if kind == "account_ref":
            scope = Scope([*facts.scope, *arguments["keys"]])
    elif name == "scope":
        scope = Scope([AccountRef(text, text, "CO")])
    elif "." in name:
        mark = _mark(method, name, text)
        arguments["part"] = Slice(5, mark) if name.startswith("after") else Slice(5, None, mark)
    else:
        arguments[name] = (text,) if several else text
    try:
        found = await opened.ask(method, scope=scope, **arguments)
    except Rejected:
        # A key may be anything, since clients send it; the rest a system may say no to.
        assert name not in ("keys", "key"), f"{text!r} is an unknown key, not a wrong one"
        return _structures(opened)
    _look(found, method, name, scope, text)
    return _structures(opened)


def _structures(opened: Opened) -> set[str]:
    return {str(opened.world.structure(request)) for request in opened.wire.requests}


def _mark(method: Method, name: str, text: str) -> Keyset:
    example = method.example
    assert isinstance(example, Paged)
    value: Any = text
    if name.endswith(".id"):
        values: dict[str, Any] = {"name": "x", "position": 1, "ordered_on": date(2026, 1, 2)}
        values |= dict.fromkeys(("created_at", "published_at"), datetime(2026, 1, 2, tzinfo=UTC))
        default = example.query.__dataclass_fields__.get("sort")
        value = values[example.ordered_by or str(default.default.value if default else "")]
    return Keyset(value, text if name.endswith(".id") else "1")


def _look(found: Any, method: Method, name: str, scope: Scope, text: str) -> None:
    for record in records(found):
        assert getattr(record, "owner", None) in (None, *scope)
    if name in ("keys", "scope"):
        assert all(map(is_hole, found)) if method.keyed else is_hole(found)
    elif name == "key" or (name in _SOUGHT and _searchable(method)):
        # A question is searched by its words alone, whatever stands between them.
        _check_found(found, re.findall(r"\w+", text) if method.record is Question else text.split())


def _searchable(method: Method) -> bool:
    """Lists whose search looks at attributes of the record and takes words as they are."""
    example = method.example
    return isinstance(example, Paged) and example.query in (CaseQuery, OrderQuery, QuestionQuery)


def _check_found(found: Any, words: Sequence[str]) -> None:
    """Each record holds every word: nothing in it was a wildcard."""
    items: Sequence[Any] = getattr(found, "items", [] if found is None else [found])
    for item in items:
        held = " ".join(
            value.casefold()
            for name in type(item).__dataclass_fields__
            if isinstance(value := getattr(item, name), str)
        )
        assert all(word.casefold() in held for word in words), f"{words} found {item}"
