"""What a person can put right in what they sent, before it has a language or a graph type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ProblemCode(StrEnum):
    """Stable codes of user errors; the graph's UserErrorCode has the same."""

    REQUIRED = "REQUIRED"
    TOO_LONG = "TOO_LONG"
    TOO_SHORT = "TOO_SHORT"
    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    EXPIRED = "EXPIRED"
    WRONG_CREDENTIALS = "WRONG_CREDENTIALS"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    FILE_TYPE_NOT_ALLOWED = "FILE_TYPE_NOT_ALLOWED"
    TOO_MANY_FILES = "TOO_MANY_FILES"
    FILE_INFECTED = "FILE_INFECTED"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that its sender can put right. retry_at: when it makes sense to try again."""

    code: ProblemCode
    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    field: tuple[str, ...] | None = None
    retry_at: datetime | None = None


class Problems(Exception):
    """All that is wrong with an input, at once."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(problem.code for problem in problems))
        self.problems: Sequence[Problem] = problems
