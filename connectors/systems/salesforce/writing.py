"""Writes people into the CRM. What is there is read first, so that asking twice changes it once.

A write travels once: whether one that brought no answer was done is known to whoever asks again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from connectors.port.errors import Rejected, Unreadable
from connectors.port.records import ContactChanges, MembershipRole, NewContact
from connectors.port.scope import Scope
from connectors.systems.salesforce import translate
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.paging import CONTACT
from connectors.systems.salesforce.relations import in_force
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.soql import Column, Select, columns, every, record_id

_PERSON, _RELATION = "Contact", "AccountContactRelation"
#: Most characters of the standard column FirstName.
_LONGEST_GIVEN: Final = 40

_ACCOUNT_ID: Final = Column("AccountId")
_CONTACT_ID: Final = Column("ContactId")

Values = dict[str, str | bool | None]


class CustomerWriter:
    """The CRM as a place where people are kept. clock: aware UTC."""

    def __init__(self, client: Client, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._client, self._settings, self._clock = client, settings, clock

    async def update_contact(self, contact_id: str, changes: ContactChanges, scope: Scope) -> bool:
        if not scope or record_id(contact_id, CONTACT) is None:
            return False
        names = self._settings.columns.contact
        given = [f"Contact.{names.given_name}"] if names.given_name else []
        query = Select(
            _RELATION,
            columns(["ContactId", *given]),
            every(
                _CONTACT_ID.equals(contact_id),
                _ACCOUNT_ID.one_of(scope.ids),
                in_force(self._clock()),
            ),
            limit=1,
        )
        rows = await self._client.rows("update_contact", query)
        if not rows:
            return False
        values = self._named(changes.name, rows[0].text(given[0]) if given else None)
        values |= self._described(changes.phone, changes.job_title, changes.locale)
        if values:
            found = rows[0].required("ContactId")
            await self._client.change("update_contact", _PERSON, found, values)
        return True

    async def ensure_contact(self, person: NewContact, scope: Scope) -> MembershipRole | None:
        if person.account not in scope:
            message = "ensure_contact: the account is outside the scope"
            raise Rejected(self._client.source, message, field="account")
        known = await self._known(person)
        contact_id = known.required("Id") if known else await self._create(person)
        relations = await self._relations(contact_id, person)
        if not relations:
            new: Values = {"AccountId": person.account.id, "ContactId": contact_id}
            new |= {"Roles": self._granted(person), "IsActive": True}
            await self._client.create("ensure_contact", _RELATION, new)
            return person.role
        held = [row for row in relations if self._holds(row)]
        if not held:
            return None
        roles = {translate.role(self._settings.values, list(row.several("Roles"))) for row in held}
        found = next((one for one in MembershipRole if one in roles), None)
        if found is None:
            # As the org makes it with a new contact of the account.
            granted = ";".join([*held[0].several("Roles"), self._granted(person)])
            record = held[0].required("Id")
            await self._client.change("ensure_contact", _RELATION, record, {"Roles": granted})
        return found or person.role

    async def _known(self, person: NewContact) -> Row | None:
        email = self._settings.columns.contact.email
        query = Select(_PERSON, columns(["Id", email]), Column(email).equals(person.email), limit=2)
        rows = await self._client.rows("ensure_contact", query)
        if len(rows) > 1:
            message = "ensure_contact: more than one contact has this address"
            raise Unreadable(self._client.source, message)
        if rows and (rows[0].text(email) or "").casefold() != person.email.casefold():
            # The org holds another address to be equal: a second contact would share its identity.
            message = "ensure_contact: a contact with an address that looks alike is there"
            raise Rejected(self._client.source, message, field="email")
        return rows[0] if rows else None

    async def _create(self, person: NewContact) -> str:
        values = self._named(person.name, None)
        values |= self._described(person.phone, person.job_title, person.locale)
        values |= {
            self._settings.columns.contact.email: person.email,
            "AccountId": person.account.id,
        }
        return await self._client.create("ensure_contact", _PERSON, values)

    async def _relations(self, contact_id: str, person: NewContact) -> list[Row]:
        """The relations of the person to the account: one at most, in an org as it should be."""
        names = ["Id", "Roles", "IsActive", "StartDate", "EndDate"]
        of_both = every(_CONTACT_ID.equals(contact_id), _ACCOUNT_ID.equals(person.account.id))
        return await self._client.rows(
            "ensure_contact", Select(_RELATION, columns(names), of_both, limit=2)
        )

    def _holds(self, row: Row) -> bool:
        """Whether a relation is active and its days hold today."""
        today = self._clock().astimezone(UTC).date()
        begins, ends = row.day("StartDate"), row.day("EndDate")
        early, late = begins is not None and begins > today, ends is not None and ends < today
        return row.flag("IsActive") and not early and not late

    def _granted(self, person: NewContact) -> str:
        return self._settings.values.role[person.role][0]

    def _named(self, name: str | None, given_now: str | None) -> Values:
        """A full name in its two columns. The border stays where it was; else it is after the first
        word, since people have several family names more often than several first ones."""
        if not name:
            return {}
        names = self._settings.columns.contact
        if not names.family_name:
            return {names.name: name}
        border = len(given_now or "")
        if not given_now or not name.startswith(f"{given_now} "):
            border = max(name.find(" "), 0)
        given, family = name[:border], name[border:].strip()
        if not names.given_name or not given or len(given) > _LONGEST_GIVEN:
            return {
                names.family_name: name,
                **({names.given_name: None} if names.given_name else {}),
            }
        return {names.given_name: given, names.family_name: family}

    def _described(self, phone: str | None, title: str | None, locale: str | None) -> Values:
        """None leaves a column as it is, an empty text empties it. Raises Rejected for what the org
        has no column for."""
        names = self._settings.columns.contact
        values: dict[str, Any] = {}
        if phone is not None:
            values[self._column("phone", names.phone or names.mobile)] = phone or None
            if not phone and names.mobile:
                values[names.mobile] = None  # it would answer as the phone
        if title is not None:
            values[self._column("job_title", names.job_title)] = title or None
        if locale is not None:
            values[self._column("locale", names.locale)] = locale.replace("-", "_") or None
        return values

    def _column(self, field: str, column: str | None) -> str:
        if not column:
            message = f"the org keeps no {field}"
            raise Rejected(self._client.source, message, field=field)
        return column
