"""The door's memory: what was proven is not proven again, and never outlives what it rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.port.errors import Unavailable
from gateway.access import compact, files, keys, staff
from gateway.access.claims import InvalidToken
from gateway.access.keys import KeyRing
from gateway.access.revocations import Revocations
from gateway.access.staff import StaffClients
from gateway.access.tokens import Tokens
from gateway.access.verifier import Verifier
from tests.gateway.access.forged import (
    ANA,
    AUDIENCE,
    OWN,
    Clock,
    World,
    issuer_of,
    token,
)

pytestmark = pytest.mark.anyio


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every signature that is checked."""
    seen: list[str] = []
    verify = compact.verify

    def counted(read: compact.Compact, *rest: object) -> None:
        seen.append(read.text)
        verify(read, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(compact, "verify", counted)
    return seen


async def test_a_signature_is_checked_once(
    verifier: Verifier, own: Tokens, proofs: list[str]
) -> None:
    mine, theirs = own.issue(ANA), token()
    for _ in range(10):
        assert (await verifier.check(mine)).issuer == OWN
        assert (await verifier.check(theirs)).email == ANA
    assert proofs == [mine, theirs]


async def test_a_remembered_token_ends_when_it_says(
    verifier: Verifier, own: Tokens, clock: Clock
) -> None:
    mine, theirs = own.issue(ANA), token()
    for one, seconds in ((theirs, 600), (mine, 3000)):
        assert (await verifier.check(one)).email == ANA
        clock.pass_(seconds + 29)
        assert (await verifier.check(one)).email == ANA
        clock.pass_(1)
        for _ in range(2):
            with pytest.raises(InvalidToken) as caught:
                await verifier.check(one)
            assert caught.value.reason == "expired"
        clock.pass_(-30)
    assert verifier._proven == {}


async def test_what_is_refused_is_not_remembered(verifier: Verifier, own: Tokens) -> None:
    for _ in range(3):
        with pytest.raises(InvalidToken):
            await verifier.check(own.issue(ANA)[:-4] + "AAAA")
    assert verifier._proven == {}


async def test_the_memory_has_a_bound_and_keeps_who_comes_often(
    own: Tokens, proofs: list[str]
) -> None:
    verifier = Verifier(own, most=3)
    often = own.issue(ANA)
    for number in range(10):
        await verifier.check(often)
        await verifier.check(own.issue(f"p{number}@x.example"))
    assert len(verifier._proven) == 3
    assert proofs.count(often) == 1


# ------------------------------------------------------------------------------------ sessions


async def test_an_ended_session_is_refused_at_once(own: Tokens, clock: Clock) -> None:
    revocations = Revocations(clock)
    verifier = Verifier(own, revocations=revocations)
    one, expires = own.issue_session(ANA, "s-1")
    other, _ = own.issue_session(ANA, "s-2")
    assert (await verifier.check(one)).session_id == "s-1"
    revocations.end("s-1", expires + timedelta(seconds=30))
    with pytest.raises(InvalidToken) as caught:
        await verifier.check(one)
    assert caught.value.reason == "session ended"
    assert (await verifier.check(other)).session_id == "s-2"
    again, _ = own.issue_session(ANA, "s-1")
    with pytest.raises(InvalidToken):  # never checked before
        await verifier.check(again)
    assert (await verifier.check(own.issue(ANA))).session_id is None


async def test_a_session_that_ended_elsewhere_is_heard_of(own: Tokens, clock: Clock) -> None:
    revocations = Revocations(clock)
    verifier = Verifier(own, revocations=revocations)
    mine, expires = own.issue_session(ANA, "s-1")
    asked: list[datetime] = []

    async def ended_since(moment: datetime) -> list[tuple[str, datetime]]:
        asked.append(moment)
        return [("s-1", expires)] if len(asked) > 1 else []

    await revocations.catch_up(ended_since)
    assert (await verifier.check(mine)).email == ANA
    following = asyncio.create_task(revocations.follow(ended_since, every=0.001))
    await until(lambda: len(asked) >= 3)
    following.cancel()
    with pytest.raises(InvalidToken):
        await verifier.check(mine)
    # The first question reaches back as far as a token may live, the next ones overlap.
    assert asked[0] == clock.now - timedelta(days=1)
    assert asked[1] == clock.now - timedelta(seconds=30)


async def test_when_nobody_can_tell_which_sessions_ended_nobody_decides(
    own: Tokens, clock: Clock
) -> None:
    revocations = Revocations(clock)
    verifier = Verifier(own, revocations=revocations)
    mine, _ = own.issue_session(ANA, "s-1")

    async def broken(moment: datetime) -> list[tuple[str, datetime]]:
        raise ValueError("the database's own error")

    async def nothing(moment: datetime) -> list[tuple[str, datetime]]:
        return []

    await revocations.catch_up(nothing)
    following = asyncio.create_task(revocations.follow(broken, every=0.001))
    await asyncio.sleep(0.02)
    assert (await verifier.check(mine)).email == ANA
    clock.pass_(31)
    with pytest.raises(Unavailable):
        await verifier.check(mine)
    assert (await verifier.check(own.issue(ANA))).email == ANA  # it belongs to no session
    assert not following.done()
    following.cancel()
    await revocations.catch_up(nothing)
    assert (await verifier.check(mine)).email == ANA


def test_ended_sessions_are_forgotten_when_their_tokens_have_ended(clock: Clock) -> None:
    revocations = Revocations(clock)
    for number in range(100):
        revocations.end(f"s-{number}", clock.now + timedelta(seconds=number + 1))
    revocations.end("s-0", clock.now + timedelta(hours=2))  # again, until later
    clock.pass_(3600)
    revocations.end("s-100", clock.now + timedelta(seconds=1))
    assert set(revocations._until) == {"s-0", "s-100"}
    assert revocations.ended("s-0")
    revocations.end("s-0", clock.now)  # never sooner than it was said
    assert revocations._until["s-0"] == clock.now + timedelta(hours=1)


def test_ended_sessions_have_a_bound(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    revocations = Revocations(clock, most=10)
    for number in range(15):
        revocations.end(f"s-{number}", clock.now + timedelta(seconds=100 + number))
    assert len(revocations._until) == 10
    assert "too many sessions" in caplog.text


# --------------------------------------------------------------------------------- rotation


async def ring(path: Path, clock: Clock) -> Tokens:
    opened = await KeyRing.load(path, clock, clock.monotonic)
    return Tokens(opened, OWN, AUDIENCE, timedelta(hours=1), 30, clock)


async def test_keys_rotate_by_command_while_several_processes_run(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "keys" / "signing.json"
    one, other = await ring(path, clock), await ring(path, clock)
    verifier = Verifier(one)
    old = other.issue(ANA)
    assert (await verifier.check(old)).email == ANA

    new_key = await keys.rotate(path, timedelta(hours=1), clock)
    assert (await verifier.check(one.issue(ANA))).email == ANA  # it still signs by the older one
    clock.pass_(2)
    await other.keys.refresh()
    new = other.issue(ANA)
    assert compact.read(new).kid == new_key.kid
    assert (
        await verifier.check(new)
    ).email == ANA  # the key was not known: the file was read again
    assert compact.read(one.issue(ANA)).kid == new_key.kid
    assert (await verifier.check(old)).email == ANA

    clock.pass_(3600 - 2)  # the end of the older key, sooner than that of the token with leeway
    with pytest.raises(InvalidToken):
        await verifier.check(old)
    with pytest.raises(InvalidToken):
        one.check(old)


async def test_a_stolen_key_ends_at_once(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "signing.json"
    tokens = await ring(path, clock)
    verifier = Verifier(tokens)
    old = tokens.issue(ANA)
    assert (await verifier.check(old)).email == ANA
    await keys.rotate(path, timedelta(0), clock)
    following = asyncio.create_task(tokens.keys.follow(every=0.001))
    generation = tokens.generation
    await until(lambda: tokens.generation > generation)
    following.cancel()
    with pytest.raises(InvalidToken):
        await verifier.check(old)


async def test_unknown_keys_have_the_file_looked_at_once_a_second(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = await ring(tmp_path / "signing.json", clock)
    elsewhere = await ring(tmp_path / "other.json", clock)
    verifier = Verifier(tokens)
    looks: list[Path] = []
    version = files.version

    def looked(path: Path) -> tuple[int, int, int] | None:
        looks.append(path)
        return version(path)

    monkeypatch.setattr(files, "version", looked)
    for _ in range(2):
        forged = [verifier.check(elsewhere.issue(ANA)) for _ in range(50)]
        refusals = await asyncio.gather(*forged, return_exceptions=True)
        assert all(isinstance(one, InvalidToken) for one in refusals)
        clock.pass_(1)
    assert len(looks) == 2


# -------------------------------------------------------------------------------- programs


async def test_a_removed_program_is_refused_and_a_narrowed_one_may_less(
    own: Tokens, tmp_path: Path, world: World, clock: Clock
) -> None:
    path = tmp_path / "staff.json"
    await staff.add(path, "sync", ["cases:read", "contacts:invite"], clock)
    clients = await StaffClients.load(path)
    verifier = Verifier(own, [issuer_of(world, clock)], staff=clients)
    program, _ = own.issue_staff("sync", ["cases:read", "contacts:invite"])
    assert (await verifier.check(program)).scopes == {"cases:read", "contacts:invite"}

    await staff.remove(path, "sync")
    await staff.add(path, "sync", ["cases:read"], clock)
    await clients.refresh()
    assert (await verifier.check(program)).scopes == {"cases:read"}

    await staff.remove(path, "sync")
    await clients.refresh()
    with pytest.raises(InvalidToken) as caught:
        await verifier.check(program)
    assert caught.value.reason == "client removed"
    assert (await verifier.check(own.issue(ANA))).email == ANA
