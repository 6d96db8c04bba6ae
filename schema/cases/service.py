"""What the graph asks of whoever takes in what customers send. `gateway.submissions` does.

What a method answers is kept: it is in the CRM, or on its way there and will arrive once, whatever
breaks in between. A method either does what its name says or raises `Problems` (the same key with
other input is a CONFLICT), `Rejected` (the CRM said no in time), or `SourceError` where nothing was
kept.

key: the client's idempotency key, None for one that is derived from the caller and the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from connectors.port.errors import SourceError
from connectors.port.records import Attachment, Case, CaseComment, NewCase
from connectors.port.scope import AccountRef, Scope
from schema.context import Caller
from schema.files.service import StoredFile
from schema.problems import Problem, ProblemCode
from schema.texts import N_


class Sent(StrEnum):
    """What a customer sent."""

    CASE = "CASE"
    COMMENT = "COMMENT"
    FILE = "FILE"
    CLOSING = "CLOSING"


@dataclass(frozen=True, slots=True)
class Rejection:
    """That the CRM refused something after the customer was told that it is taken in. problem: why,
    as far as the customer can act on it. subject: the comment's beginning or the file's name."""

    id: str
    owner: AccountRef
    case_id: str
    at: datetime
    what: Sent
    problem: Problem
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Unproven:
    """A case of which nobody can say now whose it is. among: the accounts for which its sender may
    write. Whoever takes in something for it proves first that it is a case of one of them. why:
    what kept that from being proven now."""

    id: str
    among: Scope
    why: SourceError


def case_closed() -> Problem:
    """That nothing can be added to a case any more."""
    text = N_("This case is closed. Open a new one.")
    return Problem(ProblemCode.CONFLICT, text, field=("input", "caseId"))


class CaseService(Protocol):
    """Takes in what customers send, durably."""

    @property
    def largest_file(self) -> int:
        """Bytes of the largest file that the CRM takes."""
        ...

    async def open_case(
        self,
        caller: Caller,
        case: NewCase,
        files: Sequence[StoredFile],
        key: str | None,
        sent: Sequence[object] | None = None,
    ) -> Case:
        """The case as the CRM has it, with every attribute that was sent, or as SUBMITTED when the
        CRM does not answer in time. Its id stays good in either case. sent: what tells one input
        from another besides account and files, as the client gave it, whatever was found for it
        elsewhere; None for all of `case`."""
        ...

    async def add_comment(
        self, caller: Caller, case: Case | Unproven, body: str, key: str | None
    ) -> CaseComment:
        """case: id and owner are enough; it may be one that is still SUBMITTED. With the status of
        one that takes no more, only a repetition is answered. What is added to an Unproven one has
        the owner "" and shows nowhere until the CRM has said whose it is."""
        ...

    async def add_files(
        self,
        caller: Caller,
        case: Case | Unproven,
        files: Sequence[StoredFile],
        key: str | None,
        over: Problem | None = None,
    ) -> list[Attachment]:
        """over: why they do not go beside the files that the case has. It stands in the way of
        what is new; a repetition of what was taken in is answered as before."""
        ...

    async def close_case(
        self, caller: Caller, case: Case | Unproven, comment: str | None, key: str | None
    ) -> None:
        """Says the comment, if there is one, and closes the case. Until the CRM has it, the case
        reads as CLOSED for whoever asks here."""
        ...

    async def rejections_by_case(self, case_ids: Sequence[str]) -> list[list[Rejection]]:
        """For each case what the CRM refused late, oldest first."""
        ...
