"""Sessions: rotation, reuse, bounds, ends; and what other processes hear of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from schema.identity.service import ProblemCode, Session
from tests.gateway.clock import NOW
from tests.gateway.identity.house import (
    ANA,
    HERE,
    PASSWORD,
    SETTINGS,
    House,
    house,
    refused,
    unlimited,
)

pytestmark = pytest.mark.anyio

OVER = ProblemCode.EXPIRED


async def test_a_refresh_token_is_good_once(home: House) -> None:
    first = await home.member()
    second = await home.identity.refresh(first.refresh_token, HERE)
    assert second.refresh_token != first.refresh_token
    assert second.access_token != first.access_token
    assert home.issued[second.access_token] == home.issued[first.access_token]
    third = await home.identity.refresh(second.refresh_token, HERE)
    assert third.email == ANA


async def test_a_stolen_refresh_token_ends_the_family(home: House) -> None:
    first = await home.member()
    other = await home.identity.sign_in(ANA, PASSWORD, HERE)
    second = await home.identity.refresh(first.refresh_token, HERE)
    home.ended.clear()
    problem = await refused(home.identity.refresh(first.refresh_token, HERE))
    assert (problem.code, problem.field) == (OVER, ("input", "refreshToken"))
    ((session_id, until),) = home.ended
    assert session_id == home.issued[second.access_token]
    assert until >= second.expires_at
    assert (await refused(home.identity.refresh(second.refresh_token, HERE))).code is OVER
    assert (await home.identity.refresh(other.refresh_token, HERE)).email == ANA
    (event,) = await home.events(event="session.reused")
    assert (event.who, event.outcome) == (ANA, "REFUSED")


async def test_of_parallel_refreshes_one_wins_and_the_family_ends(open_home: House) -> None:
    session = await open_home.member()
    answers = await asyncio.gather(
        *(open_home.identity.refresh(session.refresh_token, HERE) for _ in range(10)),
        return_exceptions=True,
    )
    (won,) = [answer for answer in answers if isinstance(answer, Session)]
    assert (await refused(open_home.identity.refresh(won.refresh_token, HERE))).code is OVER


@pytest.mark.parametrize(
    "forged", ["", ".", "x.", ".x", "x", "x" * 100_000, "a" * 32 + "." + "b" * 43, "\ud800.\ud800"]
)
async def test_what_is_no_token_ends_nothing(home: House, forged: str) -> None:
    session = await home.member()
    assert (await refused(home.identity.refresh(forged, HERE))).code is OVER
    await home.identity.sign_out(forged, HERE)
    assert (await home.identity.refresh(session.refresh_token, HERE)).email == ANA


async def test_the_name_of_a_session_is_no_key_to_it(home: House) -> None:
    """It stands in access tokens and audits: whoever reads it can neither go on nor end it."""
    session = await home.member()
    name = home.issued[session.access_token]
    assert (await refused(home.identity.refresh(f"{name}.{'x' * 43}", HERE))).code is OVER
    assert (await home.identity.refresh(session.refresh_token, HERE)).email == ANA


async def test_signing_out_ends_the_session_everywhere(home: House) -> None:
    session = await home.member()
    await home.identity.sign_out(session.refresh_token, HERE)
    ((session_id, _),) = home.ended
    assert session_id == home.issued[session.access_token]
    assert (await refused(home.identity.refresh(session.refresh_token, HERE))).code is OVER
    await home.identity.sign_out(session.refresh_token, HERE)
    assert len(await home.events(event="session.ended")) == 1


async def test_an_older_token_signs_out_too(home: House) -> None:
    first = await home.member()
    second = await home.identity.refresh(first.refresh_token, HERE)
    await home.identity.sign_out(first.refresh_token, HERE)
    assert (await refused(home.identity.refresh(second.refresh_token, HERE))).code is OVER


async def test_an_idle_session_ends(home: House) -> None:
    session = await home.member()
    home.clock.forward(days=SETTINGS.idle_days, seconds=-1)
    session = await home.identity.refresh(session.refresh_token, HERE)
    home.clock.forward(days=SETTINGS.idle_days)
    assert (await refused(home.identity.refresh(session.refresh_token, HERE))).code is OVER


async def test_a_session_that_is_used_ends_too(home: House) -> None:
    session = await home.member()
    for _ in range(int(SETTINGS.session_days) - 1):
        home.clock.forward(days=1)
        session = await home.identity.refresh(session.refresh_token, HERE)
    home.clock.forward(days=1)
    assert (await refused(home.identity.refresh(session.refresh_token, HERE))).code is OVER


async def test_of_too_many_sessions_the_oldest_ends(open_home: House) -> None:
    sessions = [await open_home.member()]
    for _ in range(SETTINGS.sessions_per_person):
        open_home.clock.forward(seconds=1)
        sessions.append(await open_home.identity.sign_in(ANA, PASSWORD, HERE))
    assert [name for name, _ in open_home.ended] == [open_home.issued[sessions[0].access_token]]
    assert (await refused(open_home.identity.refresh(sessions[0].refresh_token, HERE))).code is OVER
    for session in sessions[1:]:
        await open_home.identity.refresh(session.refresh_token, HERE)


async def test_parallel_sign_ins_keep_the_bound(open_home: House) -> None:
    await open_home.member()
    signing = (open_home.identity.sign_in(ANA, PASSWORD, HERE) for _ in range(30))
    await asyncio.gather(*signing)
    alive = [row for row in await open_home.rows("identity_session") if row["ended_at"] is None]
    assert len(alive) == SETTINGS.sessions_per_person


async def test_signing_in_again_and_again_does_not_fill_the_table(folder: Path) -> None:
    few = msgspec.structs.replace(unlimited(), sessions_per_person=2)
    async with house(folder, few) as home:
        await home.member()
        for _ in range(30):
            home.clock.forward(minutes=10)
            await home.identity.sign_in(ANA, PASSWORD, HERE)
        assert len(await home.rows("identity_session")) <= 6


async def test_another_process_hears_what_ended(folder: Path) -> None:
    async with house(folder) as one:
        session = await one.member()
        async with house(folder) as other:
            assert await other.identity.ended_since(NOW - timedelta(days=1)) == []
            one.clock.forward(seconds=5)
            await one.identity.sign_out(session.refresh_token, HERE)
            other.clock.now = one.clock.now
            heard = await other.identity.ended_since(one.clock.now)
            assert heard == one.ended
            assert await other.identity.ended_since(one.clock.now + timedelta(seconds=1)) == []
            other.clock.forward(hours=1)
            assert await other.identity.ended_since(NOW) == [], "its tokens are no good any more"


async def test_what_is_over_is_removed_in_the_end(home: House) -> None:
    session = await home.member()
    await home.code()
    await home.identity.sign_out(session.refresh_token, HERE)
    await home.identity.tidy()
    assert len(await home.rows("identity_session")) == 1
    home.clock.forward(days=200)
    await home.identity.tidy()
    for table in ("session", "invitation", "reset", "attempt", "outbox"):
        assert await home.rows(f"identity_{table}") == [], table
    assert (await home.identity.sign_in(ANA, PASSWORD, HERE)).email == ANA
