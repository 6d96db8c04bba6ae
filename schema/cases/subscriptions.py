"""What is told of cases as they change: each time the case is read again, for whoever listens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from enum import Enum
from typing import Annotated

import strawberry

from connectors.port import records
from connectors.port.fields import Fields
from connectors.port.scope import Scope
from schema.access import CASES_READ, Authorized
from schema.batched import batched, each
from schema.cases.filters import narrowed
from schema.cases.loaders import cases_by_id
from schema.cases.types import Case
from schema.context import Context
from schema.errors import InputError
from schema.events import Ended, Event, Following, What
from schema.nodes import GlobalId, key_of
from schema.price import asks
from schema.texts import N_


@strawberry.enum(description="What happened to a case.")
class CaseEventKind(Enum):
    OPENED = strawberry.enum_value("OPENED", description="It was opened.")
    COMMENTED = strawberry.enum_value("COMMENTED", description="Something was said about it.")
    FILE_ADDED = strawberry.enum_value("FILE_ADDED", description="A file was added.")
    STATUS_CHANGED = strawberry.enum_value(
        "STATUS_CHANGED", description="It stands elsewhere than before."
    )
    REJECTED = strawberry.enum_value(
        "REJECTED",
        description="The CRM did not take what was sent: the case itself, a comment or a file.",
    )


#: What of all that happens is about cases.
_ABOUT_CASES = {
    What.CASE_OPENED: CaseEventKind.OPENED,
    What.CASE_COMMENTED: CaseEventKind.COMMENTED,
    What.CASE_FILE_ADDED: CaseEventKind.FILE_ADDED,
    What.CASE_STATUS_CHANGED: CaseEventKind.STATUS_CHANGED,
    What.CASE_REJECTED: CaseEventKind.REJECTED,
}


async def _case_of_change(
    parents: Sequence[CaseChange], context: Context, fields: Fields
) -> Sequence[records.Case | None]:
    return await each(
        [parent.case_id for parent in parents],
        lambda ids: cases_by_id(context, ids, fields),
    )


@strawberry.type(description="That a case changed.")
class CaseChange:
    #: The accounts that the subscription is about, and the one that the event is of.
    followed: strawberry.Private[frozenset[str]]
    case_id: strawberry.Private[str | None] = None
    account_id: strawberry.Private[str | None] = None
    event: CaseEventKind | None = strawberry.field(
        default=None,
        description="What happened. Null when that is not known: changes may have been missed, so "
        "read again what you show.",
    )
    case: Case | None = batched(
        _case_of_change,
        asks="cases",
        description="The case as it is now. Null when it is not known which case changed: read "
        "your list again.",
    )

    def concerns(self, scope: Scope) -> bool:
        """Whether somebody with this scope is to hear of it. Raises Ended when nothing of what is
        followed is theirs any more."""
        if not any(scope.by_id(account) for account in self.followed):
            raise Ended
        return self.account_id is None or scope.by_id(self.account_id) is not None


class CaseChanges:
    """The changes that a subscription tells of. case_id: only of this case; also: the id
    that it was asked for by, where that is an older one."""

    def __init__(
        self,
        following: Following,
        followed: frozenset[str],
        case_id: str | None = None,
        also: str = "",
    ) -> None:
        self._following, self._followed = following, followed
        self._case_id, self._ids = case_id, {case_id, also}
        self._events = aiter(following)

    def __aiter__(self) -> AsyncIterator[CaseChange]:
        return self

    async def __anext__(self) -> CaseChange:
        while True:
            change = self._change(await anext(self._events))
            if change is not None:
                return change

    def _change(self, event: Event | None) -> CaseChange | None:
        if event is None:
            return CaseChange(followed=self._followed, case_id=self._case_id)
        kind = _ABOUT_CASES.get(event.what)
        if kind is None or not self._is_wanted(event):
            return None
        return CaseChange(
            followed=self._followed, case_id=event.id, account_id=event.account_id, event=kind
        )

    def _is_wanted(self, event: Event) -> bool:
        if self._case_id is None:
            return True
        if self._ids.isdisjoint({event.id, event.alias or event.id}):
            return False
        self._case_id = event.id  # once the CRM has named the case, events are told by that name
        self._ids.add(event.id)
        return True

    async def aclose(self) -> None:
        await self._following.aclose()


@strawberry.type
class CaseSubscriptions:
    @strawberry.subscription(
        directives=[Authorized(scope=CASES_READ)],
        metadata=asks("cases"),
        description="Changes to one case of the viewer's accounts: comments, files, status.",
    )
    async def case_changed(
        self,
        info: strawberry.Info,
        id: GlobalId,  # noqa: A002
    ) -> AsyncIterator[CaseChange]:
        context: Context = info.context
        key = key_of("id", id, "Case")
        # Followed first, so that nothing happens between looking and listening.
        following = context.events.follow(context.scope.ids)
        try:
            found = (await cases_by_id(context, [key], frozenset({"id"})))[0]
            if found is None:
                raise InputError("id", N_("{argument} names no case that is yours to see."))
        except BaseException:
            await following.aclose()
            raise
        return CaseChanges(following, frozenset({found.owner.id}), found.id, key)

    @strawberry.subscription(
        directives=[Authorized(scope=CASES_READ)],
        description="Changes to cases of the accounts that are the viewer's when the subscription "
        "begins: new cases, comments, files, status.",
    )
    async def cases_changed(
        self,
        info: strawberry.Info,
        account_ids: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(description="Of these accounts alone; of all if not told."),
        ] = None,
    ) -> AsyncIterator[CaseChange]:
        context: Context = info.context
        scope = narrowed(context, account_ids, "accountIds")
        followed = frozenset(scope.ids)
        return CaseChanges(context.events.follow(followed), followed)
