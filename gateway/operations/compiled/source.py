"""The source text of one function, put together line by line, and the function that it becomes."""

from __future__ import annotations

import functools
from types import CodeType
from typing import Any, Final

#: Most functions whose code is kept: different documents ask for much the same.
_MOST: Final = 2_048


class Source:
    """head: the function's name with its parameters. things: what it knows by name from the start.
    count: things and variables so far. Names that are written come from schemas and documents and
    stand there by `repr`, or were looked at; values never are."""

    def __init__(self, head: str, **things: Any) -> None:
        self._head, self._lines = head, list[str]()
        self._space: dict[str, Any] = things
        self.count = 0

    def new(self, letters: str) -> str:
        """A name for a variable."""
        self.count += 1
        return f"{letters}{self.count}"

    def thing(self, thing: Any) -> str:
        """The name by which the function knows a thing."""
        name = self.new("known")
        self._space[name] = thing
        return name

    def line(self, text: str, depth: int = 0, at: int | None = None) -> None:
        """Writes a line. depth: how far it is indented in the function. at: a mark to write at."""
        place = len(self._lines) if at is None else at
        self._lines.insert(place, " " * (depth + 1) + text)

    def mark(self) -> int:
        """Where the text ends by now."""
        return len(self._lines)

    def back(self, mark: int) -> None:
        """Takes back what was written since."""
        del self._lines[mark:]

    def function(self) -> Any:
        """The function."""
        exec(_code("\n".join([f"def {self._head}:", *self._lines])), self._space)  # noqa: S102 - see above
        return self._space[self._head.partition("(")[0]]


@functools.lru_cache(_MOST)
def _code(source: str) -> CodeType:
    return compile(source, "<plan>", "exec")
