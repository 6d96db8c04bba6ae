"""A Tryton that does not run here: the rules about trouble need none, the others are tried on a
real one by tests/live/test_contract.py."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from connectors.port.scope import AccountRef, Scope
from tests.contract.wires import rewritten
from tests.contract.world import Facts, World, connectors

SETTINGS: dict[str, Any] = {
    "url": "http://127.0.0.1:9",
    "database": "company",
    "key": "a-secret-key-of-tryton",
}


def world(database: Path) -> World:
    """database: of the sandbox, which has no Tryton."""
    some = ("5", "6", "7")
    scope = Scope([AccountRef("5", "17100001", "CO")])
    facts = Facts(
        scope=scope,
        others=Scope([AccountRef("8", "17100002", "PE")]),
        own={
            **dict.fromkeys(KINDS, some),
            "account": ("5",),
            "account_ref": scope.accounts,
            "email": ("ana.torres@andina.example",),
        },
        foreign={},
        unknown=unknown,
        queries={"contacts_by_account": {"account_id": "5"}},
    )
    return World(connectors()["tryton"], SETTINGS, facts, runs=False)


def real(table: Mapping[str, Any], facts: Facts) -> World:
    """One that runs. table: of portal.toml, that reaches it."""
    return World(
        connectors()["tryton"],
        {name: value for name, value in table.items() if name != "connector"},
        facts,
        transport=lambda: httpx.AsyncHTTPTransport(trust_env=False),
        structure=structure,
        swap=swap,
    )


#: What Tryton has keys of.
KINDS = ("account", "contact", "order", "order_number", "delivered_order", "billed_order")


def unknown(kind: str, number: int) -> Any:
    if kind == "account_ref":
        return AccountRef(f"{900_000 + number}", f"9{number:07}", "CO")
    return f"{900_000 + number}"


def structure(request: httpx.Request) -> object:
    """A question without the values that it compares with."""
    if request.method == "POST":
        body = json.loads(request.content)
        return request.url.path, _bare(body["domain"]), sorted(body)
    params = request.url.params
    domain = json.loads(base64.urlsafe_b64decode(params["d"]))
    return request.url.path, _bare(domain), params.get_list("f"), params.get("o")


def swap(request: httpx.Request, words: Mapping[str, str]) -> httpx.Request:
    """A question with other values in its domain."""
    if request.method == "POST":
        body = json.loads(request.content)
        body["domain"] = _other(body["domain"], words)
        return rewritten(request, request.url, json.dumps(body).encode())
    domain = json.loads(base64.urlsafe_b64decode(request.url.params["d"]))
    packed = base64.urlsafe_b64encode(json.dumps(_other(domain, words)).encode()).decode()
    url = request.url.copy_with(params=request.url.params.set("d", packed))
    return rewritten(request, url, b"")


def _other(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_other(one, words) for one in value]
    if type(value) is int:  # an id
        return int(words.get(str(value), value))
    return words.get(value, value) if isinstance(value, str) else value


def _bare(domain: Any) -> Any:
    match domain:
        case [str(path), "where", list(inner)]:
            return [path, "where", _bare(inner)]
        case [str(path), str(operator), list(values)] if path != "OR":
            return [path, operator, [type(value).__name__ for value in values]]
        case [str(path), str(operator), value] if path != "OR" and not isinstance(value, list):
            return [path, operator, type(value).__name__]
        case list():
            return [_bare(part) for part in domain]
        case _:
            return domain
