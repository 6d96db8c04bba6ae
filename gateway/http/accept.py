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

#: Several answers to one request, and what clients call the form that ours have.
PARTS, _PARTS_SPEC = "multipart/mixed", "incrementalspec=v0.2"

#: Longest header that is looked at, in characters, and most headers that are remembered.
_LONGEST, _MOST = 1_000, 256


def chosen(header: str | None, offered: tuple[str, ...] = JSON_TYPES) -> str | None:
    """The media type to answer with, None when the caller takes none of them. header: None or ""
    where nothing is said, which means that everything will do."""
    if not header or header == "*/*":
        return offered[0]
    return _chosen(header[:_LONGEST], offered)


def takes_parts(header: str | None) -> bool:
    """Whether a caller reads answers in parts, as Apollo's incremental delivery 0.2 has them."""
    return header is not None and PARTS in header.lower() and _takes_parts(header[:_LONGEST])


@lru_cache(_MOST)
def _takes_parts(header: str) -> bool:
    for part in header.lower().split(","):
        media_range, *parameters = (word.strip() for word in part.split(";"))
        weights = (_number(one[2:]) for one in parameters if one.startswith("q="))
        if media_range == PARTS and _PARTS_SPEC in parameters and next(weights, 1.0) > 0:
            return True
    return False


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
