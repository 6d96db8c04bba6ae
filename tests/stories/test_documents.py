"""Documents by their names: taught by clients, or listed by a portal's build and trusted."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway import operators
from gateway.operations.manifest import ManifestError
from gateway.operations.persisted import Persisted
from gateway.operations.requests import Outcome, Request
from gateway.settings import SettingsError, parse
from tests.stories.portal import ROOT, Portal, opened

pytestmark = pytest.mark.anyio

DESK = "query Desk($c: CountryCode!) { supportDesk(country: $c) { phone } }"
CASES = "query Cases($n: Int) { cases(first: $n) { nodes { id contact { name } } } }"
KINDS = "query Kinds { caseCategories { code } }"
PERU = {"c": "PE"}
NEW = {"accept": "application/graphql-response+json"}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def taught(text: str, name: str | None = None) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": name or sha256(text)}}


async def ask(portal: Portal, **asked: Any) -> dict[str, Any]:
    response = await portal.client.post("/graphql", json=asked)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def code(answer: Mapping[str, Any]) -> str:
    (error,) = answer["errors"]
    found: str = error["extensions"]["code"]
    return found


@asynccontextmanager
async def listing(
    database: Path, folder: Path, trusted: str, manifest: object, **table: Any
) -> AsyncIterator[Portal]:
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    tables = {"documents": {"trusted": trusted, "manifest": str(path), **table}}
    async with opened(database, folder, tables=tables) as portal:
        yield portal


async def test_a_client_teaches_a_document_and_names_it_from_then_on(portal: Portal) -> None:
    """As Apollo Client and urql do: the hash alone, then with the text, then alone again."""
    asked = {"extensions": taught(DESK), "variables": PERU}
    first = await ask(portal, **asked)
    assert first["errors"][0]["message"] == "PersistedQueryNotFound"
    assert code(first) == "PERSISTED_QUERY_NOT_FOUND"
    second = await ask(portal, **asked, query=DESK)
    assert second["data"]["supportDesk"]["phone"]
    assert await ask(portal, **asked, query=None) == second
    assert await ask(portal, **asked, query="") == second
    by_address = {"extensions": json.dumps(taught(DESK)), "variables": json.dumps(PERU)}
    answer = await portal.client.get("/graphql", params=by_address)
    assert answer.json() == second
    assert await ask(portal, documentId=f"sha256:{sha256(DESK)}", variables=PERU) == second


async def test_a_hash_stands_for_its_own_text_alone(portal: Portal) -> None:
    wrong = await ask(portal, query=KINDS, extensions=taught(DESK))
    assert code(wrong) == "BAD_REQUEST"
    assert code(await ask(portal, extensions=taught(DESK))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_what_cannot_be_run_is_not_remembered(portal: Portal) -> None:
    text = "{ nothing }"
    assert code(await ask(portal, query=text, extensions=taught(text))) == (
        "GRAPHQL_VALIDATION_FAILED"
    )
    assert code(await ask(portal, extensions=taught(text))) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "told",
    [5, [], {}, {"version": 2, "sha256Hash": "a"}, {"version": 1}, {"version": 1, "sha256Hash": 5}],
)
async def test_a_name_that_is_none_is_told(portal: Portal, told: object) -> None:
    answer = await ask(portal, query=KINDS, extensions={"persistedQuery": told})
    assert code(answer) == "BAD_REQUEST"


async def test_a_mutation_by_its_name_is_no_reading(portal: Portal) -> None:
    text = "mutation { __typename }"
    assert (await ask(portal, query=text, extensions=taught(text)))["data"]
    answer = await portal.client.get("/graphql", params={"extensions": json.dumps(taught(text))})
    assert answer.status_code == 405


async def test_what_clients_teach_is_bounded() -> None:
    persisted = Persisted()
    for number in range(2_100):
        text = f"{{ a{number} }}"
        persisted.learn(Request(text, extensions=taught(text)))
    oldest, newest = "{ a0 }", "{ a2099 }"
    assert isinstance(await persisted.found(Request("", extensions=taught(oldest))), Outcome)
    found = await persisted.found(Request("", extensions=taught(newest)))
    assert isinstance(found, Request)
    assert found.query == newest
    for number in range(12):
        text = str(number) * 1_000_000
        persisted.learn(Request(text, extensions=taught(text)))
    assert persisted._characters <= 8_000_000
    assert len(persisted._taught) <= 8


async def test_clients_may_teach_nothing_where_that_is_off(database: Path, tmp_path: Path) -> None:
    tables = {"documents": {"automatic": False}}
    async with opened(database, tmp_path, tables=tables) as portal:
        assert code(await ask(portal, extensions=taught(KINDS))) == "PERSISTED_QUERY_NOT_SUPPORTED"
        assert (await ask(portal, query=KINDS, extensions=taught(KINDS)))["data"]
        assert code(await ask(portal, extensions=taught(KINDS))) == "PERSISTED_QUERY_NOT_SUPPORTED"


MANIFESTS: dict[str, dict[str, Any]] = {
    "by the hash of another form of the text": {"0123456789abcdef0123456789abcdef": DESK},
    "by a name": {"Desk-1": DESK},
    "apollo": {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": sha256(DESK), "name": "Desk", "type": "query", "body": DESK}],
    },
}


def ids(manifest: Mapping[str, Any]) -> list[str]:
    return [one["id"] for one in manifest.get("operations", ())] or list(manifest)


@pytest.mark.parametrize("name", MANIFESTS)
async def test_listed_documents_have_names(database: Path, tmp_path: Path, name: str) -> None:
    manifest = MANIFESTS[name]
    async with listing(database, tmp_path, "allow", manifest) as portal:
        (document_id,) = ids(manifest)
        answer = await ask(portal, documentId=document_id, variables=PERU)
        assert answer["data"]["supportDesk"]["phone"]
        # Clients that name by hash find them as well, and other documents are run too.
        assert (await ask(portal, extensions=taught(DESK), variables=PERU)) == answer
        assert (await ask(portal, query=KINDS))["data"]
        assert code(await ask(portal, documentId="other")) == "PERSISTED_QUERY_NOT_FOUND"


async def test_other_documents_are_told_once_and_without_their_text(
    database: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listing(database, tmp_path, "log", {"1": DESK}) as portal:
        for _ in range(3):
            assert (await ask(portal, query=KINDS, operationName="Kinds"))["data"]
            assert (await ask(portal, query=DESK, variables=PERU))["data"]
    told = [record for record in caplog.records if record.name == "gateway.documents"]
    assert [(one.__dict__["document"], one.__dict__["operation"]) for one in told] == [
        (sha256(KINDS), "Kinds")
    ]
    assert "caseCategories" not in caplog.text


async def test_only_listed_documents_are_run_where_that_is_required(
    database: Path, tmp_path: Path
) -> None:
    async with listing(database, tmp_path, "require", {"1": DESK}) as portal:
        assert (await ask(portal, documentId="1", variables=PERU))["data"]
        assert (await ask(portal, query=DESK, variables=PERU))["data"]
        for asked in ({"query": KINDS}, {"query": KINDS, "extensions": taught(KINDS)}):
            assert code(await ask(portal, **asked)) == "DOCUMENT_NOT_TRUSTED"
        assert code(await ask(portal, extensions=taught(KINDS))) == "PERSISTED_QUERY_NOT_FOUND"
        refused = await portal.client.post("/graphql", json={"query": KINDS}, headers=NEW)
        assert refused.status_code == 400


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ({}, "an object of ids and documents"),
        ([], "an object of ids and documents"),
        ({"1": 5}, "an object of ids and documents"),
        ({"format": "other", "operations": []}, "an object of ids and documents"),
        ({"1": DESK, "2": "{ nothing }"}, "2: Cannot query field 'nothing' on type 'Query'."),
        ({"1": "{"}, "1: Syntax Error"),
        ({"1": "{" + "a " * 3_000 + "}"}, "1: The request has 3001 tokens; 3000 are allowed."),
    ],
)
async def test_a_manifest_that_cannot_be_used_stops_the_start(
    database: Path, tmp_path: Path, manifest: object, told: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        async with listing(database, tmp_path, "allow", manifest):
            pass
    assert told in str(caught.value)
    assert str(tmp_path / "manifest.json") in str(caught.value)


def test_a_manifest_is_needed_where_its_documents_are_trusted() -> None:
    with pytest.raises(SettingsError, match="manifest"):
        parse({"sources": {}, "systems": {}, "documents": {"trusted": "log"}}, ROOT / "x", {})


async def test_operators_are_told_what_each_document_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "manifest.json"
    large = "{ cases(first: 100) { nodes { comments(first: 100) { nodes { author { name } } } } } }"
    path.write_text(json.dumps({"a1": DESK, "b2": CASES, "c3": large}), encoding="utf-8")
    raw = {
        "sources": {"cases": "crm", "customers": "crm"},
        "systems": {"crm": {"connector": "content"}},
    }
    settings = parse(raw, ROOT / "portal.toml", {})
    await operators._documents_check(argparse.Namespace(file=path), settings)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "a1 Desk cost 1 depth 2 calls -",
        "b2 Cases cost 205 depth 4 calls crm 2",
        "c3 - cost 20205 depth 6 calls crm 2 over the limits",
    ]
    with pytest.raises(SettingsError, match="names no manifest"):
        await operators._documents_check(argparse.Namespace(file=None), settings)
