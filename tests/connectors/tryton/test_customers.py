"""Customers: who is found by an address, what they may do, and who sees whom."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.port.errors import Rejected, Unreadable
from connectors.port.fields import NOT_FETCHED
from connectors.port.pages import Keyset, Page, Slice
from connectors.port.queries import ContactQuery
from connectors.port.records import (
    Account,
    AccountRef,
    Address,
    Contact,
    Identity,
    Membership,
    MembershipRole,
)
from connectors.port.scope import Scope
from tests.connectors.tryton.fake_tryton import Opener, day

pytestmark = pytest.mark.anyio

ONE, TWO = AccountRef("1", "100", "CO"), AccountRef("2", "200", "PE")
SCOPE = Scope([ONE, TWO])
ROLES = ["Portal admin of", "Portal member of", "Portal reader of"]


def place(country: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": 5, "country": {"id": 1, "code": country} if country else None, **fields}


def tied(key: int, to: int, kind: str = ROLES[1], **fields: Any) -> dict[str, Any]:
    company = {"id": to, "code": f"{to}00", "active": 1, "addresses": [place(), place("co")]}
    dates = {"start_date": None, "end_date": None}
    return {"id": key, "type": {"id": 1, "name": kind}, "to": company, **dates, **fields}


def person(key: int, address: str, *relations: dict[str, Any], **fields: Any) -> dict[str, Any]:
    mechanisms = [
        {"id": 1, "type": "phone", "value": address},
        {"id": 2, "type": "email", "value": None},
        {"id": 3, "type": "email", "value": address},
    ]
    told = {"name": "Ana", "lang": {"id": 1, "code": "pt_BR"}, "contact_mechanisms": mechanisms}
    return {"id": key, "relations": list(relations), **told, **fields}


async def test_a_person_by_their_address(opened: Opener) -> None:
    dates = {"start_date": day(2026, 1, 1), "end_date": day(2026, 12, 31)}
    ana = person(
        9,
        "Ana_1@x.example",
        tied(8, 2, ROLES[0], **dates),
        tied(3, 1),
        tied(5, 4, "Employee of"),
    )
    tryton = await opened([ana])
    assert await tryton.customers.identity_by_email("ana_1@X.example") == Identity(
        "9",
        "Ana_1@x.example",
        "Ana",
        (
            Membership(AccountRef("1", "100", "CO"), MembershipRole.MEMBER),
            Membership(
                AccountRef("2", "200", "CO"),
                MembershipRole.ADMIN,
                date(2026, 1, 1),
                date(2026, 12, 31),
            ),
        ),
        "pt-BR",
    )
    assert tryton.only.path == "/party.party"
    mail = [["type", "=", "email"], ["value", "ilike", "ana\\_1@X.example"]]
    assert tryton.only.domain == [["contact_mechanisms", "where", mail]]


async def test_an_archived_customer_is_no_membership(opened: Opener) -> None:
    relation = tied(3, 1)
    relation["to"]["active"] = 0
    tryton = await opened([person(9, "a@x.example", relation)])
    found = await tryton.customers.identity_by_email("a@x.example")
    assert found is not None
    assert found.memberships == ()


async def test_an_address_that_differs_is_another_persons(opened: Opener) -> None:
    """Tryton compares without accents where its database can."""
    tryton = await opened([person(9, "aña@x.example", tied(3, 1))])
    assert await tryton.customers.identity_by_email("ana@x.example") is None


async def test_a_company_with_the_address_of_its_person_is_no_second_person(
    opened: Opener,
) -> None:
    company = person(1, "a@x.example", tied(4, 9, "(Portal member of)"))
    tryton = await opened([company, person(9, "a@x.example", tied(3, 1))])
    found = await tryton.customers.identity_by_email("a@x.example")
    assert found is not None
    assert found.contact_id == "9"


@pytest.mark.parametrize("relations", [(), (tied(3, 1),)])
async def test_two_people_with_one_address_are_nobody(opened: Opener, relations: Any) -> None:
    rows = [person(key, "a@x.example", *relations) for key in (8, 9)]
    tryton = await opened(rows)
    with pytest.raises(Unreadable) as caught:
        await tryton.customers.identity_by_email("a@x.example")
    assert "a@x.example" not in str(caught.value)


async def test_a_person_by_their_id(opened: Opener) -> None:
    tryton = await opened([person(9, "a@x.example", tied(3, 1), name=None)])
    found = await tryton.customers.identity_by_contact("9")
    assert found is not None
    assert (found.contact_id, found.email, found.name) == ("9", "a@x.example", "a@x.example")
    assert tryton.only.domain == [["id", "=", 9]]
    tryton = await opened([])
    assert await tryton.customers.identity_by_contact("9") is None
    assert await tryton.customers.identity_by_contact("nine") is None
    assert len(tryton.asked) == 1


async def test_roles_are_the_settings(opened: Opener) -> None:
    row = person(9, "a@x.example", tied(3, 1, "Compra para"), tied(4, 2, ROLES[0]))
    tryton = await opened([row], relations={"Compra para": "READER"}, language="es")
    found = await tryton.customers.identity_by_email("a@x.example")
    assert found is not None
    assert [one.role for one in found.memberships] == [MembershipRole.READER]
    assert tryton.only.context == {"language": "es"}


ACCOUNT = {
    "id": 1,
    "code": "100",
    "name": "Uno S.A.",
    "tax_identifier": {"id": 1, "code": "900"},
    "identifiers": [
        {"id": 1, "type": "eu_vat", "code": "EU1"},
        {"id": 2, "type": None, "code": "T-1"},
    ],
    "phone": "",
    "mobile": "+57 1",
    "addresses": [
        place(street="Calle 1", city=None, postal_code="1", subdivision=None, invoice=0),
        place("CO", street="Calle 2", city="", postal_code="2", subdivision=None, invoice=1),
    ],
}
WHOLE = frozenset({"number", "name", "tax_id", "country", "phone", "billing_address"})


async def test_accounts_are_those_of_the_scope_in_the_order_asked(opened: Opener) -> None:
    tryton = await opened([ACCOUNT, {**ACCOUNT, "id": 3}])
    found = await tryton.customers.accounts_by_id(["3", "2", "1", "1"], WHOLE, SCOPE)
    billing = Address(line1="Calle 2", postal_code="2", country="CO")
    account = Account("1", ONE, "100", "Uno S.A.", "900", "CO", "+57 1", billing)
    assert found == [None, None, account, account]
    assert tryton.only.domain == [["id", "in", [1, 2]]]


async def test_only_selected_attributes_are_asked_for(opened: Opener) -> None:
    tryton = await opened([{"id": 1, "name": "Uno"}])
    (found,) = await tryton.customers.accounts_by_id(["1"], frozenset({"name"}), SCOPE)
    assert tryton.only.fields == ["id", "name"]
    assert found is not None
    assert (found.name, found.number) == ("Uno", NOT_FETCHED)


@pytest.mark.parametrize(
    ("types", "tax_id"), [(("",), "T-1"), (("eu_vat", ""), "EU1"), (("co_nit",), None)]
)
async def test_a_tax_number_may_be_of_other_types(
    opened: Opener, types: tuple[str, ...], tax_id: str | None
) -> None:
    tryton = await opened([ACCOUNT], tax_identifiers=list(types))
    (found,) = await tryton.customers.accounts_by_id(["1"], frozenset({"tax_id"}), SCOPE)
    assert found is not None
    assert found.tax_id == tax_id


async def test_contacts_with_their_account_are_one_call(opened: Opener) -> None:
    relation = tied(3, 2)
    relation["to"]["name"] = "Dos S.A."
    ana = person(9, "a@x.example", relation, code="77", email="a@x.example", phone="", mobile="")
    stranger = person(8, "b@x.example", tied(4, 3), code="78", email="", phone="", mobile="")
    tryton = await opened([ana, stranger])
    fields = frozenset({"name", "email", "phone", "given_name", "account.name"})
    found = await tryton.customers.contacts_by_id(["8", "x", "9"], fields, SCOPE)
    account = Account("2", TWO, name="Dos S.A.")
    expected = Contact("9", TWO, "Ana", None, email="a@x.example", phone=None, account=account)
    assert found == [None, None, expected]
    where = [["to", "in", [1, 2]], ["type.name", "in", ROLES]]
    assert tryton.only.domain == [["id", "in", [8, 9]], ["relations", "where", where]]
    assert "relations.to.name" in tryton.only.fields


async def test_a_contact_is_seen_through_the_eldest_relation_of_the_scope(opened: Opener) -> None:
    row = person(9, "a@x.example", tied(7, 2), tied(3, 3), tied(5, 1), code="77")
    tryton = await opened([row])
    (found,) = await tryton.customers.contacts_by_id(["9"], frozenset({"name"}), SCOPE)
    assert found is not None
    assert found.owner == ONE


async def test_contacts_of_an_account_by_name(opened: Opener) -> None:
    rows = [person(key, "a@x.example", tied(key, 1), code="7") for key in (9, 10, 11)]
    tryton = await opened(rows)
    asked = ContactQuery(SCOPE, frozenset({"name"}), "1", Slice(2, after=Keyset("Al", "4")))
    page = await tryton.customers.contacts_by_account(asked)
    assert [contact.id for contact in page.items] == ["9", "10"]
    assert (page.has_next, page.has_previous) == (True, True)
    where = [["to", "in", [1]], ["type.name", "in", ROLES]]
    beyond = ["OR", ["name", ">", "Al"], [["name", "=", "Al"], ["id", ">", 4]]]
    assert tryton.only.domain == [["relations", "where", where], ["name", "!=", None], beyond]
    assert (tryton.only.order, tryton.only.limit) == ([["name", "ASC"], ["id", "ASC"]], 3)


async def test_contacts_of_a_foreign_account_are_not_asked_for(opened: Opener) -> None:
    tryton = await opened()
    asked = ContactQuery(SCOPE, frozenset({"name"}), "3", Slice(2))
    assert await tryton.customers.contacts_by_account(asked) == Page([])
    bad = ContactQuery(SCOPE, frozenset(), "1", Slice(2, after=Keyset("Al", "x")))
    with pytest.raises(Rejected, match="cursor"):
        await tryton.customers.contacts_by_account(bad)
    assert tryton.asked == []
