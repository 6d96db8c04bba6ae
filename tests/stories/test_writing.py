"""What the gateway writes into the CRM passes the wall: what it costs, and what never leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.port.errors import Rejected, Unavailable
from connectors.port.records import NewCase, NewComment, NewFile
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import CaseWriter
from sandbox.people import CUSTOMERS
from tests.stories.portal import NOW, Portal

pytestmark = pytest.mark.anyio

ANDINA, PACIFICO = (AccountRef(one.crm_id, one.number, one.country) for one in CUSTOMERS[:2])
SCOPE, OTHERS = Scope([ANDINA]), Scope([PACIFICO])


async def _bytes() -> AsyncIterator[bytes]:
    yield b"una nota"


def case(account: AccountRef = ANDINA) -> NewCase:
    return NewCase(account, "QUERY", "¿Cuándo?", "El pedido de ayer.", NOW)


def file(case_id: str) -> NewFile:
    return NewFile(case_id, "nota.txt", "text/plain", 8, _bytes)


def writer(house: Portal) -> CaseWriter:
    found = house.gateway.sources.case_writer
    assert found is not None
    house.recorder.calls.clear()
    return found


async def test_what_writing_costs(house: Portal) -> None:
    desk, calls = writer(house), house.recorder.calls
    made = await desk.open_case("c-1", case(), SCOPE)
    assert len(calls) == 1
    await desk.add_comment("c-2", NewComment(made.id, "Gracias."), SCOPE)
    assert len(calls) == 1 + 2
    await desk.add_file("c-3", file(made.id), SCOPE)
    assert len(calls) == 1 + 2 + 4
    assert await desk.close_case(made.id, SCOPE)
    assert len(calls) == 1 + 2 + 4 + 2
    [changes] = await house.gateway.sources.cases.status_changes_by_case([made.id], SCOPE)
    assert [change.after.value for change in changes] == ["CLOSED"]


async def test_nothing_foreign_is_written_on_nor_asked_of_the_writer(house: Portal) -> None:
    made = await writer(house).open_case("c-1", case(PACIFICO), OTHERS)
    desk = writer(house)
    with pytest.raises(Rejected):
        await desk.open_case("c-2", case(PACIFICO), SCOPE)
    assert house.recorder.calls == []
    with pytest.raises(Rejected):
        await desk.add_comment("c-3", NewComment(made.id, "Hola"), SCOPE)
    with pytest.raises(Rejected):
        await desk.add_file("c-4", file(made.id), SCOPE)
    assert not await desk.close_case(made.id, SCOPE)
    assert [call.method for call in house.recorder.calls] == ["GET"] * 3


async def test_what_was_done_when_its_answer_was_lost_is_done_once(house: Portal) -> None:
    desk = writer(house)
    house.faults.fail("crm=cutx1")
    with pytest.raises(Unavailable):
        await desk.open_case("c-1", case(), SCOPE)
    made = await desk.open_case("c-1", case(), SCOPE)
    house.faults.fail("crm=cutx1")
    with pytest.raises(Unavailable):
        await desk.add_comment("c-2", NewComment(made.id, "Gracias."), SCOPE)
    said = await desk.add_comment("c-2", NewComment(made.id, "Gracias."), SCOPE)
    [comments] = await house.gateway.sources.cases.comments_by_case([made.id], frozenset(), SCOPE)
    assert [comment.id for comment in comments] == [said]
