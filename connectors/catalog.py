"""Finds the connectors: the folders of `systems/`, and what installed packages offer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import msgspec

from connectors import systems
from connectors.kit.connector import Connector, Wiring
from connectors.port.sources import System

#: The entry point group by which a company's own package offers a connector.
GROUP = "portal_gateway.connectors"


class UnknownConnector(LookupError):
    """portal.toml names a connector that no folder and no installed package has."""


class BrokenConnector(TypeError):
    """A folder or an entry point that holds no connector, or one whose name is taken."""


def find(wanted: Collection[object] | None = None) -> dict[str, Connector[Any]]:
    """Every connector by its name. wanted: folders that are called otherwise are left alone. Raises
    BrokenConnector, which names the folder or package."""
    found: dict[str, Connector[Any]] = {}
    folders = {module.name for module in iter_modules(systems.__path__)}
    for folder in sorted(folders if wanted is None else folders.intersection(wanted)):
        module = f"{systems.__name__}.{folder}"
        _add(found, getattr(import_module(module), "connector", None), module)
    for point in entry_points(group=GROUP):
        _add(found, _offered(point), f"{point.value} (entry point {point.name})", folders)
    return found


def _offered(point: EntryPoint) -> object:
    """What an entry point leads to: a connector, or a folder that holds one as those here do."""
    try:
        loaded = point.load()
    except (ImportError, AttributeError) as error:
        raise BrokenConnector(f"{point.value} (entry point {point.name}): {error}") from error
    return getattr(loaded, "connector", None) if isinstance(loaded, ModuleType) else loaded


def _add(
    found: dict[str, Connector[Any]], offered: object, where: str, taken: Collection[str] = ()
) -> None:
    if not isinstance(offered, Connector):
        raise BrokenConnector(f"{where} holds no Connector named `connector`")
    if offered.name in found or offered.name in taken:
        raise BrokenConnector(f"{where} offers the connector {offered.name!r}, which exists")
    found[offered.name] = offered


async def start_all(tables: Mapping[str, Mapping[str, Any]], wiring: Wiring) -> dict[str, System]:
    """Opens the systems that the tables `[systems.<name>]` of portal.toml describe.

    Raises UnknownConnector, BrokenConnector, or msgspec.ValidationError that names the wrong
    key."""
    named = [table.get("connector") for table in tables.values()]
    known = find(named)
    if not all(name in known for name in named):
        known = find()  # a folder may call its connector otherwise
    return {
        source: await _started(source, table, wiring, known) for source, table in tables.items()
    }


async def start(source: str, table: Mapping[str, Any], wiring: Wiring) -> System:
    """Opens one system, likewise."""
    return (await start_all({source: table}, wiring))[source]


async def _started(
    source: str, table: Mapping[str, Any], wiring: Wiring, known: Mapping[str, Connector[Any]]
) -> System:
    raw = dict(table)
    name = raw.pop("connector", None)
    if name not in known:
        raise UnknownConnector(
            f"systems.{source}: no connector {name!r}; there are: {', '.join(sorted(known))}"
        )
    try:
        return await known[name].start(source, raw, wiring)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"systems.{source}: {error}") from None
