"""Rules about trouble: whatever the wire brings, an error with the right name and nothing else."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from connectors.port.errors import (
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Unavailable,
    Unreadable,
)
from tests.contract.methods import Method
from tests.contract.wires import Answer, Answering, FirstTimeDown, Hanging, PastLogin
from tests.contract.world import Opened, Wire, World

JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}
PAGE = b"<!DOCTYPE html><html><body><h1>Down for maintenance</h1></body></html>"

#: What no error, no call that is heard of, and no log line may hold.
MARKER = "UPSTREAM-WORDS-7731"

#: Longest detail of an error.
LONGEST_DETAIL = 1000

Kinds = tuple[type[SourceError], ...]


def _raising(error: type[httpx.TransportError]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error(f"{MARKER} {request.headers}", request=request)

    return answer


def _answering(status: int, headers: dict[str, str], body: bytes = b"") -> Answer:
    return lambda request: httpx.Response(status, headers=headers, content=body)


#: What goes wrong, and what it must be called.
FAILURES: dict[str, tuple[Answer, Kinds]] = {
    "401": (_answering(401, JSON, b"{}"), (Refused,)),
    "403": (_answering(403, JSON, b"{}"), (Refused,)),
    "404": (_answering(404, JSON, b"{}"), (Rejected, Unreadable)),
    "429": (_answering(429, JSON | {"retry-after": "70"}, b"{}"), (Throttled,)),
    "500": (_answering(500, JSON, b"{}"), (Unavailable,)),
    "503": (_answering(503, JSON, b"{}"), (Unavailable,)),
    "a page with 503": (_answering(503, HTML, PAGE), (Unavailable,)),
    "a page with 200": (_answering(200, HTML, PAGE), (Unreadable,)),
    "a page that says JSON": (_answering(200, JSON, PAGE), (Unreadable,)),
    "a redirect": (_answering(302, {"location": "https://elsewhere.example/"}), (Unreadable,)),
    "204": (_answering(204, {}), (Unreadable,)),
    "an empty body": (_answering(200, JSON), (Unreadable,)),
    "half a body": (_answering(200, JSON, b'[{"id": 1, "na'), (Unreadable,)),
    "no UTF-8": (_answering(200, JSON, b'["\xff\xfe"]'), (Unreadable,)),
    "null": (_answering(200, JSON, b"null"), (Unreadable,)),
    "a text": (_answering(200, JSON, b'"text"'), (Unreadable,)),
    "a list of numbers": (_answering(200, JSON, b"[7, 8]"), (Unreadable,)),
    "a deep body": (_answering(200, JSON, b"[" * 100_000), (Unreadable,)),
    "a broken encoding": (
        _answering(200, JSON | {"content-encoding": "gzip"}, b"no gzip"),
        (Unreadable,),
    ),
    "no connection": (_raising(httpx.ConnectError), (Unavailable,)),
    "a broken connection": (_raising(httpx.RemoteProtocolError), (Unavailable,)),
    "a connect timeout": (_raising(httpx.ConnectTimeout), (TimedOut,)),
    "a read timeout": (_raising(httpx.ReadTimeout), (TimedOut,)),
}
#: Shapes that a list without records may have, so that they may be an answer.
MAYBE_EMPTY: dict[str, Answer] = {
    "a number": _answering(200, JSON, b"7"),
    "[]": _answering(200, JSON, b"[]"),
    "{}": _answering(200, JSON, b"{}"),
}

Ask = Callable[[Opened], Awaitable[Any]]


def _asking(method: Method) -> Ask:
    return lambda opened: opened.ask(method)


def _checking(opened: Opened) -> Awaitable[None]:
    return opened.system.check()


async def names_every_failure(world: World, method: Method) -> None:
    """Each failure of the wire is a SourceError of its own kind, at the login and after it."""
    await _names(world, _asking(method))


async def check_fails(world: World) -> None:
    """So does `check`."""
    await _names(world, _checking)


async def _names(world: World, ask: Ask) -> None:
    for name, (answer, kinds) in FAILURES.items():
        for wire in _both(world, answer):
            error = await _failure(world, wire, ask)
            assert error is not None, f"{name}: no error"
            at_login = world.logs_in and wire.__name__ == "everywhere"
            # A login that is not found, or not taken, is about our credential.
            allowed = (*kinds, Refused) if name == "404" and at_login else kinds
            assert isinstance(error, allowed), f"{name}: {error!r}"
            assert type(error) is not SourceError, f"{name}: {error!r}"
            assert isinstance(error, Unavailable | Throttled) == error.retryable
            assert isinstance(error, TimedOut) == (TimedOut in kinds), f"{name}: {error!r}"
            if name == "429":
                assert error.retry_after == 70.0, f"Retry-After is lost: {error!r}"
    for answer in MAYBE_EMPTY.values():
        for wire in _both(world, answer):
            found = await _failure(world, wire, ask)
            assert found is None or isinstance(found, Unreadable), repr(found)


async def leaks_nothing(world: World, method: Method) -> None:
    """What a system says stays out of errors, calls and logs; secrets stay out of everything."""
    echo = _Echo()
    for wire in _both(world, echo):
        async with world.open(wire, **world.patience(2.0)) as opened:
            for echo.status, echo.form in _answers_to_mistakes():
                opened.heard.clear()
                with _listening() as lines:
                    error = await _raised(opened, _asking(method))
                if error is None:
                    assert echo.status == 200
                else:
                    lines += map(repr, opened.heard)
                    _check_silence(error, lines, {*world.secrets, *echo.seen})


def _answers_to_mistakes() -> Iterator[tuple[int, Any]]:
    """Every form of body where connectors read it, some of them elsewhere."""
    for status in (200, 400, 403):
        for form in _BODIES:
            yield status, form
    for status in (401, 404, 429, 500, 503):
        for form in (_BODIES[0], _BODIES[5]):
            yield status, form


def _check_silence(error: SourceError, lines: list[str], secrets: set[str]) -> None:
    public = [str(error), repr(error), error.message, repr(error.args), *lines]
    public += traceback.format_exception(error)
    detail = error.detail or ""
    assert len(detail) <= LONGEST_DETAIL
    for text in public:
        assert MARKER not in text, text
    for secret in secrets:
        assert not any(secret in text for text in (*public, detail)), f"{error!r} tells a secret"


class _Echo:
    """Says back all that it was told. seen: the credentials that came along."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.status = 500
        self.form = _BODIES[0]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        said = [f"{name}: {value}" for name, value in request.headers.items()]
        self.seen.update(_credentials(request))
        text = " ".join([MARKER, *said, request.content.decode("utf-8", "replace")])
        headers, make = self.form
        return httpx.Response(self.status, headers=headers, content=make(text))


async def hides_its_settings(world: World) -> None:
    """What is printed of the settings holds no secret, and a wrong key is told without values."""
    async with world.open():
        settings = world.connector.settings
    shown = repr(msgspec.convert(world.settings, settings))
    try:
        msgspec.convert({**world.settings, "zz": "zz"}, settings)
    except msgspec.ValidationError as error:
        shown += str(error)
    else:
        raise AssertionError("a misspelt key of the settings is taken")
    assert world.secrets
    for secret in world.secrets:
        assert secret not in shown


async def keeps_the_deadline(world: World, method: Method) -> None:
    """A system that hangs, before or inside its answer, is given up on at the deadline."""

    async def hang(wire: Wire) -> None:
        started = time.perf_counter()
        async with world.open(wire, **world.patience(0.05)) as opened:
            error = await _raised(opened, _asking(method))
        assert isinstance(error, TimedOut), repr(error)
        assert time.perf_counter() - started < 1.0

    silent, endless = (Hanging(begins=begins) for begins in (False, True))
    wires = [*_wires(world, silent), *_wires(world, endless)]
    await asyncio.gather(*map(hang, wires))


async def retries_when_it_helps(world: World, method: Method) -> None:
    """A system that is down is asked again, three times in all, and what it then answers counts."""
    down = _answering(503, JSON, b"{}")
    for wire in _past(world, down):
        async with world.open(wire) as opened:
            assert isinstance(await _raised(opened, _asking(method)), Unavailable)
            assert max(opened.wire.tries.values()) == 3
            assert opened.pauses
    soon = _answering(429, JSON | {"retry-after": "1"}, b"{}")
    for wire in _past(world, soon):
        async with world.open(wire) as opened:
            assert isinstance(await _raised(opened, _asking(method)), Throttled)
            assert 1 < max(opened.wire.tries.values()) <= 3
            assert set(opened.pauses) == {1.0}


async def does_not_retry_in_vain(world: World, method: Method) -> None:
    """What will be refused again is asked once; a credential is renewed once at most; nobody waits
    longer than a caller does."""
    for name, tries in (("400", 1), ("403", 1), ("404", 1), ("401", 2), ("429", 1)):
        later = {"retry-after": "70"} if name == "429" else {}
        for wire in _past(world, _answering(int(name), JSON | later, b"{}")):
            async with world.open(wire) as opened:
                assert await _raised(opened, _asking(method)) is not None
                assert max(opened.wire.tries.values()) <= tries, name
                assert opened.pauses == []


async def writes_once(world: World, method: Method) -> None:
    """What may have been done is never sent a second time: not after a 5xx, not after a timeout,
    not after a broken connection, and a wait that the system asks for is the caller's to wait."""
    breaks = (
        _answering(500, JSON, b"{}"),
        _answering(503, JSON, b"{}"),
        _answering(429, JSON | {"retry-after": "1"}, b"{}"),
        _raising(httpx.ReadTimeout),
        _raising(httpx.ReadError),
    )
    for answer in breaks:

        def wire(inner: Any, answer: Answer = answer) -> httpx.AsyncBaseTransport:
            return PastLogin(inner, Answering(answer), lambda request: not world.writes(request))

        async with world.open(wire) as opened:
            assert await _raised(opened, _asking(method)) is not None
            written = [one for one in opened.wire.requests if world.writes(one)]
            assert len(written) == 1, [f"{one.method} {one.url}" for one in written]


async def answers_after_a_retry(world: World, method: Method) -> None:
    """A system that was down for a moment costs a moment, not the answer."""
    async with world.open() as opened:
        expected = await opened.ask(method)
    async with world.open(FirstTimeDown) as opened:
        assert await opened.ask(method) == expected
        assert max(opened.wire.tries.values()) == 2


async def closes(world: World) -> None:
    """A system that was let go has let go of its wire; opening it has asked nobody."""
    async with world.open() as opened:
        assert opened.wire.requests == opened.wire.logins == []
        assert not opened.wire.closed
    assert opened.wire.closed


# ------------------------------------------------------------------------------------------ pieces


def _both(world: World, answer: Answer) -> Iterator[Wire]:
    return _wires(world, Answering(answer))


def _wires(world: World, broken: httpx.AsyncBaseTransport) -> Iterator[Wire]:
    """Broken everywhere, and broken after the login where there is one to pass."""

    def everywhere(inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return broken

    def after_login(inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return PastLogin(inner, broken, world.is_login)

    yield everywhere
    if world.logs_in:
        yield after_login


def _past(world: World, answer: Answer) -> list[Wire]:
    """Broken after the login."""
    return list(_both(world, answer))[-1:]


async def _failure(world: World, wire: Wire, ask: Ask) -> SourceError | None:
    async with world.open(wire) as opened:
        return await _raised(opened, ask)


async def _raised(opened: Opened, ask: Ask) -> SourceError | None:
    """The error that a question ends with. Any that is no SourceError goes on to fail the test."""
    try:
        await ask(opened)
    except SourceError as error:
        return error
    return None


def _of_json(make: Callable[[str], Any]) -> tuple[dict[str, str], Callable[[str], bytes]]:
    return JSON, lambda text: json.dumps(make(text)).encode()


#: Bodies in which systems tell what went wrong.
_BODIES: tuple[tuple[dict[str, str], Callable[[str], bytes]], ...] = (
    ({"content-type": "text/plain"}, lambda text: text.encode()),
    (HTML, lambda text: f"<html><body>{text}</body></html>".encode()),
    _of_json(lambda text: text),
    _of_json(lambda text: {text: text}),
    _of_json(lambda text: [{"message": text, "errorCode": text}]),
    _of_json(lambda text: [{"message": text, "errorCode": "INVALID_FIELD"}]),
    _of_json(lambda text: {"error": {"code": text, "message": {"lang": "en", "value": text}}}),
    _of_json(lambda text: {"error": text, "error_description": text}),
    _of_json(lambda text: {"code": text, "message": text, "data": {"status": 400}}),
)


def _credentials(request: httpx.Request) -> list[str]:
    """What the call knows us by, as it travels and as it is."""
    _, _, secret = request.headers.get("authorization", "").partition(" ")
    if not secret:
        return []
    try:
        pair = base64.b64decode(secret, validate=True).decode()
    except ValueError:
        return [secret]
    return [secret, pair.partition(":")[2]] if ":" in pair else [secret]


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Everything that is logged meanwhile, by anybody, down to DEBUG."""
    lines: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(logging.Formatter().format(record))

    root, ear = logging.getLogger(), Ear(logging.DEBUG)
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
