"""What operators do at the command line: tables, invitations, sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.audit import Audit
from gateway.database.engine import address
from gateway.database.migrate import head, migrate
from gateway.identity import addresses
from gateway.identity.settings import IdentitySettings
from schema.identity.service import Invitation, Origin

if TYPE_CHECKING:
    from gateway.identity.embedded import EmbeddedIdentity
    from gateway.identity.sessions import SessionInfo

#: Where a command comes from; its caller may name the operator.
COMMAND_LINE = Origin(address="-", user_agent="command line", request_id="-")


async def migrate_tables(settings: IdentitySettings, root: Path) -> str:
    """Brings the tables up to date; answers their version. Raises DatabaseError."""
    await migrate(address(settings.database, root))
    return head()


async def invite(
    identity: EmbeddedIdentity, invitation: Invitation, by: str, language: str
) -> datetime:
    """Invites, and tries to send the mail at once; a running gateway goes on trying. by: the
    operator. Answers when the link ends. Raises Problems."""
    expires_at = await identity.invite(invitation, by, language, COMMAND_LINE)
    await identity.send_mails()
    return expires_at


async def end_sessions(identity: EmbeddedIdentity, audit: Audit, email: str, by: str) -> int:
    """Ends all sessions of a person, in every running gateway; answers how many."""
    from gateway.identity.sessions import Because

    plain = addresses.plain(email)
    person = await identity.people.by_email(plain)
    if person is None:
        return 0
    ended = await identity.sessions.end_all(person.id, Because.OPERATOR)
    what = f"{ended} sessions ended"
    await audit.note("session.ended", who=by, whose=person.email, what=what, origin=COMMAND_LINE)
    return ended


async def list_sessions(identity: EmbeddedIdentity, email: str) -> Sequence[SessionInfo]:
    """A person's sessions, newest first, those that have ended lately too."""
    return await identity.sessions.of_person(addresses.plain(email) or "")
