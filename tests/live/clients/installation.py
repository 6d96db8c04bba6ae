"""The clients under `.live`: those of Node.js and the generator for Python, as lock files pin
them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.machine import LIVE, ROOT, ensure_environment, run
from tests.live.node import ensure_packages

HERE = Path(__file__).parent
HOME = LIVE / "clients"
#: Holds ariadne-codegen, and what the client that it writes needs.
PYTHON = LIVE / "clients-python"
#: That one of them may take.
_SECONDS = 90


def ensure_installed() -> None:
    """Raises NotReadyError."""
    ensure_packages(HERE, HOME)
    ensure_environment(PYTHON, HERE / "requirements.txt")


def script(name: str) -> Path:
    """A script of this folder, where it finds its packages."""
    return Path(shutil.copy(HERE / name, HOME))


def told_by(name: str, *words: str) -> Any:
    """What a script of this folder prints, a JSON value. Raises NotReadyError when it fails."""
    command = ["node", str(script(name)), *words]
    return json.loads(run(command, f"{name} failed", seconds=_SECONDS))


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal of this folder beside the packages it needs, with the schema in it."""

    folder: Path

    @classmethod
    def fresh(cls, name: str) -> Portal:
        """Without anything that was generated before."""
        folder = HOME / name
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(HERE / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "schema.graphql", folder)
        return cls(folder)

    def node(self, program: str, *words: str) -> str:
        """What a program of a package prints, run inside the portal. Raises NotReadyError when it
        fails, with the end of what it said."""
        return self._ran([str(HOME / "node_modules" / ".bin" / program), *words])

    def python(self, program: str, *words: str) -> str:
        return self._ran([str(PYTHON / "bin" / program), *words])

    def told(self, *command: str) -> Any:
        """What a script of the portal prints, a JSON value."""
        return json.loads(self._ran(command))

    def _ran(self, command: Sequence[str]) -> str:
        words = " ".join(Path(word).name for word in command[:2])
        return run(
            command, f"{self.folder.name}: {words} failed", folder=self.folder, seconds=_SECONDS
        )
