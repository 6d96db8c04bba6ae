"""What the gateway counts is told to those who watch over it, where the settings say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.stories.portal import Portal, opened

pytestmark = pytest.mark.anyio

CASES = "{ cases(first: 2) { nodes { subject } } }"
NEWS = "{ news(first: 2) { nodes { title } } }"


async def counted(portal: Portal) -> dict[str, float]:
    """Each sample by its name and its labels, which come in the order of their names."""
    response = await portal.client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        f"{sample.name} {' '.join(sample.labels.values())}".strip(): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_what_is_counted_is_told(database: Path, keys: Path) -> None:
    async with opened(database, keys, tables={"server": {"metrics": True}}) as portal:
        before = await counted(portal)
        await portal.ask(CASES)
        for _ in range(3):
            await portal.ask(NEWS)
        await portal.ask("{ __schema { queryType { name } } }")
        portal.faults.erp.arm("status", 503)
        assert (await portal.ask("{ orders(first: 1) { nodes { number } } }")).errors
        after = await counted(portal)

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    # Of three times the same news, two come from memory as whole answers.
    assert grown("portal_operations_total compiled") == 3
    assert grown("portal_operations_total introspection") == 1
    assert grown("portal_loads_total answers asked") == 1
    assert grown("portal_loads_total answers remembered") == 2
    assert grown("portal_loads_total cases asked") == 1
    assert grown("portal_upstream_calls_total ok crm") >= 1
    assert grown("portal_upstream_calls_total SOURCE_UNAVAILABLE erp") >= 1
    assert grown("portal_upstream_seconds_total crm") > 0
    assert after["portal_submissions_waiting"] == 0
    assert after["process_resident_memory_bytes"] > 0


async def test_nothing_is_told_unless_the_settings_say_so(portal: Portal) -> None:
    assert (await portal.client.get("/metrics")).status_code == 404
