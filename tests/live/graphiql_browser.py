"""Drives Chromium over pipes, in its DevTools protocol, and writes down what it does.

The browser resolves no name and knows no proxy, so that a name leads nowhere but to loopback. What
a page or one of its workers asks for is kept all the same, and so is each complaint of the browser.
"""

import asyncio
import base64
import fcntl
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

Message = dict[str, Any]

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--lang=en-US",
    "--window-size=1440,900",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and answers on 4. Only a new process can rename its own
# descriptors to those without taking them from somebody else.
_AS_3_AND_4: Final = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
# Where to click on the element of a selector; null as long as it is not there or is covered.
_SPOT: Final = """(selector) => {
  const found = document.querySelector(selector);
  if (!found) return null;
  found.scrollIntoView({block: 'nearest'});
  const {x, y, width, height} = found.getBoundingClientRect();
  const spot = {x: x + width / 2, y: y + height / 2};
  return found.contains(document.elementFromPoint(spot.x, spot.y)) ? spot : null;
}"""
_COMMAND_SECONDS: Final = 30
_BETWEEN_LOOKS: Final = 0.1
_LARGEST_MESSAGE: Final = 64 * 1024 * 1024
_CTRL: Final = 2
_KEY_NUMBERS: Final = {"Escape": 27, "ArrowDown": 40}


def chromium() -> str:
    """The path of Chromium. Raises RuntimeError, with what to do, where there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError(
            "Chromium is not installed: run `make test-live`, or `apt-get install chromium`"
        )
    return path


@dataclass(frozen=True, slots=True)
class Sent:
    """A request; header names in small letters, the body empty where there was none."""

    url: str
    headers: dict[str, str]
    body: str


@dataclass(slots=True)
class Seen:
    """What the page and its workers did, in the order in which the browser told.

    answers: ids, for `Browser.body`, of finished operations other than the reading of the schema.
    policies: the Content-Security-Policy that an address first came with.
    violations: the directives broken.
    """

    requests: list[Sent] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    policies: dict[str, str] = field(default_factory=dict)
    workers: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    loads: int = 0
    _operations: set[str] = field(default_factory=set)

    def note(self, method: str, told: Message) -> None:
        """Keeps an event of the protocol if it is one of those above."""
        match method:
            case "Network.requestWillBeSent":
                self._note_request(told["requestId"], told["request"])
            case "Network.responseReceived":
                headers = _small(told["response"]["headers"])
                policy = headers.get("content-security-policy", "")
                self.policies.setdefault(told["response"]["url"], policy)
            case "Network.loadingFinished" if told["requestId"] in self._operations:
                self.answers.append(told["requestId"])
            case "Page.loadEventFired":
                self.loads += 1
            case "Target.attachedToTarget" if told["targetInfo"]["type"] == "worker":
                self.workers.append(told["targetInfo"]["url"])
            case "Audits.issueAdded" if told["issue"]["code"] == "ContentSecurityPolicyIssue":
                details = told["issue"]["details"]["contentSecurityPolicyIssueDetails"]
                self.violations.append(details["violatedDirective"])
            case "Log.entryAdded" if told["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled" if told["type"] in {"error", "warning", "assert"}:
                self.complaints.append(json.dumps(told["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(told["exceptionDetails"]))

    def _note_request(self, number: str, request: Message) -> None:
        sent = Sent(request["url"], _small(request["headers"]), request.get("postData", ""))
        self.requests.append(sent)
        if sent.body and "IntrospectionQuery" not in sent.body:
            self._operations.add(number)


def _small(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class Browser:
    """One page of one Chromium. Its methods raise TimeoutError when the browser does not answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
        self.seen = Seen()
        self._reader = reader
        self._writer = writer
        self._calls = 0
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._session = ""
        self._watching: set[asyncio.Task[None]] = set()

    async def call(self, method: str, session: str | None = None, /, **params: object) -> Message:
        """The result of one command, sent to the page unless another session is named."""
        self._calls += 1
        number = self._calls
        to = self._session if session is None else session
        command = {"id": number, "method": method, "params": params}
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._writer.write(json.dumps(command | ({"sessionId": to} if to else {})).encode() + b"\0")
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                told = await self._answers[number]
        finally:
            del self._answers[number]
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']['message']}")
        result: Message = told["result"]
        return result

    async def listen(self) -> None:
        """Reads what the browser says until it stops."""
        with suppress(asyncio.IncompleteReadError):
            while True:
                told: Message = json.loads((await self._reader.readuntil(b"\0"))[:-1])
                if "id" not in told:
                    self._hear(told["method"], told["params"])
                elif (answer := self._answers.get(told["id"])) and not answer.done():
                    answer.set_result(told)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(RuntimeError("Chromium stopped"))

    def _hear(self, method: str, told: Message) -> None:
        self.seen.note(method, told)
        if method == "Target.attachedToTarget":
            watching = asyncio.create_task(self._watch(told["sessionId"]))
            self._watching.add(watching)
            watching.add_done_callback(self._watching.discard)

    async def _watch(self, session: str) -> None:
        # Not every kind of target has every domain, and a worker may be gone before it is asked.
        for command in (
            "Network.enable",
            "Runtime.enable",
            "Log.enable",
            "Audits.enable",
            "Runtime.runIfWaitingForDebugger",
        ):
            with suppress(RuntimeError, TimeoutError):
                await self.call(command, session)

    async def open_page(self) -> None:
        """Opens the page that later calls speak to; workers are watched from their first line."""
        target = await self.call("Target.createTarget", "", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", "", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        await self.call(
            "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True
        )
        await self.call("Page.enable")
        await self._watch(self._session)

    async def go(self, method: str, **params: object) -> None:
        """Navigates by `Page.navigate` or `Page.reload`, until the new document is loaded.

        A document on its way out answers no question, so none may be asked before.
        """
        before = self.seen.loads
        await self.call(method, **params)
        if not await self.eventually(lambda seen: seen.loads > before):
            raise TimeoutError(f"{method}: never loaded; complaints: {self.seen.complaints}")

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page. Raises RuntimeError when it throws."""
        told = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise RuntimeError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    async def until(self, expression: str, seconds: float = 30) -> Any:
        """The expression's first value that is not empty. Raises TimeoutError when none comes."""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            if value := await self.evaluate(expression):
                return value
            await asyncio.sleep(_BETWEEN_LOOKS)
        raise TimeoutError(f"never true: {expression}; complaints: {self.seen.complaints}")

    async def eventually(self, holds: Callable[[Seen], bool], seconds: float = 30) -> bool:
        """Whether something comes to hold of what was seen."""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            if holds(self.seen):
                return True
            await asyncio.sleep(_BETWEEN_LOOKS)
        return False

    async def click(self, selector: str, button: str = "left") -> None:
        """Clicks in the middle of an element, once it is there and nothing covers it."""
        spot = await self.until(f"({_SPOT})({json.dumps(selector)})")
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent", type=kind, button=button, clickCount=1, **spot
            )

    async def type(self, text: str) -> None:
        """Types text into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def press(self, code: str, key: str, ctrl: bool = False) -> None:
        """Presses one key; `code` and `key` are as in a page's events: "KeyF" and "f"."""
        number = _KEY_NUMBERS.get(key) or ord(key.upper())
        for kind in ("rawKeyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                code=code,
                key=key,
                windowsVirtualKeyCode=number,
                modifiers=_CTRL if ctrl else 0,
            )

    async def body(self, request: str) -> str:
        """The body of a finished request's answer."""
        told = await self.call("Network.getResponseBody", requestId=request)
        text: str = told["body"]
        return base64.b64decode(text).decode() if told["base64Encoded"] else text

    async def screenshot(self, path: Path) -> None:
        """Writes what the page shows as PNG."""
        path.write_bytes(base64.b64decode((await self.call("Page.captureScreenshot"))["data"]))


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Browser]:
    """A Chromium with its profile in a new folder, stopped at the end.

    Raises RuntimeError where Chromium is not installed.
    """
    program = chromium()
    commands_out, commands_in = _pipe()
    answers_out, answers_in = _pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _AS_3_AND_4, str(commands_out), str(answers_in)),
        *(program, *FLAGS, f"--user-data-dir={profile}"),
        pass_fds=(commands_out, answers_in),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(commands_out)
    os.close(answers_in)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LARGEST_MESSAGE)
    reading, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(answers_out, "rb", 0)
    )
    writing, _ = await loop.connect_write_pipe(
        asyncio.BaseProtocol, os.fdopen(commands_in, "wb", 0)
    )
    driven = Browser(reader, writing)
    listening = asyncio.create_task(driven.listen())
    try:
        await driven.open_page()
        yield driven
    finally:
        await _stop(driven, process)
        await listening
        writing.close()
        reading.close()
        await asyncio.sleep(0)  # the two transports say goodbye in the loop's next round


async def _stop(driven: Browser, process: asyncio.subprocess.Process) -> None:
    with suppress(RuntimeError, TimeoutError):
        await driven.call("Browser.close", "")
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _pipe() -> tuple[int, int]:
    # Numbers from 10 on, so that neither end is overwritten when the two become 3 and 4.
    reading, writing = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (reading, writing))
    os.close(reading)
    os.close(writing)
    return high[0], high[1]
