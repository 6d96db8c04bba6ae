"""Writes a function as source text, for plans that turn the rows of an answer into records: what is
done to each value stands inline in one loop, without a call a value or a closure a column.

    code = Code("rows", "owner")
    code.line("found = []")
    with code.block("for row in rows:"):
        units = code.bound({"EA": "piece"})             # a value, by a name that the text may say
        unit = code.local(f"{units}.get(row.unit)")     # a variable that nothing else is called
        line = code.record(OrderLine, {"position": "row.position or ''", "unit": unit})
        code.line(f"found.append({line})")
    code.line("return found")
    read = code.function()                              # read(rows, owner)

The text is made of names that the plan gives, never of what a setting, a column or a question says:
those are bound. So the fields of a row's struct are named by the plan, and msgspec renames them.
Whoever makes functions keeps them, in a bounded number: making one takes a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING
from typing import Any

from connectors.port.making import defaults, open_twin


class Code:
    """A function that is being written. parameters: their names, in order."""

    def __init__(self, *parameters: str) -> None:
        self._parameters = parameters
        self._lines: list[str] = []
        self._depth = 1
        self._locals = 0
        self._names: dict[int, str] = {}
        self._space: dict[str, Any] = {}

    @property
    def source(self) -> str:
        # What is bound is a default, since the interpreter is quicker at what is local.
        known = (f"{name}={name}" for name in self._names.values())
        head = ", ".join([*self._parameters, *known])
        return "\n".join([f"def made({head}):", *self._lines])

    def bound(self, value: Any) -> str:
        """The name by which the text may speak of a value, which the function keeps."""
        name = self._names.setdefault(id(value), f"k{len(self._names)}")
        self._space[name] = value
        return name

    def local(self, expression: str) -> str:
        """A variable of its own that holds what an expression says."""
        self._locals += 1
        self.line(f"v{self._locals} = {expression}")
        return f"v{self._locals}"

    def line(self, text: str) -> None:
        self._lines.append(" " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is written inside stands under `head`: a loop or a condition, with its colon."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def record(self, record: type[Any], values: Mapping[str, str]) -> str:
        """Makes a record of a class of `connectors.port.records`, by the way of `making`; the
        variable that holds it. values: an expression for each attribute, evaluated in the record's
        order. Attributes without one have their default."""
        held = defaults(record)
        missing = [name for name in held.keys() - values.keys() if held[name] is MISSING]
        if wrong := [*missing, *(values.keys() - held.keys())]:
            raise TypeError(f"{record.__name__} takes other values: {', '.join(wrong)}")
        made = self.local(f"{self.bound(object.__new__)}({self.bound(open_twin(record))})")
        for name, default in held.items():
            self.line(f"{made}.{name} = {values[name] if name in values else self.bound(default)}")
        self.line(f"{made}.__class__ = {self.bound(record)}")
        return made

    def function(self) -> Callable[..., Any]:
        """The function, as it is written so far."""
        exec(compile(self.source, "<plan>", "exec"), self._space)  # noqa: S102 - see above
        made: Callable[..., Any] = self._space["made"]
        return made
