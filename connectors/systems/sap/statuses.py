"""Turns the letters of an order's header into a status, and statuses into the question for them.

Pure. Both directions read the same rules, so a filter finds exactly what a row would be told as.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.kit.odata.expressions import Expression, Property, every, some
from connectors.port.records import OrderStatus
from connectors.systems.sap.settings import Settings, StatusRule

#: A condition, or what is already known of it.
Known = Expression | bool


@dataclass(frozen=True, slots=True)
class StatusMap:
    """The first rule that fits gives the status; an order that fits none has `otherwise`.

    Rules name properties as the service of the dialect does.
    """

    rules: tuple[StatusRule, ...]
    otherwise: OrderStatus

    @classmethod
    def of_settings(cls, settings: Settings, local: Callable[[str], str]) -> StatusMap:
        """The rules of the settings. local: the dialect's name for a property."""
        rules = tuple(
            StatusRule(status=rule.status, when={local(n): held for n, held in rule.when.items()})
            for rule in settings.status_rules
        )
        return cls(rules, settings.status_otherwise)

    @property
    def properties(self) -> tuple[str, ...]:
        """What must be selected to tell a status, in a stable order."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.when))

    def of(self, letters: Mapping[str, str]) -> OrderStatus:
        """The status for a header's letters; one that is missing counts as empty."""
        for rule in self.rules:
            if all(_fits(letters.get(name, ""), held) for name, held in rule.when.items()):
                return rule.status
        return self.otherwise

    def condition(self, wanted: Collection[OrderStatus], exists: Callable[[str], bool]) -> Known:
        """What finds the orders whose status is one of `wanted`: True for all, False for none.

        exists: whether this release has a property; one that it lacks is empty in every order.
        """
        found: list[Known] = []
        others: list[Known] = []
        for rule in self.rules:
            fits = all_of(_atom(name, held, exists) for name, held in rule.when.items())
            if rule.status in wanted:
                # An earlier rule of a wanted status may fit as well: the answer is the same.
                found.append(all_of([fits, *others]))
            else:
                misses = (_atom(name, held, exists, not_=True) for name, held in rule.when.items())
                others.append(any_of(misses))
        if self.otherwise in wanted:
            # No need to say that the rules of wanted statuses do not fit: those are found above.
            found.append(all_of(others))
        return any_of(found)


def _fits(letter: str, held: Collection[str]) -> bool:
    return letter in held or (bool(letter) and "*" in held)


def _atom(
    name: str, held: Collection[str], exists: Callable[[str], bool], *, not_: bool = False
) -> Known:
    if not exists(name):
        return _fits("", held) != not_
    it = Property(name)
    empty, any_other = "" in held, "*" in held
    if any_other:
        if empty:
            return not not_
        return it.eq("") if not_ else it.ne("")
    values = sorted(held)
    return (it.none_of(values) or True) if not_ else it.one_of(values)


def all_of(terms: Iterable[Known]) -> Known:
    """Every condition: True when nothing is left to ask, False when it can never be met."""
    rest: list[Expression] = []
    for term in terms:
        if term is False:
            return False
        if term is not True:
            rest.append(term)
    return every(_distinct(rest)) or True


def any_of(terms: Iterable[Known]) -> Known:
    """One of the conditions at least: True when it is met anyway, False when it never is."""
    rest: list[Expression] = []
    for term in terms:
        if term is True:
            return True
        if term is not False:
            rest.append(term)
    return some(_distinct(rest)) if rest else False


def _distinct(terms: Iterable[Expression]) -> Iterator[Expression]:
    return iter(dict.fromkeys(terms))
