"""Writes cases, comments and files into the CRM, each of them once: it carries the gateway's key in
a column that the org holds to be unique, so that a second try finds what the first one did.

A write travels once: whether one that brought no answer was done is known to whoever asks again.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TypeVar

from connectors.port.errors import Rejected, SourceError, Unreadable
from connectors.port.records import CaseStatus, NewCase, NewComment, NewFile, OpenedCase
from connectors.port.scope import Scope
from connectors.systems.salesforce.client import Client, Outcome, Step
from connectors.systems.salesforce.failures import Duplicate, Halted
from connectors.systems.salesforce.filters import owned
from connectors.systems.salesforce.paging import CASE, COMMENT, CONTACT, DOCUMENT
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings, Words, Writes
from connectors.systems.salesforce.soql import (
    ID,
    Column,
    Select,
    columns,
    every,
    record_id,
    same,
)
from connectors.systems.salesforce.translate import attachment_id

K = TypeVar("K", bound=str)

_KEY: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
#: Bytes of a comment that the org takes; texts of all other objects are measured in characters.
_LONGEST_COMMENT: Final = 4000
#: How a reference to another part begins. The org knows no way to say it as a text.
_REFERENCE: Final = "@{"
#: The case that an earlier part of the same call found in the scope.
_PROVEN: Final = "@{case.records[0].Id}"


class CaseWriter:
    """The CRM as a place that takes cases. writes: where the org keeps our keys."""

    def __init__(self, client: Client, settings: Settings, writes: Writes) -> None:
        self._client, self._settings, self._writes = client, settings, writes

    @property
    def largest_file(self) -> int:
        return int(self._writes.largest_megabytes * 1_000_000)

    # ------------------------------------------------------------------------------------- cases

    async def open_case(self, key: str, case: NewCase, scope: Scope) -> OpenedCase:
        self._check_key("open_case", key)
        if case.account not in scope:
            raise self._rejected("open_case: the account is outside the scope", "account")
        number = self._settings.columns.case.number
        of_key = Column(self._writes.case_key).equals(key)
        known = Select("Case", columns(["Id", number, "AccountId"]), of_key, limit=2)
        made, rows = await self._created(self._case(key, case), known)
        if not rows and isinstance(made, SourceError):
            raise made
        row = self._only("open_case", rows)
        if scope.by_id(row.text("AccountId")) is None:
            raise self._rejected("open_case: the key is of another case", "key")
        return OpenedCase(row.record("Id", CASE), row.required(number))

    async def _created(
        self, values: Mapping[str, Any], known: Select
    ) -> tuple[Outcome | None, list[Row]]:
        """What came of creating a case, and the case with its key. Creating one whose key is taken
        fails and changes nothing, whatever was done to the case since."""
        if any(isinstance(one, str) and _REFERENCE in one for one in values.values()):
            # Within a composite this would be read; a call of its own is taken as it is.
            try:
                await self._client.create("open_case", "Case", values)
            except Duplicate as duplicate:
                return duplicate, await self._client.rows("open_case", known)
            return None, await self._client.rows("open_case", known)
        steps = [Step("POST", "/sobjects/Case", "new", values), Step.query("known", known)]
        made, found = await self._client.together("open_case", steps)
        if isinstance(made, SourceError) and isinstance(found, SourceError):
            raise found if isinstance(made, Duplicate) else made
        return made, self._client.rows_in(found)

    def _case(self, key: str, case: NewCase) -> dict[str, Any]:
        names, words = self._settings.columns.case, self._settings.values
        held: dict[str | None, Any] = {
            names.subject: case.subject,
            names.description: case.description,
            names.category: self._word(words.category, case.category, "category"),
            names.order_number: case.order_number,
            names.team: case.team,
        }
        if case.subcategory is not None:
            held[names.subcategory] = self._word(words.subcategory, case.subcategory, "subcategory")
        if case.details:
            told = {detail.name: detail.value for detail in case.details}
            held[names.details] = json.dumps(told, ensure_ascii=False)
        if case.contact_id is not None:
            held["ContactId"] = self._contact("open_case", case.contact_id)
        if self._writes.origin:
            held["Origin"] = self._writes.origin
        # A column behind a relationship belongs to another record.
        own = {name: value for name, value in held.items() if name and "." not in name}
        filled = {name: value for name, value in own.items() if value is not None}
        return {**filled, "AccountId": case.account.id, self._writes.case_key: key}

    def _word(self, words: Mapping[K, Words], code: K, field: str) -> str:
        listed = words.get(code)
        if not listed:
            raise self._rejected(f"open_case: the org has no word for this {field}", field)
        return listed[0]

    async def close_case(self, case_id: str, scope: Scope) -> bool:
        """In one call: only a case that is found open there is changed."""
        if not scope or record_id(case_id, CASE) is None:
            return False
        status = self._settings.columns.case.status
        word = self._word(self._settings.values.status, CaseStatus.CLOSED, "status")
        mine = (ID.equals(case_id), owned(scope))
        is_open = Column("IsClosed").equals(False)
        steps = [
            Step.query("any", Select("Case", columns(["Id"]), every(*mine))),
            Step.query("case", Select("Case", columns(["Id"]), every(*mine, is_open))),
            Step("PATCH", f"/sobjects/Case/{_PROVEN}", "closed", {status: word}),
        ]
        known, found, closed = await self._client.together("close_case", steps)
        if not self._client.rows_in(known):
            return False
        if self._client.rows_in(found) and isinstance(closed, SourceError):
            raise closed
        return True

    # ---------------------------------------------------------------------------------- comments

    async def add_comment(self, key: str, comment: NewComment, scope: Scope) -> str:
        """In one call, all or none of it: the case is proven, and comment and entry are made."""
        self._check_key("add_comment", key)
        body = comment.body.replace(_REFERENCE, "@ {")
        if len(body.encode(errors="surrogatepass")) > _LONGEST_COMMENT:
            raise self._rejected("add_comment: the text is too long", "body")
        names = self._writes
        entry = {
            names.entry_key: key,
            names.entry_case: _PROVEN,
            names.entry_comment: "@{said.id}",
        }
        if comment.contact_id is not None:
            entry[names.entry_contact] = self._contact("add_comment", comment.contact_id)
        said = {"ParentId": _PROVEN, "CommentBody": body, "IsPublished": True}
        steps = [
            Step.query("case", self._proof("add_comment", comment.case_id, scope)),
            Step("POST", "/sobjects/CaseComment", "said", said),
            Step("POST", f"/sobjects/{names.entry}", "entry", entry),
        ]
        outcomes = await self._client.together("add_comment", steps, all_or_none=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, SourceError)]
        if not failures:
            return self._client.made(outcomes[1])
        for failure in failures:
            if not isinstance(failure, Duplicate | Halted):
                raise failure
        return await self._said_before(key, comment, scope)

    async def _said_before(self, key: str, comment: NewComment, scope: Scope) -> str:
        """The comment that an earlier try made, when this one was held up by its entry."""
        names = self._writes
        entry = Select(
            names.entry,
            columns([names.entry_comment, names.entry_case]),
            Column(names.entry_key).equals(key),
            limit=2,
        )
        proof = self._proof("add_comment", comment.case_id, scope)
        proven, entries = await asyncio.gather(
            self._client.rows("add_comment", proof), self._client.rows("add_comment", entry)
        )
        if not proven:
            raise self._outside("add_comment")
        row = self._only("add_comment", entries)
        if same(row.required(names.entry_case)) != same(comment.case_id):
            raise self._rejected("add_comment: the key is of another case", "key")
        return row.record(names.entry_comment, COMMENT)

    # ------------------------------------------------------------------------------------- files

    async def add_file(self, key: str, file: NewFile, scope: Scope) -> str:
        """Bytes only travel where none with this key are there."""
        self._check_key("add_file", key)
        if file.size > self.largest_file:
            raise self._rejected("add_file: the file is too large", "file")
        of_key = Column(self._writes.file_key).equals(key)
        known = Select("ContentVersion", columns(["ContentDocumentId"]), of_key, limit=2)
        proven, versions = await asyncio.gather(
            self._client.rows("add_file", self._proof("add_file", file.case_id, scope)),
            self._client.rows("add_file", known),
        )
        if not proven:
            raise self._outside("add_file")
        case_id = proven[0].record("Id", CASE)
        if not versions:
            await self._send(key, file, case_id)
        return await self._shown(case_id, known)

    async def _send(self, key: str, file: NewFile, case_id: str) -> None:
        described = {
            "Title": file.filename,
            "PathOnClient": file.filename,
            "FirstPublishLocationId": case_id,
            self._writes.file_key: key,
        }
        if file.contact_id is not None:
            contact = self._contact("add_file", file.contact_id)
            described[self._writes.file_contact] = contact
        try:
            await self._client.send_file(
                "add_file", described, file.content_type, file.size, lambda: self._exactly(file)
            )
        except Duplicate:
            return  # another try was faster, and it is read next

    async def _exactly(self, file: NewFile) -> AsyncIterator[bytes]:
        left = file.size
        async for piece in file.read():
            left -= len(piece)
            if left < 0:
                break
            yield piece
        if left:
            raise self._rejected("add_file: the file is not as large as was said", "file")

    async def _shown(self, case_id: str, known: Select) -> str:
        """The attachment's id, once its link lets customers see it: which visibility the link gets
        that comes with a new file, is the org's to choose."""
        on_case = Column("LinkedEntityId").equals(case_id)
        shown = columns(["Id", "ContentDocumentId", "Visibility"])
        versions, links = await asyncio.gather(
            self._client.rows("add_file", known),
            self._client.rows("add_file", Select("ContentDocumentLink", shown, on_case)),
        )
        document = self._only("add_file", versions).record("ContentDocumentId", DOCUMENT)
        link = next((row for row in links if row.text("ContentDocumentId") == document), None)
        if link is None:
            raise self._rejected("add_file: the key is of a file on another case", "key")
        visible = self._settings.visible_files
        if visible and link.text("Visibility") not in visible:
            changes = {"Visibility": visible[0]}
            link_id = link.record("Id", "06A")
            await self._client.change("add_file", "ContentDocumentLink", link_id, changes)
        return attachment_id(case_id, document)

    # ------------------------------------------------------------------------------------ pieces

    def _proof(self, operation: str, case_id: str, scope: Scope) -> Select:
        if not scope or record_id(case_id, CASE) is None:
            raise self._outside(operation)
        return Select("Case", columns(["Id"]), every(ID.equals(case_id), owned(scope)))

    def _contact(self, operation: str, contact_id: str) -> str:
        found = record_id(contact_id, CONTACT)
        if found is None:
            raise self._rejected(f"{operation}: this is no contact", "contact_id")
        return found

    def _only(self, operation: str, rows: list[Row]) -> Row:
        if len(rows) != 1:
            found = "nothing has" if not rows else "more than one record has"
            raise Unreadable(self._client.source, f"{operation}: {found} this key")
        return rows[0]

    def _check_key(self, operation: str, key: str) -> None:
        if not _KEY.fullmatch(key):
            raise self._rejected(f"{operation}: this is no key", "key")

    def _outside(self, operation: str) -> Rejected:
        return self._rejected(f"{operation}: there is no such case in the scope", "case_id")

    def _rejected(self, message: str, field: str) -> Rejected:
        return Rejected(self._client.source, message, field=field)
