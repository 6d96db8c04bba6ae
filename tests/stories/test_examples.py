"""The operations that GraphiQL offers are of this schema, and each answers the person it is for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stories.portal import ROOT, Answer, Portal

pytestmark = pytest.mark.anyio

EXAMPLES = sorted((ROOT / "gateway/http/graphiql/examples").glob("*.graphql"))
WRITES = [path for path in EXAMPLES if "\nmutation " in path.read_text(encoding="utf-8")]
READS = [path for path in EXAMPLES if path not in WRITES]


def test_there_are_examples() -> None:
    assert len(READS) >= 12
    assert WRITES


async def answer(portal: Portal, path: Path) -> Answer:
    text, variables = path.read_text(encoding="utf-8"), path.with_suffix(".json")
    values = json.loads(variables.read_text(encoding="utf-8")) if variables.exists() else None
    return await portal.ask(text, values)


@pytest.mark.parametrize("path", READS, ids=lambda path: path.stem)
async def test_an_example_answers_without_errors(portal: Portal, path: Path) -> None:
    assert (await answer(portal, path)).data, path.name


@pytest.mark.parametrize("path", WRITES, ids=lambda path: path.stem)
async def test_an_example_changes_something_without_errors(house: Portal, path: Path) -> None:
    [payload] = (await answer(house, path)).data.values()
    assert payload["userErrors"] == []
    assert payload.get("message", "Se ha enviado correctamente") == "Se ha enviado correctamente"
