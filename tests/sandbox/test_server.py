"""The three systems behind one address: who is asked, what is counted, and how a process ends."""

import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from sandbox import data
from sandbox.__main__ import main
from sandbox.app import create
from sandbox.faults import Faults

NOW = datetime(2026, 3, 16, 15, 30, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("server") / "sandbox.sqlite"
    data.build(path, date(2026, 3, 16))
    return path


@pytest.fixture
async def sandbox(path: Path, faults: Faults) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create(path, faults, NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.example") as client:
        yield client


@pytest.mark.anyio
async def test_the_path_tells_the_part(sandbox: httpx.AsyncClient) -> None:
    crm = await sandbox.get("/services/data/")
    erp = await sandbox.get("/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder?$top=1")
    site = await sandbox.get("/wp-json/wp/v2/posts?per_page=1")
    assert (crm.status_code, erp.status_code, site.status_code) == (200, 401, 200)
    assert (await sandbox.get("/elsewhere")).status_code == 404


@pytest.mark.anyio
async def test_calls_are_counted_by_part(sandbox: httpx.AsyncClient) -> None:
    form = {"grant_type": "client_credentials", "client_id": "sandbox-client",
            "client_secret": "sandbox-secret"}  # fmt: skip
    await sandbox.post("/services/oauth2/token", data=form)
    await sandbox.get("/services/data/v60.0/query?q=SELECT+Id+FROM+Case")
    await sandbox.get("/wp-json/wp/v2/posts")
    await sandbox.get("/wp-json/wp/v2/tags")
    counted = (await sandbox.get("/_calls")).json()
    assert counted == {
        "crm": 1,
        "erp": 0,
        "site": 2,
        "tokens": 1,
        "last": [
            "POST /services/oauth2/token",
            "GET /services/data/v60.0/query?q=SELECT+Id+FROM+Case",
            "GET /wp-json/wp/v2/posts",
            "GET /wp-json/wp/v2/tags",
        ],
    }
    reset = (await sandbox.delete("/_calls")).json()
    assert reset == {"crm": 0, "erp": 0, "site": 0, "tokens": 0, "last": []}


@pytest.mark.anyio
async def test_faults_are_set_while_it_runs(sandbox: httpx.AsyncClient) -> None:
    set_ = await sandbox.post("/_faults", json={"fail": "site=503x1", "crm": {"html": 503}})
    assert set_.json()["site"]["status"] == 503
    assert (await sandbox.get("/_faults")).json() == set_.json()
    site = [(await sandbox.get("/wp-json/wp/v2/tags")).status_code for _ in range(2)]
    assert site == [503, 200]
    assert "maintenance" in (await sandbox.get("/services/data/")).text
    await sandbox.post("/_faults", json={"reset": True})
    assert (await sandbox.get("/services/data/")).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"crm": {"fire": 1}}', b'"' + b"x" * 70_000])
async def test_a_wrong_order_is_explained(sandbox: httpx.AsyncClient, body: bytes) -> None:
    response = await sandbox.post("/_faults", content=body)
    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize("words", [["--fail", "crm=fire"], ["--latency", "soon"]])
def test_wrong_words_end_the_command_with_a_reason(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def start(path: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--db", str(path), *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


@pytest.mark.parametrize("end", ["input", "signal"])
def test_the_process_says_where_it_is_and_ends_when_told(path: Path, end: str) -> None:
    with start(path) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("sandbox listening on http://127.0.0.1:")
            if end == "input":
                process.stdin.close()
            else:
                process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_reset_makes_the_file_anew_and_ends(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "sandbox.sqlite"
    file.write_text("something old")
    with start(file, "--reset") as process:
        assert process.wait(60) == 0
    assert file.stat().st_size > 1_000_000
