"""The suite itself: it finds what there is to try, and says so when it cannot try it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.kit.connector import Connector, Wiring
from connectors.port.errors import Unavailable
from connectors.port.pages import Page
from connectors.port.queries import CaseQuery, NewsQuery
from connectors.port.records import Case, NewsArticle, Order, Question
from connectors.port.sources import System
from tests.contract import methods, rules, world
from tests.contract.rules import RULES, Rule, Trial


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


async def _open(source: str, settings: _Settings, wiring: Wiring) -> System:
    return System(source)


def invented(name: str = "invented", **exempt: str) -> Connector[_Settings]:
    return Connector(name, _Settings, _open, exempt=exempt)


@pytest.mark.parametrize("connector", world.connectors().values(), ids=lambda one: one.name)
def test_every_connector_has_a_world_or_says_why_not(connector: Connector[Any]) -> None:
    missing = rules.missing_world(connector)
    assert missing is None, missing


@pytest.mark.parametrize("connector", world.connectors().values(), ids=lambda one: one.name)
def test_every_exemption_names_a_rule_or_a_method(connector: Connector[Any]) -> None:
    assert rules.unknown_exemptions(connector) == []
    assert all(reason.strip() for reason in connector.exempt.values())


def test_every_world_belongs_to_a_connector() -> None:
    folder = Path(__file__).parent / "worlds"
    assert {path.stem for path in folder.glob("*.py")} <= set(world.connectors())


def test_every_method_of_the_port_has_an_example_and_no_example_is_left_over() -> None:
    declared = {
        name: takes
        for protocol in methods.protocols().values()
        for name, takes in methods.declared(protocol)
    }
    assert set(declared) == set(methods.EXAMPLES), (
        "add a line to EXAMPLES in tests/contract/methods.py, or take one away"
    )
    for name, takes in declared.items():
        example = methods.EXAMPLES[name]
        if isinstance(example, methods.Paged):
            assert takes == ("query",)
        elif not isinstance(example, methods.Write):
            assert set(takes[1:]) <= methods.PARAMETERS, f"{name} takes what no rule can fill"


def test_every_rule_is_tried_on_something() -> None:
    tried = {trial.rule.name for trial in rules.trials(rules.names())}
    assert tried == set(RULES)


def test_a_connector_without_a_world_is_told_what_to_add() -> None:
    assert "tests/contract/worlds/invented.py" in (rules.missing_world(invented()) or "")
    assert rules.missing_world(invented(world="there is no such system to be had")) is None
    assert "take `world` out" in (rules.missing_world(invented("sap", world="old")) or "")


def test_an_exemption_from_nothing_is_found() -> None:
    stale: Mapping[str, str] = {
        "no_such_rule": "x",
        "asks_once": "x",
        "find_orders": "x",
        "asks_once:find_orders": "x",
        "asks_once:find_news": "x",
    }
    connector = Connector("sap", _Settings, _open, exempt=stale)
    wrong = ["no_such_rule", "find_orders", "asks_once:find_news"]
    assert rules.unknown_exemptions(connector) == wrong


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["holds", "holds:find_orders"])
async def test_an_exemption_from_what_holds_is_stale(key: str, database: Path) -> None:
    async def holds(tried: world.World, method: methods.Method) -> None:
        return None

    async def breaks(tried: world.World, method: methods.Method) -> None:
        raise Unavailable("x", "x")

    (method,) = (one for one in world.offered("sap") if one.name == "find_orders")
    exempt = {key: "why", key.replace("holds", "breaks"): "why"}
    connector = Connector("sap", _Settings, _open, exempt=exempt)
    tried = world.World(connector, {}, world.built("sap", database).facts)
    with pytest.raises(pytest.fail.Exception, match="is exempted from it"):
        await rules.hold(Trial(Rule(holds, None, live=True), "sap", method), tried)
    with pytest.raises(pytest.skip.Exception):
        await rules.hold(Trial(Rule(breaks, None, live=True), "sap", method), tried)


def test_attributes_and_texts_are_found_in_the_port() -> None:
    assert methods.optional(Question) == {}
    assert methods.optional(Case)["subject"] is None
    assert methods.whole(Case) >= {"subject", "contact", "contact.name", "account.number"}
    assert methods.whole(Order) >= {"lines", "lines.product", "deliveries.status", "total"}
    assert "account.account" not in methods.whole(Case)
    assert "tags" in methods.whole(NewsArticle)
    assert dict(methods.texts(CaseQuery)) == {
        "number": False,
        "categories": True,
        "subcategories": True,
        "search": False,
        "order_numbers": True,
    }
    assert set(dict(methods.texts(NewsQuery))) == {"locale", "country", "tags", "search"}


def test_holes_are_told_from_answers() -> None:
    assert all(map(methods.is_hole, (None, [], (), Page(()))))
    assert not any(map(methods.is_hole, ([1], Page([1]), 0)))
