"""From a token to a caller: who it is, by the CRM, and whose data they may see today.

What the CRM says of a person is believed for a short, set time, and asked once however many
requests wait for it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from connectors.port.records import Identity, Membership, MembershipRole
from connectors.port.scope import Scope
from connectors.port.sources import CustomerSource
from gateway.access.tokens import Claims
from schema.context import Caller

#: Most persons that are remembered.
_MOST = 10_000
#: Roles, the one that may most first.
_RANK = (MembershipRole.ADMIN, MembershipRole.MEMBER, MembershipRole.READER)


class Callers:
    """Finds callers. believed: how long an answer of the CRM holds. clock: aware UTC."""

    def __init__(
        self, customers: CustomerSource, believed: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._customers, self._believed, self._clock = customers, believed, clock
        self._known: OrderedDict[str, tuple[datetime, Identity | None]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Identity | None]] = {}

    async def caller(self, claims: Claims) -> Caller:
        """The person that a token names. A person that the CRM does not know has no memberships
        and sees nothing. Raises SourceError when the CRM cannot say."""
        identity = await self._identity(claims.email)
        if identity is None:
            return Caller(
                contact_id="",
                email=claims.email,
                name=claims.email,
                memberships=(),
                scope=Scope(),
                expires_at=claims.expires_at,
            )
        today = self._clock().astimezone(UTC).date()
        valid = tuple(
            membership
            for membership in identity.memberships
            if (membership.valid_from is None or membership.valid_from <= today)
            and (membership.valid_to is None or today <= membership.valid_to)
        )
        return Caller(
            contact_id=identity.contact_id,
            email=identity.email,
            name=identity.name,
            memberships=_strongest(valid),
            scope=Scope(membership.account for membership in valid),
            expires_at=claims.expires_at,
            locale=identity.locale,
        )

    def forget(self, email: str) -> None:
        """Drops what is known of a person, so that a change holds at once."""
        self._known.pop(email, None)

    async def _identity(self, email: str) -> Identity | None:
        known = self._known.get(email)
        if known and self._clock() - known[0] < self._believed:
            self._known.move_to_end(email)
            return known[1]
        task = self._asking.get(email)
        if task is None:
            task = asyncio.create_task(self._ask(email))
            self._asking[email] = task
            task.add_done_callback(lambda done: self._asked(email, done))
        return await asyncio.shield(task)

    def _asked(self, email: str, done: asyncio.Task[Identity | None]) -> None:
        self._asking.pop(email, None)
        if not done.cancelled():
            done.exception()  # retrieved: whoever waited has seen it

    async def _ask(self, email: str) -> Identity | None:
        asked_at = self._clock()
        identity = await self._customers.identity_by_email(email)
        self._known[email] = (asked_at, identity)
        self._known.move_to_end(email)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return identity


def _strongest(memberships: tuple[Membership, ...]) -> tuple[Membership, ...]:
    """One membership an account, in the order of first sight: of several, the one that may most."""
    chosen: dict[str, Membership] = {}
    for membership in memberships:
        known = chosen.get(membership.account.id)
        if known is None or _RANK.index(membership.role) < _RANK.index(known.role):
            chosen[membership.account.id] = membership
    return tuple(chosen.values())
