"""The terms of a site: which ids stand for which slugs, asked once and kept for a while.

The taxonomies that tell language and country are read whole, since "no country at all" is known
only by knowing every country. Tags may be many, so they are looked up one by one, by slug or name.
"""

from __future__ import annotations

import asyncio
import html
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

#: Terms at most of a taxonomy that is read whole: 20 calls.
WHOLE = 2000
#: Looked-up tags that are kept.
KEPT = 1000
PAGE = 100
#: A term that is not known yet is no reason to read a taxonomy again sooner than this.
FRESH = timedelta(seconds=30)


class TooManyTerms(ValueError):
    """The taxonomy that tells language or country holds more terms than one would read whole."""


@dataclass(frozen=True, slots=True)
class Term:
    """slug: as in addresses. name: as people read it."""

    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class TermPage:
    """One answer. pages: how many there are of this question."""

    terms: Sequence[Term]
    pages: int


class AskTerms(Protocol):
    """Asks the site for the terms of a taxonomy that meet `conditions`."""

    def __call__(
        self, taxonomy: str, conditions: Mapping[str, str | int]
    ) -> Awaitable[TermPage]: ...


def term(raw: Mapping[str, Any]) -> Term:
    """Raises KeyError, TypeError or ValueError for what is no term."""
    return Term(int(raw["id"]), str(raw["slug"]), html.unescape(str(raw["name"])))


class Terms:
    """kept: how long. clock: aware UTC."""

    def __init__(self, ask: AskTerms, kept: timedelta, clock: Callable[[], datetime]) -> None:
        self._ask = ask
        self._kept = kept
        self._clock = clock
        self._whole: dict[str, tuple[datetime, dict[int, Term]]] = {}
        self._lock = asyncio.Lock()
        self._found: OrderedDict[tuple[str, str], tuple[datetime, frozenset[int]]] = OrderedDict()

    async def whole(self, taxonomy: str, covering: Collection[int] = ()) -> Mapping[int, Term]:
        """Every term of a taxonomy by id. covering: ids that posts name; one that is not known yet
        makes it worth a new look."""
        terms = self._current(taxonomy, covering)
        if terms is None:
            async with self._lock:
                terms = self._current(taxonomy, covering)
                if terms is None:
                    terms = await self._read(taxonomy)
                    self._whole[taxonomy] = (self._clock(), terms)
        return terms

    def _current(self, taxonomy: str, covering: Collection[int]) -> dict[int, Term] | None:
        read_at, terms = self._whole.get(taxonomy, (None, None))
        if read_at is None or terms is None:
            return None
        age = self._clock() - read_at
        if age >= self._kept or (age >= FRESH and not terms.keys() >= set(covering)):
            return None
        return terms

    async def _read(self, taxonomy: str) -> dict[int, Term]:
        first = await self._ask(taxonomy, {"per_page": PAGE})
        if first.pages * PAGE > WHOLE:
            raise TooManyTerms(taxonomy)
        rest = await asyncio.gather(
            *(
                self._ask(taxonomy, {"per_page": PAGE, "page": number})
                for number in range(2, first.pages + 1)
            )
        )
        return {found.id: found for page in (first, *rest) for found in page.terms}

    async def named(self, taxonomy: str, values: Iterable[str]) -> frozenset[int]:
        """The ids of the terms that any of the values names, by slug or by name."""
        wanted = dict.fromkeys(value.strip() for value in values if value.strip())
        known: dict[str, frozenset[int]] = {}
        for value in wanted:
            expires, ids = self._found.get((taxonomy, value), (None, frozenset()))
            if expires is not None and self._clock() < expires:
                self._found.move_to_end((taxonomy, value))
                known[value] = ids
        missing = [value for value in wanted if value not in known]
        for value, ids in (await self._look_up(taxonomy, missing)).items():
            known[value] = ids
            self._found[taxonomy, value] = (self._clock() + self._kept, ids)
        while len(self._found) > KEPT:
            self._found.popitem(last=False)
        return frozenset().union(*known.values())

    async def _look_up(self, taxonomy: str, values: Sequence[str]) -> dict[str, frozenset[int]]:
        slugs = sorted({slug for value in values if (slug := slugged(value))})
        terms: Sequence[Term] = ()
        if slugs:
            page = await self._ask(taxonomy, {"slug": ",".join(slugs), "per_page": PAGE})
            terms = page.terms
        found = {value: _of(value, terms) for value in values}
        # A tag whose slug was edited, or is no plain ASCII, is found by its name alone.
        nameless = [value for value in values if not found[value]]
        answers = await asyncio.gather(
            *(self._ask(taxonomy, {"search": value, "per_page": PAGE}) for value in nameless)
        )
        for value, answer in zip(nameless, answers, strict=True):
            found[value] = _of(value, answer.terms)
        return found


def _of(value: str, terms: Iterable[Term]) -> frozenset[int]:
    return frozenset(
        found.id for found in terms if value == found.slug or _folded(value) == _folded(found.name)
    )


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def slugged(name: str) -> str:
    """What WordPress most likely made of a name for addresses; empty when it is no plain ASCII."""
    apart = unicodedata.normalize("NFKD", name.lower())
    bare = "".join(character for character in apart if not unicodedata.combining(character))
    if not bare.isascii():
        return ""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^a-z0-9\s_-]", "", bare)).strip("-")
