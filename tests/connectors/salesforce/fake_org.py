"""An org in memory: it logs callers in, and answers each query as the test says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

import connectors.systems.salesforce as package
from connectors.kit.connector import Wiring
from connectors.port.scope import AccountRef, Scope
from connectors.port.sources import System
from connectors.systems.salesforce import connector
from connectors.systems.salesforce.client import Client
from connectors.systems.salesforce.settings import Settings

URL = "https://acme.my.salesforce.com"
ROOT = "/services/data/v60.0"
EXAMPLES = Path(package.__file__).parent / "examples"

ANDINA = AccountRef("001SB00000ANDNAQA1", "17100001", "CO")
PACIFICO = AccountRef("001SB00000PACFQAB2", "17100002", "PE")
SCOPE = Scope([ANDINA, PACIFICO])

#: Answers one query: the body, or a status and a body.
Answers = Callable[[str], Any]


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def found(*records: dict[str, Any]) -> dict[str, Any]:
    """A complete answer to a query."""
    return {"totalSize": len(records), "done": True, "records": list(records)}


def nothing(soql: str) -> dict[str, Any]:
    return found()


async def no_sleep(seconds: float) -> None:
    return None


@dataclass
class Org:
    """calls: what came in, logins apart. shown: the credential of each. queries: each one, however
    it travelled. before: answers that are given instead, one a call. pages: answers by path.
    logins: the form of each; login: the answer to them, if it is to fail."""

    answers: Answers = nothing
    before: list[httpx.Response] = field(default_factory=list)
    calls: list[httpx.Request] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    pages: dict[str, Any] = field(default_factory=dict)
    logins: list[dict[str, list[str]]] = field(default_factory=list)
    login: httpx.Response | None = None

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/services/oauth2/token":
            self.logins.append(parse_qs(request.content.decode()))
            token = {"access_token": f"token-{len(self.logins)}", "instance_url": URL}
            return self.login or httpx.Response(200, json=token)
        self.calls.append(request)
        self.shown.append(request.headers["authorization"])
        if self.before:
            return self.before.pop(0)
        usage = {"sforce-limit-info": f"api-usage={len(self.calls)}/5000"}
        if request.url.path == f"{ROOT}/composite":
            parts = [self._part(part) for part in json.loads(request.content)["compositeRequest"]]
            return httpx.Response(200, json={"compositeResponse": parts}, headers=usage)
        if request.url.path == f"{ROOT}/query":
            status, body = self._answer(request.url.raw_path.decode())
            return httpx.Response(status, json=body, headers=usage)
        if request.url.path in self.pages:
            return httpx.Response(200, json=self.pages[request.url.path], headers=usage)
        if request.url.path == f"{ROOT}/limits":
            return httpx.Response(200, json={"DailyApiRequests": {}}, headers=usage)
        return httpx.Response(404, json=[{"errorCode": "NOT_FOUND", "message": "?"}])

    def _part(self, part: dict[str, Any]) -> dict[str, Any]:
        assert part["method"] == "GET"
        status, body = self._answer(part["url"])
        reference = part["referenceId"]
        return {
            "body": body,
            "httpHeaders": {},
            "httpStatusCode": status,
            "referenceId": reference,
        }

    def _answer(self, path: str) -> tuple[int, Any]:
        assert len(path) <= 16_000 or not self.calls[-1].url.path.endswith("/query"), "414"
        (soql,) = parse_qs(urlsplit(path).query, keep_blank_values=True, strict_parsing=True)["q"]
        self.queries.append(soql)
        answer = self.answers(soql)
        return answer if isinstance(answer, tuple) else (200, answer)

    @property
    def wiring(self) -> Wiring:
        return Wiring(transport=httpx.MockTransport(self.handle), sleep=no_sleep)

    def client(self, **changes: Any) -> Client:
        return Client("crm", settings(**changes), self.wiring)

    async def system(self, **changes: Any) -> System:
        return await connector.open("crm", settings(**changes), self.wiring)


def settings(**changes: Any) -> Settings:
    login = {"grant": "client_credentials", "client_id": "id", "client_secret": "s3cret-value"}
    return msgspec.convert({"url": URL, "login": login, **changes}, Settings)
