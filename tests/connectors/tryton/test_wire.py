"""How Tryton's failures get their names, and what settings it takes."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from connectors.port.errors import (
    Refused,
    SourceError,
    TimedOut,
    Unavailable,
    Unreadable,
)
from connectors.systems.tryton.client import key_of
from connectors.systems.tryton.domain import NOTHING
from connectors.systems.tryton.settings import TrytonSettings
from tests.connectors.tryton.fake_tryton import KEY, URL, Opener

HTML = {"content-type": "text/html; charset=utf-8"}
PAGE = "<!doctype html><title>Oops</title>"


def page(status: int) -> httpx.Response:
    """As werkzeug answers."""
    return httpx.Response(status, headers=HTML, text=PAGE)


USER_ERROR = {"status": 400, "message": f"You may not read {KEY[:4]}", "description": ""}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "kind", "calls"),
    [
        (page(401), Refused, 1),
        (page(403), Refused, 1),
        (httpx.Response(400, json=USER_ERROR), Refused, 1),
        (page(404), Unreadable, 1),
        (page(500), Unavailable, 3),
        (page(502), Unavailable, 3),
        (page(200), Unreadable, 1),
        (httpx.Response(302, headers={"location": "/login"}), Unreadable, 1),
        ({"rows": []}, Unreadable, 1),
        ([1, 2], Unreadable, 1),
        (httpx.ConnectError("refused"), Unavailable, 3),
        (httpx.ReadTimeout("slow"), TimedOut, 1),
    ],
)
async def test_failures_get_their_names(
    opened: Opener, answer: Any, kind: type[SourceError], calls: int
) -> None:
    tryton = await opened(answer)
    with pytest.raises(SourceError) as caught:
        await tryton.system.check()
    assert type(caught.value) is kind
    assert len(tryton.asked) == calls
    assert KEY not in f"{caught.value!r} {caught.value} {caught.value.detail}"


@pytest.mark.anyio
async def test_a_count_that_is_none_is_unreadable(opened: Opener) -> None:
    tryton = await opened([])
    with pytest.raises(Unreadable):
        await tryton.system.orders._tryton.count("count", "sale.sale", NOTHING)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1", 1),
        ("2147483647", 2147483647),
        ("2147483648", None),
        ("0", None),
        ("01", None),
        ("-1", None),
        ("1 ", None),
        ("", None),
        ("٣", None),
        ("1" * 5000, None),
    ],
)
def test_ids_are_what_a_database_can_hold(text: str, key: int | None) -> None:
    assert key_of(text) == key


GIVEN: dict[str, Any] = {"url": URL, "database": "company", "key": KEY}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"url": "ftp://erp.example"}, "url"),
        ({"url": "https://a:b@erp.example"}, "url"),
        ({"url": "http://erp.example"}, "https"),
        ({"key": ""}, "key"),
        ({"database": ""}, "database"),
        ({"relations": {}}, "relations"),
        ({"relations": {"x": "OWNER"}}, "relations"),
        ({"statuses": []}, "statuses"),
        ({"statuses": [{"status": "OPEN", "state": ["draft"]}]}, "statuses"),
        ({"deliveries": {"done": "LOST"}}, "deliveries"),
        ({"number_digits": 99}, "number_digits"),
        ({"dated_by": "create_date"}, "dated_by"),
        ({"tabel": 1}, "tabel"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        msgspec.convert({**GIVEN, **change}, TrytonSettings)


def test_settings_never_show_the_key() -> None:
    settings = msgspec.convert({**GIVEN, "url": "http://127.0.0.1:8000"}, TrytonSettings)
    assert KEY not in f"{settings!r} {settings}"
