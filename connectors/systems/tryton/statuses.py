"""Turns the three states of a sale into our one status, and our statuses into a domain. Pure.

A sale has the status of the first rule that it meets, so the domain of a status is: a rule of it
holds, and no earlier rule of another status does. That also holds for states that Tryton's modules
may add and no rule names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connectors.port.records import OrderStatus
from connectors.systems.tryton.domain import AnyOf, Clause, Domain, all_of
from connectors.systems.tryton.settings import StatusRule


def status_of(sale: Mapping[str, str | None], rules: Sequence[StatusRule]) -> OrderStatus:
    """sale: with `state`, `shipment_state` and `invoice_state`. The last rule takes any."""
    for rule in rules:
        if all(sale[name] in states for name, states in rule.conditions.items()):
            return rule.status
    raise ValueError("no rule takes any state")


def with_status(wanted: Collection[OrderStatus], rules: Sequence[StatusRule]) -> Domain | None:
    """The sales of any of these statuses; None when that is all of them."""
    if all(rule.status in wanted for rule in rules):
        return None
    choices = []
    for place, rule in enumerate(rules):
        if rule.status in wanted:
            earlier = [other for other in rules[:place] if other.status not in wanted]
            met = [Clause(name, "in", states) for name, states in rule.conditions.items()]
            unmet = [_unmet(other) for other in earlier if _overlap(rule, other)]
            choices.append(all_of([*met, *unmet]))
    return AnyOf(tuple(choices))


def _unmet(rule: StatusRule) -> Domain:
    clauses = [Clause(name, "not in", states) for name, states in rule.conditions.items()]
    return clauses[0] if len(clauses) == 1 else AnyOf(tuple(clauses))


def _overlap(rule: StatusRule, other: StatusRule) -> bool:
    """Whether a sale can meet both."""
    here, there = rule.conditions, other.conditions
    return all(set(here[name]) & set(there[name]) for name in here.keys() & there.keys())
