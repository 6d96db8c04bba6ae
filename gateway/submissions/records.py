"""What the gateway holds of something that a customer sent: a submission, made of parts that are
brought to the CRM one after the other.

Ids that the gateway gives out for what the CRM has not named yet begin with "sub-", which no id of
a CRM does; they stay good for ever.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from connectors.port.records import Attachment, Author, Case, CaseComment, CaseStatus, NewCase
from connectors.port.scope import AccountRef
from gateway.submissions import problems
from schema.cases.service import Rejection, Sent
from schema.problems import Problem

_ALIAS = re.compile(r"sub-([0-9a-f]{32})(?:-([0-9]{1,3}))?", re.ASCII)


class State(StrEnum):
    """How far something is. CANCELLED: an operator gave it up."""

    WAITING = "waiting"
    DONE = "done"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Deed(StrEnum):
    """What a part does in the CRM."""

    OPEN = "open"
    COMMENT = "comment"
    FILE = "file"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file in the gateway's store, on its way to a case."""

    id: str
    filename: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """One deed. crm_id: what the CRM calls what came of it. problem: why it was rejected."""

    position: int
    deed: Deed
    state: State = State.WAITING
    file: HeldFile | None = None
    crm_id: str | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What the customer sent, in words. author: name to show. contact_id: None for a program.
    among: the accounts one of which must have the case; none once that is proven."""

    author: str
    contact_id: str | None = None
    case: NewCase | None = None
    body: str | None = None
    among: tuple[AccountRef, ...] = ()


#: Of what is about a case of which the CRM has not said yet whose it is. No scope has it, so what
#: is under it shows to nobody.
NOBODY = AccountRef("")


@dataclass(frozen=True, slots=True)
class Entry:
    """One submission. who: whoever sent it. account: whose the case is, or NOBODY. case_id: the
    case it is about, by the CRM's id or, while there is none, by the alias of the case's own
    submission; None for a case that the CRM has not taken. number: of that case, for one that
    was opened. heard: whether the customer was told of the rejection when it happened."""

    id: str
    kind: Sent
    who: str
    account: AccountRef
    said: Said
    parts: Sequence[Part]
    created_at: datetime
    changed_at: datetime
    case_id: str | None = None
    number: str | None = None
    state: State = State.WAITING
    heard: bool = False
    done_at: datetime | None = None

    @property
    def alias(self) -> str:
        """What the graph calls the case that this opens, until the CRM names it."""
        return alias(self.id)

    @property
    def settled(self) -> bool:
        return self.state is not State.WAITING

    @property
    def about(self) -> str:
        """The case that this is about: by the CRM's id where there is one."""
        return self.case_id or self.alias

    @property
    def problem(self) -> Problem | None:
        """Why it was not taken, if it was not."""
        if self.state is State.CANCELLED:
            return problems.withdrawn()
        found = (part.problem for part in self.parts if part.problem)
        return next(found, None) if self.state is State.REJECTED else None

    def case(self) -> Case:
        """The case that this opens, as far as the gateway knows it."""
        new = self.said.case
        if new is None:
            raise ValueError("this submission opens no case")
        return Case(
            id=self.about,
            owner=self.account,
            number=self.number,
            category=new.category,
            subcategory=new.subcategory,
            subject=new.subject,
            description=new.description,
            status=self._status(),
            details=tuple(new.details),
            created_at=self.created_at,
            updated_at=self.created_at,
            closed_at=None,
            team=new.team,
            contact_id=new.contact_id,
            order_number=new.order_number,
        )

    def _status(self) -> CaseStatus:
        if self.case_id:
            return CaseStatus.NEW
        return CaseStatus.REJECTED if self.settled else CaseStatus.SUBMITTED

    def comment(self, part: Part) -> CaseComment:
        return CaseComment(
            id=part.crm_id or part_alias(self.id, part.position),
            owner=self.account,
            case_id=self.about,
            body=self.said.body or "",
            author=self._author(),
            created_at=self.created_at,
            pending=part.state is State.WAITING,
        )

    def attachment(self, part: Part) -> Attachment:
        if part.file is None:
            raise ValueError("this part brings no file")
        return Attachment(
            id=part.crm_id or part_alias(self.id, part.position),
            owner=self.account,
            case_id=self.about,
            filename=part.file.filename,
            content_type=part.file.content_type,
            size=part.file.size,
            created_at=self.created_at,
            author=self._author(),
            pending=part.state is State.WAITING,
        )

    def _author(self) -> Author:
        return Author(self.said.author, is_service_team=False, contact_id=self.said.contact_id)

    def rejections(self) -> list[Rejection]:
        """What of it was refused without the customer being there to hear it."""
        if self.heard or self.done_at is None:
            return []
        refused = [part for part in self.parts if part.problem]
        if self.state is State.CANCELLED:
            refused = [part for part in self.parts if part.state is State.CANCELLED]
            refused = [part for part in refused if part.file] or refused[:1]
            if self.kind is Sent.CASE and self.case_id is None:
                refused = refused[:1]
        return [self._rejection(part, self.done_at) for part in refused]

    def _rejection(self, part: Part, at: datetime) -> Rejection:
        subject = (self.said.body or "")[:80] or None
        is_file = part.file is not None
        return Rejection(
            id=part_alias(self.id, part.position),
            owner=self.account,
            case_id=self.about,
            at=at,
            what=Sent.FILE if is_file and self.case_id else self.kind,
            problem=part.problem or problems.withdrawn(),
            subject=part.file.filename if part.file else subject,
        )


def alias(submission_id: str) -> str:
    """The id of a case that the CRM has not named yet."""
    return f"sub-{submission_id}"


def part_alias(submission_id: str, position: int) -> str:
    """The id of a comment or file that the CRM has not named yet."""
    return f"sub-{submission_id}-{position}"


def named(given: str) -> tuple[str, int | None] | None:
    """The submission, and the part of it, that an id of the graph is an alias of; None for an id of
    the CRM's own."""
    found = _ALIAS.fullmatch(given)
    return (found[1], int(found[2]) if found[2] else None) if found else None


def packed(said: Said) -> str:
    return msgspec.json.encode(said).decode()


def unpacked(text: str | None) -> Said:
    """What was sent; without its words where they are kept no longer."""
    return Said(author="") if text is None else msgspec.json.decode(text, type=Said)
