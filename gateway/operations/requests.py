"""What goes into an operation and what comes out of it, whatever way it came by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson


class Request(msgspec.Struct, frozen=True):
    """What a caller sends: a document or the id of one that is known here, which of its operations,
    its values, and what else a client has to say. query: "" where only an id is told. reads_only:
    the way it came by may not be used to change something. worked_out: of a request that is kept
    since others may send the same, what was found out about it, by whoever did."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None
    reads_only: bool = False
    worked_out: dict[Any, Any] | None = None


class Outcome(msgspec.Struct, frozen=True):
    """body: the response object. status: why the operation was not run, as HTTP has it, None when
    it was; an answer with one has no data. well_formed: it was a request, and GraphQL itself
    refused what is asked. headers: for an answer over HTTP. encoded: the body as JSON, where that
    is known already, and tag: a validator of it, RFC 9110, 8.8.3; such a body is not changed."""

    body: dict[str, Any]
    status: int | None = None
    well_formed: bool = True
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    encoded: bytes | None = None
    tag: str | None = None

    @property
    def started(self) -> bool:
        """Whether the operation was run."""
        return self.status is None

    def saying(self, headers: Mapping[str, str]) -> Outcome:
        """The same with further headers."""
        return Outcome(
            self.body,
            self.status,
            self.well_formed,
            {**self.headers, **headers},
            self.encoded,
            self.tag,
        )

    @classmethod
    def failed(
        cls, error: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None
    ) -> Outcome:
        """The answer to what was not run, for a reason outside of GraphQL."""
        return cls({"errors": [error]}, status, False, headers or {})


def hash_of(text: str) -> str:
    """What clients call a document: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def encoded(body: Mapping[str, Any]) -> bytes:
    """A response object as JSON."""
    try:
        return orjson.dumps(body)
    except TypeError:  # half a pair of surrogates, which only an escape can say
        return json.dumps(body).encode()
