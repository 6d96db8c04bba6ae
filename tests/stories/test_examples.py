"""The operations that GraphiQL offers are of this schema, and each answers the person it is for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stories.portal import ROOT, Portal

pytestmark = pytest.mark.anyio

EXAMPLES = sorted((ROOT / "gateway/http/graphiql/examples").glob("*.graphql"))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 12


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_answers_without_errors(portal: Portal, path: Path) -> None:
    variables = path.with_suffix(".json")
    answer = await portal.ask(
        path.read_text(encoding="utf-8"),
        json.loads(variables.read_text(encoding="utf-8")) if variables.exists() else None,
    )
    assert answer.data, path.name
