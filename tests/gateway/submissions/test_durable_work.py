"""What DBOS keeps of the work on submissions, and what becomes of it when DBOS cannot."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from connectors.port.errors import SourceError, Unavailable
from connectors.port.records import CaseStatus
from gateway.submissions.engine import workflow_database
from gateway.submissions.settings import SubmissionSettings
from tests.gateway.submissions.house import House, caller, house, new_case, until

pytestmark = pytest.mark.anyio


def workflows(home: House, what: str) -> int:
    """What stands in DBOS's own database."""
    with sqlite3.connect(home.folder / "workflows.sqlite") as rows:
        found: int = rows.execute(what).fetchone()[0]
    rows.close()
    return found


STEPS, RUNS = "SELECT COUNT(*) FROM operation_outputs", "SELECT COUNT(*) FROM workflow_status"


async def test_a_long_outage_leaves_no_more_steps_than_a_short_one(home: House) -> None:
    home.crm.trouble = lambda what: Unavailable("crm", "down")
    files = [home.store.put(name, b"x") for name in ("a", "b")]
    await home.open.service.open_case(caller(), new_case(), files, None)
    await home.time.forward(7_200)
    assert len(home.crm.tries) > 20
    assert workflows(home, STEPS) == 0
    home.crm.trouble = lambda what: None
    await home.time.forward(301)
    await until(lambda: workflows(home, STEPS) == 3)
    assert workflows(home, RUNS) == 1


async def test_work_that_dbos_has_lost_begins_again(home: House) -> None:
    home.crm.trouble = lambda what: Unavailable("crm", "down")
    await home.open.service.open_case(caller(), new_case(), (), None)
    await home.open.close()
    for file in home.folder.glob("workflows.sqlite*"):
        file.unlink()
    home.crm.trouble = lambda what: None
    await home.reopen()
    await until(lambda: home.open.pending.waiting == 0)
    assert len(home.crm.cases) == 1


async def test_what_was_sent_is_kept_although_dbos_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = SubmissionSettings(workflows=f"sqlite:///{tmp_path}/file/workflows.sqlite")
    async with house(tmp_path, nowhere) as home:
        case = await home.open.service.open_case(caller(), new_case(), (), None)
        assert case.status is CaseStatus.SUBMITTED
        assert home.open.pending.waiting == 1
        await home.open.close()
        home.settings = SubmissionSettings()
        await home.reopen()
        await until(lambda: home.open.pending.waiting == 0)
        assert len(home.crm.cases) == 1


async def test_a_connector_that_breaks_costs_a_pause(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(what: str) -> SourceError | None:
        raise KeyError("Subject")

    home.crm.trouble = broken
    case = await home.open.service.open_case(caller(), new_case(), (), None)
    assert case.status is CaseStatus.SUBMITTED
    assert "KeyError" in caplog.text
    home.crm.trouble = lambda what: None
    await home.time.forward(31)
    await until(lambda: home.open.pending.waiting == 0)
    assert home.crm.tries == ["open", "open"]


async def test_a_file_that_cannot_be_read_is_tried_again(home: House) -> None:
    file, body = home.store.put("f", b"x"), b"x"
    await home.open.service.open_case(caller(), new_case(), (), None)
    case = next(iter(home.crm.cases.values()))

    def lost(what: str) -> SourceError | None:
        home.store.contents.pop("f", None)
        return None

    home.crm.trouble = lost
    (sent,) = await home.open.service.add_files(caller(), case, [file], None)
    assert sent.pending
    home.store.contents["f"] = body
    home.crm.trouble = lambda what: None
    await home.time.forward(31)
    await until(lambda: home.open.pending.waiting == 0)
    assert [one.filename for one in home.crm.files] == ["f.txt"]


async def test_a_database_that_does_not_answer_keeps_nothing_and_says_so(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OperationalError("BEGIN", None, OSError("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(home.database, "write", broken)
        with pytest.raises(Unavailable, match="cannot be written down"):
            await home.open.service.open_case(caller(), new_case(), (), "k")
    assert home.open.pending.waiting == 0
    assert home.crm.tries == []
    await home.open.service.open_case(caller(), new_case(), (), "k")
    assert len(home.crm.cases) == 1


@pytest.mark.parametrize(
    ("setting", "own", "meant"),
    [
        (None, "sqlite:///var/own.sqlite", "sqlite:////portal/var/workflows.sqlite"),
        ("sqlite:///w.sqlite", "sqlite:///var/own.sqlite", "sqlite:////portal/w.sqlite"),
        (
            None,
            "postgres://u:p@h/d?sslmode=require",
            "postgresql+psycopg://u:p@h/d?sslmode=require",
        ),
        ("sqlite:///w.sqlite", "postgresql://u@h/d", "sqlite:////portal/w.sqlite"),
    ],
)
def test_where_unfinished_work_is(setting: str | None, own: str, meant: str) -> None:
    found = workflow_database(setting, own, Path("/portal"))
    assert found.render_as_string(hide_password=False) == meant
