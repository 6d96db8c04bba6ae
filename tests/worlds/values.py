"""What goes into arguments: ids, cursors, numbers and words of everybody, and garbage."""

from __future__ import annotations

import base64
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec

from schema.nodes import to_global
from tests.worlds.world import NOW, World

#: What no system holds, and what breaks those that paste texts together.
GARBAGE = (
    "",
    "   ",
    "' OR '1'='1",
    'a"b\\c\n',
    "\u0000",
    "\U0001f600 ñandú \u202e",
    "0",
    "-1",
    "%_*",
    "x" * 300,
    "Q2FzZTo",
    "ŁÓDŹ ＡＢＣ ß ﬁ",
)
COUNTS = (1, 1, 2, 3, 5, 20, 100, 0, -1, 101, 2**31 - 1)


@dataclass(frozen=True, slots=True)
class Pool:
    """Values by what they can stand for. ids: global ids by type. named: values that an argument
    or input field of this name most likely wants. texts: anything else."""

    ids: Mapping[str, Sequence[str]]
    cursors: Sequence[str]
    texts: Sequence[str]
    days: Sequence[str]
    named: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def all_ids(self) -> list[str]:
        return [value for values in self.ids.values() for value in values]

    def __repr__(self) -> str:
        return "Pool(...)"


def pool_of(world: World, named: Mapping[str, Sequence[Any]] | None = None) -> Pool:
    """Everybody's values of a world."""
    records: dict[str, Sequence[Any]] = {
        "Account": list(world.accounts.values()),
        "Contact": [person.contact for person in world.people],
        "Case": world.cases,
        "CaseComment": world.comments,
        "Attachment": world.attachments,
        "Order": world.orders,
        "NewsArticle": world.news,
        "FaqEntry": world.questions,
    }
    everything = list(itertools.chain.from_iterable(records.values()))
    emails = [person.contact.email for person in world.people]
    numbers = [one.number for one in everything if getattr(one, "number", None)]
    return Pool(
        ids={kind: [to_global(kind, one.id) for one in found] for kind, found in records.items()},
        cursors=[cursor for one in everything for cursor in _cursors(one)],
        texts=[*GARBAGE, *numbers, *("00" + number for number in numbers), *world.marks.marks],
        days=sorted({one[:10] for one in _days(world)}),
        named={
            "email": emails,
            "number": [*numbers, *("00" + number for number in numbers)],
            "orderNumber": [order.number for order in world.orders],
            "search": ["pedido", "factura", "OC", "a", "450", "bodega", *world.marks.marks],
            "customerReference": ["OC", *world.marks.marks],
            "slug": [article.slug for article in world.news],
            "tags": ["bodega"],
            "country": ["CO", "PE", "ZZ"],
            "locale": ["es", "pt-BR"],
            "from": ["1970-01-01", "2012-02-01", "2026-01-05"],
            "to": ["2030-01-01", "2026-12-31"],
            **(named or {}),
        },
    )


def _cursors(record: Any) -> Iterator[str]:
    """Cursors to a record in every list that could be ordered by one of its attributes."""
    for one in dataclasses.fields(record):
        value = getattr(record, one.name)
        if isinstance(value, date | datetime):
            value = value.isoformat()
        if isinstance(value, str | int) and one.name != "id":
            packed = msgspec.json.encode([one.name, value, record.id])
            yield base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _days(world: World) -> Iterable[str]:
    yield NOW.date().isoformat()
    for value in world.marks.values:
        if isinstance(value, str) and value[:2] == "20" and value[4:5] == "-":
            yield value
