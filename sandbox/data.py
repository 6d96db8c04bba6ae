"""Builds the sandbox's file: the same data for the same day, whoever builds it."""

from __future__ import annotations

import os
import random
import sqlite3
from datetime import date
from pathlib import Path
from typing import Final

from sandbox import crm, database, erp, site

_SEED: Final = 4512


def build(path: Path | str, today: date) -> None:
    """Make the file anew, with data of the 24 months before `today`.

    It is built beside the old one, so that a build that is cut off leaves no half of a sandbox
    behind. An old file is filled anew in one step instead of being replaced: a sandbox that is
    running on it goes on with the new data, and what is written then is not lost.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    unfinished = final.with_name(f"{final.name}.{os.getpid()}.new")
    database.remove(unfinished)
    try:
        connection = database.connect(unfinished)
        try:
            fill(connection, today)
            # One plain file can be put in place in one step; a log beside it could not.
            connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            connection.close()
        if final.exists():
            _pour(unfinished, final)
        else:
            unfinished.replace(final)
    finally:
        database.remove(unfinished)


def _pour(source: Path, target: Path) -> None:
    old, new = sqlite3.connect(target), sqlite3.connect(source)
    try:
        new.backup(old)
    except sqlite3.DatabaseError:
        # What lies there is no database, or one that is broken: nothing can be running on it.
        old.close()
        database.remove(target)
        new.close()
        source.replace(target)
    finally:
        old.close()
        new.close()


def fill(connection: sqlite3.Connection, today: date) -> None:
    """Fill an empty file. The CRM comes last: its cases name the ERP's orders."""
    connection.execute("BEGIN")
    # Each part draws from a sequence of its own, so that a change in one leaves the others' data.
    erp.seed(connection, today, random.Random(_SEED))
    site.seed(connection, today, random.Random(_SEED + 1))
    crm.seed(connection, today, random.Random(_SEED + 2))
    database.stamp(connection)
    connection.execute("COMMIT")
