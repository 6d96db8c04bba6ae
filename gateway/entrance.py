"""Opens what lets people in: keys, other issuers, ended sessions, programs, identities, audit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request as HttpRequest
from starlette.routing import Route

from connectors.kit.connector import Wiring
from connectors.port.records import NewContact
from connectors.port.scope import Scope
from connectors.port.sources import CustomerSource, CustomerWriter
from gateway.access import published, token_endpoint
from gateway.access.callers import Callers
from gateway.access.issuers import Issuer
from gateway.access.keys import KeyRing
from gateway.access.revocations import Revocations
from gateway.access.staff import StaffClients
from gateway.access.token_endpoint import TokenEndpoint
from gateway.access.tokens import Tokens
from gateway.access.verifier import Verifier
from gateway.audit import Audit, Outcome, open_audit
from gateway.database.engine import Database
from gateway.database.migrate import open_database
from gateway.http.headers import Head
from gateway.http.origins import Origins
from gateway.settings import Settings, SettingsError
from schema.context import Caller
from schema.identity.service import Invitation
from schema.problems import Problem, ProblemCode, Problems
from schema.texts import N_

if TYPE_CHECKING:
    from gateway.identity.embedded import EmbeddedIdentity
    from gateway.identity.invitations import EnsureContact


@dataclass(frozen=True, slots=True)
class Entrance:
    """All that stands between a request and its caller. identity: None where nobody signs in here.
    routes: what others need to check our tokens, and where programs get theirs."""

    tokens: Tokens
    verifier: Verifier
    callers: Callers
    origins: Origins
    revocations: Revocations
    audit: Audit
    database: Database
    identity: EmbeddedIdentity | None
    routes: Sequence[Route]
    _opened: AsyncExitStack = field(repr=False)

    async def recognise(self, access_token: str) -> Caller:
        """Whom a token names. Raises InvalidToken, SourceError."""
        return await self.callers.caller(await self.verifier.check(access_token))

    def keep_running(self, work: Awaitable[None]) -> None:
        """Runs work in the background until the entrance is closed, before the database is."""
        _keep_running(self._opened, work)

    async def close(self) -> None:
        await self._opened.aclose()


async def open_entrance(
    settings: Settings,
    wiring: Wiring,
    customers: CustomerSource,
    writer: CustomerWriter | None = None,
    *,
    background: bool = True,
) -> Entrance:
    """writer: adds who accepts an invitation to the CRM; None where it is only read. background:
    whether mails that wait are sent from here on; a command sends its own.

    Raises SettingsError, SecretFileError, DatabaseError, each with a text for whoever wrote the
    settings, and what the database raises."""
    async with AsyncExitStack() as opened:
        origins = _origins(settings)
        tokens = await open_tokens(settings, wiring)
        staff = await StaffClients.load(settings.path(settings.access.staff))
        # A refusal of clocks that differ must not outlive what is remembered of ended sessions.
        reach = tokens.lifetime + timedelta(seconds=2 * tokens.leeway)
        revocations = Revocations(wiring.clock, reach)
        verifier = _verifier(settings, wiring, tokens, revocations, staff)
        opened.push_async_callback(verifier.close)
        database = await open_database(settings.identity.database, Path(settings.root))
        opened.push_async_callback(database.close)
        file = settings.path(settings.identity.audit_file)
        audit = await open_audit(file, database, wiring.clock)
        opened.push_async_callback(audit.close)
        for follow in (tokens.keys.follow, staff.follow):
            _keep_running(opened, follow())
        believed = timedelta(seconds=settings.access.membership_seconds)
        callers = Callers(customers, believed, wiring.clock)
        identity: EmbeddedIdentity | None = None
        if settings.access.embedded:
            from gateway.identity.embedded import open_identity

            identity = await open_identity(
                settings.identity,
                database,
                customers,
                tokens.issue_session,
                audit,
                root=Path(settings.root),
                clock=wiring.clock,
                ended=revocations.end,
                forget=callers.forget,
                ensure_contact=_ensuring(writer) if writer else None,
                background=background,
            )
            opened.push_async_callback(identity.close)
            await revocations.catch_up(identity.ended_since)
            _keep_running(opened, revocations.follow(identity.ended_since))
        endpoint = TokenEndpoint(
            staff,
            tokens,
            source_of=lambda http: origins.address(Head.of(http.scope)),
            heard=_heard(audit, origins),
        )
        known = published.routes(tokens.keys, tokens.issuer, wiring.clock, token_endpoint.PATH)
        return Entrance(
            tokens=tokens,
            verifier=verifier,
            callers=callers,
            origins=origins,
            revocations=revocations,
            audit=audit,
            database=database,
            identity=identity,
            routes=(*known, endpoint.route),
            _opened=opened.pop_all(),
        )


async def open_tokens(settings: Settings, wiring: Wiring | None = None) -> Tokens:
    """What signs access tokens, and checks our own. Raises SecretFileError."""
    access, clock = settings.access, (wiring or Wiring()).clock
    return Tokens(
        await KeyRing.load(settings.path(access.key), clock),
        access.issuer,
        access.audience,
        timedelta(minutes=access.token_minutes),
        access.leeway,
        clock,
    )


def _origins(settings: Settings) -> Origins:
    try:
        return Origins(settings.server.trusted_proxies)
    except ValueError as error:
        raise SettingsError(f"server.trusted_proxies: {error}") from None


def _verifier(
    settings: Settings,
    wiring: Wiring,
    tokens: Tokens,
    revocations: Revocations,
    staff: StaffClients,
) -> Verifier:
    issuers = [
        Issuer.open(urlsplit(one.issuer).netloc, one, settings.access.leeway, wiring)
        for one in settings.access.issuers
    ]
    try:
        return Verifier(tokens, issuers, revocations, staff)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _keep_running(opened: AsyncExitStack, work: Awaitable[None]) -> None:
    """Runs until the entrance is closed."""
    task = asyncio.ensure_future(work)

    async def stop() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    opened.push_async_callback(stop)


def _ensuring(writer: CustomerWriter) -> EnsureContact:
    """Adds somebody who accepts an invitation to the CRM. It is the one moment at which they prove
    that the address is theirs, and agree."""

    async def ensure(invitation: Invitation) -> str:
        account = invitation.account
        person = NewContact(
            account,
            invitation.email,
            invitation.name,
            invitation.role,
            invitation.phone,
            invitation.job_title,
        )
        role = await writer.ensure_contact(person, Scope([account]))
        if role is None:
            text = N_("You no longer act for this company. Ask whoever invited you.")
            raise Problems(Problem(ProblemCode.NOT_ALLOWED, text))
        return role.value

    return ensure


def _heard(audit: Audit, origins: Origins) -> Callable[[str, str, HttpRequest], Awaitable[None]]:
    """Writes down who asked for a program's token."""

    async def heard(client_id: str, outcome: str, http: HttpRequest) -> None:
        result = Outcome.OK if outcome == "ok" else outcome.upper()
        await audit.note(
            "staff.token",
            who=client_id or "-",
            origin=origins.of(Head.of(http.scope)),
            outcome=result,
        )

    return heard
