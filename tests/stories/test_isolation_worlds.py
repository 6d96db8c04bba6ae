"""Whatever is asked of whatever world, nobody gets what is another's.

Worlds and documents are generated, the documents from the schema itself, so that a type that is
added tomorrow is held to this without anyone remembering. See tests/worlds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import is_composite_type
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.port.errors import Rejected, Unavailable
from gateway.operations.run import Operations
from schema.access import (
    CASES_READ,
    CASES_WRITE,
    CONTACTS_INVITE,
    CUSTOMERS_READ,
    ORDERS_READ,
    SCOPES,
)
from schema.cases.service import Unproven
from schema.context import Caller
from tests.worlds import running, sources
from tests.worlds.coordinates import possible, reachable
from tests.worlds.documents import Asked, Generator
from tests.worlds.leaks import leaks
from tests.worlds.memory import HONEST, LEAKY, Manner, bare
from tests.worlds.people import world_of, worlds
from tests.worlds.running import GRAPH, Asker, Gateway, Run, catalogue, may_see
from tests.worlds.standins import SECRET
from tests.worlds.values import Pool, pool_of
from tests.worlds.world import NOW, World

INTERNAL = "INTERNAL_SERVER_ERROR"
ALL = reachable(GRAPH)
#: Types that hold what is for everybody: asked for too, but no goal.
_PUBLIC = ("News", "Faq", "Support", "Opening", "Form", "CaseCategory", "CaseSubcategory")
#: All places of each type that a document can select from.
_KINDS = {
    name: frozenset(place for place in ALL if place.startswith(f"{name}."))
    for name in {place.partition(".")[0] for place in ALL}
    if is_composite_type(GRAPH.type_map[name]) and not name.startswith(_PUBLIC)
}

#: What no generated document can ask for, and why.
NOT_ASKED: dict[str, str] = {}
#: Fields that never hold a value in a world, and why.
NOT_ANSWERED: dict[str, str] = {
    "SupportDesk.opensAt": "the clock of all worlds stands at an hour when every desk is open",
}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Records that are held back are logged, thousands here."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet():
        yield


def values_of(world: World) -> Pool:
    """Values of everybody, and what the portal's own texts make sense of."""
    categories = catalogue().categories
    subcategories = [sub.code for category in categories for sub in category.subcategories]
    secrets = ("password", "token", "refreshToken", "resetToken", "code", "currentPassword")
    fields = [field for category in categories for field in category.form]
    fields += [f for category in categories for sub in category.subcategories for f in sub.form]
    codes = [category.code for category in categories]
    return pool_of(
        world,
        {
            "categories": codes,
            "category": [*codes, *["QUERY", "SERVICE_CLAIM"] * 4],
            "subcategories": subcategories,
            "subcategory": subcategories,
            "description": ["Llegó roto.", "No llegó."],
            "value": [*[order.number for order in world.orders], "OTHER", "12"],
            "idempotencyKey": ["k-1", "k-2"],
            **{name: [SECRET, SECRET, "wrong"] for name in secrets},
            "newPassword": ["a new and long password"],
            "name": ["Ana Torres", *["order"] * 20, *[field.name for field in fields]],
        },
    )


@st.composite
def questions(draw: Any, programs: bool = False) -> tuple[World, Asker, Asked]:
    """A world, who asks, and what. programs: asked by programs alone."""
    world = draw(worlds())
    asker = draw(_programs(world) if programs else askers(world))
    dice = draw(st.randoms(use_true_random=False, note_method_calls=False))
    return world, asker, made(world, asker, dice)


def made(world: World, asker: Asker, dice: random.Random) -> Asked:
    """A document with values of everybody or, so that more of it is answered, of one's own mostly;
    at random or on the way to the fields of one type, which may lie deep."""
    around = world.only(may_see(world, asker)) if dice.random() < 0.6 else world
    pool = values_of(around if around.cases and around.orders else world)
    goal = _KINDS[dice.choice(sorted(_KINDS))] if dice.random() < 0.8 else frozenset()
    return Generator(GRAPH, dice, pool, unseen=goal, size=dice.choice((8, 24, 24))).document()


def askers(world: World) -> st.SearchStrategy[Asker]:
    """Somebody of a world, mostly; a program; somebody whom it does not know; nobody."""
    # Those first who see most: hypothesis begins with the first.
    emails = [one.email for one in sorted(world.people, key=lambda p: -len(p.may_see(NOW.date())))]
    people = st.builds(Asker, email=st.sampled_from(emails) | st.just(emails[0]))
    others = st.sampled_from((Asker(), Asker(email="stranger@people.example")))
    return st.one_of(people, people, people, people, _programs(world), others)


def _programs(world: World) -> st.SearchStrategy[Asker]:
    return st.builds(
        Asker,
        program=st.just(True),
        acting_for=st.sampled_from((*world.accounts, None)),
        scopes=st.frozensets(st.sampled_from(sorted(SCOPES))),
    )


def ask(world: World, manner: Manner, asker: Asker, asked: Asked, guarded: bool = True) -> Run:
    """The answer of a gateway over a world."""
    with asyncio.Runner() as runner:
        return runner.run(Gateway(world, manner, guarded).ask(asked, asker))


def check(run: Run, world: World, asker: Asker, asked: Asked) -> None:
    """Nothing foreign in the answer, and nothing foreign written."""
    assert not leaks(run.body, world.marks, run.may_see, asked.told)
    assert {key for key, _ in run.writer.written} <= {one.contact.id for one in run.people}
    touched = [person.account.id for person, _ in run.writer.added]
    touched += [invitation.account.id for invitation in run.identities.invited]
    for account_id in touched:
        assert _may_invite(run, asker, account_id)
    for account_id in _written_to(run, world):
        assert _may_write(run, asker, account_id)


def _written_to(run: Run, world: World) -> Iterator[str]:
    """The accounts whose cases were to be changed: those that the cases really belong to."""
    yield from (case.account.id for _, case, *_ in run.submissions.opened)
    owners = {case.id: case.owner.id for case in world.cases}
    for _, case, *_ in run.submissions.added:
        if isinstance(case, Unproven):
            yield from case.among.ids
            continue
        assert case.owner.id == owners.get(case.id, case.owner.id)
        yield owners[case.id]


def _may_write(run: Run, asker: Asker, account_id: str) -> bool:
    named = asker.program and asker.acting_for == account_id
    allowed = named and CASES_WRITE in asker.scopes
    return allowed or any(person.writes(account_id, NOW.date()) for person in run.people)


def _may_invite(run: Run, asker: Asker, account_id: str) -> bool:
    named = asker.program and asker.acting_for == account_id
    allowed = named and CONTACTS_INVITE in asker.scopes
    return allowed or any(person.leads(account_id, NOW.date()) for person in run.people)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(questions())
def test_nobody_gets_what_is_anothers(question: tuple[World, Asker, Asked]) -> None:
    """Whatever the systems do; and with honest ones the answer is, to the letter, what it would be
    if nobody else existed: lists, totals, whether there is more, and errors."""
    world, asker, asked = question
    honest = ask(world, HONEST, asker, asked)
    check(honest, world, asker, asked)
    assert _orders_named(honest) <= _orders_seen(honest, world)
    assert INTERNAL not in honest.codes
    assert "GRAPHQL_VALIDATION_FAILED" not in honest.codes
    if isinstance(honest.caller, Caller) and not honest.identities.admitted:
        assert {*honest.caller.scope.ids} == honest.may_see & world.accounts.keys()
    alone = ask(world.only(honest.may_see), HONEST, asker, asked)
    assert honest.body == alone.body
    check(ask(world, LEAKY, asker, asked), world, asker, asked)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    questions(),
    st.sampled_from(
        (
            HONEST,
            LEAKY,
            Manner(trouble={"contacts_by_id": Unavailable("crm", "down")}),
            Manner(
                trouble=dict.fromkeys(("accounts_by_id", "lines_by_order"), Unavailable("x", "y"))
            ),
        )
    ),
)
def test_plans_answer_what_graphql_core_answers(
    question: tuple[World, Asker, Asked], manner: Manner
) -> None:
    world, asker, asked = question
    by_plan = ask(world, manner, asker, asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "OPERATIONS", Operations(GRAPH, compiled=False))
        interpreted = ask(world, manner, asker, asked)
    assert json.dumps(by_plan.body.get("data")) == json.dumps(interpreted.body.get("data"))
    assert _errors_told(by_plan) == _errors_told(interpreted)


def _errors_told(run: Run) -> tuple[list[str], set[str]]:
    """The errors, and the places that are null for what went wrong below them: there the first
    error is told, and of the others those that came before it was noticed, which is chance."""
    told, taken = [], set()
    for error in run.body.get("errors", ()):
        value, path = run.body.get("data"), error.get("path", [])
        for depth, key in enumerate(path):
            if value is None:
                taken.add(json.dumps(path[:depth]))
                break
            value = value[key]
        else:
            told.append(json.dumps(error))
    return sorted(told), taken


def _orders_named(run: Run) -> set[str]:
    """The orders that new cases are about, as people compare their numbers."""
    numbers = (case.order_number for _, case, *_ in run.submissions.opened)
    return {bare(number) for number in numbers if number}


def _orders_seen(run: Run, world: World) -> set[str]:
    return {bare(order.number) for order in world.only(run.may_see).orders}


#: Documents that a sweep may take, each in a world of its own.
_MOST = 400
#: New cases, and additions to cases, that have to be taken in at least.
_FEWEST = 1
_SENDING = frozenset(
    f"Mutation.{name}"
    for name in ("createCase", "addCaseComment", "addCaseAttachments", "closeCase")
)
_ALIAS = re.compile(r"([A-Za-z]+)_([A-Za-z0-9]+)_\d+")


@dataclass(slots=True)
class Sweep:
    """Documents that seek what was not asked or not answered yet, in seeded worlds.

    asked: coordinates; answered: those of fields that held something. bare: from which types'
    fields something foreign came when there was no wall. sent: what was taken in."""

    asked: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    bare: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    documents: int = 0

    @property
    def left(self) -> frozenset[str]:
        fields = {one for one in ALL if "(" not in one and one.partition(".")[0] in _OUTPUTS}
        asked, answered = ALL - NOT_ASKED.keys(), fields - NOT_ANSWERED.keys() - NOT_ASKED.keys()
        return (asked - self.asked) | (answered - self.answered)

    @property
    def few(self) -> bool:
        """Whether too little was taken in to prove who may send it."""
        return min(self.sent["cases"], self.sent["more"]) < _FEWEST

    def step(self, dice: random.Random) -> None:
        """One document more, held to the same as all others."""
        world = world_of(dice, least=3)
        asker = _likely(world, dice)
        size = dice.choice((8, 24))
        # Own values mostly: most of what is foreign is answered with null.
        around = world.only(may_see(world, asker)) if dice.random() < 0.6 else world
        pool = values_of(around if around.cases and around.orders else world)
        made = Generator(GRAPH, dice, pool, unseen=self.left or _SENDING, size=size)
        asked = made.document()
        run = ask(world, HONEST, asker, asked)
        check(run, world, asker, asked)
        check(ask(world, LEAKY, asker, asked), world, asker, asked)
        assert INTERNAL not in run.codes
        self.documents += 1
        self.sent["cases"] += len(run.submissions.opened)
        self.sent["more"] += len(run.submissions.added)
        self.asked |= asked.coordinates
        for key, value in _keyed(run.body.get("data")):
            if value is not None:
                self.answered.add(key)
        without = ask(world, LEAKY, asker, asked, guarded=False)
        for leak in leaks(without.body, world.marks, without.may_see, asked.told):
            self.bare.update(match[0] for match in _ALIAS.findall(leak)[-1:])


_OUTPUTS = {kind.name for kind in GRAPH.type_map.values() if is_composite_type(kind)}


def _likely(world: World, dice: random.Random) -> Asker:
    """Somebody who sees something, mostly."""
    if dice.random() < 0.05:
        return Asker()
    people = [Asker(email=one.email) for one in world.people]
    people.sort(key=lambda one: -len(may_see(world, one)))
    return people[0] if dice.random() < 0.8 else dice.choice(people)


def _keyed(value: Any) -> Iterator[tuple[str, Any]]:
    """Everything under an alias, by the coordinate that the alias tells."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            match = _ALIAS.fullmatch(key)
            if match:
                yield f"{match[1]}.{match[2]}", inner
            yield from _keyed(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keyed(inner)


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    """Goes on until nothing is left, so that it takes as long as the schema is large."""
    swept, dice = Sweep(), random.Random(7)
    with quiet():
        while (swept.left or swept.few) and swept.documents < _MOST:
            swept.step(dice)
    return swept


def test_everything_that_can_be_asked_was_asked(sweep: Sweep) -> None:
    """Every field, argument and input field that a query or mutation reaches."""
    assert sorted(ALL - sweep.asked - NOT_ASKED.keys()) == []
    stale = NOT_ASKED.keys() - ALL | NOT_ASKED.keys() & sweep.asked
    assert sorted(stale) == [], "listed, but gone or asked all the same"


def test_every_field_held_something(sweep: Sweep) -> None:
    """What never has a value in any world could leak unseen."""
    assert sorted(sweep.left) == []
    stale = NOT_ANSWERED.keys() - ALL | NOT_ANSWERED.keys() & sweep.answered
    assert sorted(stale) == [], "listed, but gone or answered all the same"


def test_every_kind_of_object_is_asked_for_by_its_id() -> None:
    """A new type that can be asked for by id has to be put into the worlds."""
    node = GRAPH.type_map["Node"]
    kinds = {kind.name for kind in possible(GRAPH, node)} - {"Node"}
    dice = random.Random(1)
    pools = [values_of(world_of(dice)).ids for _ in range(20)]
    assert [kinds] * 20 == [set(ids) for ids in pools]
    assert [kind for kind in sorted(kinds) if not any(ids[kind] for ids in pools)] == []


def test_much_was_sent(sweep: Sweep) -> None:
    """What is never taken in proves nothing of who may send it."""
    assert not sweep.few


def test_without_the_wall_the_check_finds_leaks(sweep: Sweep) -> None:
    """Of every type that belongs to a customer."""
    owned = {"Account", "Contact", "Case", "CaseComment", "Attachment", "Order", "PageInfo"}
    assert owned <= sweep.bare.keys()
    assert sum(sweep.bare.values()) > 100


#: What a program must be allowed for anything of a type, its lists and what is inside it.
PROGRAMS_NEED = {
    "Account": CUSTOMERS_READ,
    "Contact": CUSTOMERS_READ,
    "Case": CASES_READ,
    "CaseComment": CASES_READ,
    "CaseDetail": CASES_READ,
    "CaseEvent": CASES_READ,
    "CaseOpened": CASES_READ,
    "CaseRejection": CASES_READ,
    "CaseStatusChanged": CASES_READ,
    "Attachment": CASES_READ,
    "Author": CASES_READ,
    "CreditPosition": ORDERS_READ,
    "Order": ORDERS_READ,
    "OrderLine": ORDERS_READ,
    "Delivery": ORDERS_READ,
    "Invoice": ORDERS_READ,
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(programs=True))
def test_programs_get_nothing_beyond_their_scopes(question: tuple[World, Asker, Asked]) -> None:
    """Neither an object, nor how many there are, nor where one stands in a list."""
    world, asker, asked = question
    run = ask(world, HONEST, asker, asked)
    check(run, world, asker, asked)
    if run.identities.admitted:
        return  # a person signed in on the way, who may what a person may
    for coordinate, value in _keyed(run.body.get("data")):
        kind = coordinate.partition(".")[0].removesuffix("Connection").removesuffix("Edge")
        if value is not None and kind in PROGRAMS_NEED:
            assert PROGRAMS_NEED[kind] in asker.scopes, coordinate


#: All that is asked once it is known who asks.
METHODS = sorted(
    name
    for source in (sources.Customers, sources.Cases, sources.Orders)
    for name in vars(source)
    if not name.startswith(("_", "identity"))
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(), st.sets(st.sampled_from(METHODS), min_size=1, max_size=6), st.integers(0, 2))
def test_trouble_tells_nothing_either(
    question: tuple[World, Asker, Asked], methods: set[str], sort: int
) -> None:
    """What a system says when it fails may hold anybody's data."""
    world, asker, asked = question
    said = " ".join([*world.marks.marks, *map(str, world.marks.values)])
    trouble = (
        Unavailable("crm", "a call failed", detail=said),
        Rejected("crm", "a call failed", field="input.name", detail=said),
        RuntimeError(said),
    )[sort]
    manner = Manner(scoped=False, trouble=dict.fromkeys(methods, trouble))
    check(ask(world, manner, asker, asked), world, asker, asked)


def test_a_count_that_holds_others_is_not_told() -> None:
    """A system that lists what is another's counts it too: its total is no total of one's own."""
    dice = random.Random(5)
    for _ in range(40):
        world = world_of(dice)
        asker = _likely(world, dice)
        text = "{ orders { totalCount nodes { id } } cases { totalCount nodes { id } } }"
        body = ask(world, LEAKY, asker, Asked(text, {}, frozenset(), "query")).body
        own = world.only(may_see(world, asker))
        for name, mine in (("orders", own.orders), ("cases", own.cases)):
            page = (body.get("data") or {}).get(name)
            assert page is None or page["totalCount"] in (None, len(mine)), world
