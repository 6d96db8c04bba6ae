"""Who somebody is, and whom the asker may see: one call for each question."""

# queries are written out here to be compared, never to be run

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.port.errors import Rejected, Unreadable
from connectors.port.fields import NOT_FETCHED
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import ContactQuery
from connectors.port.records import Account, Address, Contact, Identity, Membership, MembershipRole
from connectors.port.scope import AccountRef, Scope
from connectors.systems.salesforce.customers import Customers
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

pytestmark = pytest.mark.anyio

ANA = "003SB00000ANATQAA1"
FOREIGN = "001SB00000ASTRQAC3"

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
#: A relation by which a person of an account is told today.
IN_FORCE = (
    "(IsDirect = true OR (IsActive = true "
    "AND (StartDate = null OR StartDate < 2026-11-19) "
    "AND (EndDate = null OR EndDate >= 2026-11-18)))"
)


def asking(answers: Answers = nothing, **changes: Any) -> tuple[Customers, Org]:
    org = Org(answers)
    return Customers(org.client(**changes), settings(**changes), lambda: NOW), org


# -------------------------------------------------------------------------------------- identity


async def test_an_identity_is_one_call_with_the_accounts_it_acts_for() -> None:
    customers, org = asking(lambda soql: example("identity"))
    identity = await customers.identity_by_email(" Carla.Mendes@Horizonte.example ")
    assert identity == Identity(
        contact_id="003SB00000CARLQAE1",
        email="carla.mendes@horizonte.example",
        name="Carla Mendes",
        memberships=(
            Membership(AccountRef("001SB00000HRZTQAE5", "17100005", "BR"), MembershipRole.ADMIN),
            # Nobody listed the name in its country column; the other two have no role of ours.
            Membership(
                AccountRef("001SB00000PLATQAD4", None, None),
                MembershipRole.MEMBER,
                date(2026, 1, 1),
                date(2026, 12, 31),
            ),
        ),
        locale="pt-BR",
    )
    assert len(org.calls) == 1
    assert org.queries == [
        (
            "SELECT Id,Name,Email,Language__c,(SELECT AccountId,Roles,IsActive,StartDate,EndDate,"
            "Account.AccountNumber,Account.BillingCountryCode FROM AccountContactRelations "
            "WHERE IsActive = true) FROM Contact "
            "WHERE Email = 'Carla.Mendes@Horizonte.example' LIMIT 2"
        )
    ]


async def test_an_identity_by_contact() -> None:
    customers, org = asking(lambda soql: example("identity"))
    identity = await customers.identity_by_contact("003SB00000CARLQAE1")
    assert identity is not None
    assert org.queries[0].endswith("FROM Contact WHERE Id = '003SB00000CARLQAE1' LIMIT 2")


async def test_a_contact_without_relations_acts_for_nobody() -> None:
    contact = {"Id": ANA, "Name": "Ana", "Email": "a@b.example", "AccountContactRelations": None}
    customers, _ = asking(lambda soql: found(contact), columns={"contact": {"locale": ""}})
    assert await customers.identity_by_email("a@b.example") == Identity(
        ANA, "a@b.example", "Ana", (), None
    )


async def test_an_inactive_relation_grants_nothing_even_if_it_is_answered() -> None:
    answer = example("identity")
    for relation in answer["records"][0]["AccountContactRelations"]["records"]:
        relation["IsActive"] = False
    customers, _ = asking(lambda soql: answer)
    identity = await customers.identity_by_email("carla.mendes@horizonte.example")
    assert identity is not None
    assert identity.memberships == ()


async def test_an_address_that_only_the_org_holds_to_be_equal_is_nobodys() -> None:
    customers, org = asking(lambda soql: example("identity"))
    assert await customers.identity_by_email("carla.mendés@horizonte.example") is None
    assert len(org.calls) == 1


async def test_two_contacts_with_one_address_are_unreadable() -> None:
    record = example("identity")["records"][0]
    customers, _ = asking(lambda soql: found(record, {**record, "Id": ANA}))
    with pytest.raises(Unreadable, match="more than one contact") as caught:
        await customers.identity_by_email("carla.mendes@horizonte.example")
    assert "carla" not in str(caught.value)


async def test_nobody_is_found_without_a_call_where_nobody_can_be() -> None:
    customers, org = asking()
    assert await customers.identity_by_email("  ") is None
    assert await customers.identity_by_email("a" * 255) is None
    assert await customers.identity_by_contact("003'") is None
    assert await customers.identity_by_contact(ANDINA.id) is None
    assert org.calls == []
    assert await customers.identity_by_email("no@one.example") is None
    assert len(org.calls) == 1


# -------------------------------------------------------------------------------------- accounts


def account(ref: AccountRef, **more: Any) -> dict[str, Any]:
    return {"Id": ref.id, "Name": f"Company {ref.number}", **more}


async def test_accounts_by_id_are_asked_once_and_answered_in_order() -> None:
    customers, org = asking(lambda soql: found(account(PACIFICO), account(ANDINA)))
    ids = [ANDINA.id, FOREIGN, "nonsense'", PACIFICO.id, ANDINA.id[:15]]
    answer = await customers.accounts_by_id(ids, frozenset({"name"}), SCOPE)
    assert [one and one.name for one in answer] == [
        "Company 17100001",
        None,
        None,
        "Company 17100002",
        "Company 17100001",
    ]
    assert answer[0] == answer[4] == Account(ANDINA.id, ANDINA, name="Company 17100001")
    assert answer[0] is not None
    assert answer[0].number is NOT_FETCHED
    assert org.queries == [
        f"SELECT Id,Name FROM Account WHERE Id IN ('{ANDINA.id}','{PACIFICO.id}')"
    ]


async def test_an_account_in_full() -> None:
    row = account(
        ANDINA,
        AccountNumber="17100001",
        TaxId__c="900",
        Phone=" ",
        BillingStreet="Carrera 11 # 82-71\r\n\r\n Oficina 501\nPiso 2",
        BillingCity="Bogotá",
        BillingState=None,
        BillingPostalCode="110221",
        BillingCountry="Colombia",
    )
    customers, org = asking(
        lambda soql: found(row),
        columns={"account": {"country": "BillingCountry"}},
        values={"countries": {"CO": ["Colombia"]}},
    )
    fields = frozenset({"number", "name", "tax_id", "country", "phone", "billing_address"})
    (one,) = await customers.accounts_by_id([ANDINA.id], fields, SCOPE)
    address = Address("Carrera 11 # 82-71", "Oficina 501, Piso 2", "Bogotá", None, "110221", "CO")
    assert one == Account(
        ANDINA.id, ANDINA, "17100001", "Company 17100001", "900", "CO", None, address
    )
    assert org.queries[0].partition(" FROM ")[0] == (
        "SELECT Id,AccountNumber,Name,TaxId__c,BillingCountry,Phone,"
        "BillingStreet,BillingCity,BillingState,BillingPostalCode"
    )


async def test_an_account_that_was_not_asked_for_is_dropped() -> None:
    stranger = AccountRef(FOREIGN, "9", "CL")
    customers, _ = asking(lambda soql: found(account(stranger)))
    ids = [ANDINA.id, FOREIGN]
    assert await customers.accounts_by_id(ids, frozenset({"name"}), SCOPE) == [None, None]


# -------------------------------------------------------------------------------------- contacts


def relation(contact_id: str, ref: AccountRef, direct: bool, **contact: Any) -> dict[str, Any]:
    return {
        "ContactId": contact_id,
        "AccountId": ref.id,
        "IsDirect": direct,
        "Contact": {"Name": "Ana", **contact},
        "Account": {"Name": f"Company {ref.number}"},
    }


async def test_contacts_are_seen_through_their_relations_in_one_call() -> None:
    rows = [
        relation(ANA, PACIFICO, False),
        relation(ANA, ANDINA, True),
        relation("003SB00000LUISQAB1", PACIFICO, False),
        relation("003SB00000LUISQAB1", ANDINA, False),
        relation("003SB00000ROSAQAB2", AccountRef(FOREIGN), True),
    ]
    customers, org = asking(lambda soql: found(*rows))
    ids = [ANA, "003SB00000LUISQAB1", "003SB00000ROSAQAB2", "003SB00000NONEQAB2", ANDINA.id, "'"]
    fields = frozenset({"name", "account", "account.name"})
    answer = await customers.contacts_by_id(ids, fields, SCOPE)
    expected = Contact(
        ANA, ANDINA, "Ana", account=Account(ANDINA.id, ANDINA, name="Company 17100001")
    )
    assert answer[0] == expected
    # Without a direct account in the scope the choice is still always the same one.
    assert answer[1] is not None
    assert answer[1].owner == ANDINA
    assert answer[2:] == [None] * 4
    assert org.queries == [
        (
            "SELECT ContactId,AccountId,IsDirect,Contact.Name,Account.Name "
            "FROM AccountContactRelation "
            f"WHERE ContactId IN ('{ANA}','003SB00000LUISQAB1','003SB00000ROSAQAB2',"
            f"'003SB00000NONEQAB2') AND (AccountId IN ('{ANDINA.id}','{PACIFICO.id}') "
            f"AND {IN_FORCE})"
        )
    ]


async def test_a_contact_in_full() -> None:
    row = relation(
        ANA,
        ANDINA,
        True,
        FirstName="Ana",
        LastName="Torres",
        Email="ana@andina.example",
        Phone=None,
        MobilePhone="+57 300",
        Title="Compras",
        Language__c="es-CO",
    )
    customers, _ = asking(lambda soql: found(row))
    fields = frozenset({"name", "given_name", "family_name", "email", "phone", "job_title"})
    (one,) = await customers.contacts_by_id([ANA], fields | {"locale"}, SCOPE)
    assert one == Contact(
        ANA,
        ANDINA,
        *("Ana", "Ana", "Torres", "ana@andina.example", "+57 300", "Compras", "es-CO"),
    )


async def test_many_contacts_are_split_by_size_and_still_one_call() -> None:
    customers, org = asking()
    ids = [f"003SB{n:010d}AAA" for n in range(1000)]
    assert await customers.contacts_by_id(ids, frozenset({"name"}), SCOPE) == [None] * 1000
    assert len(org.queries) == 3
    assert len(org.calls) == 1


async def test_nothing_is_asked_for_an_empty_scope() -> None:
    customers, org = asking()
    fields = frozenset({"name"})
    assert await customers.accounts_by_id([ANDINA.id], fields, Scope()) == [None]
    assert await customers.contacts_by_id([ANA], fields, Scope()) == [None]
    assert await customers.contacts_by_id([], fields, SCOPE) == []
    query = ContactQuery(Scope(), fields, ANDINA.id, Slice(10))
    assert await customers.contacts_by_account(query) == Page(())
    assert org.calls == []


async def test_the_people_of_an_account_by_name() -> None:
    rows = [relation(f"003SB0000000{n}QAA1"[:18], ANDINA, True, Name=f"P{n}") for n in "123"]
    customers, org = asking(lambda soql: found(*rows))
    mark = Keyset("O'Neil", ANA)
    query = ContactQuery(SCOPE, frozenset({"email"}), ANDINA.id[:15], Slice(2, after=mark))
    with pytest.raises(Unreadable, match=r"lacks Contact\.Email"):
        await customers.contacts_by_account(query)
    for row in rows:
        row["Contact"]["Email"] = None
    page = await customers.contacts_by_account(query)
    assert [one.name for one in page.items] == ["P1", "P2"]
    assert (page.has_next, page.has_previous) == (True, True)
    assert org.queries[-1] == (
        "SELECT ContactId,AccountId,Contact.Name,Contact.Email FROM AccountContactRelation "
        f"WHERE AccountId = '{ANDINA.id}' AND {IN_FORCE} AND "
        f"(Contact.Name > 'O\\'Neil' OR (Contact.Name = 'O\\'Neil' AND ContactId > '{ANA}')) "
        "ORDER BY Contact.Name ASC,ContactId ASC LIMIT 3"
    )


async def test_the_people_of_a_foreign_account_are_nobody() -> None:
    customers, org = asking()
    for account_id in (FOREIGN, "nonsense", ANDINA.id + "'"):
        query = ContactQuery(SCOPE, frozenset(), account_id, Slice(2))
        assert await customers.contacts_by_account(query) == Page(())
    assert org.calls == []


@pytest.mark.parametrize("mark", [Keyset(5, ANA), Keyset("", ANA), Keyset("x", "nonsense'")])
async def test_a_place_of_another_list_is_refused(mark: Keyset) -> None:
    customers, org = asking()
    query = ContactQuery(SCOPE, frozenset(), ANDINA.id, Slice(2, before=mark))
    with pytest.raises(Rejected) as caught:
        await customers.contacts_by_account(query)
    assert caught.value.field == "before"
    assert org.calls == []
