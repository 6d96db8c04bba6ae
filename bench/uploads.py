"""How much the gateway's memory grows while large files pass through it, on their way in, on to the
CRM and out again, and how long others wait meanwhile: a gateway of its own, a sandbox as its CRM,
over loopback.

python -m bench.uploads
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
MEGABYTE = 1024 * 1024
LARGE, SMALL = 200 * MEGABYTE, 25 * MEGABYTE
#: After which parts of a file its connection breaks.
BREAKS = (0.17, 0.49, 0.83)
_STEP = 256 * 1024
_ANA = "ana.torres@andina.example"

CREATE_UPLOAD = """mutation($input: CreateUploadInput!) { createUpload(input: $input) {
  upload { id url } userErrors { code message } } }"""
CREATE_CASE = """mutation($input: CreateCaseInput!) { createCase(input: $input) {
  case { id } userErrors { code message field } } }"""
CASE = """query($id: ID!) { node(id: $id) { ... on Case { number status attachments { nodes {
  filename size pending downloadUrl } } } } }"""


class Gateway:
    """A gateway in a process of its own, on data of its own."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "portal.toml"
        text = (ROOT / "portal.toml").read_text(encoding="utf-8")
        self.config.write_text(text.replace('"content/', f'"{ROOT}/content/'), encoding="utf-8")
        command = [sys.executable, "-m", "gateway", "--config", str(self.config), "serve"]
        self.process = subprocess.Popen(
            [*command, "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.address = self._address()
        self.token = self._token()

    def _address(self) -> str:
        for line in self.process.stdout or ():
            found = re.search(r"GraphQL +http://(\S+)/graphql", line)
            if found:
                return found[1]
        raise SystemExit("the gateway did not start")

    def _token(self) -> str:
        command = [sys.executable, "-m", "gateway", "--config", str(self.config), "token", _ANA]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        return self.send(iter([body]), len(body), "application/json")

    def send(self, chunks: Iterator[bytes], size: int, content_type: str) -> Any:
        """The data of the answer to a request of that content type."""
        connection = http.client.HTTPConnection(self.address, timeout=120)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": content_type,
            "Content-Length": str(size),
            "GraphQL-Require-Preflight": "1",
        }
        connection.request("POST", "/graphql", chunks, headers)
        told = json.loads(connection.getresponse().read())
        connection.close()
        if "errors" in told:
            raise SystemExit(told["errors"])
        return told["data"]

    def memory(self, name: str) -> float:
        """Megabytes. name: VmRSS for now, VmHWM for the most since `forget`."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def forget(self) -> None:
        """The most from now on is what is used now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")


def content(size: int) -> Iterator[bytes]:
    """The bytes of a document, the same each time, that nothing can make shorter."""
    dice = random.Random(size)
    yield (first := b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    left = size - len(first)
    while left:
        part = dice.randbytes(min(_STEP, left))
        left -= len(part)
        yield part


def digest(chunks: Iterator[bytes]) -> str:
    made = hashlib.sha256()
    for data in chunks:
        made.update(data)
    return made.hexdigest()


def resumed(gateway: Gateway, size: int) -> str:
    """Sends a file by tus over connections that break; its id."""
    told = gateway.ask(
        CREATE_UPLOAD,
        input={"filename": "plano.pdf", "contentType": "application/pdf", "size": size},
    )
    upload = told["createUpload"]["upload"]
    path = urlsplit(upload["url"]).path
    for end in (*(int(size * part) for part in BREAKS), size):
        while not _patch(gateway, path, _offset(gateway, path), end, size):
            time.sleep(0.1)  # the news that the connection broke was not there yet
    return str(upload["id"])


def _offset(gateway: Gateway, path: str) -> int:
    connection = http.client.HTTPConnection(gateway.address, timeout=60)
    connection.request("HEAD", path, headers={"Tus-Resumable": "1.0.0"})
    offset = int(connection.getresponse().headers["Upload-Offset"])
    connection.close()
    return offset


def _patch(gateway: Gateway, path: str, offset: int, end: int, size: int) -> bool:
    """Announces all that is left, and breaks off at `end`. False where the file is further."""
    connection = http.client.HTTPConnection(gateway.address, timeout=120)
    connection.putrequest("PATCH", path)
    for name, value in (
        ("Tus-Resumable", "1.0.0"),
        ("Content-Type", "application/offset+octet-stream"),
        ("Upload-Offset", str(offset)),
        ("Content-Length", str(size - offset)),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    at, status = 0, 0
    with contextlib.suppress(ConnectionError):
        for data in content(size):
            part = data[max(0, offset - at) : max(0, end - at)]
            at += len(data)
            if part:
                connection.send(part)
    if end == size:
        status = connection.getresponse().status
    connection.close()
    if status not in (0, 204, 409):
        raise SystemExit(f"a piece was answered with {status}")
    return status != 409


def form(operations: dict[str, Any], size: int) -> tuple[Iterator[bytes], int]:
    """A GraphQL multipart request with one file, and how long it is."""
    edge = "--b0undary\r\nContent-Disposition: form-data; name="
    where = json.dumps({"0": ["variables.input.files.0"]})
    before = (
        f'{edge}"operations"\r\n\r\n{json.dumps(operations)}\r\n{edge}"map"\r\n\r\n{where}\r\n'
        f'{edge}"0"; filename="plano.pdf"\r\n\r\n'
    ).encode()
    after = b"\r\n--b0undary--\r\n"

    def chunks() -> Iterator[bytes]:
        yield before
        yield from content(size)
        yield after

    return chunks(), len(before) + size + len(after)


def case(**files: Any) -> dict[str, Any]:
    return {"category": "QUERY", "description": "Adjunto un plano.", **files}


def in_the_request(gateway: Gateway, size: int) -> str:
    """Opens a case with a file in the same request; its id."""
    operations = {"query": CREATE_CASE, "variables": {"input": case(files=[None])}}
    chunks, length = form(operations, size)
    told = gateway.send(chunks, length, "multipart/form-data; boundary=b0undary")
    return _opened(told)


def beforehand(gateway: Gateway, upload_id: str) -> str:
    """Opens a case with a file that was sent; its id."""
    return _opened(gateway.ask(CREATE_CASE, input=case(uploadIds=[upload_id])))


def _opened(told: Any) -> str:
    payload = told["createCase"]
    if payload["userErrors"]:
        raise SystemExit(payload["userErrors"])
    return str(payload["case"]["id"])


def arrived(gateway: Gateway, case_id: str) -> str:
    """Waits until the CRM has a case's file; the path of a link to it."""
    for _ in range(600):
        node = gateway.ask(CASE, id=case_id)["node"]
        for file in node["attachments"]["nodes"]:
            if not file["pending"]:
                return str(urlsplit(file["downloadUrl"]).path)
        time.sleep(0.2)
    raise SystemExit("the file did not reach the CRM")


def read(gateway: Gateway, path: str) -> str:
    """The digest of what a link gives."""
    connection = http.client.HTTPConnection(gateway.address, timeout=120)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = digest(iter(lambda: answer.read(_STEP), b""))
    connection.close()
    return found


class Bystander:
    """Asks for something small all the time, and notes how long each answer takes."""

    def __init__(self, gateway: Gateway) -> None:
        self._connection = http.client.HTTPConnection(gateway.address, timeout=60)
        self._stopped = threading.Event()
        self._took: list[float] = []
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        while not self._stopped.wait(0.01):
            began = time.perf_counter()
            self._connection.request("GET", "/health/live")
            self._connection.getresponse().read()
            self._took.append((time.perf_counter() - began) * 1000)

    def stop(self) -> tuple[float, float]:
        """Milliseconds that 99 of 100 answers did not take longer than, and the longest."""
        self._stopped.set()
        self._thread.join()
        self._connection.close()
        return statistics.quantiles([0.0, *self._took], n=100)[-1], max(self._took, default=0.0)


def measured(gateway: Gateway, what: str, work: Callable[[], Any]) -> Any:
    """Does something and prints what it took of the gateway's memory."""
    before = gateway.memory("VmRSS")
    gateway.forget()
    bystander, began = Bystander(gateway), time.perf_counter()
    result = work()
    took, waited = time.perf_counter() - began, bystander.stop()
    most, after = gateway.memory("VmHWM") - before, gateway.memory("VmRSS") - before
    numbers = f"{took:8.1f}{most:10.1f}{after:11.1f}{waited[0]:10.1f}{waited[1]:10.1f}"
    print(f"{what:40}{numbers}", flush=True)
    return result


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(Path(folder))
        try:
            _measure(gateway)
        finally:
            gateway.stop()


def _measure(gateway: Gateway) -> None:
    small = MEGABYTE
    for case_id in (in_the_request(gateway, small), beforehand(gateway, resumed(gateway, small))):
        read(gateway, arrived(gateway, case_id))  # what is loaded on first use is loaded
    print(f"the gateway begins with {gateway.memory('VmRSS'):.0f} MB of memory\n")
    print(f"{'':40}{'':8}{'memory':>16}{'others wait, ms':>25}")
    print(f"{'':40}{'seconds':>8}{'most, MB':>10}{'after, MB':>11}{'99 of 100':>10}{'longest':>10}")
    upload_id = measured(gateway, "200 MB by tus, three breaks", lambda: resumed(gateway, LARGE))
    large = measured(
        gateway,
        "  attached to a case, sent to the CRM",
        lambda: arrived(gateway, beforehand(gateway, upload_id)),
    )
    found = measured(gateway, "  read by a link", lambda: read(gateway, large))
    _same(found, LARGE)
    case_id = measured(
        gateway, "25 MB in the request, to the CRM", lambda: in_the_request(gateway, SMALL)
    )
    path = arrived(gateway, case_id)
    _same(measured(gateway, "  read by a link", lambda: read(gateway, path)), SMALL)


def _same(found: str, size: int) -> None:
    if found != digest(content(size)):
        raise SystemExit("what came back is not what was sent")


if __name__ == "__main__":
    main()
