"""What every gateway is asked: the same documents, the same answers, the fewest calls upstream.

Each has many sets of variables, which name different questions to the systems with one and the same
answer or one of the same size. So nobody is helped by asking a question once for many callers,
except where that is what is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

_DIFFERENT = 32
_DAYS = [(date(2060, 1, 1) + timedelta(days=day)).isoformat() for day in range(_DIFFERENT)]


@dataclass(frozen=True, slots=True)
class Query:
    """calls: the fewest questions to the systems behind that can answer it."""

    name: str
    title: str
    document: str
    variables: Sequence[dict[str, Any]]
    calls: int


TINY = Query(
    "tiny",
    "one case by its number",
    "query ($number: String!) { cases(first: 1, filter: {number: $number}) { nodes { number "
    "subject } } }",
    [{"number": number} for number in ("00001300", "00001298", "00001295", "00001292")],
    1,
)
CASES = Query(
    "cases",
    "50 cases with contact and account",
    "query ($to: Date!) { cases(first: 50, filter: {createdOn: {to: $to}}) { nodes { number "
    "subject team contact { name email jobTitle } account { name number } } } }",
    [{"to": day} for day in _DAYS],
    1,
)
ORDERS = Query(
    "orders",
    "100 orders of 5 lines",
    "query ($to: Date!) { orders(first: 100, filter: {orderedOn: {to: $to}}) { nodes { number "
    "customerReference lines(first: 20) { nodes { position quantity unit product { code name } } "
    "} } } }",
    [{"to": day} for day in _DAYS],
    1,
)
HOME = Query(
    "home",
    "a portal's home page",
    "query ($to: Date!) { viewer { contact { name email } } "
    "cases(first: 10, filter: {createdOn: {to: $to}}) { nodes { number subject team } } "
    "orders(first: 10, filter: {orderedOn: {to: $to}}) { nodes { number customerReference "
    "lines(first: 20) { nodes { position quantity product { name } } } } } "
    "news(first: 5) { nodes { slug title } } }",
    [{"to": day} for day in _DAYS],
    3,
)
QUERIES = (TINY, CASES, ORDERS, HOME)
