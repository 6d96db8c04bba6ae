"""Installs what the live tests need, fills fresh data, and runs them.

    python -m tests.live [--keep-data] [words for pytest]

Nothing of an earlier run is left over but installed packages. --keep-data keeps the data as well,
for people who write these tests.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.live.clients import installation as clients
from tests.live.machine import ROOT, NotReadyError, ensure_debian_packages, say
from tests.live.oidc import installation as oidc
from tests.live.tryton import installation

KEEP_DATA = "--keep-data"
_INSTALLED = (installation, oidc, clients)


def main(words: list[str]) -> int:
    started = time.monotonic()
    keep = KEEP_DATA in words
    try:
        ensure_debian_packages()
        with ThreadPoolExecutor() as side_by_side:
            for done in [side_by_side.submit(one.ensure_installed) for one in _INSTALLED]:
                done.result()
        if not (keep and installation.is_filled()):
            installation.fill()
    except NotReadyError as error:
        say(f"\nThe live tests cannot run here. {error}")
        return 2
    say(f"Everything is set up after {time.monotonic() - started:.0f} s.\n")
    # Live means real systems on this machine, never somebody else's on the network.
    opened = ["--force-enable-socket", "--allow-hosts=127.0.0.1,localhost", "-m", "live"]
    rest = [word for word in words if word != KEEP_DATA]
    folder = [] if any("tests/" in word for word in rest) else [str(ROOT / "tests" / "live")]
    command = [sys.executable, "-m", "pytest", *opened, *rest, *folder]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
