"""GraphQL multipart requests: good ones, and all that can be wrong with one. Whatever it is,
nothing stays in the store that was not attached."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse

from connectors.port.errors import Unavailable
from gateway.files.store import PIECE
from gateway.http.headers import Head
from gateway.http.multipart import MultipartRoute
from gateway.http.refusals import Refusal
from gateway.operations.requests import Outcome, Request
from schema.files.service import IncomingFile
from schema.problems import ProblemCode, Problems
from tests.gateway.files import samples
from tests.gateway.files.asgi import Desk, Sender, cut, form
from tests.gateway.files.cabinet import ANA, Cabinet, Clamd, cabinet

pytestmark = pytest.mark.anyio

QUERY = "mutation($input: I!) { addCaseAttachments(input: $input) { message } }"
HEADERS = {
    "content-type": "multipart/form-data; boundary=b0undary",
    "graphql-require-preflight": "1",
}


def route_of(home: Cabinet, desk: Desk) -> MultipartRoute:
    """What is under test, with what else there is behind it."""
    reception: Any = desk
    return MultipartRoute(reception, home.files, 10_000, PlainTextResponse("rest"))


def operations(count: int = 1, **more: Any) -> str:
    variables = {"input": {"files": [None] * count}}
    return json.dumps({"query": QUERY, "variables": variables, **more})


def places(count: int = 1) -> str:
    return json.dumps({str(at): [f"variables.input.files.{at}"] for at in range(count)})


def good(*contents: bytes, name: str = "factura.pdf") -> bytes:
    files = [(str(at), content, name) for at, content in enumerate(contents)]
    count = len(contents)
    return form(("operations", operations(count), None), ("map", places(count), None), *files)


async def put(
    home: Cabinet, body: bytes, desk: Desk | None = None, how: dict[str, str] | None = None
) -> Outcome | Refusal:
    """What comes of a form. Afterwards nothing may be left."""
    headers = {**HEADERS, **(how or {})}
    route = route_of(home, desk or Desk())
    head = Head({name: value for name, value in headers.items() if value})
    try:
        return await route.answer(head, Sender(cut(body)).receive)
    except Refusal as refused:
        return refused
    finally:
        assert home.stored() == {}
        assert await home.rows() == []


async def files(home: Cabinet, body: bytes) -> list[IncomingFile]:
    """The files as the operation gets them."""
    desk = Desk()
    outcome = await put(home, body, desk)
    assert isinstance(outcome, Outcome), outcome
    [request] = desk.asked
    found = (request.variables or {})["input"]["files"]
    assert all(isinstance(file, IncomingFile) for file in found)
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("size", [1, 7, 64_000])
async def test_files_become_values_of_the_operation(home: Cabinet, size: int) -> None:
    seen: list[tuple[str, bytes]] = []
    contents = [samples.PDF, samples.PDF + b"\r\n--b0undar\r\n--b0undary" * 3 + b"x"]

    async def answers(request: Request) -> None:
        incoming = (request.variables or {})["input"]["files"]
        taken = await home.files.taken(ANA, incoming, [])
        seen.extend([(file.filename, await home.content(file.id)) for file in taken])

    desk = Desk(answers=answers)
    body = form(
        ("operations", operations(2, operationName=None), None),
        ("map", places(2), None),
        ("0", contents[0], "../факту́ра.pdf"),
        ("1", contents[1].replace(b"\r\n--b0undary", b"\r\n--b0undarz"), "a.pdf"),
    )
    route = route_of(home, desk)
    outcome = await route.answer(Head(HEADERS), Sender(cut(body, size)).receive)
    assert outcome.body == {"data": None}
    assert [name for name, _ in seen] == ["факту́ра.pdf", "a.pdf"]
    assert seen[0][1] == contents[0]
    assert home.stored() == {}


async def test_what_the_operation_attached_stays(home: Cabinet) -> None:
    async def answers(request: Request) -> None:
        incoming = (request.variables or {})["input"]["files"]
        [file] = await home.files.taken(ANA, incoming, [])
        async with home.database.write() as connection:
            await home.files.claim(connection, [file.id], "a submission")

    route = route_of(home, Desk(answers=answers))
    await route.answer(Head(HEADERS), Sender(cut(good(samples.PDF))).receive)
    assert list(home.stored().values()) == [len(samples.PDF)]


async def test_one_file_can_be_at_several_places(home: Cabinet) -> None:
    where = json.dumps({"f": ["variables.input.files.0", "variables.input.files.1"]})
    body = form(("operations", operations(2), None), ("map", where, None), ("f", b"hi", "a.txt"))
    first, second = await files(home, body)
    assert first == second


FILE = ("0", samples.PDF, "a.pdf")
GOOD = (("operations", operations(), None), ("map", places(), None), FILE)


def _with(operation: str = operations(), where: str = places(), *more: Any) -> bytes:
    return form(("operations", operation, None), ("map", where, None), FILE, *more)


def _mapped(value: object) -> bytes:
    return _with(operations(), json.dumps(value))


#: What is wrong, the form, and a word of what its sender is told.
WRONG: dict[str, tuple[bytes, str]] = {
    "no operations": (form(("map", "{}", None)), "`operations` must come before `map`"),
    "no map": (form(("operations", operations(), None)), "no `map`"),
    "nothing": (form(), "no `operations`"),
    "empty body": (b"", "breaks off"),
    "only a file": (form(FILE), "must come before files"),
    "a file first": (form(FILE, *GOOD[:2]), "must come before files"),
    "a file before map": (form(GOOD[0], FILE, GOOD[1]), "must come before files"),
    "map first": (form(GOOD[1], GOOD[0], FILE), "before `map`"),
    "operations twice": (form(GOOD[0], GOOD[0], GOOD[1], FILE), "each once"),
    "map twice": (form(*GOOD[:2], GOOD[1], FILE), "not in `map`"),
    "operations no JSON": (_with("{"), "`operations` is no JSON"),
    "operations empty": (_with(""), "`operations` is no JSON"),
    "operations null": (_with("null"), "JSON object"),
    "operations a number": (_with("5"), "JSON object"),
    "operations a string": (_with('"x"'), "JSON object"),
    "operations an array": (_with(f"[{operations()}]"), "JSON object"),
    "operations NaN": (_with("NaN"), "no JSON"),
    "operations deep": (_with("[" * 5_000), "no JSON"),
    "operations in noise": (_with("\x00\xff"), "no JSON"),
    "operations without a query": (_with('{"variables":{"input":{"files":[null]}}}'), "`query`"),
    "operations too large": (_with(" " * 10_001), "larger than"),
    "operations in a file's place": (
        form(("operations", operations(), "a.json"), ("map", places(), None)),
        "did not come",
    ),
    "map no JSON": (_with(operations(), "{"), "`map` is no JSON"),
    "map null": (_mapped(None), "object of lists"),
    "map an array": (_mapped([["variables.input.files.0"]]), "object of lists"),
    "map a number": (_mapped(5), "object of lists"),
    "map a path": (_mapped({"0": "variables.input.files.0"}), "object of lists"),
    "map of null": (_mapped({"0": None}), "object of lists"),
    "map of numbers": (_mapped({"0": [0]}), "object of lists"),
    "map to nowhere": (_mapped({"0": []}), "no place"),
    "map to another place": (_mapped({"0": ["variables.input.file"]}), "not a null"),
    "map to a value": (_mapped({"0": ["variables.input"]}), "not a null"),
    "map to the query": (_mapped({"0": ["query"]}), "not a null"),
    "map to the variables": (_mapped({"0": ["variables"]}), "not a null"),
    "map to an empty path": (_mapped({"0": [""]}), "not a null"),
    "map to dots": (_mapped({"0": ["variables..input"]}), "not a null"),
    "map beyond the list": (_mapped({"0": ["variables.input.files.1"]}), "not a null"),
    "map before the list": (_mapped({"0": ["variables.input.files.-1"]}), "not a null"),
    "map by a strange digit": (_mapped({"0": ["variables.input.files.²"]}), "not a null"),
    "map to an attribute": (_mapped({"0": ["variables.__class__.x"]}), "not a null"),
    "map very deep": (_mapped({"0": ["variables" + ".input" * 5_000]}), "not a null"),
    "map to one place twice": (
        _mapped({"0": ["variables.input.files.0", "variables.input.files.0"]}),
        "twice",
    ),
    "two files for a place": (
        _mapped({"0": ["variables.input.files.0"], "1": ["variables.input.files.0"]}),
        "twice",
    ),
    "one file at 5,000 places": (
        _with(
            json.dumps({"query": QUERY, "variables": {"f": [None] * 600}}),
            json.dumps({"0": [f"variables.f.{n}" for n in range(600)]}),
        ),
        "more than 10 places",
    ),
    "one file at very many places": (
        _mapped({"0": [f"variables.f.{n}" for n in range(5_000)]}),
        "larger than",
    ),
    "a thousand files": (_mapped({str(n): ["variables.x"] for n in range(1_000)}), "more than 100"),
    "a file that is not mapped": (_with(operations(), places(), ("1", b"x", "b.txt")), "not in"),
    "a file that is mapped and missing": (
        form(("operations", operations(2), None), ("map", places(2), None), FILE),
        "did not come: '1'",
    ),
    "a file twice": (_with(operations(), places(), FILE), "came twice"),
    "a field for a file": (form(*GOOD[:2], ("0", b"x", None)), "no file"),
    "another boundary": (form(*GOOD, boundary="other"), "no form"),
    "cut in the file": (form(*GOOD)[:-100], "breaks off"),
    "cut in a head": (form(*GOOD)[:-150], "breaks off"),
    "cut in the last boundary": (form(*GOOD)[:-5], "breaks off"),
    "no end": (form(*GOOD, end="\r\n"), "breaks off"),
    "no form at all": (b"{}", "no form"),
    "a huge head": (
        form(*GOOD).replace(b"\r\n\r\n%PDF", b"\r\nX: " + b"y" * 5_000 + b"\r\n\r\n%PDF"),
        "no form",
    ),
    "many heads": (
        form(*GOOD).replace(b"\r\n\r\n%PDF", b"\r\nX: y" * 20 + b"\r\n\r\n%PDF"),
        "no form",
    ),
    "many parts": (form(*(("operations", operations(), None) for _ in range(200))), "each once"),
    "a part without a name": (form(*GOOD).replace(b'; name="0"', b""), "has no name"),
    "a part that is no field": (form(*GOOD).replace(b"form-data", b"attachment"), "has no name"),
    "a part in Base64": (
        form(*GOOD).replace(b"\r\n\r\n%PDF", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n%PDF"),
        "transfer encoding",
    ),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_wrong_form_is_refused_and_leaves_nothing(case: str, home: Cabinet) -> None:
    body, told = WRONG[case]
    desk = Desk()
    refused = await put(home, body, desk)
    assert isinstance(refused, Refusal), refused
    assert refused.status in (400, 413)
    assert told in refused.text
    assert len(refused.text) < 400
    assert desk.asked == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "multipart/form-data"}, 400),
        ({"content-type": "multipart/form-data; boundary="}, 400),
        ({"content-type": f"multipart/form-data; boundary={'x' * 500}"}, 400),
        ({"content-encoding": "gzip"}, 415),
        ({"content-length": str(10**9)}, 413),
        ({"graphql-require-preflight": ""}, 403),
    ],
)
async def test_a_wrong_head_is_refused_before_anything_is_read(
    headers: dict[str, str], status: int, home: Cabinet
) -> None:
    sender = Sender(cut(good(samples.PDF)))
    route = route_of(home, Desk())
    head = Head({name: value for name, value in {**HEADERS, **headers}.items() if value})
    with pytest.raises(Refusal) as refused:
        await route.answer(head, sender.receive)
    assert refused.value.status == status
    assert sender.asked == 0


async def test_nobody_sends_files_unknown(home: Cabinet) -> None:
    sender = Sender(cut(good(samples.PDF)))
    route = route_of(home, Desk(who=None))
    with pytest.raises(Refusal) as refused:
        await route.answer(Head(HEADERS), sender.receive)
    assert (refused.value.status, refused.value.code) == (401, "UNAUTHENTICATED")
    assert sender.asked == 0
    down = route_of(home, Desk(who=Unavailable("crm", "x")))
    outcome = await down.answer(Head(HEADERS), sender.receive)
    assert (outcome.status, outcome.body["errors"][0]["extensions"]["code"]) == (
        503,
        "SOURCE_UNAVAILABLE",
    )
    assert sender.asked == 0


async def test_a_form_that_is_too_large_is_not_read_to_its_end(folder: Path) -> None:
    async with cabinet(folder, request_megabytes=1) as home:
        sender = Sender(cut(good(bytes(5_000_000))))
        route = route_of(home, Desk())
        with pytest.raises(Refusal) as refused:
            await route.answer(Head(HEADERS), sender.receive)
        assert (refused.value.status, refused.value.headers) == (413, {"connection": "close"})
        assert sender.asked < 25
        assert home.stored() == {}


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.txt", ProblemCode.INVALID),
        (b"0" * 3 * 1024**2, "a.txt", ProblemCode.FILE_TOO_LARGE),
        (b"0123456789" * 200, "a.txt", ProblemCode.FILE_TOO_LARGE),
    ],
)
async def test_a_file_that_is_not_taken_is_a_user_error_and_its_neighbours_are_taken(
    content: bytes, name: str, code: ProblemCode, folder: Path
) -> None:
    async with cabinet(folder, file_megabytes=2) as home:
        home.largest[0] = 1_000 if len(content) == 2_000 else None
        bad, well = await files(
            home,
            form(
                ("operations", operations(2), None),
                ("map", places(2), None),
                ("0", content, name),
                ("1", b"hola", "b.txt"),
            ),
        )
        assert bad.problem is not None
        assert (bad.id, bad.problem.code) == (None, code)
        assert well.problem is None


async def test_too_many_files_are_a_user_error_each(folder: Path) -> None:
    async with cabinet(folder, request_files=2) as home:
        found = await files(home, good(*[samples.PDF] * 3))
        codes = {file.problem.code for file in found if file.problem}
        assert (codes, len(found)) == ({ProblemCode.TOO_MANY_FILES}, 3)


async def test_a_caller_with_too_much_waiting_is_told(folder: Path) -> None:
    async with cabinet(folder, caller_files=1) as home:
        await home.files.create_upload(ANA, "a.txt", "", 5)
        desk = Desk()
        route = route_of(home, desk)
        await route.answer(Head(HEADERS), Sender(cut(good(samples.PDF))).receive)
        [file] = (desk.asked[0].variables or {})["input"]["files"]
        assert file.problem.code is ProblemCode.TOO_MANY_FILES


async def test_what_is_wrong_inside_a_file_is_told_to_the_operation(folder: Path) -> None:
    told: list[tuple[str, Any]] = []

    async def answers(request: Request) -> None:
        with pytest.raises(Problems) as raised:
            await home.files.taken(ANA, (request.variables or {})["input"]["files"], [])
        told.extend((problem.code.value, problem.field) for problem in raised.value.problems)
        assert len(home.stored()) == 1, "what is refused is gone at once"

    path = folder / "clamd"
    async with (
        Clamd().listening(path),
        cabinet(folder, scanner={"address": f"unix:{path}"}) as home,
    ):
        await put(home, good(b"EICAR", b"hola", b"\x00", name="a.txt"), Desk(answers=answers))
    assert told == [
        ("FILE_INFECTED", ("input", "files", "0")),
        ("FILE_TYPE_NOT_ALLOWED", ("input", "files", "2")),
    ]


async def test_a_store_that_fails_is_told(home: Cabinet, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*what: object, **how: object) -> None:
        raise OSError("disk full at /secret")

    monkeypatch.setattr("obstore.put_async", fails)
    outcome = await put(home, good(samples.PDF))
    assert isinstance(outcome, Outcome)
    assert outcome.status == 503
    assert outcome.body["errors"][0]["extensions"]["code"] == "SOURCE_UNAVAILABLE"
    assert "secret" not in json.dumps(outcome.body)


async def test_what_was_answered_holds_where_tidying_up_fails(
    home: Cabinet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(ids: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(home.files, "discard", fails)
    outcome = await route_of(home, Desk()).answer(
        Head(HEADERS), Sender(cut(good(samples.PDF))).receive
    )
    assert outcome.body == {"data": None}
    home.clock.forward(hours=2)
    assert await home.opened.sweep.expired() == 1
    assert home.stored() == {}


@pytest.mark.parametrize("way", ["breaks", "hangs"])
async def test_a_sender_that_goes_away_leaves_nothing(
    way: str, home: Cabinet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.http.forms._PATIENCE", 0.05)
    body = good(b"0" * (PIECE + 100_000), name="a.txt")[: PIECE + 50_000]
    sender = Sender(cut(body), breaks=way == "breaks", hangs=way == "hangs")
    route = route_of(home, Desk())
    with pytest.raises(Refusal) as refused:
        await route.answer(Head(HEADERS), sender.receive)
    assert refused.value.status == {"breaks": 400, "hangs": 408}[way]
    assert home.stored() == {}
    assert await home.rows() == []


@pytest.mark.parametrize("after", [0, 0.001, 0.005, 0.02, 0.05])
async def test_a_request_that_is_cancelled_leaves_nothing(home: Cabinet, after: float) -> None:
    async def answers(request: Request) -> None:
        await asyncio.sleep(10)

    body = good(b"0" * (2 * PIECE), name="a.txt")
    route = route_of(home, Desk(answers=answers))
    task = asyncio.ensure_future(route.answer(Head(HEADERS), Sender(cut(body)).receive))
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert home.stored() == {}
    assert await home.rows() == []


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.integers(0, len(form(*GOOD))),
    st.binary(max_size=8),
    st.integers(0, 8),
    st.integers(1, 300),
)
async def test_any_change_of_a_form_is_answered(
    home: Cabinet, at: int, put_in: bytes, taken_out: int, size: int
) -> None:
    body = form(*GOOD)
    changed = body[:at] + put_in + body[at + taken_out :]
    route = route_of(home, Desk())
    status = None
    try:
        await route.answer(Head(HEADERS), Sender(cut(changed, size)).receive)
    except Refusal as refused:
        status = refused.status
    assert status in (None, 400, 413)
    assert home.stored() == {}
