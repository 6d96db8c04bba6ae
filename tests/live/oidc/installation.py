"""Two OpenID providers under `.live`: oidc-provider on Node.js, and Canaille on Python."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.live.machine import LIVE, ensure_environment
from tests.live.node import ensure_packages

HERE = Path(__file__).parent
HOME = LIVE / "oidc"
#: Holds provider.mjs and its packages.
PROVIDER = HOME / "provider"
CANAILLE = HOME / "canaille"


def ensure_installed() -> None:
    """Raises NotReadyError."""
    _ensure_provider()
    ensure_environment(CANAILLE, HERE / "requirements.txt")


def _ensure_provider() -> None:
    ensure_packages(HERE, PROVIDER)
    shutil.copy(HERE / "provider.mjs", PROVIDER)  # packages are found beside the script
