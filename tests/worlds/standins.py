"""Who keeps identities, who writes people and who takes in what customers send, in memory: what
they are asked to do is written down, and held against what the asker may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.port.records import (
    Attachment,
    Author,
    Case,
    CaseComment,
    CaseDetail,
    CaseStatus,
    ContactChanges,
    MembershipRole,
    NewCase,
    NewContact,
)
from connectors.port.scope import AccountRef, Scope
from schema.cases.permissions import takes_more
from schema.cases.service import Rejection, Unproven, case_closed
from schema.context import Caller
from schema.files.service import IncomingFile, StoredFile, UploadTarget
from schema.identity.service import Invitation, Origin, Problem, ProblemCode, Problems, Session
from tests.worlds.memory import HONEST, Manner
from tests.worlds.world import NOW, World

#: What lets anybody in, as a password, token or code.
SECRET = "correct horse battery staple"
#: What stands for whatever was sent.
SENT = "Enviado"
ORIGIN = Origin("192.0.2.1", "a generated world", "r-1")


def _proved(secret: str) -> None:
    if secret != SECRET:
        again = NOW + timedelta(minutes=5)
        raise Problems(Problem(ProblemCode.TOO_MANY_ATTEMPTS, "Not this.", retry_at=again))


@dataclass(slots=True)
class Identities:
    """An IdentityService for everybody in a world. admitted: addresses that proved who they are."""

    world: World
    admitted: list[str] = field(default_factory=list)
    invited: list[Invitation] = field(default_factory=list)

    def _session(self, email: str) -> Session:
        self.admitted.append(email)
        number = len(self.admitted) - 1
        return Session(f"access {number}", f"refresh {number}", NOW + timedelta(hours=1), email)

    def email(self, access_token: str) -> str:
        """Whose session a token is of."""
        return self.admitted[int(access_token.removeprefix("access "))]

    async def sign_in(self, email: str, password: str, origin: Origin) -> Session:
        _proved(password)
        return self._session(email.lower())

    async def refresh(self, refresh_token: str, origin: Origin) -> Session:
        _proved(refresh_token)
        return self._session("nobody@people.example")

    async def sign_out(self, refresh_token: str, origin: Origin) -> None: ...

    async def request_reset(self, email: str, language: str, origin: Origin) -> None: ...

    async def verify_reset(self, email: str, code: str, origin: Origin) -> str:
        _proved(code)
        return SECRET

    async def reset_password(self, reset_token: str, password: str, origin: Origin) -> None:
        _proved(reset_token)

    async def change_password(
        self, caller: Caller, current: str, password: str, origin: Origin
    ) -> None:
        _proved(current)

    async def invite(
        self, invitation: Invitation, by: str, language: str, origin: Origin
    ) -> datetime:
        self.invited.append(invitation)
        return NOW + timedelta(hours=48)

    async def accept_invitation(self, token: str, password: str, origin: Origin) -> Session:
        _proved(token)
        emails = sorted(person.email for person in self.world.people)
        return self._session(emails[0] if emails else "nobody@people.example")


@dataclass(slots=True)
class Writer:
    """A CustomerWriter that changes nothing. written: whom it was to change, with which scope."""

    world: World
    written: list[tuple[str, Scope]] = field(default_factory=list)
    added: list[tuple[NewContact, Scope]] = field(default_factory=list)

    async def update_contact(self, contact_id: str, changes: ContactChanges, scope: Scope) -> bool:
        self.written.append((contact_id, scope))
        people = [p for p in self.world.people if p.contact.id == contact_id]
        return any(scope.by_id(key) for person in people for key in person.accounts)

    async def ensure_contact(self, person: NewContact, scope: Scope) -> MembershipRole:
        self.added.append((person, scope))
        return person.role


@dataclass(slots=True)
class Files:
    """A FileService that has every file that is named."""

    async def create_upload(
        self, caller: Caller, filename: str, content_type: str, size: int
    ) -> UploadTarget:
        if size < 1:
            raise Problems(Problem(ProblemCode.INVALID, "Empty.", field=("input", "size")))
        return UploadTarget("f-1", "https://files.example/f-1", NOW + timedelta(hours=24))

    async def taken(
        self,
        caller: Caller,
        files: Sequence[IncomingFile],
        upload_ids: Sequence[str],
    ) -> list[StoredFile]:
        refused = [file.problem for file in files if file.problem]
        if refused:
            raise Problems(*refused)
        named = [*(file.id or "" for file in files), *upload_ids]
        return [StoredFile(one, SENT, "text/plain", 7, "0" * 64) for one in named]

    def over(self, already: Sequence[int], files: Sequence[StoredFile]) -> Problem | None:
        return None

    def download_url(self, caller: Caller, attachment_id: str) -> tuple[str, datetime]:
        return f"https://files.example/{attachment_id}", NOW + timedelta(minutes=10)


@dataclass(slots=True)
class Submissions:
    """A CaseService that has a CRM which takes everything. It answers SENT in place of what was
    written, in which askers may have put anybody's values. opened: what was to be opened, by whom;
    added: the cases that something was to be added to, by whom, and what."""

    world: World
    manner: Manner = HONEST
    largest_file: int = 1_000
    opened: list[tuple[Caller, NewCase, Sequence[StoredFile], str | None]] = field(
        default_factory=list
    )
    added: list[tuple[Caller, Case | Unproven, str, str | None]] = field(default_factory=list)

    async def open_case(
        self,
        caller: Caller,
        case: NewCase,
        files: Sequence[StoredFile],
        key: str | None,
        sent: Sequence[object] | None = None,
    ) -> Case:
        self.opened.append((caller, case, files, key))
        return Case(
            id=f"new{len(self.opened)}",
            owner=case.account,
            number=None,
            category=case.category,
            subcategory=case.subcategory,
            subject=SENT,
            description=SENT,
            status=CaseStatus.SUBMITTED,
            details=[CaseDetail(detail.name, SENT) for detail in case.details],
            created_at=NOW,
            updated_at=NOW,
            closed_at=None,
            team=case.team,
            contact_id=case.contact_id,
            order_number=case.order_number,
        )

    async def add_comment(
        self, caller: Caller, case: Case | Unproven, body: str, key: str | None
    ) -> CaseComment:
        _check_open(case)
        self.added.append((caller, case, body, key))
        author = Author(caller.name, False, caller.contact_id or None)
        return CaseComment("said", _owner(case), case.id, SENT, author, NOW, pending=True)

    async def add_files(
        self,
        caller: Caller,
        case: Case | Unproven,
        files: Sequence[StoredFile],
        key: str | None,
        over: Problem | None = None,
    ) -> list[Attachment]:
        _check_open(case)
        if over is not None:
            raise Problems(over)
        self.added.append((caller, case, "files", key))
        author = Author(caller.name, False, caller.contact_id or None)
        return [
            Attachment(
                *(f"sent{place}", _owner(case), case.id, file.filename, file.content_type),
                *(file.size, NOW, author),
                pending=True,
            )
            for place, file in enumerate(files)
        ]

    async def close_case(
        self, caller: Caller, case: Case | Unproven, comment: str | None, key: str | None
    ) -> None:
        _check_open(case)
        self.added.append((caller, case, comment or "", key))

    async def rejections_by_case(self, case_ids: Sequence[str]) -> list[list[Rejection]]:
        """Careless: those of all cases, for each."""
        alike = not self.manner.scoped
        refused = self.world.rejections
        return [[one for one in refused if alike or one.case_id == key] for key in case_ids]


def _owner(case: Case | Unproven) -> AccountRef:
    return AccountRef("") if isinstance(case, Unproven) else case.owner


def _check_open(case: Case | Unproven) -> None:
    if isinstance(case, Case) and not takes_more(case):
        raise Problems(case_closed())
