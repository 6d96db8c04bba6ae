"""Finds the line of a TOML file that a key stands at: the parser of the standard library tells
none, and whoever edits a long file needs it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

#: From the document's root inwards: ("categories", 1, "form", 0, "label", "es").
KeyPath = tuple[str | int, ...]


class Lines:
    """Where each key of a document stands. text: a document that parses as a whole."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        self._counts: dict[KeyPath, int] = {}
        table: KeyPath = ()
        for number, statement in _statements(text):
            found = tomllib.loads(statement)
            if statement.lstrip().startswith("["):
                table = self._table(found, number)
            else:
                self._note(table, found, number)

    def of(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest one around it: an array on one line is one place."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _table(self, header: Mapping[str, Any], number: int) -> KeyPath:
        """The path of a table that begins here; of an array of tables, the place is counted."""
        path: KeyPath = ()
        inner: Any = header
        while isinstance(inner, Mapping) and inner:
            [(name, inner)] = inner.items()
            path += (name,)
            if isinstance(inner, Mapping) and inner and path in self._counts:
                path += (self._counts[path] - 1,)
        if isinstance(inner, list):
            self._counts[path] = self._counts.get(path, 0) + 1
            self._lines.setdefault(path, number)
            path += (self._counts[path] - 1,)
        self._lines.setdefault(path, number)
        return path

    def _note(self, path: KeyPath, value: Any, number: int) -> None:
        self._lines.setdefault(path, number)
        pairs: Any = ()
        if isinstance(value, Mapping):
            pairs = value.items()
        elif isinstance(value, list):
            pairs = enumerate(value)
        for name, inner in pairs:
            self._note((*path, name), inner, number)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header or assignment with the number of its first line: whatever lines it takes until
    it parses. Comments and empty lines are left out."""
    begun, waiting = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        begun = begun if waiting else number
        waiting += line + "\n"
        try:
            empty = not tomllib.loads(waiting)
        except tomllib.TOMLDecodeError:
            continue
        if not empty:
            yield begun, waiting
        waiting = ""
