"""Whatever is sent, the answer is JSON with a code that is documented, and nothing breaks inside."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.root import SCHEMA
from tests.hostile.asgi import Got, put
from tests.hostile.requests import Hostile, Sent
from tests.stories.doors import program
from tests.stories.portal import ANA, LUIS, ROOT, opened
from tests.worlds.people import world_of
from tests.worlds.values import pool_of

#: Examples, and requests of each.
EXAMPLES, REQUESTS = (400 if os.environ.get("CI") else 60), 50
DOCUMENTED = set(
    re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
)
RESPONSE_JSON = "application/graphql-response+json"
STATUSES = {200, 294, 400, 401, 403, 405, 406, 413, 415, 422}


@pytest.fixture
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def check(sent: Sent, got: Got) -> list[str]:
    """Raises AssertionError. The codes of the errors in an answer."""
    assert got.status in STATUSES, (sent, got)
    assert b"Traceback" not in got.body, (sent, got)
    media_type = got.headers["content-type"].partition(";")[0]
    if media_type == "text/html":
        assert b"<div" in got.body
        return []
    if media_type == "text/event-stream":
        events = got.body.decode().split("\n\n")
        found = [one.partition("data: ")[2] for one in events if one.startswith("event: next")]
        answers = [json.loads(one) for one in found]
    else:
        assert media_type in ("application/json", RESPONSE_JSON), (sent, got)
        answers = [json.loads(got.body)]
    codes: list[str] = []
    for told in answers:
        assert told.keys() & {"data", "errors"}, (sent, got)
        assert got.status != 200 or media_type != RESPONSE_JSON or "data" in told, (sent, got)
        codes += [error["extensions"]["code"] for error in told.get("errors", ())]
    assert set(codes) <= DOCUMENTED - {"INTERNAL_SERVER_ERROR"}, (sent, got)
    return codes


@pytest.mark.usefixtures("_quiet")
def test_nothing_that_is_sent_breaks_anything(database: Path, tmp_path: Path) -> None:
    own = tmp_path / "sandbox.sqlite"
    shutil.copy(database, own)
    seen: Counter[str] = Counter()

    with asyncio.Runner() as runner:
        entered = opened(own, tmp_path)
        portal = runner.run(entered.__aenter__())
        try:
            tokens = [portal.gateway.tokens.issue(person) for person in (ANA, LUIS)]
            tokens.append(runner.run(program(portal, "cases:read", "orders:read")))
            hostile = Hostile(SCHEMA._schema, pool_of(world_of(random.Random(0))), tokens)

            async def ask(dice: random.Random) -> None:
                for _ in range(REQUESTS):
                    sent = hostile.request(dice)
                    got = await put(portal.gateway.app, sent)
                    seen.update([str(got.status), *check(sent, got)])

            @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
            @given(st.integers(0, 2**63))
            def tried(seed: int) -> None:
                runner.run(ask(random.Random(seed)))

            tried()
        finally:
            runner.run(entered.__aexit__(None, None, None))
    # It reached what it aims at: nearly every status, and answers with data.
    assert {int(name) for name in seen if name.isdigit()} >= STATUSES - {413, 422}, seen
    assert seen["200"] > EXAMPLES * REQUESTS / 20, seen
