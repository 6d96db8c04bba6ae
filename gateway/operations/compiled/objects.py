"""The plan of a selection set on one object type: its fields, answered for many objects at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType

from gateway.operations.compiled.fields import FieldPlan, Place, field_plan
from gateway.operations.compiled.positions import Column, Frame
from gateway.operations.compiled.sources import assembling

if TYPE_CHECKING:
    from gateway.operations.compiled.execution import Execution
    from gateway.operations.compiled.variant import Variant


class ObjectPlan:
    """The fields that a selection set asks of one object type, in order."""

    __slots__ = ("_assemble", "fields", "type")

    def __init__(
        self, variant: Variant, kind: GraphQLObjectType, grouped: Mapping[str, Sequence[Any]]
    ) -> None:
        self.type = kind
        self.fields: tuple[FieldPlan, ...] = tuple(
            field_plan(Place(variant, kind, key, order, details))
            for order, (key, details) in enumerate(grouped.items())
        )
        self._assemble = assembling(tuple(grouped)) if grouped else None

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
        frame = Frame(self, rows, column, picks)
        columns = [field.values(execution, frame) for field in self.fields]
        made = frame.made = self._assemble(*columns)
        return made

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
