"""A gateway that is killed at any call of a case with three files, and started again: one case,
each file once. Real processes, SIGKILL, and the sandbox as the CRM."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import pytest

from tests.live.portal import Gateway, Settings, embedded_default, written
from tests.live.processes import free_port, started, wait_until

pytestmark = pytest.mark.live

ANA = "ana.torres@andina.example"
MUTATION = """
mutation($input: CreateCaseInput!) {
  createCase(input: $input) {
    case { id number status }
    userErrors { code message field }
  }
}
"""
SHOWN = """
query($id: ID!) { case(by: {id: $id}) { number attachments { nodes { filename size } } } }
"""
FILES = {
    f"muerto-{name}.txt": f"el archivo {name}".encode() * 50 for name in ("uno", "dos", "tres")
}
#: Calls of a create with three files are about this many; a few are left out at each end.
CALLS = range(1, 15)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The CRM, as a process of its own that outlives the gateway."""

    url: str

    def calls(self) -> int:
        found: int = self._get("/_calls")["crm"]
        return found

    def forget_calls(self) -> None:
        httpx.delete(f"{self.url}/_calls", trust_env=False).raise_for_status()

    def slow_down(self, latency: str) -> None:
        self._post("/_faults", {"latency": f"crm={latency}"})

    def fail(self, spec: str) -> None:
        self._post("/_faults", {"fail": [spec]})

    def recover(self) -> None:
        self._post("/_faults", {"reset": True})

    def rows(self, soql: str) -> list[dict[str, Any]]:
        """What the CRM holds, asked past the gateway."""
        login = {
            "grant_type": "client_credentials",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
        }
        token = httpx.post(f"{self.url}/services/oauth2/token", data=login, trust_env=False).json()[
            "access_token"
        ]
        answer = httpx.get(
            f"{self.url}/services/data/v60.0/query",
            params={"q": soql},
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
        )
        assert answer.is_success, answer.text
        rows: list[dict[str, Any]] = answer.json()["records"]
        return rows

    def _get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", trust_env=False).json()

    def _post(self, path: str, body: Any) -> None:
        httpx.post(f"{self.url}{path}", json=body, trust_env=False).raise_for_status()


class Portal:
    """A gateway that can be killed and started again on the same data."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._config = written(folder, settings)
        self._log = folder / "gateway.log"
        self._running: ExitStack | None = None
        self._process: Popen[bytes] | None = None
        self.here = Gateway("", self._config)

    def start(self) -> None:
        port = free_port()
        command = [sys.executable, "-m", "gateway", "--config", str(self._config)]
        self._running = ExitStack()
        self._process = self._running.enter_context(
            started([*command, "serve", "--port", str(port)], self._log)
        )
        self.here = Gateway(f"http://127.0.0.1:{port}", self._config, self.here._tokens)
        wait_until(self.here.is_ready, self._process, self._log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.stop()

    def stop(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None

    def log(self) -> str:
        """What the gateway has said since it was started."""
        return self._log.read_text(errors="replace")

    def create(self, subject: str, key: str) -> Any:
        """The answer to a create with three files; None when the connection broke."""
        operations = {
            "query": MUTATION,
            "variables": {
                "input": {
                    "category": "QUERY",
                    "subject": subject,
                    "description": "Con tres archivos.",
                    "files": [None] * len(FILES),
                    "idempotencyKey": key,
                }
            },
        }
        places = {str(at): [f"variables.input.files.{at}"] for at in range(len(FILES))}
        files = {
            str(at): (name, body, "text/plain") for at, (name, body) in enumerate(FILES.items())
        }
        try:
            answer = httpx.post(
                f"{self.here.url}/graphql",
                data={"operations": json.dumps(operations), "map": json.dumps(places)},
                files=files,
                headers={
                    "authorization": f"Bearer {self.here.token(ANA)}",
                    "graphql-require-preflight": "1",
                },
                timeout=60,
                trust_env=False,
            )
        except httpx.TransportError:
            return None
        body = answer.json()
        assert "errors" not in body, body
        assert body["data"]["createCase"]["userErrors"] == [], body
        return body["data"]["createCase"]["case"]

    def waiting(self) -> int:
        health = httpx.get(f"{self.here.url}/health/ready", trust_env=False).json()
        found: int = health["submissions"]["waiting"]
        return found


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder, port = tmp_path_factory.mktemp("crm"), free_port()
    command = [sys.executable, "-m", "sandbox", "--db", str(folder / "sandbox.sqlite")]
    here = Sandbox(f"http://127.0.0.1:{port}")

    def answers() -> bool:
        try:
            return here.calls() >= 0
        except httpx.TransportError:
            return False

    with started([*command, "--port", str(port)], folder / "sandbox.log") as process:
        wait_until(answers, process, folder / "sandbox.log")
        yield here


@pytest.fixture(scope="module")
def portal(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    settings = embedded_default()
    settings["sandbox"]["enabled"] = False
    for system in settings["systems"].values():
        if "url" in system:
            system["url"] = sandbox.url
    made = Portal(tmp_path_factory.mktemp("gateway"), settings)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def until(true: Any, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize("at", CALLS)
@pytest.mark.parametrize("latency", ["0ms", "150ms"])
def test_killed_at_any_call(portal: Portal, sandbox: Sandbox, at: int, latency: str) -> None:
    """latency: with it the CRM does what it was asked after the gateway is gone, without it before
    or at the same time."""
    subject, key = f"Muerto en la llamada {at} tras {latency}", f"kill-{at}-{latency}"
    portal.here.ask("{ viewer { contact { name } } }", by=ANA)  # so that the CRM is not asked then
    sandbox.slow_down(latency)
    sandbox.forget_calls()
    answers: list[Any] = []
    sending = threading.Thread(target=lambda: answers.append(portal.create(subject, key)))
    sending.start()
    deadline = time.monotonic() + 20
    while sandbox.calls() < at and sending.is_alive():
        assert time.monotonic() < deadline
    portal.kill()
    sending.join()
    sandbox.slow_down("0ms")
    portal.start()
    again = portal.create(subject, key)
    until(lambda: portal.waiting() == 0)
    (case,) = sandbox.rows(f"SELECT Id, CaseNumber FROM Case WHERE Subject = '{subject}'")
    links = sandbox.rows(
        f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{case['Id']}'"
    )
    assert len(links) == len(FILES)
    shown = portal.here.ask(SHOWN, {"id": again["id"]}, by=ANA)["case"]
    assert shown["number"] == case["CaseNumber"]
    found = {(one["filename"], one["size"]) for one in shown["attachments"]["nodes"]}
    assert found == {(name, len(body)) for name, body in FILES.items()}
    assert len(shown["attachments"]["nodes"]) == len(FILES)


def test_stopped_and_started_while_the_crm_is_down(portal: Portal, sandbox: Sandbox) -> None:
    subject = "Muerto en la llamada, pero con aviso"
    sandbox.fail("crm=503")
    case = portal.create(subject, "stop")
    assert (case["number"], case["status"]) == (None, "SUBMITTED")
    started_at = time.monotonic()
    portal.stop()
    assert time.monotonic() - started_at < 10
    assert "Traceback" not in portal.log()
    portal.start()
    assert portal.waiting() == 1
    sandbox.recover()
    portal.here.ask("{ cases(first: 9) { nodes { number } } }", by=ANA)
    until(lambda: portal.waiting() == 0)
    (real,) = sandbox.rows(f"SELECT CaseNumber FROM Case WHERE Subject = '{subject}'")
    shown = portal.here.ask(SHOWN, {"id": case["id"]}, by=ANA)["case"]
    assert shown["number"] == real["CaseNumber"]
    assert len(shown["attachments"]["nodes"]) == len(FILES)


def test_no_file_is_in_the_crm_twice(sandbox: Sandbox) -> None:
    """After all of the above: a file that hangs on no case would be one too many."""
    cases = sandbox.rows("SELECT Id FROM Case WHERE Subject LIKE 'Muerto en la llamada%'")
    versions = sandbox.rows("SELECT Id FROM ContentVersion WHERE PathOnClient LIKE 'muerto-%'")
    assert cases
    assert len(versions) == len(cases) * len(FILES)
