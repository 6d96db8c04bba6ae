"""Equal questions are asked once; what is remembered is as fresh as the settings say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from typing import Any

import pytest

from connectors.port.errors import Rejected, Unavailable
from connectors.port.fields import Fields
from connectors.port.pages import Page, Slice
from connectors.port.queries import CaseQuery, NewsQuery
from connectors.port.records import Account, Case, CaseComment, NewsArticle
from connectors.port.scope import AccountRef, Scope
from gateway.sources import changes, provenance
from gateway.sources.cached import Answers, _own
from gateway.sources.freshness import CacheSettings, Freshness, Kind
from gateway.sources.shared import Shared
from schema.events import Event, What
from tests.gateway.sources.store import Dictionary, store

pytestmark = pytest.mark.anyio

A, B = AccountRef("a"), AccountRef("b")
OF_A, OF_B, BOTH = Scope([A]), Scope([B]), Scope([A, B])
NAME = frozenset({"name"})
LASTING = Freshness(seconds=10, revalidate_seconds=10, error_seconds=100)


class System:
    """Counts what it is asked. gate: questions wait for it. failure: what they end in."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.missing: set[str] = set()

    async def _answer(self, name: str, what: Any) -> int:
        """Which question it is."""
        self.asked.append((name, what))
        number = len(self.asked)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return number

    async def accounts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Account | None]:
        number = await self._answer("accounts_by_id", list(ids))
        return [
            None if one in self.missing else Account(one, scope.accounts[0], name=f"{one}{number}")
            for one in ids
        ]

    async def find_cases(self, query: CaseQuery) -> Page[Case]:
        number = await self._answer("find_cases", query)
        return Page([Case(f"{number}", query.scope.accounts[0])])

    async def comments_by_case(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[CaseComment]]:
        await self._answer("comments_by_case", list(ids))
        return [[CaseComment("1", scope.accounts[0], one)] for one in ids]

    async def find_news(self, query: NewsQuery) -> Page[NewsArticle]:
        number = await self._answer("find_news", query)
        return Page([NewsArticle(f"{number}", title="x")])

    async def identity_by_email(self, email: str) -> None:
        await self._answer("identity_by_email", email)


class House:
    """What remembers, before a system. now: what the clock says."""

    def __init__(self, shared: Shared | None = None, **settings: Any) -> None:
        self.now = 1_000.0
        table: dict[str, Any] = {"accounts": LASTING, "news": LASTING, **settings}
        self.answers = Answers(CacheSettings(**table), shared, lambda: self.now)
        self.system = System()
        self.source: Any = self.answers.before(self.system, "crm")

    async def names(self, *ids: str, scope: Scope = OF_A) -> list[str | None]:
        found = await self.source.accounts_by_id(ids, NAME, scope)
        return [one and one.name for one in found]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.answers.close()


def cases(scope: Scope, limit: int = 5) -> CaseQuery:
    return CaseQuery(scope, NAME, Slice(limit))


async def several(house: House, *questions: Any) -> list[Any]:
    """Asks all at once: the system answers when all have asked."""
    house.system.gate.clear()
    tasks = [asyncio.ensure_future(question) for question in questions]
    await asyncio.sleep(0.001)
    house.system.gate.set()
    return await asyncio.gather(*tasks)


# ----------------------------------------------------------------------------- questions at once


async def test_equal_questions_at_the_same_time_are_asked_once(house: House) -> None:
    found = await several(house, *(house.source.find_cases(cases(OF_A)) for _ in range(64)))
    assert len(house.system.asked) == 1
    assert all(page == found[0] for page in found)
    await house.source.find_cases(cases(OF_A))
    assert len(house.system.asked) == 2  # nothing of cases is remembered by default


async def test_questions_that_differ_in_anything_are_asked_each(house: House) -> None:
    await several(
        house,
        house.source.find_cases(cases(OF_A)),
        house.source.find_cases(cases(OF_B)),
        house.source.find_cases(cases(BOTH)),
        house.source.find_cases(cases(OF_A, 6)),
    )
    assert len(house.system.asked) == 4


async def test_lists_that_overlap_share_what_they_have_in_common(house: House) -> None:
    found = await several(house, house.names("x", "y"), house.names("y", "z", "y"))
    assert house.system.asked == [("accounts_by_id", ["x", "y"]), ("accounts_by_id", ["z"])]
    assert found == [["x1", "y1"], ["y1", "z2", "y1"]]


async def test_a_failure_reaches_everybody_and_is_not_remembered(house: House) -> None:
    house.system.failure = Unavailable("crm", "down")
    house.system.gate.clear()
    tasks = [asyncio.ensure_future(house.names("x")) for _ in range(3)]
    await asyncio.sleep(0.001)
    house.system.gate.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in found] == [Unavailable] * 3
    assert len(house.system.asked) == 1
    house.system.failure = None
    assert await house.names("x") == ["x2"]


async def test_whoever_gives_up_takes_nothing_from_others(house: House) -> None:
    house.system.gate.clear()
    first = asyncio.ensure_future(house.names("x"))
    await asyncio.sleep(0.001)
    second = asyncio.ensure_future(house.names("x"))
    await asyncio.sleep(0.001)
    first.cancel()
    await asyncio.sleep(0.001)
    house.system.gate.set()
    assert await second == ["x1"]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_what_is_joined_is_waited_for_beside_what_is_asked(house: House) -> None:
    house.system.gate.clear()
    first = asyncio.ensure_future(house.names("x"))
    await asyncio.sleep(0.001)
    second = asyncio.ensure_future(house.names("x", "y"))
    third = asyncio.ensure_future(house.names("y", "x", "z"))
    await asyncio.sleep(0.001)
    house.system.failure = Unavailable("crm", "down")
    house.system.gate.set()
    found = await asyncio.gather(first, second, third, return_exceptions=True)
    assert [type(one) for one in found] == [Unavailable] * 3
    assert [what for _, what in house.system.asked] == [["x"], ["y"], ["z"]]


async def test_what_all_have_given_up_is_brought_to_its_end_and_remembered(house: House) -> None:
    house.system.gate.clear()
    askers = [asyncio.ensure_future(house.names("x")) for _ in range(2)]
    await asyncio.sleep(0.001)
    for one in askers:
        one.cancel()
    await asyncio.wait(askers)
    house.system.gate.set()
    assert await house.names("x") == ["x1"]
    assert await house.names("x") == ["x1"]
    assert len(house.system.asked) == 1


@pytest.mark.parametrize("begun", [False, True])
async def test_whoever_waits_when_it_is_closed_is_let_go(house: House, begun: bool) -> None:
    house.system.gate.clear()
    asking = asyncio.ensure_future(house.source.find_cases(cases(OF_A)))
    await asyncio.sleep(0)
    if begun:
        await asyncio.sleep(0.001)
    assert len(house.system.asked) == int(begun)
    await house.answers.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_page_of_ones_own_has_all_that_the_other_has() -> None:
    every: dict[str, Any] = {field.name: object() for field in fields(Page)}
    page: Page[int] = Page(**{**every, "items": [1]})
    own = _own(page)
    assert own == page
    assert own.items is not page.items


@pytest.mark.parametrize("page", [False, True])
async def test_an_answer_for_one_alone_is_nobody_elses(page: bool) -> None:
    """Whoever joined gets a list of their own, also beside one who was first."""
    house = House(accounts=Freshness())
    if page:
        first, second = await several(
            house, house.source.find_cases(cases(OF_A)), house.source.find_cases(cases(OF_A))
        )
        assert first == second
        assert first.items is not second.items
    else:
        found = await several(
            house,
            house.source.comments_by_case(["1", "2", "1"], NAME, OF_A),
            house.source.comments_by_case(["2"], NAME, OF_A),
        )
        lists = [*found[0], *found[1]]
        assert len({id(one) for one in lists}) == 4
    await house.answers.close()


async def test_a_question_after_a_change_does_not_join_one_from_before(house: House) -> None:
    house.system.gate.clear()
    before = asyncio.ensure_future(house.names("x"))
    await asyncio.sleep(0.001)
    house.answers.changed(Kind.ACCOUNTS, "a")
    after = asyncio.ensure_future(house.names("x"))
    await asyncio.sleep(0.001)
    house.system.gate.set()
    assert [await before, await after] == [["x1"], ["x2"]]
    assert len(house.system.asked) == 2
    assert await house.names("x") == ["x2"]  # and what came from before is not remembered


async def test_what_is_not_listed_goes_to_its_system(house: House) -> None:
    await house.source.identity_by_email("x")
    await house.source.identity_by_email("x")
    assert len(house.system.asked) == 2
    assert await house.names() == []


async def test_a_list_that_somebody_changes_is_theirs(house: House) -> None:
    first, second = await several(
        house,
        house.source.comments_by_case(["1"], NAME, OF_A),
        house.source.comments_by_case(["1"], NAME, OF_A),
    )
    first[0].clear()
    assert len(second[0]) == 1


# -------------------------------------------------------------------------------- what is kept


async def test_an_answer_is_given_again_while_it_is_fresh(house: House) -> None:
    assert await house.names("x", "y") == ["x1", "y1"]
    house.now += 9
    assert await house.names("y", "z") == ["y1", "z2"]
    assert house.system.asked[1] == ("accounts_by_id", ["z"])
    assert await house.names("x", scope=OF_B) == ["x3"]


async def test_that_there_is_none_is_believed_for_a_shorter_time(house: House) -> None:
    house.system.missing = {"x"}
    assert await house.names("x") == [None]
    assert await house.names("x") == [None]
    assert len(house.system.asked) == 1
    house.now += 6
    assert await house.names("x") == [None]
    assert len(house.system.asked) == 2


async def test_a_stale_answer_is_given_once_more_while_a_new_one_comes(house: House) -> None:
    await house.names("x")
    house.now += 15
    with provenance.telling() as told:
        assert await house.names("x") == ["x1"]
    assert told.extension() == [{"name": "crm", "status": "OK", "ageSeconds": 15, "stale": True}]
    await asyncio.sleep(0.001)
    with provenance.telling() as told:
        assert await house.names("x") == ["x2"]
    assert told.extension() == []
    assert len(house.system.asked) == 2


async def test_a_refresh_that_fails_disturbs_nobody(house: House) -> None:
    await house.names("x")
    house.now += 15
    house.system.failure = Unavailable("crm", "down")
    for _ in range(3):
        assert await house.names("x") == ["x1"]
        await asyncio.sleep(0.001)


async def test_a_system_that_is_down_is_stood_in_for(house: House) -> None:
    await house.names("x")
    house.now += 50
    house.system.failure = Unavailable("crm", "down")
    with provenance.telling() as told:
        assert await house.names("x") == ["x1"]
    assert told.extension() == [
        {"name": "crm", "status": "SOURCE_UNAVAILABLE", "ageSeconds": 50, "stale": True}
    ]
    house.now += 100
    with provenance.telling() as told, pytest.raises(Unavailable):
        await house.names("x")
    assert told.extension() == [
        {"name": "crm", "status": "SOURCE_UNAVAILABLE", "ageSeconds": 0, "stale": False}
    ]


async def test_what_a_system_rejects_is_told_and_not_stood_in_for(house: House) -> None:
    await house.names("x")
    house.now += 50
    house.system.failure = Rejected("crm", "no")
    with pytest.raises(Rejected):
        await house.names("x")


async def test_a_change_is_seen_at_once_and_by_those_it_concerns(house: House) -> None:
    await house.names("x")
    await house.names("x", scope=OF_B)
    house.answers.changed(Kind.ACCOUNTS, "a")
    assert await house.names("x") == ["x3"]
    assert await house.names("x", scope=OF_B) == ["x2"]
    house.answers.changed_elsewhere()
    assert await house.names("x", scope=OF_B) == ["x4"]


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        (Event(What.CASE_OPENED, "1", "a"), {Kind.CASES}),
        (Event(What.CONTACT_CHANGED, "1"), {Kind.CASES, Kind.CONTACTS}),
        (None, {*Kind} - {Kind.NEWS, Kind.QUESTIONS}),
    ],
)
async def test_events_say_what_was_changed(event: Event | None, kinds: set[Kind]) -> None:
    every: dict[str, Any] = {kind.value: LASTING for kind in Kind}
    house = House(None, **every)
    await house.source.find_cases(cases(OF_A))
    await house.names("x")
    changes.listener(house.answers)(event)
    await house.source.find_cases(cases(OF_A))
    await house.names("x")
    again = [name for name, _ in house.system.asked[2:]]
    assert ("find_cases" in again) == (Kind.CASES in kinds)
    assert ("accounts_by_id" in again) == (Kind.ACCOUNTS in kinds)


async def test_nothing_is_kept_where_that_is_switched_off() -> None:
    house = House(enabled=False)
    assert [await house.names("x"), await house.names("x")] == [["x1"], ["x2"]]
    await several(house, house.names("y"), house.names("y"))
    assert len(house.system.asked) == 3


async def test_a_system_that_gives_one_answer_too_few_is_not_believed(house: House) -> None:
    async def short(*_: object) -> list[Any]:
        return []

    house.system.accounts_by_id = short  # type: ignore[method-assign, assignment]  # it is broken
    with pytest.raises(RuntimeError, match="0 answers to 1"):
        await Answers(CacheSettings()).before(house.system, "crm").accounts_by_id(["x"], NAME, OF_A)


# ---------------------------------------------------------------------------- several processes


async def test_processes_share_what_they_know() -> None:
    clients = store()
    one, other = House(clients(), cases=LASTING), House(clients(), cases=LASTING)
    assert await one.names("x", "y") == ["x1", "y1"]
    await asyncio.sleep(0.001)
    assert await other.names("y") == ["y1"]
    page = await one.source.find_cases(cases(OF_A))
    await asyncio.sleep(0.001)
    assert await other.source.find_cases(cases(OF_A)) == page
    assert other.system.asked == []
    assert await other.names("y", scope=OF_B) == ["y1"]
    assert len(other.system.asked) == 1


async def test_a_change_in_one_process_holds_in_all() -> None:
    clients = store()
    one, other = House(clients()), House(clients())
    await one.names("x")
    await asyncio.sleep(0.001)
    assert await other.names("x") == ["x1"]
    other.answers.changed(Kind.ACCOUNTS, "a")
    assert other.answers._shared
    await other.answers._shared.told()
    assert await one.names("x") == ["x2"]
    await asyncio.sleep(0.001)
    assert await other.names("x") == ["x2"]
    assert [len(one.system.asked), len(other.system.asked)] == [2, 0]


async def test_an_answer_from_before_a_change_is_not_shared_after_it() -> None:
    clients = store()
    one, other = House(clients()), House(clients())
    one.system.gate.clear()
    before = asyncio.ensure_future(one.names("x"))
    await asyncio.sleep(0.001)
    other.answers.changed(Kind.ACCOUNTS, "a")
    assert other.answers._shared
    await other.answers._shared.told()
    one.system.gate.set()
    await before
    await asyncio.sleep(0.001)
    await other.names("x")
    assert len(other.system.asked) == 1


async def test_a_store_that_is_down_fails_nobody_and_is_left_alone() -> None:
    dictionary, now = Dictionary(), [0.0]
    clients = store(dictionary, clock=lambda: now[0])
    one, other = House(clients()), House(clients())
    await one.names("x")
    dictionary.down = True
    assert await one.names("x") == ["x2"]
    assert await one.names("x") == ["x2"]  # by its own memory now
    asked = dictionary.asked
    assert await one.names("x") == ["x2"]
    assert dictionary.asked == asked
    one.answers.changed(Kind.ACCOUNTS, "a")
    assert await one.names("x") == ["x3"]
    # What was changed meanwhile is told when it is back, and nothing from before is given.
    dictionary.down = False
    now[0] += 10
    assert await other.names("x") == ["x1"]  # nobody could tell it
    assert await one.names("x") == ["x4"]
    assert one.answers._shared
    await one.answers._shared.told()
    assert not one.answers._shared._owed
    await asyncio.sleep(0.001)
    assert await other.names("x") == ["x4"]
    assert other.system.asked == []


@pytest.mark.parametrize("rubbish", [b"", b"\xc1", b"\x93\x01\x90\xc0", b"x" * 100])
async def test_what_nobody_of_us_wrote_is_no_answer(rubbish: bytes) -> None:
    dictionary = Dictionary()
    clients = store(dictionary)
    one = House(clients())
    await one.names("x")
    await asyncio.sleep(0.001)
    for name in dictionary.held:
        dictionary.held[name] = rubbish
    assert await House(clients()).names("x") == ["x1"]
