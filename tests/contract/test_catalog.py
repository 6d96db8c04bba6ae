"""The catalog: folders and installed packages offer connectors the same way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import msgspec
import pytest

from connectors import catalog
from connectors.kit.connector import Connector, Wiring
from connectors.port.sources import System
from tests.contract import rules

Install = Callable[..., None]


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str = "https://crm.example"


async def _open(source: str, settings: _Settings, wiring: Wiring) -> System:
    return System(source)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """install(connector=...): as if a package with this entry point were installed."""
    module = ModuleType("company_portal")
    monkeypatch.setitem(sys.modules, "company_portal", module)

    def install(**offered: Any) -> None:
        points = []
        for name, value in offered.items():
            setattr(module, name, value)
            points.append(EntryPoint(name, f"company_portal:{name}", catalog.GROUP))

        def entry_points(*, group: str) -> list[EntryPoint]:
            return points if group == catalog.GROUP else []

        monkeypatch.setattr(catalog, "entry_points", entry_points)

    return install


def test_every_folder_is_found_by_its_name(install: Install) -> None:
    install()
    assert set(catalog.find()) >= {"content", "salesforce", "sap", "tryton", "wordpress"}


@pytest.mark.anyio
async def test_a_connector_of_an_installed_package_is_found_and_opened(install: Install) -> None:
    connector = Connector("ourcrm", _Settings, _open)
    install(connector=connector)
    assert catalog.find()["ourcrm"] is connector
    system = await catalog.start("crm", {"connector": "ourcrm"}, Wiring())
    assert system.name == "crm"
    assert "tests/contract/worlds/ourcrm.py" in (rules.missing_world(connector) or "")


def test_a_folder_of_an_installed_package_may_be_named_as_a_module(install: Install) -> None:
    connector = Connector("ourcrm", _Settings, _open)
    folder = ModuleType("company_portal.ourcrm")
    vars(folder)["connector"] = connector
    install(ourcrm=folder)
    assert catalog.find()["ourcrm"] is connector


@pytest.mark.parametrize("broken", [None, "a text", _open, Connector])
def test_an_entry_point_without_a_connector_is_named(install: Install, broken: object) -> None:
    install(ourcrm=broken)
    with pytest.raises(catalog.BrokenConnector, match=r"company_portal:ourcrm.*no Connector"):
        catalog.find()


def test_an_entry_point_that_leads_nowhere_is_named(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("ourcrm", "company_portal.no_such_module", catalog.GROUP)
    monkeypatch.setattr(catalog, "entry_points", lambda *, group: [point])
    with pytest.raises(catalog.BrokenConnector, match=r"company_portal\.no_such_module"):
        catalog.find()


def test_a_name_that_is_taken_is_refused(install: Install) -> None:
    install(connector=Connector("salesforce", _Settings, _open))
    with pytest.raises(catalog.BrokenConnector, match=r"company_portal.*'salesforce'.*exists"):
        catalog.find()


@pytest.mark.anyio
async def test_settings_that_are_wrong_name_the_system_and_the_key(install: Install) -> None:
    install(connector=Connector("ourcrm", _Settings, _open))
    with pytest.raises(catalog.UnknownConnector, match=r"systems\.crm.*'theircrm'.*ourcrm"):
        await catalog.start("crm", {"connector": "theircrm"}, Wiring())
    with pytest.raises(msgspec.ValidationError, match=r"systems\.crm.*ulr"):
        await catalog.start("crm", {"connector": "ourcrm", "ulr": "x"}, Wiring())
