"""The wall holds even when a connector does not: what it lets through by mistake is held back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from connectors.port.errors import Rejected
from connectors.port.fields import NOT_FETCHED, Fields
from connectors.port.pages import Page, Slice
from connectors.port.queries import CaseQuery, ContactQuery, OrderQuery
from connectors.port.records import (
    Account,
    Address,
    Case,
    CaseComment,
    CaseStatus,
    CaseStatusChange,
    Contact,
    ContactChanges,
    Content,
    MembershipRole,
    NewCase,
    NewComment,
    NewContact,
    NewFile,
    OpenedCase,
    Order,
)
from connectors.port.scope import AccountRef, Scope
from gateway.sources.guarded import (
    GuardedCases,
    GuardedCaseWriter,
    GuardedCustomers,
    GuardedCustomerWriter,
    GuardedOrders,
)

pytestmark = pytest.mark.anyio

OWN, FOREIGN = AccountRef("a1", "100", "CO"), AccountRef("a2", "200", "PE")
SCOPE = Scope([OWN])
NOW = datetime(2026, 11, 18, tzinfo=UTC)
ANY: Fields = frozenset({"number"})


class Leaky:
    """A connector that forgot the scope. asked: how often it was; held: files under way."""

    def __init__(self) -> None:
        self.asked = 0
        self.held = 0

    def __getattr__(self, name: str) -> Any:
        async def answer(*arguments: Any) -> Any:
            self.asked += 1
            return getattr(self, "_" + name)(*arguments)

        return answer

    def _cases_by_id(self, ids: Sequence[str], *_: Any) -> list[Case | None]:
        return [Case(id=i, owner=FOREIGN if i.startswith("f") else OWN) for i in ids]

    def _find_cases(self, query: CaseQuery) -> Page[Case]:
        foreign = Account(id="a2", owner=FOREIGN, name="Foreign")
        contact = Contact(id="p2", owner=FOREIGN, name="Foreign")
        own = Contact(id="p1", owner=OWN, name="Own", account=foreign)
        return Page(
            [
                Case(id="f1", owner=FOREIGN),
                Case(id="c1", owner=OWN, account=foreign, contact=contact),
                Case(id="c2", owner=OWN, contact=own),
            ]
        )

    def _comments_by_case(self, ids: Sequence[str], *_: Any) -> list[list[CaseComment]]:
        return [[CaseComment(id=i, owner=o, case_id=i) for o in (OWN, FOREIGN)] for i in ids]

    def _status_changes_by_case(self, ids: Sequence[str], _: Scope) -> list[list[CaseStatusChange]]:
        steps = [("1", OWN), ("2", FOREIGN)]
        return [[CaseStatusChange(n, o, i, NOW, CaseStatus.NEW) for n, o in steps] for i in ids]

    def _attachment_content(self, attachment_id: str, _: Scope, first: int) -> Content:
        owner = FOREIGN if attachment_id.startswith("f") else OWN
        self.held += 1

        async def chunks() -> AsyncIterator[bytes]:
            yield b"bytes"[first:]

        async def close() -> None:
            self.held -= 1

        return Content(owner, 5, chunks(), close)

    def _find_orders(self, query: OrderQuery) -> Page[Order]:
        return Page([Order(id="1", owner=FOREIGN), Order(id="2", owner=OWN)])

    def _orders_by_number(self, numbers: Sequence[str], *_: Any) -> list[Order | None]:
        return [Order(id=n, owner=FOREIGN) for n in numbers]

    def _contacts_by_id(self, ids: Sequence[str], *_: Any) -> list[Contact | None]:
        return [Contact(id="p", owner=FOREIGN)]

    def _shipping_addresses_by_account(
        self, accounts: Sequence[AccountRef], *_: Any
    ) -> list[list[Address]]:
        return [[Address(city=account.id)] for account in accounts]


async def test_foreign_records_are_held_back() -> None:
    cases = GuardedCases(cast("Any", Leaky()))
    found = await cases.cases_by_id(["c1", "f1"], ANY, SCOPE)
    assert [case and case.id for case in found] == ["c1", None]
    comments = await cases.comments_by_case(["c1"], ANY, SCOPE)
    assert [comment.owner for comment in comments[0]] == [OWN]
    [changes] = await cases.status_changes_by_case(["c1"], SCOPE)
    assert [change.id for change in changes] == ["1"]
    orders = GuardedOrders(cast("Any", Leaky()))
    page = await orders.find_orders(OrderQuery(SCOPE, ANY, Slice(5)))
    assert [order.id for order in page.items] == ["2"]
    assert await orders.orders_by_number(["9"], ANY, SCOPE) == [None]


async def test_a_foreign_file_is_let_go_unread() -> None:
    leaky = Leaky()
    cases = GuardedCases(cast("Any", leaky))
    assert await cases.attachment_content("f1", SCOPE) is None
    assert leaky.held == 0
    own = await cases.attachment_content("c1", SCOPE, 2)
    assert own is not None
    assert [chunk async for chunk in own.chunks] == [b"tes"]
    await own.close()


async def test_foreign_records_inside_own_ones_are_held_back() -> None:
    page = await GuardedCases(cast("Any", Leaky())).find_cases(CaseQuery(SCOPE, ANY, Slice(5)))
    assert [case.id for case in page.items] == ["c1", "c2"]
    assert page.items[0].contact is None
    assert page.items[0].account is NOT_FETCHED
    inner = page.items[1].contact
    assert inner is not None
    assert inner.account is NOT_FETCHED


async def test_an_empty_scope_asks_nobody() -> None:
    leaky = Leaky()
    cases, orders = GuardedCases(cast("Any", leaky)), GuardedOrders(cast("Any", leaky))
    customers = GuardedCustomers(cast("Any", leaky))
    nobody, unnumbered = Scope(), Scope([AccountRef("a1")])
    page = await cases.find_cases(CaseQuery(nobody, ANY, Slice(5), with_total=True))
    assert (page.items, page.total) == ([], 0)
    assert await cases.comments_by_case(["c1"], ANY, nobody) == [[]]
    assert await cases.status_changes_by_case(["c1"], nobody) == [[]]
    assert await cases.attachment_content("c1", nobody) is None
    assert await customers.contacts_by_id(["p1"], ANY, nobody) == [None]
    query = ContactQuery(SCOPE, ANY, "a2", Slice(5))
    assert (await customers.contacts_by_account(query)).items == []
    assert (await orders.find_orders(OrderQuery(unnumbered, ANY, Slice(5)))).items == []
    assert await orders.lines_by_order(["1"], ANY, unnumbered) == [[]]
    assert leaky.asked == 0


async def test_a_condition_without_values_asks_nobody() -> None:
    leaky = Leaky()
    query = CaseQuery(SCOPE, ANY, Slice(5), categories=())
    assert (await GuardedCases(cast("Any", leaky)).find_cases(query)).items == []
    assert leaky.asked == 0


async def test_what_belongs_to_accounts_is_asked_for_own_ones_alone() -> None:
    orders = GuardedOrders(cast("Any", Leaky()))
    found = await orders.shipping_addresses_by_account([FOREIGN, OWN], SCOPE)
    assert found == [None, [Address(city="a1")]]


async def test_answers_that_cannot_be_told_apart_are_no_answers() -> None:
    customers = GuardedCustomers(cast("Any", Leaky()))
    with pytest.raises(RuntimeError, match="1 answers to 2 questions"):
        await customers.contacts_by_id(["p1", "p2"], ANY, SCOPE)


class Careless:
    """A writer that writes whatever it is told. written: whom and for which account."""

    def __init__(self) -> None:
        self.written: list[str] = []

    async def update_contact(self, contact_id: str, changes: ContactChanges, scope: Scope) -> bool:
        self.written.append(contact_id)
        return True

    async def ensure_contact(self, person: NewContact, scope: Scope) -> MembershipRole:
        self.written.append(person.account.id)
        return person.role


class People:
    """Who is seen: "own" of the own account, "foreign" of another, whatever the scope says."""

    async def contacts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Contact | None]:
        owners = {"own": OWN, "foreign": FOREIGN}
        return [Contact(id=i, owner=owners[i]) if i in owners else None for i in ids]


@pytest.mark.parametrize(
    ("contact_id", "scope", "done"),
    [
        ("own", SCOPE, True),
        ("foreign", SCOPE, False),
        ("nobody", SCOPE, False),
        ("", SCOPE, False),
        ("own", Scope(), False),
    ],
)
async def test_only_people_of_the_scope_are_changed(
    contact_id: str, scope: Scope, done: bool
) -> None:
    writer = Careless()
    guarded = GuardedCustomerWriter(writer, GuardedCustomers(cast("Any", People())))
    assert await guarded.update_contact(contact_id, ContactChanges(phone="1"), scope) is done
    assert writer.written == (["own"] if done else [])


async def test_people_are_added_only_to_accounts_of_the_scope() -> None:
    writer = Careless()
    guarded = GuardedCustomerWriter(writer, GuardedCustomers(cast("Any", People())))
    given = ("eva@andina.example", "Eva", MembershipRole.MEMBER)
    assert await guarded.ensure_contact(NewContact(OWN, *given), SCOPE) is MembershipRole.MEMBER
    for scope in (SCOPE, Scope()):
        with pytest.raises(PermissionError):
            await guarded.ensure_contact(NewContact(FOREIGN, *given), scope)
    assert writer.written == [OWN.id]


class CarelessDesk:
    """A writer that takes whatever it is told. written: on which case or for which account."""

    largest_file = 7

    def __init__(self) -> None:
        self.written: list[str] = []

    async def open_case(self, key: str, case: NewCase, scope: Scope) -> OpenedCase:
        self.written.append(case.account.id)
        return OpenedCase("c9", "9")

    async def add_comment(self, key: str, comment: NewComment, scope: Scope) -> str:
        self.written.append(comment.case_id)
        return "said"

    async def add_file(self, key: str, file: NewFile, scope: Scope) -> str:
        self.written.append(file.case_id)
        return "kept"

    async def close_case(self, case_id: str, scope: Scope) -> bool:
        self.written.append(case_id)
        return True


def nothing() -> AsyncIterator[bytes]:
    raise AssertionError("a file was read before its case was proven")


async def test_only_cases_of_the_scope_are_written_on() -> None:
    desk = CarelessDesk()
    guarded = GuardedCaseWriter(desk, GuardedCases(cast("Any", Leaky())))
    assert guarded.largest_file == 7
    assert await guarded.add_comment("k", NewComment("c1", "x"), SCOPE) == "said"
    assert await guarded.add_file("k", NewFile("c2", "x", "x/x", 1, nothing), SCOPE) == "kept"
    assert await guarded.close_case("c3", SCOPE)
    assert desk.written == ["c1", "c2", "c3"]
    for case_id, scope in (("f1", SCOPE), ("c1", Scope())):
        with pytest.raises(Rejected):
            await guarded.add_comment("k", NewComment(case_id, "x"), scope)
        with pytest.raises(Rejected):
            await guarded.add_file("k", NewFile(case_id, "x", "x/x", 1, nothing), scope)
        assert not await guarded.close_case(case_id, scope)
    assert desk.written == ["c1", "c2", "c3"]


async def test_cases_are_opened_only_for_accounts_of_the_scope() -> None:
    desk = CarelessDesk()
    guarded = GuardedCaseWriter(desk, GuardedCases(cast("Any", Leaky())))
    assert (await guarded.open_case("k", NewCase(OWN, "X", "x", "x", NOW), SCOPE)).number == "9"
    for scope in (SCOPE, Scope()):
        with pytest.raises(Rejected):
            await guarded.open_case("k", NewCase(FOREIGN, "X", "x", "x", NOW), scope)
    assert desk.written == ["a1"]
