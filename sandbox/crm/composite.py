"""Many calls in one: splits a composite or a batch, answers each part, and puts them together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from sandbox.crm.calls import Answer, Call
from sandbox.crm.errors import Refusal
from sandbox.database import Database
from sandbox.faults import PartFaults

MOST_PARTS: Final = 25
MOST_QUERIES: Final = 5
_REFERENCE: Final = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}", re.ASCII)
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)
_ADDRESS: Final = re.compile(r"/services/data/v\d+\.\d")
_METHODS: Final = frozenset({"GET", "POST", "PATCH", "DELETE", "PUT"})
_FAILED: Final = [
    {"errorCode": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred. Try again."}
]

Handle = Callable[[Call], Answer]


class _RolledBack(Exception):
    """Leaves the transaction of an all-or-none composite."""


def answer_composite(call: Call, handle: Handle, faults: PartFaults, database: Database) -> Answer:
    """Always 200, with each part's own status inside, unless the whole cannot be read."""
    parts = _parts(call.body, "compositeRequest")
    _check(parts)
    broken = len(parts) - 1 if faults.take("partial") else -1
    all_or_none = bool(call.body.get("allOrNone", False))
    answers: list[dict[str, Any]] = []
    bodies: dict[str, Any] = {}
    with _all_or_none(database, all_or_none):
        for at, part in enumerate(parts):
            answer = Answer(500, _FAILED) if at == broken else _run(part, bodies, handle)
            if answer.status < 400:
                bodies[part["referenceId"]] = answer.body
            answers.append(_result(part, answer))
            if all_or_none and answer.status >= 400:
                answers = _halted(parts, at, answers[-1])
                raise _RolledBack
    return Answer(200, {"compositeResponse": answers})


def answer_batch(call: Call, handle: Handle, faults: PartFaults) -> Answer:
    """Parts without references; `haltOnError` leaves out what stands after a failure."""
    parts = _parts(call.body, "batchRequests")
    broken = len(parts) - 1 if faults.take("partial") else -1
    results: list[dict[str, Any]] = []
    failed = False
    for at, part in enumerate(parts):
        if failed and call.body.get("haltOnError"):
            halted = [
                {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted"}
            ]
            results.append({"statusCode": 412, "result": halted})
            continue
        address = f"/services/data/{part.get('url', '')}".replace("//", "/")
        inner = {"method": part.get("method"), "url": address, "body": part.get("richInput")}
        answer = Answer(500, _FAILED) if at == broken else _run(inner, {}, handle)
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.body})
    return Answer(200, {"hasErrors": failed, "results": results})


def _parts(body: Any, key: str) -> list[dict[str, Any]]:
    parts = body.get(key) if isinstance(body, dict) else None
    if not isinstance(parts, list) or not all(isinstance(one, dict) for one in parts):
        raise Refusal(400, "JSON_PARSER_ERROR", f"{key} is required and must be a list")
    if not 1 <= len(parts) <= MOST_PARTS:
        message = f"A request holds from 1 to {MOST_PARTS} subrequests, this one {len(parts)}"
        raise Refusal(400, "LIMIT_EXCEEDED", message)
    return parts


def _check(parts: list[dict[str, Any]]) -> None:
    names = [part.get("referenceId") for part in parts]
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            message = f"Provided referenceId ('{name}') must start with a letter or a number, and "
            message += "it can contain only letters, numbers and underscores ('_')"
            raise Refusal(400, "JSON_PARSER_ERROR", message)
    if len(set(names)) != len(names):
        raise Refusal(400, "JSON_PARSER_ERROR", "Each referenceId must be unique")
    queries = sum(_is_query(part) for part in parts)
    if queries > MOST_QUERIES:
        message = f"No more than {MOST_QUERIES} subrequests may be queries or collections"
        raise Refusal(400, "LIMIT_EXCEEDED", message)


def _is_query(part: Mapping[str, Any]) -> bool:
    path = str(part.get("url", "")).partition("?")[0].split("/")
    return path[4:5] in (["query"], ["queryAll"]) or path[4:6] == ["composite", "sobjects"]


@contextmanager
def _all_or_none(database: Database, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    try:
        with database.transaction():
            yield
    except _RolledBack:
        return


def _halted(parts: list[dict[str, Any]], at: int, failed: dict[str, Any]) -> list[dict[str, Any]]:
    message = (
        "The transaction was rolled back since another operation in the same transaction failed."
    )
    halted = Answer(400, [{"errorCode": "PROCESSING_HALTED", "message": message}])
    return [failed if n == at else _result(part, halted) for n, part in enumerate(parts)]


def _result(part: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    return {
        "body": answer.body,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": part["referenceId"],
    }


def _run(part: Mapping[str, Any], bodies: Mapping[str, Any], handle: Handle) -> Answer:
    try:
        return handle(_inner_call(part, bodies))
    except Refusal as refusal:
        return Answer(refusal.status, refusal.body())
    except (ValueError, RecursionError) as error:
        # An address that is none, or a body nested so deeply that it cannot be filled in.
        return Answer(400, [{"errorCode": "JSON_PARSER_ERROR", "message": str(error)}])


def _inner_call(part: Mapping[str, Any], bodies: Mapping[str, Any]) -> Call:
    method, url = part.get("method"), part.get("url")
    if method not in _METHODS or not isinstance(url, str):
        raise Refusal(400, "JSON_PARSER_ERROR", "A subrequest needs a method and a url")
    split = urlsplit(_REFERENCE.sub(lambda found: quote(_value(found, bodies), safe=""), url))
    if not _ADDRESS.match(split.path):
        raise Refusal(400, "INVALID_INPUT", "The url must start with /services/data/vXX.X")
    pieces = [unquote(one) for one in split.path.rstrip("/").split("/")]
    query = dict(parse_qsl(split.query, keep_blank_values=True))
    body = _filled(part.get("body"), bodies)
    base = "/".join(pieces[:4])
    return Call(method, tuple(pieces[4:]), base, query, body, inner=True)


def _filled(body: Any, bodies: Mapping[str, Any]) -> Any:
    """The body with every reference put in."""
    if isinstance(body, str):
        return _REFERENCE.sub(lambda found: _value(found, bodies), body)
    if isinstance(body, list):
        return [_filled(one, bodies) for one in body]
    if isinstance(body, dict):
        return {key: _filled(value, bodies) for key, value in body.items()}
    return body


def _value(found: re.Match[str], bodies: Mapping[str, Any]) -> str:
    value = bodies.get(found[1])
    for step in _STEP.finditer(found[2]):
        if isinstance(value, dict):
            value = value.get(step[1])
        elif isinstance(value, list) and step[2] and int(step[2]) < len(value):
            value = value[int(step[2])]
        else:
            value = None
    if value is None or isinstance(value, dict | list):
        message = f"Invalid reference specified. No value for {found[0][2:-1]} found in {found[1]}"
        raise Refusal(400, "PROCESSING_HALTED", message)
    return str(value)
