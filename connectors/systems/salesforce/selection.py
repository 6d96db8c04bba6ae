"""Which of their columns our attributes need: the fields of a question become columns. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.port.fields import Fields, inside, own
from connectors.systems.salesforce.settings import (
    AccountColumns,
    CaseColumns,
    Columns,
    Settings,
    Writes,
)

CASE_OWNER = "AccountId"
#: From a link to the newest version of its file.
LATEST = "ContentDocument.LatestPublishedVersion."


def _given(prefix: str, *names: str | None) -> Iterator[str]:
    return (prefix + name for name in names if name)


def account(names: AccountColumns, fields: Fields, at: str = "") -> list[str]:
    """at: the relationship that leads to the account: "Account."."""
    wanted = own(fields)
    found: list[str] = []
    for attribute in ("number", "name", "tax_id", "country", "phone"):
        if attribute in wanted:
            found += _given(at, getattr(names, attribute))
    if "billing_address" in wanted:
        found += _given(
            at, names.street, names.city, names.region, names.postal_code, names.country
        )
    return found


def contact(names: Columns, fields: Fields, at: str, account_at: str) -> list[str]:
    """at, account_at: the relationships that lead to the contact and to its account."""
    wanted, columns = own(fields), names.contact
    found: list[str] = []
    for attribute in ("name", "given_name", "family_name", "email", "job_title", "locale"):
        if attribute in wanted:
            found += _given(at, getattr(columns, attribute))
    if "phone" in wanted:
        found += _given(at, columns.phone, columns.mobile)
    if "account" in wanted:
        found += account(names.account, inside(fields, "account"), account_at)
    return found


def case(names: Columns, fields: Fields) -> list[str]:
    """Id and the owner's column come first, always."""
    wanted, columns = own(fields), names.case
    found = ["Id", CASE_OWNER]
    for attribute in (
        *("number", "category", "subcategory", "subject", "description", "details"),
        *("created_at", "updated_at", "closed_at", "team", "order_number"),
    ):
        if attribute in wanted:
            found += _given("", getattr(columns, attribute))
    if "status" in wanted:
        found += [columns.status, "IsClosed"]
    if wanted & {"contact_id", "contact"}:
        found.append("ContactId")
    if "contact" in wanted:
        # Whose contact it is decides whether it may be embedded at all.
        found.append("Contact.AccountId")
        found += contact(names, inside(fields, "contact"), "Contact.", "Contact.Account.")
    if "account" in wanted:
        found += account(names.account, inside(fields, "account"), "Account.")
    return found


def author(settings: Settings, at: str) -> list[str]:
    """at: the relationship that leads to the user."""
    return [at + "Name", *([at + "ContactId"] if settings.community else [])]


def relationship(column: str) -> str:
    """What leads to the record that a lookup holds the id of: "Contact__r." for "Contact__c"."""
    if column.endswith("__c"):
        return column.removesuffix("__c") + "__r."
    return column.removesuffix("Id") + "."


def sender(settings: Settings, column: str, at: str = "") -> list[str]:
    """Of a contact that our own user wrote for. at: the relationship that leads to the record."""
    return [at + column, at + relationship(column) + settings.columns.contact.name]


def comment(settings: Settings, fields: Fields) -> list[str]:
    """CreatedDate is what comments are ordered by."""
    wanted = own(fields)
    found = ["Id", "ParentId", "Parent.AccountId", "CreatedDate"]
    if "body" in wanted:
        found.append("CommentBody")
    if "author" in wanted:
        found += author(settings, "CreatedBy.")
    return found


def attachment(settings: Settings, fields: Fields) -> list[str]:
    """Of the link between a case and a document. CreatedDate is what files are ordered by."""
    wanted = own(fields)
    found = ["LinkedEntityId", "ContentDocumentId", "ContentDocument.CreatedDate"]
    if "filename" in wanted:
        found.append("ContentDocument.Title")
    if wanted & {"filename", "content_type"}:
        found.append("ContentDocument.FileExtension")
    if "size" in wanted:
        found.append("ContentDocument.ContentSize")
    if "author" in wanted:
        found += author(settings, "ContentDocument.CreatedBy.")
        if settings.writes:
            found += sender(settings, settings.writes.file_contact, LATEST)
    return found


def entry(settings: Settings, writes: Writes) -> list[str]:
    """Of the row that tells whose comment one is."""
    return [writes.entry_comment, *sender(settings, writes.entry_contact)]


def status_change(settings: Settings) -> list[str]:
    """What the case says now tells how an old value that nobody listed is to be read."""
    status = settings.columns.case.status
    found = ["Id", "CaseId", "Case.AccountId", "CreatedDate", "OldValue", "NewValue"]
    return [*found, f"Case.{status}", "Case.IsClosed"]


def sortable(names: CaseColumns, attribute: str) -> str:
    """The column of an attribute that cases can be ordered by."""
    return {
        "created_at": names.created_at,
        "updated_at": names.updated_at,
        "number": names.number,
    }[attribute]
