"""What the graph may ask: small protocols, batch first, each question with its scope.

By-id methods answer in the order asked, None where the system knows no such record or the scope
does not hold it: the two are never told apart. Ids are the system's own and came from a client, so
a connector treats a malformed one as unknown. Every method may raise `errors.SourceError`, and
nothing else of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.port.fields import Fields
from connectors.port.pages import Page, Slice
from connectors.port.queries import (
    CaseQuery,
    ContactQuery,
    NewsQuery,
    OrderQuery,
    QuestionQuery,
)
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
    NewsArticle,
    OpenedCase,
    Order,
    OrderLine,
    Question,
)
from connectors.port.scope import AccountRef, Scope


class CustomerSource(Protocol):
    """Accounts, contacts, and who may act for whom."""

    async def identity_by_email(self, email: str) -> Identity | None:
        """The person with this address and the accounts they act for, None when there is no such
        person. The address is compared whatever its case. Two persons with one address are an
        `Unreadable`: the gateway never guesses who is asking."""
        ...

    async def identity_by_contact(self, contact_id: str) -> Identity | None:
        """The same by the contact's id."""
        ...

    async def accounts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Account | None]: ...

    async def contacts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Contact | None]: ...

    async def contacts_by_account(self, query: ContactQuery) -> Page[Contact]: ...


class CustomerWriter(Protocol):
    """Changes to people. Nothing is tried again that may have been done: whoever asks once more
    finds what is there first."""

    async def update_contact(self, contact_id: str, changes: ContactChanges, scope: Scope) -> bool:
        """Whether there is such a person in the scope, who then is as `changes` say. Raises
        Rejected, with our name of the field, for a value that the system does not take."""
        ...

    async def ensure_contact(self, person: NewContact, scope: Scope) -> MembershipRole | None:
        """Sees to it that a person with this address may act for the account, which is in the
        scope. Somebody who is known keeps name and numbers; somebody who acts for the account
        already keeps their role. Answers the role they have; None for somebody whose relation to
        the account was ended, which stays as it is."""
        ...


class CaseSource(Protocol):
    """Cases with their comments and files."""

    async def find_cases(self, query: CaseQuery) -> Page[Case]: ...

    async def cases_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Case | None]: ...

    async def cases_by_order(
        self, order_numbers: Sequence[str], fields: Fields, scope: Scope, part: Slice
    ) -> list[Page[Case]]:
        """For each order number its newest cases, cut to `part`; keysets are of created_at."""
        ...

    async def comments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[CaseComment]]:
        """For each case its public comments, oldest first; a case outside the scope has none.
        At most 1,000 of one case: the newest."""
        ...

    async def attachments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Attachment]]:
        """For each case its files, oldest first; a case outside the scope has none."""
        ...

    async def comments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[CaseComment | None]: ...

    async def attachments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Attachment | None]: ...

    async def status_changes_by_case(
        self, case_ids: Sequence[str], scope: Scope
    ) -> list[list[CaseStatusChange]]:
        """For each case how its status went, oldest first; a case outside the scope has none."""
        ...

    async def attachment_content(
        self, attachment_id: str, scope: Scope, first: int = 0
    ) -> Content | None:
        """The bytes of a file from byte `first` on, None where the scope holds no such file."""
        ...


class CaseWriter(Protocol):
    """A system that takes cases, comments and files.

    key: chosen by the gateway, 1 to 64 of [A-Za-z0-9-]. A second call with the same key changes
    nothing and gives the same answer, also where the first one was cut off after the system had
    done it: so every method may be tried again, and none is tried again by itself. Raises Rejected,
    with our name of the field where the system says which, for what it will never take."""

    @property
    def largest_file(self) -> int:
        """Bytes of the largest file that the system takes."""
        ...

    async def open_case(self, key: str, case: NewCase, scope: Scope) -> OpenedCase: ...

    async def add_comment(self, key: str, comment: NewComment, scope: Scope) -> str:
        """The comment's id. Rejected for a case outside the scope."""
        ...

    async def add_file(self, key: str, file: NewFile, scope: Scope) -> str:
        """The attachment's id. Rejected for a case outside the scope."""
        ...

    async def close_case(self, case_id: str, scope: Scope) -> bool:
        """Whether there is such a case in the scope, which then is closed. One that is closed
        already stays as it is."""
        ...


class OrderSource(Protocol):
    """Orders with their lines, deliveries and invoices, and what the ERP knows of an account."""

    async def find_orders(self, query: OrderQuery) -> Page[Order]: ...

    async def orders_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]: ...

    async def orders_by_number(
        self, numbers: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        """By the number that people quote, with or without leading zeros."""
        ...

    async def lines_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[OrderLine]]:
        """For each order its lines in order of position; an order outside the scope has none."""
        ...

    async def deliveries_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Delivery]]: ...

    async def invoices_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Invoice]]: ...

    async def credit_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[CreditPosition | None]:
        """In the order of accounts, None where the system keeps no credit of it."""
        ...

    async def shipping_addresses_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[list[Address] | None]:
        """In the order of accounts, None where the system does not know the account."""
        ...


class NewsSource(Protocol):
    """Published news. No scope: it is for everybody."""

    async def find_news(self, query: NewsQuery) -> Page[NewsArticle]: ...

    async def news_by_id(self, ids: Sequence[str], fields: Fields) -> list[NewsArticle | None]: ...

    async def news_by_slug(
        self, slugs: Sequence[str], fields: Fields
    ) -> list[NewsArticle | None]: ...


class QuestionSource(Protocol):
    """Frequent questions. No scope: they are for everybody."""

    async def find_questions(self, query: QuestionQuery) -> Page[Question]: ...

    async def questions_by_id(self, ids: Sequence[str], locale: str) -> list[Question | None]: ...


async def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class System:
    """One configured system, open and ready: what it can answer, how it is asked whether it is
    well, and how it is let go. `check` raises a `SourceError` when the system would not answer."""

    name: str
    customers: CustomerSource | None = None
    customer_writer: CustomerWriter | None = None
    cases: CaseSource | None = None
    case_writer: CaseWriter | None = None
    orders: OrderSource | None = None
    news: NewsSource | None = None
    questions: QuestionSource | None = None
    check: Callable[[], Awaitable[None]] = _nothing
    close: Callable[[], Awaitable[None]] = _nothing
