"""The plan of a selection set on one object type: its fields, answered for many objects at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType

from gateway.operations.compiled.fields import FieldPlan, Place, field_plan
from gateway.operations.compiled.inlined import Inlined, inlined
from gateway.operations.compiled.positions import Column, Frame
from gateway.operations.compiled.sources import assembling

if TYPE_CHECKING:
    from gateway.operations.compiled.execution import Execution
    from gateway.operations.compiled.variant import Variant

#: Runs of a plan before code is generated for it: most documents are asked for once.
COLD_RUNS = 1
#: Runs on end that generated code gives up before it is written for less, and then left out: these
#: records are not its kind.
_MOST_MISSES = 20


class ObjectPlan:
    """The fields that a selection set asks of one object type, in order."""

    __slots__ = ("_assemble", "_columns", "_held", "_inlined", "_misses", "_runs", "fields", "type")

    def __init__(
        self, variant: Variant, kind: GraphQLObjectType, grouped: Mapping[str, Sequence[Any]]
    ) -> None:
        self.type = kind
        self.fields: tuple[FieldPlan, ...] = tuple(
            field_plan(Place(variant, kind, key, order, details))
            for order, (key, details) in enumerate(grouped.items())
        )
        self._assemble = assembling(tuple(grouped)) if grouped else None
        #: At first all fields are answered a column at a time.
        self._inlined = self._columns = Inlined(None, range(len(self.fields)))
        self._runs = self._misses = 0
        self._held = True

    def run(
        self,
        execution: Execution,
        rows: Sequence[Any],
        column: Column | None,
        picks: Sequence[int] | None,
    ) -> list[dict[str, Any]]:
        """The rows' answers. What has to be waited for is written into them later."""
        if not rows:
            return []
        if self._assemble is None:
            return [{} for _ in rows]
        if self._runs <= COLD_RUNS:
            self._warm_up()
        frame = Frame(self, rows, column, picks)
        columns: list[Any] = [None] * len(self.fields)
        made = None
        if self._inlined.run is not None:
            for place in self._inlined.apart:
                columns[place] = self.fields[place].values(execution, frame)
            made = self._quickly(execution, rows, columns)
        if made is None:
            for place, values in enumerate(columns):
                if values is None:
                    columns[place] = self.fields[place].values(execution, frame)
            made = self._assemble(*columns)
        frame.made = made
        return made

    def _warm_up(self) -> None:
        """Has the code written that reads the records, once the plan is run again."""
        self._runs += 1
        if self._runs > COLD_RUNS:
            self._inlined = inlined(self, self._held)

    def _quickly(
        self, execution: Execution, rows: Sequence[Any], columns: Sequence[Any]
    ) -> list[dict[str, Any]] | None:
        """The rows' answers by that code; None where something needs a closer look."""
        run, apart, guards = self._inlined
        assert run is not None  # noqa: S101 - looked at by the caller
        for guard in guards:
            if not guard.allows(execution.context):
                return None
        try:
            made = run(rows, execution.context, *[columns[place] for place in apart])
        except Exception:  # noqa: BLE001 - whatever it is, it is met again and told
            self._missed()
            return None
        self._misses = 0
        return made

    def _missed(self) -> None:
        """Has the code written anew, or leaves it out, when it has given up too often."""
        self._misses += 1
        if self._misses > _MOST_MISSES:
            self._misses = 0
            self._inlined = inlined(self, held=False) if self._held else self._columns
            self._held = False

    async def run_serially(self, execution: Execution) -> dict[str, Any]:
        """The root's answer, each field finished before the next one begins; broken off at an
        error that takes the whole answer."""
        frame = Frame(self, [execution.root], None, None)
        answer: dict[str, Any] = {}
        frame.made = [answer]
        for field in self.fields:
            answer[field.key] = field.values(execution, frame)[0]
            await execution.drain()
            if execution.broken():
                break
        return answer
