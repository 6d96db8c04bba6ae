"""Signing in: who gets in, what the others are told, and that it tells nobody who is known."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from connectors.port.errors import Unavailable
from connectors.port.records import Membership, MembershipRole
from gateway.identity.settings import Passwords
from schema.identity.service import Origin, ProblemCode
from tests.gateway.clock import NOW
from tests.gateway.identity.house import (
    ANA,
    ANDINA,
    EVA,
    HERE,
    NOBODY,
    PASSWORD,
    SETTINGS,
    House,
    caller,
    house,
    person,
    refused,
)

pytestmark = pytest.mark.anyio


async def test_a_person_gets_in_with_the_password_they_set(home: House) -> None:
    await home.member()
    session = await home.identity.sign_in(ANA, PASSWORD, HERE)
    assert session.email == ANA
    assert session.expires_at == NOW + timedelta(minutes=15)
    assert home.issued[session.access_token]
    (event, *_) = reversed(await home.events(event="session.started"))
    assert (event.who, event.address, event.outcome) == (ANA, HERE.address, "OK")


@pytest.mark.parametrize("written", [" Ana@ANDINA.example ", "ANA@andina.EXAMPLE\n"])
async def test_an_address_is_the_same_however_it_is_typed(home: House, written: str) -> None:
    await home.member()
    assert (await home.identity.sign_in(written, PASSWORD, HERE)).email == ANA


@pytest.mark.parametrize(
    "lookalike",
    [
        "аna@andina.example",  # a Cyrillic а
        "ana@andina.exampl\N{LATIN SMALL LETTER E WITH ACUTE}",
        "ana@and\N{LATIN SMALL LETTER DOTLESS I}na.example",
        "ａna@andina.example",
        "ana@andina.example\N{ZERO WIDTH SPACE}",
    ],
)
async def test_a_lookalike_is_somebody_else(home: House, lookalike: str) -> None:
    await home.member()
    home.crm.asked.clear()
    problem = await refused(home.identity.sign_in(lookalike, PASSWORD, HERE))
    assert problem.code is ProblemCode.WRONG_CREDENTIALS
    assert home.crm.asked == []


async def test_a_kelvin_sign_is_no_k(home: House) -> None:
    await home.member("kiko@andina.example")
    problem = await refused(
        home.identity.sign_in("\N{KELVIN SIGN}iko@andina.example", PASSWORD, HERE)
    )
    assert problem.code is ProblemCode.WRONG_CREDENTIALS


async def test_a_crm_that_finds_somebody_else_lets_nobody_in(home: House) -> None:
    await home.member()
    home.crm.people[ANA] = person("åna@andina.example", Membership(ANDINA, MembershipRole.ADMIN))
    problem = await refused(home.identity.sign_in(ANA, PASSWORD, HERE))
    assert problem.code is ProblemCode.NOT_ALLOWED


async def test_nothing_tells_which_addresses_exist(home: House) -> None:
    """The same answer after the same work: hashes, tries counted, events noted."""
    await home.member()
    await home.invited(EVA)  # invited, and has set no password yet
    seen = []
    for email in (ANA, EVA, NOBODY, "no address", "ána@andina.example"):
        hashes, tries = home.hashes, len(await home.rows("identity_attempt"))
        events = len(await home.events())
        problem = await refused(home.identity.sign_in(email, "not the password", HERE))
        more = len(await home.rows("identity_attempt")) - tries
        seen.append((problem, home.hashes - hashes, more, len(await home.events()) - events))
    assert seen[0][0].code is ProblemCode.WRONG_CREDENTIALS
    assert seen[0][1:] == (1, 2, 1)
    assert seen == [seen[0]] * 5


async def test_only_whoever_proved_it_is_told_that_they_are_no_customer(home: House) -> None:
    await home.member()
    home.crm.people[ANA] = person(ANA)
    wrong = await refused(home.identity.sign_in(ANA, "not the password", HERE))
    assert wrong.code is ProblemCode.WRONG_CREDENTIALS
    proven = await refused(home.identity.sign_in(ANA, PASSWORD, HERE))
    assert proven.code is ProblemCode.NOT_ALLOWED
    assert "become a customer" in proven.text
    del home.crm.people[ANA]
    assert (await refused(home.identity.sign_in(ANA, PASSWORD, HERE))) == proven


@pytest.mark.parametrize(
    ("days_from", "days_to", "lets_in"),
    [(None, None, True), (0, 0, True), (1, None, False), (None, -1, False), (-9, 9, True)],
)
async def test_a_membership_counts_on_its_days(
    home: House, days_from: int | None, days_to: int | None, lets_in: bool
) -> None:
    await home.member()
    today = NOW.date()
    membership = Membership(
        ANDINA,
        MembershipRole.READER,
        None if days_from is None else today + timedelta(days=days_from),
        None if days_to is None else today + timedelta(days=days_to),
    )
    home.crm.people[ANA] = person(ANA, membership)
    if lets_in:
        assert (await home.identity.sign_in(ANA, PASSWORD, HERE)).email == ANA
    else:
        problem = await refused(home.identity.sign_in(ANA, PASSWORD, HERE))
        assert problem.code is ProblemCode.NOT_ALLOWED


async def test_a_crm_that_is_down_is_not_a_refusal(home: House) -> None:
    await home.member()
    home.crm.down = Unavailable("crm", "it does not answer")
    assert (await home.identity.sign_in(ANA, PASSWORD, HERE)).email == ANA


async def test_guessing_at_an_address_ends_soon(home: House) -> None:
    await home.member()
    most = SETTINGS.limits.sign_in_address
    for number in range(most):
        source = Origin(f"198.51.100.{number}", "many places", "r")
        problem = await refused(home.identity.sign_in(ANA, f"guess number {number}", source))
        assert problem.code is ProblemCode.WRONG_CREDENTIALS
        home.clock.forward(seconds=1)
    hashes = home.hashes
    problem = await refused(home.identity.sign_in(ANA, PASSWORD, HERE))
    assert problem.code is ProblemCode.TOO_MANY_ATTEMPTS
    assert problem.retry_at == NOW + timedelta(minutes=15)
    assert home.hashes == hashes
    home.clock.now = problem.retry_at
    assert (await home.identity.sign_in(ANA, PASSWORD, HERE)).email == ANA


async def test_an_attack_does_not_fill_the_audit(home: House) -> None:
    for _ in range(60):
        await refused(home.identity.sign_in(ANA, "not the password", HERE))
    most = SETTINGS.limits.sign_in_address
    assert len(await home.events(outcome="WRONG_CREDENTIALS")) == most
    assert len(await home.events(outcome="TOO_MANY_ATTEMPTS")) == 1
    home.clock.forward(minutes=1)
    await refused(home.identity.sign_in(ANA, "not the password", HERE))
    assert len(await home.events(outcome="TOO_MANY_ATTEMPTS")) == 2


async def test_guessing_ends_alike_where_nobody_has_the_address(home: House) -> None:
    await home.member()
    answers = {}
    for email in (ANA, NOBODY):
        answers[email] = [
            (await refused(home.identity.sign_in(email, "a bad guess", HERE)))
            for _ in range(SETTINGS.limits.sign_in_address + 2)
        ]
    assert answers[ANA] == answers[NOBODY]
    assert answers[ANA][-1].code is ProblemCode.TOO_MANY_ATTEMPTS


async def test_guessing_in_parallel_brings_nothing(home: House) -> None:
    await home.member()
    hashes = home.hashes
    guesses = (refused(home.identity.sign_in(ANA, f"guess {n:010}", HERE)) for n in range(40))
    codes = [problem.code for problem in await asyncio.gather(*guesses)]
    most = SETTINGS.limits.sign_in_address
    assert codes.count(ProblemCode.WRONG_CREDENTIALS) == most
    assert codes.count(ProblemCode.TOO_MANY_ATTEMPTS) == 40 - most
    assert home.hashes - hashes == most


@pytest.mark.parametrize(
    "address", [lambda n: "198.51.100.9", lambda n: f"2001:db8:1:2:{n:x}::1", lambda n: "unknown"]
)
async def test_a_source_that_tries_many_addresses_is_stopped(
    home: House, address: Callable[[int], str]
) -> None:
    most = SETTINGS.limits.sign_in_source
    for number in range(most):
        source = Origin(address(number), "t", "r")
        guess = home.identity.sign_in(f"p{number}@andina.example", "not the password", source)
        assert (await refused(guess)).code is ProblemCode.WRONG_CREDENTIALS
    guess = home.identity.sign_in(ANA, "not the password", Origin(address(most), "t", "r"))
    assert (await refused(guess)).code is ProblemCode.TOO_MANY_ATTEMPTS
    elsewhere = home.identity.sign_in(ANA, "not the password", HERE)
    assert (await refused(elsewhere)).code is ProblemCode.WRONG_CREDENTIALS


async def test_whoever_gets_in_has_all_tries_again(home: House) -> None:
    await home.member()
    for _ in range(3):
        for _ in range(SETTINGS.limits.sign_in_address - 1):
            await refused(home.identity.sign_in(ANA, "not the password", HERE))
        await home.identity.sign_in(ANA, PASSWORD, HERE)
        await home.identity._rooms.attempts.forgive(home.identity._rooms.tries.sign_in_from(HERE))
    assert await home.rows("identity_attempt") == [
        row for row in await home.rows("identity_attempt") if row["at"] == NOW
    ]


@pytest.mark.parametrize(
    "password", ["x" * 1_000_000, "x" * 1025, "\N{GRINNING FACE}" * 1024 + "x"]
)
async def test_a_huge_password_costs_nothing(home: House, password: str) -> None:
    await home.member()
    hashes = home.hashes
    started = time.perf_counter()
    for doing in (
        home.identity.sign_in(ANA, password, HERE),
        home.identity.accept_invitation("any token", password, HERE),
        home.identity.reset_password("any token", password, HERE),
    ):
        assert (await refused(doing)).code is ProblemCode.TOO_LONG
    assert time.perf_counter() - started < 1
    assert home.hashes == hashes


async def test_too_many_at_once_are_asked_to_come_back(folder: Path) -> None:
    tight = msgspec.structs.replace(
        SETTINGS, passwords=Passwords(passes=1, memory_kib=4096, workers=1, waiting=2)
    )
    async with house(folder, tight) as home:
        people = (f"p{number}@andina.example" for number in range(30))
        tries = [refused(home.identity.sign_in(p, "not the password", HERE)) for p in people]
        problems = await asyncio.gather(*tries)
        codes = {problem.code for problem in problems}
        assert codes == {ProblemCode.WRONG_CREDENTIALS, ProblemCode.TOO_MANY_ATTEMPTS}
        assert {p.retry_at for p in problems if p.retry_at} == {NOW + timedelta(seconds=5)}
        assert (await refused(home.identity.sign_in(NOBODY, "and again", HERE))).retry_at is None


async def test_hashing_leaves_the_loop_free(folder: Path) -> None:
    slow = msgspec.structs.replace(
        SETTINGS, passwords=Passwords(passes=4, memory_kib=65_536, workers=1, waiting=9)
    )
    async with house(folder, slow) as home:
        longest = 0.0

        async def watch() -> None:
            nonlocal longest
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.001)
                longest = max(longest, time.perf_counter() - before)

        watching = asyncio.create_task(watch())
        started = time.perf_counter()
        await home.identity._rooms.passwords.hash("something to work on")
        took = time.perf_counter() - started
        watching.cancel()
        assert longest < took / 2


async def test_a_password_is_hashed_anew_when_its_cost_changed(folder: Path) -> None:
    async with house(folder) as home:
        await home.member()
        ((before,),) = [[row["password_hash"] for row in await home.rows("identity_person")]]
    dearer = msgspec.structs.replace(
        SETTINGS, passwords=Passwords(passes=2, memory_kib=16, workers=1)
    )
    async with house(folder, dearer) as home:
        await refused(home.identity.sign_in(ANA, "not the password", HERE))
        assert [row["password_hash"] for row in await home.rows("identity_person")] == [before]
        await home.identity.sign_in(ANA, PASSWORD, HERE)
        (row,) = await home.rows("identity_person")
        assert row["password_hash"].startswith("$argon2id$v=19$m=16,t=2,p=1$")
        await home.identity.sign_in(ANA, PASSWORD, HERE)
        assert await home.rows("identity_person") == [row]


async def test_what_was_typed_as_an_address_but_is_none_is_not_written_down(home: House) -> None:
    await refused(home.identity.sign_in(PASSWORD, PASSWORD, HERE))
    (event,) = await home.events(event="session.refused")
    assert event.who == "-"
    assert PASSWORD not in (home.folder / "audit.jsonl").read_text()


async def test_a_password_changed_meanwhile_starts_no_session(home: House) -> None:
    """Somebody with the old password, whose proof was right a moment ago."""
    await home.member()
    known = await home.identity.people.by_email(ANA)
    assert known is not None
    home.clock.forward(seconds=1)
    await home.identity.change_password(caller(), PASSWORD, "otro caballo blanco", HERE)
    assert await home.identity.sessions.start(known) is None
