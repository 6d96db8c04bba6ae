"""From what changed to what must not be remembered any more."""

from __future__ import annotations

from collections.abc import Callable

from connectors.port.records import ContactChanges, MembershipRole, NewContact
from connectors.port.scope import Scope
from connectors.port.sources import CustomerWriter
from gateway.sources.cached import Answers
from gateway.sources.freshness import Kind
from gateway.sources.versions import EVERYBODY
from schema.events import Event, What


def listener(answers: Answers) -> Callable[[Event | None], None]:
    """Hears of changes, for `gateway.events.hub.Hub.listen`."""

    def hear(event: Event | None) -> None:
        if event is None:
            answers.changed_elsewhere()
        elif event.what is What.CONTACT_CHANGED:
            # A person may be of several accounts, and stands inside of cases too.
            for kind in (Kind.CONTACTS, Kind.CASES):
                answers.changed(kind, EVERYBODY)
        elif event.what is not What.SUBMISSIONS_CHANGED:  # which says no more than "look"
            answers.changed(Kind.CASES, event.account_id or EVERYBODY)

    return hear


class TellingCustomerWriter:
    """A CustomerWriter whose changes are told, also where nobody knows whether one was done."""

    def __init__(self, writer: CustomerWriter, answers: Answers) -> None:
        self._writer, self._answers = writer, answers

    async def update_contact(self, contact_id: str, changes: ContactChanges, scope: Scope) -> bool:
        try:
            return await self._writer.update_contact(contact_id, changes, scope)
        finally:
            self._changed()

    async def ensure_contact(self, person: NewContact, scope: Scope) -> MembershipRole | None:
        try:
            return await self._writer.ensure_contact(person, scope)
        finally:
            self._changed()

    def _changed(self) -> None:
        # A person may be of several accounts, and stands inside of cases too.
        for kind in (Kind.CONTACTS, Kind.CASES):
            self._answers.changed(kind, EVERYBODY)
