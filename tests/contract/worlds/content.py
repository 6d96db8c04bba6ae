"""The project's own questions: files, without a wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.contract import boxed
from tests.contract.world import Facts, World, connectors

SETTINGS: dict[str, Any] = {}

_FILES = Path(__file__).parents[3] / "content" / "questions"


def world(database: Path) -> World:
    ids = [path.name.split(".")[0].partition("-")[2] for path in sorted(_FILES.glob("*.es.md"))]
    return World(
        connector=connectors()["content"],
        settings=SETTINGS,
        facts=Facts(
            scope=boxed.SCOPE,
            others=boxed.OTHERS,
            own={"question": ids},
            foreign={"question": []},
            unknown=lambda kind, number: f"no-question-{number}",
            totals={"find_questions": len(ids)},
        ),
    )
