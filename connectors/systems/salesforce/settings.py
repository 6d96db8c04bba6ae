"""What a company says of its own org: where it is, how to log in, and what its fields are called.

Every column and value is a setting, since no two orgs agree on them. An optional column that is
empty ("" or None) does not exist in the org: it is never asked for, and what it would tell is
unknown.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from connectors.kit.http import HttpSettings
from connectors.port.records import CaseStatus, MembershipRole, QuestionTopic
from connectors.systems.salesforce.soql import COLUMN_PATTERN, OBJECT_PATTERN

Name = Annotated[str, Meta(pattern=COLUMN_PATTERN)]
#: Empty where the org has no such column; TOML knows no null.
OptionalName = Annotated[str, Meta(pattern=COLUMN_PATTERN + r"|^\Z")] | None
ObjectName = Annotated[str, Meta(pattern=OBJECT_PATTERN)]
OptionalObjectName = Annotated[str, Meta(pattern=OBJECT_PATTERN + r"|^\Z")] | None
Url = Annotated[str, Meta(pattern=r"^https?://[^/?#\s@]+/?$")]
Secret = Annotated[str, Meta(min_length=1)]
#: Their values for one of ours. All are read as ours; the first is the one to write.
Words = tuple[str, ...]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of settings in which a misspelt key is an error."""


class ClientCredentials(Strict, frozen=True, tag_field="grant", tag="client_credentials"):
    """OAuth client credentials: the org runs our calls as the user its app names.

    url: the token's host where it is not the org's own."""

    client_id: str
    client_secret: Secret
    url: Url | None = None

    def __repr__(self) -> str:
        return f"ClientCredentials(client_id={self.client_id!r}, client_secret=...)"


class JwtBearer(Strict, frozen=True, tag_field="grant", tag="jwt_bearer"):
    """A signed assertion for one user. client_id: the consumer key. private_key: RSA of at least
    2048 bits, PEM. audience: https://test.salesforce.com for an org that is a sandbox. url: the
    token's host where it is not the org's own."""

    client_id: str
    user: str
    private_key: Secret
    audience: str = "https://login.salesforce.com"
    url: Url | None = None

    def __repr__(self) -> str:
        return f"JwtBearer(client_id={self.client_id!r}, user={self.user!r}, private_key=...)"


class AccountColumns(Strict, frozen=True):
    """Columns of Account. `number` is the customer number that the ERP shares."""

    number: Name = "AccountNumber"
    name: Name = "Name"
    tax_id: OptionalName = "TaxId__c"
    country: OptionalName = "BillingCountryCode"
    phone: OptionalName = "Phone"
    street: OptionalName = "BillingStreet"
    city: OptionalName = "BillingCity"
    region: OptionalName = "BillingState"
    postal_code: OptionalName = "BillingPostalCode"


class ContactColumns(Strict, frozen=True):
    """Columns of Contact. mobile: answers as the phone where `phone` is empty."""

    name: Name = "Name"
    given_name: OptionalName = "FirstName"
    family_name: OptionalName = "LastName"
    email: Name = "Email"
    phone: OptionalName = "Phone"
    mobile: OptionalName = "MobilePhone"
    job_title: OptionalName = "Title"
    locale: OptionalName = "Language__c"


class CaseColumns(Strict, frozen=True):
    """Columns of Case. details: a long text that holds a JSON object of form field and value.

    searched: what `search` looks into. Only columns that SOQL can filter: long text areas, which
    Description is in every org, cannot be."""

    number: Name = "CaseNumber"
    category: Name = "Type"
    subcategory: OptionalName = "Subcategory__c"
    subject: Name = "Subject"
    description: Name = "Description"
    status: Name = "Status"
    details: OptionalName = "Portal_Details__c"
    created_at: Name = "CreatedDate"
    updated_at: Name = "LastModifiedDate"
    closed_at: OptionalName = "ClosedDate"
    team: OptionalName = "Team__c"
    order_number: OptionalName = "Order_Number__c"
    searched: Annotated[tuple[Name, ...], Meta(min_length=1)] = ("Subject",)


class Columns(Strict, frozen=True):
    """What this org calls the fields of its objects."""

    account: AccountColumns = AccountColumns()
    contact: ContactColumns = ContactColumns()
    case: CaseColumns = CaseColumns()

    def ours(self, table: str, column: str) -> str | None:
        """Our name of a column of one of their objects, for an error that speaks of theirs."""
        tables: dict[str, Strict] = {
            "Account": self.account,
            "Contact": self.contact,
            "Case": self.case,
        }
        known = tables.get(table)
        if known is None:
            return None
        return next((a for a in known.__struct_fields__ if getattr(known, a) == column), None)


def _categories() -> dict[str, Words]:
    return {
        "QUERY": ("Query",),
        "INVOICE_CLAIM": ("Invoice Claim",),
        "SERVICE_CLAIM": ("Service Claim",),
        "PRODUCT_CLAIM": ("Product Claim",),
        "OTHER_REQUEST": ("Other Request",),
    }


def _subcategories() -> dict[str, Words]:
    return {
        "DATABASE_UPDATE": ("Database Update",),
        "TECHNICAL_SUPPORT": ("Technical Support",),
        "DOCUMENT_REQUEST": ("Document Request",),
        "TRAINING": ("Training",),
    }


def _statuses() -> dict[CaseStatus, Words]:
    return {
        CaseStatus.NEW: ("New",),
        CaseStatus.IN_PROGRESS: ("Working", "Escalated"),
        CaseStatus.WAITING_ON_CUSTOMER: ("Waiting on Customer",),
        CaseStatus.RESOLVED: ("Resolved",),
        CaseStatus.CLOSED: ("Closed",),
    }


def _roles() -> dict[MembershipRole, Words]:
    return {
        MembershipRole.ADMIN: ("Portal Admin",),
        MembershipRole.MEMBER: ("Portal Member",),
        MembershipRole.READER: ("Portal Reader",),
    }


class Values(Strict, frozen=True):
    """Our codes and their values. A status that is not listed reads as CLOSED where the case is
    closed and as IN_PROGRESS where it is open; a category that is not listed, or none, as
    `other_category`; a subcategory as none; a role as no membership. countries: ISO code and their
    names, needed only where the country column holds names."""

    category: dict[str, Words] = field(default_factory=_categories)
    other_category: str = "OTHER_REQUEST"
    subcategory: dict[str, Words] = field(default_factory=_subcategories)
    status: dict[CaseStatus, Words] = field(default_factory=_statuses)
    role: dict[MembershipRole, Words] = field(default_factory=_roles)
    countries: dict[str, Words] = field(default_factory=dict)


def _languages() -> dict[str, str]:
    return {"es": "es", "en": "en_US", "pt": "pt_BR"}


class Knowledge(Strict, frozen=True):
    """Published articles as frequent questions, as news, or both.

    languages: BCP 47 tag and their code. audience: a checkbox that must be ticked for an article to
    be shown. questions and news: developer names of the record types that are; empty is any. tags
    and countries: multi-select picklists. searched: what a search of news looks into. most: how
    many questions of one language are read."""

    serves: Annotated[tuple[Literal["questions", "news"], ...], Meta(min_length=1)] = ("questions",)
    object: ObjectName = "Knowledge__kav"
    body: Name = "Body__c"
    audience: OptionalName = "IsVisibleInCsp"
    languages: dict[str, str] = field(default_factory=_languages)
    question_types: tuple[str, ...] = ()
    news_types: tuple[str, ...] = ()
    topic: OptionalName = ""
    topics: dict[QuestionTopic, Words] = field(default_factory=dict)
    other_topic: QuestionTopic = QuestionTopic.TROUBLESHOOTING
    tags: OptionalName = ""
    countries: OptionalName = ""
    searched: Annotated[tuple[Name, ...], Meta(min_length=1)] = ("Title", "Summary")
    most: Annotated[int, Meta(ge=1, le=2000)] = 500


class Writes(Strict, frozen=True):
    """What the org has for customers' cases, comments and files; without this none is written.

    Keys are text columns that are unique and external ids: they make a second try find what a first
    one did. file_contact, entry_contact: lookups that tell who wrote. entry: an object with a row
    for each comment of a customer, since comments have no columns of their own; entry_comment: a
    text column for its id. origin: what the standard column Origin says; empty leaves it to the
    org. largest_megabytes: of a file that the org takes."""

    case_key: Name = "Portal_Key__c"
    file_key: Name = "Portal_Key__c"
    file_contact: Name = "Portal_Contact__c"
    entry: ObjectName = "Portal_Entry__c"
    entry_key: Name = "Portal_Key__c"
    entry_case: Name = "Case__c"
    entry_contact: Name = "Contact__c"
    entry_comment: Name = "Comment_Id__c"
    origin: str = "Portal"
    largest_megabytes: Annotated[float, Meta(gt=0, le=2000)] = 2000.0


class Settings(Strict, frozen=True):
    """One org. url: its My Domain host, to which every call goes.

    composite: the queries of one moment travel in one call. number_width: case numbers are padded
    with zeros to it; 0 leaves them. visible_files: values of a file link's Visibility that a
    customer may see; empty is all of them. status_history: the object that keeps how the status of
    cases went; empty where the org keeps none. community: customers have users of their own in the
    org, so that a user's contact tells who wrote; else User has no ContactId. quota_retry_after:
    seconds to tell callers to wait when the org's daily allocation is used up, which the org
    itself does not say. writes: see Writes."""

    url: Url
    login: ClientCredentials | JwtBearer
    api_version: Annotated[str, Meta(pattern=r"^[0-9]{2,3}\.0$")] = "60.0"
    composite: bool = True
    number_width: Annotated[int, Meta(ge=0, le=30)] = 8
    visible_files: tuple[str, ...] = ("AllUsers",)
    status_history: OptionalObjectName = "CaseHistory"
    community: bool = True
    quota_retry_after: Annotated[float, Meta(gt=0)] | None = None
    columns: Columns = Columns()
    values: Values = field(default_factory=Values)
    knowledge: Knowledge | None = None
    writes: Writes | None = None
    http: HttpSettings = HttpSettings()
