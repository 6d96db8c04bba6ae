"""Names what only this CRM means by an error: a quota behind a 403, a field behind a 400. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from connectors.kit.replies import Reply, retry_after
from connectors.port.errors import Refused, Rejected, SourceError, Throttled, Unavailable

#: The operation that fetches a token, whose errors have a shape of their own.
LOGIN: Final = "login"

_REFUSED: Final = ("INVALID_SESSION_ID", "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED")
_PASSING: Final = (
    *("SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "STORAGE_LIMIT_EXCEEDED"),
)
#: A value that the org does not take, in a record that is written: its sender can put it right.
_VALUE: Final = (
    "STRING_TOO_LONG",
    "INVALID_EMAIL_ADDRESS",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "REQUIRED_FIELD_MISSING",
)
#: What the operations that write, write.
_WRITTEN: Final = {
    "update_contact": "Contact",
    "ensure_contact": "Contact",
    "open_case": "Case",
    "add_comment": "CaseComment",
    "add_file": "ContentVersion",
}
#: A name has two columns and is one field of ours.
_NAME: Final = {"given_name": "name", "family_name": "name"}
#: Columns that no org calls otherwise.
_STANDARD: Final = {
    ("Case", "AccountId"): "account",
    ("Case", "ContactId"): "contact_id",
    ("CaseComment", "CommentBody"): "body",
    ("ContentVersion", "Title"): "filename",
    ("ContentVersion", "PathOnClient"): "filename",
}
_CODE: Final = re.compile(r"[A-Za-z_]{1,60}")
_NO_COLUMN: Final = re.compile(
    r"No such column '([A-Za-z0-9_]{1,80})' on (?:entity|sobject of type) '?([A-Za-z0-9_]{1,80})"
)
_KEPT: Final = 500

#: Our name of a column of one of their objects: table, column.
Ours = Callable[[str, str], str | None]


class Duplicate(Rejected):
    """Another record has a value that only one may have: a key, if it is one of ours."""


class Halted(Rejected):
    """A part of a composite that was not done, because another part failed or found nothing."""


class Fault(msgspec.Struct, rename="camel"):
    """One error of the data API."""

    error_code: str
    message: str = ""
    fields: list[str] = []


class _TokenFault(msgspec.Struct):
    error: str


def explain(
    reply: Reply, ours: Ours, quota_retry_after: float | None, now: float
) -> SourceError | None:
    """The failure behind an answer that is none of 2xx; None leaves it to the status. now: epoch
    seconds, for Retry-After."""
    if not reply.is_json:
        return None
    if reply.operation == LOGIN:
        return _no_token(reply, now)
    try:
        faults = msgspec.json.decode(reply.body, type=list[Fault])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return _named(reply, faults[0], ours, quota_retry_after) if faults else None


def _named(reply: Reply, fault: Fault, ours: Ours, wait: float | None) -> SourceError | None:
    code = fault.error_code
    detail = f"{code}: {fault.message}"[:_KEPT]
    source, operation = reply.source, reply.operation
    if code == "REQUEST_LIMIT_EXCEEDED":
        message = f"{operation}: the org's allocation of calls is used up"
        return Throttled(source, message, detail=detail, retry_after=wait)
    if code in _REFUSED or code.startswith("INSUFFICIENT_ACCESS"):
        return Refused(source, f"{operation}: the org refused the call", detail=detail)
    if code in _PASSING:
        return Unavailable(source, f"{operation}: the org cannot answer now", detail=detail)
    if code == "DUPLICATE_VALUE":
        return Duplicate(source, f"{operation}: the key is taken", detail=detail)
    if code == "PROCESSING_HALTED":
        return Halted(source, f"{operation}: not done, as another part was not", detail=detail)
    if reply.status == 400:
        field = _field(fault, operation, ours)
        about = f" ({field})" if field else ""
        message = f"{operation}: the org did not accept the question{about}"
        return Rejected(source, message, field=field, detail=detail)
    return None


def _field(fault: Fault, operation: str, ours: Ours) -> str | None:
    """Our name of what the error points at."""
    if fault.error_code == "INVALID_FIELD":
        found = _NO_COLUMN.search(fault.message)
        return ours(found[2], found[1]) if found else None
    if fault.error_code in _VALUE and fault.fields and operation in _WRITTEN:
        table, column = _WRITTEN[operation], fault.fields[0]
        field = _STANDARD.get((table, column)) or ours(table, column)
        return _NAME.get(field, field) if field else None
    return None


def _no_token(reply: Reply, now: float) -> SourceError | None:
    # The description is not kept: what a token endpoint says back may repeat what it was sent.
    if reply.status >= 500:
        wait = retry_after(reply.headers, now)
        return Unavailable(reply.source, f"{LOGIN}: answered {reply.status}", retry_after=wait)
    try:
        code = msgspec.json.decode(reply.body, type=_TokenFault).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        code = ""
    if code == "rate_limit_exceeded" or reply.status == 429:
        wait = retry_after(reply.headers, now)
        return Throttled(reply.source, f"{LOGIN}: asked too often", retry_after=wait)
    detail = code if _CODE.fullmatch(code) else None
    return Refused(reply.source, f"{LOGIN}: the login was not accepted", detail=detail)
