"""What every resolver of one operation can reach: who asks, what answers, and the loaders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from connectors.port.errors import SourceError
from connectors.port.records import Membership
from connectors.port.scope import Scope
from connectors.port.sources import (
    CaseSource,
    CaseWriter,
    CustomerSource,
    CustomerWriter,
    NewsSource,
    OrderSource,
    QuestionSource,
)
from schema.errors import Unauthenticated
from schema.events import Events, Silence
from schema.texts import N_, say

if TYPE_CHECKING:
    from schema.cases.catalogue import Catalogue
    from schema.cases.service import CaseService
    from schema.files.service import FileService
    from schema.identity.service import IdentityService, Origin
    from schema.support.desks import Desks


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved who they are. scope holds the accounts of memberships that are valid
    today. expires_at: when the proof ends. session_id: of the own session that the token belongs
    to, if it does.

    staff: a program of an integration team. It has no memberships but scopes ("cases:read"), and an
    empty scope unless the request says for which account it acts."""

    contact_id: str
    email: str
    name: str
    memberships: tuple[Membership, ...]
    scope: Scope
    expires_at: datetime
    locale: str | None = None
    staff: bool = False
    scopes: frozenset[str] = frozenset()
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What answers, each guarded: an answer outside the scope of its question never comes back."""

    customers: CustomerSource
    cases: CaseSource
    orders: OrderSource
    news: NewsSource
    questions: QuestionSource
    customer_writer: CustomerWriter | None = None
    case_writer: CaseWriter | None = None


class Note(Protocol):
    """Writes into the audit log. event: the noun first, "profile.changed"; whose: the account or
    person concerned; what: words of ours. No secret, no body."""

    async def __call__(
        self, event: str, *, who: str, whose: str, what: str, outcome: str
    ) -> None: ...


async def _unnoted(event: str, *, who: str, whose: str, what: str, outcome: str) -> None:
    """Where there is no audit log."""


class Recognise(Protocol):
    """Who an access token of our own names. Raises SourceError when the CRM cannot say."""

    async def __call__(self, access_token: str) -> Caller: ...


@dataclass(slots=True)
class Context:
    """One operation's surroundings.

    who: the caller, None when nobody says who asks, an error when somebody does and the CRM could
    not tell whose data they may see. language: of texts for people, one of schema.texts.LANGUAGES.
    locale: what the caller prefers to read, BCP 47, for news and questions. identity: who keeps
    passwords and sessions, None where another issuer does. submissions: who takes what customers
    send, None where no system takes cases. files: who keeps files on their way in and hands them
    out. origin: where the request comes from.
    forget: drops what is known of the person with this address, so that a change holds at once.
    events: tells of what was changed, and of what others change."""

    sources: Sources
    catalogue: Catalogue
    desks: Desks
    clock: Callable[[], datetime]
    who: Caller | SourceError | None = None
    language: str = "es"
    locale: str = "es"
    identity: IdentityService | None = None
    submissions: CaseService | None = None
    files: FileService | None = None
    origin: Origin | None = None
    recognise: Recognise | None = None
    forget: Callable[[str], None] = lambda email: None
    note: Note = _unnoted
    events: Events = field(default_factory=Silence)
    #: One loader for each batched field, arguments and selection; see schema.batched.
    loaders: dict[Any, Any] = field(default_factory=dict)
    #: The fields that were refused, each told to the audit once.
    refusals: set[str] = field(default_factory=set)
    #: The selection of each field node, worked out once; see schema.selection.
    selections: dict[Any, Any] = field(default_factory=dict)

    @property
    def caller(self) -> Caller | None:
        """Who asks. Raises SourceError when that could not be decided."""
        if isinstance(self.who, SourceError):
            raise self.who
        return self.who

    @property
    def scope(self) -> Scope:
        """The accounts that the caller may see; empty for an anonymous caller."""
        caller = self.caller
        return caller.scope if caller else Scope()

    def required_caller(self) -> Caller:
        """Who asks. Raises Unauthenticated when nobody says."""
        caller = self.caller
        if caller is None:
            raise Unauthenticated(N_("Sign in to see this."))
        return caller

    def say(self, text: str, **values: object) -> str:
        """A text in the caller's language."""
        return say(self.language, text, values)
