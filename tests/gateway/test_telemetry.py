"""A log line finds what went wrong, and holds nothing of what customers write."""

from __future__ import annotations

import json
import logging
import sys

from gateway.telemetry import JsonLines, request_id

SECRET = "ana.torres@andina.example"


def line(*, tells_all: bool = False) -> dict[str, str]:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "went %s", ("wrong",), None)
    record.error_id = "abc"
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise ExceptionGroup(SECRET, [KeyError(SECRET)]) from error
    except ExceptionGroup:
        record.exc_info = sys.exc_info()
    token = request_id.set("request-1")
    try:
        told: dict[str, str] = json.loads(JsonLines(tells_all=tells_all).format(record))
    finally:
        request_id.reset(token)
    return told


def test_a_line_tells_where_and_what_but_not_what_was_said() -> None:
    told = line()
    assert SECRET not in json.dumps(told)
    exception = told.pop("exception")
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "ERROR",
        "logger": "x",
        "message": "went wrong",
        "request_id": "request-1",
        "error_id": "abc",
    }
    for part in ("builtins.ValueError", "builtins.ExceptionGroup", "builtins.KeyError", "in line"):
        assert part in exception
    assert "int(SECRET)" in exception  # our own line


def test_where_systems_are_tried_out_it_tells_all() -> None:
    assert SECRET in line(tells_all=True)["exception"]
