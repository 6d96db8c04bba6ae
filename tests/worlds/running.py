"""Puts a document to the gateway's own machinery over a world: sources behind the wall, a caller
made as for a real token, and the schema as it is."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.port.errors import SourceError
from gateway.access.callers import Callers
from gateway.access.claims import Claims
from gateway.operations.run import Operations, Request
from gateway.sources.guarded import GuardedCases, GuardedCustomers, GuardedOrders
from schema.access import SCOPES
from schema.cases.catalogue import Catalogue
from schema.context import Caller, Context, Sources
from schema.root import SCHEMA
from schema.support.desks import Desks
from tests.worlds import public, sources
from tests.worlds.documents import Asked
from tests.worlds.memory import Manner
from tests.worlds.standins import ORIGIN, Identities, Writer
from tests.worlds.world import NOW, Owners, Person, World

ROOT = Path(__file__).parent.parent.parent
GRAPH = SCHEMA._schema
OPERATIONS = Operations(GRAPH)


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
    """Who asks: a person of the world, a program (acting for an account, or for none) or nobody."""

    person: Person | None = None
    program: bool = False
    acting_for: str | None = None
    scopes: Owners = SCOPES

    def claims(self) -> Claims | None:
        """What the token says, None without one."""
        expires_at = NOW + timedelta(hours=1)
        if self.program:
            scopes = frozenset(self.scopes)
            return Claims(
                "i", "s", None, None, expires_at, client_id="p", scopes=scopes, staff=True
            )
        if self.person is None:
            return None
        return Claims("i", "s", (self.person.contact.email or "").lower(), None, expires_at)

    def may_see(self, world: World) -> Owners:
        """Whose data: worked out from the world alone, by nothing that is under test."""
        if self.program:
            return frozenset({self.acting_for} if self.acting_for else ())
        return self.of_email(world, self.person.contact.email) if self.person else frozenset()

    @staticmethod
    def of_email(world: World, email: str | None) -> Owners:
        """Whose data the person with an address may see. Two persons with it: nobody's."""
        found = [one for one in world.people if one.contact.email == email]
        return found[0].may_see(NOW.date()) if len(found) == 1 else frozenset()


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it. may_see: of whoever asked, and of those who signed in on the way."""

    body: Mapping[str, Any]
    may_see: Owners
    caller: Caller | SourceError | None
    identities: Identities
    writer: Writer

    @property
    def codes(self) -> set[str]:
        """The codes of all errors."""
        return {error["extensions"]["code"] for error in self.body.get("errors", ())}

    @property
    def owners_in_scope(self) -> Owners:
        """The accounts of the caller's scope."""
        return frozenset(self.caller.scope.ids) if isinstance(self.caller, Caller) else frozenset()


def opened(world: World, manner: Manner, guarded: bool, writer: Writer) -> Sources:
    """The sources of a world. guarded: False takes the wall away."""
    customers = sources.Customers(world, manner)
    cases, orders = sources.Cases(world, manner), sources.Orders(world, manner)
    return Sources(
        customers=GuardedCustomers(customers) if guarded else customers,
        cases=GuardedCases(cases) if guarded else cases,
        orders=GuardedOrders(orders) if guarded else orders,
        news=public.News(world, manner),
        questions=public.Questions(world, manner),
        customer_writer=writer,
    )


@dataclass(slots=True)
class Gateway:
    """A gateway over a world, for one request each time it is asked."""

    world: World
    manner: Manner = field(default_factory=Manner)
    guarded: bool = True

    async def ask(self, asked: Asked, asker: Asker) -> Run:
        """The answer to a document."""
        identities, writer = Identities(self.world), Writer(self.world)
        found = opened(self.world, self.manner, self.guarded, writer)
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
            origin=ORIGIN,
            recognise=recognise,
            forget=callers.forget,
        )
        outcome = await OPERATIONS.run(Request(asked.text, variables=asked.variables), context)
        seen = asker.may_see(self.world)
        for email in identities.admitted:
            seen |= asker.of_email(self.world, email)
        return Run(outcome.body, seen, who, identities, writer)


def _now() -> datetime:
    return NOW
