"""Asks the CRM for people and companies: who somebody is, and whom the asker may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from connectors.port.errors import Unreadable
from connectors.port.fields import Fields
from connectors.port.pages import Page, cut
from connectors.port.queries import ContactQuery
from connectors.port.records import Account, Contact, Identity
from connectors.port.scope import Scope
from connectors.systems.salesforce import selection, translate
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.paging import chunks, seek, wanted
from connectors.systems.salesforce.relations import in_force
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.soql import (
    ID,
    Column,
    Condition,
    Select,
    columns,
    every,
    record_id,
    same,
)

ACCOUNT: Final = "001"
CONTACT: Final = "003"

_RELATION: Final = "AccountContactRelation"
#: The same as the children of a contact.
_RELATIONS: Final = "AccountContactRelations"
#: An address has at most 254 characters, RFC 5321.
_LONGEST_EMAIL: Final = 254

_ACCOUNT_ID: Final = Column("AccountId")
_CONTACT_ID: Final = Column("ContactId")


class Customers:
    """The CRM as a source of customers. Contacts are seen through their relations to accounts, so
    the org has to have "Contacts to Multiple Accounts" switched on. clock: aware UTC."""

    def __init__(self, client: Client, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._client, self._settings, self._clock = client, settings, clock

    async def identity_by_email(self, email: str) -> Identity | None:
        address = email.strip()
        if not 0 < len(address) <= _LONGEST_EMAIL:
            return None
        # Equality of texts ignores their case in SOQL.
        column = Column(self._settings.columns.contact.email)
        found = await self._identity("identity_by_email", column.equals(address))
        # What the org holds to be equal must be so to us: this decides who somebody is.
        return found if found and found.email.casefold() == address.casefold() else None

    async def identity_by_contact(self, contact_id: str) -> Identity | None:
        if record_id(contact_id, CONTACT) is None:
            return None
        return await self._identity("identity_by_contact", ID.equals(contact_id))

    async def _identity(self, operation: str, who: Condition) -> Identity | None:
        names, account = self._settings.columns.contact, self._settings.columns.account
        relation = ["AccountId", "Roles", "IsActive", "StartDate", "EndDate"]
        relation += selection.account(account, frozenset({"number", "country"}), "Account.")
        relations = Select(_RELATIONS, columns(relation), Column("IsActive").equals(True))
        own = ["Id", names.name, names.email, *([names.locale] if names.locale else [])]
        # Two are enough to know that there is more than one.
        query = Select("Contact", (*columns(own), relations), who, limit=2)
        rows = await self._client.rows(operation, query)
        if len(rows) > 1:
            message = f"{operation}: more than one contact has this address"
            raise Unreadable(self._client.source, message)
        return await self._identified(rows[0]) if rows else None

    async def _identified(self, row: Row) -> Identity:
        names = self._settings.columns.contact
        relations = await self._client.children(row, _RELATIONS)
        memberships = (translate.membership(one, self._settings) for one in relations)
        return Identity(
            contact_id=row.required("Id"),
            email=row.text(names.email) or "",
            name=row.text(names.name) or "",
            memberships=tuple(one for one in memberships if one is not None),
            locale=translate.locale(row.text(names.locale)) if names.locale else None,
        )

    async def accounts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Account | None]:
        visible = {same(ref.id): ref for ref in scope}
        asked = [visible[key].id for key in map(same, wanted(ids, ACCOUNT)) if key in visible]
        if not asked:
            return [None for _ in ids]
        shown = columns(["Id", *selection.account(self._settings.columns.account, fields)])
        queries = [Select("Account", shown, ID.one_of(chunk)) for chunk in chunks(asked, Scope())]
        found: dict[str, Account] = {}
        for row in await self._client.rows_of("accounts_by_id", queries):
            owner = scope.by_id(row.text("Id"))
            if owner is not None:
                found[same(owner.id)] = translate.account(row, self._settings, fields, owner)
        return [found.get(same(one)) if record_id(one) else None for one in ids]

    async def contacts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Contact | None]:
        asked = wanted(ids, CONTACT)
        if not scope or not asked:
            return [None for _ in ids]
        shown = columns(["ContactId", "AccountId", "IsDirect", *self._shown(fields)])
        visible = every(_ACCOUNT_ID.one_of(scope.ids), in_force(self._clock()))
        queries = [
            Select(_RELATION, shown, every(_CONTACT_ID.one_of(chunk), visible))
            for chunk in chunks(asked, scope)
        ]
        rows = await self._client.rows_of("contacts_by_id", queries)
        # The direct account last, so that it stays; else the one with the lowest id, always.
        rows.sort(key=lambda row: row.required("AccountId"), reverse=True)
        rows.sort(key=lambda row: row.flag("IsDirect"))
        found: dict[str, Contact] = {}
        for row in rows:
            contact = self._contact(row, fields, scope)
            if contact is not None:
                found[same(contact.id)] = contact
        return [found.get(same(one)) if record_id(one) else None for one in ids]

    async def contacts_by_account(self, query: ContactQuery) -> Page[Contact]:
        visible = {same(ref.id): ref for ref in query.scope}
        owner = visible.get(same(query.account_id)) if record_id(query.account_id) else None
        if owner is None:
            return Page(())
        fields = query.fields | {"name"}
        place = seek(
            self._client.source,
            query.part,
            Column("Contact." + self._settings.columns.contact.name),
            descending=False,
            times=False,
            id_column=_CONTACT_ID,
        )
        question = Select(
            _RELATION,
            columns(["ContactId", "AccountId", *self._shown(fields)]),
            every(_ACCOUNT_ID.equals(owner.id), in_force(self._clock()), *place.conditions),
            place.order,
            place.limit,
        )
        rows = await self._client.rows("contacts_by_account", question)
        people = [self._contact(row, fields, query.scope) for row in rows]
        return cut([one for one in people if one is not None], query.part)

    def _shown(self, fields: Fields) -> list[str]:
        return selection.contact(self._settings.columns, fields, "Contact.", "Account.")

    def _contact(self, row: Row, fields: Fields, scope: Scope) -> Contact | None:
        owner = scope.by_id(row.text("AccountId"))
        if owner is None:
            return None
        return translate.contact(
            row, self._settings, fields, owner, at="Contact.", account_at="Account."
        )
