"""Comments, files and closings reach the case that they belong to, in their order, once; until then
they show."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.port.errors import Refused, Rejected, Throttled, Unavailable
from connectors.port.pages import Slice
from connectors.port.queries import CaseQuery
from connectors.port.records import Case, CaseStatus
from connectors.port.scope import Scope
from gateway.submissions.settings import SubmissionSettings
from schema.problems import ProblemCode, Problems
from tests.gateway.submissions.house import (
    ANDINA,
    PACIFICO,
    House,
    caller,
    house,
    new_case,
    until,
)

pytestmark = pytest.mark.anyio
SCOPE = Scope([ANDINA])
ALL = frozenset({"id", "status", "number", "created_at"})


def down(home: House) -> None:
    home.crm.trouble = lambda what: Unavailable("crm", "down")


async def up(home: House) -> None:
    home.crm.trouble = lambda what: None
    await home.time.forward(301)
    await until(lambda: home.open.pending.waiting == 0)


async def listed(home: House, *statuses: CaseStatus) -> list[Case]:
    query = CaseQuery(SCOPE, ALL, Slice(10), statuses=statuses or None, with_total=True)
    page = await home.cases.find_cases(query)
    assert page.total == len(page.items)
    return list(page.items)


async def test_all_that_belongs_to_a_case_on_its_way(home: House) -> None:
    service = home.open.service
    down(home)
    case = await service.open_case(caller(), new_case(), (), None)
    comment = await service.add_comment(caller(), case, "Falta algo", None)
    (file,) = await service.add_files(caller(), case, [home.store.put("f", b"x")], None)
    await service.close_case(caller(), case, "Ya no hace falta", None)
    assert comment.pending
    assert file.pending
    home.crm.reads.clear()
    ((said,), (files,)) = (
        await home.cases.comments_by_case([case.id], ALL, SCOPE),
        await home.cases.attachments_by_case([case.id], ALL, SCOPE),
    )
    assert [one.body for one in said] == ["Falta algo", "Ya no hace falta"]
    assert files == [file]
    assert await home.cases.comments_by_id([comment.id], ALL, SCOPE) == [comment]
    (shown,) = await home.cases.cases_by_id([case.id], ALL, SCOPE)
    assert shown is not None
    assert shown.status is CaseStatus.CLOSED
    assert home.crm.reads == []
    await up(home)
    (real,) = home.crm.cases.values()
    assert real.status is CaseStatus.CLOSED
    assert [one.body for one in home.crm.comments] == ["Falta algo", "Ya no hace falta"]
    order = [what for what in home.crm.tries if what != "open"]
    assert order == ["comment", "file", "comment", "close"]
    (said,) = await home.cases.comments_by_case([case.id], ALL, SCOPE)
    assert [one.pending for one in said] == [False, False]
    (again,) = await home.cases.comments_by_id([comment.id], ALL, SCOPE)
    assert again is not None
    assert (again.id, again.body, again.pending) == (comment.id, "Falta algo", False)


async def test_a_closing_counts_where_statuses_are_asked_for(home: House) -> None:
    service = home.open.service
    first = await service.open_case(caller(), new_case("uno"), (), None)
    second = await service.open_case(caller(), new_case("dos"), (), None)
    down(home)
    await service.close_case(caller(), first, None, None)
    assert {case.id for case in await listed(home, CaseStatus.CLOSED)} == {first.id}
    assert {case.id for case in await listed(home, CaseStatus.NEW)} == {second.id}
    assert {case.status for case in await listed(home)} == {CaseStatus.CLOSED, CaseStatus.NEW}
    await up(home)
    assert {case.id for case in await listed(home, CaseStatus.CLOSED)} == {first.id}


async def test_lists_ask_the_crm_only_what_it_can_know(home: House) -> None:
    down(home)
    case = await home.open.service.open_case(caller(), new_case(), (), None)
    home.crm.reads.clear()
    assert await listed(home, CaseStatus.SUBMITTED) == [case]
    assert await listed(home, CaseStatus.REJECTED) == []
    assert await home.cases.cases_by_id([case.id], ALL, SCOPE) == [case]
    assert home.crm.reads == []
    assert await listed(home) == [case]
    assert home.crm.reads == ["find_cases"]


async def test_nobody_elses_accounts_show_it(home: House) -> None:
    down(home)
    case = await home.open.service.open_case(caller(), new_case(), (), None)
    others = Scope([PACIFICO])
    assert await home.cases.cases_by_id([case.id], ALL, others) == [None]
    assert await home.cases.comments_by_case([case.id], ALL, others) == [[]]
    page = await home.cases.find_cases(CaseQuery(others, ALL, Slice(5)))
    assert page.items == []
    luis = caller("luis", PACIFICO)
    with pytest.raises(Problems) as raised:
        await home.open.service.add_comment(luis, replace(case, owner=PACIFICO), "hola", None)
    assert raised.value.problems[0].code is ProblemCode.NOT_FOUND
    await up(home)
    assert await home.cases.cases_by_id([case.id], ALL, others) == [None]


async def test_ten_at_once_with_one_key(home: House) -> None:
    files = [home.store.put("f1", b"one")]
    send = home.open.service.open_case
    answers = await asyncio.gather(
        *(send(caller(), new_case(), files, "one-key") for _ in range(10))
    )
    assert len(home.crm.cases) == 1
    assert len(home.crm.files) == 1
    assert {case.id for case in answers} == set(home.crm.cases)
    with pytest.raises(Problems) as raised:
        await send(caller(), new_case("otra"), files, "one-key")
    (problem,) = raised.value.problems
    assert (problem.code, problem.field) == (ProblemCode.CONFLICT, ("input", "idempotencyKey"))
    await send(caller("luis"), new_case("otra"), (), "one-key")
    assert len(home.crm.cases) == 2


async def test_a_double_click_without_a_key(home: House) -> None:
    send = home.open.service.open_case
    first, second = await asyncio.gather(*(send(caller(), new_case(), (), None) for _ in range(2)))
    assert first.id == second.id
    await home.time.forward(301)
    third = await send(caller(), new_case(), (), None)
    assert third.id != first.id


async def test_a_comment_that_is_refused_late_is_told_on_the_case(home: House) -> None:
    service = home.open.service
    case = await service.open_case(caller(), new_case(), (), None)
    down(home)
    await service.add_comment(caller(), case, "No llega", None)
    home.crm.trouble = lambda what: Rejected("crm", "no")
    await home.time.forward(5)
    await until(lambda: home.open.pending.waiting == 0)
    ((rejection,), none) = await service.rejections_by_case([case.id, "500000000000099AAA"])
    assert (rejection.what.value, rejection.subject) == ("COMMENT", "No llega")
    assert none == []
    assert await home.cases.comments_by_case([case.id], ALL, SCOPE) == [[]]


async def test_a_file_that_is_refused_costs_no_other(home: House) -> None:
    refuse = iter([None, Rejected("crm", "no"), None])
    home.crm.trouble = lambda what: next(refuse) if what == "file" else None
    files = [home.store.put(name, name.encode()) for name in ("a", "b", "c")]
    case = await home.open.service.open_case(caller(), new_case(), files, None)
    assert [file.filename for file in home.crm.files] == ["a.txt", "c.txt"]
    ((rejection,),) = await home.open.service.rejections_by_case([case.id])
    assert (rejection.what.value, rejection.subject) == ("FILE", "b.txt")
    assert home.store.released == ["a", "b", "c"]


async def test_comments_on_a_refused_case_are_refused_too(home: House) -> None:
    service = home.open.service
    down(home)
    case = await service.open_case(caller(), new_case(), (), None)
    await service.add_comment(caller(), case, "Falta algo", None)
    home.crm.trouble = lambda what: Rejected("crm", "no")
    await home.time.forward(5)
    await until(lambda: home.open.pending.waiting == 0)
    (rejections,) = await service.rejections_by_case([case.id])
    assert [one.what.value for one in rejections] == ["CASE", "COMMENT"]
    with pytest.raises(Problems) as raised:
        await service.add_comment(caller(), case, "¿Y ahora?", None)
    assert raised.value.problems[0].code is ProblemCode.CONFLICT


async def test_what_waits_is_bounded(tmp_path: Path) -> None:
    settings = SubmissionSettings(most_waiting_per_account=2, most_waiting=3)
    async with house(tmp_path, settings) as home:
        down(home)
        send = home.open.service.open_case
        for name in ("uno", "dos"):
            await send(caller(), new_case(name), (), None)
        file = home.store.put("f", b"x")
        with pytest.raises(Problems) as raised:
            await send(caller(), new_case("tres"), [file], None)
        (problem,) = raised.value.problems
        assert problem.code is ProblemCode.TOO_MANY_ATTEMPTS
        assert problem.retry_at is not None
        assert home.store.holders == {}
        luis = caller("luis", PACIFICO)
        await send(luis, new_case("cuatro", PACIFICO), (), None)
        with pytest.raises(Problems):
            await send(luis, new_case("cinco", PACIFICO), (), None)
        await up(home)
        assert len(home.crm.cases) == 3


async def test_a_file_that_is_gone_keeps_nothing(home: House) -> None:
    gone = replace(home.store.put("f", b"x"), id="other", path=("input", "uploadIds", "0"))
    with pytest.raises(Problems) as raised:
        await home.open.service.open_case(caller(), new_case(), [gone], "k")
    [problem] = raised.value.problems
    assert (problem.code, problem.field) == ("EXPIRED", ("input", "uploadIds", "0"))
    assert home.open.pending.waiting == 0
    await home.open.service.open_case(caller(), new_case(), (), "k")


async def test_the_crm_is_asked_by_a_few_at_a_time(home: House) -> None:
    home.crm.hold = asyncio.Event()
    send = home.open.service.open_case
    asked = [asyncio.ensure_future(send(caller(), new_case(str(n)), (), None)) for n in range(12)]
    await until(lambda: home.crm.at_once == 4)
    home.crm.hold.set()
    await asyncio.gather(*asked)
    assert home.crm.most_at_once == 4
    assert len(home.crm.cases) == 12


async def test_a_throttled_crm_is_left_alone_as_long_as_it_says(home: House) -> None:
    home.crm.trouble = lambda what: Throttled("crm", "slowly", retry_after=120)
    await home.open.service.open_case(caller(), new_case(), (), None)
    await home.time.forward(119)
    assert home.crm.tries == ["open"]
    await up(home)


async def test_a_refused_credential_is_tried_again_slowly(home: House) -> None:
    home.crm.trouble = lambda what: Refused("crm", "no")
    await home.open.service.open_case(caller(), new_case(), (), None)
    await home.time.forward(600)
    assert 3 <= len(home.crm.tries) <= 8
    await up(home)
    assert len(home.crm.cases) == 1


async def test_one_success_brings_the_others_soon(home: House) -> None:
    down(home)
    send = home.open.service.open_case
    for n in range(5):
        await send(caller(), new_case(str(n)), (), None)
    await home.time.forward(1800)
    home.crm.trouble = lambda what: None
    await send(caller(), new_case("después"), (), None)
    await until(lambda: home.open.pending.waiting == 0)
    assert len(home.crm.cases) == 6
