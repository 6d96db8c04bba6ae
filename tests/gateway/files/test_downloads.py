"""Files by signed links: for one viewer, as long as that viewer may see them, whole or in part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc.jwk import ECKey

from connectors.port.errors import Unavailable
from connectors.port.fields import Fields
from connectors.port.records import Attachment, Content, Identity, Membership, MembershipRole
from connectors.port.scope import AccountRef, Scope
from gateway.access.callers import Callers
from gateway.access.keys import KeyRing, RingKey
from gateway.access.revocations import Revocations
from gateway.files.links import DownloadTicket, Links
from gateway.http.downloads import DownloadRoute, disposition
from gateway.http.ranges import Unsatisfiable, asked
from schema.access import CASES_READ
from tests.gateway.clock import Clock
from tests.gateway.files.asgi import Answer, Sender, ask
from tests.gateway.files.cabinet import person

pytestmark = pytest.mark.anyio

ANDINA, PACIFICO = AccountRef("001A"), AccountRef("001B")
BYTES = bytes(range(256)) * 40
FILE = Attachment("068x", ANDINA, "500x", "informe á.pdf", "application/pdf", len(BYTES))


@dataclass(slots=True)
class Crm:
    """Customers, and the files of their cases. members: accounts that a person acts for. breaks:
    after how many bytes a file breaks off."""

    members: dict[str, AccountRef] = field(default_factory=lambda: {"003A": ANDINA})
    file: Attachment = FILE
    breaks: int | None = None
    trouble: Exception | None = None
    said: int = len(BYTES)
    asked: list[str] = field(default_factory=list)
    closed: int = 0

    async def identity_by_contact(self, contact_id: str) -> Identity | None:
        self.asked.append("identity")
        account = self.members.get(contact_id)
        roles = (Membership(account, MembershipRole.READER),) if account else ()
        return Identity(contact_id, "a@x.example", "Ana", roles)

    async def accounts_by_id(self, ids: Sequence[str], fields: Fields, scope: Scope) -> list[Any]:
        self.asked.append("account")
        return [None for _ in ids]

    async def attachments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Attachment | None]:
        self.asked.append("attachment")
        if self.trouble:
            raise self.trouble
        return [self.file if one == "068x" and scope.by_id("001A") else None for one in ids]

    async def attachment_content(
        self, attachment_id: str, scope: Scope, first: int = 0
    ) -> Content | None:
        self.asked.append("content")
        if scope.by_id("001A") is None:
            return None

        async def chunks() -> AsyncIterator[bytes]:
            sent = 0
            for at in range(first, len(BYTES), 1_000):
                if self.breaks is not None and sent >= self.breaks:
                    raise Unavailable("crm", "it broke off")
                part = BYTES[at : at + 1_000]
                sent += len(part)
                yield part
                await asyncio.sleep(0)  # a network lets others have their turn

        async def close() -> None:
            self.closed += 1

        return Content(ANDINA, self.said, chunks(), close)


@dataclass(slots=True)
class House:
    crm: Crm = field(default_factory=Crm)
    clock: Clock = field(default_factory=Clock)
    keys: KeyRing = field(default_factory=lambda: KeyRing.single(ECKey.generate_key("P-256")))
    revocations: Revocations = field(init=False)
    links: Links = field(init=False)
    route: DownloadRoute = field(init=False)

    def __post_init__(self) -> None:
        crm: Any = self.crm
        self.revocations = Revocations(self.clock)
        self.links = Links(self.keys, "https://p.example/", timedelta(minutes=10), self.clock)
        callers = Callers(crm, timedelta(0), self.clock)
        self.route = DownloadRoute(self.links, crm, callers, self.revocations, lambda _: "es")

    def link(self, **caller: Any) -> str:
        url, until = self.links.download(person(**caller), "068x")
        assert url.startswith("https://p.example/files/")
        assert until == self.clock.now + timedelta(minutes=10)
        return urlsplit(url).path

    async def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return await ask(self.route, method, path, said, Sender([b""], hangs=True))


@pytest.fixture
def house() -> House:
    return House()


async def test_a_viewer_reads_a_file(house: House) -> None:
    answer = await house.get(house.link())
    assert (answer.status, answer.body, answer.complete) == (200, BYTES, True)
    assert answer.headers == {
        "accept-ranges": "bytes",
        "cache-control": "private, no-store",
        "content-disposition": "attachment; filename=\"informe _.pdf\"; filename*=UTF-8''"
        "informe%20%C3%A1.pdf",
        "content-length": str(len(BYTES)),
        "content-security-policy": "default-src 'none'; sandbox",
        "content-type": "application/pdf",
        "cross-origin-resource-policy": "same-site",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    assert house.crm.asked == ["identity", "attachment", "content"]
    assert house.crm.closed == 1


async def test_a_look_at_the_head_reads_nothing(house: House) -> None:
    answer = await house.get(house.link(), "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(BYTES))
    assert house.crm.asked == ["identity", "attachment"]
    part = await house.get(house.link(), "HEAD", range="bytes=0-9")
    assert (part.status, part.headers["content-length"]) == (206, "10")


@pytest.mark.parametrize(
    ("header", "first", "after"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-1004", 5, 1_005),
        ("bytes=10000-", 10_000, len(BYTES)),
        ("bytes=-7", len(BYTES) - 7, len(BYTES)),
        ("bytes=9-999999", 9, len(BYTES)),
        ("Bytes = 3-4", 3, 5),
    ],
)
async def test_a_part_can_be_read(house: House, header: str, first: int, after: int) -> None:
    answer = await house.get(house.link(), range=header)
    assert (answer.status, answer.body) == (206, BYTES[first:after])
    assert answer.headers["content-range"] == f"bytes {first}-{after - 1}/{len(BYTES)}"
    assert answer.headers["content-length"] == str(after - first)


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=9-3", "x"])
async def test_what_is_no_single_part_is_the_whole(house: House, header: str) -> None:
    answer = await house.get(house.link(), range=header)
    assert (answer.status, answer.body) == (200, BYTES)
    named = await house.get(house.link(), range="bytes=0-1", if_range='"x"')
    assert (named.status, named.body) == (200, BYTES)


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=99999999-", "bytes=-0"])
async def test_a_part_that_is_not_there_is_refused(house: House, header: str) -> None:
    answer = await house.get(house.link(), range=header)
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{len(BYTES)}"


def test_a_part_of_nothing_is_refused() -> None:
    with pytest.raises(Unsatisfiable):
        asked("bytes=0-", 0)
    assert asked(None, 0) is None


async def gone(answer: Answer) -> bool:
    assert answer.status == 404, answer.status
    return bool(answer.error["message"].startswith("Este enlace ya no funciona"))


async def test_time_ends_a_link(house: House) -> None:
    link = house.link()
    house.clock.forward(minutes=9)
    assert (await house.get(link)).status == 200
    house.clock.forward(minutes=1)
    assert await gone(await house.get(link))


async def test_a_link_lasts_no_longer_than_the_proof_behind_it(house: House) -> None:
    soon = house.clock.now + timedelta(minutes=3)
    _, until = house.links.download(person(expires_at=soon), "068x")
    assert until == soon


async def test_a_link_ends_with_its_session(house: House) -> None:
    link, other = house.link(session_id="s-1"), house.link(session_id="s-2")
    house.revocations.end("s-1", house.clock.now + timedelta(hours=1))
    assert await gone(await house.get(link))
    assert (await house.get(other)).status == 200


async def test_a_link_ends_with_the_membership(house: House) -> None:
    link = house.link()
    house.crm.members.clear()
    assert await gone(await house.get(link))
    house.crm.members["003A"] = PACIFICO
    assert await gone(await house.get(link))
    assert house.crm.asked == ["identity", "attachment", "content"] * 2


async def test_nobody_makes_or_changes_a_link(house: House) -> None:
    head, _, ticket = house.link().rpartition("/")
    said, signature, kid = ticket.split(".")
    stranger = Links(
        KeyRing.single(ECKey.generate_key("P-256")), "", timedelta(minutes=10), house.clock
    )
    foreign = stranger.download(person(), "068x")[0].rpartition("/")[2]
    upload = house.links.upload("u", house.clock.now + timedelta(hours=1)).rpartition("/")[2]
    for text in (
        "",
        "x",
        said,
        f"{said}.{signature}.{kid}x",
        f"{said}.{signature}x.{kid}",
        f"{said[:-1]}.{signature}.{kid}",
        f"{said}.é.{kid}",
        foreign,
        foreign.rpartition(".")[0] + f".{kid}",
        upload,
    ):
        assert (await house.get(f"{head}/{text}")).status == 404, text
    assert house.crm.asked == []


async def test_a_rotation_of_keys_ends_links_as_it_ends_tokens(house: House) -> None:
    link = house.link()
    old = house.keys.signing
    new = RingKey.of(ECKey.generate_key("P-256"), house.clock.now)
    ends = house.clock.now + timedelta(minutes=5)
    house.keys._set([new, replace(old, ends_at=ends)])
    assert (await house.get(link)).status == 200
    assert (await house.get(house.link())).status == 200
    house.clock.forward(minutes=5)
    assert await gone(await house.get(link))


async def test_a_program_reads_for_its_account_alone(house: House) -> None:
    program: dict[str, Any] = {"contact_id": "", "staff": True, "scopes": frozenset({CASES_READ})}
    assert await gone(await house.get(house.link(**program))), "the account is gone"
    assert house.crm.asked == ["account"]
    nothing = {**program, "scopes": frozenset({"orders:read"})}
    assert await gone(await house.get(house.link(**nothing)))


async def test_a_system_that_is_down_is_told(house: House) -> None:
    house.crm.trouble = Unavailable("crm", "secret", retry_after=7)
    answer = await house.get(house.link())
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")
    extensions = answer.error["extensions"]
    assert extensions == {"code": "SOURCE_UNAVAILABLE", "source": "crm", "retryable": True}
    assert b"secret" not in answer.body
    house.crm.trouble = RuntimeError("secret")
    answer = await house.get(house.link())
    assert (answer.status, answer.error["extensions"]["code"]) == (500, "INTERNAL_SERVER_ERROR")


@pytest.mark.parametrize("breaks", [1_000, 5_000])
async def test_a_file_that_breaks_off_is_never_taken_for_whole(house: House, breaks: int) -> None:
    house.crm.breaks = breaks
    answer = await house.get(house.link())
    assert (answer.status, answer.body, answer.complete) == (200, BYTES[:breaks], False)
    assert house.crm.closed == 1
    house.crm.breaks = 0
    answer = await house.get(house.link())
    assert (answer.status, answer.complete) == (503, True)


async def test_a_file_of_another_size_is_not_sent(house: House) -> None:
    house.crm.said = 5
    answer = await house.get(house.link())
    assert (answer.status, house.crm.closed) == (502, 1)


async def test_whoever_left_is_not_sent_to(house: House) -> None:
    answer = await ask(house.route, "GET", house.link(), {}, Sender([b""], breaks=True))
    assert not answer.complete
    assert len(answer.body) < len(BYTES)
    assert house.crm.closed == 1


async def test_nothing_that_runs_is_called_by_its_name(house: House) -> None:
    for kind in ("text/html", "image/svg+xml", "x\r\ny: z", ""):
        house.crm.file = replace(house.crm.file, content_type=kind)
        answer = await house.get(house.link())
        assert answer.headers["content-type"] == "application/octet-stream"
    assert (await house.get(house.link(), "POST")).status == 405


@pytest.mark.parametrize(
    ("name", "plain", "exact"),
    [
        ("a.pdf", "a.pdf", "a.pdf"),
        ('a"; x="b.pdf', "a_; x=_b.pdf", "a_%3B%20x%3D_b.pdf"),
        ("a\r\nSet-Cookie: b", "aSet-Cookie_ b", "aSet-Cookie_%20b"),
        ("100%.pdf", "100_.pdf", "100%25.pdf"),
        ("", "file", "file"),
    ],
)
def test_a_name_stays_inside_its_header(name: str, plain: str, exact: str) -> None:
    header = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"
    assert disposition(name) == header


def test_a_ticket_says_no_more_than_it_must(house: House) -> None:
    path = house.link(session_id="s" * 32).rpartition("/")[2]
    ticket = house.links.read(path, DownloadTicket)
    assert ticket is not None
    assert (ticket.contact_id, ticket.client_id, ticket.scopes) == ("003A", None, ())
    assert len(path) < 300
