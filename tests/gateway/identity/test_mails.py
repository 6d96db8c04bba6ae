"""Mails: written in every language, with clean headers; sent until they are, and never lost."""

from __future__ import annotations

import asyncio
import email
import stat
import string
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from gateway.identity.embedded import open_identity
from gateway.identity.letters import Kind, Letter, compose
from gateway.identity.mail import FolderSender, NotSent, SmtpSender
from gateway.identity.settings import MailSettingsError, Smtp
from schema.texts import LANGUAGES
from tests.gateway.clock import NOW
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

pytestmark = pytest.mark.anyio

VALUES = {
    "name": "Ana",
    "account": "Andina",
    "email": ANA,
    "link": "https://portal.example/invitation#token=abc&x=<y>",
    "hours": "48",
    "minutes": "15",
    "code": "012345",
}
TEMPLATES = Path(__file__).resolve().parents[3] / "gateway" / "identity" / "templates"


def written(kind: Kind = Kind.INVITATION, language: str = "es", **changes: str) -> EmailMessage:
    """A mail as its reader's program sees it."""
    name = changes.pop("display", "Ana Torres")
    letter = Letter(kind, ANA, language, VALUES | changes, name)
    made = compose(letter, "Portal Ñandú", "no-reply@portal.example", lambda: NOW)
    return email.message_from_bytes(made.as_bytes(), policy=default)


class Read(HTMLParser):
    """The words and the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.links, self.tags = "", list[str](), set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_data(self, data: str) -> None:
        self.words += data


def page(mail: EmailMessage) -> Read:
    part = mail.get_body(("html",))
    assert part is not None
    read = Read()
    read.feed(part.get_content())
    return read


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
async def test_each_mail_says_the_same_in_both_forms(kind: Kind, language: str) -> None:
    mail = written(kind, language)
    text, html = plain_text(mail), page(mail)
    needed = {Kind.INVITATION: "link", Kind.RESET: "code", Kind.CHANGED: "email"}[kind]
    assert VALUES[needed] in text
    assert VALUES[needed] in html.words
    assert html.links == ([VALUES["link"]] if kind is Kind.INVITATION else [])
    assert "{" not in text + html.words
    said = " ".join(text.replace(VALUES["link"], "").split())
    assert said.split(". ")[0].split(":")[0] in " ".join(html.words.split())
    assert mail["Content-Language"] == language


@pytest.mark.parametrize("form", ["txt", "html"])
@pytest.mark.parametrize("kind", Kind)
async def test_templates_need_the_same_in_every_language(kind: Kind, form: str) -> None:
    needs = []
    for language in LANGUAGES:
        text = (TEMPLATES / f"{kind.value}.{language}.{form}").read_text()
        needs.append({name for _, name, _, _ in string.Formatter().parse(text) if name})
    assert needs == [needs[0]] * len(LANGUAGES)


async def test_headers_are_those_of_an_automatic_mail() -> None:
    mail = written()
    assert mail["From"] == "Portal Ñandú <no-reply@portal.example>"
    assert mail["To"] == "Ana Torres <ana@andina.example>"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"].endswith("@portal.example>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["MIME-Version"] == "1.0"
    assert mail.get_content_type() == "multipart/alternative"
    raw = written().as_bytes()
    assert max(map(len, raw.splitlines())) <= 998


@pytest.mark.parametrize(
    "break_", ["\r\n", "\n", "\r", "\x0b", "\x85", "\N{LINE SEPARATOR}", "\x00", "\ud800"]
)
async def test_names_add_no_header(break_: str) -> None:
    evil = f"Ana{break_}Bcc: eva@evil.example{break_}{break_}<b>hello</b>"
    mail = written(display=evil, name=evil, account=evil)
    assert mail["Bcc"] is None
    assert mail["To"].addresses[0].addr_spec == ANA
    assert len(mail["To"].addresses) == 1
    assert "b" not in page(mail).tags
    assert "<b>hello</b>" in page(mail).words


async def test_an_unknown_language_is_written_in_english() -> None:
    assert written(language="../../etc")["Content-Language"] == "en"


async def test_the_folder_keeps_mails_for_their_owner_and_tells_the_line(tmp_path: Path) -> None:
    told: list[str] = []
    sender = FolderSender(tmp_path / "mail", told.append)
    await sender.send(written(), "Invitation for ana: https://x")
    (file,) = (tmp_path / "mail").iterdir()
    assert file.suffix == ".eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    mail = email.message_from_bytes(file.read_bytes(), policy=default)
    assert VALUES["link"] in plain_text(mail)
    assert told == [f"Invitation for ana: https://x\n  {file}"]


async def test_the_folder_has_a_bound(tmp_path: Path) -> None:
    for number in range(505):
        (tmp_path / f"20200101000000-{number:03}.eml").touch()
    await FolderSender(tmp_path, lambda line: None).send(written(), "")
    names = sorted(file.name for file in tmp_path.iterdir())
    assert len(names) == 500
    assert names[0] == "20200101000000-006.eml"


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").touch()
    with pytest.raises(NotSent) as raised:
        await FolderSender(tmp_path / "mail", lambda line: None).send(written(), "")
    assert not raised.value.for_good


async def test_a_password_goes_to_no_server_in_clear() -> None:
    with pytest.raises(MailSettingsError, match="security"):
        SmtpSender(Smtp("mail.example", security="none", user="u", password="p"))
    kept = Smtp("127.0.0.1", security="none", user="u", password="of the server")
    assert SmtpSender(kept) is not None
    assert "of the server" not in repr(kept)
    mail = msgspec.structs.replace(SETTINGS.mail, smtp=kept)
    whole = msgspec.structs.replace(SETTINGS, mail=mail, database="postgresql://u:hidden@h/d")
    assert "of the server" not in repr(mail)
    assert "hidden" not in repr(whole)


async def test_a_mail_is_tried_until_it_is_sent(home: House) -> None:
    home.box.fail = [NotSent("away"), NotSent("away")]
    await home.identity.invite(invitation(), "boss", "es", HERE)
    await home.identity.send_mails()
    assert home.box.mails == []
    home.clock.forward(seconds=9)
    await home.identity.send_mails()
    assert len(home.box.fail) == 1, "it waits before it tries again"
    home.clock.forward(seconds=1)
    await home.identity.send_mails()
    home.clock.forward(seconds=20)
    await home.identity.send_mails()
    assert await home.rows("identity_outbox") == []
    await home.identity.accept_invitation(home.token(), PASSWORD, HERE)


async def test_only_the_link_of_the_newest_try_is_good(home: House) -> None:
    await home.identity.invite(invitation(), "boss", "es", HERE)

    async def arrives_all_the_same(message: EmailMessage, gist: str) -> None:
        home.box.mails.append(message)
        raise NotSent("the server went away after it took the mail")

    proper = home.box.send
    home.box.send = arrives_all_the_same  # type: ignore[method-assign] # this once
    await home.identity.send_mails()
    first = home.token()
    home.box.send = proper  # type: ignore[method-assign] # as before
    home.clock.forward(minutes=10)
    await home.identity.send_mails()
    problem = await refused(home.identity.accept_invitation(first, PASSWORD, HERE))
    assert problem.code == "NOT_FOUND"
    await home.identity.accept_invitation(home.token(), PASSWORD, HERE)


async def test_a_mail_whose_time_is_over_is_given_up_and_noted(home: House) -> None:
    await home.member()
    await home.identity.request_reset(ANA, "es", HERE)
    home.box.fail = [NotSent("away")] * 99
    for _ in range(30):
        await home.identity.send_mails()
        home.clock.forward(minutes=1)
    assert await home.rows("identity_outbox") == []
    assert 90 < len(home.box.fail) < 96
    (event,) = await home.events(event="mail.given_up")
    assert (event.whose, event.outcome) == (ANA, "FAILED")


async def test_a_recipient_who_is_refused_for_good_is_not_tried_again(home: House) -> None:
    home.box.fail = [NotSent("refused", for_good=True)]
    await home.identity.invite(invitation(), "boss", "es", HERE)
    await home.identity.send_mails()
    assert await home.rows("identity_outbox") == []
    assert len(await home.events(event="mail.given_up")) == 1


async def test_a_crash_loses_no_mail(folder: Path) -> None:
    async with house(folder) as one:
        await one.identity.invite(invitation(), "boss", "es", HERE)
        taken = await one.identity._rooms.outbox._take()
        assert len(taken) == 1  # and the process dies
    async with house(folder) as other:
        await other.identity.send_mails()
        assert other.box.mails == [], "somebody may still be at it"
        other.clock.forward(minutes=2)
        await other.identity.send_mails()
        assert other.box.mails[-1]["To"].addresses[0].addr_spec == ANA


async def test_two_processes_send_a_mail_once(folder: Path) -> None:
    async with house(folder) as one, house(folder) as other:
        for number in range(20):
            await one.identity.invite(invitation(f"p{number}@a.example"), "boss", "es", HERE)
        await asyncio.gather(one.identity.send_mails(), other.identity.send_mails())
        to = [mail["To"].addresses[0].addr_spec for mail in one.box.mails + other.box.mails]
        assert sorted(to) == sorted(f"p{number}@a.example" for number in range(20))


async def test_mails_leave_by_themselves(home: House) -> None:
    identity = await open_identity(
        SETTINGS, home.database, home.crm, _issue, home.audit, clock=home.clock, sender=home.box
    )
    await identity.invite(invitation(), "boss", "es", HERE)
    async with asyncio.timeout(10):
        await home.box.arrived.wait()
    await identity.close()
    assert len(home.box.mails) == 1


def _issue(address: str, session_id: str) -> tuple[str, datetime]:
    return "token", datetime.now(UTC) + timedelta(minutes=1)
