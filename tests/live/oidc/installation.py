"""Two OpenID providers under `.live`: oidc-provider on Node.js, and Canaille on Python."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.live.machine import LIVE, NotReadyError, ensure_environment, run, step

HERE = Path(__file__).parent
HOME = LIVE / "oidc"
#: Holds provider.mjs and its packages.
PROVIDER = HOME / "provider"
CANAILLE = HOME / "canaille"

_FILES = (".npmrc", "package.json", "package-lock.json")
_OLDEST_NODE = 20


def ensure_installed() -> None:
    """Raises NotReadyError."""
    _ensure_provider()
    ensure_environment(CANAILLE, HERE / "requirements.txt")


def _ensure_provider() -> None:
    release = _node()
    wanted = "\n".join([release, *((HERE / name).read_text() for name in _FILES)])
    installed = PROVIDER / "installed.txt"
    if not installed.is_file() or installed.read_text() != wanted:
        with step("Installing tests/live/oidc/package-lock.json"):
            if PROVIDER.exists():
                shutil.rmtree(PROVIDER)
            PROVIDER.mkdir(parents=True)
            for name in _FILES:
                shutil.copy(HERE / name, PROVIDER)
            run(
                ["npm", "ci", "--prefix", str(PROVIDER), "--ignore-scripts", "--no-audit"],
                "Packages could not be installed: does this machine reach a Node.js registry?",
            )
            installed.write_text(wanted)
    shutil.copy(HERE / "provider.mjs", PROVIDER)  # packages are found beside the script


def _node() -> str:
    needed = f"The live tests need Node.js {_OLDEST_NODE} or newer, with npm."
    if not shutil.which("node") or not shutil.which("npm"):
        raise NotReadyError(needed)
    release = run(["node", "--version"], needed).strip()
    major = re.match(r"v(\d+)\.", release)
    if not major or int(major[1]) < _OLDEST_NODE:
        raise NotReadyError(f"{needed} Here is {release}.")
    return release
