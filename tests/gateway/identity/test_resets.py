"""Forgotten passwords: a code, five tries, a token that is spent once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from schema.identity.service import ProblemCode
from tests.gateway.clock import NOW
from tests.gateway.identity.house import (
    ANA,
    EVA,
    HERE,
    NOBODY,
    PASSWORD,
    SETTINGS,
    House,
    caller,
    refused,
)

pytestmark = pytest.mark.anyio

NEW = "otro caballo blanco"
WRONG, EXPIRED = ProblemCode.WRONG_CREDENTIALS, ProblemCode.EXPIRED
TOO_MANY = ProblemCode.TOO_MANY_ATTEMPTS


def other(code: str, number: int = 1) -> str:
    """A code that is not this one."""
    return f"{(int(code) + number) % 1_000_000:06d}"


async def test_a_code_brings_a_new_password(home: House) -> None:
    session = await home.member()
    home.ended.clear()
    code = await home.code()
    token = await home.identity.verify_reset(f" {ANA.upper()}", f" {code[:3]} {code[3:]} ", HERE)
    await home.identity.reset_password(token, NEW, HERE)
    assert [name for name, _ in home.ended] == [home.issued[session.access_token]]
    assert (await refused(home.identity.sign_in(ANA, PASSWORD, HERE))).code is WRONG
    assert (await home.identity.sign_in(ANA, NEW, HERE)).email == ANA
    names = [event.event for event in await home.events(who=ANA)]
    assert {"reset.requested", "reset.verified", "password.reset"} <= set(names)
    await home.identity.send_mails()
    assert home.box.mails[-1]["Subject"] == "Tu contraseña cambió"


async def test_asking_takes_the_same_work_for_everybody(home: House) -> None:
    await home.member()
    seen = []
    for email in (ANA, EVA, NOBODY):
        hashes, tries = home.hashes, len(await home.rows("identity_attempt"))
        events = len(await home.events())
        await home.identity.request_reset(email, "es", HERE)
        (entry,) = [row for row in await home.rows("identity_outbox") if row["recipient"] == email]
        (reset,) = [row for row in await home.rows("identity_reset") if row["email"] == email]
        kept = {name: reset[name] for name in ("tries", "code_hash", "expires_at")}
        more = len(await home.rows("identity_attempt")) - tries
        noted = len(await home.events()) - events
        seen.append((home.hashes - hashes, more, noted, entry["kind"], kept))
    assert seen == [seen[0]] * 3
    assert seen[0][:3] == (0, 2, 1)
    home.box.mails.clear()
    hashes = home.hashes
    await home.identity.send_mails()
    assert home.hashes - hashes == 3, "one for each, whoever they are"
    assert [mail["To"] for mail in home.box.mails] == [ANA]
    assert await home.rows("identity_outbox") == []


async def test_verifying_tells_nobody_who_is_known(home: House) -> None:
    """The same answers, one after the other, whatever the state: none asked for, asked for, wrong
    codes, and after its time."""
    await home.member()
    answers = {}
    for email in (ANA, EVA, NOBODY):
        home.clock.now = NOW
        hashes = home.hashes
        answers[email] = [await refused(home.identity.verify_reset(email, "x", HERE))]
        await home.identity.request_reset(email, "es", HERE)
        for _ in range(6):
            answers[email].append(await refused(home.identity.verify_reset(email, "x", HERE)))
        home.clock.forward(minutes=15)
        answers[email].append(await refused(home.identity.verify_reset(email, "x", HERE)))
        assert home.hashes - hashes == 6
    assert answers[ANA] == answers[EVA] == answers[NOBODY]
    codes = [problem.code for problem in answers[ANA]]
    assert codes == [WRONG, *[WRONG] * 4, TOO_MANY, TOO_MANY, EXPIRED]


async def test_after_five_wrong_codes_the_right_one_is_none(home: House) -> None:
    await home.member()
    code = await home.code()
    for number in range(1, 5):
        problem = await refused(home.identity.verify_reset(ANA, other(code, number), HERE))
        assert (problem.code, problem.field) == (WRONG, ("input", "code"))
    fifth = await refused(home.identity.verify_reset(ANA, other(code, 5), HERE))
    assert (fifth.code, fifth.retry_at) == (TOO_MANY, NOW)
    assert (await refused(home.identity.verify_reset(ANA, code, HERE))).code is TOO_MANY
    newer = await home.code()
    assert await home.identity.verify_reset(ANA, newer, HERE)


async def test_fifty_guesses_at_once_are_five(open_home: House) -> None:
    await open_home.member()
    code = await open_home.code()
    hashes = open_home.hashes
    guesses = (
        refused(open_home.identity.verify_reset(ANA, other(code, n), HERE)) for n in range(1, 51)
    )
    problems = await asyncio.gather(*guesses)
    assert open_home.hashes - hashes == SETTINGS.code_tries
    assert [problem.code for problem in problems].count(WRONG) == SETTINGS.code_tries - 1
    assert [problem.code for problem in problems].count(TOO_MANY) == 46
    assert (await refused(open_home.identity.verify_reset(ANA, code, HERE))).code is TOO_MANY


async def test_the_right_code_at_once_brings_one_token(open_home: House) -> None:
    await open_home.member()
    code = await open_home.code()
    answers = await asyncio.gather(
        *(open_home.identity.verify_reset(ANA, code, HERE) for _ in range(5)),
        return_exceptions=True,
    )
    assert len([answer for answer in answers if isinstance(answer, str)]) == 1


async def test_a_code_is_good_for_fifteen_minutes(home: House) -> None:
    await home.member()
    code = await home.code()
    home.clock.forward(minutes=14, seconds=59)
    assert await home.identity.verify_reset(ANA, code, HERE)
    late = await home.code()
    home.clock.forward(minutes=15)
    problem = await refused(home.identity.verify_reset(ANA, late, HERE))
    assert (problem.code, problem.field) == (EXPIRED, ("input", "code"))


async def test_a_code_is_good_once(home: House) -> None:
    await home.member()
    code = await home.code()
    await home.identity.verify_reset(ANA, code, HERE)
    assert (await refused(home.identity.verify_reset(ANA, code, HERE))).code is WRONG


async def test_a_new_request_takes_the_place_of_the_old_one(home: House) -> None:
    await home.member()
    old = await home.code()
    new = await home.code()
    if old != new:
        assert (await refused(home.identity.verify_reset(ANA, old, HERE))).code is WRONG
    token = await home.identity.verify_reset(ANA, new, HERE)
    await home.code()
    problem = await refused(home.identity.reset_password(token, NEW, HERE))
    assert problem.code is EXPIRED


async def test_a_code_is_one_persons(home: House) -> None:
    await home.member()
    await home.member(EVA)
    code = await home.code()
    theirs = await home.code(EVA)
    if code != theirs:
        assert (await refused(home.identity.verify_reset(EVA, code, HERE))).code is WRONG


async def test_requests_are_limited_alike_for_everybody(home: House) -> None:
    await home.member()
    for email in (ANA, NOBODY):
        for _ in range(SETTINGS.limits.request_reset_address):
            await home.identity.request_reset(email, "es", HERE)
        problem = await refused(home.identity.request_reset(email, "es", HERE))
        assert (problem.code, problem.retry_at) == (TOO_MANY, NOW + timedelta(minutes=15))


async def test_when_no_new_code_can_be_had_it_says_when(home: House) -> None:
    await home.member()
    codes = [await home.code() for _ in range(SETTINGS.limits.request_reset_address)]
    guesses = [home.identity.verify_reset(ANA, other(codes[-1], n), HERE) for n in range(1, 6)]
    problem = [await refused(guess) for guess in guesses][-1]
    assert (problem.code, problem.retry_at) == (TOO_MANY, NOW + timedelta(minutes=15))


async def test_what_cannot_be_an_address_gets_the_same_silence(home: House) -> None:
    for email in ("", "x", "аna@andina.example", "x" * 10_000, "\ud800@andina.example"):
        await home.identity.request_reset(email, "es", HERE)
        assert (await refused(home.identity.verify_reset(email, "123456", HERE))).code is WRONG
    assert await home.rows("identity_outbox") == []


async def test_a_reset_token_is_spent_once(open_home: House) -> None:
    await open_home.member()
    token = await open_home.identity.verify_reset(ANA, await open_home.code(), HERE)
    passwords = [f"caballo numero {n}" for n in range(10)]
    answers = await asyncio.gather(
        *(open_home.identity.reset_password(token, each, HERE) for each in passwords),
        return_exceptions=True,
    )
    (winner,) = [n for n, answer in enumerate(answers) if answer is None]
    assert (await open_home.identity.sign_in(ANA, passwords[winner], HERE)).email == ANA
    problem = await refused(open_home.identity.reset_password(token, NEW, HERE))
    assert (problem.code, problem.field) == (EXPIRED, ("input", "resetToken"))


async def test_a_bad_password_leaves_the_token_good(home: House) -> None:
    await home.member()
    token = await home.identity.verify_reset(ANA, await home.code(), HERE)
    problem = await refused(home.identity.reset_password(token, ANA, HERE))
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ("input", "newPassword"))
    await home.identity.reset_password(token, NEW, HERE)


async def test_a_reset_token_ends(home: House) -> None:
    await home.member()
    token = await home.identity.verify_reset(ANA, await home.code(), HERE)
    home.clock.forward(minutes=15)
    assert (await refused(home.identity.reset_password(token, NEW, HERE))).code is EXPIRED


@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 100_000, "\ud800"])
async def test_what_is_no_reset_token_costs_no_hash(home: House, token: str) -> None:
    await home.member()
    await home.identity.request_reset(ANA, "es", HERE)
    hashes = home.hashes
    assert (await refused(home.identity.reset_password(token, NEW, HERE))).code is EXPIRED
    assert home.hashes == hashes


async def test_a_reset_opens_a_door_that_guessing_had_shut(home: House) -> None:
    await home.member()
    for _ in range(SETTINGS.limits.sign_in_address + 1):
        await refused(home.identity.sign_in(ANA, "not the password", HERE))
    token = await home.identity.verify_reset(ANA, await home.code(), HERE)
    await home.identity.reset_password(token, NEW, HERE)
    assert (await home.identity.sign_in(ANA, NEW, HERE)).email == ANA


async def test_changing_a_password_ends_the_other_sessions(home: House) -> None:
    first = await home.member()
    mine = await home.identity.sign_in(ANA, PASSWORD, HERE)
    home.ended.clear()
    me = caller(session_id=home.issued[mine.access_token])
    await home.identity.change_password(me, PASSWORD, NEW, HERE)
    assert [name for name, _ in home.ended] == [home.issued[first.access_token]]
    assert (await home.identity.refresh(mine.refresh_token, HERE)).email == ANA
    assert (await home.identity.sign_in(ANA, NEW, HERE)).email == ANA
    await home.identity.send_mails()
    assert home.box.mails[-1]["Subject"] == "Tu contraseña cambió"


async def test_changing_needs_the_current_password(home: House) -> None:
    await home.member()
    for number in range(SETTINGS.limits.sign_in_address):
        doing = home.identity.change_password(caller(), f"guess number {number}", NEW, HERE)
        problem = await refused(doing)
        assert (problem.code, problem.field) == (WRONG, ("input", "currentPassword"))
    doing = home.identity.change_password(caller(), PASSWORD, NEW, HERE)
    assert (await refused(doing)).code is TOO_MANY


async def test_whoever_has_no_password_here_changes_none(home: House) -> None:
    doing = home.identity.change_password(caller(EVA), PASSWORD, NEW, HERE)
    assert (await refused(doing)).code is ProblemCode.NOT_ALLOWED
