"""Finds the connectors: the folders of `systems/`, and what installed packages offer."""

from __future__ import annotations

from collections.abc import Mapping
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


def find() -> dict[str, Connector[Any]]:
    """Every connector by its name. Raises BrokenConnector, which names the folder or package."""
    found: dict[str, Connector[Any]] = {}
    for module in iter_modules(systems.__path__, systems.__name__ + "."):
        offered = getattr(import_module(module.name), "connector", None)
        _add(found, offered, module.name)
    for point in entry_points(group=GROUP):
        _add(found, _offered(point), f"{point.value} (entry point {point.name})")
    return found


def _offered(point: EntryPoint) -> object:
    """What an entry point leads to: a connector, or a folder that holds one as those here do."""
    try:
        loaded = point.load()
    except (ImportError, AttributeError) as error:
        raise BrokenConnector(f"{point.value} (entry point {point.name}): {error}") from error
    return getattr(loaded, "connector", None) if isinstance(loaded, ModuleType) else loaded


def _add(found: dict[str, Connector[Any]], offered: object, where: str) -> None:
    if not isinstance(offered, Connector):
        raise BrokenConnector(f"{where} holds no Connector named `connector`")
    if offered.name in found:
        raise BrokenConnector(f"{where} offers the connector {offered.name!r}, which exists")
    found[offered.name] = offered


async def start(source: str, table: Mapping[str, Any], wiring: Wiring) -> System:
    """Opens the system that a table `[systems.<source>]` of portal.toml describes.

    Raises UnknownConnector, or msgspec.ValidationError that names the wrong key."""
    raw = dict(table)
    name = raw.pop("connector", None)
    known = find()
    if name not in known:
        raise UnknownConnector(
            f"systems.{source}: no connector {name!r}; there are: {', '.join(sorted(known))}"
        )
    try:
        return await known[name].start(source, raw, wiring)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"systems.{source}: {error}") from None
