"""Who keeps identities and who writes people, in memory: what they are asked to do is written down,
and held against what the asker may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.port.records import ContactChanges, MembershipRole, NewContact
from connectors.port.scope import Scope
from schema.context import Caller
from schema.identity.service import Invitation, Origin, Problem, ProblemCode, Problems, Session
from tests.worlds.world import NOW, World

#: What lets anybody in, as a password, token or code.
SECRET = "correct horse battery staple"
ORIGIN = Origin("192.0.2.1", "a generated world", "r-1")


def _proved(secret: str) -> None:
    if secret != SECRET:
        again = NOW + timedelta(minutes=5)
        raise Problems(Problem(ProblemCode.TOO_MANY_ATTEMPTS, "Not this.", retry_at=again))


@dataclass(slots=True)
class Identities:
    """An IdentityService for everybody in a world. admitted: addresses that proved who they are."""

    world: World
    admitted: list[str] = field(default_factory=list)
    invited: list[Invitation] = field(default_factory=list)

    def _session(self, email: str) -> Session:
        self.admitted.append(email)
        number = len(self.admitted) - 1
        return Session(f"access {number}", f"refresh {number}", NOW + timedelta(hours=1), email)

    def email(self, access_token: str) -> str:
        """Whose session a token is of."""
        return self.admitted[int(access_token.removeprefix("access "))]

    async def sign_in(self, email: str, password: str, origin: Origin) -> Session:
        _proved(password)
        return self._session(email.lower())

    async def refresh(self, refresh_token: str, origin: Origin) -> Session:
        _proved(refresh_token)
        return self._session("nobody@people.example")

    async def sign_out(self, refresh_token: str, origin: Origin) -> None: ...

    async def request_reset(self, email: str, language: str, origin: Origin) -> None: ...

    async def verify_reset(self, email: str, code: str, origin: Origin) -> str:
        _proved(code)
        return SECRET

    async def reset_password(self, reset_token: str, password: str, origin: Origin) -> None:
        _proved(reset_token)

    async def change_password(
        self, caller: Caller, current: str, password: str, origin: Origin
    ) -> None:
        _proved(current)

    async def invite(
        self, invitation: Invitation, by: str, language: str, origin: Origin
    ) -> datetime:
        self.invited.append(invitation)
        return NOW + timedelta(hours=48)

    async def accept_invitation(self, token: str, password: str, origin: Origin) -> Session:
        _proved(token)
        emails = sorted(person.email for person in self.world.people)
        return self._session(emails[0] if emails else "nobody@people.example")


@dataclass(slots=True)
class Writer:
    """A CustomerWriter that changes nothing. written: whom it was to change, with which scope."""

    world: World
    written: list[tuple[str, Scope]] = field(default_factory=list)
    added: list[tuple[NewContact, Scope]] = field(default_factory=list)

    async def update_contact(self, contact_id: str, changes: ContactChanges, scope: Scope) -> bool:
        self.written.append((contact_id, scope))
        people = [p for p in self.world.people if p.contact.id == contact_id]
        return any(scope.by_id(key) for person in people for key in person.accounts)

    async def ensure_contact(self, person: NewContact, scope: Scope) -> MembershipRole:
        self.added.append((person, scope))
        return person.role
