"""Against a CRM that reads SOQL for itself: its answers are compared with the rows it was given."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.kit.connector import Wiring
from connectors.port.errors import Rejected, SourceError, Throttled, Unavailable
from connectors.port.pages import Keyset, Slice
from connectors.port.queries import CaseQuery, CaseSort, ContactQuery, NewsQuery, QuestionQuery
from connectors.port.records import CaseStatus, MembershipRole
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import CaseSource, CustomerSource, System
from connectors.systems.salesforce import connector
from sandbox.crm import ids, moments, objects
from sandbox.crm.app import app
from sandbox.database import Database, create, insert
from sandbox.faults import Faults
from sandbox.people import CUSTOMERS, PEOPLE

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
ANDINA, PACIFICO, AUSTRAL = (AccountRef(c.crm_id, c.number, c.country) for c in CUSTOMERS[:3])
SCOPE = Scope([ANDINA, PACIFICO])
ANA, JORGE, MARIA, LUIS = (person.crm_id for person in PEOPLE[:4])
AGENT, COMMUNITY = ids.numbered("005", 1), ids.numbered("005", 2)
EVERYTHING = frozenset(
    {"number", "category", "subcategory", "subject", "description", "status", "details", "team"}
    | {"created_at", "updated_at", "closed_at", "contact_id", "order_number"}
    | {"contact", "contact.name", "contact.account", "contact.account.name"}
    | {"account", "account.name", "account.country", "account.billing_address"}
)
Row = dict[str, Any]


@dataclass
class World:
    """A CRM with rows of the test's own. calls: what the connector sent, logins apart."""

    database: Database
    faults: Faults = field(default_factory=Faults)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    calls: list[httpx.Request] = field(default_factory=list)

    def add(self, table: str, **row: Any) -> Row:
        row.setdefault("CreatedDate", moments.written(NOW))
        insert(self.database.connection, f"crm_{table}", row)
        self.rows.setdefault(table, []).append(row)
        return row

    async def system(self, **changes: Any) -> System:
        served = app(self.database, self.faults, lambda: NOW)
        transport = httpx.ASGITransport(served)

        class Counting(httpx.AsyncBaseTransport):
            async def handle_async_request(_, request: httpx.Request) -> httpx.Response:  # noqa: N805
                if not request.url.path.endswith("/token"):
                    self.calls.append(request)
                return await transport.handle_async_request(request)

        login = {"grant": "client_credentials"}
        login |= {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        table = {"url": "http://127.0.0.1:9", "login": login, **changes}
        return await connector.start("crm", table, Wiring(transport=Counting(), sleep=no_sleep))


async def no_sleep(seconds: float) -> None:
    return None


@pytest.fixture(scope="module")
def seeded() -> Iterator[World]:
    database = Database(":memory:")
    create(database.connection, objects.tables())
    world = World(database)
    for customer in CUSTOMERS:
        world.add(
            "Account",
            Id=customer.crm_id,
            Name=customer.name,
            AccountNumber=customer.number,
            BillingStreet=customer.street,
            BillingCity=customer.city,
            BillingCountryCode=customer.country,
        )
    _add_people(world)
    _add_cases(world)
    _add_articles(world)
    yield world
    database.close()


@pytest.fixture
def world(seeded: World) -> World:
    seeded.faults = Faults()
    seeded.calls = []
    return seeded


def _add_people(world: World) -> None:
    accounts = {customer.number: customer.crm_id for customer in CUSTOMERS}
    for person in PEOPLE:
        world.add(
            "Contact",
            Id=person.crm_id,
            AccountId=accounts[person.customer],
            Name=f"{person.first_name} {person.last_name}",
            FirstName=person.first_name,
            LastName=person.last_name,
            Email=person.email,
            Language__c=person.language,
        )
        world.add("AccountContactRelation", **_relation(world, person.crm_id, person.customer,
                  person.role, direct=True))  # fmt: skip
        for number, role in person.also:
            world.add("AccountContactRelation", **_relation(world, person.crm_id, number, role))
    # Maria may no longer act for Pacifico; Luis's relation to Andina still stands.
    world.add("AccountContactRelation", **_relation(world, MARIA, "17100002", "Portal Admin",
              active=False))  # fmt: skip
    world.add("AccountContactRelation", **_relation(world, LUIS, "17100001", "Portal Reader"))
    world.add("Contact", Id=ids.numbered("003", 1), Name="Sin Cuenta", LastName="Cuenta",
              Email="nadie@andina.example")  # fmt: skip
    for place in (2, 3):
        world.add("Contact", Id=ids.numbered("003", place), Name="Doble", LastName="Doble",
                  Email="doble@andina.example")  # fmt: skip
    world.add("User", Id=AGENT, Name="Marta Agente")
    world.add("User", Id=COMMUNITY, Name="Ana Torres", ContactId=ANA)


def _relation(
    world: World, contact: str, number: str, role: str, direct: bool = False, active: bool = True
) -> Row:
    place = len(world.rows.get("AccountContactRelation", ())) + 1
    account = next(customer.crm_id for customer in CUSTOMERS if customer.number == number)
    return {
        "Id": ids.numbered("07k", place),
        "AccountId": account,
        "ContactId": contact,
        "Roles": role + ";Buyer",
        "IsActive": int(active),
        "IsDirect": int(direct),
    }


def _add_cases(world: World) -> None:
    chance = random.Random(7)
    people = {ANDINA.id: [ANA, JORGE, LUIS], PACIFICO.id: [LUIS, MARIA], AUSTRAL.id: [ANA]}
    for number in range(1, 91):
        account = chance.choice([ANDINA.id, ANDINA.id, PACIFICO.id, AUSTRAL.id])
        status = chance.choice([*objects.STATUSES, "Merged"])
        # Few distinct times, so that ties are cut by id.
        created = NOW - timedelta(hours=chance.randrange(12))
        world.add(
            "Case",
            Id=ids.numbered("500", number),
            CaseNumber=f"{number + 1000:08d}",
            Subject=chance.choice(["Flete 100% errado", "O'Brien \\ flete", "Árbol_1", "árbol x1"]),
            Description="Texto",
            Status=status,
            IsClosed=int(status in ("Closed", "Merged")),
            Type=chance.choice([*objects.TYPES, "Mechanical", None]),
            Subcategory__c=chance.choice([*objects.SUBCATEGORIES, None]),
            AccountId=account,
            ContactId=chance.choice([*people[account], None]),
            Order_Number__c=chance.choice(["4500001", "4500002", "PO 1", "po 1", None]),
            Portal_Details__c=json.dumps({"invoice": str(number)}),
            CreatedDate=moments.written(created),
            LastModifiedDate=moments.written(created + timedelta(minutes=chance.randrange(3))),
        )
        for place in range(number % 4):
            world.add(
                "CaseComment",
                Id=ids.numbered("00a", number * 10 + place),
                ParentId=ids.numbered("500", number),
                CommentBody=f"Comentario {place}",
                IsPublished=int(place != 1),
                CreatedDate=moments.written(NOW + timedelta(minutes=place)),
                CreatedById=AGENT if place else COMMUNITY,
            )
        for place in range(number % 3):
            document = ids.numbered("069", number * 10 + place)
            world.add(
                "ContentDocument",
                Id=document,
                Title=f"foto {place}",
                FileExtension="jpg",
                ContentSize=10 * number,
                CreatedDate=moments.written(NOW - timedelta(minutes=place)),
                CreatedById=COMMUNITY,
            )
            world.add(
                "ContentDocumentLink",
                Id=ids.numbered("06A", number * 10 + place),
                LinkedEntityId=ids.numbered("500", number),
                ContentDocumentId=document,
                Visibility="AllUsers" if place == 0 else "InternalUsers",
            )


def _add_articles(world: World) -> None:
    for number in range(1, 13):
        world.add(
            "Knowledge__kav",
            Id=ids.numbered("ka0", number),
            ArticleNumber=f"{number:09d}",
            Title=f"Pregunta {number}",
            UrlName=f"pregunta-{number}",
            Summary="Resumen",
            Body__c="<p>Respuesta</p>",
            Language=("es", "en_US", "pt_BR")[number % 3],
            PublishStatus="Draft" if number == 6 else "Online",
            LastPublishedDate=moments.written(NOW - timedelta(days=number // 2)),
            IsVisibleInCsp=int(number != 9),
        )


def visible(world: World, scope: Scope = SCOPE) -> list[Row]:
    return [row for row in world.rows["Case"] if row["AccountId"] in scope.ids]


async def cases_of(world: World, **changes: Any) -> CaseSource:
    system = await world.system(**changes)
    assert system.cases is not None
    return system.cases


async def customers_of(world: World) -> CustomerSource:
    system = await world.system()
    assert system.customers is not None
    return system.customers


# ------------------------------------------------------------------------------------- customers


async def test_identities(world: World) -> None:
    customers = await customers_of(world)
    carla = await customers.identity_by_email("CARLA.mendes@horizonte.example")
    assert carla is not None
    assert {(one.account.number, one.account.country, one.role) for one in carla.memberships} == {
        ("17100005", "BR", MembershipRole.ADMIN),
        ("17100004", "AR", MembershipRole.MEMBER),
    }
    assert carla.locale == "pt-BR"
    assert await customers.identity_by_contact(carla.contact_id) == carla
    assert await customers.identity_by_contact(carla.contact_id[:15]) == carla
    maria = await customers.identity_by_contact(MARIA)
    assert maria is not None
    assert [one.account for one in maria.memberships] == [ANDINA]
    nobody = await customers.identity_by_email("nadie@andina.example")
    assert nobody is not None
    assert nobody.memberships == ()
    assert await customers.identity_by_email("O'Hara@andina.example") is None
    assert len(world.calls) == 6
    with pytest.raises(SourceError, match="more than one contact"):
        await customers.identity_by_email("doble@andina.example")


async def test_accounts_and_contacts_of_the_scope(world: World) -> None:
    customers = await customers_of(world)
    fields = frozenset({"name", "account", "account.name"})
    accounts, contacts = await asyncio.gather(
        customers.accounts_by_id([c.crm_id for c in CUSTOMERS], fields, SCOPE),
        customers.contacts_by_id([p.crm_id for p in PEOPLE], fields, SCOPE),
    )
    assert [one and one.name for one in accounts] == [
        *(customer.name for customer in CUSTOMERS[:2]),
        *[None] * 3,
    ]
    # Five people belong to the two companies, each seen through their own.
    assert [one and one.owner.number for one in contacts[:5]] == [
        person.customer for person in PEOPLE[:5]
    ]
    assert contacts[5:] == [None] * 7
    assert contacts[0] is not None
    assert contacts[0].account is not None
    assert contacts[0].account.name == CUSTOMERS[0].name
    assert len(world.calls) == 1
    (luis,) = await customers.contacts_by_id([LUIS], fields, Scope([ANDINA]))
    assert luis is not None
    assert luis.owner == ANDINA
    assert await customers.contacts_by_id([MARIA], fields, Scope([PACIFICO])) == [None]


@pytest.mark.parametrize("backward", [False, True])
async def test_the_people_of_an_account_page_by_page(world: World, backward: bool) -> None:
    customers = await customers_of(world)
    seen: list[str] = []
    part = Slice(1, backward=backward)
    for _ in range(9):
        query = ContactQuery(SCOPE, frozenset({"email"}), ANDINA.id, part)
        page = await customers.contacts_by_account(query)
        seen += [one.name for one in page.items]
        if not (page.has_previous if backward else page.has_next):
            break
        last = Keyset(page.items[0].name, page.items[0].id)
        part = Slice(1, before=last, backward=True) if backward else Slice(1, after=last)
    names = ["Ana Torres", "Jorge Pineda", "Luis Rojas", "María José Ñáñez"]
    assert seen == (names[::-1] if backward else names)


# ----------------------------------------------------------------------------------------- cases


async def test_fifty_cases_with_contact_and_account_are_one_call(world: World) -> None:
    cases = await cases_of(world)
    asked = [row["Id"] for row in world.rows["Case"][:50]]
    found = await cases.cases_by_id(asked, EVERYTHING, SCOPE)
    assert len(world.calls) == 1
    names = {person.crm_id: f"{person.first_name} {person.last_name}" for person in PEOPLE}
    homes = {row["Id"]: row.get("AccountId") for row in world.rows["Contact"]}
    embedded = 0
    for row, case in zip(world.rows["Case"], found, strict=False):
        assert (case is None) == (row["AccountId"] not in SCOPE.ids)
        if case is None:
            continue
        assert case.owner.id == row["AccountId"]
        assert (case.number, case.contact_id) == (row["CaseNumber"], row["ContactId"])
        assert case.account is not None
        assert case.account.country == case.owner.country
        if row["ContactId"] is None:
            assert case.contact is None
        elif homes[row["ContactId"]] == row["AccountId"]:
            assert case.contact is not None
            assert case.contact.name == names[row["ContactId"]]
            embedded += 1
        else:
            assert repr(case.contact) == "NOT_FETCHED"
    assert embedded > 5


SORTS: dict[CaseSort, Callable[[Row], tuple[str, str]]] = {
    CaseSort.CREATED_AT: lambda row: (row["CreatedDate"], row["Id"]),
    CaseSort.UPDATED_AT: lambda row: (row["LastModifiedDate"], row["Id"]),
    CaseSort.NUMBER: lambda row: (row["CaseNumber"], row["Id"]),
}


@pytest.mark.parametrize("sort", list(CaseSort))
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("backward", [True, False])
async def test_every_case_of_the_scope_once_page_by_page(
    world: World, sort: CaseSort, descending: bool, backward: bool
) -> None:
    cases = await cases_of(world)
    expected = [row["Id"] for row in sorted(visible(world), key=SORTS[sort], reverse=descending)]
    seen: list[str] = []
    part = Slice(7, backward=backward)
    while True:
        query = CaseQuery(SCOPE, frozenset(), part, sort=sort, descending=descending)
        page = await cases.find_cases(query)
        found = [case.id for case in page.items]
        seen = [*found, *seen] if backward else [*seen, *found]
        if not (page.has_previous if backward else page.has_next):
            break
        edge = page.items[0 if backward else -1]
        mark = Keyset(getattr(edge, sort.value), edge.id)
        part = Slice(7, before=mark, backward=True) if backward else Slice(7, after=mark)
    assert seen == expected


def _our_status(row: Row) -> CaseStatus:
    known = {
        "New": CaseStatus.NEW,
        "Working": CaseStatus.IN_PROGRESS,
        "Escalated": CaseStatus.IN_PROGRESS,
        "Waiting on Customer": CaseStatus.WAITING_ON_CUSTOMER,
        "Resolved": CaseStatus.RESOLVED,
    }
    return known.get(row["Status"], CaseStatus.CLOSED)


@pytest.mark.parametrize(
    ("filters", "meets"),
    [
        ({}, lambda row: True),
        ({"number": "1026"}, lambda row: row["CaseNumber"] == "00001026"),
        ({"number": "1026' OR CaseNumber != '"}, lambda row: False),
        ({"categories": ("QUERY",)}, lambda row: row["Type"] == "Query"),
        (
            {"categories": ("OTHER_REQUEST",)},
            lambda row: row["Type"] in ("Other Request", "Mechanical", None),
        ),
        ({"subcategories": ("TRAINING",)}, lambda row: row["Subcategory__c"] == "Training"),
        *(
            ({"statuses": (status,)}, lambda row, status=status: _our_status(row) is status)
            for status in CaseStatus
        ),
        ({"search": "FLETE 100%"}, lambda row: row["Subject"].startswith("Flete 100%")),
        ({"search": "o'brien"}, lambda row: "O'Brien" in row["Subject"]),
        ({"search": "\\"}, lambda row: "\\" in row["Subject"]),
        ({"search": "árbol_1"}, lambda row: row["Subject"] == "Árbol_1"),
        ({"order_numbers": ("4500001",)}, lambda row: row["Order_Number__c"] == "4500001"),
        (
            {"created_from": NOW - timedelta(hours=8), "created_before": NOW - timedelta(hours=2)},
            lambda row: (
                moments.written(NOW - timedelta(hours=8))
                <= row["CreatedDate"]
                < moments.written(NOW - timedelta(hours=2))
            ),
        ),
    ],
)
async def test_filters_find_what_the_records_say(
    world: World, filters: dict[str, Any], meets: Callable[[Row], bool]
) -> None:
    cases = await cases_of(world)
    query = CaseQuery(SCOPE, EVERYTHING, Slice(100), with_total=True, **filters)
    page = await cases.find_cases(query)
    expected = {row["Id"] for row in visible(world) if meets(row)}
    assert {case.id for case in page.items} == expected
    assert page.total == len(expected)
    assert len(world.calls) <= 1
    if "statuses" in filters:
        assert {case.status for case in page.items} <= set(filters["statuses"])
    if "categories" in filters:
        assert {case.category for case in page.items} <= set(filters["categories"])


@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_cases_by_order(world: World, limit: int) -> None:
    cases = await cases_of(world)
    numbers = ["4500001", "po 1", "none", "PO 1", "4500002"]
    pages = await cases.cases_by_order(numbers, frozenset({"number"}), SCOPE, Slice(limit))
    for number, page in zip(numbers, pages, strict=True):
        rows = [row for row in visible(world) if row["Order_Number__c"] == number]
        rows.sort(key=SORTS[CaseSort.CREATED_AT], reverse=True)
        assert [case.id for case in page.items] == [row["Id"] for row in rows[:limit]]
        assert page.has_next == (len(rows) > limit)
    assert len(world.calls) == (2 if limit < 50 else 1)


async def test_comments_and_files_of_the_scope_in_one_call(world: World) -> None:
    cases = await cases_of(world)
    asked = [row["Id"] for row in world.rows["Case"]]
    fields = frozenset({"body", "author", "created_at", "filename", "content_type", "size"})
    comments, files = await asyncio.gather(
        cases.comments_by_case(asked, fields, SCOPE),
        cases.attachments_by_case(asked, fields, SCOPE),
    )
    assert len(world.calls) == 1
    for number, (row, said, held) in enumerate(
        zip(world.rows["Case"], comments, files, strict=True), 1
    ):
        mine = row["AccountId"] in SCOPE.ids
        bodies = [f"Comentario {place}" for place in range(number % 4) if place != 1]
        assert [one.body for one in said] == (bodies if mine else [])
        assert [one.filename for one in held] == (["foto 0.jpg"] if mine and number % 3 else [])
    authors = {(one.author.name, one.author.is_service_team, one.author.contact_id)
               for said in comments for one in said}  # fmt: skip
    assert authors == {("Marta Agente", True, None), ("Ana Torres", False, ANA)}
    everything = [one for said in comments for one in said]
    again = await cases.comments_by_id([one.id for one in everything], fields, SCOPE)
    assert again == everything
    attached = [one for held in files for one in held]
    assert await cases.attachments_by_id([one.id for one in attached], fields, SCOPE) == attached
    assert attached[0].content_type == "image/jpeg"
    assert len(world.calls) == 3


async def test_nothing_of_another_company_is_ever_answered(world: World) -> None:
    cases, customers = await cases_of(world), await customers_of(world)
    other = Scope([AUSTRAL])
    mine = [row["Id"] for row in visible(world)]
    comments = [one["Id"] for one in world.rows["CaseComment"] if one["ParentId"] in mine]
    files = [
        f"{one['LinkedEntityId']}-{one['ContentDocumentId']}"
        for one in world.rows["ContentDocumentLink"]
        if one["LinkedEntityId"] in mine
    ]
    fields = frozenset({"name", "number"})
    assert set(await cases.cases_by_id(mine, fields, other)) == {None}
    assert set(await cases.comments_by_id(comments, fields, other)) == {None}
    assert set(await cases.attachments_by_id(files, fields, other)) == {None}
    assert not any(await cases.comments_by_case(mine, fields, other))
    assert not any(await cases.attachments_by_case(mine, fields, other))
    assert set(await customers.accounts_by_id(SCOPE.ids, fields, other)) == {None}
    assert set(await customers.contacts_by_id([ANA, LUIS], fields, other)) == {None}
    for page in await cases.cases_by_order(["4500001", "PO 1"], fields, other, Slice(100)):
        assert {case.owner for case in page.items} <= {AUSTRAL}


async def test_internal_notes_and_internal_files_stay_inside(world: World) -> None:
    cases = await cases_of(world)
    inside = [one["Id"] for one in world.rows["CaseComment"] if not one["IsPublished"]]
    assert len(inside) > 10
    assert set(await cases.comments_by_id(inside, frozenset(), SCOPE)) == {None}
    hidden = [
        f"{one['LinkedEntityId']}-{one['ContentDocumentId']}"
        for one in world.rows["ContentDocumentLink"]
        if one["Visibility"] != "AllUsers"
    ]
    assert set(await cases.attachments_by_id(hidden, frozenset(), SCOPE)) == {None}
    everything = await (await cases_of(world, visible_files=[])).attachments_by_id(
        hidden, frozenset(), SCOPE
    )
    assert any(everything)


# ------------------------------------------------------------------------------------- knowledge


async def test_articles_as_questions_and_as_news(world: World) -> None:
    system = await world.system(knowledge={"serves": ["questions", "news"]})
    assert system.questions is not None
    assert system.news is not None
    page = await system.questions.find_questions(QuestionQuery("es", Slice(10)))
    # The sixth is a draft, the ninth is for agents alone.
    assert [one.position for one in page.items] == [3, 12]
    assert page.items[0].answer == "Respuesta"
    ids_ = [ids.numbered("ka0", number) for number in (3, 6, 9)]
    answer = await system.questions.questions_by_id(ids_, "es")
    assert [one is not None for one in answer] == [True, False, False]
    seen: list[str] = []
    part = Slice(3)
    while True:
        news = await system.news.find_news(NewsQuery(frozenset({"slug"}), part))
        seen += [one.slug for one in news.items]
        if not news.has_next:
            break
        part = Slice(3, after=Keyset(news.items[-1].published_at, news.items[-1].id))
    assert seen == [f"pregunta-{n}" for n in (1, 3, 2, 5, 4, 7, 8, 11, 10, 12)]
    (one,) = await system.news.news_by_slug(["pregunta-4"], frozenset({"title", "locale"}))
    assert one is not None
    assert (one.title, one.locale) == ("Pregunta 4", "en")


# ----------------------------------------------------------------------------------------- faults


async def test_faults_have_their_names(world: World) -> None:
    cases = await cases_of(world)
    asked = [row["Id"] for row in world.rows["Case"][:3]]
    world.faults.fail("crm=expirex1")
    assert any(await cases.cases_by_id(asked, frozenset(), SCOPE))
    world.faults.fail("crm=quotax1")
    with pytest.raises(Throttled):
        await cases.cases_by_id(asked, frozenset(), SCOPE)
    system = await world.system(columns={"case": {"team": "Squad__c"}})
    assert system.cases is not None
    with pytest.raises(Rejected) as caught:
        await system.cases.cases_by_id(asked, frozenset({"team"}), SCOPE)
    assert caught.value.field == "team"
    await system.check()


async def test_one_failing_part_costs_only_itself(world: World) -> None:
    cases = await cases_of(world)
    asked = [row["Id"] for row in world.rows["Case"][:3]]
    world.faults.fail("crm=partialx1")
    outcomes = await asyncio.gather(
        cases.cases_by_id(asked, frozenset(), SCOPE),
        cases.comments_by_case(asked, frozenset(), SCOPE),
        cases.find_cases(CaseQuery(SCOPE, frozenset(), Slice(5))),
        return_exceptions=True,
    )
    failures = [one for one in outcomes if isinstance(one, BaseException)]
    assert len(world.calls) == 1
    assert len(failures) == 1
    assert isinstance(failures[0], Unavailable | Rejected)
