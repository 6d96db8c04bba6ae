"""The timeline of a case: everything once, in one order, a page at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.port.records import (
    Attachment,
    Author,
    CaseComment,
    CaseStatus,
    CaseStatusChange,
)
from schema.cases.service import Rejection, Sent
from schema.problems import Problem, ProblemCode
from tests.schema.cases.office import ANDINA, PACIFICO, Crm, Office, Took, case, case_id

OPENED = case("1")
TEAM = Author("Servicio", is_service_team=True)
TIMELINE = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  case(by: {id: $id}) { timeline(first: $first, after: $after, last: $last, before: $before) {
    nodes { __typename
      ... on CaseOpened { at }
      ... on CaseStatusChanged { at from to }
      ... on CaseComment { body createdAt pending author { name } }
      ... on Attachment { filename createdAt pending }
      ... on CaseRejection { at what subject code message } }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


def at(minutes: int) -> datetime:
    return OPENED.created_at + timedelta(minutes=minutes)


def comment(key: str, minutes: int, *, pending: bool = False) -> CaseComment:
    return CaseComment(key, ANDINA, "1", f"dicho {key}", TEAM, at(minutes), pending=pending)


def file(key: str, minutes: int) -> Attachment:
    return Attachment(
        *(key, ANDINA, "1", f"{key}.pdf", "application/pdf", 10, at(minutes)), author=None
    )


def change(key: str, minutes: int, after: CaseStatus = CaseStatus.IN_PROGRESS) -> CaseStatusChange:
    return CaseStatusChange(key, ANDINA, "1", at(minutes), after, CaseStatus.NEW)


def refusal(key: str, minutes: int, owner: Any = ANDINA) -> Rejection:
    problem = Problem(ProblemCode.TOO_LONG, "This is longer than {most} characters.", {"most": 7})
    return Rejection(key, owner, "1", at(minutes), Sent.COMMENT, problem, "Hola")


async def shown(office: Office, language: str = "es", **part: Any) -> Any:
    body = await office.ask(TIMELINE, {"id": case_id("1"), **part}, language=language)
    assert "errors" not in body, body
    return body["data"]["case"]["timeline"]


def office_with(*events: Any) -> Office:
    kinds: dict[type, list[Any]] = {}
    for event in events:
        kinds.setdefault(type(event), []).append(event)
    crm = Crm(
        [OPENED],
        kinds.get(CaseComment, []),
        kinds.get(Attachment, []),
        kinds.get(CaseStatusChange, []),
    )
    return Office(crm, took=Took(None, refused=kinds.get(Rejection, [])))  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_what_happened_is_told_in_one_order_with_one_question_each() -> None:
    office = office_with(
        *(comment("c1", 30), file("f1", 10), change("s1", 20), refusal("r1", 40)),
        comment("c2", 5, pending=True),
    )
    nodes = (await shown(office))["nodes"]
    assert nodes == [
        {"__typename": "CaseOpened", "at": "2026-11-01T09:00:00+00:00"},
        {
            "__typename": "CaseComment",
            "body": "dicho c2",
            "createdAt": "2026-11-01T09:05:00+00:00",
            "pending": True,
            "author": {"name": "Servicio"},
        },
        {
            "__typename": "Attachment",
            "filename": "f1.pdf",
            "createdAt": "2026-11-01T09:10:00+00:00",
            "pending": False,
        },
        {
            "__typename": "CaseStatusChanged",
            "at": "2026-11-01T09:20:00+00:00",
            "from": "NEW",
            "to": "IN_PROGRESS",
        },
        {
            "__typename": "CaseComment",
            "body": "dicho c1",
            "createdAt": "2026-11-01T09:30:00+00:00",
            "pending": False,
            "author": {"name": "Servicio"},
        },
        {
            "__typename": "CaseRejection",
            "at": "2026-11-01T09:40:00+00:00",
            "what": "COMMENT",
            "subject": "Hola",
            "code": "TOO_LONG",
            "message": "Tiene más de 7 caracteres.",
        },
    ]
    assert sorted(office.crm.asked) == ["cases", "changes", "comments", "files"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("language", "message"),
    [("en", "This is longer than 7 characters."), ("pt", "Tem mais de 7 caracteres.")],
)
async def test_a_late_refusal_is_told_in_the_readers_language(language: str, message: str) -> None:
    nodes = (await shown(office_with(refusal("r1", 1)), language))["nodes"]
    assert nodes[-1]["message"] == message


@pytest.mark.anyio
async def test_what_is_the_same_is_shown_once() -> None:
    """A comment that arrived while the question was under way may come from both sides."""
    arrived = comment("c1", 5)
    nodes = (await shown(office_with(arrived, replace(arrived, pending=True))))["nodes"]
    assert [node["__typename"] for node in nodes] == ["CaseOpened", "CaseComment"]


@pytest.mark.anyio
async def test_a_refusal_of_somebody_elses_is_not_told() -> None:
    nodes = (await shown(office_with(refusal("r1", 1, PACIFICO))))["nodes"]
    assert [node["__typename"] for node in nodes] == ["CaseOpened"]


@pytest.mark.anyio
async def test_without_anybody_who_takes_submissions_nothing_was_refused() -> None:
    office = Office(Crm([OPENED], [comment("c1", 1)]), took=None)
    assert len((await shown(office))["nodes"]) == 2


@pytest.mark.anyio
async def test_a_fragment_on_the_union_selects_too() -> None:
    office = office_with(comment("c1", 1))
    text = """query($id: ID!) { case(by: {id: $id}) { timeline { edges { node {
      ... on CaseEvent { ...Said } } } } } }
      fragment Said on CaseComment { body author { isServiceTeam } }"""
    body = await office.ask(text, {"id": case_id("1")})
    edges = body["data"]["case"]["timeline"]["edges"]
    assert edges == [
        {"node": {}},
        {"node": {"body": "dicho c1", "author": {"isServiceTeam": True}}},
    ]


KEYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12, unique=True)


@settings(max_examples=60, deadline=None)
@given(KEYS, st.integers(1, 5))
def test_pages_tile_the_timeline_whatever_happened_at_once(
    places: list[tuple[int, int]], most: int
) -> None:
    """Many things happen in the same moment: none is lost or shown twice between two pages."""
    make = (comment, file, change, refusal)
    office = office_with(*(make[kind](f"x{n}", minute) for n, (kind, minute) in enumerate(places)))

    async def walk(back: bool) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            part: Any = (
                {"last": most, "before": cursor} if back else {"first": most, "after": cursor}
            )
            page = await shown(office, **part)
            cursors = [edge["cursor"] for edge in page["edges"]]
            found = cursors + found if back else found + cursors
            info = page["pageInfo"]
            if not info["hasPreviousPage" if back else "hasNextPage"]:
                return found
            cursor = info["startCursor" if back else "endCursor"]

    with asyncio.Runner() as runner:
        forward, backward = runner.run(walk(False)), runner.run(walk(True))
    assert len(forward) == len(set(forward)) == len(places) + 1
    assert forward == backward
