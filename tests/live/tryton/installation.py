"""A real Tryton under `.live`: its packages, and one database filled with the tests' documents."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.machine import LIVE, ROOT, ensure_environment, run, step
from tests.live.tryton.documents import DOCUMENTS, Document, Outcome, packed, unpacked
from tests.live.tryton.shared import pick

HOME = LIVE / "tryton"
ENVIRONMENT = HOME / "venv"
PROGRAMS = ENVIRONMENT / "bin"
DATA = HOME / "data"
DATABASE = "tryton"
LOCK = Path(__file__).with_name("requirements.txt")
MODULES = ("party_relationship", "sale")

_FACTS = DATA / "facts.json"
_SHARED = DATA / "shared.json"


@dataclass(frozen=True, slots=True)
class Seeded:
    """What Tryton named. key: of the connector's user. parties: ids by customer number. people: ids
    by address. sales: ids by the number of the document. shared: orders of the sandbox."""

    key: str
    parties: dict[str, int]
    people: dict[str, int]
    sales: dict[str, int]
    shared: tuple[Document, ...]

    def documents_of(self, *customers: str) -> list[Document]:
        """What the portal shows of these customers, newest first."""
        found = [
            document
            for document in (*DOCUMENTS, *self.shared)
            if document.customer in customers and document.outcome is not Outcome.UNNUMBERED
        ]
        return sorted(found, key=lambda document: document.ordered_on, reverse=True)


def ensure_installed() -> None:
    """Raises NotReadyError."""
    ensure_environment(ENVIRONMENT, LOCK)


def is_filled() -> bool:
    return _FACTS.is_file()


def seeded() -> Seeded:
    if not is_filled():
        raise RuntimeError("There is no Tryton to test against yet. Run: make test-live")
    facts = json.loads(_FACTS.read_text())
    return Seeded(**facts, shared=unpacked(_SHARED.read_text()))


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
    with step("Choosing orders of the sandbox"):
        _SHARED.write_text(packed(asyncio.run(pick(DATA))))
    with step("Creating Tryton's database"):
        _create(config)
    with step("Filling it with customers and orders"):
        command = [f"{PROGRAMS}/python", "-m", "tests.live.tryton.seed", DATABASE]
        told: dict[str, Any] = json.loads(
            run(
                [*command, str(config), str(_SHARED)],
                "Tryton could not be filled.",
                environment={"PYTHONPATH": str(ROOT)},
            )
        )
    _FACTS.write_text(json.dumps(told))


def _create(config: Path) -> None:
    password = DATA / "password"
    password.write_text("admin")
    command = [f"{PROGRAMS}/trytond-admin", "-c", str(config), "-d", DATABASE]
    options = ["--email", "admin@seller.example", "--activate-dependencies", "-u", *MODULES]
    environment = {"TRYTONPASSFILE": str(password)}
    run([*command, *options], "Tryton could not be created.", environment=environment)
