"""Takes in what customers send: writes it down, has it brought to the CRM, and answers with what
the CRM says if it says so in time.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from connectors.port.errors import Unavailable
from connectors.port.records import Attachment, Case, CaseComment, NewCase
from connectors.port.scope import AccountRef
from connectors.port.sources import CaseWriter
from gateway.audit import Audit
from gateway.submissions.ledger import Draft, Ledger
from gateway.submissions.pending import Pending, Watch
from gateway.submissions.records import (
    NOBODY,
    Deed,
    Entry,
    HeldFile,
    Part,
    Said,
    State,
    named,
)
from schema.cases.permissions import takes_more
from schema.cases.service import Rejection, Sent, Unproven, case_closed
from schema.context import Caller
from schema.files.service import StoredFile
from schema.problems import Problem, Problems

_log = logging.getLogger("gateway.submissions")
_count = itertools.count()


class Submissions:
    """A CaseService. bring: begins the work on a submission; where it cannot, somebody else will.
    answer_seconds: how long a caller waits for the CRM."""

    def __init__(
        self,
        ledger: Ledger,
        pending: Pending,
        writer: CaseWriter,
        audit: Audit,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        bring: Callable[[str, int], Awaitable[bool]],
        answer_seconds: float,
    ) -> None:
        self._ledger, self._pending, self._writer = ledger, pending, writer
        self._audit, self._clock, self._sleep = audit, clock, sleep
        self._bring, self._answer_seconds = bring, answer_seconds

    @property
    def largest_file(self) -> int:
        return self._writer.largest_file

    async def open_case(
        self,
        caller: Caller,
        case: NewCase,
        files: Sequence[StoredFile],
        key: str | None,
        sent: Sequence[object] | None = None,
    ) -> Case:
        said = Said(caller.name, _contact(caller), case=case)
        wanted = sent or [
            case.category,
            case.subcategory,
            case.subject,
            case.description,
            [[detail.name, detail.value] for detail in case.details],
            case.order_number,
        ]
        parts = _parts([Deed.OPEN], files)
        entry = self._entry(Sent.CASE, caller, case.account, said, parts)
        return (await self._take_in(caller, entry, wanted, files, key)).case()

    async def add_comment(
        self, caller: Caller, case: Case | Unproven, body: str, key: str | None
    ) -> CaseComment:
        entry = self._addition(Sent.COMMENT, caller, case, _parts([Deed.COMMENT]), body)
        taken = await self._take_in(caller, entry, body, (), key, _refusal(case))
        return taken.comment(taken.parts[0])

    async def add_files(
        self,
        caller: Caller,
        case: Case | Unproven,
        files: Sequence[StoredFile],
        key: str | None,
        over: Problem | None = None,
    ) -> list[Attachment]:
        entry = self._addition(Sent.FILE, caller, case, _parts([], files))
        taken = await self._take_in(caller, entry, None, files, key, _refusal(case) or over)
        return [taken.attachment(part) for part in taken.parts if part.problem is None]

    async def close_case(
        self, caller: Caller, case: Case | Unproven, comment: str | None, key: str | None
    ) -> None:
        parts = _parts([Deed.COMMENT, Deed.CLOSE] if comment else [Deed.CLOSE])
        entry = self._addition(Sent.CLOSING, caller, case, parts, comment)
        await self._take_in(caller, entry, comment, (), key, _refusal(case))

    async def rejections_by_case(self, case_ids: Sequence[str]) -> list[list[Rejection]]:
        found = await self._ledger.refusals(case_ids) if case_ids else []
        answers = []
        for case_id in case_ids:
            name = named(case_id)
            about = [
                entry
                for entry in found
                if entry.about == case_id or (name is not None and entry.id == name[0])
            ]
            told = [one for entry in about for one in entry.rejections()]
            answers.append(sorted(told, key=lambda one: (one.at, one.id)))
        return answers

    # ---------------------------------------------------------------------------- the common way

    def _addition(
        self,
        kind: Sent,
        caller: Caller,
        case: Case | Unproven,
        parts: Sequence[Part],
        body: str | None = None,
    ) -> Entry:
        said = Said(
            caller.name,
            _contact(caller),
            body=body,
            among=case.among.accounts if isinstance(case, Unproven) else (),
        )
        owner = NOBODY if isinstance(case, Unproven) else case.owner
        return self._entry(kind, caller, owner, said, parts, case.id)

    def _entry(
        self,
        kind: Sent,
        caller: Caller,
        account: AccountRef,
        said: Said,
        parts: Sequence[Part],
        case_id: str | None = None,
    ) -> Entry:
        now = self._clock()
        # CRMs keep no finer moments, and a page's cursor has to mean the same to them and to us.
        moment = now.replace(microsecond=now.microsecond // 1000 * 1000)
        return Entry(
            id=_new_id(now),
            kind=kind,
            who=_who(caller),
            account=account,
            said=said,
            parts=parts,
            created_at=moment,
            changed_at=now,
            case_id=case_id,
        )

    async def _take_in(
        self,
        caller: Caller,
        entry: Entry,
        words: Any,
        files: Sequence[StoredFile],
        key: str | None,
        refusal: Problem | None = None,
    ) -> Entry:
        """The submission as it is when the caller is answered. Raises Problems."""
        told = [
            # A case says whose it is, as soon as somebody can.
            entry.account.id if entry.case_id is None else None,
            entry.case_id,
            words,
            [[file.filename, file.content_type, file.digest] for file in files],
        ]
        key_hash = None if key is None else hashlib.sha256(key.encode()).hexdigest()
        digest = hashlib.sha256(msgspec.json.encode(told)).hexdigest()
        draft = Draft(entry, digest, key_hash, {file.id: file.path for file in files}, refusal)
        try:
            kept, new = await self._ledger.accept(draft)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.error("a submission cannot be written down: %s", type(error).__name__)
            # Should it be kept all the same, the same key finds it again.
            raise Unavailable("submissions", "it cannot be written down now") from error
        with self._pending.watching(kept) as watch:
            self._pending.apply([kept])
            if new:
                await self._note(caller, kept)
                watch.troubled = not await self._bring(kept.id, len(kept.parts)) or watch.troubled
            if not kept.said.among:  # the CRM has just failed to say whose case it is
                await self._answered(watch)
            answer = watch.entry
        if new and answer.state is State.REJECTED:
            # Whoever comes again with the key of a case that was told to be on its way is told
            # too, but the case stays listed.
            self._pending.apply(await self._ledger.hear(answer.id))
        if answer.problem is not None:
            raise Problems(answer.problem)
        return answer

    async def _answered(self, watch: Watch) -> None:
        """Until it has ended, or cannot end soon, or the caller has waited long enough."""
        if watch.over() or self._answer_seconds <= 0:
            return
        patience = asyncio.ensure_future(self._sleep(self._answer_seconds))
        try:
            while not (watch.over() or patience.done()):
                watch.changed.clear()
                change = asyncio.ensure_future(watch.changed.wait())
                await asyncio.wait({change, patience}, return_when=asyncio.FIRST_COMPLETED)
                change.cancel()
        finally:
            patience.cancel()

    async def _note(self, caller: Caller, entry: Entry) -> None:
        account = entry.account
        about = entry.case_id or "-"
        await self._audit.note(
            "submission.accepted",
            who=caller.email,
            whose=account.number or account.id or "-",
            what=f"{entry.kind.value.lower()} {entry.id} about {about}",
        )


def _new_id(now: datetime) -> str:
    """32 hexadecimal digits, later ones greater: what came at the same moment stays in order."""
    milliseconds, count = int(now.timestamp() * 1000), next(_count) % 0x10000
    return f"{milliseconds:012x}{count:04x}{secrets.token_hex(8)}"


def _who(caller: Caller) -> str:
    """Whose keys are told apart from whose."""
    return f"{'program' if caller.staff else 'contact'} {caller.contact_id}"


def _contact(caller: Caller) -> str | None:
    return None if caller.staff else caller.contact_id


def _parts(deeds: Sequence[Deed], files: Sequence[StoredFile] = ()) -> list[Part]:
    first = [Part(position, deed) for position, deed in enumerate(deeds)]
    return first + [
        Part(
            len(first) + position,
            Deed.FILE,
            file=HeldFile(file.id, file.filename, file.content_type, file.size),
        )
        for position, file in enumerate(files)
    ]


def _refusal(case: Case | Unproven) -> Problem | None:
    """Why nothing new is taken in for a case."""
    over = isinstance(case, Case) and not takes_more(case)
    return case_closed() if over else None
