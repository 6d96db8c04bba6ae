"""Whoever writes, and whatever they name, writes to their own alone; and what is another's answers
like what does not exist. In generated worlds: see tests/worlds."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from schema.nodes import to_global
from tests.stories.test_isolation_worlds import askers, check
from tests.worlds.documents import Asked
from tests.worlds.memory import HONEST, LEAKY, Manner
from tests.worlds.people import worlds
from tests.worlds.running import Asker, Gateway, Run, may_see
from tests.worlds.world import World

ERRORS = "userErrors { code message field }"
CREATE = f"mutation($input: CreateCaseInput!) {{ createCase(input: $input) {{ message case {{ id account {{ id }} order {{ number }} }} {ERRORS} }} }}"
COMMENT = f"mutation($input: AddCaseCommentInput!) {{ addCaseComment(input: $input) {{ message comment {{ id }} case {{ id status }} {ERRORS} }} }}"
ATTACH = f"mutation($input: AddCaseAttachmentsInput!) {{ addCaseAttachments(input: $input) {{ message attachments {{ id }} case {{ id number }} {ERRORS} }} }}"
CLOSE = f"mutation($input: CloseCaseInput!) {{ closeCase(input: $input) {{ message case {{ id number }} {ERRORS} }} }}"

_SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def ask(world: World, manner: Manner, asker: Asker, document: str, sent: Any) -> Run:
    told = Asked(document, {"input": sent}, frozenset(), "mutation")
    with asyncio.Runner() as runner:
        return runner.run(Gateway(world, manner).ask(told, asker))


def codes(run: Run) -> set[str]:
    found = run.codes
    for payload in (run.body.get("data") or {}).values():
        found |= {error["code"] for error in (payload or {}).get("userErrors", ())}
    return found


@st.composite
def writes(draw: Any) -> tuple[World, Asker]:
    world = draw(worlds())
    return world, draw(askers(world))


@_SETTINGS
@given(writes(), st.data())
def test_a_new_case_is_of_an_own_account_and_names_an_own_order(
    given_world: tuple[World, Asker], data: st.DataObject
) -> None:
    world, asker = given_world
    near = world.only(may_see(world, asker))
    around = data.draw(st.sampled_from((near, near, world)))
    account = data.draw(st.sampled_from([*around.accounts, None, "nobody"]))
    order = data.draw(st.sampled_from([*(one.id for one in around.orders), None, "none"]))
    same = [one.number for one in around.orders if one.id == order]
    number = data.draw(
        st.sampled_from([*same * 3, None, *(one.number for one in world.orders), "no 1"])
    )
    sent: dict[str, Any] = {"category": "SERVICE_CLAIM", "description": "No llegó."}
    sent |= {"accountId": to_global("Account", account)} if account else {}
    sent |= {"orderId": to_global("Order", order)} if order else {}
    sent |= {"details": [{"name": "order", "value": number}]} if number else {}
    told = Asked(json.dumps(sent), {}, frozenset(), "mutation")
    for manner in (HONEST, LEAKY):
        run = ask(world, manner, asker, CREATE, sent)
        check(run, world, asker, told)
        own = {one.number for one in world.only(run.may_see).orders}
        for _, case, *_ in run.submissions.opened:
            assert case.order_number in own
            assert {detail.value for detail in case.details} <= own
        event(f"sent: {bool(run.submissions.opened)}")
    alone = ask(world.only(may_see(world, asker)), HONEST, asker, CREATE, sent)
    assert ask(world, HONEST, asker, CREATE, sent).body == alone.body


@_SETTINGS
@given(writes(), st.data(), st.sampled_from((COMMENT, ATTACH, CLOSE)))
def test_what_is_anothers_answers_like_what_is_not_there(
    given_world: tuple[World, Asker], data: st.DataObject, document: str
) -> None:
    world, asker = given_world
    near = world.only(may_see(world, asker)).cases
    case = data.draw(st.sampled_from([*near, *near, *world.cases]))
    more: dict[str, Any] = {COMMENT: {"body": "Hola"}, ATTACH: {"uploadIds": ["f-1"]}, CLOSE: {}}
    sent = {"caseId": to_global("Case", case.id), **more[document]}
    told = Asked(json.dumps(sent), {}, frozenset(), "mutation")
    for manner in (HONEST, LEAKY):
        run = ask(world, manner, asker, document, sent)
        check(run, world, asker, told)
        event(f"sent: {bool(run.submissions.added)}")
    if case.owner.id not in may_see(world, asker):
        nothing = {**sent, "caseId": to_global("Case", "nothing")}
        there = ask(world, HONEST, asker, document, sent)
        assert there.body == ask(world, HONEST, asker, document, nothing).body
        assert codes(there) & {"NOT_FOUND", "UNAUTHENTICATED", "NOT_ALLOWED", "SOURCE_UNREADABLE"}
        assert not there.submissions.added
