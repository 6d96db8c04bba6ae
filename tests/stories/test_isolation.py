"""No read of any kind gives one customer what is another's: by id, list, node, join, cursor, search.

Everything of the sandbox that carries an owner is known to the test by its customer; documents are
put together at random, asked by a random person, and every value that comes back is looked up.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.port.pages import Keyset
from connectors.port.queries import CaseSort
from sandbox.people import CUSTOMERS, PEOPLE
from schema.cases.filters import ORDERS as CASE_ORDERS
from schema.nodes import from_global, to_global
from tests.stories.portal import NOW, Answer, opened

#: Whose data each person may see, by customer number.
MAY_SEE = {
    person.email: {person.customer, *(number for number, _ in person.also)} for person in PEOPLE
}


@dataclass(frozen=True, repr=False)
class Owned:
    """Everything in the sandbox that has an owner: global ids and telling values by customer.
    internal: ids of what the service team keeps to itself."""

    ids: dict[str, list[str]]
    internal: set[str]
    values: dict[str, set[str]]

    def __repr__(self) -> str:
        return "Owned(...)"  # hypothesis would print all of it

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
        internal: set[str] = {
            to_global(type_name, key)
            for type_name, query in INTERNAL.items()
            for (key,) in tables.execute(query)
        }
    tables.close()
    assert all(len(found) > 100 for found in ids.values())
    return Owned(ids, internal, values)


OWNED = {
    # A person belongs to every account that they act for.
    "Contact": "SELECT c.Id, r.AccountId, c.Email FROM crm_AccountContactRelation r "
    f"JOIN crm_Contact c ON c.Id = r.ContactId WHERE r.IsDirect OR (r.IsActive "
    f"AND coalesce(r.StartDate, '') <= '{NOW.date()}' "
    f"AND coalesce(r.EndDate, '9') >= '{NOW.date()}')",
    "Case": "SELECT Id, AccountId, CaseNumber FROM crm_Case",
    "CaseComment": "SELECT c.Id, k.AccountId FROM crm_CaseComment c JOIN crm_Case k ON k.Id = c.ParentId",
    "Attachment": "SELECT l.LinkedEntityId || '-' || l.ContentDocumentId, k.AccountId FROM crm_ContentDocumentLink l JOIN crm_Case k ON k.Id = l.LinkedEntityId",
    "Order": "SELECT ltrim(SalesOrder, '0'), ltrim(SoldToParty, '0'), ltrim(SalesOrder, '0') FROM erp_sales_order",
}

INTERNAL = {
    "CaseComment": "SELECT Id FROM crm_CaseComment WHERE NOT IsPublished",
    "Attachment": "SELECT LinkedEntityId || '-' || ContentDocumentId FROM crm_ContentDocumentLink WHERE Visibility != 'AllUsers'",
}

FIELDS = """
  __typename
  ... on Account { id accountNumber: number accountName: name contacts(first: 5) { nodes { id email } } }
  ... on Contact { id name email account { id number name } }
  ... on Case { id caseNumber: number account { id number name } contact { id email }
    order { id number account { number } } comments { nodes { id body } } attachments { nodes { id filename } } }
  ... on CaseComment { id body author { contact { id email } } }
  ... on Attachment { id filename sender: author { contact { id } } }
  ... on Order { id number customerReference account { id number name }
    about: cases { nodes { id number account { number } } } lines(first: 1) { nodes { position } } }
"""


def case_field(rng: random.Random, everything: list[str]) -> str:
    arguments = [f"first: {rng.randint(1, 100)}"]
    if rng.random() < 0.5:
        cursor = CASE_ORDERS[CaseSort.CREATED_AT].cursor(Keyset(NOW, rng.choice(everything)))
        arguments.append(f'after: "{cursor}"')
    if rng.random() < 0.5:
        word = rng.choice(["a", "e", "pedido", "00001", "factura", "OC"])
        arguments.append(f'filter: {{search: "{word}"}}')
    return (
        f"cases({', '.join(arguments)}) {{ totalCount nodes {{ id number account {{ number name }} "
        "contact { id email } order { id number cases { nodes { id number } } } } }"
    )


def order_field(rng: random.Random, numbers: list[str]) -> str:
    asked = rng.choice(["", "number", "search", "customerReference"])
    text = rng.choice([*rng.sample(numbers, 3), "45", "OC", "PO", "O'B"])
    where = f', filter: {{{asked}: "{text}"}}' if asked else ""
    return (
        f"orders(first: {rng.randint(1, 100)}{where}) {{ totalCount nodes {{ id number customerReference "
        "account { number name } cases { nodes { id number } } deliveries { number } } }"
    )


def document(rng: random.Random, owned: Owned) -> str:
    """A document of up to four root fields, each aimed at data of anybody."""
    everything = owned.all_ids()
    numbers = sorted(v for values in owned.values.values() for v in values if v.isdigit())
    fields = []
    for place in range(rng.randint(1, 4)):
        kind = rng.choice(["node", "nodes", "case", "order", "cases", "orders", "lookup"])
        if kind == "node":
            text = f'node(id: "{rng.choice(everything)}") {{ {FIELDS} }}'
        elif kind == "nodes":
            quoted = ", ".join(f'"{value}"' for value in rng.sample(everything, rng.randint(1, 20)))
            text = f"nodes(ids: [{quoted}]) {{ {FIELDS} }}"
        elif kind in ("case", "order"):
            key = rng.choice(
                [i for i in everything if from_global("id", i)[0] == kind.capitalize()]
            )
            text = f'{kind}(by: {{id: "{key}"}}) {{ id number account {{ number }} }}'
        elif kind == "lookup":
            noun = rng.choice(["case", "order"])
            text = f'{noun}(by: {{number: "{rng.choice(numbers)}"}}) {{ id number account {{ number }} }}'
        elif kind == "cases":
            text = case_field(rng, everything)
        else:
            text = order_field(rng, numbers)
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
    forbidden: set[str] = set(owned.internal)
    for number in owned.ids:
        if number not in allowed:
            forbidden |= {number, *owned.ids[number], *owned.values[number]}
    for number in allowed:
        forbidden -= {*owned.ids[number], *owned.values[number]} - owned.internal
    leaked = forbidden & set(texts(answer.body))
    assert not leaked, (person, sorted(leaked)[:5])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(person=st.sampled_from(sorted(MAY_SEE)), seed=st.integers(0, 2**32))
def test_nothing_of_another_customer_comes_back(
    database: Path, keys: Path, owned: Owned, person: str, seed: int
) -> None:
    asked = document(random.Random(seed), owned)

    async def ask() -> Answer:
        async with opened(database, keys) as portal:
            return await portal.ask(asked, by=person)

    answer = asyncio.run(ask())
    assert not [e for e in answer.errors if "path" not in e or "errorId" in e["extensions"]]
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
                own = [key for key in owned.ids[number] if key not in owned.internal]
                picked = own[:: max(1, len(own) // 90)]
                query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
                found = (await portal.ask(query, {"ids": picked}, by=person)).data["nodes"]
                missing = [i for i, node in zip(picked, found, strict=True) if node is None]
                assert missing == []
