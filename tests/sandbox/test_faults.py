"""Trouble on demand: the words that ask for it, how long it lasts, and what callers then meet."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import JSONResponse

from sandbox.faults import BadFault, Faults
from sandbox.faulty import Faulty

BODY = {"rows": ["a" * 100]}


@pytest.fixture
async def erp(faults: Faults) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a part that always answers the same."""
    transport = httpx.ASGITransport(Faulty(JSONResponse(BODY), "erp", faults))
    async with httpx.AsyncClient(transport=transport, base_url="http://erp.example") as client:
        yield client


@pytest.mark.parametrize(
    ("words", "kind", "value", "times"),
    [
        ("crm=503", "status", 503, None),
        ("crm=503x3", "status", 503, 3),
        ("crm=429x1", "status", 429, 1),
        ("crm=html", "html", 503, None),
        ("crm=html200x2", "html", 200, 2),
        ("crm=quota", "quota", True, None),
        ("crm=expirex1", "expire", True, 1),
        ("crm=partial", "partial", True, None),
        ("crm=hang", "hang", True, None),
        ("crm=slow", "slow", 5.0, None),
        ("crm=slow:250ms", "slow", 0.25, None),
        ("crm=truncated", "truncated", True, None),
        ("crm=cutx2", "cut", True, 2),
        ("crm=reject", "reject", "REJECT", None),
        ("crm=reject:granizox1", "reject", "granizo", 1),
    ],
)
def test_words_of_the_command_line(
    faults: Faults, words: str, kind: str, value: float, times: int | None
) -> None:
    faults.fail(words)
    assert getattr(faults.crm, kind) == value
    assert faults.crm.times.get(kind) == times
    assert faults.erp.as_json() == Faults().erp.as_json()


def test_latency_of_one_or_of_all(faults: Faults) -> None:
    faults.latency("80ms")
    faults.latency("erp=2s")
    assert [faults.of(part).latency for part in ("crm", "erp", "site")] == [0.08, 2.0, 0.08]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("503", "write PART=KIND"),
        ("crm=", "write PART=KIND"),
        ("shop=503", "unknown part 'shop'; known: crm, erp, site"),
        ("crm=fire", "unknown fault 'fire'; known: status, html"),
        ("crm=200", "takes an HTTP status from 400 to 599"),
        ("crm=html99", "takes an HTTP status from 200 to 599"),
        ("erp=quota", "fault 'quota' exists for crm only"),
        ("crm=csrf", "fault 'csrf' exists for erp only"),
        ("erp=cut", "fault 'cut' exists for crm only"),
        ("crm=503x0", "times must be 1 or more"),
        ("crm=slow:soon", "'soon' is no duration; write 80ms, 2s or 0.5s"),
    ],
)
def test_words_that_mean_nothing_get_an_answer(faults: Faults, words: str, message: str) -> None:
    with pytest.raises(BadFault, match=message):
        faults.fail(words)
    assert faults == Faults()


@pytest.mark.parametrize("words", ["", "fast", "erp=", "shop=2s", "99999s", "-1s"])
def test_a_latency_that_means_nothing(faults: Faults, words: str) -> None:
    with pytest.raises(BadFault):
        faults.latency(words)


def test_a_fault_counts_down_and_stays_otherwise(faults: Faults) -> None:
    faults.fail("erp=csrfx2")
    assert [faults.erp.take("csrf") for _ in range(4)] == [True, True, False, False]
    faults.fail("erp=csrf")
    assert all(faults.erp.take("csrf") for _ in range(50))
    faults.reset()
    assert not faults.erp.take("csrf")


def test_orders_as_json(faults: Faults) -> None:
    faults.update({"crm": {"status": 503, "times": 2}, "fail": "erp=html", "latency": ["site=1s"]})
    assert (faults.crm.status, faults.crm.times) == (503, {"status": 2})
    assert (faults.erp.html, faults.site.latency) == (503, 1.0)
    faults.update({"crm": {"status": 0}, "erp": {"latency": "20ms"}})
    assert (faults.crm.status, faults.crm.times, faults.erp.latency) == (0, {}, 0.02)
    faults.update({"reset": True})
    assert faults == Faults()


@pytest.mark.parametrize(
    "wanted",
    [
        {"shop": {}},
        {"crm": 5},
        {"crm": {"fire": True}},
        {"crm": {"fire": False}},
        {"crm": {"status": "many"}},
        {"crm": {"status": True, "times": "x"}},
        {"crm": {"hang": 3}},
        {"crm": {"reject": 3}},
        {"fail": [5]},
        {"latency": 5},
    ],
)
def test_orders_that_mean_nothing(faults: Faults, wanted: dict[str, object]) -> None:
    with pytest.raises(BadFault):
        faults.update(wanted)


@pytest.mark.anyio
async def test_a_status_comes_as_often_as_asked(erp: httpx.AsyncClient, faults: Faults) -> None:
    faults.fail("erp=503x2")
    found = [await erp.get("/") for _ in range(3)]
    assert [one.status_code for one in found] == [503, 503, 200]
    assert found[0].headers["Retry-After"] == "1"
    assert found[0].json()["error"]["code"] == "SANDBOX/503"
    assert found[2].json() == BODY


@pytest.mark.anyio
async def test_the_crm_names_no_time_to_come_back(faults: Faults) -> None:
    transport = httpx.ASGITransport(Faulty(JSONResponse(BODY), "crm", faults))
    async with httpx.AsyncClient(transport=transport, base_url="http://crm.example") as crm:
        faults.fail("crm=503x1")
        response = await crm.get("/")
        assert response.json()[0]["errorCode"] == "SERVER_UNAVAILABLE"
        assert "Retry-After" not in response.headers
        faults.update({"crm": {"status": 429, "retry_after": 7}})
        assert (await crm.get("/")).headers["Retry-After"] == "7"


@pytest.mark.anyio
async def test_a_page_instead_of_data(erp: httpx.AsyncClient, faults: Faults) -> None:
    faults.fail("erp=html200")
    response = await erp.get("/")
    assert (response.status_code, response.headers["content-type"]) == (
        200,
        "text/html; charset=utf-8",
    )
    assert response.text.startswith("<!DOCTYPE html>")


@pytest.mark.anyio
async def test_a_body_is_cut_short(erp: httpx.AsyncClient, faults: Faults) -> None:
    whole = (await erp.get("/")).content
    faults.fail("erp=truncated")
    response = await erp.get("/")
    assert response.headers["content-length"] == str(len(whole))
    assert response.content == whole[: len(whole) // 2]


@pytest.mark.anyio
async def test_answers_take_their_time(erp: httpx.AsyncClient, faults: Faults) -> None:
    faults.latency("erp=50ms")
    faults.fail("erp=slow:100ms")
    started = time.perf_counter()
    response = await erp.get("/")
    assert response.json() == BODY
    assert time.perf_counter() - started >= 0.14


@pytest.mark.anyio
async def test_silence_lasts_until_the_caller_goes(erp: httpx.AsyncClient, faults: Faults) -> None:
    faults.fail("erp=hangx1")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await erp.get("/")
    assert (await erp.get("/")).status_code == 200
