"""What is sent for a case while the CRM cannot say whose it is: proven first, then brought once;
what turns out to be about another's case shows nowhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from connectors.port.errors import TimedOut, Unavailable
from connectors.port.records import Case, CaseStatus
from connectors.port.scope import Scope
from gateway.audit import Event
from gateway.submissions import commands
from gateway.submissions.records import NOBODY
from gateway.submissions.settings import SubmissionSettings
from schema.cases.service import Unproven
from schema.problems import Problems
from tests.gateway.submissions.house import (
    ANDINA,
    NOW,
    PACIFICO,
    House,
    caller,
    house,
    new_case,
    opened,
    until,
)

pytestmark = pytest.mark.anyio
BOTH = Scope([ANDINA, PACIFICO])
ALL = frozenset({"id", "status"})
AWAY = Unavailable("crm", "down")


def away(home: House) -> None:
    home.crm.silent = AWAY
    home.crm.trouble = lambda what: AWAY


async def back(home: House) -> None:
    home.crm.silent = None
    home.crm.trouble = lambda what: None
    await home.time.forward(301)
    await until(lambda: home.open.pending.waiting == 0)


def in_the_crm(
    home: House,
    case_id: str = "500X",
    status: CaseStatus = CaseStatus.NEW,
    owner: object = PACIFICO,
) -> Unproven:
    """A case that the gateway has never seen."""
    home.crm.cases[case_id] = Case(case_id, owner, number="9", status=status, created_at=NOW)  # type: ignore[arg-type]
    return Unproven(case_id, BOTH, AWAY)


async def test_its_account_is_found_and_it_is_brought_once_also_after_a_crash(home: House) -> None:
    case = in_the_crm(home)
    away(home)
    service = home.open.service
    said = await service.add_comment(caller(), case, "Hola", "k")
    assert (said.owner, said.pending) == (NOBODY, True)
    # Nothing of it shows while nobody knows whose it is.
    assert home.open.pending.of(BOTH) == []
    assert home.open.pending.waiting == 1
    await home.again(clean=False)
    again = await home.open.service.add_comment(caller(), case, "Hola", "k")
    assert again.id == said.id
    await back(home)
    assert [(one.body, one.owner) for one in home.crm.comments] == [("Hola", PACIFICO)]
    # The same, by whoever can say now whose it is.
    known = Case(case.id, PACIFICO)
    same = await home.open.service.add_comment(caller(), known, "Hola", "k")
    assert (same.owner, same.pending) == (PACIFICO, False)
    (found,) = await home.cases.comments_by_id([said.id], ALL, BOTH)
    assert found is not None
    assert found.body == "Hola"
    assert len(home.crm.comments) == 1


async def test_what_was_sent_while_it_was_known_is_the_same_when_it_is_not(home: House) -> None:
    case = in_the_crm(home)
    first = await home.open.service.add_comment(caller(), Case(case.id, PACIFICO), "Hola", "k")
    again = await home.open.service.add_comment(caller(), case, "Hola", "k")
    assert first == again
    assert len(home.crm.comments) == 1


@pytest.mark.parametrize("there", [True, False])
async def test_what_is_of_another_is_told_to_nobody(home: House, there: bool) -> None:
    case = Unproven("500X", Scope([ANDINA]), AWAY)
    if there:
        in_the_crm(home)
    away(home)
    service = home.open.service
    file = home.store.put("f", b"x")
    said = await service.add_comment(caller(), case, "Hola", None)
    await service.add_files(caller(), case, [file], None)
    await service.close_case(caller(), case, "Ya", None)
    await back(home)
    assert home.crm.comments == []
    assert home.crm.files == []
    assert home.crm.tries == []
    assert home.store.released == ["f"]
    assert await service.rejections_by_case(["500X"]) == [[]]
    assert home.open.pending.of(BOTH) == []
    assert await home.cases.comments_by_id([said.id], ALL, BOTH) == [None]
    if there:
        assert await home.cases.comments_by_case(["500X"], ALL, BOTH) == [[]]
        (found,) = await home.cases.cases_by_id(["500X"], ALL, BOTH)
        assert found is not None
        assert found.status is CaseStatus.NEW
    events: list[Event] = []
    for _ in range(200):  # the audit is told a moment later
        events = [one for one in await home.events() if one.event == "submission.rejected"]
        if len(events) == 3:
            break
        await asyncio.sleep(0.005)
    # Of the closing, its comment was refused.
    assert [event.whose for event in events] == ["-"] * 3


async def test_a_case_that_is_closed_meanwhile_takes_no_part_of_it(home: House) -> None:
    case = in_the_crm(home, status=CaseStatus.CLOSED)
    away(home)
    files = [home.store.put(name, b"x") for name in ("a", "b")]
    await home.open.service.add_files(caller(), case, files, None)
    await back(home)
    assert home.crm.files == []
    (told,) = await home.open.service.rejections_by_case([case.id])
    assert [(one.subject, one.owner) for one in told] == [("a.txt", PACIFICO), ("b.txt", PACIFICO)]
    assert {one.problem.code.value for one in told} == {"CONFLICT"}


async def test_an_id_of_the_gateways_own_is_proven_by_the_crms(home: House) -> None:
    case = await home.open.service.open_case(caller(), new_case(), (), None)
    away(home)
    other = await home.open.service.open_case(caller(), new_case("otra"), (), None)
    assert other.status is CaseStatus.SUBMITTED
    await back(home)
    away(home)
    for key in (case.id, other.id):
        await home.open.service.add_comment(caller(), Unproven(key, BOTH, AWAY), "Hola", None)
    foreign = Unproven(other.id, Scope([PACIFICO]), AWAY)
    with pytest.raises(Problems):
        await home.open.service.add_comment(caller("luis", PACIFICO), foreign, "Hola", None)
    await back(home)
    assert sorted(one.case_id for one in home.crm.comments) == sorted(home.crm.cases)


async def test_what_nobody_can_place_is_bounded_by_its_sender(tmp_path: Path) -> None:
    settings = SubmissionSettings(most_waiting_per_account=1)
    async with house(tmp_path, settings) as home:
        case = in_the_crm(home)
        away(home)
        await home.open.service.add_comment(caller(), case, "uno", None)
        with pytest.raises(Problems):
            await home.open.service.add_comment(caller(), case, "dos", None)
        await home.open.service.add_comment(caller("luis", PACIFICO), case, "tres", None)
        await back(home)
        assert {one.body for one in home.crm.comments} == {"uno", "tres"}


async def test_others_see_where_it_belongs_and_operators_that_nobody_knows(home: House) -> None:
    case = in_the_crm(home)
    other = await opened(home)
    heard: list[str] = []
    other.pending.listen(lambda entry: heard.append(entry.account.id))
    try:
        home.crm.silent = TimedOut("crm", "slow")
        await home.open.service.add_comment(caller(), case, "Hola", None)
        await until(lambda: other.pending.waiting == 1)
        (line,) = await commands.listed(home.database, commands.Filter(), home.time.now)
        told = "\n".join(await commands.shown(home.database, line.split("\t")[0], home.time.now))
        assert "the CRM has not said yet" in told
        # It is known now whose it is, and cannot be written yet.
        home.crm.silent = None
        home.crm.trouble = lambda what: AWAY
        await home.time.forward(10)
        await until(lambda: len(other.pending.of(Scope([PACIFICO]))) == 1)
        assert other.pending.waiting == 1
        home.crm.trouble = lambda what: None
        await home.time.forward(301)
        await until(lambda: other.pending.waiting == 0)
        assert heard[0] == ""
        assert set(heard[1:]) == {PACIFICO.id}
    finally:
        await other.close()
