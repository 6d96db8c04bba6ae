"""Runs a subscription: its source is made once, and each change is answered as a query of its own,
in surroundings that are made anew for it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from graphql import ExecutionResult, GraphQLError, GraphQLSchema
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event

from connectors.port.errors import SourceError
from connectors.port.scope import Scope
from gateway.operations import errors
from gateway.operations.requests import Outcome
from gateway.operations.run import Ready, outcome_of
from schema.context import Context
from schema.errors import ApiError


class Change(Protocol):
    """What the source of a subscription yields."""

    def concerns(self, scope: Scope) -> bool:
        """Whether somebody with this scope is to hear of it. Raises ApiError when they are to hear
        of nothing any more."""
        ...


class Changes(Protocol):
    """The source of a subscription."""

    def __aiter__(self) -> AsyncIterator[Change]: ...

    async def aclose(self) -> None: ...


#: The surroundings of one more answer as they are by now, or the last word that is to be said.
Renewed = Callable[[], Awaitable[Context | Outcome]]


class Subscriptions:
    """Begins subscriptions on a schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    async def begin(self, ready: Ready, context: Context) -> Subscription | Outcome:
        """A subscription, or why there is none."""
        executor = _executor(self._schema, ready, context)
        if isinstance(executor, list):
            return outcome_of(ExecutionResult(None, executor), context, ready.shows_schema)
        made: Any = create_source_event_stream(executor)
        if inspect.isawaitable(made):
            made = await made
        if isinstance(made, ExecutionResult):
            told = [errors.formatted(error, context.language) for error in made.errors or ()]
            return Outcome({"errors": told}, 400)
        return Subscription(self._schema, ready, made, context.language)


class Subscription:
    """One that has begun. Whoever has it closes it. language: of the last word, if one is said."""

    def __init__(
        self, schema: GraphQLSchema, ready: Ready, changes: Changes, language: str
    ) -> None:
        self.ready = ready
        self._schema, self._changes, self._language = schema, changes, language

    async def outcomes(self, renewed: Renewed) -> AsyncIterator[Outcome]:
        """What is told of each change, until the caller may hear no more, which is told last.
        What `renewed` raises is raised."""
        changes = aiter(self._changes)
        while True:
            try:
                change = await anext(changes)
            except StopAsyncIteration:
                return
            except Exception as error:  # noqa: BLE001 - masked, unless it is for the caller
                yield self._last(error)
                return
            context = await renewed()
            if isinstance(context, Outcome):
                yield context
                return
            try:
                if not _concerns(change, context):
                    continue
            except ApiError as error:
                yield self._last(error)
                return
            yield await self._told(change, context)

    async def _told(self, change: Change, context: Context) -> Outcome:
        executor = _executor(self._schema, self.ready, context)
        if isinstance(executor, list):
            return outcome_of(ExecutionResult(None, executor), context, self.ready.shows_schema)
        result = execute_subscription_event(executor.build_per_event_executor(change))
        if inspect.isawaitable(result):
            result = await result
        return outcome_of(result, context, self.ready.shows_schema)

    def _last(self, error: Exception) -> Outcome:
        if isinstance(error, ApiError | SourceError):
            told = errors.formatted(GraphQLError("", original_error=error), self._language)
        else:
            told = errors.masked(error, self._language)
        return Outcome.failed(told, 403)

    async def aclose(self) -> None:
        await self._changes.aclose()


def _executor(
    schema: GraphQLSchema, ready: Ready, context: Context
) -> Executor[Any] | list[GraphQLError]:
    request, document = ready.request, ready.checked.document
    assert document is not None  # noqa: S101 - what has none is never ready
    return Executor.build(
        schema, document, None, context, request.variables, request.operation_name
    )


def _concerns(change: Change, context: Context) -> bool:
    if isinstance(context.who, SourceError):
        return True  # whose data they may see is not known: that is what they are told
    return change.concerns(context.scope)
