"""Every rule of the contract, on every method of every connector that the catalog finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.rules import Trial, hold, names, trials
from tests.contract.world import built


@pytest.mark.anyio
@pytest.mark.parametrize("trial", trials(names()), ids=str)
async def test_rule(trial: Trial, database: Path) -> None:
    world = built(trial.connector, database)
    if trial.rule.live and not world.runs:
        pytest.skip(f"no {trial.connector} runs here: this rule is tried by tests/live")
    await hold(trial, world)
