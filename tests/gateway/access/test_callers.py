"""From claims to a caller: by address or contact, believed for a while, forgotten at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.port.errors import Unavailable
from connectors.port.records import Account, Identity, Membership, MembershipRole
from connectors.port.scope import AccountRef, Scope
from gateway.access.callers import Callers, UnknownAccount
from gateway.access.claims import Claims
from tests.gateway.access.forged import ANA, ISSUER, NOW, Clock

pytestmark = pytest.mark.anyio

ANDINA = AccountRef("001-A", "1001", "CO")
PLATA = AccountRef("001-P", "1002", "AR")
WHO = Identity("003-1", ANA, "Ana Torres", (Membership(ANDINA, MembershipRole.ADMIN),), "es-CO")


class Crm:
    """Answers with one person for any question; `gate` holds answers back while it is closed."""

    def __init__(self) -> None:
        self.identity: Identity | None = WHO
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def _answer(self, question: str) -> Identity | None:
        self.asked.append(question)
        answer = self.identity
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return answer

    async def identity_by_email(self, email: str) -> Identity | None:
        return await self._answer(email)

    async def identity_by_contact(self, contact_id: str) -> Identity | None:
        return await self._answer(contact_id)

    async def accounts_by_id(
        self, ids: Sequence[str], fields: frozenset[str], scope: Scope
    ) -> list[Account | None]:
        self.asked += ids
        if self.failure:
            raise self.failure
        if list(ids) != [ANDINA.id]:
            return [None for _ in ids]
        owner = scope.by_id(ANDINA.id)
        assert owner is not None
        return [Account(ANDINA.id, owner, number=ANDINA.number, country=ANDINA.country)]


def person(email: str | None = ANA, contact_id: str | None = None) -> Claims:
    return Claims(ISSUER, "u-1", email, contact_id, NOW + timedelta(hours=1), session_id="s-1")


PROGRAM = Claims(
    ISSUER,
    "sync",
    None,
    None,
    NOW + timedelta(hours=1),
    client_id="sync",
    scopes=frozenset({"cases:read"}),
    staff=True,
)


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def callers(crm: Crm, clock: Clock) -> Callers:
    source: Any = crm
    return Callers(source, timedelta(seconds=60), clock)


async def test_a_person_by_address_or_by_contact(callers: Callers, crm: Crm) -> None:
    for claims in (person(None, "003-1"), person(), person(ANA, "003-1")):
        caller = await callers.caller(claims)
        assert (caller.contact_id, caller.email, caller.locale) == ("003-1", ANA, "es-CO")
        assert caller.scope == Scope([ANDINA])
        assert caller.session_id == "s-1"
        assert (caller.staff, caller.scopes) == (False, frozenset())
    assert crm.asked == ["003-1", ANA]


async def test_a_person_asked_for_by_address_is_known_by_contact(
    callers: Callers, crm: Crm
) -> None:
    for claims in (person(), person(None, "003-1"), person(ANA, "003-1")):
        assert (await callers.caller(claims)).email == ANA
    assert crm.asked == [ANA]


async def test_somebody_whom_the_crm_does_not_know_sees_nothing(callers: Callers, crm: Crm) -> None:
    crm.identity = None
    for claims in (person(), person(None, "003-9")):
        caller = await callers.caller(claims)
        assert (caller.contact_id, caller.memberships, caller.scope) == ("", (), Scope())


@pytest.mark.parametrize(
    "other",
    ["аna.torres@andina.example", "ana.torrés@andina.example", "luis@andina.example", "", "ana"],
)
async def test_a_person_of_another_address_is_not_believed(
    callers: Callers, crm: Crm, other: str
) -> None:
    """Whatever the CRM's database holds to be equal."""
    crm.identity = replace(WHO, email=other)
    assert (await callers.caller(person())).scope == Scope()
    # The contact's id decides alone where the token says it.
    assert (await callers.caller(person(None, "003-1"))).scope == Scope([ANDINA])


async def test_the_crm_may_write_an_address_in_capitals(callers: Callers, crm: Crm) -> None:
    crm.identity = replace(WHO, email="Ana.Torres@Andina.example")
    assert (await callers.caller(person())).scope == Scope([ANDINA])


async def test_relations_hold_from_their_first_day_to_their_last(
    callers: Callers, crm: Crm, clock: Clock
) -> None:
    today = NOW.date()
    crm.identity = replace(
        WHO,
        memberships=(
            Membership(ANDINA, MembershipRole.READER, today, today),
            Membership(PLATA, MembershipRole.ADMIN, date(2020, 1, 1), today - timedelta(days=1)),
        ),
    )
    assert (await callers.caller(person())).scope == Scope([ANDINA])
    clock.pass_(86_400)
    assert (await callers.caller(person())).scope == Scope()


async def test_what_was_heard_is_believed_for_a_while_and_asked_once(
    callers: Callers, crm: Crm, clock: Clock
) -> None:
    await asyncio.gather(*(callers.caller(person()) for _ in range(20)))
    clock.pass_(59)
    await callers.caller(person())
    assert crm.asked == [ANA]
    clock.pass_(1)
    await callers.caller(person())
    assert crm.asked == [ANA, ANA]


async def test_a_change_holds_at_once(callers: Callers, crm: Crm) -> None:
    both = (person(), person(None, "003-1"))
    ways: list[tuple[Callable[[str], None], str]] = [
        (callers.forget, ANA.upper()),
        (callers.forget_contact, "003-1"),
    ]
    for forget, whom in ways:
        crm.identity = WHO
        for claims in both:
            assert (await callers.caller(claims)).scope == Scope([ANDINA])
        crm.identity = replace(WHO, memberships=())
        forget(whom)
        for claims in both:
            assert (await callers.caller(claims)).scope == Scope()
        forget(whom)


@pytest.mark.parametrize("claims", [person(), person(None, "003-1")], ids=["email", "contact"])
@pytest.mark.parametrize("by", ["email", "contact"])
async def test_an_answer_older_than_a_change_is_not_kept(
    callers: Callers, crm: Crm, claims: Claims, by: str
) -> None:
    crm.gate.clear()
    waiting = asyncio.create_task(callers.caller(claims))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(crm.asked) == 1
    crm.identity = replace(WHO, memberships=())
    if by == "email":
        callers.forget(ANA)
    else:
        callers.forget_contact("003-1")
    after = asyncio.create_task(callers.caller(claims))
    await asyncio.sleep(0)
    crm.gate.set()
    assert (await after).scope == Scope()
    await waiting
    assert (await callers.caller(claims)).scope == Scope()


async def test_what_the_crm_cannot_say_is_told_and_asked_again(callers: Callers, crm: Crm) -> None:
    crm.failure = Unavailable("crm", "identity: down")
    for claims in (person(), person(None, "003-1")):
        with pytest.raises(Unavailable):
            await callers.caller(claims)
    with pytest.raises(Unavailable):
        await callers.caller(PROGRAM, ANDINA.id)
    crm.failure = None
    assert (await callers.caller(person())).scope == Scope([ANDINA])


async def test_a_program_sees_nothing_until_it_says_for_whom_it_acts(
    callers: Callers, crm: Crm
) -> None:
    caller = await callers.caller(PROGRAM)
    assert (caller.staff, caller.name, caller.scopes) == (True, "sync", frozenset({"cases:read"}))
    assert (caller.scope, caller.memberships, caller.contact_id) == (Scope(), (), "")
    assert crm.asked == []
    acting = await callers.caller(PROGRAM, ANDINA.id)
    assert tuple(acting.scope) == (ANDINA,)
    assert acting.scope.by_number("1001") == ANDINA
    for unknown in ("001-X", "", PLATA.id):
        with pytest.raises(UnknownAccount):
            await callers.caller(PROGRAM, unknown)


async def test_a_person_acts_for_nobody_else(callers: Callers) -> None:
    caller = await callers.caller(person(), PLATA.id)
    assert caller.scope == Scope([ANDINA])


async def test_the_memory_has_a_bound(
    callers: Callers, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.access.callers._MOST", 5)
    for number in range(20):
        await callers.caller(person(f"p{number}@x.example"))
    assert len(callers._known) == 5
    assert callers._asking == {}
