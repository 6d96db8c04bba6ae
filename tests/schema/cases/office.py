"""A graph over two companies' cases and orders in memory, for those who send: what is asked of the
systems is counted, and what is taken in is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.port.errors import SourceError, Unavailable
from connectors.port.records import (
    Attachment,
    Case,
    CaseComment,
    CaseStatus,
    CaseStatusChange,
    Membership,
    MembershipRole,
    Order,
)
from connectors.port.scope import AccountRef, Scope
from gateway.operations.requests import Request
from gateway.operations.run import Ready
from schema.access import SCOPES
from schema.cases.catalogue import Catalogue
from schema.cases.service import Rejection
from schema.context import Caller, Context, Sources
from schema.files.service import FileService
from schema.nodes import to_global
from tests.worlds.memory import by_id
from tests.worlds.running import OPERATIONS, catalogue, desks
from tests.worlds.standins import Submissions
from tests.worlds.world import NOW

ANDINA, PACIFICO = AccountRef("A1", "1001", "CO"), AccountRef("A2", "2002", "PE")
OURS = Order("o1", ANDINA, number="450001")
OTHER = Order("o2", ANDINA, number="450002")
THEIRS = Order("o9", PACIFICO, number="450009")

ERRORS = "userErrors { code message field }"
CREATE = f"""mutation($input: CreateCaseInput!) {{ createCase(input: $input) {{
  message case {{ id number status }} {ERRORS} }} }}"""
COMMENT = f"""mutation($input: AddCaseCommentInput!) {{ addCaseComment(input: $input) {{
  message comment {{ id body pending author {{ name }} }} case {{ id status }} {ERRORS} }} }}"""
CLOSE = f"""mutation($input: CloseCaseInput!) {{ closeCase(input: $input) {{
  message case {{ id status }} {ERRORS} }} }}"""


def person(*memberships: tuple[AccountRef, MembershipRole]) -> Caller:
    """Somebody with these roles."""
    held = tuple(Membership(account, role) for account, role in memberships)
    scope = Scope(account for account, _ in memberships)
    return Caller("C1", "ana@andina.example", "Ana Torres", held, scope, NOW + timedelta(hours=1))


def program(*scopes: str, acting_for: AccountRef | None = None) -> Caller:
    """A program that may do this."""
    scope = Scope([acting_for] if acting_for else [])
    ends = NOW + timedelta(hours=1)
    allowed = frozenset(scopes or SCOPES)
    return Caller("", "", "erp-sync", (), scope, ends, staff=True, scopes=allowed)


MEMBER = person((ANDINA, MembershipRole.MEMBER))
READER = person((ANDINA, MembershipRole.READER))


def case(key: str, owner: AccountRef = ANDINA, status: CaseStatus = CaseStatus.NEW) -> Case:
    """A case that stands somewhere."""
    at = datetime(2026, 11, 1, 9, tzinfo=UTC)
    return Case(key, owner, number=f"0{key}", status=status, created_at=at, contact_id="C1")


@dataclass(slots=True)
class Erp:
    """The part of an OrderSource that sending asks. down: fails with this."""

    down: SourceError | None = None
    asked: list[str] = field(default_factory=list)

    def _seen(self, question: str, scope: Scope) -> list[Order]:
        self.asked.append(question)
        if self.down:
            raise self.down
        return [one for one in (OURS, OTHER, THEIRS) if one.owner in scope]

    async def orders_by_id(self, ids: Sequence[str], fields: Any, scope: Scope) -> list[Any]:
        return by_id(self._seen(f"id {' '.join(ids)}", scope), ids)

    async def orders_by_number(
        self, numbers: Sequence[str], fields: Any, scope: Scope
    ) -> list[Any]:
        known = {o.number: o for o in self._seen(f"number {' '.join(numbers)}", scope)}
        return [known.get(number.lstrip("0")) for number in numbers]


@dataclass(slots=True)
class Crm:
    """The part of a CaseSource that sending and the timeline ask."""

    cases: Sequence[Case] = ()
    comments: Sequence[CaseComment] = ()
    files: Sequence[Attachment] = ()
    changes: Sequence[CaseStatusChange] = ()
    down: bool = False
    asked: list[str] = field(default_factory=list)

    async def cases_by_id(self, ids: Sequence[str], fields: Any, scope: Scope) -> list[Any]:
        self.asked.append("cases")
        if self.down:
            raise Unavailable("crm", "cases_by_id: no answer")
        return by_id([one for one in self.cases if one.owner in scope], ids)

    async def comments_by_case(self, ids: Sequence[str], fields: Any, scope: Scope) -> list[Any]:
        self.asked.append("comments")
        return [[one for one in self.comments if one.case_id == key] for key in ids]

    async def attachments_by_case(self, ids: Sequence[str], fields: Any, scope: Scope) -> list[Any]:
        self.asked.append("files")
        return [[one for one in self.files if one.case_id == key] for key in ids]

    async def status_changes_by_case(self, ids: Sequence[str], scope: Scope) -> list[Any]:
        self.asked.append("changes")
        return [[one for one in self.changes if one.case_id == key] for key in ids]


@dataclass(slots=True)
class Took(Submissions):
    """Whoever takes in submissions, in memory. refused: what it tells of late."""

    refused: Sequence[Rejection] = ()

    async def rejections_by_case(self, case_ids: Sequence[str]) -> list[list[Rejection]]:
        return [[one for one in self.refused if one.case_id == key] for key in case_ids]


@dataclass(slots=True)
class Office:
    """The graph, to be asked."""

    crm: Crm = field(default_factory=Crm)
    erp: Erp = field(default_factory=Erp)
    took: Took | None = field(default_factory=lambda: Took(None))  # type: ignore[arg-type]
    catalogue: Catalogue = field(default_factory=catalogue)
    files: FileService | None = None
    notes: list[tuple[str, str, str]] = field(default_factory=list)

    async def ask(
        self,
        document: str,
        variables: dict[str, Any] | None = None,
        who: Caller | None = MEMBER,
        language: str = "es",
    ) -> Mapping[str, Any]:
        """The whole answer."""
        unused: Any = None

        async def note(event: str, *, who: str, whose: str, what: str, outcome: str) -> None:
            self.notes.append((event, whose, outcome))

        sources: Any = Sources(unused, self.crm, self.erp, unused, unused)  # type: ignore[arg-type]
        context = Context(
            sources, self.catalogue, desks(), lambda: NOW, who, language, submissions=self.took
        )
        context.note, context.files = note, self.files
        ready = OPERATIONS.prepare(Request(document, variables=variables))
        assert isinstance(ready, Ready), ready.body
        return (await OPERATIONS.run(ready, context)).body

    async def do(self, document: str, who: Caller | None = MEMBER, **sent: Any) -> Any:
        """What a mutation answers that was allowed. language: of the request."""
        language = sent.pop("language", "es")
        body = await self.ask(document, {"input": sent}, who, language)
        assert "errors" not in body, body["errors"]
        [payload] = body["data"].values()
        return payload

    async def problems(self, document: str, **sent: Any) -> dict[str, tuple[str, str]]:
        """What is wrong, by its place in the input, with code and message. Nothing was kept."""
        payload = await self.do(document, **sent)
        errors = payload["userErrors"]
        assert [value for name, value in payload.items() if name != "userErrors"].count(None) == (
            len(payload) - 1
        )
        assert self.took is not None
        assert not self.took.opened
        assert not self.took.added
        found = {".".join(one["field"][1:]): (one["code"], one["message"]) for one in errors}
        assert len(found) == len(errors)
        return found


def order_id(order: Order) -> str:
    return str(to_global("Order", order.id))


def case_id(key: str) -> str:
    return str(to_global("Case", key))


def filled(**values: str) -> list[dict[str, str]]:
    """Details, as they are sent."""
    return [{"name": name, "value": value} for name, value in values.items()]
