"""What customers send: new cases, comments, files, and that a case is over."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Any, Protocol

import strawberry

from connectors.port import records
from connectors.port.errors import SourceError
from connectors.port.fields import NOT_FETCHED, Fields, own
from connectors.port.scope import Scope
from schema.access import CASES_WRITE, Authorized, MembershipRole, check_role_for, has_role
from schema.batched import batched
from schema.cases.forms import COMMENT
from schema.cases.inputs import (
    AddCaseAttachmentsInput,
    AddCaseCommentInput,
    CloseCaseInput,
    CreateCaseInput,
)
from schema.cases.loaders import cases_by_id
from schema.cases.opening import new_case
from schema.cases.permissions import takes_more
from schema.cases.service import CaseService, Unproven, case_closed
from schema.cases.types import Attachment, Case, CaseComment
from schema.context import Context
from schema.errors import NotAllowed
from schema.files.service import IncomingFile, StoredFile
from schema.nodes import key_of
from schema.price import asks
from schema.problems import Problem, ProblemCode, Problems
from schema.texts import N_
from schema.user_errors import Bounds, UserError, told
from schema.written import lines

_WRITES = Authorized(role=MembershipRole.MEMBER, scope=CASES_WRITE)
_INPUT = strawberry.argument(description="What is sent.")
_MESSAGE = "What to show the person: that it was sent. Null when there are user errors."
_USER_ERRORS = "What to put right; empty when it was sent."
_CASE = (
    "The case as it is now. Null with an error at this place while the CRM is away; what was sent "
    "is kept all the same."
)
#: In the words of the portal's help text.
_SENT = N_("Sent successfully.")
_KEY = re.compile(r"[!-~]{1,100}")
#: What is asked of a case before anything is added to it.
_NOW = frozenset({"id", "status"})
_SIZE = frozenset({"size"})
#: Attributes of a case that a field loads by itself where the record does not hold them.
_LOADED = frozenset({"account", "contact"})


#: The case of what was sent, or why nothing can be said about it now.
_Known = records.Case | SourceError | None


class _Sent(Protocol):
    sent: _Known


async def _case_of(parents: Sequence[_Sent], context: Context, fields: Fields) -> Sequence[_Known]:
    """What was sent is known; where more is selected, the case is asked for by its id."""
    wanted = own(fields) - _LOADED
    known = [parent.sent for parent in parents]
    cases = (case for case in known if isinstance(case, records.Case))
    missing = (case.id for case in cases if not _holds(case, wanted))
    ids = list(dict.fromkeys(missing))
    if not ids:
        return known
    found = dict(zip(ids, await cases_by_id(context, ids, fields), strict=True))
    return [found.get(case.id, case) if isinstance(case, records.Case) else case for case in known]


def _holds(case: records.Case, wanted: Fields) -> bool:
    return all(getattr(case, name) is not NOT_FETCHED for name in wanted)


@strawberry.type(description="The case that was opened, or what to put right.")
class CreateCasePayload:
    sent: strawberry.Private[_Known] = None
    message: str | None = strawberry.field(default=None, description=_MESSAGE)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=_USER_ERRORS)
    case: Case | None = batched(
        _case_of,
        asks="cases",
        description="The new case. SUBMITTED and without a number while the CRM has not confirmed "
        "it; its id stays good.",
    )


@strawberry.type(description="The comment that was sent, or what to put right.")
class AddCaseCommentPayload:
    sent: strawberry.Private[_Known] = None
    message: str | None = strawberry.field(default=None, description=_MESSAGE)
    comment: CaseComment | None = strawberry.field(default=None, description="The new comment.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=_USER_ERRORS)
    case: Case | None = batched(_case_of, asks="cases", description=_CASE)


@strawberry.type(description="The files that were sent, or what to put right.")
class AddCaseAttachmentsPayload:
    sent: strawberry.Private[_Known] = None
    message: str | None = strawberry.field(default=None, description=_MESSAGE)
    attachments: list[Attachment] | None = strawberry.field(
        default=None, description="The new files, in the order in which they were named."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=_USER_ERRORS)
    case: Case | None = batched(_case_of, asks="cases", description=_CASE)


@strawberry.type(description="The case that was closed, or what to put right.")
class CloseCasePayload:
    sent: strawberry.Private[_Known] = None
    message: str | None = strawberry.field(default=None, description=_MESSAGE)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=_USER_ERRORS)
    case: Case | None = batched(_case_of, asks="cases", description=_CASE)


@strawberry.type
class CaseMutations:
    @strawberry.mutation(
        description="Open a case. It is kept at once and reaches the CRM once, also when that is "
        "away for a while: then the case is SUBMITTED.",
        directives=[_WRITES],
        metadata=asks("cases"),
    )
    @told(CreateCasePayload)
    async def create_case(
        self,
        info: strawberry.Info,
        input: Annotated[CreateCaseInput, _INPUT],  # noqa: A002
    ) -> CreateCasePayload | None:
        context: Context = info.context
        service, bounds = _service(context), Bounds()
        key = _key(bounds, input.idempotency_key)
        new = await new_case(info, bounds, input)
        files = await _files(context, bounds, input.files, input.upload_ids)
        bounds.check()
        caller = context.required_caller()
        opened = await service.open_case(caller, new.case, files, key, new.sent)
        return CreateCasePayload(sent=opened, message=context.say(_SENT))

    @strawberry.mutation(
        description="Say something about a case that is not CLOSED.",
        directives=[_WRITES],
        metadata=asks("cases"),
    )
    @told(AddCaseCommentPayload)
    async def add_case_comment(
        self,
        info: strawberry.Info,
        input: Annotated[AddCaseCommentInput, _INPUT],  # noqa: A002
    ) -> AddCaseCommentPayload | None:
        context: Context = info.context
        service, bounds = _service(context), Bounds()
        key = _key(bounds, input.idempotency_key)
        body = _body(bounds, "body", input.body, needed=True)
        case = await _open(info, bounds, await _named(context, input.case_id))
        comment: Any = await service.add_comment(context.required_caller(), case, body, key)
        return AddCaseCommentPayload(sent=_anew(case), comment=comment, message=context.say(_SENT))

    @strawberry.mutation(
        description="Attach files to a case that is not CLOSED: those of this same request, and "
        "those sent beforehand.",
        directives=[_WRITES],
        metadata=asks("cases"),
    )
    @told(AddCaseAttachmentsPayload)
    async def add_case_attachments(
        self,
        info: strawberry.Info,
        input: Annotated[AddCaseAttachmentsInput, _INPUT],  # noqa: A002
    ) -> AddCaseAttachmentsPayload | None:
        context: Context = info.context
        service, bounds = _service(context), Bounds()
        key = _key(bounds, input.idempotency_key)
        if not input.files and not input.upload_ids:
            bounds.tell(ProblemCode.REQUIRED, N_("Send at least one file."), "files")
        found, already = await asyncio.gather(
            _named(context, input.case_id), _already(context, input.case_id)
        )
        files = await _files(context, bounds, input.files, input.upload_ids)
        over = context.files.over(already, files) if context.files and files else None
        case = await _open(info, bounds, found, over)
        added: Any = await service.add_files(context.required_caller(), case, files, key, over)
        return AddCaseAttachmentsPayload(
            sent=_anew(case), attachments=added, message=context.say(_SENT)
        )

    @strawberry.mutation(
        description="Tell the service team that a case is over, with a last word if you like.",
        directives=[_WRITES],
        metadata=asks("cases"),
    )
    @told(CloseCasePayload)
    async def close_case(
        self,
        info: strawberry.Info,
        input: Annotated[CloseCaseInput, _INPUT],  # noqa: A002
    ) -> CloseCasePayload | None:
        context: Context = info.context
        service, bounds = _service(context), Bounds()
        key = _key(bounds, input.idempotency_key)
        comment = _body(bounds, "comment", input.comment or "", needed=False)
        case = await _open(info, bounds, await _named(context, input.case_id))
        await service.close_case(context.required_caller(), case, comment or None, key)
        return CloseCasePayload(sent=_anew(case), message=context.say(_SENT))


def _service(context: Context) -> CaseService:
    if context.submissions is None:
        raise NotAllowed(N_("Cases cannot be sent from here."))
    return context.submissions


def _key(bounds: Bounds, key: str | None) -> str | None:
    if key is not None and not _KEY.fullmatch(key):
        text = N_("A key has 1 to 100 letters, digits or signs and no spaces.")
        bounds.tell(ProblemCode.INVALID, text, "idempotencyKey")
    return key


def _body(bounds: Bounds, name: str, text: str, *, needed: bool) -> str:
    """What is said. CRMs bound it by bytes."""
    shaped = lines(text)
    if bounds.written((name,), shaped, COMMENT, needed=needed) and len(shaped.encode()) > COMMENT:
        too_long = N_("This is too long: accented letters count twice. Send it as a file instead.")
        bounds.tell(ProblemCode.TOO_LONG, too_long, name)
    return shaped


async def _already(context: Context, case_id: str) -> list[int]:
    """The sizes of the files that a case has, as far as anybody can say."""
    key = key_of("input.caseId", case_id, "Case")
    try:
        [found] = await context.sources.cases.attachments_by_case([key], _SIZE, context.scope)
    except SourceError:
        return []
    return [file.size for file in found]


async def _files(
    context: Context,
    bounds: Bounds,
    files: Sequence[IncomingFile] | None,
    upload_ids: Sequence[str] | None,
) -> list[StoredFile]:
    """The files that are named, checked. Raises SourceError where one cannot be looked at now."""
    if not files and not upload_ids:
        return []
    if context.files is None:
        raise NotAllowed(N_("Files cannot be sent here."))
    try:
        caller = context.required_caller()
        return await context.files.taken(caller, files or (), upload_ids or ())
    except Problems as raised:
        bounds.add(*raised.problems)
        return []


async def _named(context: Context, case_id: str) -> records.Case | Unproven | None:
    """The case that something is to be added to. Raises SourceError when nobody can say whose case
    it is, and it does not help to ask later, or the caller may write for nobody."""
    key = key_of("input.caseId", case_id, "Case")
    case: records.Case | None
    try:
        [case] = await cases_by_id(context, [key], _NOW)
    except SourceError as error:
        caller = context.required_caller()
        among = Scope(a for a in caller.scope if has_role(caller, a.id, MembershipRole.MEMBER))
        if not error.retryable or not among:
            raise
        return Unproven(key, among, error)
    return case


async def _open(
    info: strawberry.Info,
    bounds: Bounds,
    case: records.Case | Unproven | None,
    over: Problem | None = None,
) -> records.Case | Unproven:
    """The case, if something may be sent for it. Whether it still takes more, whoever takes it in
    says: a repetition is answered on a case that is closed or full too. Raises Problems, with all
    that is wrong; NotAllowed for somebody who only reads."""
    if isinstance(case, Unproven):
        bounds.check()
        return case
    if case is None:
        bounds.tell(ProblemCode.NOT_FOUND, N_("There is no such case."), "caseId")
        raise bounds.problems()
    await check_role_for(info, case.owner.id, MembershipRole.MEMBER)
    if not takes_more(case) and bounds.found:
        bounds.add(case_closed())
    if over is not None and bounds.found:
        bounds.add(over)
    bounds.check()
    return case


def _anew(case: records.Case | Unproven) -> _Known:
    """A case of which nothing is known any more: something was added to it."""
    if isinstance(case, Unproven):
        return case.why
    return records.Case(id=case.id, owner=case.owner)
