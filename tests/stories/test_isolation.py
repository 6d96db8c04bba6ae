"""No read of any kind gives one customer what is another's: by id, list, node, join, cursor, search.

Everything of the sandbox that carries an owner is known to the test by its customer; documents are
put together at random, asked by a random person, and every value that comes back is looked up.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.port.pages import Keyset
from sandbox.people import CUSTOMERS, PEOPLE
from schema.cases.filters import ORDERS as CASE_ORDERS
from schema.nodes import to_global
from tests.stories.portal import NOW, Answer, opened

#: Whose data each person may see, by customer number.
MAY_SEE = {
    person.email: {person.customer, *(number for number, _ in person.also)} for person in PEOPLE
}


@dataclass(frozen=True)
class Owned:
    """Everything in the sandbox that has an owner: global ids and telling values by customer."""

    ids: dict[str, list[str]]
    values: dict[str, set[str]]

    def all_ids(self) -> list[str]:
        return [value for ids in self.ids.values() for value in ids]


@pytest.fixture(scope="session")
def owned(database: Path) -> Owned:
    """Read from the tables themselves, not through any code under test."""
    accounts = {customer.crm_id: customer.number for customer in CUSTOMERS}
    ids: dict[str, list[str]] = {number: [] for number in accounts.values()}
    values: dict[str, set[str]] = {number: set() for number in accounts.values()}
    with sqlite3.connect(database) as tables:
        for key, number in accounts.items():
            ids[number].append(to_global("Account", key))
            values[number].add(next(c.name for c in CUSTOMERS if c.number == number))
        for type_name, query in OWNED.items():
            for key, account, *telling in tables.execute(query):
                number = accounts.get(account, account)
                ids[number].append(to_global(type_name, str(key)))
                values[number].update(str(value) for value in telling if value)
    tables.close()
    for number, own in values.items():  # a text that two customers use tells nothing
        for other, theirs in values.items():
            if other != number:
                common = own & theirs
                own -= common
                theirs -= common
    assert all(len(found) > 100 for found in ids.values())
    return Owned(ids, values)


OWNED = {
    "Contact": "SELECT Id, AccountId, Email FROM crm_Contact",
    "Case": "SELECT Id, AccountId, CaseNumber FROM crm_Case",
    "CaseComment": "SELECT c.Id, k.AccountId FROM crm_CaseComment c JOIN crm_Case k ON k.Id = c.ParentId",
    "Attachment": "SELECT l.LinkedEntityId || '-' || l.ContentDocumentId, k.AccountId FROM crm_ContentDocumentLink l JOIN crm_Case k ON k.Id = l.LinkedEntityId",
    "Order": "SELECT SalesOrder, SoldToParty, SalesOrder FROM erp_sales_order",
}

FIELDS = """
  __typename
  ... on Account { id number name contacts(first: 5) { nodes { id email } } }
  ... on Contact { id name email account { id name number } }
  ... on Case { id number account { id number name } contact { id email }
    order { id number account { number } } comments { nodes { id body } } attachments { nodes { id filename } } }
  ... on CaseComment { id body author { contact { id email } } }
  ... on Attachment { id filename author { contact { id } } }
  ... on Order { id number customerReference account { id number name }
    cases { nodes { id number account { number } } } lines(first: 1) { nodes { position } } }
"""


def case_field(draw: st.DrawFn, owned: Owned, foreign: list[str]) -> str:
    arguments = [f"first: {draw(st.integers(1, 100))}"]
    if draw(st.booleans()):
        key = draw(st.sampled_from(foreign))
        place = Keyset(NOW, key)
        cursor = CASE_ORDERS[next(iter(CASE_ORDERS))].cursor(place)
        arguments.append(f'after: "{cursor}"')
    if draw(st.booleans()):
        word = draw(st.sampled_from(["a", "e", "pedido", "00001", "factura", "OC"]))
        arguments.append(f'filter: {{search: "{word}"}}')
    return (
        f"cases({', '.join(arguments)}) {{ totalCount nodes {{ id number account {{ number name }} "
        "contact { id email } order { id number cases { nodes { id number } } } } }"
    )


def order_field(draw: st.DrawFn, owned: Owned, foreign: list[str]) -> str:
    numbers = [
        value for values in owned.values.values() for value in sorted(values) if value.isdigit()
    ]
    asked = draw(st.sampled_from(["", "number", "search", "customerReference"]))
    text = draw(st.sampled_from([*numbers[:50], "45", "OC", "PO", "O'B"]))
    where = f', filter: {{{asked}: "{text}"}}' if asked else ""
    return (
        f"orders(first: {draw(st.integers(1, 100))}{where}) {{ totalCount nodes {{ id number "
        "customerReference account { number name } cases { nodes { id number } } deliveries { number } } }"
    )


@st.composite
def documents(draw: st.DrawFn, owned: Owned) -> str:
    """A document of up to four root fields, each aimed at data of anybody."""
    everything = owned.all_ids()
    fields = []
    for place in range(draw(st.integers(1, 4))):
        kind = draw(
            st.sampled_from(["node", "nodes", "case", "order", "cases", "orders", "lookup"])
        )
        if kind == "node":
            text = f'node(id: "{draw(st.sampled_from(everything))}") {{ {FIELDS} }}'
        elif kind == "nodes":
            ids = draw(st.lists(st.sampled_from(everything), min_size=1, max_size=20))
            quoted = ", ".join(f'"{value}"' for value in ids)
            text = f"nodes(ids: [{quoted}]) {{ {FIELDS} }}"
        elif kind in ("case", "order"):
            name = kind.capitalize()
            own = [i for i in everything if i.startswith(to_global(name, "12")[:6])]
            text = f'{kind}(by: {{id: "{draw(st.sampled_from(own))}"}}) {{ id number account {{ number }} }}'
        elif kind == "lookup":
            number = draw(
                st.sampled_from(sorted(draw(st.sampled_from(list(owned.values.values())))))
            )
            noun = draw(st.sampled_from(["case", "order"]))
            escaped = number.replace("\\", "").replace('"', "")
            text = f'{noun}(by: {{number: "{escaped}"}}) {{ id number account {{ number }} }}'
        elif kind == "cases":
            text = case_field(draw, owned, everything)
        else:
            text = order_field(draw, owned, everything)
        fields.append(f"f{place}: {text}")
    return "{ viewer { memberships { account { number name } } } " + " ".join(fields) + " }"


def texts(value: Any) -> Iterator[str]:
    """Every text in an answer, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def check(answer: Answer, person: str, owned: Owned) -> None:
    allowed = MAY_SEE[person]
    forbidden: set[str] = set()
    for number in owned.ids:
        if number not in allowed:
            forbidden |= {number, *owned.ids[number], *owned.values[number]}
    leaked = forbidden & set(texts(answer.body))
    assert not leaked, (person, sorted(leaked)[:5])


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_of_another_customer_comes_back(
    database: Path, keys: Path, owned: Owned, data: st.DataObject
) -> None:
    person = data.draw(st.sampled_from(sorted(MAY_SEE)))
    document = data.draw(documents(owned))

    async def ask() -> Answer:
        async with opened(database, keys) as portal:
            return await portal.ask(document, by=person)

    answer = asyncio.run(ask())
    assert "data" in answer.body, answer.body
    check(answer, person, owned)


@pytest.mark.anyio
async def test_the_check_sees_a_leak(database: Path, keys: Path, owned: Owned) -> None:
    """The property above can fail: an answer of one person held against another's rights does."""
    async with opened(database, keys) as portal:
        answer = await portal.ask("{ orders(first: 3) { nodes { id number } } }")
    check(answer, "ana.torres@andina.example", owned)
    with pytest.raises(AssertionError, match=r"luis\.rojas"):
        check(answer, "luis.rojas@pacifico.example", owned)


@pytest.mark.anyio
async def test_everyone_sees_every_object_of_their_own(
    database: Path, keys: Path, owned: Owned
) -> None:
    """And the wall is no wall against the owner."""
    async with opened(database, keys) as portal:
        for person in ("ana.torres@andina.example", "carla.mendes@horizonte.example"):
            for number in MAY_SEE[person]:
                own = owned.ids[number]
                picked = own[:: max(1, len(own) // 90)]
                query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
                found = (await portal.ask(query, {"ids": picked}, by=person)).data["nodes"]
                missing = [i for i, node in zip(picked, found, strict=True) if node is None]
                assert missing == []
