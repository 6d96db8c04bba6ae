"""Clients and code generators that others wrote, over a real socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.clients.installation import Portal, told_by
from tests.live.conftest import StartGateway
from tests.live.machine import ROOT
from tests.live.portal import Gateway, Settings

pytestmark = pytest.mark.live

ANA = "ana.torres@andina.example"
NEWEST = """{ viewer { memberships { account { id name } } }
    cases(first: 1) { nodes { id timeline(first: 100) { nodes { __typename } } } } }"""


def test_the_audits_of_graphql_over_http_pass(gateway_server: Gateway) -> None:
    told = told_by("audit.mjs", f"{gateway_server.url}/graphql")
    assert told["failed"] == []
    assert told["passed"] == 61


def test_the_rules_of_graphql_eslint_find_nothing_in_the_schema() -> None:
    told = told_by("lint.mjs", str(ROOT / "schema.graphql"))
    assert told["rules"] >= 24
    assert told["found"] == []
    assert told["needless"] == []


def requiring(start: StartGateway, manifest: Path) -> Gateway:
    """A gateway that runs no other documents than those of a manifest."""

    def change(settings: Settings) -> None:
        settings["documents"] = {"trusted": "require", "manifest": str(manifest)}

    return start(change)


def test_relay(gateway_server: Gateway, start_gateway: StartGateway) -> None:
    portal = Portal.fresh("relay")
    (portal.folder / "artifacts").mkdir()
    (portal.folder / "persisted.json").write_text("{}")
    portal.node("relay-compiler")
    gateway = requiring(start_gateway, portal.folder / "persisted.json")
    data = gateway_server.ask(NEWEST, by=ANA)
    account = data["viewer"]["memberships"][0]["account"]
    case = data["cases"]["nodes"][0]
    words = [f"{gateway.url}/graphql", gateway.token(ANA), account["id"], case["id"]]
    told = portal.told("node", "page.mjs", *words)
    assert told["name"] == account["name"]
    first, whole = told["cases"]
    assert len(first) == 2
    assert len(set(whole)) == 4
    assert whole[:2] == first  # the second page stands behind the first
    assert told["total"] > 4
    assert told["questions"] == 3
    happened = [event["__typename"] for event in case["timeline"]["nodes"]]
    assert told["timeline"] == happened[-2:]
    assert told["upload"]["upload"] is None
    assert told["upload"]["userErrors"][0]["field"] == ["input", "size"]
    assert told["unlisted"] == "DOCUMENT_NOT_TRUSTED"


def test_graphql_code_generator(start_gateway: StartGateway) -> None:
    portal = Portal.fresh("codegen")
    portal.node("graphql-codegen", "--config", "codegen.yml")
    portal.node("tsc")
    manifest = portal.folder / "src" / "gql" / "persisted-documents.json"
    gateway = requiring(start_gateway, manifest)
    told = portal.told("node", "built/main.js", f"{gateway.url}/graphql", gateway.token(ANA))
    assert told["name"] == "Ana Torres"
    assert len(told["lines"]) == 3
    assert all(line.split()[1] in ("NEW", "IN_PROGRESS") for line in told["lines"])
    assert told["refused"] == [{"code": "INVALID", "field": ["input", "category"]}]
    assert told["said"][0] == "CaseOpened"
    assert told["unlisted"] == "DOCUMENT_NOT_TRUSTED"
