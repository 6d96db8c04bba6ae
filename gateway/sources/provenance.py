"""Where the answers of one operation came from, for `extensions.sources`: told where one is not
fresh or a system failed, so that a portal can say so."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from connectors.port.errors import SourceError


@dataclass(slots=True)
class Told:
    """By the names of systems: the age in seconds of the oldest answer that was not fresh; the code
    of a failure."""

    ages: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def stale(self, source: str, age: float, failure: SourceError | None = None) -> None:
        """An answer was given that is not fresh. failure: why there is no better one."""
        self.ages[source] = max(age, self.ages.get(source, 0.0))
        if failure is not None:
            self.failures[source] = failure.code

    def failed(self, error: SourceError) -> None:
        self.failures[error.source] = error.code

    def extension(self) -> list[dict[str, Any]]:
        """As callers get it. status: OK, or the code of the failure."""
        return [
            {
                "name": name,
                "status": self.failures.get(name, "OK"),
                "ageSeconds": round(self.ages.get(name, 0.0)),
                "stale": name in self.ages,
            }
            for name in sorted({*self.ages, *self.failures})
        ]


_told: ContextVar[Told | None] = ContextVar("told", default=None)


class Telling:
    """Gathers what is told while it is entered."""

    __slots__ = ("_token",)

    def __enter__(self) -> Told:
        told = Told()
        self._token = _told.set(told)
        return told

    def __exit__(self, *_: object) -> None:
        _told.reset(self._token)


def telling() -> Telling:
    """For one operation, while it runs."""
    return Telling()


def told() -> Told:
    """Of the operation that runs; nobody reads it where none does."""
    return _told.get() or Told()
