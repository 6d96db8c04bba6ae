"""Turns the CRM's rows into our records. Pure: no I/O, no clock.

Each function takes a row that holds the columns which `selection` names for the same fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from mimetypes import MimeTypes
from typing import Any, Final, TypeVar

import msgspec

from connectors.port.fields import NOT_FETCHED, Fields, inside, own
from connectors.port.records import (
    Account,
    Address,
    Attachment,
    Author,
    Case,
    CaseComment,
    CaseDetail,
    CaseStatus,
    CaseStatusChange,
    Contact,
    Membership,
    MembershipRole,
)
from connectors.port.scope import AccountRef, Scope
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.selection import CASE_OWNER, LATEST, relationship
from connectors.systems.salesforce.settings import AccountColumns, Columns, Settings, Values, Words
from connectors.systems.salesforce.soql import same

K = TypeVar("K", bound=str)

#: Without the machine's own tables: an answer must not depend on where the gateway runs.
_TYPES: Final = MimeTypes()
for _type, _extension in (
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx"),
    ("application/vnd.ms-outlook", ".msg"),
    ("image/heic", ".heic"),
    ("image/webp", ".webp"),
):
    _TYPES.add_type(_type, _extension)
_UNKNOWN_TYPE: Final = "application/octet-stream"
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
#: The most form fields that are read out of one case.
_DETAILS: Final = 100


def ours(words: Mapping[K, Words], theirs: str | None) -> K | None:
    """Our code of one of their values, None when no code lists it."""
    return next((code for code, listed in words.items() if theirs in listed), None)


# ------------------------------------------------------------------------------------- customers


def country(values: Values, theirs: str | None) -> str | None:
    """ISO 3166-1 alpha-2 out of a code or of a name that the settings list."""
    listed = ours(values.countries, theirs) or theirs or ""
    return listed.upper() if len(listed) == 2 and listed.isascii() and listed.isalpha() else None


def account_ref(row: Row, settings: Settings, id_column: str, at: str) -> AccountRef:
    """at: the relationship that leads to the account."""
    names = settings.columns.account
    return AccountRef(
        id=row.required(id_column),
        number=row.text(at + names.number),
        country=country(settings.values, row.text(at + names.country)) if names.country else None,
    )


def account(
    row: Row, settings: Settings, fields: Fields, owner: AccountRef, at: str = ""
) -> Account:
    wanted, names = own(fields), settings.columns.account
    found: dict[str, Any] = {}
    for attribute in ("number", "tax_id", "phone"):
        if attribute in wanted:
            found[attribute] = _text(row, at, getattr(names, attribute))
    if "name" in wanted:
        found["name"] = row.text(at + names.name) or ""
    if "country" in wanted:
        found["country"] = country(settings.values, _text(row, at, names.country))
    if "billing_address" in wanted:
        found["billing_address"] = _address(row, names, settings.values, at)
    return Account(owner.id, owner, **found)


def _address(row: Row, names: AccountColumns, values: Values, at: str) -> Address | None:
    lines = [line.strip() for line in (_text(row, at, names.street) or "").splitlines()]
    lines = [line for line in lines if line]
    found = Address(
        line1=lines[0] if lines else None,
        line2=", ".join(lines[1:]) or None,
        city=_text(row, at, names.city),
        region=_text(row, at, names.region),
        postal_code=_text(row, at, names.postal_code),
        country=country(values, _text(row, at, names.country)),
    )
    return None if found == Address() else found


def _text(row: Row, at: str, column: str | None) -> str | None:
    return row.text(at + column) if column else None


def contact(
    row: Row,
    settings: Settings,
    fields: Fields,
    owner: AccountRef,
    *,
    at: str,
    account_at: str,
) -> Contact:
    """at: the relationship that leads to the contact, whose key stands beside it: "Contact." has
    ContactId. account_at leads to `owner`."""
    wanted, names = own(fields), settings.columns.contact
    found: dict[str, Any] = {}
    for attribute in ("given_name", "family_name", "email", "job_title"):
        if attribute in wanted:
            found[attribute] = _text(row, at, getattr(names, attribute))
    if "name" in wanted:
        found["name"] = row.text(at + names.name) or ""
    if "phone" in wanted:
        found["phone"] = _text(row, at, names.phone) or _text(row, at, names.mobile)
    if "locale" in wanted:
        found["locale"] = locale(_text(row, at, names.locale))
    if "account" in wanted:
        found["account"] = account(row, settings, inside(fields, "account"), owner, account_at)
    return Contact(row.required(at.removesuffix(".") + "Id"), owner, **found)


def locale(theirs: str | None) -> str | None:
    """A BCP 47 tag out of one, or out of a code such as pt_BR."""
    tag = (theirs or "").replace("_", "-")
    return tag if _TAG.fullmatch(tag) else None


def role(values: Values, theirs: list[str]) -> MembershipRole | None:
    """The strongest of several roles; None when none of them is one of ours."""
    held = {ours(values.role, one) for one in theirs}
    return next((one for one in MembershipRole if one in held), None)


def membership(row: Row, settings: Settings) -> Membership | None:
    """None for a relation that is not active or grants no role of ours."""
    held = role(settings.values, list(row.several("Roles")))
    if held is None or not row.flag("IsActive"):
        return None
    return Membership(
        account_ref(row, settings, "AccountId", "Account."),
        held,
        valid_from=row.day("StartDate"),
        valid_to=row.day("EndDate"),
    )


# ----------------------------------------------------------------------------------------- cases


def case(row: Row, settings: Settings, fields: Fields, scope: Scope) -> Case | None:
    """None when the case is not of the scope."""
    owner = scope.by_id(row.text(CASE_OWNER))
    if owner is None:
        return None
    wanted, names, values = own(fields), settings.columns.case, settings.values
    found: dict[str, Any] = {}
    for attribute in ("team", "order_number"):
        if attribute in wanted:
            found[attribute] = _text(row, "", getattr(names, attribute))
    if "number" in wanted:
        found["number"] = row.required(names.number)
    if "subject" in wanted:
        found["subject"] = row.text(names.subject) or ""
    if "description" in wanted:
        found["description"] = row.body(names.description)
    if "category" in wanted:
        found["category"] = ours(values.category, row.text(names.category)) or values.other_category
    if "subcategory" in wanted:
        found["subcategory"] = ours(values.subcategory, _text(row, "", names.subcategory))
    if "status" in wanted:
        found["status"] = status(values, row.text(names.status), row.flag("IsClosed"))
    if "details" in wanted:
        found["details"] = details(row.body(names.details)) if names.details else ()
    _add_times(found, row, wanted, settings.columns)
    _add_embedded(found, row, settings, fields, owner)
    return Case(row.required("Id"), owner, **found)


def _add_times(found: dict[str, Any], row: Row, wanted: Fields, columns: Columns) -> None:
    names = columns.case
    if "created_at" in wanted:
        found["created_at"] = row.moment(names.created_at)
    if "updated_at" in wanted:
        found["updated_at"] = row.moment(names.updated_at)
    if "closed_at" in wanted:
        found["closed_at"] = row.instant(names.closed_at) if names.closed_at else None


def _add_embedded(
    found: dict[str, Any], row: Row, settings: Settings, fields: Fields, owner: AccountRef
) -> None:
    wanted = own(fields)
    if wanted & {"contact_id", "contact"}:
        found["contact_id"] = row.text("ContactId")
    if "contact" in wanted:
        found["contact"] = _contact_of_case(row, settings, inside(fields, "contact"), owner)
    if "account" in wanted:
        found["account"] = account(row, settings, inside(fields, "account"), owner, "Account.")


def _contact_of_case(row: Row, settings: Settings, fields: Fields, owner: AccountRef) -> Any:
    if row.text("ContactId") is None:
        return None
    if row.text("Contact.AccountId") != owner.id:
        # Someone of another company: whether the asker may see them is asked by id, with its scope.
        return NOT_FETCHED
    return contact(row, settings, fields, owner, at="Contact.", account_at="Contact.Account.")


def status(values: Values, theirs: str | None, closed: bool) -> CaseStatus:
    """A status that nobody listed is at least known to be closed or not."""
    fallback = CaseStatus.CLOSED if closed else CaseStatus.IN_PROGRESS
    return ours(values.status, theirs) or fallback


def status_change(row: Row, settings: Settings, scope: Scope) -> CaseStatusChange | None:
    """None when the case is not of the scope, and for a step between two statuses that are one of
    ours. Of statuses that nobody listed only the present one is known to be closed or not."""
    owner = scope.by_id(row.text("Case.AccountId"))
    if owner is None:
        return None
    now = row.text(f"Case.{settings.columns.case.status}")

    def read(theirs: str) -> CaseStatus:
        return status(settings.values, theirs, theirs == now and row.flag("Case.IsClosed"))

    earlier, later = row.text("OldValue"), row.required("NewValue")
    before, after = read(earlier) if earlier else None, read(later)
    if before is after:
        return None
    at, case_id = row.moment("CreatedDate"), row.required("CaseId")
    return CaseStatusChange(row.required("Id"), owner, case_id, at, after, before)


def details(text: str) -> tuple[CaseDetail, ...]:
    """The form fields out of a JSON object. Agents can edit the text, so what is none is left
    out rather than an error."""
    try:
        held = msgspec.json.decode(text) if text else None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()
    if not isinstance(held, dict):
        return ()
    texts = ((name, value) for name, value in held.items() if isinstance(value, str | int | float))
    return tuple(CaseDetail(name, _shown(value)) for name, value in list(texts)[:_DETAILS])


def _shown(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def author(row: Row, settings: Settings, at: str) -> Author:
    """at: the relationship that leads to the user. A user of the customer community has a contact;
    anyone else is of the service team."""
    contact_id = row.text(at + "ContactId") if settings.community else None
    return Author(row.text(at + "Name") or "", contact_id is None, contact_id)


def sender(row: Row, settings: Settings, column: str, at: str = "") -> Author | None:
    """The contact that our own user wrote for; None where there is none."""
    contact_id = row.text(at + column)
    if contact_id is None:
        return None
    name = row.text(at + relationship(column) + settings.columns.contact.name)
    return Author(name or "", is_service_team=False, contact_id=contact_id)


def comment(
    row: Row, settings: Settings, fields: Fields, scope: Scope, senders: Mapping[str, Author]
) -> CaseComment | None:
    """None when the case is not of the scope. senders: of comments that our own user wrote, by what
    is the same of their ids."""
    owner = scope.by_id(row.text("Parent.AccountId"))
    if owner is None:
        return None
    wanted = own(fields)
    found: dict[str, Any] = {}
    if "body" in wanted:
        found["body"] = row.body("CommentBody")
    if "author" in wanted:
        sent_by = senders.get(same(row.required("Id")))
        found["author"] = sent_by or author(row, settings, "CreatedBy.")
    if "created_at" in wanted:
        found["created_at"] = row.moment("CreatedDate")
    return CaseComment(row.required("Id"), owner, row.required("ParentId"), **found)


def attachment_id(case_id: str, document_id: str) -> str:
    """One file can hang on several cases, so an attachment is named by both."""
    return f"{case_id}-{document_id}"


def attachment(row: Row, settings: Settings, fields: Fields, owner: AccountRef) -> Attachment:
    """owner: the account of the case, which the row of a link does not know."""
    wanted = own(fields)
    case_id, document = row.required("LinkedEntityId"), row.required("ContentDocumentId")
    found: dict[str, Any] = {}
    if wanted & {"filename", "content_type"}:
        extension = (row.text("ContentDocument.FileExtension") or "").lower()
        if "filename" in wanted:
            found["filename"] = filename(row.text("ContentDocument.Title") or document, extension)
        if "content_type" in wanted:
            found["content_type"] = _TYPES.guess_type("file." + extension)[0] or _UNKNOWN_TYPE
    if "size" in wanted:
        found["size"] = row.number("ContentDocument.ContentSize")
    if "created_at" in wanted:
        found["created_at"] = row.moment("ContentDocument.CreatedDate")
    if "author" in wanted:
        writes, by = settings.writes, "ContentDocument.CreatedBy."
        sent_by = sender(row, settings, writes.file_contact, LATEST) if writes else None
        found["author"] = sent_by or author(row, settings, by)
    return Attachment(attachment_id(case_id, document), owner, case_id, **found)


def filename(title: str, extension: str) -> str:
    """Titles come with their extension or without, as whoever sent the file liked."""
    if not extension or title.lower().endswith("." + extension):
        return title
    return f"{title}.{extension}"
