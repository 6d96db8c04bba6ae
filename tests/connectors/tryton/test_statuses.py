"""Statuses both ways: a filter finds exactly what a row would be told as."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port.records import OrderStatus
from connectors.systems.tryton.domain import listed
from connectors.systems.tryton.settings import STATUSES, StatusRule
from connectors.systems.tryton.statuses import status_of, with_status
from tests.connectors.tryton.interpreter import meets

# What Tryton's sale module knows, and one of each that a module of somebody's might add.
STATES = ("draft", "quotation", "confirmed", "processing", "done", "cancelled", "on hold")
SHIPMENTS = ("none", "waiting", "partially shipped", "sent", "exception", "lost")
INVOICES = ("none", "pending", "awaiting payment", "partially paid", "paid", "exception", "lost")
SALES: list[dict[str, Any]] = [
    {"id": 1, "state": state, "shipment_state": shipment, "invoice_state": invoice}
    for state, shipment, invoice in product(STATES, SHIPMENTS, INVOICES)
]


def some(values: Sequence[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=3).map(tuple)


RULES = st.lists(
    st.builds(
        StatusRule,
        status=st.sampled_from(OrderStatus),
        state=some(STATES),
        shipment=some(SHIPMENTS),
        invoice=some(INVOICES),
    ),
    max_size=6,
).map(lambda rules: (*rules, StatusRule(status=OrderStatus.CONFIRMED)))


@given(RULES, st.sets(st.sampled_from(OrderStatus), min_size=1))
def test_any_rules_say_the_same_both_ways(
    rules: tuple[StatusRule, ...], wanted: set[OrderStatus]
) -> None:
    domain = with_status(wanted, rules)
    for sale in SALES:
        found = domain is None or meets(sale, listed(domain))
        assert found == (status_of(sale, rules) in wanted)


@pytest.mark.parametrize("status", list(OrderStatus))
def test_the_default_rules_say_the_same_both_ways(status: OrderStatus) -> None:
    domain = with_status({status}, STATUSES)
    assert domain is not None
    for sale in SALES:
        assert meets(sale, listed(domain)) == (status_of(sale, STATUSES) is status)


@pytest.mark.parametrize(
    ("state", "shipment", "invoice", "status"),
    [
        ("draft", "none", "none", OrderStatus.DRAFT),
        ("quotation", "none", "none", OrderStatus.OPEN),
        ("confirmed", "none", "none", OrderStatus.CONFIRMED),
        ("processing", "waiting", "none", OrderStatus.CONFIRMED),
        ("processing", "waiting", "paid", OrderStatus.CONFIRMED),
        ("processing", "partially shipped", "paid", OrderStatus.IN_DELIVERY),
        ("processing", "sent", "none", OrderStatus.DELIVERED),
        ("processing", "sent", "pending", OrderStatus.DELIVERED),
        ("processing", "sent", "awaiting payment", OrderStatus.INVOICED),
        ("done", "sent", "paid", OrderStatus.INVOICED),
        ("done", "none", "paid", OrderStatus.INVOICED),
        ("done", "sent", "none", OrderStatus.DELIVERED),
        ("processing", "exception", "none", OrderStatus.BLOCKED),
        ("processing", "sent", "exception", OrderStatus.BLOCKED),
        ("cancelled", "exception", "exception", OrderStatus.CANCELLED),
        ("on hold", "lost", "lost", OrderStatus.CONFIRMED),
    ],
)
def test_what_states_mean_by_default(
    state: str, shipment: str, invoice: str, status: OrderStatus
) -> None:
    sale = {"state": state, "shipment_state": shipment, "invoice_state": invoice}
    assert status_of(sale, STATUSES) is status


def test_every_status_is_no_condition() -> None:
    assert with_status(set(OrderStatus), STATUSES) is None
