"""The request of a body is read once for all who send the same, as far as it says all itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.http.body import Bodies
from gateway.http.refusals import Refusal


def body(query: str = "{ a }", **more: Any) -> bytes:
    return json.dumps({"query": query, **more}).encode()


def test_the_same_body_is_read_once() -> None:
    bodies = Bodies(100_000)
    first = bodies.of_json(body(variables={"a": 1}))
    assert bodies.of_json(body(variables={"a": 1})) is first
    other = bodies.of_json(body(variables={"a": 2}))
    assert (other.query, other.variables) == ("{ a }", {"a": 2})
    assert first.worked_out == {}
    assert first.worked_out is not other.worked_out
    assert Bodies(100_000).of_json(body(variables={"a": 1})) is not first


@pytest.mark.parametrize(
    "sent",
    [
        body(documentId="sha256:a"),
        body(extensions={"persistedQuery": {"version": 1, "sha256Hash": "a"}}),
        body("{ a }" + " " * 5_000),
    ],
)
def test_what_may_stand_for_another_thing_later_or_is_long_is_read_each_time(sent: bytes) -> None:
    bodies = Bodies(100_000)
    assert bodies.of_json(sent) is not bodies.of_json(sent)
    assert bodies.of_json(sent).worked_out is None


def test_what_is_no_request_is_refused_each_time() -> None:
    bodies = Bodies(100_000)
    for _ in range(2):
        with pytest.raises(Refusal):
            bodies.of_json(b"{")


@pytest.mark.parametrize(("padding", "most"), [(0, 1_000), (3_000, 500_000 // 3_000)])
def test_so_many_are_kept_and_so_many_bytes(padding: int, most: int) -> None:
    bodies = Bodies(100_000)
    sent = [body(f"{{ a{turn} }}" + " " * padding) for turn in range(most + 50)]
    first = [bodies.of_json(one) for one in sent]
    assert len(bodies._kept._requests) <= most
    assert bodies._kept._bytes == sum(map(len, bodies._kept._requests)) <= 500_000
    assert bodies.of_json(sent[-1]) is first[-1]
    assert bodies.of_json(sent[0]) is not first[0]
