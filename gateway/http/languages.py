"""From what a caller likes to read to the language of texts and the locale of content. Pure."""

from __future__ import annotations

from functools import lru_cache

from schema.texts import negotiate

#: What a caller of ours may still ask for, at most, in languages.
_MOST_LANGUAGES = 10
#: Longest header that is looked at, in characters, and most answers that are remembered.
_LONGEST, _MOST = 500, 1_024


def chosen(header: str, preferred: str | None, default: str) -> tuple[str, str]:
    """The language, one of ours, and the locale, BCP 47. header: Accept-Language. preferred: what
    the person likes, where the header says nothing."""
    return _chosen(header[:_LONGEST], preferred, default)


@lru_cache(_MOST)
def _chosen(header: str, preferred: str | None, default: str) -> tuple[str, str]:
    wanted = _accepted(header)
    if not wanted and preferred:
        wanted = [preferred]
    language = negotiate(wanted, default)
    fitting = [tag for tag in wanted if negotiate([tag], "") == language]
    return language, fitting[0] if fitting else language


def _accepted(header: str) -> list[str]:
    """Language tags of an Accept-Language header, best first. RFC 9110, 12.5.4."""
    weighted: list[tuple[float, str]] = []
    for part in header.split(",")[:_MOST_LANGUAGES]:
        tag, _, weight = part.strip().partition(";")
        tag = tag.strip()
        if not tag.replace("-", "").isalnum() or not tag.isascii() or len(tag) > 35:
            continue
        try:
            weighted.append((float(weight.strip().removeprefix("q=") or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0]
