"""Which of the media types that an answer can have a caller likes best. RFC 9110, 12.5.1. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

RESPONSE_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
EVENT_STREAM = "text/event-stream"
#: What an answer can be written in; the first is for callers who like all the same.
JSON_TYPES = (PLAIN_JSON, RESPONSE_JSON)
ANSWER_TYPES = (*JSON_TYPES, EVENT_STREAM)

#: Longest header that is looked at, in characters, and most headers that are remembered.
_LONGEST, _MOST = 1_000, 256


def chosen(header: str | None, offered: tuple[str, ...] = JSON_TYPES) -> str | None:
    """The media type to answer with, None when the caller takes none of them. header: None or ""
    where nothing is said, which means that everything will do."""
    if not header or header == "*/*":
        return offered[0]
    return _chosen(header[:_LONGEST], offered)


@lru_cache(_MOST)
def _chosen(header: str, offered: tuple[str, ...]) -> str | None:
    ranges = _ranges(header)
    best: tuple[float, int, int] | None = None
    found: str | None = None
    for place, media_type in enumerate(offered):
        weight, at = _weight(media_type, ranges)
        rank = (-weight, at, place)
        if weight > 0 and (best is None or rank < best):
            best, found = rank, media_type
    return found


def _ranges(header: str) -> list[tuple[str, float]]:
    """Media ranges with their weights, as they stand there."""
    found = []
    for part in header.lower().split(","):
        media_range, *parameters = (word.strip() for word in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                weight = _number(parameter[2:])
        if media_range:
            found.append((media_range, weight))
    return found


def _number(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _weight(media_type: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """How much a type is liked and where that stands: the most exact range decides."""
    whole = media_type.partition("/")[0] + "/*"
    for exactness in (media_type, whole, "*/*"):
        for at, (media_range, weight) in enumerate(ranges):
            if media_range == exactness:
                return weight, at
    return 0.0, 0
