"""Invitations: a link that lets one person in, once, within 48 hours."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.port.errors import Unavailable
from connectors.port.records import AccountRef, MembershipRole
from schema.identity.service import ProblemCode, Problems, Session
from tests.gateway.clock import NOW
from tests.gateway.identity.house import (
    ANA,
    ANDINA,
    EVA,
    HERE,
    PASSWORD,
    SETTINGS,
    House,
    house,
    invitation,
    plain_text,
    refused,
)

pytestmark = pytest.mark.anyio


async def test_the_link_lets_somebody_in(home: House) -> None:
    until = await home.identity.invite(invitation(" Eva@Nowhere.example"), "boss", "es", HERE)
    assert until == NOW + timedelta(hours=48)
    await home.identity.send_mails()
    assert home.box.mails[-1]["To"] == "Ana Torres <eva@nowhere.example>"
    home.clock.forward(hours=47, minutes=59)
    session = await home.identity.accept_invitation(home.token(), PASSWORD, HERE)
    assert session.email == EVA
    assert [wanted.email for wanted in home.ensured] == [EVA]
    assert home.forgotten == [EVA]
    assert (await home.identity.sign_in(EVA, PASSWORD, HERE)).email == EVA
    (event,) = await home.events(event="invitation.accepted")
    assert (event.who, event.whose, event.what) == (EVA, "C-1", "invited by boss as MEMBER")


async def test_everything_that_was_said_of_the_person_arrives(home: House) -> None:
    whole = invitation(
        EVA,
        account=AccountRef("001X", None, None),
        account_name='Obras "Ñ" & Hijos',
        name="Eva Ríos",
        role=MembershipRole.READER,
        job_title="Jefa de obra",
        phone="+57 1",
    )
    await home.identity.invite(whole, "boss", "es", HERE)
    await home.identity.send_mails()
    await home.identity.accept_invitation(home.token(), PASSWORD, HERE)
    assert home.ensured == [whole]


async def test_after_48_hours_it_says_what_to_do(home: House) -> None:
    token = await home.invited()
    home.clock.forward(hours=48)
    problem = await refused(home.identity.accept_invitation(token, PASSWORD, HERE))
    assert (problem.code, problem.field) == (ProblemCode.EXPIRED, ("input", "token"))
    assert "for a new one" in problem.text
    assert problem.values == {"hours": "48"}
    assert home.ensured == []
    (event,) = await home.events(event="invitation.refused")
    assert event.outcome == "EXPIRED"


async def test_it_works_once(home: House) -> None:
    token = await home.invited()
    await home.identity.accept_invitation(token, PASSWORD, HERE)
    problem = await refused(home.identity.accept_invitation(token, "another password", HERE))
    assert problem.code is ProblemCode.EXPIRED
    await home.identity.sign_in(ANA, PASSWORD, HERE)


async def test_of_many_at_once_exactly_one_wins(open_home: House) -> None:
    token = await open_home.invited(EVA)
    passwords = [f"password of number {n}" for n in range(20)]
    answers = await asyncio.gather(
        *(open_home.identity.accept_invitation(token, each, HERE) for each in passwords),
        return_exceptions=True,
    )
    (winner,) = [n for n, answer in enumerate(answers) if isinstance(answer, Session)]
    lost = [answer for answer in answers if isinstance(answer, Problems)]
    assert len(lost) == 19
    codes = {problem.code for each in lost for problem in each.problems}
    assert codes <= {ProblemCode.CONFLICT, ProblemCode.EXPIRED}
    assert len(open_home.ensured) == 1, "the CRM is asked by the winner alone"
    assert (await open_home.identity.sign_in(EVA, passwords[winner], HERE)).email == EVA
    assert len(await open_home.rows("identity_person")) == 1


async def test_of_two_processes_one_wins(folder: Path) -> None:
    async with house(folder) as one, house(folder) as other:
        token = await one.invited(EVA)
        answers = await asyncio.gather(
            one.identity.accept_invitation(token, PASSWORD, HERE),
            other.identity.accept_invitation(token, PASSWORD, HERE),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers].count(Session) == 1


async def test_a_crm_that_fails_leaves_the_invitation_good(home: House) -> None:
    token = await home.invited(EVA)
    home.letting_in.append(Unavailable("crm", "it does not answer"))
    with pytest.raises(Unavailable):
        await home.identity.accept_invitation(token, PASSWORD, HERE)
    assert await home.rows("identity_person") == []
    assert (await home.identity.accept_invitation(token, PASSWORD, HERE)).email == EVA


async def test_a_gateway_that_died_while_accepting_holds_it_for_a_minute(home: House) -> None:
    token = await home.invited(EVA)
    held = home.identity._rooms.invitations.claimed(token)
    await held.__aenter__()  # and never left
    problem = await refused(home.identity.accept_invitation(token, PASSWORD, HERE))
    assert problem.code is ProblemCode.CONFLICT
    home.clock.forward(seconds=60)
    assert (await home.identity.accept_invitation(token, PASSWORD, HERE)).email == EVA


async def test_whoever_took_too_long_has_lost_it(home: House) -> None:
    token = await home.invited(EVA)
    rooms = home.identity._rooms
    async with rooms.invitations.claimed(token) as slow:
        home.clock.forward(seconds=61)
        await home.identity.accept_invitation(token, PASSWORD, HERE)

        async def go_on() -> None:
            async with rooms.database.write() as connection:
                await rooms.invitations.use(connection, slow, "a hash")

        assert (await refused(go_on())).code is ProblemCode.CONFLICT


@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 100_000, "' OR 1=1 --", "\ud800"])
async def test_what_is_no_link_lets_nobody_in(home: House, token: str) -> None:
    await home.identity.invite(invitation(), "boss", "es", HERE)  # not sent: it has no token yet
    hashes = home.hashes
    problem = await refused(home.identity.accept_invitation(token, PASSWORD, HERE))
    assert problem.code is ProblemCode.NOT_FOUND
    assert home.hashes == hashes


async def test_a_bad_password_leaves_it_good(home: House) -> None:
    token = await home.invited()
    problem = await refused(home.identity.accept_invitation(token, "short", HERE))
    assert (problem.code, problem.field) == (ProblemCode.TOO_SHORT, ("input", "password"))
    await home.identity.accept_invitation(token, PASSWORD, HERE)


async def test_a_newer_invitation_for_the_account_takes_the_place(home: House) -> None:
    first = await home.invited(role=MembershipRole.ADMIN)
    elsewhere = await home.invited(account=AccountRef("001B", "C-2", "PE"))
    second = await home.invited(role=MembershipRole.READER)
    problem = await refused(home.identity.accept_invitation(first, PASSWORD, HERE))
    assert problem.code is ProblemCode.EXPIRED
    assert "newest mail" in problem.text
    await home.identity.accept_invitation(second, PASSWORD, HERE)
    await home.identity.accept_invitation(elsewhere, PASSWORD, HERE)
    assert [wanted.role for wanted in home.ensured] == ["READER", "MEMBER"]


async def test_somebody_with_a_password_gets_the_new_one_and_a_notice(home: House) -> None:
    session = await home.member()
    home.ended.clear()
    token = await home.invited(account=AccountRef("001B", "C-2", "PE"))
    await home.identity.accept_invitation(token, "otro caballo blanco", HERE)
    assert [name for name, _ in home.ended] == [home.issued[session.access_token]]
    assert (await refused(home.identity.sign_in(ANA, PASSWORD, HERE))).code == "WRONG_CREDENTIALS"
    await home.identity.sign_in(ANA, "otro caballo blanco", HERE)
    await home.identity.send_mails()
    assert home.box.mails[-1]["Subject"] == "Tu contraseña cambió"
    assert len(await home.rows("identity_person")) == 1


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ana",
        "ana@",
        "@andina.example",
        "ana@andina",
        "аna@andina.example",
        "a b@c.example",
        "a@b.example\nBcc: x@y.example",
        "a" * 65 + "@b.example",
        "a@" + "b" * 300,
        ".a@b.example",
    ],
)
async def test_only_addresses_that_can_be_written_to_are_invited(home: House, email: str) -> None:
    problem = await refused(home.identity.invite(invitation(email), "boss", "es", HERE))
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ("input", "email"))
    assert await home.rows("identity_outbox") == []


@pytest.mark.parametrize("field", ["name", "job_title", "phone"])
async def test_what_is_said_of_a_person_has_a_bound(home: House, field: str) -> None:
    wanted = invitation(**{field: "x" * 201})
    assert (await refused(home.identity.invite(wanted, "boss", "es", HERE))).code == "TOO_LONG"


async def test_nobody_is_flooded_with_invitations(home: House) -> None:
    for _ in range(SETTINGS.limits.invite_address):
        await home.identity.invite(invitation(), "boss", "es", HERE)
    problem = await refused(home.identity.invite(invitation(), "another", "es", HERE))
    assert problem.code is ProblemCode.TOO_MANY_ATTEMPTS
    assert problem.retry_at == NOW + timedelta(minutes=15)
    await home.identity.invite(invitation(EVA), "boss", "es", HERE)


@pytest.mark.parametrize(
    ("language", "subject", "word"),
    [
        ("es", "Invitación al portal de clientes de Constructora Andina", "48 horas"),
        ("en", "Invitation to the customer portal of Constructora Andina", "48 hours"),
        ("pt", "Convite para o portal de clientes de Constructora Andina", "48 horas"),
    ],
)
async def test_the_mail_is_in_the_language_asked_for(
    home: House, language: str, subject: str, word: str
) -> None:
    await home.invited(language=language)
    mail = home.box.mails[-1]
    assert (mail["Subject"], mail["Content-Language"]) == (subject, language)
    assert word in " ".join(plain_text(mail).split())


async def test_who_invited_whom_is_written_down(home: House) -> None:
    await home.invited(EVA)
    (event,) = await home.events(event="invitation.sent")
    assert (event.who, event.whose, event.what) == (
        "boss@a.example",
        ANDINA.number,
        "eva@nowhere.example as MEMBER",
    )
