"""Cases with their comments and files, and the forms that open them, as callers see them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from connectors.port import records
from schema.access import CASES_READ, Authorized
from schema.batched import batched, derived
from schema.cases import forms, loaders, permissions
from schema.cases.events import CaseOpened, CaseRejection, CaseStatusChanged
from schema.cases.filters import CaseKind, CaseStatus
from schema.cases.timeline import timeline_of_case
from schema.context import Context
from schema.nodes import Node
from schema.owned import account_of_owned
from schema.pages import Connection, CountedConnection
from schema.recognition import instances_of
from schema.scalars import URL

if TYPE_CHECKING:
    from schema.customers.types import Account, Contact
    from schema.orders.types import Order

#: The graph is circular, imports are not: these rooms build on this one.
_CUSTOMERS = strawberry.lazy("schema.customers.types")
_ORDERS = strawberry.lazy("schema.orders.types")


@strawberry.enum(description="How a field of a form is filled in.")
class FormFieldType(Enum):
    TEXT = strawberry.enum_value("TEXT", description="One line of text.")
    MULTILINE = strawberry.enum_value("MULTILINE", description="Several lines of text.")
    EMAIL = strawberry.enum_value("EMAIL", description="An e-mail address.")
    PHONE = strawberry.enum_value("PHONE", description="A telephone number.")
    INTEGER = strawberry.enum_value("INTEGER", description="A whole number.")
    DATE = strawberry.enum_value("DATE", description="A day, ISO 8601.")
    CHOICE = strawberry.enum_value("CHOICE", description="One of the options.")
    ORDER_NUMBER = strawberry.enum_value("ORDER_NUMBER", description="Number of an own order.")
    INVOICE_NUMBER = strawberry.enum_value(
        "INVOICE_NUMBER", description="Number of an own invoice."
    )


def _label(owner: Any, context: Context) -> str:
    text: str = owner.label.of(context.language)
    return text


def _help(field: forms.FormField, context: Context) -> str | None:
    return field.help.of(context.language) if field.help else None


def _description(owner: forms.Category | forms.Subcategory, context: Context) -> str | None:
    return owner.description.of(context.language) if owner.description else None


def _category(case: records.Case, context: Context) -> forms.Category:
    return context.catalogue.category(case.category)


def _subcategory(case: records.Case, context: Context) -> forms.Subcategory | None:
    if case.subcategory is None:
        return None
    return context.catalogue.subcategory(case.category, case.subcategory)


def _details(case: records.Case, context: Context) -> list[CaseDetail]:
    def shown(detail: records.CaseDetail) -> CaseDetail:
        field = context.catalogue.form_field(case.category, case.subcategory, detail.name)
        label = field.label.of(context.language)
        return CaseDetail(name=detail.name, label=label, value=detail.value)

    return [shown(detail) for detail in case.details]


def _pending(sent: records.CaseComment | records.Attachment, context: Context) -> bool:
    return sent.pending


def _answer_due_at(case: records.Case, context: Context) -> datetime | None:
    if case.status in (records.CaseStatus.CLOSED, records.CaseStatus.RESOLVED):
        return None
    return context.desks.answer_due(case.owner.country, case.category, case.created_at)


@strawberry.type(description="One choice of a field.")
class FormOption:
    value: str = strawberry.field(description="What to send.")

    label: str = derived(_label, description="What to show, in the caller's language.")


@strawberry.type(description="One field of the form that a category asks for.")
class FormField:
    name: str = strawberry.field(description="What `details` calls it.")
    type: FormFieldType = strawberry.field(description="How it is filled in.")
    required: bool = strawberry.field(description="Whether it must be filled in.")
    max_length: int | None = strawberry.field(description="Most characters; null: no own limit.")
    options: list[FormOption] | None = strawberry.field(description="The choices of a CHOICE.")

    label: str = derived(_label, description="What to show, in the caller's language.")

    help: str | None = derived(
        _help, description="A hint for filling it in, in the caller's language."
    )


_ASKS_SUBJECT = "Whether to show a field for the subject. Where nobody writes one, it is the label."
_ASKS_ORDER = "Whether to show a field for the order that it is about."
_DESCRIPTION_LENGTH = "Most characters of the description."


@strawberry.type(description="A kind of request within a category.")
class CaseSubcategory:
    code: str = strawberry.field(
        description="A stable code: DATABASE_UPDATE, TECHNICAL_SUPPORT, DOCUMENT_REQUEST, TRAINING."
    )
    form: list[FormField] = strawberry.field(description="What it asks for, beyond the category.")
    description_max_length: int = strawberry.field(description=_DESCRIPTION_LENGTH)
    asks_subject: bool = strawberry.field(description=_ASKS_SUBJECT)
    asks_order: bool = strawberry.field(description=_ASKS_ORDER)

    label: str = derived(_label, description="What to show, in the caller's language.")

    description: str | None = derived(
        _description, description="What it is for, in the caller's language."
    )


@strawberry.type(description="A kind of case that can be opened.")
class CaseCategory:
    code: str = strawberry.field(
        description="A stable code: QUERY, INVOICE_CLAIM, SERVICE_CLAIM, PRODUCT_CLAIM, "
        "OTHER_REQUEST."
    )
    kind: CaseKind = strawberry.field(description="Query, claim or request.")
    subcategories: list[CaseSubcategory] = strawberry.field(
        description="What to choose from within it; empty when there is no choice."
    )
    form: list[FormField] = strawberry.field(description="What it asks for.")
    description_max_length: int = strawberry.field(description=_DESCRIPTION_LENGTH)
    asks_subject: bool = strawberry.field(description=_ASKS_SUBJECT)
    asks_order: bool = strawberry.field(description=_ASKS_ORDER)

    label: str = derived(_label, description="What to show, in the caller's language.")

    description: str | None = derived(
        _description, description="What it is for, in the caller's language."
    )


@strawberry.type(description="One filled-in field of a case's form.")
class CaseDetail:
    name: str = strawberry.field(description="The form field's name.")
    label: str = strawberry.field(description="The form field's label, in the caller's language.")
    value: str = strawberry.field(description="What was filled in.")


@strawberry.type(description="Who wrote it: a contact of the customer, or the service team.")
class Author:
    name: str = strawberry.field(description="Name to show.")
    is_service_team: bool = strawberry.field(description="Whether it was the service team.")
    contact: Annotated[Contact, _CUSTOMERS] | None = batched(
        loaders.contact_of_author,
        asks="customers",
        needs=(),
        description="The person, when it was one of the customer's.",
    )


_PENDING = (
    "Whether it is still on its way to the CRM. Its id changes when it arrives; both ids stay good."
)


@strawberry.type(
    description="Something said about a case. Internal notes never show.",
    directives=[Authorized(scope=CASES_READ)],
)
class CaseComment(Node):
    body: str = strawberry.field(description="The text.")
    author: Author = strawberry.field(description="Who wrote it.")
    created_at: datetime = strawberry.field(description="When.")
    pending: bool = derived(_pending, description=_PENDING)

    is_type_of = instances_of(records.CaseComment)


def _download_url(file: records.Attachment, context: Context) -> str | None:
    return (
        context.files.download_url(context.required_caller(), file.id)[0] if context.files else None
    )


def _download_url_ends(file: records.Attachment, context: Context) -> datetime | None:
    return (
        context.files.download_url(context.required_caller(), file.id)[1] if context.files else None
    )


@strawberry.type(
    description="A file of a case.",
    directives=[Authorized(scope=CASES_READ)],
)
class Attachment(Node):
    filename: str = strawberry.field(description="Its name.")
    content_type: str = strawberry.field(description="Its media type: application/pdf.")
    size: int = strawberry.field(description="In bytes.")
    created_at: datetime = strawberry.field(description="When it was sent.")
    author: Author | None = strawberry.field(description="Who sent it, if the CRM tells.")
    pending: bool = derived(_pending, description=_PENDING)

    download_url: URL | None = derived(
        _download_url,
        description="Where it can be read for a few minutes, by this viewer only and for as long "
        "as they may see it. It needs no token, so nobody else should get it.",
    )
    download_url_expires_at: datetime | None = derived(
        _download_url_ends, description="When `downloadUrl` stops working; ask for a new one then."
    )

    is_type_of = instances_of(records.Attachment)


CaseEvent = Annotated[
    CaseOpened | CaseComment | Attachment | CaseStatusChanged | CaseRejection,
    strawberry.union(name="CaseEvent", description="Something that happened to a case."),
]


@strawberry.type(
    description="A query, claim or request of a customer.",
    directives=[Authorized(scope=CASES_READ)],
)
class Case(Node):
    number: str | None = strawberry.field(
        description="The number that customers and agents quote. Null while the CRM has not given "
        "it one: SUBMITTED or REJECTED."
    )
    subject: str = strawberry.field(description="What it is about, in a line.")
    description: str = strawberry.field(description="What it is about, in full.")
    status: CaseStatus = strawberry.field(description="Where it stands.")
    created_at: datetime = strawberry.field(description="When it was opened.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    closed_at: datetime | None = strawberry.field(description="When it was closed.")
    team: str | None = strawberry.field(description="The team it was routed to.")
    account: Annotated[Account, _CUSTOMERS] | None = batched(
        account_of_owned,
        asks="customers",
        embeds="account",
        description="The customer it belongs to.",
    )
    contact: Annotated[Contact, _CUSTOMERS] | None = batched(
        loaders.contact_of_case,
        asks="customers",
        needs=("contact_id",),
        embeds="contact",
        description="Who opened it. Null when that person is no longer with the customer.",
    )
    order: Annotated[Order, _ORDERS] | None = batched(
        loaders.order_of_case,
        asks="orders",
        needs=("order_number",),
        description="The order it is about, when it names one. From the ERP.",
    )
    comments: CountedConnection[CaseComment] | None = batched(
        loaders.comments_of_case, asks="cases", description="What was said, oldest first."
    )
    attachments: CountedConnection[Attachment] | None = batched(
        loaders.attachments_of_case, asks="cases", description="Files, oldest first."
    )
    timeline: Connection[CaseEvent] | None = batched(
        timeline_of_case,
        asks="cases",
        needs=("created_at", "contact_id"),
        description="All that happened to it, oldest first. Internal notes never show.",
    )

    category: CaseCategory = derived(
        _category, needs=("category",), description="Its category in the catalogue."
    )
    subcategory: CaseSubcategory | None = derived(
        _subcategory,
        needs=("category", "subcategory"),
        description="Its subcategory, when its category has some.",
    )
    details: list[CaseDetail] = derived(
        _details,
        needs=("category", "subcategory", "details"),
        description="What was filled in on the form of its category, beyond the description.",
    )
    answer_due_at: datetime | None = derived(
        _answer_due_at,
        needs=("created_at", "category", "status"),
        description="When an answer is due, by the service hours of the account's country. Null "
        "when it was given or the country has no desk.",
    )
    viewer_can_comment: bool = derived(
        permissions.may_comment,
        needs=("status",),
        description="Whether the viewer may say something about it now.",
    )
    viewer_can_attach: bool = derived(
        permissions.may_attach,
        needs=("status",),
        description="Whether the viewer may send files for it now.",
    )
    viewer_can_close: bool = derived(
        permissions.may_close, needs=("status",), description="Whether the viewer may close it now."
    )

    is_type_of = instances_of(records.Case)
