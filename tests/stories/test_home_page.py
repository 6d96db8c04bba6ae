"""A portal's home page: one document, as few upstream calls as its answer needs."""

from __future__ import annotations

import pytest

from tests.stories.portal import ANA, CARLA, LUIS, Portal

pytestmark = pytest.mark.anyio

HOME = """
query Home($from: Date!, $to: Date!, $reference: String!) {
  viewer {
    name
    email
    memberships { role account { id number name country } }
    contact { name phone jobTitle }
  }
  cases(first: 10, filter: {categories: ["INVOICE_CLAIM", "QUERY"], createdOn: {from: $from, to: $to}}) {
    totalCount
    nodes { id number subject status createdAt answerDueAt category { code label } contact { name } }
  }
  orders(
    first: 10
    filter: {customerReference: $reference, orderedOn: {from: $from, to: $to}, statuses: [DELIVERED, INVOICED, IN_DELIVERY]}
  ) {
    nodes {
      number customerReference status orderedOn
      total { amount currency }
      lines { nodes { position product { code name } quantity unit } }
      deliveries { number status shippedOn }
    }
  }
  news(first: 5) { nodes { title publishedAt } }
}
"""
YEAR = {"from": "2025-11-18", "to": "2026-11-18", "reference": "OC"}


async def test_the_home_page_of_a_customer(portal: Portal) -> None:
    answer = await portal.ask(HOME, YEAR)
    data = answer.data
    assert data["viewer"]["name"] == "Ana Torres"
    assert data["viewer"]["memberships"][0]["role"] == "ADMIN"
    assert data["viewer"]["memberships"][0]["account"]["number"] == "17100001"
    assert data["viewer"]["contact"]["jobTitle"] == "Jefe de compras"
    assert data["cases"]["totalCount"] >= len(data["cases"]["nodes"]) > 0
    for case in data["cases"]["nodes"]:
        assert case["category"]["code"] in ("INVOICE_CLAIM", "QUERY")
        assert YEAR["from"] <= case["createdAt"][:10] <= "2026-11-19"
    assert data["orders"]["nodes"]
    for order in data["orders"]["nodes"]:
        assert "OC" in order["customerReference"]
        assert order["status"] in ("DELIVERED", "INVOICED", "IN_DELIVERY")
        assert YEAR["from"] <= order["orderedOn"] <= YEAR["to"]
        assert order["lines"]["nodes"]
        assert order["deliveries"]
    assert len(data["news"]["nodes"]) == 5
    assert answer.status == 200


async def test_the_crm_is_asked_once_for_all_that_one_tick_needs(portal: Portal) -> None:
    await portal.ask("{ news(first: 1) { nodes { title } } }")  # the site's terms are known now
    answer = await portal.ask(HOME, YEAR)
    # Cases with their total, contact and accounts of the page travel in one composite call; orders
    # with lines are one call, their deliveries take what the ERP's services ask for.
    assert answer.cost["crm"] == 1
    assert answer.cost["site"] == 1


FIFTY = """{ cases(first: 50, filter: {createdOn: {from: "2020-01-01"}}) {
  nodes { number subject contact { name email } account { name number } order { number status } } } }"""


async def test_fifty_cases_with_contact_account_and_order(portal: Portal) -> None:
    answer = await portal.ask(FIFTY)
    nodes = answer.data["cases"]["nodes"]
    assert len(nodes) == 50
    assert all(case["contact"]["name"] for case in nodes)
    assert {case["account"]["number"] for case in nodes} == {"17100001"}
    assert any(case["order"] for case in nodes)
    assert answer.cost == {"crm": 1, "erp": 1}


async def test_a_hundred_orders_with_lines(portal: Portal) -> None:
    answer = await portal.ask(
        "{ orders(first: 100) { nodes { number lines { nodes { position quantity } } } } }"
    )
    nodes = answer.data["orders"]["nodes"]
    assert len(nodes) == 100
    assert all(order["lines"]["nodes"] for order in nodes)
    assert answer.cost == {"erp": 1}


@pytest.mark.parametrize("noun", ["cases", "orders"])
async def test_a_total_costs_nothing_unless_it_is_selected(portal: Portal, noun: str) -> None:
    plain = await portal.ask(f"{{ {noun}(first: 2) {{ nodes {{ number }} }} }}")
    counted = await portal.ask(f"{{ {noun}(first: 2) {{ totalCount nodes {{ number }} }} }}")
    assert counted.data[noun]["totalCount"] > 2
    asked = "".join(call.url + call.body for call in plain.calls)
    assert "COUNT" not in asked
    assert "inlinecount" not in asked
    assert "count" in "".join(call.url + call.body for call in counted.calls).lower()


async def test_a_later_page_with_a_total_costs_one_more_at_the_erp(portal: Portal) -> None:
    first = await portal.ask(
        "{ orders(first: 2) { totalCount pageInfo { endCursor } nodes { number } } }"
    )
    cursor = first.data["orders"]["pageInfo"]["endCursor"]
    later = """query($after: String) { orders(first: 2, after: $after) { %s nodes { number } } }"""
    plain = await portal.ask(later % "", {"after": cursor})
    counted = await portal.ask(later % "totalCount", {"after": cursor})
    assert plain.cost == {"erp": 1}
    assert counted.cost == {"erp": 2}
    assert counted.data["orders"]["totalCount"] == first.data["orders"]["totalCount"]


async def test_joins_lead_both_ways(portal: Portal) -> None:
    answer = await portal.ask(
        "{ cases(first: 100) { nodes { number order { number cases { nodes { number } } } } } }"
    )
    joined = [case for case in answer.data["cases"]["nodes"] if case["order"]]
    assert joined
    for case in joined:
        assert case["number"] in [c["number"] for c in case["order"]["cases"]["nodes"]]
    assert answer.cost == {"crm": 2, "erp": 1}


async def test_an_account_that_is_known_already_is_not_asked_for(portal: Portal) -> None:
    answer = await portal.ask("{ viewer { memberships { account { id number country } } } }")
    assert answer.data["viewer"]["memberships"][0]["account"]["country"] == "CO"
    assert answer.cost == {}


async def test_one_who_acts_for_two_accounts_sees_both(portal: Portal) -> None:
    answer = await portal.ask(
        """{ viewer { memberships { role account { number orders(first: 1) { totalCount } } } }
             orders(first: 100) { totalCount nodes { account { number } } } }""",
        by=CARLA,
    )
    memberships = answer.data["viewer"]["memberships"]
    assert {(m["role"], m["account"]["number"]) for m in memberships} == {
        ("ADMIN", "17100005"),
        ("MEMBER", "17100004"),
    }
    totals = [m["account"]["orders"]["totalCount"] for m in memberships]
    assert answer.data["orders"]["totalCount"] == sum(totals)
    numbers = {order["account"]["number"] for order in answer.data["orders"]["nodes"]}
    assert numbers == {"17100004", "17100005"}


async def test_the_same_page_for_another_customer_holds_other_data(portal: Portal) -> None:
    query = "{ cases(first: 100) { nodes { id } } orders(first: 100) { nodes { id } } }"
    ana, luis = (await portal.ask(query, by=ANA)).data, (await portal.ask(query, by=LUIS)).data
    for noun in ("cases", "orders"):
        theirs = {node["id"] for node in luis[noun]["nodes"]}
        assert theirs
        assert not theirs & {node["id"] for node in ana[noun]["nodes"]}
