"""Mails through a real mail server: delivered, encrypted, tried again, and the flows they carry."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.identity.embedded import EmbeddedIdentity, open_identity
from gateway.identity.letters import Kind, Letter, compose
from gateway.identity.mail import NotSent, SmtpSender
from gateway.identity.settings import Mail, Smtp
from tests.gateway.identity.house import (
    ANA,
    HERE,
    PASSWORD,
    SETTINGS,
    House,
    house,
    invitation,
    plain_text,
    refused,
)
from tests.live.processes import free_port
from tests.live.smtp import PASSWORD as SERVERS_PASSWORD
from tests.live.smtp import USER, Kept, make_certificate, smtp_server

pytestmark = [pytest.mark.live, pytest.mark.anyio]


async def send(settings: Smtp, to: str = ANA) -> None:
    letter = Letter(Kind.CHANGED, to, "es", {"email": to}, "Ana Ñandú")
    made = compose(letter, "Portal", "no-reply@portal.example", lambda: datetime.now(UTC))
    await SmtpSender(settings).send(made, "")


def plain(port: int) -> Smtp:
    return Smtp("127.0.0.1", port, "none", timeout=5)


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def test_a_mail_arrives_as_it_was_written(kept: Kept) -> None:
    with smtp_server(kept) as port:
        await send(plain(port))
    (arrived,) = kept.mails
    assert kept.recipients == [ANA]
    assert arrived["To"] == f"Ana Ñandú <{ANA}>"
    assert arrived["Subject"] == "Tu contraseña cambió"
    assert arrived["Content-Language"] == "es"
    assert "La contraseña de ana@andina.example" in plain_text(arrived)


async def test_starttls_and_a_password(kept: Kept, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    with smtp_server(kept, certificate) as port:
        good = Smtp(
            "127.0.0.1",
            port,
            "starttls",
            user=USER,
            password=SERVERS_PASSWORD,
            authorities=str(certificate),
            timeout=5,
        )
        await send(good)
        assert (kept.encrypted, kept.users) == ([True], [USER])
        with pytest.raises(NotSent):
            await send(msgspec.structs.replace(good, password="wrong"))
        with pytest.raises(NotSent):
            await send(msgspec.structs.replace(good, authorities=None))
    assert len(kept.mails) == 1


async def test_a_server_without_starttls_gets_nothing(kept: Kept) -> None:
    with smtp_server(kept) as port:
        settings = Smtp("127.0.0.1", port, "starttls", user=USER, password="x", timeout=5)
        with pytest.raises(NotSent):
            await send(settings)
    assert kept.mails == []


@pytest.mark.parametrize(
    ("answer", "for_good"), [("451 come back later", False), ("550 nobody here", True)]
)
async def test_a_refusal_says_whether_to_try_again(kept: Kept, answer: str, for_good: bool) -> None:
    kept.answers = [answer]
    with smtp_server(kept) as port, pytest.raises(NotSent) as raised:
        await send(plain(port))
    assert raised.value.for_good is for_good
    assert ANA not in str(raised.value)


async def test_a_server_that_is_away_or_silent_fails_in_time() -> None:
    with pytest.raises(NotSent):
        await send(plain(free_port()))
    leaving = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await leaving.wait()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    started = time.monotonic()
    with pytest.raises(NotSent):
        await send(Smtp("127.0.0.1", port, "none", timeout=0.5))
    assert time.monotonic() - started < 3
    leaving.set()
    silent.close()
    await silent.wait_closed()


@asynccontextmanager
async def running(home: House, port: int) -> AsyncIterator[EmbeddedIdentity]:
    """An identity service that sends its mails by itself, to this server."""
    settings = msgspec.structs.replace(SETTINGS, mail=Mail(smtp=plain(port)))

    def issue(email: str, session_id: str) -> tuple[str, datetime]:
        return f"access {session_id}", home.clock.now + timedelta(minutes=15)

    identity = await open_identity(
        settings, home.database, home.crm, issue, home.audit, clock=home.clock
    )
    yield identity
    await identity.close()


async def arrived(kept: Kept, number: int) -> str:
    """The text of the mail with this number, once it is there."""
    async with asyncio.timeout(30):
        while len(kept.mails) < number:  # noqa: ASYNC110 - another thread's list
            await asyncio.sleep(0.02)
    return plain_text(kept.mails[number - 1])


async def test_from_the_invitation_to_a_new_password(kept: Kept, tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        with smtp_server(kept) as port:
            async with running(home, port) as identity:
                await identity.invite(invitation(), "boss", "es", HERE)
                link = re.search(r"#token=([\w-]+)", await arrived(kept, 1))
                assert link is not None
                session = await identity.accept_invitation(link[1], PASSWORD, HERE)
                await identity.request_reset(ANA, "pt", HERE)
                code = re.search(r"^(\d{6})\s*$", await arrived(kept, 2), re.MULTILINE)
                assert code is not None
                token = await identity.verify_reset(ANA, code[1], HERE)
                await identity.reset_password(token, "otro caballo blanco", HERE)
                assert "acaba de cambiar" in " ".join((await arrived(kept, 3)).split())
                problem = await refused(identity.refresh(session.refresh_token, HERE))
                assert problem.code == "EXPIRED"
                assert (await identity.sign_in(ANA, "otro caballo blanco", HERE)).email == ANA
    assert kept.recipients == [ANA] * 3
    assert [mail["Content-Language"] for mail in kept.mails] == ["es", "pt", "es"]


async def test_a_mail_outlives_a_server_that_is_away(kept: Kept, tmp_path: Path) -> None:
    kept.answers = ["451 come back later", "451 come back later"]
    async with house(tmp_path) as home:
        with smtp_server(kept) as port:
            async with running(home, port) as identity:
                await identity.invite(invitation(), "boss", "en", HERE)
                async with asyncio.timeout(30):
                    while not kept.mails:
                        home.clock.forward(seconds=1)
                        await asyncio.sleep(0.05)
                        identity._rooms.outbox.wake()
                link = re.search(r"#token=([\w-]+)", plain_text(kept.mails[0]))
                assert link is not None
                assert (await identity.accept_invitation(link[1], PASSWORD, HERE)).email == ANA
