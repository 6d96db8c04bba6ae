"""The same with every answer remembered: by one memory for everybody, hot, in one process or in a
store that processes share. What one person was answered never reaches another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from connectors.port.scope import Scope
from gateway import telemetry
from gateway.operations.answers import AnswerSettings, WholeAnswers
from gateway.sources.cached import Answers
from gateway.sources.freshness import CacheSettings, Freshness
from gateway.sources.keys import Key
from tests.gateway.sources.store import store
from tests.stories.portal import ANA, LUIS, opened
from tests.stories.test_isolation_worlds import askers, check, made, quiet
from tests.worlds.documents import Asked
from tests.worlds.memory import HONEST, LEAKY, Manner
from tests.worlds.people import worlds
from tests.worlds.running import GRAPH, Asker, Gateway
from tests.worlds.world import World

LONG = Freshness(seconds=600)
EVERYTHING = CacheSettings(
    missing_seconds=600,
    accounts=LONG,
    contacts=LONG,
    cases=LONG,
    orders=LONG,
    news=LONG,
    questions=LONG,
)
Question = tuple[Asker, Asked]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet():
        yield


@st.composite
def rounds(draw: Any) -> tuple[World, list[Question]]:
    """A world, and documents that several people ask: each of them asks each."""
    world = draw(worlds())
    people = draw(st.lists(askers(world), min_size=2, max_size=4))
    dice = draw(st.randoms(use_true_random=False, note_method_calls=False))
    documents = [made(world, dice.choice(people), dice) for _ in range(3)]
    return world, [(asker, asked) for asked in documents for asker in people]


def answered(
    world: World,
    manner: Manner,
    asked: list[Question],
    answers: list[Answers] | None = None,
    whole: WholeAnswers | None = None,
) -> list[Mapping[str, Any]]:
    """The answers to questions one after the other, each checked. answers: what is remembered, of
    one process after the other; None for nothing. whole: what is kept of whole answers."""

    async def run() -> list[Mapping[str, Any]]:
        bodies = []
        for place, (asker, document) in enumerate(asked):
            memory = answers[place % len(answers)] if answers else None
            found = await Gateway(world, manner, answers=memory, whole=whole).ask(document, asker)
            check(found, world, asker, document)
            bodies.append(found.body)
        for memory in answers or ():
            await memory.close()
        return bodies

    with asyncio.Runner() as runner:
        return runner.run(run())


def twice(asked: list[Question]) -> list[Question]:
    """Each again when all are remembered, in another order."""
    return asked + random.Random(7).sample(asked, len(asked))


_FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_FEW
@given(rounds())
def test_what_is_remembered_is_answered_as_if_it_were_not(
    drawn: tuple[World, list[Question]],
) -> None:
    world, asked = drawn[0], twice([q for q in drawn[1] if "mutation" not in q[1].text])
    remembered = answered(world, HONEST, asked, [Answers(EVERYTHING)])
    assert remembered == answered(world, HONEST, asked)


@_FEW
@given(rounds())
def test_nobody_is_answered_what_a_leaky_system_told_another(
    drawn: tuple[World, list[Question]],
) -> None:
    answered(drawn[0], LEAKY, twice(drawn[1]), [Answers(EVERYTHING)])


@_FEW
@given(rounds())
def test_whole_answers_are_kept_for_whoever_they_were_for(
    drawn: tuple[World, list[Question]],
) -> None:
    world, asked = drawn[0], twice([q for q in drawn[1] if "mutation" not in q[1].text])
    settings_ = AnswerSettings(private_seconds=600)
    kept = WholeAnswers(GRAPH, settings_, lambda scope: None, lambda: 0.0)
    before = telemetry.loads["answers", "remembered"]
    assert answered(world, HONEST, asked, whole=kept) == answered(world, HONEST, asked)
    event("kept" if telemetry.loads["answers", "remembered"] > before else "nothing was kept")


@_FEW
@given(rounds())
def test_processes_that_share_a_store_answer_as_if_they_did_not(
    drawn: tuple[World, list[Question]],
) -> None:
    world, asked = drawn[0], twice([q for q in drawn[1] if "mutation" not in q[1].text])
    held = store()
    processes = [Answers(EVERYTHING, held()) for _ in range(2)]
    assert answered(world, HONEST, asked, processes) == answered(world, HONEST, asked)


@pytest.mark.anyio
async def test_a_key_without_the_scope_is_noticed(
    database: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The properties above can fail: keys that leave the scope out change what the second of two
    people is answered, although the wall behind them holds back what is the first's."""

    def without(value: Any) -> Any:
        return replace(value, scope=Scope()) if hasattr(value, "scope") else value

    def scopeless(source: str, method: str, item: Any, rest: tuple[Any, ...]) -> Key:
        kept = tuple(one for one in rest if not isinstance(one, Scope))
        return source, method, without(item), kept

    tables = {"cache": msgspec.to_builtins(EVERYTHING)}
    asked = "{ cases(first: 3) { nodes { number } } orders(first: 3) { nodes { number } } }"
    async with opened(database, keys, tables=tables) as portal:
        right = [(await portal.ask(asked, by=person)).data for person in (ANA, LUIS, ANA)]
    assert right[0] == right[2]
    monkeypatch.setattr("gateway.sources.keys.key_of", scopeless)
    async with opened(database, keys, tables=tables) as portal:
        wrong = [(await portal.ask(asked, by=person)).data for person in (ANA, LUIS, ANA)]
    assert wrong[0] == right[0]
    assert wrong[1] != right[1]
    assert wrong[1] == {"cases": {"nodes": []}, "orders": {"nodes": []}}
