"""Puts a document to the gateway's own machinery over a world: sources behind the wall, a caller
made as for a real token, and the schema as it is."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.port.errors import SourceError
from gateway.access.callers import Callers
from gateway.access.claims import Claims
from gateway.http.body import Bodies
from gateway.http.refusals import Refusal
from gateway.operations.answers import WholeAnswers
from gateway.operations.requests import Outcome, Request
from gateway.operations.run import Operations, Ready
from gateway.sources.cached import Answers
from gateway.sources.guarded import (
    GuardedCases,
    GuardedCustomers,
    GuardedCustomerWriter,
    GuardedOrders,
)
from schema.access import SCOPES
from schema.cases.catalogue import Catalogue
from schema.context import Caller, Context, Sources
from schema.root import SCHEMA
from schema.support.desks import Desks
from tests.worlds import public, sources
from tests.worlds.documents import Asked
from tests.worlds.memory import Manner
from tests.worlds.standins import ORIGIN, Files, Identities, Submissions, Writer
from tests.worlds.world import NOW, Owners, Person, World

ROOT = Path(__file__).parent.parent.parent
GRAPH = SCHEMA._schema
OPERATIONS = Operations(GRAPH)
BODIES = Bodies(1_000_000)


@functools.cache
def catalogue() -> Catalogue:
    """The catalogue of cases that the portal comes with."""
    return Catalogue.read(ROOT / "content" / "catalogue.toml")


@functools.cache
def desks() -> Desks:
    """The support desks that the portal comes with."""
    return Desks.read(ROOT / "content" / "desks.toml", ZoneInfo("America/Bogota"))


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: whoever has an address, a program (for an account, or for none), or nobody."""

    email: str | None = None
    program: bool = False
    acting_for: str | None = None
    scopes: frozenset[str] = SCOPES

    def claims(self) -> Claims | None:
        """What the token says, None without one."""
        ends = NOW + timedelta(hours=1)
        if self.program:
            return Claims("i", "s", None, None, ends, scopes=self.scopes, staff=True)
        return Claims("i", "s", self.email.lower(), None, ends) if self.email else None


def known(world: World, email: str | None) -> list[Person]:
    """Who has an address, as a list of one; two with the same are told from nobody."""
    found = [person for person in world.people if email and person.email == email.lower()]
    return found if len(found) == 1 else []


def may_see(world: World, asker: Asker) -> Owners:
    """Whose data: worked out from the world alone, by nothing that is under test."""
    if asker.program:
        return frozenset({asker.acting_for} if asker.acting_for else ())
    return _theirs(known(world, asker.email))


def _theirs(people: Iterable[Person]) -> Owners:
    return frozenset().union(*(person.may_see(NOW.date()) for person in people))


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it. people: who asked, and who signed in on the way. may_see: whose data any of
    them may see."""

    body: Mapping[str, Any]
    people: Sequence[Person]
    may_see: Owners
    caller: Caller | SourceError | None
    identities: Identities
    writer: Writer
    submissions: Submissions

    @property
    def codes(self) -> set[str]:
        """The codes of all errors."""
        return {error["extensions"]["code"] for error in self.body.get("errors", ())}


def opened(
    world: World, manner: Manner, guarded: bool, writer: Writer, answers: Answers | None = None
) -> Sources:
    """The sources of a world. guarded: False takes the wall away. answers: what is remembered of
    them, by whoever asks."""
    bare = Sources(
        customers=sources.Customers(world, manner),
        cases=sources.Cases(world, manner),
        orders=sources.Orders(world, manner),
        news=public.News(world, manner),
        questions=public.Questions(world, manner),
        customer_writer=writer,
    )
    if answers is not None:
        before = functools.partial(answers.before, name="world")
        bare = replace(
            bare,
            customers=before(bare.customers),
            cases=before(bare.cases),
            orders=before(bare.orders),
            news=before(bare.news),
            questions=before(bare.questions),
        )
    if not guarded:
        return bare
    customers = GuardedCustomers(bare.customers)
    return replace(
        bare,
        customers=customers,
        cases=GuardedCases(bare.cases),
        orders=GuardedOrders(bare.orders),
        customer_writer=GuardedCustomerWriter(writer, customers),
    )


@dataclass(slots=True)
class Gateway:
    """A gateway over a world, for one request each time it is asked."""

    world: World
    manner: Manner = field(default_factory=Manner)
    guarded: bool = True
    answers: Answers | None = None
    whole: WholeAnswers | None = None

    async def ask(self, asked: Asked, asker: Asker) -> Run:
        """The answer to a document."""
        identities, writer = Identities(self.world), Writer(self.world)
        submissions = Submissions(self.world, self.manner)
        found = opened(self.world, self.manner, self.guarded, writer, self.answers)
        # Trouble begins once it is known who asks: before that there is no operation to answer.
        calm = opened(self.world, replace(self.manner, trouble={}), self.guarded, writer)
        callers = Callers(calm.customers, timedelta(seconds=60), _now)
        claims = asker.claims()
        who: Caller | SourceError | None = None
        if claims is not None:
            try:
                who = await callers.caller(claims, asker.acting_for)
            except SourceError as error:
                who = error

        async def recognise(access_token: str) -> Caller:
            email = identities.email(access_token)
            return await callers.caller(Claims("i", "s", email, None, NOW + timedelta(hours=1)))

        context = Context(
            sources=found,
            catalogue=catalogue(),
            desks=desks(),
            clock=_now,
            who=who,
            identity=identities,
            submissions=submissions,
            files=Files(),
            origin=ORIGIN,
            recognise=recognise,
            forget=callers.forget,
        )
        ready = OPERATIONS.prepare(_request(asked))
        outcome = ready if isinstance(ready, Outcome) else await self._run(ready, context)
        emails = dict.fromkeys((asker.email, *identities.admitted))
        people = [person for email in emails for person in known(self.world, email)]
        seen = may_see(self.world, asker) | _theirs(people)
        return Run(outcome.body, people, seen, who, identities, writer, submissions)

    async def _run(self, ready: Ready, context: Context) -> Outcome:
        if self.whole is None:
            return await OPERATIONS.run(ready, context)
        return await self.whole.answer(ready, context, lambda: OPERATIONS.run(ready, context))


def _request(asked: Asked) -> Request:
    """What comes of it over HTTP: whoever sends the same after others gets what they got."""
    try:
        return BODIES.of_json(
            json.dumps({"query": asked.text, "variables": asked.variables}).encode()
        )
    except (TypeError, Refusal):  # a file comes in a form, half a surrogate in none
        return Request(asked.text, variables=asked.variables)


def _now() -> datetime:
    return NOW
