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


def script(name: str) -> Path:
    """A script of this folder, where it finds its packages."""
    return Path(shutil.copy(HERE / name, HOME))


def told_by(name: str, *words: str) -> Any:
    """What a script of this folder prints, a JSON value. Raises NotReadyError when it fails."""
    return json.loads(run(["node", str(script(name)), *words], f"{name} failed"))
