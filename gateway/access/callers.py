"""From a token to a caller: who it is, by the CRM, and whose data they may see today.

What the CRM says of a person is believed for a short, set time, and asked once however many
requests wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from connectors.port.records import Account, Identity, Membership, MembershipRole
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import CustomerSource
from gateway.access.claims import Claims, address, ascii_lower
from schema.context import Caller

_log = logging.getLogger("gateway.access")

#: Most persons that are remembered.
_MOST = 10_000
#: Roles, the one that may most first.
_RANK = (MembershipRole.ADMIN, MembershipRole.MEMBER, MembershipRole.READER)

#: What a person is asked for by: ("email", address) or ("contact", id).
Key = tuple[str, str]


class UnknownAccount(Exception):
    """A program wants to act for an account that there is not."""


class Callers:
    """Finds callers. believed: how long an answer of the CRM holds. clock: aware UTC."""

    def __init__(
        self, customers: CustomerSource, believed: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._customers, self._believed, self._clock = customers, believed, clock
        self._known: OrderedDict[Key, tuple[datetime, Identity | None]] = OrderedDict()
        #: The caller of claims, by their identity, while what the CRM said and the day stay.
        self._made: OrderedDict[int, tuple[Claims, Identity, date, Caller]] = OrderedDict()
        self._asking: dict[Key, asyncio.Task[Identity | None]] = {}

    async def caller(self, claims: Claims, acting_for: str | None = None) -> Caller:
        """Whom a token names. A person that the CRM does not know has no memberships and sees
        nothing; so does a program, unless it says for which account it acts.

        acting_for: the CRM's id of an account; it means nothing for a person. Raises SourceError
        when the CRM cannot say, UnknownAccount when there is no such account."""
        if claims.staff:
            return await self._program(claims, acting_for)
        identity = await self._identity(claims)
        if identity is None:
            name = claims.email or claims.subject
            return _caller(claims, "", claims.email or "", name, (), Scope())
        today = self._clock().astimezone(UTC).date()
        made = self._made.get(id(claims))
        if made is not None and made[1] is identity and made[2] == today:
            return made[3]
        valid = tuple(one for one in identity.memberships if one.holds_on(today))
        caller = _caller(
            claims,
            identity.contact_id,
            identity.email,
            identity.name,
            _strongest(valid),
            Scope(membership.account for membership in valid),
            identity.locale,
        )
        self._made[id(claims)] = claims, identity, today, caller
        if len(self._made) > _MOST:
            self._made.popitem(last=False)
        return caller

    async def _program(self, claims: Claims, acting_for: str | None) -> Caller:
        scope = Scope()
        if acting_for is not None:
            scope = Scope((await self._account(acting_for),))
        name = claims.client_id or claims.subject
        return _caller(claims, "", "", name, (), scope)

    async def _account(self, account_id: str) -> AccountRef:
        """The account as every system names it, asked anew each time: a program's access to a
        customer is never older than the CRM. Raises UnknownAccount, SourceError."""
        asked = Scope((AccountRef(account_id),))
        fields = frozenset({"number", "country"})
        found: list[Account | None] = []
        if account_id:
            found = await self._customers.accounts_by_id([account_id], fields, asked)
        account = found[0] if found else None
        if account is None:
            raise UnknownAccount
        return AccountRef(account.id, account.number, account.country)

    def forget(self, email: str) -> None:
        """Drops what is known of a person, so that a change holds at once. An answer that is on
        its way may be older than the change: it serves who waits for it and nobody after."""
        wanted = ascii_lower(email)
        gone: list[Key] = [("email", wanted)]
        for key, (_, identity) in self._known.items():
            if identity is not None and address(identity.email) == wanted:
                gone.append(key)
        # Whose these are is not known before the answer is there.
        gone += [key for key in self._asking if key[0] == "contact"]
        self._drop(gone)

    def forget_contact(self, contact_id: str) -> None:
        """The same by the contact's id."""
        gone: list[Key] = [("contact", contact_id)]
        for key, (_, identity) in self._known.items():
            if identity is not None and identity.contact_id == contact_id:
                gone.append(key)
        gone += [key for key in self._asking if key[0] == "email"]
        self._drop(gone)

    def _drop(self, keys: list[Key]) -> None:
        for key in keys:
            self._known.pop(key, None)
            self._asking.pop(key, None)

    async def _identity(self, claims: Claims) -> Identity | None:
        if claims.contact_id:
            key: Key = ("contact", claims.contact_id)
        elif claims.email:
            key = ("email", claims.email)
        else:
            return None
        known = self._known.get(key)
        if known and self._clock() - known[0] < self._believed:
            self._known.move_to_end(key)
            return known[1]
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        return await asyncio.shield(task)

    def _asked(self, key: Key, done: asyncio.Task[Identity | None]) -> None:
        if self._asking.get(key) is done:
            del self._asking[key]
        if not done.cancelled():
            done.exception()  # retrieved: whoever waited has seen it

    async def _ask(self, key: Key) -> Identity | None:
        asked_at = self._clock()
        kind, value = key
        if kind == "contact":
            identity = await self._customers.identity_by_contact(value)
        else:
            identity = _same(await self._customers.identity_by_email(value), value)
        if self._asking.get(key) is asyncio.current_task():  # nobody said `forget` meanwhile
            names = {key} if identity is None else {key, ("contact", identity.contact_id)}
            for name in names:  # a link to a file names the contact
                self._known[name] = (asked_at, identity)
                self._known.move_to_end(name)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return identity


def _same(identity: Identity | None, email: str) -> Identity | None:
    """The person if the address is theirs. A database may hold addresses to be equal that only look
    alike: "ñ" and "n", or the Kelvin sign and "k". Who has the one is not who has the other."""
    if identity is None or address(identity.email) == email:
        return identity
    _log.warning("the CRM answered with a person of another address, who is not believed")
    return None


def _caller(
    claims: Claims,
    contact_id: str,
    email: str,
    name: str,
    memberships: tuple[Membership, ...],
    scope: Scope,
    locale: str | None = None,
) -> Caller:
    return Caller(
        contact_id=contact_id,
        email=email,
        name=name,
        memberships=memberships,
        scope=scope,
        expires_at=claims.expires_at,
        locale=locale,
        staff=claims.staff,
        scopes=claims.scopes if claims.staff else frozenset(),
        session_id=claims.session_id,
    )


def _strongest(memberships: tuple[Membership, ...]) -> tuple[Membership, ...]:
    """One membership an account, in the order of first sight: of several, the one that may most."""
    chosen: dict[str, Membership] = {}
    for membership in memberships:
        known = chosen.get(membership.account.id)
        if known is None or _RANK.index(membership.role) < _RANK.index(known.role):
            chosen[membership.account.id] = membership
    return tuple(chosen.values())
