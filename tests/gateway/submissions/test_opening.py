"""A case that a customer opens reaches the CRM once, whatever stands in between."""

from __future__ import annotations

import pytest

from connectors.port.errors import Rejected, Unavailable
from connectors.port.records import CaseStatus
from connectors.port.scope import Scope
from schema.problems import ProblemCode, Problems
from tests.gateway.submissions.house import ANDINA, House, caller, new_case, until

pytestmark = pytest.mark.anyio
SCOPE = Scope([ANDINA])
ALL = frozenset({"id", "status", "number"})


async def test_it_is_the_crms_case_at_once(home: House) -> None:
    case = await home.open.service.open_case(caller(), new_case(), (), "k-1")
    assert case.id in home.crm.cases
    assert (case.number, case.status) == ("00000001", CaseStatus.NEW)
    assert home.crm.tries == ["open"]
    assert home.open.pending.waiting == 0


async def test_an_hour_without_the_crm(home: House) -> None:
    home.crm.trouble = lambda what: Unavailable("crm", "down")
    files = [home.store.put("f1", b"one"), home.store.put("f2", b"two")]
    case = await home.open.service.open_case(caller(), new_case(), files, None)
    assert case.status is CaseStatus.SUBMITTED
    assert case.number is None
    await home.time.forward(3600)
    tried = len(home.crm.tries)
    assert 12 <= tried <= 40
    assert await home.cases.cases_by_id([case.id], ALL, SCOPE) == [case]
    home.crm.trouble = lambda what: None
    await home.time.forward(301)
    await until(lambda: home.open.pending.waiting == 0)
    (found,) = await home.cases.cases_by_id([case.id], ALL, SCOPE)
    assert found is not None
    assert (found.id, found.number, found.status) == (case.id, "00000001", CaseStatus.NEW)
    assert len(home.crm.cases) == 1
    assert [file.filename for file in home.crm.files] == ["f1.txt", "f2.txt"]
    assert home.store.released == ["f1", "f2"]


async def test_a_connection_cut_after_the_crm_has_it(home: House) -> None:
    home.crm.cut = 1
    case = await home.open.service.open_case(caller(), new_case(), (), None)
    assert case.status is CaseStatus.SUBMITTED
    await home.time.forward(3)
    await until(lambda: home.open.pending.waiting == 0)
    assert home.crm.tries == ["open", "open"]
    assert len(home.crm.cases) == 1


async def test_what_the_crm_refuses_in_time_is_told(home: House) -> None:
    home.crm.trouble = lambda what: Rejected("crm", "no", field="subject")
    with pytest.raises(Problems) as raised:
        await home.open.service.open_case(caller(), new_case(), (), "k-1")
    (problem,) = raised.value.problems
    assert (problem.code, problem.field) == (ProblemCode.INVALID, ("input", "subject"))
    assert home.open.pending.cases(SCOPE) == []
    home.crm.trouble = lambda what: None
    corrected = new_case("Otra consulta")
    case = await home.open.service.open_case(caller(), corrected, (), "k-1")
    assert case.number == "00000001"


async def test_what_the_crm_refuses_late_stays_listed(home: House) -> None:
    home.crm.trouble = lambda what: Unavailable("crm", "down")
    file = home.store.put("f1", b"one")
    case = await home.open.service.open_case(caller(), new_case(), [file], "k-1")
    home.crm.trouble = lambda what: Rejected("crm", "no")
    await home.time.forward(3)
    await until(lambda: home.open.pending.waiting == 0)
    (found,) = await home.cases.cases_by_id([case.id], ALL, SCOPE)
    assert found is not None
    assert found.status is CaseStatus.REJECTED
    ((rejection,),) = await home.open.service.rejections_by_case([case.id])
    assert (rejection.case_id, rejection.what.value) == (case.id, "CASE")
    assert home.store.released == ["f1"]
    await home.again()
    (found,) = await home.cases.cases_by_id([case.id], ALL, SCOPE)
    assert found is not None
    assert found.status is CaseStatus.REJECTED


async def test_a_restart_goes_on(home: House) -> None:
    home.crm.trouble = lambda what: Unavailable("crm", "down")
    case = await home.open.service.open_case(caller(), new_case(), (), None)
    await home.again()
    assert await home.cases.cases_by_id([case.id], ALL, SCOPE) == [case]
    home.crm.trouble = lambda what: None
    await home.time.forward(10)
    await until(lambda: home.open.pending.waiting == 0)
    (found,) = await home.cases.cases_by_id([case.id], ALL, SCOPE)
    assert found is not None
    assert found.number == "00000001"
