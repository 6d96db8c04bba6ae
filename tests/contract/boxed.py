"""The sandbox in this process, as three worlds see it, and what its people and accounts are."""

from __future__ import annotations

import sqlite3
import tempfile
import weakref
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import httpx

import sandbox.app
from connectors.port.scope import AccountRef, Scope
from sandbox.faults import Faults
from sandbox.people import CUSTOMERS, Customer
from tests.contract.world import NOW

URL = "http://127.0.0.1:9"

#: What Carla, who acts for two companies, may see.
OWN: tuple[Customer, ...] = CUSTOMERS[3:]
FOREIGN: tuple[Customer, ...] = CUSTOMERS[:3]


def ref(customer: Customer) -> AccountRef:
    return AccountRef(customer.crm_id, customer.number, customer.country)


SCOPE = Scope(map(ref, OWN))
OTHERS = Scope(map(ref, FOREIGN))


@cache
def way(database: Path) -> httpx.ASGITransport:
    """To one sandbox for all tests: they only read it."""
    return httpx.ASGITransport(sandbox.app.create(database, Faults(), NOW))


def apart(database: Path) -> httpx.ASGITransport:
    """To a copy of the sandbox that one test may change."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "sandbox.sqlite"
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
    opened = httpx.ASGITransport(sandbox.app.create(path, Faults(), NOW))
    weakref.finalize(opened, folder.cleanup)
    return opened


def rows(database: Path, sql: str, *parameters: Any) -> list[Any]:
    """What the sandbox keeps, asked in SQL."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql, parameters).fetchall()


def column(database: Path, sql: str, *parameters: Any) -> list[str]:
    return [row[0] for row in rows(database, sql, *parameters)]


def change(database: Path, statements: Iterable[str]) -> None:
    """For `prepare`: cases that the sandbox's data do not hold."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
