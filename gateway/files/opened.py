"""Opens all that keeps files, by the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gateway.access.keys import KeyRing
from gateway.database.engine import Database
from gateway.files.links import Links
from gateway.files.service import Files
from gateway.files.settings import FilesSettings
from gateway.files.store import open_store
from gateway.files.sweep import Sweep
from gateway.files.uploads import Uploads


@dataclass(frozen=True, slots=True)
class OpenedFiles:
    """files: for the graph and for submissions. links: for the routes. sweep: to be kept going."""

    files: Files
    links: Links
    sweep: Sweep


def open_files(
    settings: FilesSettings,
    database: Database,
    keys: KeyRing,
    base: str,
    folder: Callable[[str], Path],
    clock: Callable[[], datetime],
    largest: Callable[[], int | None],
) -> OpenedFiles:
    """base: the gateway's address, as clients know it. folder: makes a relative path absolute.
    largest: bytes of the largest file that the CRM takes. Raises StoreAddressError. It may make a
    folder, so call it from a thread."""
    store = open_store(settings.store, folder, settings.store_options, settings.store_client)
    uploads = Uploads(database, clock)
    links = Links(keys, base, timedelta(minutes=settings.link_minutes), clock)
    files = Files(settings, store, uploads, links, clock, largest)
    return OpenedFiles(files, links, Sweep(store, uploads, clock))
