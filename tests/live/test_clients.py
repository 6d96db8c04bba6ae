"""Clients and code generators that others wrote, over a real socket."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import timedelta
from typing import Any

import pytest

from gateway.entrance import open_tokens
from gateway.settings import read
from tests.live.clients.installation import PYTHON, Portal, told_by
from tests.live.conftest import StartGateway
from tests.live.machine import ROOT
from tests.live.portal import Gateway, Settings

pytestmark = pytest.mark.live

ANA = "ana.torres@andina.example"
LUIS = "luis.rojas@pacifico.example"
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


@pytest.fixture(scope="module")
def relay() -> Portal:
    """Compiled, without a complaint."""
    portal = Portal.fresh("relay")
    (portal.folder / "artifacts").mkdir()
    (portal.folder / "persisted.json").write_text("{}")
    portal.node("relay-compiler")
    return portal


@pytest.fixture(scope="module")
def codegen() -> Portal:
    """Generated, and compiled as strictly as TypeScript can."""
    portal = Portal.fresh("codegen")
    portal.node("graphql-codegen", "--config", "codegen.yml")
    portal.node("tsc")
    return portal


@pytest.fixture(scope="module")
def requiring(
    relay: Portal,
    codegen: Portal,
    start_gateway: StartGateway,
    tmp_path_factory: pytest.TempPathFactory,
) -> Gateway:
    """A gateway that runs no other documents than those of these portals."""
    files = [
        relay.folder / "persisted.json",
        codegen.folder / "src" / "gql" / "persisted-documents.json",
    ]
    manifest = tmp_path_factory.mktemp("documents") / "manifest.json"
    found = [json.loads(file.read_text()) for file in files]
    assert all(found)
    manifest.write_text(json.dumps({name: text for one in found for name, text in one.items()}))

    def change(settings: Settings) -> None:
        settings["documents"] = {"trusted": "require", "manifest": str(manifest)}

    return start_gateway(change)


def test_relay(relay: Portal, requiring: Gateway, gateway_server: Gateway) -> None:
    data = gateway_server.ask(NEWEST, by=ANA)
    account = data["viewer"]["memberships"][0]["account"]
    case = data["cases"]["nodes"][0]
    words = [f"{requiring.url}/graphql", requiring.token(ANA), account["id"], case["id"]]
    told = relay.told("node", "page.mjs", *words)
    assert told["name"] == account["name"]
    first, whole = told["cases"]
    assert len(first) == 2
    assert len(set(whole)) == 4
    assert whole[:2] == first  # the second page stands behind the first
    assert told["total"] > 4
    assert told["questions"] == 3
    happened = [event["__typename"] for event in case["timeline"]["nodes"]]
    assert told["timeline"] == happened[-2:]
    assert (told["changed"], told["latest"]) == ("COMMENTED", "CaseComment")
    assert told["upload"]["upload"] is None
    assert told["upload"]["userErrors"][0]["field"] == ["input", "size"]
    assert told["unlisted"] == "DOCUMENT_NOT_TRUSTED"


def test_graphql_code_generator(codegen: Portal, requiring: Gateway) -> None:
    words = [f"{requiring.url}/graphql", requiring.token(ANA)]
    told = codegen.told("node", "built/main.js", *words)
    assert told["name"] == "Ana Torres"
    assert len(told["lines"]) == 3
    assert all(line.split()[1] in ("NEW", "IN_PROGRESS") for line in told["lines"])
    assert told["refused"] == [{"code": "INVALID", "field": ["input", "category"]}]
    assert told["said"][0] == "CaseOpened"
    assert told["unlisted"] == "DOCUMENT_NOT_TRUSTED"


def test_ariadne_codegen(gateway_server: Gateway) -> None:
    portal = Portal.fresh("ariadne")
    portal.python("ariadne-codegen", "--config", "ariadne.toml")
    words = [f"{gateway_server.url}/graphql", gateway_server.token(ANA)]
    told = portal.told(str(PYTHON / "bin" / "python"), "follow.py", *words)
    assert len(told["numbers"]) == 3
    assert told["year"] >= 2025
    assert told["said"]
    assert (told["event"], told["same"]) == ("COMMENTED", True)
    assert told["latest"] == "CaseComment"


#: What a client asks once by hash in vain, teaches, and asks by hash from then on.
TAUGHT = ["hash 400", "text 200", "hash 200"]
BESIDE = {
    "data": 1,
    "account": None,
    "errors": [
        {
            "message": "id no es un id de esta API. Usa el id que dio una respuesta.",
            "path": ["account"],
            "extensions": {"code": "BAD_USER_INPUT", "argument": "id"},
        }
    ],
}


def asked_by(name: str, gateway: Gateway) -> Any:
    return told_by(name, f"{gateway.url}/graphql", gateway.token(ANA))


def test_apollo_client(gateway_server: Gateway) -> None:
    told = asked_by("apollo.mjs", gateway_server)
    assert told["name"] == "Ana Torres"
    assert told["type"] == "application/graphql-response+json; charset=utf-8"
    assert told["cached"]
    assert told["again"] == [True, []]  # the cache had all of it
    assert told["pages"] == [4, 4]
    assert told["node"]
    assert told["beside"] == {**BESIDE, "sent": ["POST text 294"]}
    assert told["wrong"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert told["refused"] == [{"code": "REQUIRED", "field": ["input", "description"]}]
    assert told["created"] == {"userErrors": [], "files": ["one.pdf", "two.pdf"]}
    assert told["exe"] == [{"code": "FILE_TYPE_NOT_ALLOWED", "field": ["input", "files", "1"]}]
    assert told["attached"] == ["three.pdf"]
    assert told["forms"] == ["POST form 200"] * 3
    assert told["persisted"] == ["Ana Torres"] * 2
    assert told["taught"] == [f"POST {one}" for one in TAUGHT]
    assert told["change"] == {"event": "COMMENTED", "same": True}
    assert told["updated"]


def test_apollo_client_in_parts(start_gateway: StartGateway) -> None:
    def change(settings: Settings) -> None:
        settings["execution"] = {"incremental": True}

    told = asked_by("defer.mjs", start_gateway(change))
    assert told["type"].startswith("multipart/mixed")
    assert told["same"]
    assert told["watched"][0] == {"numbers": 3, "subjects": 0}
    assert told["watched"][-1] == {"numbers": 3, "subjects": 3}
    assert told["refused"] == [{"path": ["account"], "code": "BAD_USER_INPUT"}]


def test_urql(gateway_server: Gateway) -> None:
    told = asked_by("urql.mjs", gateway_server)
    assert told["name"] == "Ana Torres"
    assert "text/event-stream" in told["accept"]
    assert told["type"] == "application/graphql-response+json"
    assert told["beside"] == BESIDE
    assert told["wrong"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert told["refused"] == [{"code": "REQUIRED", "field": ["input", "description"]}]
    assert told["attached"] == ["one.pdf", "POST text form 200"]
    assert told["persisted"]["post"] == [f"POST {one}" for one in TAUGHT]
    assert told["persisted"]["get"] == [f"GET {one}" for one in TAUGHT]
    assert told["socket"] == {"event": "COMMENTED", "same": True}
    assert told["events"] == {"event": "COMMENTED", "same": True}
    assert told["streamed"]


def test_a_token_that_ends_ends_what_is_followed(gateway_server: Gateway) -> None:
    told = told_by("expiry.mjs", f"{gateway_server.url}/graphql", short_token(gateway_server))
    assert told["socket"]["told"] == []
    assert told["socket"]["error"]["code"] == 4403
    assert "expired" in told["socket"]["error"]["reason"]
    assert told["events"]["error"] is None
    [last] = told["events"]["told"]
    assert last["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def short_token(gateway: Gateway) -> str:
    """Of somebody to whom nothing happens, of a few seconds, signed as the gateway signs."""
    settings = read(gateway.config, {"SANDBOX_URL": "", **os.environ})
    tokens = asyncio.run(open_tokens(settings))
    return tokens.issue_person(LUIS, lifetime=timedelta(seconds=4))[0]
