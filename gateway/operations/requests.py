"""What goes into an operation and what comes out of it, whatever way it came by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller sends: a document or the id of one that is known here, which of its operations,
    its values, and what else a client has to say. query: "" where only an id is told. reads_only:
    the way it came by may not be used to change something."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None
    reads_only: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """body: the response object. status: why the operation was not run, as HTTP has it, None when
    it was; an answer with one has no data. well_formed: it was a request, and GraphQL itself
    refused what is asked. headers: for an answer over HTTP."""

    body: dict[str, Any]
    status: int | None = None
    well_formed: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def started(self) -> bool:
        """Whether the operation was run."""
        return self.status is None

    @classmethod
    def failed(
        cls, error: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None
    ) -> Outcome:
        """The answer to what was not run, for a reason outside of GraphQL."""
        return cls({"errors": [error]}, status, False, headers or {})
