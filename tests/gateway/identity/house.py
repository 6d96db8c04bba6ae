"""An embedded identity service on a real SQLite file, a CRM of a few people, and a letter box."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from sqlalchemy import Table, select

from connectors.port.errors import SourceError
from connectors.port.pages import Page
from connectors.port.records import (
    Account,
    AccountRef,
    Contact,
    Identity,
    Membership,
    MembershipRole,
)
from connectors.port.scope import Scope
from gateway.audit import Audit, Event, EventFilter, open_audit, read_events
from gateway.database.engine import Database
from gateway.database.migrate import open_database
from gateway.database.tables import Base
from gateway.identity.embedded import EmbeddedIdentity, open_identity
from gateway.identity.mail import NotSent
from gateway.identity.settings import IdentitySettings, Limits, Passwords
from schema.context import Caller
from schema.identity.service import Invitation, Origin, Problem, Problems, Session
from tests.gateway.clock import Clock

ANDINA = AccountRef("001A", "C-1", "CO")
ANA, EVA = "ana@andina.example", "eva@nowhere.example"
#: Of whom nobody has heard.
NOBODY = "nobody@andina.example"
PASSWORD = "un buen caballo negro"
HERE = Origin("203.0.113.7", "tests", "r-1")

#: As cheap as argon2 gets: what it costs in earnest is no business of tests.
CHEAP = Passwords(passes=1, memory_kib=8, workers=2, waiting=500)
SETTINGS = IdentitySettings(portal_url="https://portal.example/", passwords=CHEAP)


def unlimited() -> IdentitySettings:
    """Settings without limits on tries, for tests of something else that tries often."""
    names = [name for name in Limits.__struct_fields__ if name != "minutes"]
    return msgspec.structs.replace(SETTINGS, limits=Limits(**dict.fromkeys(names, 10_000)))


class Crm:
    """Who acts for whom. down: raised instead of an answer."""

    def __init__(self) -> None:
        self.people = {ANA: person(ANA, Membership(ANDINA, MembershipRole.ADMIN))}
        self.down: SourceError | None = None
        self.asked: list[str] = []

    async def identity_by_email(self, email: str) -> Identity | None:
        self.asked.append(email)
        await asyncio.sleep(0)
        if self.down is not None:
            raise self.down
        return self.people.get(email)

    async def identity_by_contact(self, contact_id: str) -> NoReturn:
        raise AssertionError("nobody is looked up by contact here")

    async def accounts_by_id(self, *asked: Any) -> list[Account | None]:
        raise AssertionError("no accounts are read here")

    async def contacts_by_id(self, *asked: Any) -> list[Contact | None]:
        raise AssertionError("no contacts are read here")

    async def contacts_by_account(self, query: Any) -> Page[Contact]:
        raise AssertionError("no contacts are read here")


def person(email: str, *memberships: Membership) -> Identity:
    return Identity(f"contact of {email}", email, email, memberships)


class LetterBox:
    """Takes mails. fail: raised instead, as often as there are some."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.gists: list[str] = []
        self.fail: list[NotSent] = []
        self.arrived = asyncio.Event()

    async def send(self, message: EmailMessage, gist: str) -> None:
        await asyncio.sleep(0)
        if self.fail:
            raise self.fail.pop(0)
        self.mails.append(message)
        self.gists.append(gist)
        self.arrived.set()

    def newest(self) -> str:
        """The plain text of the newest mail."""
        return plain_text(self.mails[-1])


def plain_text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content


@dataclass(slots=True)
class House:
    """Everything that a test may look at."""

    identity: EmbeddedIdentity
    database: Database
    audit: Audit
    crm: Crm
    box: LetterBox
    clock: Clock
    folder: Path
    ended: list[tuple[str, datetime]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    ensured: list[Invitation] = field(default_factory=list)
    #: What the CRM does when somebody is to be let in.
    letting_in: list[SourceError] = field(default_factory=list)
    issued: dict[str, str] = field(default_factory=dict)

    async def invited(self, email: str = ANA, language: str = "es", **changes: Any) -> str:
        """Invites somebody; answers the token of the mail's link."""
        await self.identity.invite(invitation(email, **changes), "boss@a.example", language, HERE)
        await self.identity.send_mails()
        return self.token()

    def token(self) -> str:
        """Of the link in the newest mail."""
        found = re.search(r"https://portal\.example/invitation#token=([\w-]+)", self.box.newest())
        assert found is not None
        return found[1]

    async def member(self, email: str = ANA, password: str = PASSWORD) -> Session:
        """Somebody who took up an invitation."""
        return await self.identity.accept_invitation(await self.invited(email), password, HERE)

    async def code(self, email: str = ANA, language: str = "es") -> str:
        """Asks for a new password; answers the code of the mail."""
        await self.identity.request_reset(email, language, HERE)
        before = len(self.box.mails)
        await self.identity.send_mails()
        assert len(self.box.mails) == before + 1
        found = re.search(r"^(\d{6})$", self.box.newest(), re.MULTILINE)
        assert found is not None
        return found[1]

    async def events(self, **wanted: Any) -> Sequence[Event]:
        return await read_events(self.database, EventFilter(**wanted), 1000)

    async def rows(self, table: str) -> list[dict[str, Any]]:
        found: Table = Base.metadata.tables[table]
        async with self.database.read() as connection:
            return [dict(row) for row in (await connection.execute(select(found))).mappings()]

    @property
    def hashes(self) -> int:
        """Hashes and verifications so far."""
        return self.identity._rooms.passwords.worked


def invitation(email: str = ANA, **changes: Any) -> Invitation:
    usual: dict[str, Any] = {
        "account": ANDINA,
        "account_name": "Constructora Andina",
        "email": email,
        "name": "Ana Torres",
        "role": MembershipRole.MEMBER,
    }
    return Invitation(**(usual | changes))


def caller(email: str = ANA, session_id: str | None = None) -> Caller:
    return Caller(
        contact_id="003",
        email=email,
        name=email,
        memberships=(Membership(ANDINA, MembershipRole.MEMBER, date(2020, 1, 1)),),
        scope=Scope((ANDINA,)),
        expires_at=Clock().now,
        session_id=session_id,
    )


async def refused(doing: Any) -> Problem:
    """What somebody is told who is refused."""
    try:
        await doing
    except Problems as raised:
        (problem,) = raised.problems
        return problem
    raise AssertionError("this was not refused")


@asynccontextmanager
async def house(folder: Path, settings: IdentitySettings = SETTINGS) -> AsyncIterator[House]:
    """One gateway's identities. Opened twice on one folder, it is two processes at one database.
    A file `database.url` in the folder names another database than SQLite."""
    clock, crm, box = Clock(), Crm(), LetterBox()
    named, there = folder / "database.url", (folder / "identity.sqlite").exists()
    url = named.read_text() if named.exists() else "sqlite:///identity.sqlite"
    database = await open_database(url, folder, migrated=not there)
    audit = await open_audit(folder / "audit.jsonl", database, clock)
    ended: list[tuple[str, datetime]] = []
    forgotten: list[str] = []
    ensured: list[Invitation] = []
    letting_in: list[SourceError] = []
    issued: dict[str, str] = {}

    def issue(email: str, session_id: str) -> tuple[str, datetime]:
        token = f"access-{len(issued)}-{session_id}"
        issued[token] = session_id
        return token, clock.now + timedelta(minutes=15)

    async def ensure_contact(wanted: Invitation) -> str:
        ensured.append(wanted)
        await asyncio.sleep(0.01)
        if letting_in:
            raise letting_in.pop()
        crm.people.setdefault(wanted.email, person(wanted.email, Membership(ANDINA, wanted.role)))
        return "003"

    identity = await open_identity(
        settings,
        database,
        crm,
        issue,
        audit,
        root=folder,
        clock=clock,
        ended=lambda session_id, until: ended.append((session_id, until)),
        forget=forgotten.append,
        ensure_contact=ensure_contact,
        sender=box,
        background=False,
    )
    yield House(
        identity,
        database,
        audit,
        crm,
        box,
        clock,
        folder,
        ended,
        forgotten,
        ensured,
        letting_in,
        issued,
    )
    await identity.close()
    await audit.close()
    await database.close()
