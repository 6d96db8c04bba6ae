"""What the org answers to queries, alone or as parts of a composite, and how it is decoded.

Who knows what rows will come gives a `Reading`: they are decoded with the answer around them, once.
Of any other answer the rows stay unread, for whoever looks at them one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec

R_co = TypeVar("R_co", covariant=True)

#: The rows of one answer: a JSON list, or structs of a `Reading`.
Rows = msgspec.Raw | list[Any]

_FAILURES: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Answer(msgspec.Struct, Generic[R_co], frozen=True, rename="camel"):
    """What a query answers. A long one goes on elsewhere."""

    total_size: int
    done: bool
    records: R_co
    next_records_url: str | None = None


class Part(msgspec.Struct, Generic[R_co], frozen=True, rename="camel"):
    """What came of one part of a composite."""

    http_status_code: Annotated[int, msgspec.Meta(ge=100, le=599)]
    reference_id: str
    body: R_co


class Composite(msgspec.Struct, Generic[R_co], frozen=True, rename="camel"):
    composite_response: list[R_co]


class UnreadAnswer(Answer[msgspec.Raw], frozen=True, rename="camel"):
    """A count has no rows."""

    records: msgspec.Raw = msgspec.Raw(b"[]")


class UnreadPart(Part[msgspec.Raw], frozen=True, rename="camel"):
    """An answer or a list of errors, by its status. What only changes something answers nothing."""

    body: msgspec.Raw = msgspec.Raw(b"null")


class Made(msgspec.Struct):
    """What the making of a record answers."""

    id: str


class Reading:
    """How to decode answers whose rows are of one struct."""

    def __init__(self, row: Any) -> None:
        answer: Any = Answer[list[row]]
        self._alone: msgspec.json.Decoder[Answer[Rows]] = msgspec.json.Decoder(answer)
        together: Any = Composite[Part[answer]]
        self._together: msgspec.json.Decoder[Composite[Part[Answer[Rows]]]]
        self._together = msgspec.json.Decoder(together)

    def alone(self, body: bytes) -> Answer[Rows] | None:
        """The answer to one query; None when it is something else."""
        try:
            return self._alone.decode(body)
        except _FAILURES:
            return None

    def together(self, body: bytes) -> Mapping[str, Answer[Rows]] | None:
        """The parts of a composite by their references; None when one of them is no answer."""
        try:
            parts = self._together.decode(body).composite_response
        except _FAILURES:
            return None
        if not all(200 <= part.http_status_code < 300 for part in parts):
            return None
        return {part.reference_id: part.body for part in parts}


#: A count answers no rows, so whatever reads the rows of its neighbours reads it too.
COUNTED: Final = Reading(msgspec.defstruct("Row", []))


def as_written(rows: Rows) -> bytes | msgspec.Raw:
    """Rows as JSON. Of structs, with their columns as the org calls them."""
    return rows if isinstance(rows, msgspec.Raw) else msgspec.json.encode(rows)


def length(rows: Rows) -> int:
    """How many there are, in JSON that was read before."""
    return len(
        rows if isinstance(rows, list) else msgspec.json.decode(rows, type=list[msgspec.Raw])
    )
