"""Opens the GraphiQL page in Chromium, as a person would, with nothing but loopback in reach."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from gateway.http.graphiql import CONTENT_SECURITY_POLICY
from tests.live.graphiql_browser import Browser, Seen, browser
from tests.live.portal import Gateway as Server

pytestmark = [pytest.mark.live, pytest.mark.anyio]

EMAIL = "ana.torres@andina.example"

EDITOR = ".graphiql-query-editor"
ANSWER = """\
[...document.querySelectorAll('.graphiql-response .view-line')]
  .map((line) => line.textContent.replaceAll('\\u00a0', ' ')).join('\\n')"""
# Its text in several colours and its lines one below the other: the editor's styles got through.
COLOURS = f"""\
new Set([...document.querySelectorAll('{EDITOR} .view-line span')]
  .map((part) => getComputedStyle(part).color)).size"""
LINE_PLACES = f"""\
new Set([...document.querySelectorAll('{EDITOR} .view-line')]
  .map((line) => Math.round(line.getBoundingClientRect().top))).size"""
SUGGESTIONS = """\
[...document.querySelectorAll('.suggest-widget .monaco-list-row')]
  .map((row) => row.textContent).join()"""
CONTEXT_MENU = (
    "document.querySelector('.shadow-root-host')?.shadowRoot?.querySelector('.monaco-menu')"
)


class Gateway(Protocol):
    """What the fixture `gateway_server` of this folder gives."""

    @property
    def url(self) -> str:
        """Where it listens: http://127.0.0.1:8123, without a slash at the end."""

    def token(self, email: str) -> str:
        """An access token of that person."""


@pytest.fixture
async def page(gateway_server: Gateway, tmp_path: Path) -> AsyncIterator[Browser]:
    async with browser(tmp_path / "profile") as opened:
        await opened.go("Page.navigate", url=f"{gateway_server.url}/graphql")
        await opened.until(there(f"{EDITOR} .view-line span"))
        yield opened


def there(selector: str) -> str:
    """An expression: whether the page has such an element."""
    return f"document.querySelector({json.dumps(selector)}) !== null"


async def run_example(page: Browser, name: str) -> dict[str, Any]:
    """The gateway's answer to an example that was opened and run, once the page shows an answer."""
    await page.click(f"[data-example='{name}']")
    await page.until(there(f"[data-example='{name}'][aria-current='true']"))
    before = len(page.seen.answers)
    await page.click(".graphiql-execute-button")
    assert await page.eventually(lambda seen: len(seen.answers) > before), f"{name}: no answer"
    await page.until(f"({ANSWER}).includes('\"data\"')")
    answer: dict[str, Any] = json.loads(await page.body(page.seen.answers[before]))
    return answer


def sent_with(page: Browser, operation: str) -> dict[str, str]:
    """The headers, names in small letters, that an operation was sent with."""
    (headers,) = [each.headers for each in page.seen.requests if f"query {operation}" in each.body]
    return headers


async def test_a_person_with_a_token_reads_their_own_data(
    page: Browser, gateway_server: Gateway
) -> None:
    token = gateway_server.token(EMAIL)
    await page.click("input[name=token]")
    await page.type(f" Bearer {token} ")
    answer = await run_example(page, "01-who-am-i")
    assert "errors" not in answer
    assert answer["data"]["viewer"]["contact"]["email"] == EMAIL
    assert f'"email": "{EMAIL}"' in await page.evaluate(ANSWER)
    assert sent_with(page, "WhoAmI")["authorization"] == f"Bearer {token}"

    cases = await run_example(page, "10-my-cases")
    assert "errors" not in cases
    assert cases["data"]["cases"]["nodes"] != []


async def test_the_token_is_kept_for_this_tab_only(page: Browser, gateway_server: Gateway) -> None:
    token = gateway_server.token(EMAIL)
    await page.click("input[name=token]")
    await page.type(token)
    await run_example(page, "01-who-am-i")
    assert token in await page.evaluate("Object.values(sessionStorage).join()")
    assert token not in await page.evaluate("Object.values(localStorage).join()")
    await page.go("Page.reload")
    await page.until(f"document.querySelector('input[name=token]')?.value === {json.dumps(token)}")


async def test_a_person_without_one_is_told_how_to_get_it(page: Browser) -> None:
    hint = await page.evaluate("document.querySelector('.token-hint').textContent")
    assert "python -m gateway token <email>" in hint
    assert "make serve" in hint

    answer = await run_example(page, "01-who-am-i")
    assert answer["data"] == {"viewer": None}
    assert "authorization" not in sent_with(page, "WhoAmI")


async def test_the_language_picked_is_asked_for(page: Browser) -> None:
    picker = "document.querySelector('select[name=language]')"
    assert await page.evaluate(f"{picker}.focus() ?? {picker}.value") == "en"
    await page.press("ArrowDown", "ArrowDown")
    assert await page.evaluate(f"{picker}.value") == "pt"
    answer = await run_example(page, "41-questions-by-topic")
    assert answer["data"]["faqs"]["nodes"] != []
    assert sent_with(page, "QuestionsByTopic")["accept-language"] == "pt"


async def test_the_schema_is_there_to_read_and_to_complete_from(page: Browser) -> None:
    await page.click("[aria-label='New tab']")
    await page.click(f"{EDITOR} .view-lines")
    await page.type("{ suppor")
    await page.press("Space", " ", ctrl=True)
    await page.until(f"({SUGGESTIONS}).includes('supportDesk')")
    await page.click("[aria-label='Show Documentation Explorer']")
    await page.until("document.querySelector('.graphiql-plugin').textContent.includes('Query')")


OPEN_A_CASE = """mutation { createCase(input: {category: "QUERY", description: "¿Cuándo llega?"}) {
  userErrors { code } } }"""


async def test_cases_are_followed_until_one_stops(page: Browser, gateway_server: Server) -> None:
    await page.click("input[name=token]")
    await page.type(gateway_server.token(EMAIL))
    await page.click("[aria-label='New tab']")
    await page.click(f"{EDITOR} .view-lines")
    await page.type("subscription Followed { casesChanged { event ")
    await page.click(".graphiql-execute-button")
    await page.until(there("[aria-label^='Stop query']"))
    await asyncio.to_thread(gateway_server.ask, OPEN_A_CASE, by=EMAIL)
    await page.until(f"({ANSWER}).includes('casesChanged')")
    await page.click("[aria-label^='Stop query']")
    await page.until(there("[aria-label^='Execute query']"))
    assert page.seen.complaints == []


async def test_the_page_keeps_to_itself_and_to_its_policy(
    page: Browser, gateway_server: Gateway
) -> None:
    await run_example(page, "42-support-desk")
    assert await page.evaluate(LINE_PLACES) > 5
    assert await page.evaluate(COLOURS) > 2
    await open_what_brings_its_own_styles(page)
    assert await page.eventually(lambda seen: loaded(seen, "graphql") and loaded(seen, "json"))
    assert await page.eventually(lambda seen: set(seen.workers) <= seen.policies.keys())

    seen = page.seen
    here = urlsplit(gateway_server.url)
    asked = [each.url for each in seen.requests if not each.url.startswith(("data:", "blob:"))]
    assert len(asked) > 10
    assert [url for url in asked if urlsplit(url)[:2] != here[:2]] == []
    assert seen.violations == []
    assert seen.complaints == []
    for url in (f"{gateway_server.url}/graphql", *seen.workers):
        assert seen.policies[url] == CONTENT_SECURITY_POLICY, url


async def open_what_brings_its_own_styles(page: Browser) -> None:
    """Opens the parts of the page that come late: search box, context menu, dialog."""
    await page.click(f"{EDITOR} .view-lines")
    await page.press("KeyF", "f", ctrl=True)
    await page.until(there(".find-widget.visible"))
    await page.press("Escape", "Escape")
    await page.click(f"{EDITOR} .view-lines", button="right")
    await page.until(f"({CONTEXT_MENU}) instanceof Element")
    await page.press("Escape", "Escape")
    await page.click("[aria-label='Open settings dialog']")
    await page.until(there(".graphiql-dialog"))


def loaded(seen: Seen, worker: str) -> bool:
    return any(f"/{worker}.worker-" in url and url in seen.policies for url in seen.workers)


BREACHES = {
    "style-src-attr": "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')",
    "style-src-elem": "document.head.append(made('style', 'p { color: red }'))",
    "script-src-elem": "document.head.append(made('script', '1'))",
    "img-src": "new Image().src = 'http://192.0.2.1/picture.png'",
    "connect-src": "fetch('http://192.0.2.1/').catch(() => null)",
}
MADE = "const made = (tag, text) => Object.assign(document.createElement(tag), {textContent: text})"


@pytest.mark.parametrize("directive", BREACHES)
async def test_a_breach_of_the_policy_is_refused_and_seen(page: Browser, directive: str) -> None:
    """Shows that the test above would see one."""
    assert page.seen.violations == []
    await page.evaluate(f"{{ {MADE}; void ({BREACHES[directive]}); }}")
    assert await page.eventually(lambda seen: set(seen.violations) == {directive}, seconds=10)
    assert page.seen.complaints != []
