"""What was changed, counted by kind and account: an answer from before a change is not given after
it. Counters only tell "the same" from "another"."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from connectors.port.scope import Scope
from gateway.sources.freshness import PUBLIC, Kind

#: Accounts that are remembered to have been changed.
_MOST: Final = 50_000
#: Scopes that are remembered with how they stand.
_MOST_STOOD: Final = 10_000
#: In place of an account: all of them.
EVERYBODY: Final = "*"

#: A kind, and an account's id or EVERYBODY.
Subject = tuple[Kind, str]
#: How something stands: another one after each change.
Standing = tuple[int, int]


class Versions:
    """Changes that this process knows of."""

    def __init__(self) -> None:
        self._counts: OrderedDict[Subject, int] = OrderedDict()
        self._all = 0
        #: All changes, and how scopes stood after so many: they are asked for by their identity.
        self._changes = 0
        self._stood: dict[int, tuple[Scope, int, Standing]] = {}

    def standing(self, scope: Scope) -> Standing:
        """How all that a scope holds stands."""
        known = self._stood.get(id(scope))
        if known is not None and known[1] == self._changes:
            return known[2]
        if len(self._stood) >= _MOST_STOOD:
            self._stood.clear()
        standing = self.of([one for kind in Kind for one in subjects(kind, scope)])
        self._stood[id(scope)] = scope, self._changes, standing
        return standing

    def of(self, subjects: Iterable[Subject]) -> Standing:
        """Changes so far; not equal to earlier ones if something was changed meanwhile: the sum
        only grows until something is forgotten, which the first number tells."""
        counts = self._counts
        return self._all, sum([counts.get(one, 0) for one in subjects]) if counts else 0

    def change(self, subject: Subject) -> None:
        self._changes += 1
        self._counts[subject] = self._counts.pop(subject, 0) + 1
        if len(self._counts) > _MOST:
            self._counts.popitem(last=False)
            self._all += 1  # what is forgotten here could be taken for unchanged

    def change_all(self) -> None:
        self._changes += 1
        self._all += 1


def subjects(kind: Kind, scope: Scope | None) -> list[Subject]:
    """What an answer rests on."""
    if kind in PUBLIC or scope is None:
        return [(kind, EVERYBODY)]
    return [(kind, EVERYBODY), *[(kind, account) for account in scope.ids]]
