"""A system that fails costs its own fields and nothing else, and the error says what to do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.stories.portal import Answer, Portal, opened

pytestmark = pytest.mark.anyio

PAGE = """{
  viewer { email }
  cases(first: 5) { nodes { number contact { name } order { number } } }
  orders(first: 5) { nodes { number cases { nodes { number } } } }
  news(first: 3) { nodes { title } }
  faqs(first: 1) { nodes { question } }
}"""


def told(answer: Answer) -> dict[str, dict[str, object]]:
    """Extensions of the errors by the first step of their path; equal ones are one."""
    found: dict[str, dict[str, object]] = {}
    for error in answer.errors:
        assert error["message"]
        assert "Traceback" not in str(error)
        found[str(error["path"][0])] = error["extensions"]
    return found


async def test_an_erp_that_is_down_costs_the_orders_alone(portal: Portal) -> None:
    portal.faults.erp.arm("status", 503)
    answer = await portal.ask(PAGE)
    assert answer.status == 200
    assert answer.partial["orders"] is None
    cases = answer.partial["cases"]["nodes"]
    assert len(cases) == 5
    assert all(case["order"] is None for case in cases)
    named = [error["path"][2] for error in answer.errors if error["path"][-1] == "order"]
    everything = (await portal.ask("{ cases(first: 5) { nodes { number } } }")).data
    assert len(everything["cases"]["nodes"]) == 5
    assert 0 < len(named) < 5, "a case that names no order asked the ERP for nothing"
    assert answer.partial["viewer"]["email"]
    assert len(answer.partial["news"]["nodes"]) == 3
    erp = {"code": "SOURCE_UNAVAILABLE", "source": "erp", "retryable": True, "retryAfterMs": 1000}
    assert told(answer)["orders"] == erp
    for error in answer.errors:
        assert error["extensions"] == erp
        assert error["path"][0] == "orders" or error["path"][-1] == "order"
    assert "no está disponible" in answer.errors[0]["message"]


async def test_a_crm_that_is_down_costs_cases_and_leaves_orders(portal: Portal) -> None:
    await portal.ask("{ viewer { email } }")  # who asks is known for a while
    portal.faults.crm.arm("status", 503)
    answer = await portal.ask("{ cases { nodes { id } } orders(first: 2) { nodes { number } } }")
    assert answer.partial["cases"] is None
    assert len(answer.partial["orders"]["nodes"]) == 2
    assert answer.error["extensions"]["source"] == "crm"


async def test_without_a_crm_nobody_new_is_let_in_and_everybody_reads_the_news(
    portal: Portal,
) -> None:
    portal.faults.crm.arm("status", 503)
    answer = await portal.ask(PAGE)
    assert answer.partial["viewer"] is None
    assert answer.partial["cases"] is None
    assert answer.partial["orders"] is None
    assert len(answer.partial["news"]["nodes"]) == 3
    assert len(answer.partial["faqs"]["nodes"]) == 1
    codes = {error["extensions"]["code"] for error in answer.errors}
    assert codes == {"SOURCE_UNAVAILABLE"}, "could not be decided is not the same as not allowed"


async def test_a_crm_slower_than_its_deadline_is_left(database: Path, keys: Path) -> None:
    async with opened(database, keys, {"crm": {"http": {"deadline": 0.2}}}) as portal:
        await portal.ask("{ viewer { email } }")
        portal.faults.crm.arm("hang")
        started = time.monotonic()
        answer = await portal.ask("{ cases { nodes { id } } orders(first: 1) { nodes { id } } }")
        assert time.monotonic() - started < 5, "the deadline, not the system, ended the wait"
        assert answer.partial["cases"] is None
        assert len(answer.partial["orders"]["nodes"]) == 1
        assert told(answer)["cases"] == {
            "code": "SOURCE_TIMED_OUT",
            "source": "crm",
            "retryable": True,
        }


@pytest.mark.parametrize("part", ["crm", "erp", "site"])
@pytest.mark.parametrize("status", [200, 503])
async def test_a_page_of_html_is_no_answer(portal: Portal, part: str, status: int) -> None:
    await portal.ask("{ viewer { email } }")
    getattr(portal.faults, part).arm("html", status)
    answer = await portal.ask(PAGE)
    field = {"crm": "cases", "erp": "orders", "site": "news"}[part]
    assert answer.status == 200
    assert answer.partial[field] is None
    told_code = told(answer)[field]["code"]
    assert told_code in (
        ("SOURCE_UNAVAILABLE",) if status == 503 else ("SOURCE_UNREADABLE", "SOURCE_REFUSED")
    )
    assert "<" not in str(answer.errors)


@pytest.mark.parametrize("part", ["crm", "erp"])
async def test_a_body_that_breaks_off_is_no_answer(portal: Portal, part: str) -> None:
    await portal.ask("{ viewer { email } }")
    getattr(portal.faults, part).arm("truncated", True)
    answer = await portal.ask(PAGE)
    field = {"crm": "cases", "erp": "orders"}[part]
    assert answer.partial[field] is None
    assert str(told(answer)[field]["code"]).startswith("SOURCE_UN")


async def test_a_quota_that_is_used_up_is_not_asked_again(portal: Portal) -> None:
    await portal.ask("{ viewer { email } }")
    portal.faults.crm.arm("quota")
    answer = await portal.ask("{ cases { nodes { id } } }")
    assert answer.partial["cases"] is None
    assert answer.error["extensions"]["code"] == "SOURCE_THROTTLED"
    assert answer.error["extensions"]["retryable"] is True
    assert answer.cost == {"crm": 1}


async def test_a_throttled_erp_says_when_to_come_back(portal: Portal) -> None:
    portal.faults.erp.arm("status", 429)
    portal.faults.erp.retry_after = 60
    answer = await portal.ask("{ orders { nodes { id } } }")
    assert answer.error["extensions"] == {
        "code": "SOURCE_THROTTLED",
        "source": "erp",
        "retryable": True,
        "retryAfterMs": 60_000,
    }
    assert answer.cost == {"erp": 1}


async def test_an_expired_session_is_renewed_unseen(portal: Portal) -> None:
    await portal.ask("{ viewer { email } }")
    portal.faults.crm.arm("expire", True, times=1)
    answer = await portal.ask("{ cases(first: 1) { nodes { number } } }")
    assert len(answer.data["cases"]["nodes"]) == 1
    assert answer.cost == {"crm": 2}


async def test_one_part_of_a_packed_call_that_fails_costs_its_own_field(portal: Portal) -> None:
    await portal.ask("{ viewer { email } }")
    portal.faults.crm.arm("partial")
    answer = await portal.ask(
        "{ cases(first: 5) { totalCount nodes { number } } a: cases(first: 1, filter: {kinds: [QUERY]}) { nodes { number } } }"
    )
    assert answer.errors
    assert all(error["extensions"]["source"] == "crm" for error in answer.errors)
    assert any(answer.partial[field] is not None for field in ("cases", "a"))


BATCH = {"erp": {"long_questions": "batch", "url_limit_bytes": 1_000}}
JOINED = "{ cases(first: 100) { nodes { number order { number } } } }"


async def test_an_expired_csrf_token_is_fetched_again(database: Path, keys: Path) -> None:
    async with opened(database, keys) as portal:
        expected = (await portal.ask(JOINED)).data
    async with opened(database, keys, BATCH) as portal:
        assert (await portal.ask(JOINED)).data == expected
        portal.faults.erp.arm("csrf", True, times=1)
        again = await portal.ask(JOINED)
        assert again.data == expected
        posts = [call for call in again.calls if call.method == "POST"]
        assert len(posts) == 2, "refused once, sent again once"


async def test_a_csrf_token_that_is_refused_again_costs_the_orders_alone(
    database: Path, keys: Path
) -> None:
    async with opened(database, keys, BATCH) as portal:
        await portal.ask(JOINED)
        portal.faults.erp.arm("csrf")
        answer = await portal.ask(JOINED)
        assert answer.status == 200
        assert len(answer.partial["cases"]["nodes"]) > 50
        assert all(case["order"] is None for case in answer.partial["cases"]["nodes"])
        for error in answer.errors:
            assert error["path"][-1] == "order"
            assert error["extensions"] == {
                "code": "SOURCE_REFUSED",
                "source": "erp",
                "retryable": False,
            }
        posts = [call for call in answer.calls if call.method == "POST"]
        assert len(posts) == 2, "tried once more with a new token, and not again"


async def test_a_site_that_is_down_costs_the_news_alone(portal: Portal) -> None:
    portal.faults.site.arm("status", 500)
    answer = await portal.ask(PAGE)
    assert answer.partial["news"] is None
    assert answer.partial["cases"]["nodes"]
    assert told(answer)["news"]["code"] == "SOURCE_UNAVAILABLE"


async def test_errors_are_told_in_the_callers_language(portal: Portal) -> None:
    portal.faults.site.arm("status", 503)
    messages = {
        language: (await portal.ask("{ news { nodes { id } } }", language=language)).error[
            "message"
        ]
        for language in ("es", "en", "pt-BR")
    }
    assert "no está disponible" in messages["es"]
    assert "is not available" in messages["en"]
    assert "não está disponível" in messages["pt-BR"]


async def test_what_nobody_foresaw_is_masked(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr("schema.support.desks.Desks.desk", broken)
    answer = await portal.ask('{ supportDesk(country: "CO") { phone } }')
    assert answer.error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "secret" not in str(answer.body)
    error_id = answer.error["extensions"]["errorId"]
    assert error_id in answer.error["message"]
    assert [r for r in caplog.records if getattr(r, "error_id", "") == error_id]
