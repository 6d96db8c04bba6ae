"""Turns filters over terms into the questions that WordPress can be asked. Pure: no I/O, no clock.

Of one taxonomy, a question can demand any of some terms or all of some terms, and that some terms
are absent. "This country or none at all" is more than that, so a filter is a list of alternatives,
and what does not fit into one question is asked in several, whose answers are put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

#: Questions at most for one list.
LIMIT = 24


class TooManyChoices(ValueError):
    """The filters would take more questions than a list may cost."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Posts that hold any of `ids` of a taxonomy; not present: posts that hold none of them."""

    taxonomy: str
    ids: frozenset[int]
    present: bool = True


#: Posts that meet one of these. Empty: no post does.
Alternatives = Sequence[Clause]


@dataclass(frozen=True, slots=True)
class Choice:
    """One question: for each taxonomy the terms to hold (any of, or all of) and not to hold."""

    any_of: Mapping[str, frozenset[int]]
    all_of: Mapping[str, frozenset[int]]
    none_of: Mapping[str, frozenset[int]]

    def params(self) -> list[tuple[str, str]]:
        """In the query language of wp/v2, in a stable order."""
        asked = [(name, _list(ids)) for name, ids in sorted(self.any_of.items())]
        for name, ids in sorted(self.all_of.items()):
            asked += [(f"{name}[terms]", _list(ids)), (f"{name}[operator]", "AND")]
        asked += [(f"{name}_exclude", _list(ids)) for name, ids in sorted(self.none_of.items())]
        return asked


def holding(taxonomy: str, wanted: Iterable[int]) -> Alternatives:
    """Posts with any of the wanted terms."""
    ids = frozenset(wanted)
    return [Clause(taxonomy, ids)] if ids else []


def holding_or_bare(
    taxonomy: str, wanted: Iterable[int], known: Iterable[int]
) -> Alternatives | None:
    """Posts with any of the wanted terms, and posts with none of the known ones. None: all are."""
    every = frozenset(known)
    if not every:
        return None
    return [*holding(taxonomy, wanted), Clause(taxonomy, every, present=False)]


def choices(filters: Iterable[Alternatives]) -> list[Choice]:
    """The questions whose answers together are the posts that meet every filter. Empty: none can.

    Raises TooManyChoices."""
    questions: list[Choice] = []
    for clauses in product(*filters):
        questions += _questions(clauses)
        if len(questions) > LIMIT:
            raise TooManyChoices
    return questions


def _questions(clauses: Sequence[Clause]) -> list[Choice]:
    none_of: dict[str, frozenset[int]] = {}
    sets: dict[str, list[frozenset[int]]] = {}
    for clause in clauses:
        if clause.present:
            sets.setdefault(clause.taxonomy, []).append(clause.ids)
        else:
            none_of[clause.taxonomy] = none_of.get(clause.taxonomy, frozenset()) | clause.ids
    any_of = {name: found[0] for name, found in sets.items() if len(found) == 1}
    # Several demands on one taxonomy: each way to meet them all is a question of its own.
    ways: list[list[tuple[str, frozenset[int]]]] = [
        [(name, frozenset(way)) for way in _bounded(found)]
        for name, found in sets.items()
        if len(found) > 1
    ]
    return [Choice(any_of, dict(way), none_of) for way in product(*ways)]


def _bounded(sets: Sequence[frozenset[int]]) -> list[tuple[int, ...]]:
    count = 1
    for ids in sets:
        count *= len(ids)
    if count > LIMIT:
        raise TooManyChoices
    return list(product(*(sorted(ids) for ids in sets)))


def _list(ids: Iterable[int]) -> str:
    return ",".join(map(str, sorted(ids)))
