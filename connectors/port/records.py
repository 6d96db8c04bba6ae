"""What systems hold, in our words: frozen records that every connector builds and the graph reads.

Each record of a customer carries `owner`, the account of the asker's scope that it belongs to; only
a scope hands these out. `id` and `owner` are always there; any other attribute that was not asked
for is NOT_FETCHED. None means that the system holds no value. Times are aware; money is exact.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from connectors.port.fields import NOT_FETCHED
from connectors.port.scope import AccountRef

__all__ = [
    "Account",
    "AccountRef",
    "Address",
    "Attachment",
    "Author",
    "Case",
    "CaseComment",
    "CaseDetail",
    "CaseStatus",
    "CaseStatusChange",
    "Contact",
    "ContactChanges",
    "Content",
    "CreditPosition",
    "Delivery",
    "DeliveryStatus",
    "Identity",
    "Invoice",
    "Membership",
    "MembershipRole",
    "Money",
    "NewCase",
    "NewComment",
    "NewContact",
    "NewFile",
    "NewsArticle",
    "OpenedCase",
    "Order",
    "OrderLine",
    "OrderStatus",
    "Product",
    "Question",
    "QuestionTopic",
]


@dataclass(frozen=True, slots=True)
class Money:
    """amount in units of currency (not cents); currency is ISO 4217."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Address:
    """country is ISO 3166-1 alpha-2; region is a state, department or province."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


# ------------------------------------------------------------------------------------- customers


class MembershipRole(StrEnum):
    """What a contact may do for an account."""

    ADMIN = "ADMIN"
    MEMBER = "MEMBER"
    READER = "READER"


@dataclass(frozen=True, slots=True)
class Account:
    """A commercial customer. `number` is the customer number that the ERP knows too."""

    id: str
    owner: AccountRef
    number: str | None = NOT_FETCHED
    name: str = NOT_FETCHED
    tax_id: str | None = NOT_FETCHED
    country: str | None = NOT_FETCHED
    phone: str | None = NOT_FETCHED
    billing_address: Address | None = NOT_FETCHED


@dataclass(frozen=True, slots=True)
class Contact:
    """A person. `owner` is the account of the scope through which the asker sees this person: the
    direct one where it is in the scope. `account` is that account, embedded."""

    id: str
    owner: AccountRef
    name: str = NOT_FETCHED
    given_name: str | None = NOT_FETCHED
    family_name: str | None = NOT_FETCHED
    email: str | None = NOT_FETCHED
    phone: str | None = NOT_FETCHED
    job_title: str | None = NOT_FETCHED
    locale: str | None = NOT_FETCHED
    account: Account | None = NOT_FETCHED


@dataclass(frozen=True, slots=True)
class Membership:
    """That a contact may act for an account, in a role. valid_from and valid_to are inclusive days;
    None is open. Only relations that the system calls active are answered; days are the gateway's
    to check."""

    account: AccountRef
    role: MembershipRole
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the contact may act for the account on a day. Days are UTC's."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class ContactChanges:
    """What to change of a person; None leaves it as it is, an empty text removes it. locale is BCP
    47. name cannot be removed."""

    name: str | None = None
    phone: str | None = None
    job_title: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class NewContact:
    """A person who shall act for an account, in a role. email is what they are known by."""

    account: AccountRef
    email: str
    name: str
    role: MembershipRole
    phone: str | None = None
    job_title: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """A person found by what a token says of them, with the accounts they act for: what a scope is
    made from. The only answer that needs no scope."""

    contact_id: str
    email: str
    name: str
    memberships: tuple[Membership, ...]
    locale: str | None = None


# ----------------------------------------------------------------------------------------- cases


class CaseStatus(StrEnum):
    """Where a case stands, in the customer's view. No system says SUBMITTED or REJECTED: such a
    case is the gateway's, on its way to the CRM or refused by it."""

    SUBMITTED = "SUBMITTED"
    REJECTED = "REJECTED"
    NEW = "NEW"
    IN_PROGRESS = "IN_PROGRESS"
    WAITING_ON_CUSTOMER = "WAITING_ON_CUSTOMER"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """One filled-in field of a category's form: `name` is the form field's code."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Case:
    """category and subcategory are codes of the catalogue of cases. number is None only for a case
    that the gateway still holds. order_number is as somebody wrote it: the ERP may not know it.
    contact and account are embedded when the system can give them in the same call, else
    NOT_FETCHED although asked: contact_id then leads on.
    """

    id: str
    owner: AccountRef
    number: str | None = NOT_FETCHED
    category: str = NOT_FETCHED
    subcategory: str | None = NOT_FETCHED
    subject: str = NOT_FETCHED
    description: str = NOT_FETCHED
    status: CaseStatus = NOT_FETCHED
    details: Sequence[CaseDetail] = NOT_FETCHED
    created_at: datetime = NOT_FETCHED
    updated_at: datetime = NOT_FETCHED
    closed_at: datetime | None = NOT_FETCHED
    team: str | None = NOT_FETCHED
    contact_id: str | None = NOT_FETCHED
    order_number: str | None = NOT_FETCHED
    contact: Contact | None = NOT_FETCHED
    account: Account | None = NOT_FETCHED


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote: a contact of the customer (contact_id) or someone of the service team."""

    name: str
    is_service_team: bool
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class CaseComment:
    """A comment that the customer may read. Internal notes of the service team never become one."""

    id: str
    owner: AccountRef
    case_id: str
    body: str = NOT_FETCHED
    author: Author = NOT_FETCHED
    created_at: datetime = NOT_FETCHED
    #: Taken in by the gateway, not confirmed by the system yet. No system says so.
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a case. size is in bytes; content_type is a media type.
    pending: see CaseComment."""

    id: str
    owner: AccountRef
    case_id: str
    filename: str = NOT_FETCHED
    content_type: str = NOT_FETCHED
    size: int = NOT_FETCHED
    created_at: datetime = NOT_FETCHED
    author: Author | None = NOT_FETCHED
    pending: bool = False


@dataclass(frozen=True, slots=True)
class CaseStatusChange:
    """That a case went from one status to another. before: None where the system does not say.
    Steps that read as the same status of ours are none."""

    id: str
    owner: AccountRef
    case_id: str
    at: datetime
    after: CaseStatus
    before: CaseStatus | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, as they come. owner: of the case that it is on. size: of the whole file.
    chunks: may be walked once; it ends with a SourceError where not all of them come. close: lets
    the connection go; to be called in any case."""

    owner: AccountRef
    size: int
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to be opened. team: whom the catalogue routes it to. created_at: when the customer
    sent it; a system that cannot keep it dates the case itself."""

    account: AccountRef
    category: str
    subject: str
    description: str
    created_at: datetime
    subcategory: str | None = None
    details: Sequence[CaseDetail] = ()
    contact_id: str | None = None
    order_number: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """What a system calls a case that it took."""

    id: str
    number: str


@dataclass(frozen=True, slots=True)
class NewComment:
    """Something to be said on a case. contact_id: who says it; None for a program."""

    case_id: str
    body: str
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be put on a case. size: in bytes. read: its bytes from the beginning, anew at each
    call, so that a second try can send them again without any of them being kept in memory."""

    case_id: str
    filename: str
    content_type: str
    size: int
    read: Callable[[], AsyncIterator[bytes]]
    contact_id: str | None = None


# ---------------------------------------------------------------------------------------- orders


class OrderStatus(StrEnum):
    """Where an order stands, in the customer's view."""

    DRAFT = "DRAFT"
    OPEN = "OPEN"
    CONFIRMED = "CONFIRMED"
    IN_DELIVERY = "IN_DELIVERY"
    DELIVERED = "DELIVERED"
    INVOICED = "INVOICED"
    BLOCKED = "BLOCKED"
    CANCELLED = "CANCELLED"


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PLANNED = "PLANNED"
    PICKED = "PICKED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"


@dataclass(frozen=True, slots=True)
class Product:
    """code is the material number of the seller."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """position orders the lines as the document does: "10", "20". unit is the system's own code."""

    position: str
    product: Product = NOT_FETCHED
    quantity: Decimal = NOT_FETCHED
    unit: str = NOT_FETCHED
    unit_price: Money | None = NOT_FETCHED
    total: Money | None = NOT_FETCHED
    delivered_quantity: Decimal | None = NOT_FETCHED


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery that holds goods of the order."""

    number: str
    status: DeliveryStatus = NOT_FETCHED
    planned_on: date | None = NOT_FETCHED
    shipped_on: date | None = NOT_FETCHED
    carrier: str | None = NOT_FETCHED
    tracking_url: str | None = NOT_FETCHED


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice that bills goods of the order; cancelled ones are left out. outstanding is None
    where the system cannot say."""

    number: str
    issued_on: date = NOT_FETCHED
    due_on: date | None = NOT_FETCHED
    total: Money = NOT_FETCHED
    outstanding: Money | None = NOT_FETCHED


@dataclass(frozen=True, slots=True)
class Order:
    """A sales order. number is what people quote; in many systems it is the id too. lines,
    deliveries and invoices are embedded when the system can give them in the same call, else
    NOT_FETCHED although asked: the methods by order then lead on. lines are in order of position.
    """

    id: str
    owner: AccountRef
    number: str = NOT_FETCHED
    customer_reference: str | None = NOT_FETCHED
    status: OrderStatus = NOT_FETCHED
    ordered_on: date = NOT_FETCHED
    requested_delivery_on: date | None = NOT_FETCHED
    ship_to: Address | None = NOT_FETCHED
    subtotal: Money | None = NOT_FETCHED
    freight: Money | None = NOT_FETCHED
    tax: Money | None = NOT_FETCHED
    total: Money = NOT_FETCHED
    lines: Sequence[OrderLine] = NOT_FETCHED
    deliveries: Sequence[Delivery] = NOT_FETCHED
    invoices: Sequence[Invoice] = NOT_FETCHED


@dataclass(frozen=True, slots=True)
class CreditPosition:
    """What may be owed, what is owed, and what is left. None where the system cannot say."""

    limit: Money | None = None
    exposure: Money | None = None
    available: Money | None = None


# --------------------------------------------------------------------------- news and questions


@dataclass(frozen=True, slots=True)
class NewsArticle:
    """Published news: no account owns it. body is HTML, sanitised by the connector. countries is
    empty when it is for all of them."""

    id: str
    slug: str = NOT_FETCHED
    title: str = NOT_FETCHED
    summary: str | None = NOT_FETCHED
    body: str = NOT_FETCHED
    image_url: str | None = NOT_FETCHED
    locale: str = NOT_FETCHED
    countries: Sequence[str] = NOT_FETCHED
    tags: Sequence[str] = NOT_FETCHED
    published_at: datetime = NOT_FETCHED


class QuestionTopic(StrEnum):
    """What a frequent question is about."""

    ACCESS = "ACCESS"
    CASES = "CASES"
    ORDERS = "ORDERS"
    DOCUMENTS = "DOCUMENTS"
    TRAINING = "TRAINING"
    CLAIMS = "CLAIMS"
    TROUBLESHOOTING = "TROUBLESHOOTING"


@dataclass(frozen=True, slots=True)
class Question:
    """A frequent question with its answer, in one language. position orders them for reading."""

    id: str
    question: str
    answer: str
    topic: QuestionTopic
    locale: str
    position: int
