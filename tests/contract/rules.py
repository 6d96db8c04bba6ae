"""The rules of the contract by name, each with the methods it is about, and how one is tried."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.kit.connector import Connector
from tests.contract import answers, planted, trouble, written
from tests.contract.methods import Method
from tests.contract.world import World, connectors, module_of, offered

About = Callable[[Method], bool]

#: What a connector without a world can be exempted from.
WORLD = "world"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for each method that it is about, or for a system as a whole (about is None then).

    live: it needs a system that answers, so it is tried only where one runs."""

    body: Callable[..., Awaitable[None]]
    about: About | None
    live: bool

    @property
    def name(self) -> str:
        return self.body.__name__


def _any(method: Method) -> bool:
    return True


def _reads(method: Method) -> bool:
    return not method.writes


def _scoped(method: Method) -> bool:
    return method.scoped and not method.writes


def _once(method: Method) -> bool:
    return method.once


def _by_part(method: Method) -> bool:
    return method.keyed and "part" in method.takes


_ANSWERS: tuple[tuple[Callable[..., Awaitable[None]], About | None], ...] = (
    (answers.answers_in_key_order, lambda method: method.keyed),
    (answers.asks_once, _reads),
    (answers.splits_what_is_too_long, lambda method: method.keyed),
    (answers.takes_a_large_scope, _scoped),
    (answers.fetches_what_is_asked, lambda method: method.selects),
    (answers.keeps_to_the_scope, _scoped),
    (answers.hides_what_is_foreign, _scoped),
    (answers.drops_foreign_rows, _scoped),
    (answers.survives_unknown_fields, _reads),
    (answers.names_missing_fields, _reads),
    (answers.pages_meet_everything_once, lambda method: method.paged),
    (answers.pages_of_each_key, _by_part),
    (answers.many_at_once, _reads),
    (answers.streams_from_anywhere, lambda method: method.streamed),
    (answers.check_answers, None),
    (planted.keeps_values_as_data, _reads),
    (trouble.answers_after_a_retry, _reads),
    (trouble.writes_once, lambda method: method.writes),
    (written.writes_one_by_key, _once),
    (written.finishes_what_was_cut, _once),
    (written.writes_on_nothing_foreign, _once),
    (written.writes_texts_as_they_are, _once),
    (written.names_what_is_too_long, _once),
    (written.closes_a_case_once, lambda method: method.name == "close_case"),
)
_TROUBLE: tuple[tuple[Callable[..., Awaitable[None]], About | None], ...] = (
    (trouble.names_every_failure, _any),
    (trouble.leaks_nothing, _any),
    (trouble.keeps_the_deadline, _any),
    (trouble.retries_when_it_helps, _reads),
    (trouble.does_not_retry_in_vain, _any),
    (trouble.check_fails, None),
    (trouble.hides_its_settings, None),
    (trouble.closes, None),
)
RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        *(Rule(body, about, live=True) for body, about in _ANSWERS),
        *(Rule(body, about, live=False) for body, about in _TROUBLE),
    )
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule on one method of one connector, or on its system as a whole."""

    rule: Rule
    connector: str
    method: Method | None

    def __str__(self) -> str:
        return "-".join(map(str, filter(None, (self.rule.name, self.connector, self.method))))


def trials(names: Iterator[str], *, live: bool | None = None) -> list[Trial]:
    """Every rule on everything that it is about. live: only rules of that kind."""
    return [
        Trial(rule, name, method)
        for name in names
        for rule in RULES.values()
        if live in (None, rule.live)
        for method in ((None,) if rule.about is None else filter(rule.about, offered(name)))
    ]


async def hold(trial: Trial, world: World) -> None:
    """Tries a rule. One that the connector is exempted from must fail: else the exemption is of
    yesterday."""
    arguments = (world,) if trial.method is None else (world, trial.method)
    reason = exemption(world.connector, trial)
    if reason is None:
        await trial.rule.body(*arguments)
        return
    try:
        await trial.rule.body(*arguments)
    except Exception:  # noqa: BLE001 - whatever the rule stumbles over, it does not hold
        pytest.skip(reason)
    pytest.fail(f"{trial} holds, but {world.connector.name} is exempted from it: {reason}")


def exemption(connector: Connector[Any], trial: Trial) -> str | None:
    """For every method, or for one: `asks_once`, `asks_once:find_news`."""
    keys = (trial.rule.name, f"{trial.rule.name}:{trial.method}")
    return next((connector.exempt[key] for key in keys if key in connector.exempt), None)


def unknown_exemptions(connector: Connector[Any]) -> list[str]:
    """Those that name no rule, or no method that the connector has."""
    known = {method.name for method in offered(connector.name)}
    return [key for key in connector.exempt if not _names_something(key, known)]


def _names_something(key: str, known: set[str]) -> bool:
    rule, colon, method = key.partition(":")
    if colon:
        return rule in RULES and method in known
    return rule in RULES or rule == WORLD


def missing_world(connector: Connector[Any]) -> str | None:
    """What to add for a connector that nothing can be tried on, None when all is there."""
    found, exempt = module_of(connector.name) is not None, WORLD in connector.exempt
    if found and exempt:
        return f"{connector.name} has a world: take `{WORLD}` out of its exemptions"
    if found or exempt:
        return None
    return (
        f"the connector {connector.name!r} has no world: add tests/contract/worlds/"
        f"{connector.name}.py (tests/contract/README.md says how), or exempt it with a reason: "
        f'Connector(..., exempt={{"{WORLD}": "why"}})'
    )


def names() -> Iterator[str]:
    """Connectors that can be tried."""
    return (name for name in connectors() if module_of(name) is not None)
