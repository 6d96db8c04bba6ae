"""What goes wrong on the way to an SAP, and what each of it is called."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from connectors.port.errors import (
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Unavailable,
    Unreadable,
)
from connectors.port.records import OrderStatus
from connectors.systems.sap.client import together
from connectors.systems.sap.settings import Basic, OAuth, Settings
from tests.connectors.sap.fake import (
    DELIVERIES,
    ORDERS_V2,
    PARTNERS,
    FakeSap,
    always,
    answer,
    order,
)
from tests.connectors.sap.opened import ANDINA, BOTH, EVERYTHING, ONE, SECRET, URL, opened, query

pytestmark = pytest.mark.anyio

Instead = Callable[[httpx.Request], httpx.Response | None]


def sap(*first: Instead | httpx.Response, **more: Any) -> FakeSap:
    rows = [order(str(4500000 + n)) for n in range(60)]
    fake = FakeSap(tables={(ORDERS_V2, "A_SalesOrder"): rows}, **more)
    fake.first = [one if callable(one) else always(one) for one in first]
    return fake


def text(
    status: int, body: str, content_type: str = "text/plain", **headers: str
) -> httpx.Response:
    return httpx.Response(status, text=body, headers={"content-type": content_type, **headers})


LOGON = '<html><form action="https://idp.example/saml2"><input type="password"></form></html>'
BUSY = "<html><body><h1>Maintenance until 22:00</h1></body></html>"
MISSING = {"error": {"code": "V1/312", "message": {"lang": "en", "value": "No such document 77"}}}


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (text(200, LOGON, "text/html"), Refused, "logon page"),
        (text(302, "", location="https://idp.example/saml2/sso"), Refused, "logon page"),
        (text(302, "", location="/elsewhere"), Unreadable, "redirected"),
        (text(200, BUSY, "text/html; charset=utf-8"), Unreadable, "page for people"),
        (text(503, BUSY, "text/html"), Unavailable, "503"),
        (text(500, BUSY, "text/html"), Unavailable, "500"),
        (text(401, ""), Refused, "401"),
        (text(403, ""), Refused, "403"),
        (text(414, "too long"), Rejected, "url_limit_bytes"),
        (text(200, "{", "application/json"), Unreadable, "not JSON"),
        (text(200, '{"d":{}}', "application/json"), Unreadable, "no list"),
        (answer({"d": {"results": [{"SalesOrder": "x'"}]}}), None, ""),
        (answer(MISSING, 400), Rejected, "400"),
        (
            text(400, "<error><code>V1/312</code><message>No such 77</message></error>"),
            Rejected,
            "400",
        ),
    ],
)
async def test_each_failure_has_its_name(
    reply: httpx.Response, kind: type[SourceError] | None, words: str
) -> None:
    fake = sap(*[reply] * 3)
    async with opened(fake) as erp:
        if kind is None:
            assert (await erp.orders.find_orders(query(ONE))).items == []
            return
        with pytest.raises(kind) as caught:
            await erp.orders.find_orders(query(ONE))
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert "77" not in str(caught.value)
    assert SECRET not in f"{caught.value!r} {caught.value.detail}"


async def test_a_busy_system_is_asked_again_and_a_throttled_one_later() -> None:
    fake = sap(text(503, ""), text(503, "", **{"retry-after": "1"}))
    async with opened(fake) as erp:
        assert len((await erp.orders.find_orders(query(ONE, 5))).items) == 5
    assert len(erp.calls) == 3
    slow = sap(*[text(429, "", **{"retry-after": "60"})] * 3)
    async with opened(slow) as erp:
        with pytest.raises(Throttled) as caught:
            await erp.orders.find_orders(query(ONE))
    assert caught.value.retry_after == 60
    assert len(slow.asked) == 1


async def test_a_system_that_hangs_is_left_at_the_deadline() -> None:
    class Hanging(FakeSap):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout("slow", request=request)

    async with opened(Hanging()) as erp:
        with pytest.raises(TimedOut):
            await erp.orders.find_orders(query(ONE))


@pytest.mark.parametrize(
    "row",
    [
        {"SalesOrder": "", "SalesOrderDate": "/Date(0)/"},
        {"SalesOrder": "1", "SalesOrderDate": None},
        {"SalesOrder": "1", "SalesOrderDate": "soon"},
        {"SalesOrder": "1", "SalesOrderDate": "/Date(0)/", "TotalNetAmount": "ten"},
        {"SalesOrder": "1", "SalesOrderDate": "/Date(0)/", "TotalNetAmount": None},
    ],
)
async def test_a_broken_row_names_its_column_and_not_its_value(row: dict[str, Any]) -> None:
    reply = answer({"d": {"results": [{"SoldToParty": "17100001", "to_Item": [], **row}]}})
    async with opened(sap(reply)) as erp:
        with pytest.raises(Unreadable, match=r"find_orders: \w+ is") as caught:
            await erp.orders.find_orders(query(ONE, fields={"total"}))
    assert "soon" not in str(caught.value)
    assert "ten" not in str(caught.value)


# ---------------------------------------------------------------------------- credentials, check


async def test_calls_carry_the_logon_the_client_and_the_language_and_no_cookie() -> None:
    fake = sap(lambda r: answer({"d": {"results": []}}, set_cookie="SAP_SESSIONID=x; path=/"))
    async with opened(fake, sap_client="100", language="es") as erp:
        await erp.orders.find_orders(query(ONE))
        await erp.orders.find_orders(query(ONE))
    for request in fake.asked:
        pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic "))
        assert pair.decode() == f"GATEWAY:{SECRET}"
        assert request.headers["sap-client"] == "100"
        assert request.headers["accept-language"] == "es"
        assert request.headers["accept"] == "application/json"
        assert "cookie" not in request.headers


async def test_check_asks_for_the_service_alone() -> None:
    fake = sap()
    async with opened(fake) as erp:
        await erp.system.check()
    assert [request.url.path for request in fake.asked] == [ORDERS_V2 + "/"]
    async with opened(sap(text(200, LOGON, "text/html"))) as erp:
        with pytest.raises(Refused):
            await erp.system.check()


OAUTH = {
    "token_url": f"{URL}/sap/bc/sec/oauth2/token",
    "client_id": "gateway",
    "client_secret": "s-77",
    "scope": "API_SALES_ORDER_SRV_0001",
}


async def test_a_token_is_fetched_once_and_renewed_when_refused() -> None:
    token = answer({"access_token": "one", "expires_in": "3600", "token_type": "Bearer"})
    other = answer({"access_token": "two"})
    fake = sap(token, lambda r: None, text(401, ""), other, lambda r: None)
    async with opened(fake, basic=None, oauth=OAUTH) as erp:
        await erp.orders.find_orders(query(ONE))
        await erp.orders.find_orders(query(ONE))
    fetched = fake.asked[0]
    assert fetched.content == b"grant_type=client_credentials&scope=API_SALES_ORDER_SRV_0001"
    assert fetched.headers["content-type"] == "application/x-www-form-urlencoded"
    assert fetched.headers["authorization"].startswith("Basic ")
    assert fake.logons[1:3] == ["Bearer one"] * 2
    assert fake.logons[4] == "Bearer two"


@pytest.mark.parametrize("status", [400, 401])
async def test_a_client_that_is_not_known_is_refused(status: int) -> None:
    fake = sap(answer({"error": "invalid_client", "error_description": "s-77"}, status))
    async with opened(fake, basic=None, oauth=OAUTH) as erp:
        with pytest.raises(Refused) as caught:
            await erp.orders.find_orders(query(ONE))
    assert "s-77" not in str(caught.value)
    assert len(fake.asked) == 1


def test_secrets_are_in_no_representation() -> None:
    held = Settings(url=URL, basic=Basic(user="u", password=SECRET))
    with_token = msgspec.convert({"url": URL, "oauth": OAUTH}, Settings)
    assert SECRET not in repr(held) + str(held)
    assert "s-77" not in repr(with_token) + repr(OAuth(**OAUTH))


# -------------------------------------------------------------------------------- pages of SAP


async def test_a_following_page_elsewhere_gets_no_credential() -> None:
    for elsewhere in (
        "https://evil.example/x?$skiptoken=2",
        "http://erp.example/x?$skiptoken=2",
        "https://erp.example:8443/x",
        "https://erp.example@evil.example/",
        "//evil.example/x",
        "http://[",
    ):
        fake = sap(answer({"d": {"results": [], "__next": elsewhere}}))
        async with opened(fake) as erp:
            with pytest.raises(Unreadable, match="not on its host"):
                await erp.orders.find_orders(query(ONE))
        assert len(fake.asked) == 1


async def test_the_rest_of_the_lines_is_fetched() -> None:
    line = {"SalesOrderItem": "20"}
    first = {
        "SalesOrder": "4500001",
        "SoldToParty": "17100001",
        "to_Item": {"results": [{"SalesOrderItem": "10"}], "__next": f"{URL}{ORDERS_V2}/rest?a=1"},
    }
    fake = sap(answer({"d": {"results": [first]}}), answer({"d": {"results": [line]}}))
    async with opened(fake) as erp:
        found = await erp.orders.lines_by_order(["4500001"], frozenset({"position"}), ONE)
    assert [one.position for one in found[0]] == ["10", "20"]
    v4 = {
        "SalesOrder": "4500001",
        "SoldToParty": "17100001",
        "_Item": [{"SalesOrderItem": "10"}],
        "_Item@odata.nextLink": "SalesOrder('4500001')/_Item?$skiptoken=1",
    }
    fake = sap(answer({"value": [v4]}), answer({"value": [line]}))
    async with opened(fake, sales_orders="v4") as erp:
        found = await erp.orders.lines_by_order(["4500001"], frozenset({"position"}), ONE)
    assert [one.position for one in found[0]] == ["10", "20"]
    assert fake.asked[1].url.path.endswith("/salesorder/0001/SalesOrder('4500001')/_Item")


async def test_pages_without_end_are_given_up() -> None:
    endless = answer({"d": {"results": [], "__next": f"{URL}{DELIVERIES}/more"}})
    fake = sap(*[endless] * 10)
    async with opened(fake, max_pages=4) as erp:
        with pytest.raises(Unreadable, match="more than 4 pages"):
            await erp.orders.deliveries_by_order(["4500001"], frozenset(), ONE)
    assert len(fake.asked) == 4


# ------------------------------------------------------------------------------------- releases


async def test_what_an_older_release_lacks_is_left_out_from_then_on() -> None:
    fake = sap(lacks={"to_ScheduleLine", "HeaderBillingBlockReason"})
    async with opened(fake) as erp:
        first = await erp.orders.find_orders(query(ONE, 5, fields=EVERYTHING))
        assert [call.operation for call in erp.calls] == [
            "find_orders",
            "find_orders.metadata",
            "find_orders",
        ]
        assert first.items[0].lines[0].delivered_quantity is None
        again = await erp.orders.find_orders(query(ONE, 5, fields=EVERYTHING))
    assert list(again.items) == list(first.items)
    assert len(fake.asked) == 4
    assert "HeaderBillingBlockReason" not in fake.options()["$select"]


async def test_a_status_filter_does_without_letters_that_are_not_there() -> None:
    fake = sap(lacks={"OverallOrdReltdBillgStatus", "DeliveryBlockReason"})
    async with opened(fake) as erp:
        blocked = query(ONE, statuses=(OrderStatus.BLOCKED, OrderStatus.OPEN), fields={"status"})
        page = await erp.orders.find_orders(blocked)
        nothing = await erp.orders.find_orders(query(ONE, statuses=(OrderStatus.INVOICED,)))
    assert len(page.items) == 25
    assert list(nothing.items) == []
    assert len(fake.asked) == 3


async def test_what_cannot_be_done_without_is_named() -> None:
    fake = sap(lacks={"TaxAmount"})
    async with opened(fake) as erp:
        with pytest.raises(Rejected) as caught:
            await erp.orders.find_orders(query(ONE, fields={"total"}))
        assert caught.value.field == "tax"
        assert (await erp.orders.find_orders(query(ONE, fields={"subtotal"}))).items
    assert len(fake.asked) == 3


async def test_many_askers_probe_once() -> None:
    fake = sap(lacks={"to_ScheduleLine"})
    async with opened(fake) as erp:
        await together(
            erp.orders.lines_by_order([str(4500000 + n)], frozenset({"delivered_quantity"}), ONE)
            for n in range(5)
        )
    assert [r.url.path for r in fake.asked].count(ORDERS_V2 + "/$metadata") == 1


async def test_a_service_that_lies_about_itself_is_believed_once() -> None:
    error = {"error": {"code": "x", "message": "Property SalesOrderDate not found in type Y"}}
    fake = sap(answer(error, 400), lambda r: None, answer(error, 400))
    async with opened(fake) as erp:
        with pytest.raises(Rejected) as caught:
            await erp.orders.find_orders(query(ONE))
    assert caught.value.field == "ordered_on"
    assert len(fake.asked) == 3


# ---------------------------------------------------------------------------------------- batch

NUMBERS = [str(4500000 + n) for n in range(60)]
BATCH: dict[str, Any] = {"long_questions": "batch", "url_limit_bytes": 1000}


async def test_a_long_question_travels_as_one_batch() -> None:
    fake = sap()
    async with opened(fake, **BATCH) as erp:
        found = await erp.orders.orders_by_number(NUMBERS, frozenset({"number"}), ONE)
        again = await erp.orders.orders_by_number(NUMBERS, frozenset({"number"}), ONE)
    assert [one and one.number for one in found] == NUMBERS
    assert found == again
    assert [call.operation for call in erp.calls] == [
        "csrf_token",
        "orders_by_number",
        "orders_by_number",
    ]
    sent = fake.asked[1]
    assert (sent.method, sent.url.path) == ("POST", ORDERS_V2 + "/$batch")
    assert sent.headers["x-csrf-token"] == "t-1"
    assert sent.headers["cookie"] == "SAP_SESSIONID_X_100=t-1"
    assert fake.asked[0].headers["x-csrf-token"] == "Fetch"
    assert all(part.startswith("A_SalesOrder?$select=") for part in fake.parts)
    short = await _short(fake)
    assert short.method == "GET"


async def _short(fake: FakeSap) -> httpx.Request:
    async with opened(fake, **BATCH) as erp:
        await erp.orders.orders_by_number(NUMBERS[:2], frozenset(), ONE)
    return fake.asked[-1]


async def test_an_expired_token_is_fetched_again_once() -> None:
    fake = sap()
    async with opened(fake, **BATCH) as erp:
        await erp.orders.orders_by_number(NUMBERS, frozenset(), ONE)
        fake.token = "t-2"
        found = await erp.orders.orders_by_number(NUMBERS, frozenset(), ONE)
    assert None not in found
    assert [r.headers.get("x-csrf-token") for r in fake.asked] == [
        "Fetch",
        "t-1",
        "t-1",
        "Fetch",
        "t-2",
    ]


async def test_a_token_that_is_never_good_is_a_refusal() -> None:
    expired = text(403, "CSRF token validation failed", **{"x-csrf-token": "Required"})
    fake = sap(lambda r: None, expired, lambda r: None, expired)
    async with opened(fake, **BATCH) as erp:
        with pytest.raises(Refused, match="fresh token"):
            await erp.orders.orders_by_number(NUMBERS, frozenset(), ONE)
    assert len(fake.asked) == 4


def multipart(*parts: tuple[int, Any]) -> httpx.Response:
    lines = []
    for status, body in parts:
        lines += ["--b", "Content-Type: application/http", "", f"HTTP/1.1 {status} X"]
        lines += ["Content-Type: application/json", "", json.dumps(body)]
    body = "\r\n".join([*lines, "--b--", ""])
    return httpx.Response(202, text=body, headers={"content-type": "multipart/mixed; boundary=b"})


async def test_a_part_that_failed_for_now_is_asked_again_alone() -> None:
    fake = sap()
    empty: dict[str, Any] = {"d": {"results": []}}
    busy = {"error": {"code": "SY/530", "message": {"value": "Too many sessions"}}}
    async with opened(fake, keys_per_question=20, **{**BATCH, "url_limit_bytes": 8000}) as erp:
        fake.first = [lambda r: None, lambda r: multipart((200, empty), (503, busy), (200, empty))]
        found = await erp.orders.orders_by_number(NUMBERS, frozenset(), ONE)
    assert [one is not None for one in found] == [False] * 20 + [True] * 20 + [False] * 20
    assert [(r.method, len(r.content) > 0) for r in fake.asked] == [
        ("GET", False),
        ("POST", True),
        ("GET", False),
    ]


async def test_a_part_that_is_refused_for_good_fails_the_question() -> None:
    for status, kind in ((400, Rejected), (403, Refused)):
        fake = sap(
            lambda r: None, multipart((200, {"d": {"results": []}}), (status, MISSING), (200, {}))
        )
        async with opened(fake, keys_per_question=20, **{**BATCH, "url_limit_bytes": 8000}) as erp:
            with pytest.raises((Rejected, Refused, Unreadable)) as caught:
                await erp.orders.orders_by_number(NUMBERS, frozenset(), ONE)
        assert isinstance(caught.value, kind | Unreadable)
        assert len(fake.asked) == 2


@pytest.mark.parametrize(
    "reply",
    [multipart((200, {"d": {"results": []}})), text(202, "x", "multipart/mixed; boundary=b")],
)
async def test_an_answer_with_other_parts_than_asked_is_unreadable(reply: httpx.Response) -> None:
    async with opened(sap(lambda r: None, reply), **BATCH) as erp:
        with pytest.raises(Unreadable):
            await erp.orders.orders_by_number(NUMBERS, frozenset(), ONE)


async def test_addresses_of_an_unavailable_service_fail_under_their_own_name() -> None:
    fake = sap(*[text(503, "")] * 3)
    async with opened(fake) as erp:
        with pytest.raises(Unavailable, match="shipping_addresses_by_account"):
            await erp.orders.shipping_addresses_by_account([ANDINA], BOTH)
    assert fake.asked[0].url.path.startswith(PARTNERS)
