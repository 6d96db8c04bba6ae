"""Clients that others wrote, over a real socket."""

from __future__ import annotations

import pytest

from tests.live.clients.installation import told_by
from tests.live.portal import Gateway

pytestmark = pytest.mark.live


def test_the_audits_of_graphql_over_http_pass(gateway_server: Gateway) -> None:
    told = told_by("audit.mjs", f"{gateway_server.url}/graphql")
    assert told["failed"] == []
    assert told["passed"] == 61
