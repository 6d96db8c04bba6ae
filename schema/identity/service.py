"""What the graph asks of whoever keeps identities. `gateway.identity` is the embedded one.

A method either does what its name says or raises `Problems`: what the person can put right, as user
errors. A field is a path in the mutation's input. Texts are message ids of the catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from connectors.port.records import AccountRef, MembershipRole
from schema.context import Caller
from schema.problems import Problem, ProblemCode, Problems

__all__ = [
    "IdentityService",
    "Invitation",
    "Origin",
    "Problem",
    "ProblemCode",
    "Problems",
    "Session",
]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from. address: of the client, as far as it can be trusted."""

    address: str
    user_agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Session:
    """What a client keeps. expires_at: of the access token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    email: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom to let in: the person, for which account, in which role."""

    account: AccountRef
    account_name: str
    email: str
    name: str
    role: MembershipRole
    job_title: str | None = None
    phone: str | None = None


class IdentityService(Protocol):
    """Identities with a password. language: of the mails, one of schema.texts.LANGUAGES."""

    async def sign_in(self, email: str, password: str, origin: Origin) -> Session: ...

    async def refresh(self, refresh_token: str, origin: Origin) -> Session: ...

    async def sign_out(self, refresh_token: str, origin: Origin) -> None:
        """Ends the session; a token that is none is no problem."""
        ...

    async def request_reset(self, email: str, language: str, origin: Origin) -> None:
        """Sends a code if there is such an identity; never tells whether."""
        ...

    async def verify_reset(self, email: str, code: str, origin: Origin) -> str:
        """A token that `reset_password` takes once."""
        ...

    async def reset_password(self, reset_token: str, password: str, origin: Origin) -> None:
        """Sets the password and ends all sessions."""
        ...

    async def change_password(
        self, caller: Caller, current: str, password: str, origin: Origin
    ) -> None:
        """Sets the password and ends all other sessions."""
        ...

    async def invite(
        self, invitation: Invitation, by: str, language: str, origin: Origin
    ) -> datetime:
        """Sends a link. by: who invites, for the audit. Answers when the link ends."""
        ...

    async def accept_invitation(self, token: str, password: str, origin: Origin) -> Session:
        """Makes the identity and signs in, once; exactly one of several at the same time wins."""
        ...
