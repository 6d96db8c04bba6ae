"""Packages for Node.js, exactly as a lock file pins them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.live.machine import ROOT, NotReadyError, run, step

_FILES = (".npmrc", "package.json", "package-lock.json")
_OLDEST_NODE = 20


def ensure_packages(source: Path, folder: Path) -> None:
    """The packages of the lock file in `source`, installed in `folder`; anew when the lock or
    Node.js has changed. Raises NotReadyError."""
    release = _node()
    wanted = "\n".join([release, *((source / name).read_text() for name in _FILES)])
    installed = folder / "installed.txt"
    if installed.is_file() and installed.read_text() == wanted:
        return
    with step(f"Installing {source.relative_to(ROOT)}/package-lock.json"):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        for name in _FILES:
            shutil.copy(source / name, folder)
        run(
            ["npm", "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit"],
            "Packages could not be installed: does this machine reach a Node.js registry?",
        )
        installed.write_text(wanted)


def _node() -> str:
    needed = f"The live tests need Node.js {_OLDEST_NODE} or newer, with npm."
    if not shutil.which("node") or not shutil.which("npm"):
        raise NotReadyError(needed)
    release = run(["node", "--version"], needed).strip()
    major = re.match(r"v(\d+)\.", release)
    if not major or int(major[1]) < _OLDEST_NODE:
        raise NotReadyError(f"{needed} Here is {release}.")
    return release
