"""Cases, comments and files: which columns are asked for, of whom, and in how many calls."""

# queries are written out here to be compared, never to be run

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port.errors import Rejected, Unreadable
from connectors.port.fields import NOT_FETCHED, Fields
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import CaseQuery, CaseSort
from connectors.port.records import (
    Account,
    Address,
    Attachment,
    Author,
    Case,
    CaseComment,
    CaseDetail,
    CaseStatus,
    Contact,
)
from connectors.port.scope import Scope
from connectors.systems.salesforce.cases import Cases
from connectors.systems.salesforce.filters import conditions
from tests.connectors.salesforce.fake_org import (
    ANDINA,
    PACIFICO,
    SCOPE,
    Answers,
    Org,
    example,
    found,
    nothing,
    settings,
)
from tests.connectors.salesforce.test_soql import shape

pytestmark = pytest.mark.anyio

ONE, TWO = "500SB00000000011AA", "500SB00000000021AA"
FOREIGN = "001SB00000ASTRQAC3"
OWNED = f"AccountId IN ('{ANDINA.id}','{PACIFICO.id}')"
START = datetime(2026, 3, 5, 9, 12, 33, tzinfo=UTC)
WHOLE = frozenset(
    {"number", "category", "subcategory", "subject", "description", "status", "details"}
    | {"created_at", "updated_at", "closed_at", "team", "contact_id", "order_number"}
)
EMBEDDED = frozenset(
    {"contact", "contact.name", "account", "account.name", "account.billing_address"}
)


def asking(answers: Answers = nothing, **changes: Any) -> tuple[Cases, Org]:
    org = Org(answers)
    return Cases(org.client(**changes), settings(**changes)), org


def listing(fields: Fields = frozenset(), part: Slice | None = None, **filters: Any) -> CaseQuery:
    scope = filters.pop("scope", SCOPE)
    return CaseQuery(scope, fields, part or Slice(2), **filters)


async def asked(**filters: Any) -> str:
    """What stands between the scope and the order in the one query that a list takes."""
    cases, org = asking()
    await cases.find_cases(listing(**filters))
    (query,) = org.queries
    where = query.partition(f" WHERE {OWNED}")[2].partition(" ORDER BY ")[0]
    return where.removeprefix(" AND ")


# ------------------------------------------------------------------------------------------ rows


async def test_a_case_in_full_with_contact_and_account_is_one_call() -> None:
    cases, org = asking(lambda soql: example("cases"))
    one, two = await cases.cases_by_id([ONE, TWO], WHOLE | EMBEDDED, SCOPE)
    address = Address("Carrera 11 # 82-71", "Oficina 501", "Bogotá", "Cundinamarca", "110221", "CO")
    assert one == Case(
        ONE,
        ANDINA,
        number="00001026",
        category="INVOICE_CLAIM",
        subcategory=None,
        subject="Factura con flete errado",
        description="El flete\nno corresponde.",
        status=CaseStatus.IN_PROGRESS,
        details=(CaseDetail("invoiceNumber", "90000123"), CaseDetail("quantity", "3")),
        created_at=START,
        updated_at=datetime(2026, 3, 6, 10, 0, 0, 500_000, UTC),
        closed_at=None,
        team="Facturación",
        contact_id="003SB00000ANATQAA1",
        order_number="4500001",
        contact=Contact("003SB00000ANATQAA1", ANDINA, "Ana Torres"),
        account=Account(
            ANDINA.id, ANDINA, name="Andina Construcciones S.A.S.", billing_address=address
        ),
    )
    assert two is not None
    assert (two.category, two.subcategory, two.status) == ("OTHER_REQUEST", None, CaseStatus.CLOSED)
    assert (two.subject, two.description, two.details, two.contact) == ("", "", (), None)
    assert two.closed_at == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert two.account == Account(
        PACIFICO.id, PACIFICO, name="Pacífico Acabados S.A.C.", billing_address=None
    )
    assert org.queries == [
        (
            "SELECT Id,AccountId,CaseNumber,Type,Subcategory__c,Subject,Description,"
            "Portal_Details__c,"
            "CreatedDate,LastModifiedDate,ClosedDate,Team__c,Order_Number__c,Status,IsClosed,ContactId,"
            "Contact.AccountId,Contact.Name,Account.Name,Account.BillingStreet,Account.BillingCity,"
            "Account.BillingState,Account.BillingPostalCode,Account.BillingCountryCode "
            f"FROM Case WHERE Id IN ('{ONE}','{TWO}') AND {OWNED}"
        )
    ]


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        (set(), "Id,AccountId"),
        ({"id", "owner", "unheard_of"}, "Id,AccountId"),
        ({"number"}, "Id,AccountId,CaseNumber"),
        ({"status"}, "Id,AccountId,Status,IsClosed"),
        ({"contact_id"}, "Id,AccountId,ContactId"),
        ({"contact", "contact.id"}, "Id,AccountId,ContactId,Contact.AccountId"),
        ({"account", "account.number"}, "Id,AccountId,Account.AccountNumber"),
        (
            {"contact", "contact.account", "contact.account.name", "contact.phone"},
            (
                "Id,AccountId,ContactId,Contact.AccountId,Contact.Phone,Contact.MobilePhone,"
                "Contact.Account.Name"
            ),
        ),
    ],
)
async def test_only_the_columns_that_are_needed(fields: set[str], columns: str) -> None:
    cases, org = asking()
    await cases.cases_by_id([ONE], frozenset(fields), SCOPE)
    assert org.queries[0].partition(" FROM ")[0] == "SELECT " + columns


async def test_what_was_not_asked_for_is_not_fetched() -> None:
    row = {"Id": ONE, "AccountId": ANDINA.id, "CaseNumber": "00001026", "Unheard__c": 1}
    cases, _ = asking(lambda soql: found(row))
    (one,) = await cases.cases_by_id([ONE], frozenset({"number"}), SCOPE)
    assert one == Case(ONE, ANDINA, number="00001026")
    assert one is not None
    assert one.status is NOT_FETCHED


@pytest.mark.parametrize("owner", [PACIFICO.id, FOREIGN, None])
async def test_a_contact_of_another_company_is_left_to_its_own_question(owner: str | None) -> None:
    row = {"Id": ONE, "AccountId": ANDINA.id, "ContactId": "003SB00000LUISQAB1"}
    row["Contact"] = {"AccountId": owner, "Name": "Luis"}  # type: ignore[assignment]
    cases, _ = asking(lambda soql: found(row))
    (one,) = await cases.cases_by_id([ONE], frozenset({"contact", "contact.name"}), SCOPE)
    assert one is not None
    assert one.contact is NOT_FETCHED
    assert one.contact_id == "003SB00000LUISQAB1"


async def test_by_id_keeps_order_and_holes() -> None:
    rows = [{"Id": TWO, "AccountId": ANDINA.id}, {"Id": ONE, "AccountId": FOREIGN}]
    cases, org = asking(lambda soql: found(*rows))
    ids = [ONE, TWO, "x'", TWO[:15], "500SB00000000091AA", ""]
    answer = await cases.cases_by_id(ids, frozenset(), SCOPE)
    assert [one and one.id for one in answer] == [None, TWO, None, TWO, None, None]
    assert len(org.calls) == 1
    assert "x" not in org.queries[0].partition("Id IN")[2]


async def test_columns_that_the_org_lacks_are_never_asked_for() -> None:
    absent = {"team": "", "order_number": "", "details": "", "subcategory": "", "closed_at": ""}
    row = {"Id": ONE, "AccountId": ANDINA.id, "CaseNumber": "1"}
    cases, org = asking(lambda soql: found(row), columns={"case": absent})
    fields = frozenset({"number", *absent})
    (one,) = await cases.cases_by_id([ONE], fields, SCOPE)
    assert one == Case(
        ONE, ANDINA, number="1", team=None, order_number=None, details=(), subcategory=None,
        closed_at=None,
    )  # fmt: skip
    assert org.queries[0].startswith("SELECT Id,AccountId,CaseNumber FROM")
    # A filter on what the org lacks finds nothing, and asks nothing.
    assert await cases.find_cases(listing(order_numbers=("1",))) == Page(())
    assert await cases.find_cases(listing(subcategories=("TRAINING",))) == Page(())
    assert await cases.cases_by_order(["1"], fields, SCOPE, Slice(2)) == [Page(())]
    assert len(org.calls) == 1


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        ({}, "CaseNumber"),
        ({"CaseNumber": None}, "CaseNumber"),
        ({"CaseNumber": "1"}, "CreatedDate"),
        ({"CaseNumber": "1", "CreatedDate": "yesterday"}, "CreatedDate"),
        ({"CaseNumber": "1", "CreatedDate": "2026-03-05T09:12:33"}, "CreatedDate"),
        ({"CaseNumber": True, "CreatedDate": None}, "CaseNumber"),
    ],
)
async def test_an_answer_that_lacks_something_is_unreadable_by_name(
    row: dict[str, Any], missing: str
) -> None:
    cases, _ = asking(lambda soql: found({"Id": ONE, "AccountId": ANDINA.id, **row}))
    with pytest.raises(Unreadable, match=missing) as caught:
        await cases.cases_by_id([ONE], frozenset({"number", "created_at"}), SCOPE)
    assert caught.value.message.startswith("cases_by_id: ")


# ----------------------------------------------------------------------------------------- lists


def numbered(count: int) -> list[dict[str, Any]]:
    instants = [START - timedelta(hours=n) for n in range(count)]
    return [
        {
            "Id": f"500SB{n:010d}AAA",
            "AccountId": ANDINA.id,
            "CreatedDate": instant.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        }
        for n, instant in enumerate(instants)
    ]


async def test_a_page_and_its_total_are_one_call() -> None:
    def answers(soql: str) -> Any:
        counting = {"totalSize": 42, "done": True, "records": []}
        return counting if "COUNT()" in soql else found(*numbered(3))

    cases, org = asking(answers)
    page = await cases.find_cases(listing(with_total=True, number=" 1026 "))
    assert [one.created_at for one in page.items] == [START, START - timedelta(hours=1)]
    assert (page.has_next, page.has_previous, page.total) == (True, False, 42)
    assert len(org.calls) == 1
    where = f"FROM Case WHERE {OWNED} AND CaseNumber IN ('00001026')"
    assert org.queries == [
        f"SELECT Id,AccountId,CreatedDate {where} ORDER BY CreatedDate DESC,Id DESC LIMIT 3",
        f"SELECT COUNT() {where}",
    ]


async def test_without_a_total_nothing_is_counted() -> None:
    cases, org = asking(lambda soql: found(*numbered(1)))
    page = await cases.find_cases(listing())
    assert page.total is None
    assert page.has_next is False
    assert len(org.queries) == 1
    assert org.calls[0].method == "GET"


@pytest.mark.parametrize(
    ("sort", "descending", "part", "where", "order"),
    [
        (
            CaseSort.CREATED_AT,
            True,
            Slice(2, after=Keyset(START, ONE)),
            (
                "(CreatedDate < 2026-03-05T09:12:33.000Z OR "
                f"(CreatedDate = 2026-03-05T09:12:33.000Z AND Id < '{ONE}'))"
            ),
            "CreatedDate DESC,Id DESC",
        ),
        (
            CaseSort.UPDATED_AT,
            True,
            Slice(2, before=Keyset(START, ONE), backward=True),
            (
                "(LastModifiedDate > 2026-03-05T09:12:33.000Z OR "
                f"(LastModifiedDate = 2026-03-05T09:12:33.000Z AND Id > '{ONE}'))"
            ),
            "LastModifiedDate ASC,Id ASC",
        ),
        (
            CaseSort.NUMBER,
            False,
            Slice(2, after=Keyset("00001026", ONE), before=Keyset("00001030", TWO)),
            (
                f"(CaseNumber > '00001026' OR (CaseNumber = '00001026' AND Id > '{ONE}')) AND "
                f"(CaseNumber < '00001030' OR (CaseNumber = '00001030' AND Id < '{TWO}'))"
            ),
            "CaseNumber ASC,Id ASC",
        ),
        (CaseSort.NUMBER, False, Slice(2, backward=True), "", "CaseNumber DESC,Id DESC"),
    ],
)
async def test_pages_go_by_keyset(
    sort: CaseSort, descending: bool, part: Slice, where: str, order: str
) -> None:
    cases, org = asking()
    await cases.find_cases(listing(part=part, sort=sort, descending=descending))
    (query,) = org.queries
    assert query.partition(OWNED)[2] == (f" AND {where}" if where else "") + (
        f" ORDER BY {order} LIMIT 3"
    )


async def test_a_page_from_the_end_is_turned_round() -> None:
    cases, _ = asking(lambda soql: found(*numbered(3)[::-1]))
    page = await cases.find_cases(listing(part=Slice(2, backward=True)))
    assert [one.created_at for one in page.items] == [
        START - timedelta(hours=1),
        START - timedelta(hours=2),
    ]
    assert (page.has_next, page.has_previous) == (False, True)


@pytest.mark.parametrize(
    ("sort", "mark"),
    [
        (CaseSort.CREATED_AT, Keyset("2026-03-05", ONE)),
        (CaseSort.CREATED_AT, Keyset(datetime(2026, 3, 5), ONE)),  # noqa: DTZ001
        (CaseSort.NUMBER, Keyset(START, ONE)),
        (CaseSort.CREATED_AT, Keyset(START, "x' OR Id != '")),
    ],
)
async def test_a_place_of_another_list_is_refused(sort: CaseSort, mark: Keyset) -> None:
    cases, org = asking()
    with pytest.raises(Rejected) as caught:
        await cases.find_cases(listing(part=Slice(2, after=mark), sort=sort))
    assert caught.value.field == "after"
    assert org.calls == []


@pytest.mark.parametrize(
    ("filters", "where"),
    [
        ({"number": "1026"}, "CaseNumber IN ('00001026')"),
        ({"number": "WEB-7"}, "CaseNumber IN ('WEB-7')"),
        ({"number": "١٠"}, "CaseNumber IN ('١٠')"),
        ({"categories": ("QUERY", "PRODUCT_CLAIM", "NONE")}, "Type IN ('Query','Product Claim')"),
        (
            {"categories": ("OTHER_REQUEST",)},
            (
                "(Type IN ('Other Request') OR Type = null OR Type NOT IN ('Query','Invoice Claim',"
                "'Service Claim','Product Claim','Other Request'))"
            ),
        ),
        ({"subcategories": ("TRAINING",)}, "Subcategory__c IN ('Training')"),
        (
            {"statuses": (CaseStatus.NEW, CaseStatus.RESOLVED)},
            "Status IN ('New','Resolved')",
        ),
        (
            {"statuses": (CaseStatus.CLOSED,)},
            (
                "(Status IN ('Closed') OR (Status NOT IN ('New','Working','Escalated',"
                "'Waiting on Customer','Resolved','Closed') AND IsClosed = true))"
            ),
        ),
        ({"order_numbers": ("4500001", "PO 4512/B")}, "Order_Number__c IN ('4500001','PO 4512/B')"),
        (
            {"created_from": START, "created_before": START + timedelta(days=1)},
            "CreatedDate >= 2026-03-05T09:12:33.000Z AND CreatedDate < 2026-03-06T09:12:33.000Z",
        ),
        (
            {"search": "flete  100% O'Brien flete"},
            "Subject LIKE '%flete%' AND Subject LIKE '%100\\%%' AND Subject LIKE '%O\\'Brien%'",
        ),
        ({"search": "   "}, ""),
    ],
)
async def test_filters(filters: dict[str, Any], where: str) -> None:
    assert await asked(**filters) == where


@pytest.mark.parametrize(
    "filters",
    [
        {"scope": Scope()},
        {"number": ""},
        {"number": "9" * 300},
        {"categories": ("UNHEARD_OF",)},
        {"categories": ()},
        {"subcategories": ("UNHEARD_OF",)},
        {"statuses": (CaseStatus.SUBMITTED,)},
        {"order_numbers": ()},
        {"search": "x" * 256},
    ],
)
async def test_what_no_case_can_meet_is_not_asked(filters: dict[str, Any]) -> None:
    cases, org = asking()
    assert await cases.find_cases(listing(with_total=True, **filters)) == Page((), total=0)
    assert org.calls == []


def test_several_columns_can_be_searched() -> None:
    own = settings(columns={"case": {"searched": ["Subject", "Summary__c"]}})
    found = conditions(listing(search="a b"), own)
    assert found is not None
    assert [one.soql() for one in found[1:]] == [
        "(Subject LIKE '%a%' OR Summary__c LIKE '%a%')",
        "(Subject LIKE '%b%' OR Summary__c LIKE '%b%')",
    ]


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_a_planted_quote_never_changes_the_question(number: str, word: str) -> None:
    def written(one: str, two: str) -> str:
        query = listing(number=one, search=two, order_numbers=(one,))
        found = conditions(query, settings())
        return "" if found is None else " AND ".join(part.soql() for part in found)

    once = "".join(word.split()) or "x"
    skeleton, _ = shape(written("x", "x"))
    planted = written(number, once)
    assert planted == "" or shape(planted)[0] == skeleton


# -------------------------------------------------------------------------------- cases by order


class Orders:
    """Cases by order number: answers what the query asks for, newest first, up to its limit."""

    def __init__(self, cases: dict[str, int]) -> None:
        self.rows: list[dict[str, Any]] = []
        total = 0
        for number, count in cases.items():
            for _ in range(count):
                self.rows.append({"Id": f"500SB{total:010d}AAA", "AccountId": ANDINA.id})
                stamp = (START - timedelta(minutes=total)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
                self.rows[-1] |= {"CreatedDate": stamp, "Order_Number__c": number}
                total += 1

    def __call__(self, soql: str) -> Any:
        listed = re.search(r"Order_Number__c IN \(([^)]*)\)", soql)
        limit = re.search(r"LIMIT (\d+)", soql)
        assert listed
        assert limit
        numbers = {one.strip("'").lower() for one in listed[1].split(",")}
        rows = [row for row in self.rows if row["Order_Number__c"].lower() in numbers]
        return found(*rows[: int(limit[1])])


async def test_the_cases_of_fifty_orders_are_one_call() -> None:
    numbers = [str(4500001 + n) for n in range(50)]
    cases, org = asking(Orders({number: n % 3 for n, number in enumerate(numbers)}))
    pages = await cases.cases_by_order(numbers, frozenset(), SCOPE, Slice(2))
    assert [len(page.items) for page in pages] == [n % 3 for n in range(50)]
    assert {page.has_next for page in pages} == {False}
    assert all(case.order_number == number for number, page in zip(numbers, pages, strict=True)
               for case in page.items)  # fmt: skip
    assert len(org.calls) == 1
    assert org.queries[0].endswith(" ORDER BY CreatedDate DESC,Id DESC LIMIT 150")
    assert f" WHERE {OWNED} AND Order_Number__c IN ('4500001'," in org.queries[0]


@pytest.mark.parametrize("odd", [{}, {"Team__c": 7}], ids=["by a plan", "row by row"])
async def test_only_what_may_have_been_cut_off_is_asked_again(odd: dict[str, Any]) -> None:
    orders = Orders({"A": 30, "B": 2, "C": 3, "D": 0})
    for row in orders.rows:
        row |= {"Team__c": "East"} | odd
    cases, org = asking(orders)
    fields = frozenset({"team"})
    pages = await cases.cases_by_order(["A", "B", "C", "D"], fields, SCOPE, Slice(2))
    assert {case.team for page in pages for case in page.items} == {"7" if odd else "East"}
    assert [(len(page.items), page.has_next) for page in pages] == [
        (2, True),
        (2, False),
        (2, True),
        (0, False),
    ]
    assert len(org.calls) == 2
    again = sorted(re.findall(r"Order_Number__c IN \(('.')\)", "".join(org.queries)))
    assert again == ["'B'", "'C'", "'D'"]


async def test_an_order_number_is_matched_exactly() -> None:
    cases, org = asking(Orders({"po-1": 1, "PO-1": 2}))
    asked_for = ["PO-1", "po-1", "P", "", "x" * 300, "PO-1"]
    pages = await cases.cases_by_order(asked_for, frozenset(), SCOPE, Slice(5))
    assert [len(page.items) for page in pages] == [2, 1, 0, 0, 0, 2]
    assert len(org.calls) == 1


async def test_cases_by_order_go_on_from_a_place() -> None:
    cases, org = asking()
    await cases.cases_by_order(["A"], frozenset(), SCOPE, Slice(5, after=Keyset(START, ONE)))
    assert f"AND Id < '{ONE}'))" in org.queries[0]
    assert await cases.cases_by_order(["A"], frozenset(), Scope(), Slice(5)) == [Page(())]
    assert len(org.calls) == 1


# -------------------------------------------------------------------------------------- comments


def comment(number: int, case_id: str = ONE, owner: str = ANDINA.id, **more: Any) -> dict[str, Any]:
    stamp = (START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    row = {"Id": f"00aSB{number:010d}AAA", "ParentId": case_id, "Parent": {"AccountId": owner}}
    return row | {"CreatedDate": stamp, **more}


async def test_comments_are_the_public_ones_of_the_scope_oldest_first() -> None:
    mine: dict[str, Any] = {
        "CommentBody": "Hola\n",
        "CreatedBy": {"Name": "Ana", "ContactId": "003SB00000ANATQAA1"},
    }
    theirs: dict[str, Any] = {
        "CommentBody": None,
        "CreatedBy": {"Name": "Marta", "ContactId": None},
    }
    rows = [comment(3, TWO, FOREIGN, **mine), comment(2, **theirs), comment(1, **mine)]
    cases, org = asking(lambda soql: found(*rows))
    fields = frozenset({"body", "author", "created_at"})
    first, second, third = await cases.comments_by_case([ONE, TWO, "nonsense"], fields, SCOPE)
    assert first == [
        CaseComment(
            "00aSB0000000001AAA",
            ANDINA,
            ONE,
            "Hola\n",
            Author("Ana", is_service_team=False, contact_id="003SB00000ANATQAA1"),
            START + timedelta(minutes=1),
        ),
        CaseComment(
            "00aSB0000000002AAA",
            ANDINA,
            ONE,
            "",
            Author("Marta", is_service_team=True),
            START + timedelta(minutes=2),
        ),
    ]
    assert second == third == []
    assert org.queries == [
        (
            "SELECT Id,ParentId,Parent.AccountId,CreatedDate,CommentBody,CreatedBy.Name,"
            f"CreatedBy.ContactId FROM CaseComment WHERE ParentId IN ('{ONE}','{TWO}') AND "
            f"Parent.{OWNED} AND IsPublished = true ORDER BY CreatedDate DESC,Id DESC LIMIT 2000"
        )
    ]


async def test_a_thousand_comments_of_one_case_are_read_at_most() -> None:
    rows = [comment(n) for n in range(1200, 0, -1)]
    cases, org = asking(lambda soql: found(*rows))
    (comments,) = await cases.comments_by_case([ONE[:15]], frozenset({"created_at"}), SCOPE)
    assert len(comments) == 1000
    assert comments[0].created_at == START + timedelta(minutes=201)
    assert comments[-1].created_at == START + timedelta(minutes=1200)
    assert org.queries[0].startswith("SELECT Id,ParentId,Parent.AccountId,CreatedDate FROM")


async def test_an_endless_discussion_crowds_out_no_other() -> None:
    loud, quiet = [comment(n) for n in range(2500, 500, -1)], [comment(7, TWO)]

    def answers(soql: str) -> Any:
        together = ONE in soql and TWO in soql
        return found(*(loud if together else loud[:1000] if ONE in soql else quiet))

    cases, org = asking(answers)
    first, second = await cases.comments_by_case([ONE, TWO], frozenset(), SCOPE)
    assert (len(first), len(second)) == (1000, 1)
    assert len(org.queries) == 3
    assert len(org.calls) == 2


async def test_without_a_community_everybody_is_of_the_service_team() -> None:
    row = comment(1, CreatedBy={"Name": "Portal"})
    cases, org = asking(
        lambda soql: found(row) if "CaseComment" in soql else found(), community=False
    )
    ((said,),) = await cases.comments_by_case([ONE], frozenset({"author"}), SCOPE)
    assert said.author == Author("Portal", is_service_team=True)
    assert "ContactId" not in org.queries[0]
    await cases.attachments_by_case([ONE], frozenset({"author"}), SCOPE)
    assert "CreatedBy.ContactId" not in "".join(org.queries)


async def test_comments_by_id_are_checked_like_any_other() -> None:
    rows = [comment(1), comment(2, TWO, FOREIGN)]
    cases, org = asking(lambda soql: found(*rows))
    ids = ["00aSB0000000002AAA", "00aSB0000000001AAA", ONE, "'"]
    answer = await cases.comments_by_id(ids, frozenset(), SCOPE)
    assert answer == [None, CaseComment("00aSB0000000001AAA", ANDINA, ONE), None, None]
    assert f"AND Parent.{OWNED} AND IsPublished = true" in org.queries[0]


# ----------------------------------------------------------------------------------- attachments


def link(document: int, case_id: str = ONE, **more: Any) -> dict[str, Any]:
    stamp = (START - timedelta(minutes=document)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return {
        "LinkedEntityId": case_id,
        "ContentDocumentId": f"069SB{document:010d}AAA",
        "ContentDocument": {"CreatedDate": stamp, **more},
    }


def files(*links: dict[str, Any]) -> Answers:
    proof = {"Id": ONE, "AccountId": ANDINA.id}
    wrong = {"Id": TWO, "AccountId": FOREIGN}
    return lambda soql: found(proof, wrong) if " FROM Case " in soql else found(*links)


async def test_files_are_proven_to_be_of_the_scope_in_the_same_call() -> None:
    photo: dict[str, Any] = {
        "Title": "Foto obra.JPG",
        "FileExtension": "JPG",
        "ContentSize": 12345,
        "CreatedBy": {"Name": "Ana", "ContactId": "003SB00000ANATQAA1"},
    }
    note = {**photo, "Title": "Acta", "FileExtension": "docx", "ContentSize": None}
    odd = {**photo, "Title": "raw", "FileExtension": None}
    rows = [link(1, **photo), link(2, **note), link(3, TWO, **photo), link(3, **odd)]
    cases, org = asking(files(*rows))
    fields = frozenset({"filename", "content_type", "size", "created_at", "author"})
    first, second, third = await cases.attachments_by_case([ONE, TWO, "nonsense"], fields, SCOPE)
    assert second == third == []
    assert [file.filename for file in first] == ["raw", "Acta.docx", "Foto obra.JPG"]
    assert first[2] == Attachment(
        f"{ONE}-069SB0000000001AAA",
        ANDINA,
        ONE,
        "Foto obra.JPG",
        "image/jpeg",
        12345,
        START - timedelta(minutes=1),
        Author("Ana", is_service_team=False, contact_id="003SB00000ANATQAA1"),
    )
    assert [file.content_type for file in first[:2]] == [
        "application/octet-stream",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ]
    assert len(org.calls) == 1
    assert sorted(org.queries) == [
        f"SELECT Id,AccountId FROM Case WHERE Id IN ('{ONE}','{TWO}') AND {OWNED}",
        (
            "SELECT LinkedEntityId,ContentDocumentId,ContentDocument.CreatedDate,"
            "ContentDocument.Title,"
            "ContentDocument.FileExtension,ContentDocument.ContentSize,ContentDocument.CreatedBy.Name,"
            "ContentDocument.CreatedBy.ContactId FROM ContentDocumentLink "
            f"WHERE LinkedEntityId IN ('{ONE}','{TWO}') AND Visibility IN ('AllUsers')"
        ),
    ]


async def test_files_by_id_take_one_call_too() -> None:
    cases, org = asking(files(link(1), link(1, TWO), link(2)), visible_files=[])
    ids = [
        f"{ONE}-069SB0000000002AAA",
        f"{TWO}-069SB0000000001AAA",
        f"{ONE[:15]}-069SB0000000001",
        f"{ONE}-069SB0000000009AAA",
        f"{ONE}-{TWO}",
        "nonsense",
        f"{ONE}-069SB0000000001AAA-",
    ]
    answer = await cases.attachments_by_id(ids, frozenset(), SCOPE)
    assert [one and one.id for one in answer] == [
        ids[0],
        None,
        f"{ONE}-069SB0000000001AAA",
        *[None] * 4,
    ]
    assert len(org.calls) == 1
    linked = next(query for query in org.queries if "ContentDocumentLink" in query)
    assert linked.endswith(
        f"WHERE LinkedEntityId IN ('{ONE}','{TWO}') AND ContentDocumentId IN "
        "('069SB0000000002AAA','069SB0000000001','069SB0000000009AAA')"
    )


async def test_nothing_is_asked_for_an_empty_scope_or_for_ids_that_cannot_be() -> None:
    cases, org = asking()
    none: Sequence[Any] = [None]
    for scope, key in ((Scope(), ONE), (SCOPE, "nonsense'")):
        assert await cases.cases_by_id([key], WHOLE, scope) == none
        assert await cases.comments_by_id([key.replace("500", "00a")], WHOLE, scope) == none
        assert await cases.attachments_by_id([f"{key}-069SB0000000001AAA"], WHOLE, scope) == none
        assert await cases.comments_by_case([key], WHOLE, scope) == [[]]
        assert await cases.attachments_by_case([key], WHOLE, scope) == [[]]
    assert org.calls == []


async def test_a_page_of_the_portal_is_one_call() -> None:
    cases, org = asking(lambda soql: found())
    await asyncio.gather(
        cases.cases_by_id([ONE], WHOLE, SCOPE),
        cases.find_cases(listing()),
        cases.comments_by_case([ONE], frozenset({"body"}), SCOPE),
        cases.attachments_by_case([ONE], frozenset({"size"}), SCOPE),
    )
    assert len(org.queries) == 5
    assert len(org.calls) == 1
