"""What operators see of what is stuck, and can do about it; and what other processes see."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.port.errors import Refused, Unavailable
from connectors.port.records import CaseStatus
from connectors.port.scope import Scope
from gateway.cli import main
from gateway.submissions import commands
from gateway.submissions.commands import Filter, NoSuchSubmission
from gateway.submissions.records import named
from gateway.submissions.settings import SubmissionSettings
from tests.gateway.submissions.house import ANDINA, House, caller, house, new_case, opened, until

pytestmark = pytest.mark.anyio
SCOPE = Scope([ANDINA])
ALL = frozenset({"id", "status", "number"})


async def stuck(home: House) -> str:
    """The id of a submission that the CRM refuses the gateway's credential for."""
    home.crm.trouble = lambda what: Refused("crm", "no")
    file = home.store.put("f1", b"one")
    case = await home.open.service.open_case(caller(), new_case(), [file], None)
    name = named(case.id)
    assert name is not None
    return name[0]


async def test_what_is_stuck_says_why_and_what_helps(home: House) -> None:
    submission_id = await stuck(home)
    await home.time.forward(1200)
    (line,) = await commands.listed(home.database, Filter(stuck=True), home.time.now)
    assert line.split("\t")[:5] == [
        submission_id,
        "CASE",
        "waiting",
        "for 20 min",
        "SOURCE_REFUSED",
    ]
    told = "\n".join(await commands.shown(home.database, submission_id, home.time.now))
    assert "check its credential and rights" in told
    assert "Una consulta" not in told
    later = home.time.now - timedelta(minutes=10)
    assert await commands.listed(home.database, Filter(stuck=True), later) == []


async def test_a_retry_is_tried_within_a_moment(home: House) -> None:
    submission_id = await stuck(home)
    await home.time.forward(600)
    home.crm.trouble = lambda what: None
    await commands.retry(home.database, submission_id, home.time.now)
    await until(lambda: home.open.pending.waiting == 0)
    assert len(home.crm.cases) == 1
    with pytest.raises(NoSuchSubmission):
        await commands.retry(home.database, submission_id, home.time.now)


async def test_what_is_given_up_is_told_and_never_sent(home: House) -> None:
    submission_id = await stuck(home)
    await commands.cancel(home.database, submission_id, home.time.now)
    await until(lambda: home.open.pending.waiting == 0)
    await until(lambda: home.store.released == ["f1"])
    home.crm.trouble = lambda what: None
    await home.time.forward(600)
    assert home.crm.cases == {}
    (case,) = await home.cases.cases_by_id([f"sub-{submission_id}"], ALL, SCOPE)
    assert case is not None
    assert case.status is CaseStatus.REJECTED
    ((rejection,),) = await home.open.service.rejections_by_case([case.id])
    assert rejection.what.value == "CASE"
    with pytest.raises(NoSuchSubmission):
        await commands.cancel(home.database, submission_id, home.time.now)


async def test_another_process_shows_what_this_one_holds(home: House) -> None:
    other = await opened(home)
    try:
        home.crm.trouble = lambda what: Unavailable("crm", "down")
        case = await home.open.service.open_case(caller(), new_case(), (), "k")
        await until(lambda: other.pending.waiting == 1)
        cases = other.over(home.crm, home.store.read_from)
        assert await cases.cases_by_id([case.id], ALL, SCOPE) == [case]
        home.crm.trouble = lambda what: None
        await home.time.forward(10)
        await until(lambda: other.pending.waiting == 0)
        (found,) = await cases.cases_by_id([case.id], ALL, SCOPE)
        assert found is not None
        assert (found.id, found.number) == (case.id, "00000001")
    finally:
        await other.close()


async def test_each_change_is_told_once_in_every_process(home: House) -> None:
    other = await opened(home)
    try:
        here: list[str] = []
        there: list[str] = []
        home.open.pending.listen(lambda entry: here.append(entry.state.value))
        other.pending.listen(lambda entry: there.append(entry.state.value))
        await home.open.service.open_case(caller(), new_case(), (), None)
        await until(lambda: "done" in there)
        for pending in (home.open.pending, other.pending):
            for _ in range(3):
                await pending.catch_up(home.open._ledger.changed_since)
        assert here == ["waiting", "done"]
        assert there.count("done") == 1
    finally:
        await other.close()


async def test_another_process_takes_over_what_a_dead_one_held(home: House) -> None:
    home.crm.trouble = lambda what: Unavailable("crm", "down")
    await home.open.service.open_case(caller(), new_case(), (), None)
    await home.again(clean=False)
    home.crm.trouble = lambda what: None
    await home.open.sweep()
    await home.time.forward(5)
    assert home.crm.cases == {}  # it may be alive: its time is not over
    await home.time.forward(20)
    await home.open.sweep()
    await until(lambda: home.open.pending.waiting == 0)
    assert len(home.crm.cases) == 1


async def test_whoever_has_the_workflow_brings_it_and_the_other_one_stops(home: House) -> None:
    """Two processes of one queue: the one may be given what the other one has asked for."""
    home.crm.trouble = lambda what: Unavailable("crm", "down")
    case = await home.open.service.open_case(caller(), new_case(), (), None)
    name = named(case.id)
    assert name is not None
    other = await opened(home)
    try:
        bringing = asyncio.ensure_future(other._courier.deliver(name[0], 0))
        await until(lambda: len(home.crm.tries) == 2)
        home.crm.trouble = lambda what: None
        await home.time.forward(10)
        assert await bringing == "done"
        assert home.crm.tries == ["open"] * 3
    finally:
        await other.close()


async def test_words_are_kept_no_longer_than_told(tmp_path: Path) -> None:
    async with house(tmp_path, SubmissionSettings(keep_days=2)) as home:
        home.crm.trouble = lambda what: Unavailable("crm", "down")
        case = await home.open.service.open_case(caller(), new_case(), (), "k")
        comment = await home.open.service.add_comment(caller(), case, "Falta algo", "k")
        home.crm.trouble = lambda what: None
        await home.time.forward(10)
        await until(lambda: home.open.pending.waiting == 0)
        await home.time.forward(3 * 86_400)
        ids, files = await home.open._ledger.forget()
        assert (len(ids), files) == (2, [])
        await home.again()
        (found,) = await home.cases.cases_by_id([case.id], ALL, SCOPE)
        assert found is not None
        assert found.number == "00000001"
        assert await home.cases.comments_by_id([comment.id], ALL, SCOPE) == [None]
        (shown,) = (await home.open._ledger.by_id(ids)).values()
        assert shown.said.case is None


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "portal.toml"
    config.write_text('[sources]\n[systems]\n[identity]\ndatabase = "sqlite:///own.sqlite"\n')
    main(["--config", str(config), "submissions", "list", "--stuck"])
    assert capsys.readouterr().out == "There is none.\n"
    for action in ("show", "retry", "cancel"):
        with pytest.raises(SystemExit) as raised:
            main(["--config", str(config), "submissions", action, "sub-" + "0" * 32])
        assert "0" * 32 in str(raised.value)
