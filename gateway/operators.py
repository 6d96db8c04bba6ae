"""What operators do at the command line: keys, programs, identities, submissions, the audit."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from connectors.port.records import AccountRef, MembershipRole
from connectors.port.scope import Scope
from gateway.access import keys, staff
from gateway.answering import open_operations
from gateway.app import Gateway
from gateway.audit import Audit, EventFilter, open_audit, read_events
from gateway.database.engine import Database
from gateway.database.migrate import open_database
from gateway.entrance import open_tokens
from gateway.identity import commands
from gateway.operations import manifest
from gateway.operations.persisted import DocumentSettings
from gateway.settings import Settings, SettingsError
from gateway.submissions import commands as submissions
from gateway.submissions.records import State, named
from schema.access import SCOPES
from schema.errors import InputError
from schema.identity.service import Invitation, Problems
from schema.nodes import key_of
from schema.texts import LANGUAGES, say

if TYPE_CHECKING:
    from gateway.identity.embedded import EmbeddedIdentity

T = TypeVar("T")

#: The command line speaks English.
_LANGUAGE = "en"

#: A command that needs nothing but the settings; and one that needs the gateway's systems.
Command = Callable[[argparse.Namespace, Settings], Awaitable[None]]
WithGateway = Callable[[argparse.Namespace, Gateway], Awaitable[None]]


def add_commands(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands. Each leaves `command` or `with_gateway` in its options."""
    _add_keys(parsers.add_parser("keys", help="the keys that sign access tokens"))
    _add_staff(parsers.add_parser("staff", help="programs of integration teams"))
    _add_identity(parsers.add_parser("identity", help="people who sign in here"))
    _add_documents(parsers.add_parser("documents", help="documents that pages are trusted to ask"))
    _add_submissions(parsers.add_parser("submissions", help="what customers sent to the CRM"))
    audit = parsers.add_parser("audit", help="print what the audit says, as lines of JSON")
    audit.add_argument("--since", type=_moment, help="a moment, ISO 8601")
    for name in ("event", "who", "whose", "outcome", "address", "request-id"):
        audit.add_argument(f"--{name}", help="as it stands there; an event may end in a dot")
    audit.add_argument("--limit", type=int, default=100)
    audit.set_defaults(command=_audit)


def _add_keys(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    rotate = actions.add_parser("rotate", help="sign with a new key from now on")
    rotate.add_argument(
        "--at-once", action="store_true", help="end the old keys too: everybody signs in again"
    )
    rotate.set_defaults(command=_rotate)


def _add_staff(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    add = actions.add_parser("add", help="let a program in; prints its secret, once")
    add.add_argument("name")
    add.add_argument("--scope", action="append", required=True, choices=sorted(SCOPES))
    add.set_defaults(command=_staff_add)
    listed = actions.add_parser("list", help="print the programs and what they may")
    listed.set_defaults(command=_staff_list)
    remove = actions.add_parser("remove", help="let a program in no longer")
    remove.add_argument("name")
    remove.set_defaults(command=_staff_remove)


def _add_documents(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    check = actions.add_parser("check", help="check a manifest; prints what each document costs")
    check.add_argument("file", type=Path, nargs="?", help="by default that of [documents]")
    check.set_defaults(command=_documents_check)


async def _documents_check(options: argparse.Namespace, settings: Settings) -> None:
    named = settings.documents.manifest
    if options.file is None and not named:
        raise SettingsError("say which file: [documents] names no manifest")
    path = options.file or settings.path(named)
    # What the settings trust already is none of this file's.
    bare = msgspec.structs.replace(settings, documents=DocumentSettings())
    operations = await open_operations(bare)
    texts = manifest.read(path)
    for line in manifest.report(manifest.checked(path, texts, operations.documents), operations):
        print(line)


def _add_identity(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    migrate = actions.add_parser("migrate", help="bring the database's tables up to date")
    migrate.set_defaults(command=_migrate)
    invite = actions.add_parser("invite", help="send somebody an invitation")
    invite.add_argument("email")
    invite.add_argument("--account", help="id of the account, if the CRM does not say which")
    invite.add_argument("--name", help="full name of somebody new to the CRM")
    invite.add_argument("--role", choices=[role.value for role in MembershipRole])
    invite.add_argument("--language", choices=LANGUAGES, default="es", help="of the mail")
    invite.set_defaults(with_gateway=_invite)
    end = actions.add_parser("end-sessions", help="sign somebody out everywhere")
    end.add_argument("email")
    end.set_defaults(with_gateway=_end_sessions)


def _add_submissions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    listed = actions.add_parser("list", help="print what waits: id, kind, state, since when, why")
    listed.add_argument("--state", choices=[*(state.value for state in State), "all"])
    minutes = int(submissions.STUCK.total_seconds() // 60)
    listed.add_argument(
        "--stuck", action="store_true", help=f"what waits for more than {minutes} minutes"
    )
    listed.set_defaults(command=_submissions_list)
    for name, about, run in (
        ("show", "print what is known of one, and what helps", _submissions_show),
        ("retry", "have one tried now", _submissions_retry),
        ("cancel", "give one up; its sender is told", _submissions_cancel),
    ):
        action = actions.add_parser(name, help=about)
        action.add_argument("id", type=_submission_id)
        action.set_defaults(command=run)


async def _submissions_list(options: argparse.Namespace, settings: Settings) -> None:
    state = None if options.state == "all" else State(options.state or State.WAITING)
    wanted = submissions.Filter(State.WAITING if options.stuck else state, options.stuck)
    async with _database(settings) as database:
        lines = await submissions.listed(database, wanted, datetime.now(UTC))
    for line in lines:
        print(line)
    if not lines:
        print("There is none.")


async def _submissions_show(options: argparse.Namespace, settings: Settings) -> None:
    async with _database(settings) as database:
        lines = await _told(submissions.shown(database, options.id, datetime.now(UTC)))
    print("\n".join(lines))


async def _submissions_retry(options: argparse.Namespace, settings: Settings) -> None:
    await _change(settings, "submission.retried", options.id, submissions.retry)
    print(f"{options.id} is tried within a second or so, if a gateway runs.")


async def _submissions_cancel(options: argparse.Namespace, settings: Settings) -> None:
    await _change(settings, "submission.cancelled", options.id, submissions.cancel)
    print(f"{options.id} is given up; its sender sees that on the case.")


async def _change(
    settings: Settings,
    event: str,
    submission_id: str,
    change: Callable[[Database, str, datetime], Awaitable[None]],
) -> None:
    async with _database(settings) as database:
        await _told(change(database, submission_id, datetime.now(UTC)))
    async with _audited(settings) as audit:
        origin = commands.COMMAND_LINE
        await audit.note(event, who=_operator(), what=submission_id, origin=origin)


async def _told(asked: Awaitable[T]) -> T:
    """What was asked for, or a sentence for the operator."""
    try:
        return await asked
    except submissions.NoSuchSubmission as error:
        raise SettingsError(str(error)) from None


def _submission_id(text: str) -> str:
    """As the operator was told it: by the list, or by a customer as the id of a case."""
    name = named(text)
    return name[0] if name else text


async def _rotate(options: argparse.Namespace, settings: Settings) -> None:
    tokens = await open_tokens(settings)
    keep = timedelta(0) if options.at_once else tokens.lifetime + timedelta(seconds=tokens.leeway)
    made = await keys.rotate(settings.path(settings.access.key), keep)
    async with _audited(settings) as audit:
        what = f"{made.kid}, the old ones end {'at once' if options.at_once else 'in their time'}"
        await audit.note("keys.rotated", who=_operator(), what=what, origin=commands.COMMAND_LINE)
    print(f"{made.kid} signs from now on; running gateways notice within seconds.")


async def _staff_add(options: argparse.Namespace, settings: Settings) -> None:
    path, scopes = settings.path(settings.access.staff), sorted(set(options.scope))
    try:
        secret = await staff.add(path, options.name, scopes)
    except staff.StaffError as error:
        raise SettingsError(str(error)) from None
    async with _audited(settings) as audit:
        await audit.note(
            "staff.added",
            who=_operator(),
            whose=options.name,
            what=" ".join(scopes),
            origin=commands.COMMAND_LINE,
        )
    print(f"client_id      {options.name}")
    print(f"client_secret  {secret}   (it is shown once)")


async def _staff_list(options: argparse.Namespace, settings: Settings) -> None:
    programs = await staff.StaffClients.load(settings.path(settings.access.staff))
    for one in programs.clients:
        print(f"{one.client_id}\t{' '.join(sorted(one.scopes))}\t{one.created_at.isoformat()}")


async def _staff_remove(options: argparse.Namespace, settings: Settings) -> None:
    try:
        await staff.remove(settings.path(settings.access.staff), options.name)
    except staff.StaffError as error:
        raise SettingsError(str(error)) from None
    async with _audited(settings) as audit:
        await audit.note(
            "staff.removed", who=_operator(), whose=options.name, origin=commands.COMMAND_LINE
        )
    print(f"{options.name} is let in no longer; its tokens end within a second.")


async def _migrate(options: argparse.Namespace, settings: Settings) -> None:
    version = await commands.migrate_tables(settings.identity, Path(settings.root))
    print(f"The tables are up to date: {version}")


async def _invite(options: argparse.Namespace, gateway: Gateway) -> None:
    identity = _embedded(gateway)
    try:
        invitation = await _wanted(options, gateway)
        by = _operator()
        expires_at = await commands.invite(identity, invitation, by, options.language)
    except Problems as raised:
        texts = [say(_LANGUAGE, one.text, one.values) for one in raised.problems]
        raise SettingsError(" ".join(texts)) from None
    print(f"{invitation.email} is invited for {invitation.account_name}, until {expires_at}.")


async def _wanted(options: argparse.Namespace, gateway: Gateway) -> Invitation:
    """The invitation that was asked for: what is not said, the CRM says of the person."""
    sources = gateway.sources
    known = await sources.customers.identity_by_email(options.email)
    today = datetime.now(UTC).date()
    held = {
        one.account.id: one for one in (known.memberships if known else ()) if one.holds_on(today)
    }
    if options.account is None and len(held) != 1:
        reason = "acts for several accounts" if held else "acts for no account in the CRM"
        raise SettingsError(f"{options.email} {reason}: say --account")
    account_id = _account_id(options.account) if options.account else next(iter(held))
    asked = Scope([AccountRef(account_id)])
    fields = frozenset({"name", "number", "country"})
    account = (await sources.customers.accounts_by_id([account_id], fields, asked))[0]
    if account is None:
        raise SettingsError(f"{options.account}: the CRM knows no such account")
    owner = replace(account.owner, number=account.number, country=account.country)
    name = options.name or (known.name if known else None)
    role = MembershipRole(options.role) if options.role else None
    if account_id in held:
        role = role or held[account_id].role
    if not name or role is None:
        raise SettingsError("somebody new to the account needs --name and --role")
    has = held[account_id].role if account_id in held else role
    if has is not role:
        raise SettingsError(f"{options.email} acts for the account already, as {has.value}")
    return Invitation(owner, account.name, options.email, name, role)


def _account_id(given: str) -> str:
    """The CRM's id, which may be given as the graph's."""
    try:
        return key_of("account", given, "Account")
    except InputError:
        return given


async def _end_sessions(options: argparse.Namespace, gateway: Gateway) -> None:
    audit = gateway.entrance.audit
    ended = await commands.end_sessions(_embedded(gateway), audit, options.email, _operator())
    print(f"{ended} sessions of {options.email} have ended.")


async def _audit(options: argparse.Namespace, settings: Settings) -> None:
    wanted = EventFilter(
        since=options.since,
        event=options.event,
        who=options.who,
        whose=options.whose,
        outcome=options.outcome,
        address=options.address,
        request_id=options.request_id,
    )
    async with _database(settings) as database:
        for event in await read_events(database, wanted, options.limit):
            sys.stdout.buffer.write(event.line())


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = await open_database(settings.identity.database, Path(settings.root))
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _audited(settings: Settings) -> AsyncIterator[Audit]:
    async with _database(settings) as database:
        audit = await open_audit(settings.path(settings.identity.audit_file), database)
        try:
            yield audit
        finally:
            await audit.close()


def _embedded(gateway: Gateway) -> EmbeddedIdentity:
    if gateway.entrance.identity is None:
        raise SettingsError("nobody signs in here: access.embedded is not set")
    return gateway.entrance.identity


def _operator() -> str:
    """Who is at the command line, for the audit."""
    try:
        return f"operator {getpass.getuser()}"
    except (OSError, KeyError):
        return f"operator {os.getuid()}"


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
