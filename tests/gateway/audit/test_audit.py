"""The audit: complete, append only, without what does not belong there."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.audit import Audit, EventFilter, Outcome, open_audit, read_events
from gateway.database.engine import Database
from gateway.database.migrate import open_database
from schema.identity.service import Origin
from tests.gateway.clock import NOW, Clock

pytestmark = pytest.mark.anyio

ORIGIN = Origin(address="203.0.113.7", user_agent="portal/1", request_id="r-1")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database("sqlite:///identity.sqlite", tmp_path)
    yield database
    await database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def audit(database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[Audit]:
    audit = await open_audit(tmp_path / "log" / "audit.jsonl", database, clock)
    yield audit
    await audit.close()


def lines(tmp_path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (tmp_path / "log/audit.jsonl").read_bytes().splitlines()]


async def test_an_event_is_in_file_and_table_when_note_returns(
    audit: Audit, database: Database, tmp_path: Path
) -> None:
    await audit.note("session.started", who="ana@a.example", whose="ana@a.example", origin=ORIGIN)
    (line,) = lines(tmp_path)
    assert line == {
        "at": "2026-03-02T15:00:00+00:00",
        "event": "session.started",
        "who": "ana@a.example",
        "whose": "ana@a.example",
        "what": "-",
        "outcome": "OK",
        "address": "203.0.113.7",
        "user_agent": "portal/1",
        "request_id": "r-1",
    }
    (event,) = await read_events(database, EventFilter())
    assert event.at == NOW
    assert json.loads(event.line()) == line


async def test_events_of_many_at_once_are_all_kept(
    audit: Audit, database: Database, tmp_path: Path
) -> None:
    await asyncio.gather(*(audit.note("x.y", who=f"p{n}") for n in range(500)))
    assert {line["who"] for line in lines(tmp_path)} == {f"p{n}" for n in range(500)}
    assert len(await read_events(database, EventFilter(), 1000)) == 500


async def test_closing_writes_what_waits_and_takes_no_more(
    database: Database, tmp_path: Path
) -> None:
    audit = await open_audit(tmp_path / "log" / "audit.jsonl", database)
    notes = [asyncio.create_task(audit.note("x.y", who=f"p{n}")) for n in range(20)]
    await asyncio.sleep(0)
    await audit.close()
    await asyncio.gather(*notes)
    assert len(lines(tmp_path)) == 20
    with pytest.raises(RuntimeError):
        await audit.note("x.y", who="late")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET who = 'me'",
        "DELETE FROM audit_event",
        "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event",
    ],
)
async def test_the_table_takes_no_change(audit: Audit, database: Database, statement: str) -> None:
    await audit.note("x.y", who="ana@a.example")
    with pytest.raises(DBAPIError, match="append only"):
        async with database.write() as connection:
            await connection.execute(text(statement))
    (event,) = await read_events(database, EventFilter())
    assert event.who == "ana@a.example"


async def test_only_its_owner_may_read_the_file(audit: Audit, tmp_path: Path) -> None:
    await audit.note("x.y", who="ana@a.example")
    assert stat.S_IMODE((tmp_path / "log/audit.jsonl").stat().st_mode) == 0o600


async def test_a_rotated_file_is_begun_anew(audit: Audit, tmp_path: Path) -> None:
    await audit.note("x.y", who="first")
    (tmp_path / "log/audit.jsonl").rename(tmp_path / "log/audit.jsonl.1")
    await audit.note("x.y", who="second")
    assert [line["who"] for line in lines(tmp_path)] == ["second"]


async def test_what_comes_from_outside_is_cut_and_cannot_forge_a_line(
    audit: Audit, tmp_path: Path
) -> None:
    forged = Origin("1" * 999, 'x"}\n{"event":"y"\x1b[2J\ud800', "\u2028" * 999)
    await audit.note("x.y", who="", origin=forged)
    (line,) = lines(tmp_path)
    assert line["who"] == "-"
    assert len(line["address"]) == 64
    assert len(line["request_id"]) == 64
    assert "\n" not in line["user_agent"]
    assert "\x1b" not in line["user_agent"]


async def test_a_file_that_cannot_be_written_leaves_the_table(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "blocked").mkdir()
    audit = await open_audit(tmp_path / "blocked", database)
    await audit.note("x.y", who="ana@a.example")
    assert "the audit's file cannot be written" in caplog.text
    assert audit.lost == 0
    assert len(await read_events(database, EventFilter())) == 1
    async with database.write() as connection:
        await connection.execute(text("ALTER TABLE audit_event RENAME TO gone"))
    await audit.note("x.y", who="ana@a.example")
    assert audit.lost == 1
    await audit.close()


async def test_operators_find_events(audit: Audit, database: Database, clock: Clock) -> None:
    await audit.note("session.started", who="ana", whose="a1", origin=ORIGIN)
    clock.now += timedelta(minutes=1)
    await audit.note("session.refused", who="eva", outcome="WRONG_CREDENTIALS")
    clock.now += timedelta(minutes=1)
    await audit.note("sessions%", who="ana", outcome=Outcome.FAILED)

    async def found(limit: int = 100, **wanted: object) -> list[str]:
        events = await read_events(database, EventFilter(**wanted), limit)  # type: ignore[arg-type] # any filter
        return [event.event for event in events]

    assert await found() == ["session.started", "session.refused", "sessions%"]
    assert await found(2) == ["session.refused", "sessions%"]
    assert await found(event="session.") == ["session.started", "session.refused"]
    assert await found(event="session.refused") == ["session.refused"]
    assert await found(who="ana") == ["session.started", "sessions%"]
    assert await found(whose="a1") == ["session.started"]
    assert await found(outcome="FAILED") == ["sessions%"]
    assert await found(address="203.0.113.7", request_id="r-1") == ["session.started"]
    assert await found(since=NOW + timedelta(minutes=1)) == ["session.refused", "sessions%"]
    assert await found(until=NOW + timedelta(minutes=1)) == ["session.started"]
