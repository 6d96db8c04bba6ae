"""The wire: every failure gets its name, reads are tried again, nothing outlives its deadline.

Each test runs twice: through a transport of httpx and through our own sockets."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from connectors.kit.auth import Fetched, Fixed, basic
from connectors.kit.connector import Call
from connectors.kit.http import HttpClient, HttpSettings
from connectors.kit.replies import Reply, retry_after
from connectors.port.errors import (
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Unavailable,
    Unreadable,
)
from tests.connectors.kit.ways import BySockets, ByTransport, Way

pytestmark = pytest.mark.anyio

OK = httpx.Response(200, json={"ok": True})


@pytest.fixture(autouse=True, params=[ByTransport, BySockets])
async def way(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Way]:
    way: Way = request.param()
    monkeypatch.setattr(Wire, "way", way)
    yield way
    await way.close()


class Wire:
    """A client whose answers are a list, and what it did."""

    way: Way = ByTransport()

    def __init__(self, *answers: httpx.Response | Exception, **settings: float) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []
        self.heard: list[Call] = []
        self.settings = HttpSettings(**settings)  # type: ignore[arg-type]
        self.wiring = self.way.wiring(self._next, sleep=self._sleep, heard=self._hear)

    def client(self, **more: object) -> HttpClient:
        base = "http://crm.example/api/"
        return HttpClient("crm", base, self.settings, self.wiring, **more)  # type: ignore[arg-type]

    def _next(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def _hear(self, call: Call) -> None:
        self.heard.append(call)


async def test_a_read_answers_with_the_decoded_body() -> None:
    wire = Wire(httpx.Response(200, json={"a": [1, 2]}))
    reply = await wire.client().get("things", "/things", params={"q": "a b'c"})
    assert reply.json() == {"a": [1, 2]}
    assert str(wire.requests[0].url).partition("://")[2].startswith("crm.example/api/things?q=a")
    assert [(c.operation, c.outcome, c.status) for c in wire.heard] == [("things", "ok", 200)]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, Refused),
        (403, Refused),
        (404, Rejected),
        (302, Unreadable),
        (408, Unavailable),
        (429, Throttled),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
async def test_a_status_gets_its_name(status: int, error: type[SourceError]) -> None:
    wire = Wire(*[httpx.Response(status, text="inner words") for _ in range(3)])
    with pytest.raises(error) as raised:
        await wire.client().get("things", "/things")
    assert type(raised.value) is error
    assert raised.value.source == "crm"
    assert "inner words" not in str(raised.value)
    assert raised.value.detail == "inner words"


async def test_a_read_is_tried_again_while_that_can_help() -> None:
    wire = Wire(httpx.Response(503), httpx.ConnectError("no"), OK)
    assert (await wire.client().get("things", "/things")).json() == {"ok": True}
    assert len(wire.requests) == 3
    assert len(wire.slept) == 2
    assert all(0 <= seconds <= 0.3 for seconds in wire.slept)


async def test_a_write_is_sent_once() -> None:
    wire = Wire(httpx.Response(503), OK)
    with pytest.raises(Unavailable):
        await wire.client().call("open", "POST", "/cases", json={"a": 1})
    assert len(wire.requests) == 1


async def test_a_read_by_post_is_tried_again() -> None:
    wire = Wire(httpx.Response(503), OK)
    await wire.client().call("query", "POST", "/query", json={"q": 1}, reads=True)
    assert [r.content for r in wire.requests] == [b'{"q":1}', b'{"q":1}']


async def test_a_short_retry_after_is_waited_for_and_a_long_one_is_told() -> None:
    wire = Wire(httpx.Response(429, headers={"retry-after": "2"}), OK)
    await wire.client().get("things", "/things")
    assert wire.slept == [2.0]
    wire = Wire(httpx.Response(429, headers={"retry-after": "120"}), OK)
    with pytest.raises(Throttled) as raised:
        await wire.client().get("things", "/things")
    assert raised.value.retry_after == 120
    assert len(wire.requests) == 1


async def test_a_quota_without_an_end_is_not_asked_again() -> None:
    wire = Wire(httpx.Response(429), OK)
    with pytest.raises(Throttled):
        await wire.client().get("things", "/things")
    assert len(wire.requests) == 1


async def test_retry_after_reads_seconds_and_dates() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": "7"}, 0) == 7
    assert retry_after({"retry-after": later}, now.timestamp()) == 90
    assert retry_after({"retry-after": "soon"}, 0) is None
    assert retry_after({}, 0) is None


async def test_a_system_that_hangs_is_left_at_the_deadline(way: Way) -> None:
    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return OK

    heard: list[Call] = []
    wiring = way.wiring(hang, heard=heard.append)
    client = HttpClient("erp", "http://erp.example", HttpSettings(deadline=0.05), wiring)
    with pytest.raises(TimedOut) as raised:
        await client.get("orders", "/orders")
    assert raised.value.retryable
    assert [call.outcome for call in heard] == ["SOURCE_TIMED_OUT"]


async def test_html_is_unreadable_as_json() -> None:
    wire = Wire(httpx.Response(200, html="<h1>Maintenance</h1>"))
    reply = await wire.client().get("things", "/things")
    with pytest.raises(Unreadable, match="text/html"):
        reply.json()


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"", b"[" * 100_000])
async def test_broken_json_is_unreadable(body: bytes) -> None:
    headers = {"content-type": "application/json"}
    wire = Wire(httpx.Response(200, content=body, headers=headers))
    reply = await wire.client().get("things", "/things")
    with pytest.raises(Unreadable):
        reply.json()


async def test_a_body_over_the_cap_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 10_000

    wire = Wire(httpx.Response(200, content=endless()), max_megabytes=0.1)
    with pytest.raises(Unreadable, match="more than 100000 bytes"):
        await wire.client().get("things", "/things")
    assert sent < 20


async def test_a_small_body_that_unpacks_over_the_cap_is_refused() -> None:
    packed = gzip.compress(b"0" * 1_000_000)
    answer = httpx.Response(200, content=packed, headers={"content-encoding": "gzip"})
    with pytest.raises(Unreadable):
        await Wire(answer, max_megabytes=0.1).client().get("things", "/things")


async def test_a_refused_token_is_fetched_once_more_and_for_everybody(way: Way) -> None:
    fetched = 0

    async def fetch(client: HttpClient) -> str:
        nonlocal fetched
        fetched += 1
        return f"token-{fetched}"

    def handle(request: httpx.Request) -> httpx.Response:
        old = request.headers["authorization"] == "Bearer token-1"
        return httpx.Response(401) if old else httpx.Response(200, json={})

    client = HttpClient(
        "crm",
        "http://crm.example",
        HttpSettings(),
        way.wiring(handle),
        credential=Fetched(fetch),
    )
    await asyncio.gather(*(client.call("write", "POST", "/x", json={}) for _ in range(5)))
    assert fetched == 2


async def test_a_second_refusal_is_final() -> None:
    tokens = iter(["a", "b", "c"])

    async def fetch(client: HttpClient) -> str:
        return next(tokens)

    wire = Wire(httpx.Response(401), httpx.Response(401), OK)
    with pytest.raises(Refused):
        await wire.client(credential=Fetched(fetch)).get("things", "/things")
    assert len(wire.requests) == 2


async def test_what_a_valid_credential_may_not_do_costs_no_new_one() -> None:
    fetched = 0

    async def fetch(client: HttpClient) -> str:
        nonlocal fetched
        fetched += 1
        return "token"

    wire = Wire(httpx.Response(403), OK)
    with pytest.raises(Refused):
        await wire.client(credential=Fetched(fetch)).get("things", "/things")
    assert len(wire.requests) == fetched == 1
    assert [call.outcome for call in wire.heard] == ["SOURCE_REFUSED"]


@pytest.mark.parametrize("status", [400, 401, 403, 500])
@pytest.mark.parametrize("credential", [basic("portal", "hidden word"), Fixed("x-key", "hidden")])
async def test_a_page_that_shows_our_headers_is_not_kept(status: int, credential: Fixed) -> None:
    shown = "".join(f"{n}: {v} " for n, v in (await credential.headers(Wire().client())).items())
    for text in (shown, "x" * 460 + shown, "logged on with hidden word"):
        wire = Wire(httpx.Response(status, text=text), tries=1)
        with pytest.raises(SourceError) as caught:
            await wire.client(credential=credential).get("things", "/things")
        assert caught.value.detail == "withheld: it repeats our credential"


async def test_what_the_token_endpoint_says_is_not_kept() -> None:
    wire = Wire(httpx.Response(400, text="client_secret=hidden is wrong"))
    with pytest.raises(Rejected) as caught:
        await wire.client().call("token", "POST", "/token", authorized=False)
    assert caught.value.detail is None


async def test_other_words_of_the_system_are_kept_for_the_log() -> None:
    wire = Wire(httpx.Response(400, text="no such column"))
    with pytest.raises(Rejected) as caught:
        await wire.client(credential=Fixed("x-key", "hidden")).get("things", "/things")
    assert caught.value.detail == "no such column"


async def test_half_of_a_surrogate_pair_is_never_sent() -> None:
    wire = Wire()
    for more in ({"params": {"q": "\ud800"}}, {"json": {"q": "\ud800"}}):
        with pytest.raises(Rejected, match="no Unicode text"):
            await wire.client().call("things", "POST", "/things", **more)  # type: ignore[arg-type]
    assert wire.requests == []


async def test_a_fixed_credential_is_sent_and_never_shown() -> None:
    wire = Wire(OK)
    credential = basic("portal", "hidden word")
    await wire.client(credential=credential).get("things", "/things")
    assert wire.requests[0].headers["authorization"] == "Basic cG9ydGFsOmhpZGRlbiB3b3Jk"
    assert "cG9ydGFs" not in repr(credential)
    assert "secret" not in repr(Fixed("x-api-key", "secret"))


async def test_the_connector_names_what_only_its_system_means() -> None:
    def explain(reply: Reply) -> SourceError | None:
        return Throttled(reply.source, "quota") if b"QUOTA" in reply.body else None

    wire = Wire(httpx.Response(403, text="QUOTA"))
    with pytest.raises(Throttled):
        await wire.client(explain=explain).get("things", "/things")


async def test_calls_in_flight_are_bounded(way: Way) -> None:
    flying, most = 0, 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.001)
        flying -= 1
        return httpx.Response(200, json={})

    wiring = way.wiring(handle)
    client = HttpClient("crm", "http://crm.example", HttpSettings(concurrency=3), wiring)
    await asyncio.gather(*(client.get("x", "/x") for _ in range(20)))
    assert most == 3


async def test_redirects_are_not_followed_with_the_credential() -> None:
    wire = Wire(httpx.Response(302, headers={"location": "https://elsewhere.example/"}))
    with pytest.raises(Unreadable, match="redirected"):
        await wire.client(credential=Fixed("authorization", "x")).get("things", "/things")
    assert [r.url.host for r in wire.requests] == ["crm.example"]
