"""The scope, checked again on the way back: a row of another customer never passes, whatever the
connector or the system behind it did. A question with an empty scope is answered without asking.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from connectors.port.errors import Rejected
from connectors.port.fields import NOT_FETCHED, Fields
from connectors.port.pages import Page, Slice
from connectors.port.queries import CaseQuery, ContactQuery, OrderQuery
from connectors.port.records import (
    Account,
    Address,
    Attachment,
    Case,
    CaseComment,
    CaseStatusChange,
    Contact,
    ContactChanges,
    Content,
    CreditPosition,
    Delivery,
    Identity,
    Invoice,
    MembershipRole,
    NewCase,
    NewComment,
    NewContact,
    NewFile,
    OpenedCase,
    Order,
    OrderLine,
)
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import (
    CaseSource,
    CaseWriter,
    CustomerSource,
    CustomerWriter,
    OrderSource,
)
from gateway.sources.clean import clean

_log = logging.getLogger("gateway.scope")

#: Any record with an owner.
R = TypeVar("R", Account, Attachment, Case, CaseComment, CaseStatusChange, Contact, Order)
T = TypeVar("T")

#: Records that may hold records with an owner, and those. As tuples: every record that passes is
#: held against them, and a union is made anew each time it is written.
_EMBEDDING, _EMBEDDED = (Case, Contact), (Contact, Account)


class _Owned(Protocol):
    @property
    def owner(self) -> AccountRef: ...


def _may_pass(record: _Owned, scope: Scope) -> bool:
    if record.owner in scope:
        return True
    _log.error("a record outside the scope was held back: %s", type(record).__name__)
    return False


def _stripped(record: R, scope: Scope) -> R:
    """The record without embedded records that are not the asker's, at any depth."""
    if not isinstance(record, _EMBEDDING):
        return record
    changed: dict[str, Any] = {}
    for name, instead in (("contact", None), ("account", NOT_FETCHED)):
        inner = getattr(record, name, None)
        if not isinstance(inner, _EMBEDDED):
            continue
        kept: Any = instead
        # Of the same account as the record around it, which may pass: one look is enough.
        if inner.owner is record.owner or _may_pass(inner, scope):
            kept = _stripped(inner, scope) if isinstance(inner, Contact) else inner
        if kept is not inner:
            changed[name] = kept
    return replace(record, **changed) if changed else record


def _page(page: Page[R], scope: Scope) -> Page[R]:
    if clean(page.items, scope):
        return page
    items = [_stripped(item, scope) for item in page.items if _may_pass(item, scope)]
    # Who lists what is another's counts it too: such a total is not told.
    total = page.total if len(items) == len(page.items) else None
    return replace(page, items=items, total=total)


def _in_order(found: Sequence[R | None], asked: Sequence[object], scope: Scope) -> list[R | None]:
    _check_length(found, asked)
    if clean([record for record in found if record is not None], scope):
        return list(found)
    return [
        _stripped(record, scope) if record is not None and _may_pass(record, scope) else None
        for record in found
    ]


def _groups(found: Sequence[list[R]], asked: Sequence[object], scope: Scope) -> list[list[R]]:
    _check_length(found, asked)
    return [[record for record in group if _may_pass(record, scope)] for group in found]


def _check_length(found: Sequence[object], asked: Sequence[object]) -> None:
    # Answers are told apart by their place alone: one too few would give everyone another's.
    if len(found) != len(asked):
        raise RuntimeError(f"a connector gave {len(found)} answers to {len(asked)} questions")


class GuardedCustomers:
    """A CustomerSource whose answers were checked."""

    def __init__(self, source: CustomerSource) -> None:
        self._source = source

    async def identity_by_email(self, email: str) -> Identity | None:
        return await self._source.identity_by_email(email)

    async def identity_by_contact(self, contact_id: str) -> Identity | None:
        return await self._source.identity_by_contact(contact_id)

    async def accounts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Account | None]:
        if not scope:
            return [None] * len(ids)
        return _in_order(await self._source.accounts_by_id(ids, fields, scope), ids, scope)

    async def contacts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Contact | None]:
        if not scope:
            return [None] * len(ids)
        return _in_order(await self._source.contacts_by_id(ids, fields, scope), ids, scope)

    async def contacts_by_account(self, query: ContactQuery) -> Page[Contact]:
        if query.scope.by_id(query.account_id) is None:
            return Page([])
        return _page(await self._source.contacts_by_account(query), query.scope)


class GuardedCustomerWriter:
    """A CustomerWriter that is asked only for people and accounts of the scope, which the source is
    asked for first: what nobody may see, nobody may change."""

    def __init__(self, writer: CustomerWriter, source: GuardedCustomers) -> None:
        self._writer, self._source = writer, source

    async def update_contact(self, contact_id: str, changes: ContactChanges, scope: Scope) -> bool:
        found = await self._source.contacts_by_id([contact_id], frozenset({"id"}), scope)
        if found[0] is None:
            return False
        return await self._writer.update_contact(found[0].id, changes, scope)

    async def ensure_contact(self, person: NewContact, scope: Scope) -> MembershipRole | None:
        if person.account not in scope:
            raise PermissionError("the account of a new contact is outside the scope")
        return await self._writer.ensure_contact(person, scope)


class GuardedCases:
    """A CaseSource whose answers were checked."""

    def __init__(self, source: CaseSource) -> None:
        self._source = source

    async def find_cases(self, query: CaseQuery) -> Page[Case]:
        if not query.scope or _nothing_meant(query):
            return Page([], total=0 if query.with_total else None)
        return _page(await self._source.find_cases(query), query.scope)

    async def cases_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Case | None]:
        if not scope:
            return [None] * len(ids)
        return _in_order(await self._source.cases_by_id(ids, fields, scope), ids, scope)

    async def cases_by_order(
        self, order_numbers: Sequence[str], fields: Fields, scope: Scope, part: Slice
    ) -> list[Page[Case]]:
        if not scope:
            return [Page([]) for _ in order_numbers]
        found = await self._source.cases_by_order(order_numbers, fields, scope, part)
        _check_length(found, order_numbers)
        return [_page(page, scope) for page in found]

    async def comments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[CaseComment]]:
        if not scope:
            return [[] for _ in case_ids]
        found = await self._source.comments_by_case(case_ids, fields, scope)
        return _groups(found, case_ids, scope)

    async def attachments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Attachment]]:
        if not scope:
            return [[] for _ in case_ids]
        found = await self._source.attachments_by_case(case_ids, fields, scope)
        return _groups(found, case_ids, scope)

    async def comments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[CaseComment | None]:
        if not scope:
            return [None] * len(ids)
        return _in_order(await self._source.comments_by_id(ids, fields, scope), ids, scope)

    async def attachments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Attachment | None]:
        if not scope:
            return [None] * len(ids)
        return _in_order(await self._source.attachments_by_id(ids, fields, scope), ids, scope)

    async def status_changes_by_case(
        self, case_ids: Sequence[str], scope: Scope
    ) -> list[list[CaseStatusChange]]:
        if not scope:
            return [[] for _ in case_ids]
        found = await self._source.status_changes_by_case(case_ids, scope)
        return _groups(found, case_ids, scope)

    async def attachment_content(
        self, attachment_id: str, scope: Scope, first: int = 0
    ) -> Content | None:
        if not scope:
            return None
        found = await self._source.attachment_content(attachment_id, scope, first)
        if found is None or _may_pass(found, scope):
            return found
        await found.close()
        return None


class GuardedCaseWriter:
    """A CaseWriter that is asked only for accounts and cases of the scope, for which the source is
    asked first: what nobody may see, nobody may write on."""

    def __init__(self, writer: CaseWriter, source: GuardedCases) -> None:
        self._writer, self._source = writer, source

    @property
    def largest_file(self) -> int:
        return self._writer.largest_file

    async def open_case(self, key: str, case: NewCase, scope: Scope) -> OpenedCase:
        if case.account not in scope:
            raise Rejected("cases", "open_case: the account is outside the scope", field="account")
        return await self._writer.open_case(key, case, scope)

    async def add_comment(self, key: str, comment: NewComment, scope: Scope) -> str:
        case_id = await self._proven("add_comment", comment.case_id, scope)
        return await self._writer.add_comment(key, replace(comment, case_id=case_id), scope)

    async def add_file(self, key: str, file: NewFile, scope: Scope) -> str:
        case_id = await self._proven("add_file", file.case_id, scope)
        return await self._writer.add_file(key, replace(file, case_id=case_id), scope)

    async def close_case(self, case_id: str, scope: Scope) -> bool:
        [found] = await self._source.cases_by_id([case_id], frozenset({"id"}), scope)
        return found is not None and await self._writer.close_case(found.id, scope)

    async def _proven(self, operation: str, case_id: str, scope: Scope) -> str:
        [found] = await self._source.cases_by_id([case_id], frozenset({"id"}), scope)
        if found is None:
            message = f"{operation}: there is no such case in the scope"
            raise Rejected("cases", message, field="case_id")
        return found.id


class GuardedOrders:
    """An OrderSource whose answers were checked. What is asked by order carries no owner of its
    own, so the connector proves the order first: see the protocol."""

    def __init__(self, source: OrderSource) -> None:
        self._source = source

    async def find_orders(self, query: OrderQuery) -> Page[Order]:
        if not query.scope.numbers or query.statuses == ():
            return Page([], total=0 if query.with_total else None)
        return _page(await self._source.find_orders(query), query.scope)

    async def orders_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        if not scope.numbers:
            return [None] * len(ids)
        return _in_order(await self._source.orders_by_id(ids, fields, scope), ids, scope)

    async def orders_by_number(
        self, numbers: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        if not scope.numbers:
            return [None] * len(numbers)
        found = await self._source.orders_by_number(numbers, fields, scope)
        return _in_order(found, numbers, scope)

    async def lines_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[OrderLine]]:
        return await self._by_order(self._source.lines_by_order, order_ids, fields, scope)

    async def deliveries_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Delivery]]:
        return await self._by_order(self._source.deliveries_by_order, order_ids, fields, scope)

    async def invoices_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Invoice]]:
        return await self._by_order(self._source.invoices_by_order, order_ids, fields, scope)

    @staticmethod
    async def _by_order(
        ask: Any, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[T]]:
        if not scope.numbers:
            return [[] for _ in order_ids]
        found: list[list[T]] = await ask(order_ids, fields, scope)
        _check_length(found, order_ids)
        return found

    async def credit_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[CreditPosition | None]:
        return await self._of_own(self._source.credit_by_account, accounts, scope)

    async def shipping_addresses_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[list[Address] | None]:
        ask = self._source.shipping_addresses_by_account
        return await self._of_own(ask, accounts, scope)

    @staticmethod
    async def _of_own(ask: Any, accounts: Sequence[AccountRef], scope: Scope) -> list[Any]:
        own = [account for account in accounts if account in scope and account.number]
        if not own:
            return [None] * len(accounts)
        found = await ask(own, scope)
        _check_length(found, own)
        by_account = dict(zip(own, found, strict=True))
        return [by_account.get(account) for account in accounts]


def _nothing_meant(query: CaseQuery) -> bool:
    """A condition that names no value at all is met by nothing."""
    conditions = (query.categories, query.subcategories, query.statuses, query.order_numbers)
    return () in conditions
