"""Answers a query with `@defer` in parts: the first without what may come later, then what was
deferred, each with its errors in the form that all errors have.

The parts are those of https://specs.apollo.dev/incremental/v0.2/: `pending`, `incremental`,
`completed`, `hasNext`.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    SubsequentIncrementalExecutionResult,
    experimental_execute_incrementally,
)

from gateway import telemetry
from gateway.operations import errors
from gateway.operations.requests import Outcome
from gateway.operations.run import Ready, outcome_of
from gateway.sources.provenance import telling
from schema.context import Context

Part = dict[str, Any]

#: Most `@defer` of a document, since planning them takes time that grows faster than their number;
#: and most deferred fragments of one answer, were every object that it may have to have each of
#: them: each takes a task and a hundred bytes. What has more is answered at once.
_MOST_DEFERRALS: Final = 20
_MOST: Final = 5_000


def deferrable(ready: Ready) -> bool:
    """Whether an operation may be answered in parts; what may not be is answered at once."""
    if ready.kind is not OperationType.QUERY or ready.checked.deferred is None:
        return False
    deferrals = ready.checked.deferrals
    return deferrals <= _MOST_DEFERRALS and max(1, ready.worth.cost) * deferrals <= _MOST


@dataclass(frozen=True, slots=True)
class InParts:
    """A query that is to be answered in parts, not run yet. schema: with `@defer`. headers: for its
    answer over HTTP."""

    schema: GraphQLSchema
    ready: Ready
    context: Context
    headers: Mapping[str, str] = field(default_factory=dict)

    async def parts(self) -> AsyncGenerator[Outcome | Part, None]:
        """The parts, of which only the last has no next; or one whole answer, where nothing was
        left to defer. Whoever iterates does all of it in one task, and closes. Nothing is
        raised."""
        with telling() as told:
            try:
                result = self._executed()
                if inspect.isawaitable(result):
                    result = await result
                if isinstance(result, ExecutionResult):
                    whole = outcome_of(result, self.context, self.ready.shows_schema)
                    if sources := told.extension():
                        whole.body.setdefault("extensions", {})["sources"] = sources
                    yield whole
                    return
                async with aclosing(self._told(result)) as parts:
                    async for part in parts:
                        yield part
            except Exception as error:  # noqa: BLE001 - nothing a caller sends may end in a stack trace
                yield last(errors.masked(error, self.context.language))
                return
            sources = told.extension()
            yield {"hasNext": False, **({"extensions": {"sources": sources}} if sources else {})}

    def _executed(self) -> Any:
        telemetry.executions["defer"] += 1
        document = self.ready.checked.deferred
        assert document is not None  # noqa: S101 - what has none is not deferrable
        return experimental_execute_incrementally(
            self.schema,
            document,
            context_value=self.context,
            variable_values=self.ready.request.variables,
            operation_name=self.ready.request.operation_name,
        )

    async def _told(
        self, result: ExperimentalIncrementalExecutionResults
    ) -> AsyncGenerator[Part, None]:
        first, following = result.initial_result, result.subsequent_results
        try:
            pending = [one.formatted for one in first.pending]
            yield {
                **self._errors(first.errors),
                "data": first.data,
                "pending": pending,
                "hasNext": True,
            }
            async for one in following:
                part = self._part(one)
                if part:
                    yield {**part, "hasNext": True}
        finally:
            await following.aclose()

    def _part(self, result: SubsequentIncrementalExecutionResult) -> Part:
        part: Part = {}
        if result.pending:
            part["pending"] = [one.formatted for one in result.pending]
        if result.incremental:
            part["incremental"] = self._each(result.incremental)
        if result.completed:
            part["completed"] = self._each(result.completed)
        return part

    def _each(self, results: Iterable[Any]) -> list[Part]:
        return [{**one.formatted, **self._errors(one.errors)} for one in results]

    def _errors(self, found: Sequence[GraphQLError] | None) -> Part:
        told = [errors.formatted(error, self.context.language) for error in found or ()]
        if not self.ready.shows_schema:
            told = list(map(errors.without_hints, told))
        return {"errors": told} if told else {}


def last(error: Mapping[str, Any]) -> Part:
    """The last part of an answer that ends too soon."""
    return {"errors": [error], "hasNext": False}
