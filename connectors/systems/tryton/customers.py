"""Customers and their people: parties of Tryton, tied by relations of the settings' types."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from connectors.kit.batching import in_groups
from connectors.port.errors import Rejected, Unreadable
from connectors.port.fields import Fields
from connectors.port.pages import Page, cut
from connectors.port.queries import ContactQuery
from connectors.port.records import Account, Contact, Identity
from connectors.port.scope import Scope
from connectors.systems.tryton import places, translate
from connectors.systems.tryton.client import Row, Tryton, key_of
from connectors.systems.tryton.domain import Domain, Having, alike, all_of, among, equal, present
from connectors.systems.tryton.selection import IDENTITY, account_paths, contact_paths
from connectors.systems.tryton.settings import TrytonSettings

_MODEL = "party.party"
_BY_NAME = places.Line("name", str)
#: Records of one call by id.
BATCH = 200
#: Parties of one address that are looked at.
_NAMESAKES = 20


class Customers:
    """A CustomerSource over one Tryton."""

    def __init__(self, tryton: Tryton, settings: TrytonSettings) -> None:
        self._tryton = tryton
        self._settings = settings

    async def identity_by_email(self, email: str) -> Identity | None:
        operation = "identity_by_email"
        mail = all_of([equal("type", "email"), alike("value", email)])
        domain = all_of([Having("contact_mechanisms", mail)])
        rows = await self._tryton.search(operation, _MODEL, domain, IDENTITY, limit=_NAMESAKES)
        with self._tryton.reading(operation):
            # Tryton looks past accents where its database can, and nobody may be taken for another.
            same = [(row, found) for row in rows if (found := _same(row, email)) is not None]
            people = [pair for pair in same if translate.portal_relations(pair[0], self._settings)]
            if len(people) > 1 or (not people and len(same) > 1):
                message = f"{operation}: several parties have this address"
                raise Unreadable(self._tryton.source, message)
            # A company may get its mail under the address of one of its people.
            for row, found in people or same:
                return translate.identity(row, found, self._settings)
        return None

    async def identity_by_contact(self, contact_id: str) -> Identity | None:
        operation = "identity_by_contact"
        key = key_of(contact_id)
        if key is None:
            return None
        domain = equal("id", key)
        for row in await self._tryton.search(operation, _MODEL, domain, IDENTITY, limit=1):
            with self._tryton.reading(operation):
                email = next(iter(translate.emails(row)), "")
                return translate.identity(row, email, self._settings)
        return None

    async def accounts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Account | None]:
        operation = "accounts_by_id"
        paths = account_paths(fields, self._settings.tax_identifiers)
        found: dict[str, Account] = {}
        for row in await self._by_id(operation, scope.narrowed(ids).ids, paths):
            with self._tryton.reading(operation):
                owner = scope.by_id(str(row["id"]))
                if owner is not None:
                    account = translate.account(row, owner, fields, self._settings)
                    found[account.id] = account
        return [found.get(key) for key in ids]

    async def contacts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Contact | None]:
        operation = "contacts_by_id"
        if not scope:
            return [None] * len(ids)
        paths = contact_paths(fields, self._settings.tax_identifiers)
        rows = await self._by_id(operation, ids, paths, self._related(scope))
        contacts = self._contacts(operation, rows, fields, scope)
        found = {contact.id: contact for contact in contacts}
        return [found.get(key) for key in ids]

    async def contacts_by_account(self, query: ContactQuery) -> Page[Contact]:
        operation, part = "contacts_by_account", query.part
        scope = query.scope.narrowed([query.account_id])
        if not _keys(scope.ids):
            return Page([])
        try:
            bounds = places.bounds(_BY_NAME, False, part)
        except places.NoSuchPlace:
            raise Rejected(self._tryton.source, f"{operation}: no cursor of this list") from None
        rows = await self._tryton.search(
            operation,
            _MODEL,
            all_of([self._related(scope), present("name"), *bounds]),
            contact_paths(query.fields, self._settings.tax_identifiers),
            places.ordering(_BY_NAME, False, part),
            part.limit + 1,
        )
        page = cut(rows, part)
        contacts = self._contacts(operation, page.items, query.fields, scope)
        return Page(contacts, page.has_next, page.has_previous)

    def _related(self, scope: Scope) -> Domain:
        """People of these accounts."""
        kind = among("type.name", sorted(self._settings.relations))
        return Having("relations", all_of([among("to", _keys(scope.ids)), kind]))

    def _contacts(
        self, operation: str, rows: Sequence[Row], fields: Fields, scope: Scope
    ) -> list[Contact]:
        """In the order of rows, each seen through the first account of the scope it is tied to."""
        found = []
        with self._tryton.reading(operation):
            for row in rows:
                for relation in translate.portal_relations(row, self._settings):
                    owner = scope.by_id(str(relation["to"]["id"]))
                    if owner is not None:
                        contact = translate.contact(row, owner.id, owner, fields, self._settings)
                        found.append(contact)
                        break
        return found

    async def _by_id(
        self, operation: str, ids: Sequence[str], paths: set[str], condition: Domain | None = None
    ) -> list[Row]:
        async def ask(keys: Sequence[int]) -> list[Row]:
            domain = all_of([among("id", keys), condition])
            return await self._tryton.search(operation, _MODEL, domain, paths)

        answers = await asyncio.gather(*map(ask, in_groups(_keys(ids), BATCH)))
        return [row for rows in answers for row in rows]


def _keys(ids: Sequence[str]) -> list[int]:
    """Ids as Tryton's numbers, each once, without malformed ones."""
    return [key for key in map(key_of, dict.fromkeys(ids)) if key is not None]


def _same(row: Row, email: str) -> str | None:
    """The party's own spelling of this address."""
    wanted = email.casefold()
    return next((one for one in translate.emails(row) if one.casefold() == wanted), None)
