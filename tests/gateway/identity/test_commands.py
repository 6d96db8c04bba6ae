"""What operators do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.database.engine import DatabaseError
from gateway.database.migrate import head
from gateway.identity import commands
from gateway.identity.settings import IdentitySettings
from tests.gateway.identity.house import ANA, NOBODY, PASSWORD, House, house, invitation

pytestmark = pytest.mark.anyio


async def test_tables_are_made(tmp_path: Path) -> None:
    settings = IdentitySettings(database="sqlite:///identity.sqlite")
    with pytest.raises(DatabaseError):
        await commands.migrate_tables(IdentitySettings(database="oracle://x"), tmp_path)
    assert await commands.migrate_tables(settings, tmp_path) == head()
    async with house(tmp_path) as home:
        assert await home.rows("identity_person") == []


async def test_an_operator_invites(home: House) -> None:
    await commands.invite(home.identity, invitation(), "operator", "pt")
    assert home.box.mails[-1]["Content-Language"] == "pt"
    (event,) = await home.events(event="invitation.sent")
    assert (event.who, event.user_agent) == ("operator", "command line")


async def test_an_operator_sees_and_ends_sessions(home: House) -> None:
    first = await home.member()
    home.clock.forward(seconds=1)
    second = await home.identity.sign_in(ANA, PASSWORD, commands.COMMAND_LINE)
    names = [home.issued[second.access_token], home.issued[first.access_token]]
    listed = await commands.list_sessions(home.identity, ANA.upper())
    assert [(each.id, each.email, each.ended_at) for each in listed] == [
        (name, ANA, None) for name in names
    ]
    assert await commands.end_sessions(home.identity, home.audit, f" {ANA}", "operator") == 2
    assert sorted(name for name, _ in home.ended) == sorted(names)
    listed = await commands.list_sessions(home.identity, ANA)
    assert {each.ended_because for each in listed} == {"by an operator"}
    (event,) = await home.events(event="session.ended")
    assert (event.who, event.whose, event.what) == ("operator", ANA, "2 sessions ended")
    assert await commands.end_sessions(home.identity, home.audit, ANA, "operator") == 0


async def test_nobody_has_no_sessions(home: House) -> None:
    for email in (NOBODY, "no address"):
        assert await commands.list_sessions(home.identity, email) == []
        assert await commands.end_sessions(home.identity, home.audit, email, "operator") == 0
