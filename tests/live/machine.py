"""What the machine must have before the live tests run, and how it gets it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
#: Everything that live tests install or write; `make clean` removes it.
LIVE = ROOT / ".live"

#: Debian packages by a program of theirs: installed when the program is missing and we are root.
DEBIAN_PACKAGES: Mapping[str, str] = {
    "chromium": "chromium",
    "haproxy": "haproxy",
    "pg_ctlcluster": "postgresql",
    "redis-server": "redis-server",
}

#: Lines of a failed command's output that are shown.
_SHOWN = 30


class NotReadyError(RuntimeError):
    """Something is missing that cannot be had here; the text says what to do."""


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Tells what is being done, and how long it took."""
    say(f"{text}...")
    started = time.monotonic()
    yield
    say(f"{text}: {time.monotonic() - started:.0f} s")


def run(
    command: Sequence[str],
    missing: str,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    seconds: float | None = None,
) -> str:
    """What the command prints, run inside a folder. Raises NotReadyError with `missing` and the end
    of its output. seconds: after which it counts as failed."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise NotReadyError(f"{missing}: it has not ended after {seconds:.0f} s") from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-_SHOWN:]
        raise NotReadyError("\n".join([missing, *(f"  | {line}" for line in said)]))
    return done.stdout


def ensure_debian_packages() -> None:
    """Installs the packages whose programs are missing. Raises NotReadyError."""
    missing = [package for program, package in DEBIAN_PACKAGES.items() if not shutil.which(program)]
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NotReadyError(f"The live tests need {names}. Run: sudo apt-get install {names}")
    with step(f"Installing {names}"):
        failed = f"{names} could not be installed: does this machine reach Debian's packages?"
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], failed, environment=quiet)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        run(install, failed, environment=quiet)


def ensure_environment(folder: Path, lock: Path) -> None:
    """A virtual environment with exactly what a lock file pins, of the interpreter that runs this.
    It is made anew when the lock or the interpreter has changed. Raises NotReadyError."""
    wanted = f"{sys.version}\n{lock.read_text()}"
    installed = folder / "installed.txt"
    if installed.is_file() and installed.read_text() == wanted:
        return
    with step(f"Installing {lock.relative_to(ROOT)}"):
        if folder.exists():
            shutil.rmtree(folder)
        # Debian's Python comes without ensurepip: the project's own pip installs for both.
        venv = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
        run(venv, "This Python cannot make environments. Run: sudo apt-get install python3-venv")
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "install"]
        options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes"]
        run(
            [*pip, *options, "--requirement", str(lock)],
            "Packages could not be installed: does this machine reach a Python package index?",
        )
        installed.write_text(wanted)
