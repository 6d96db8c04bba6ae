"""The clients under `.live`, each as its lock file pins it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.live.machine import LIVE, run
from tests.live.node import ensure_packages

HERE = Path(__file__).parent
HOME = LIVE / "clients"


def ensure_installed() -> None:
    """Raises NotReadyError."""
    ensure_packages(HERE, HOME)


def told_by(script: str, *words: str) -> Any:
    """What a script of this folder prints, a JSON value. Raises NotReadyError when it fails."""
    shutil.copy(HERE / script, HOME)  # packages are found beside the script
    return json.loads(run(["node", str(HOME / script), *words], f"{script} failed"))
