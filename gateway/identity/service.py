"""What people do at the door: sign in, take up an invitation, get a new password.

Every answer to somebody who did not prove who they are is the same for an address that has access
and for one that has none, and takes the same work: the same tries counted, the same questions to
the database, one hash. The CRM is asked only after the proof.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connectors.port.errors import SourceError
from connectors.port.sources import CustomerSource
from gateway.audit import Audit, Outcome
from gateway.database.engine import Database
from gateway.identity import addresses, people, problems
from gateway.identity.attempts import Attempts
from gateway.identity.invitations import Claimed, EnsureContact, Invitations
from gateway.identity.letters import Kind
from gateway.identity.limits import Tries
from gateway.identity.outbox import Outbox
from gateway.identity.passwords import Busy, Passwords, problem_with, too_long
from gateway.identity.people import People, Person
from gateway.identity.repeats import Repeats
from gateway.identity.resets import Refusal, Resets
from gateway.identity.sessions import Because, Reused, Sessions
from schema.context import Caller
from schema.identity.service import Invitation, Origin, Problem, ProblemCode, Problems, Session

#: When somebody may come back who came while too many hashes were waiting.
_SOON = timedelta(seconds=5)
#: Most characters of what an invitation says of a person.
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the service works with."""

    database: Database
    people: People
    passwords: Passwords
    sessions: Sessions
    invitations: Invitations
    resets: Resets
    attempts: Attempts
    tries: Tries
    outbox: Outbox
    audit: Audit


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the service knows of the world outside. ensure_contact: None where the CRM knows the
    person before they are invited. forget: drops what is known of an address."""

    customers: CustomerSource
    clock: Callable[[], datetime]
    forget: Callable[[str], None]
    ensure_contact: EnsureContact | None = None


class Identities:
    """The embedded IdentityService."""

    def __init__(self, rooms: Rooms, around: Surroundings) -> None:
        self._rooms, self._around = rooms, around
        self._repeats = Repeats(around.clock)

    # ------------------------------------------------------------------------------- sessions

    async def sign_in(self, email: str, password: str, origin: Origin) -> Session:
        """A session for whoever proves to be this person and acts for a customer. Where the CRM
        cannot say whether they do, the session begins: what it opens is asked again each time."""
        plain = addresses.plain(email)
        async with self._noting("session.refused", plain, origin):
            _refuse(too_long(password, "password"))
            rooms = self._rooms
            of, source = rooms.tries.sign_in_of(plain or email), rooms.tries.sign_in_from(origin)
            await rooms.attempts.take(of, source)
            person = await rooms.people.by_email(plain)
            kept = person.password_hash if person else None
            right = await rooms.passwords.verify(kept, password)
            if person is None or not right:
                raise Problems(problems.wrong_credentials())
            await rooms.attempts.forgive(of)
            await rooms.attempts.give_back(source)
            await self._freshen(person, password)
            # What is believed of a person from before must not outlast this.
            self._around.forget(person.email)
            await self._admit(person)
            session = await rooms.sessions.start(person)
            if session is None:
                raise Problems(problems.wrong_credentials())
        await self._note("session.started", person.email, origin)
        return session

    async def refresh(self, refresh_token: str, origin: Origin) -> Session:
        try:
            session = await self._rooms.sessions.refresh(refresh_token)
        except Reused as reused:
            await self._note("session.reused", reused.email, origin, outcome=Outcome.REFUSED)
            raise Problems(problems.session_over()) from None
        if session is None:
            raise Problems(problems.session_over())
        return session

    async def sign_out(self, refresh_token: str, origin: Origin) -> None:
        email = await self._rooms.sessions.sign_out(refresh_token)
        if email is not None:
            await self._note("session.ended", email, origin)

    # ------------------------------------------------------------------------------ passwords

    async def request_reset(self, email: str, language: str, origin: Origin) -> None:
        plain = addresses.plain(email)
        async with self._noting("reset.refused", plain, origin):
            rooms = self._rooms
            of = rooms.tries.request_of(plain or email)
            await rooms.attempts.take(of, rooms.tries.request_from(origin))
            if plain is not None:
                await rooms.resets.request(rooms.outbox, plain, language)
        await self._note("reset.requested", plain, origin)

    async def verify_reset(self, email: str, code: str, origin: Origin) -> str:
        plain = addresses.plain(email)
        async with self._noting("reset.refused", plain, origin):
            rooms = self._rooms
            of = rooms.tries.verify_of(plain or email)
            await rooms.attempts.take(of, rooms.tries.verify_from(origin))
            answer = await rooms.resets.verify(plain, code)
            if answer is Refusal.EXPIRED:
                raise Problems(problems.code_expired())
            if answer is Refusal.SPENT:
                again = await rooms.attempts.free_at(rooms.tries.request_of(plain or email))
                raise Problems(problems.code_spent(again))
            if isinstance(answer, Refusal):
                raise Problems(problems.wrong_code())
        await self._note("reset.verified", plain, origin)
        return answer

    async def reset_password(self, reset_token: str, password: str, origin: Origin) -> None:
        rooms = self._rooms
        _refuse(too_long(password, "newPassword"))
        email = await rooms.resets.owner(reset_token)
        async with self._noting("reset.refused", email, origin):
            person = await rooms.people.by_email(email)
            if email is None or person is None:
                raise Problems(problems.reset_expired())
            _refuse(problem_with(password, email, "newPassword"))
            hashed = await rooms.passwords.hash(password)
            async with rooms.database.write() as connection:
                if not await rooms.resets.use(connection, reset_token):
                    raise Problems(problems.reset_expired())
                now = self._around.clock()
                await people.set_password(connection, person.id, hashed, now)
                ended = await rooms.sessions.end_of(connection, person.id, Because.CHANGED)
                await rooms.outbox.put(connection, Kind.CHANGED, email, person.language)
        rooms.sessions.announce(ended)
        rooms.outbox.wake()
        await rooms.attempts.forgive(rooms.tries.sign_in_of(email))
        await self._note("password.reset", email, origin)

    async def change_password(
        self, caller: Caller, current: str, password: str, origin: Origin
    ) -> None:
        rooms = self._rooms
        plain = addresses.plain(caller.email or "")
        async with self._noting("password.refused", plain, origin):
            _refuse(too_long(current, "currentPassword"))
            _refuse(too_long(password, "newPassword"))
            of = rooms.tries.sign_in_of(plain or "")
            await rooms.attempts.take(of, rooms.tries.sign_in_from(origin))
            person = await rooms.people.by_email(plain)
            if person is None:
                raise Problems(problems.other_provider())
            if not await rooms.passwords.verify(person.password_hash, current):
                raise Problems(problems.wrong_current_password())
            await rooms.attempts.forgive(of)
            _refuse(problem_with(password, person.email, "newPassword"))
            hashed = await rooms.passwords.hash(password)
            async with rooms.database.write() as connection:
                now = self._around.clock()
                await people.set_password(connection, person.id, hashed, now)
                ended = await rooms.sessions.end_of(
                    connection, person.id, Because.CHANGED, but=caller.session_id
                )
                await rooms.outbox.put(connection, Kind.CHANGED, person.email, person.language)
        rooms.sessions.announce(ended)
        rooms.outbox.wake()
        await self._note("password.changed", person.email, origin)

    # ---------------------------------------------------------------------------- invitations

    async def invite(
        self, invitation: Invitation, by: str, language: str, origin: Origin
    ) -> datetime:
        rooms, plain = self._rooms, addresses.plain(invitation.email)
        whose = invitation.account.number or invitation.account.id
        what = f"{plain or '-'} as {invitation.role.value}"
        async with self._noting("invitation.refused", by, origin, whose=whose, what=what):
            if plain is None:
                raise Problems(problems.no_address("email"))
            for name, text in (
                ("name", invitation.name),
                ("jobTitle", invitation.job_title),
                ("phone", invitation.phone),
            ):
                if text is not None and len(text) > _LONGEST_TEXT:
                    raise Problems(problems.too_long(name, _LONGEST_TEXT))
            await rooms.attempts.take(rooms.tries.invite_to(plain), rooms.tries.invite_by(by))
            known = replace(invitation, email=plain)
            expires_at = await rooms.invitations.add(rooms.outbox, known, by, language)
        await self._note("invitation.sent", by, origin, whose=whose, what=what)
        return expires_at

    async def accept_invitation(self, token: str, password: str, origin: Origin) -> Session:
        rooms, source = self._rooms, self._rooms.tries.accept_from(origin)
        async with self._noting("invitation.refused", None, origin):
            _refuse(too_long(password, "password"))
            await rooms.attempts.take(source)
            async with rooms.invitations.claimed(token) as claimed:
                person = await self._accept(claimed, password)
            session = await rooms.sessions.start(person)
            if session is None:
                raise Problems(problems.invitation_used())
        self._around.forget(person.email)
        await rooms.attempts.give_back(source)
        invitation = claimed.invitation
        whose = invitation.account.number or invitation.account.id
        what = f"invited by {claimed.invited_by} as {invitation.role.value}"
        await self._note("invitation.accepted", person.email, origin, whose=whose, what=what)
        await self._note("session.started", person.email, origin)
        return session

    async def _accept(self, claimed: Claimed, password: str) -> Person:
        """Whoever took up an invitation, with their password. Somebody who had one gets this one:
        the link proves as much as a code."""
        rooms, invitation = self._rooms, claimed.invitation
        _refuse(problem_with(password, invitation.email, "password"))
        hashed = await rooms.passwords.hash(password)
        if self._around.ensure_contact is not None:
            await self._around.ensure_contact(invitation)
        async with rooms.database.write() as connection:
            person, had_one = await rooms.invitations.use(connection, claimed, hashed)
            ended = await rooms.sessions.end_of(connection, person.id, Because.CHANGED)
            if had_one:
                await rooms.outbox.put(connection, Kind.CHANGED, person.email, person.language)
        rooms.sessions.announce(ended)
        rooms.outbox.wake()
        return person

    # ---------------------------------------------------------------------------------- inside

    async def _freshen(self, person: Person, password: str) -> None:
        """Hashes a password anew whose hash was made at another cost."""
        passwords = self._rooms.passwords
        if passwords.outdated(person.password_hash):
            await self._rooms.people.rehash(person, await passwords.hash(password))

    async def _admit(self, person: Person) -> None:
        """Raises Problems for somebody who acts for no customer today."""
        try:
            identity = await self._around.customers.identity_by_email(person.email)
        except SourceError:
            return
        today = self._around.clock().astimezone(UTC).date()
        # The CRM folds addresses by rules of its own: what it found must be this very address.
        if identity is None or addresses.plain(identity.email) != person.email:
            raise Problems(problems.no_customer())
        if not any(membership.holds_on(today) for membership in identity.memberships):
            raise Problems(problems.no_customer())

    @asynccontextmanager
    async def _noting(
        self,
        event: str,
        who: str | None,
        origin: Origin,
        whose: str | None = None,
        what: str = "-",
    ) -> AsyncIterator[None]:
        """Writes refusals into the audit, and makes one of a gateway that has too much to hash."""
        try:
            yield
        except Busy:
            raise Problems(problems.busy(self._around.clock() + _SOON)) from None
        except Problems as refused:
            codes = " ".join(problem.code for problem in refused.problems)
            over = codes == ProblemCode.TOO_MANY_ATTEMPTS
            if not over or self._repeats.first(event, who or "-", origin.address):
                await self._note(event, who, origin, whose, what, codes)
            raise

    async def _note(
        self,
        event: str,
        who: str | None,
        origin: Origin,
        whose: str | None = None,
        what: str = "-",
        outcome: str = Outcome.OK,
    ) -> None:
        # What is no address might be a password in the wrong place: it is not written down.
        name = who or "-"
        await self._rooms.audit.note(
            event, who=name, whose=whose or name, what=what, origin=origin, outcome=outcome
        )


def _refuse(problem: Problem | None) -> None:
    if problem is not None:
        raise Problems(problem)
