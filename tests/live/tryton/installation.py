"""A real Tryton under `.live`: its packages, and one database filled with the tests' documents."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.machine import LIVE, ROOT, ensure_environment, run, step

HOME = LIVE / "tryton"
ENVIRONMENT = HOME / "venv"
PROGRAMS = ENVIRONMENT / "bin"
DATA = HOME / "data"
DATABASE = "tryton"
LOCK = Path(__file__).with_name("requirements.txt")
MODULES = ("party_relationship", "sale")

_FACTS = DATA / "facts.json"


@dataclass(frozen=True, slots=True)
class Seeded:
    """What Tryton named. key: of the connector's user. parties: ids by customer number. people: ids
    by address. sales: ids by the number of the document."""

    key: str
    parties: dict[str, int]
    people: dict[str, int]
    sales: dict[str, int]


def ensure_installed() -> None:
    """Raises NotReadyError."""
    ensure_environment(ENVIRONMENT, LOCK)


def is_filled() -> bool:
    return _FACTS.is_file()


def seeded() -> Seeded:
    if not is_filled():
        raise RuntimeError("There is no Tryton to test against yet. Run: make test-live")
    return Seeded(**json.loads(_FACTS.read_text()))


def configuration(folder: Path, port: int) -> Path:
    """The file that Tryton reads, for a database in `folder`."""
    text = f"""\
[database]
uri = sqlite://
path = {folder}

[web]
listen = 127.0.0.1:{port}

[queue]
worker = True
"""
    # With a queue that nobody works off, a confirmed sale stays confirmed.
    path = folder / "trytond.conf"
    path.write_text(text)
    return path


def fill() -> None:
    """Makes the database anew. Raises NotReadyError."""
    if DATA.exists():
        shutil.rmtree(DATA)
    DATA.mkdir(parents=True)
    (DATA / f"{DATABASE}.sqlite").touch()
    config = configuration(DATA, port=0)
    with step("Creating Tryton's database"):
        _create(config)
    with step("Filling it with customers and orders"):
        command = [f"{PROGRAMS}/python", "-m", "tests.live.tryton.seed", DATABASE, str(config)]
        told: dict[str, Any] = json.loads(
            run(command, "Tryton could not be filled.", environment={"PYTHONPATH": str(ROOT)})
        )
    _FACTS.write_text(json.dumps(told))


def _create(config: Path) -> None:
    password = DATA / "password"
    password.write_text("admin")
    command = [f"{PROGRAMS}/trytond-admin", "-c", str(config), "-d", DATABASE]
    options = ["--email", "admin@seller.example", "--activate-dependencies", "-u", *MODULES]
    environment = {"TRYTONPASSFILE": str(password)}
    run([*command, *options], "Tryton could not be created.", environment=environment)
