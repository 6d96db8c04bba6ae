"""Runs one operation for one caller: the checked document, by its plan or on graphql-core, to a
result of JSON's own types."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple
from weakref import ref

import msgspec
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    OperationType,
    execute,
    get_operation_ast,
)

from gateway import telemetry
from gateway.operations import errors
from gateway.operations.compiled.plans import Plans
from gateway.operations.compiled.refusals import NotCompiled
from gateway.operations.documents import Checked, Documents
from gateway.operations.limits import LimitExceeded, LimitSettings, check_variables
from gateway.operations.persisted import Persisted
from gateway.operations.price import Worth
from gateway.operations.requests import Outcome, Request
from gateway.sources.provenance import telling
from schema.context import Context

#: Characters of a document seen for the first time that take as much work as an object does.
_CHARACTERS_A_UNIT = 100


class Ready(msgspec.Struct, frozen=True):
    """An operation that may be run. worth: what it may cost. shows_schema: whether its errors may
    speak of what is not in the document."""

    request: Request
    checked: Checked
    worth: Worth
    shows_schema: bool
    kind: OperationType

    @property
    def lasts(self) -> bool:
        """Whether it is a subscription."""
        return self.kind is OperationType.SUBSCRIPTION


class _Priced(NamedTuple):
    """What was found out about a request that is kept. It keeps no document: how many of those are
    remembered is not for requests to say."""

    document: ref[DocumentNode]
    worth: Worth
    kind: OperationType


class Operations:
    """Everything that is needed to answer requests on one schema. systems: which system answers for
    a source, where that has another name. persisted: documents that requests may name. compiled:
    whether operations run by plans; without, all run on graphql-core."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: LimitSettings | None = None,
        systems: Mapping[str, str] | None = None,
        persisted: Persisted | None = None,
        *,
        compiled: bool = True,
    ) -> None:
        self.schema, self._limits = schema, limits or LimitSettings()
        self._systems, self._persisted = systems or {}, persisted or Persisted()
        self._plans = Plans(schema) if compiled else None
        self.documents = Documents(schema, self._limits, self._forget)

    def _forget(self, checked: Checked) -> None:
        """Lets the plans of a document go with it."""
        if self._plans is not None and checked.document is not None:
            self._plans.forget(checked.document, checked.bills)

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._persisted.close()

    async def found(self, request: Request) -> Request | Outcome:
        """The request with its document, where it only named one, or the answer to a name that
        nobody knows."""
        return await self._persisted.found(request)

    def prepare(self, request: Request, shows_schema: bool = True) -> Ready | Outcome:
        """The operation of a request, or the answer when it may not be run."""
        checked = self.documents.checked(request.query)
        kept = request.worked_out
        if kept is None:
            return self._prepared(request, checked, shows_schema)
        known: _Priced | None = kept.get(shows_schema)
        if known is not None and known.document() is checked.document:
            return Ready(request, checked, known.worth, shows_schema, known.kind)
        ready = self._prepared(request, checked, shows_schema)
        if isinstance(ready, Ready) and checked.document is not None:
            kept[shows_schema] = _Priced(ref(checked.document), ready.worth, ready.kind)
        return ready

    def _prepared(self, request: Request, checked: Checked, shows_schema: bool) -> Ready | Outcome:
        if checked.document is None:
            told = checked.told if shows_schema else map(errors.without_hints, checked.told)
            return Outcome({"errors": list(told)}, checked.status)
        operation = get_operation_ast(checked.document, request.operation_name)
        if operation is None:
            return _undetermined(request)
        if request.reads_only and operation.operation is OperationType.MUTATION:
            error = errors.refusal(errors.BAD_REQUEST, "Use POST to change something.")
            return Outcome.failed(error, 405, {"allow": "POST"})
        if checked.introspects and not shows_schema:
            error = errors.refusal(errors.NOT_ALLOWED, "The schema is not shown here.")
            return Outcome({"errors": [error]}, 403)
        bill = checked.bills[operation.name.value if operation.name else None]
        try:
            check_variables(request.variables, self._limits)
            worth = self.by_system(bill.worth(request.variables))
            self._check(worth)
        except LimitExceeded as exceeded:
            return Outcome({"errors": [errors.limit(exceeded)]}, 422)
        self._persisted.learn(request)
        return Ready(request, checked, worth, shows_schema, operation.operation)

    def effort(self, request: Request) -> int:
        """What it takes to work a request's document through, in units of cost."""
        if self.documents.known(request.query):
            return 1
        return 1 + min(len(request.query), self._limits.characters) // _CHARACTERS_A_UNIT

    def priced(self, ready: Ready) -> dict[str, Any]:
        """What an operation costs, as callers get it told."""
        return {
            "requested": ready.worth.cost,
            "allowed": self._limits.cost,
            "upstreamCalls": dict(ready.worth.calls),
            "upstreamCallsAllowed": self._limits.upstream_calls,
        }

    async def run(self, ready: Ready, context: Context) -> Outcome:
        """The answer to an operation."""
        request, document = ready.request, ready.checked.document
        assert document is not None  # noqa: S101 - what has none is never ready
        with telling() as told:
            result = await self._result(document, request, context)
        outcome = outcome_of(result, context, ready.shows_schema)
        if told.ages or told.failures:
            outcome.body.setdefault("extensions", {})["sources"] = told.extension()
        return outcome

    async def _result(
        self, document: DocumentNode, request: Request, context: Context
    ) -> ExecutionResult:
        reason = "off"
        if self._plans is not None:
            try:
                plan = self._plans.plan(document, request.operation_name)
                result = await plan.run(context, request.variables)
            except NotCompiled as outcome:
                reason = outcome.reason
            else:
                telemetry.executions["compiled"] += 1
                return result
        telemetry.executions[reason] += 1
        interpreted = execute(
            self.schema,
            document,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation_name,
        )
        return await interpreted if inspect.isawaitable(interpreted) else interpreted

    def by_system(self, worth: Worth) -> Worth:
        """The price, with calls by the systems that answer in place of sources."""
        calls: dict[str, int] = {}
        for source, count in worth.calls.items():
            system = self._systems.get(source, source)
            calls[system] = calls.get(system, 0) + count
        return Worth(worth.cost, calls)

    def affords(self, worth: Worth) -> bool:
        """Whether a price, by systems, is within the limits."""
        try:
            self._check(worth)
        except LimitExceeded:
            return False
        return True

    def _check(self, worth: Worth) -> None:
        """Raises LimitExceeded."""
        if worth.cost > self._limits.cost:
            raise LimitExceeded("cost", self._limits.cost, worth.cost)
        for count in worth.calls.values():
            if count > self._limits.upstream_calls:
                raise LimitExceeded("upstream_calls", self._limits.upstream_calls, count)


def outcome_of(result: ExecutionResult, context: Context, shows_schema: bool) -> Outcome:
    """What came of running an operation, as callers get it."""
    if not result.errors and result.data is not None:
        return Outcome({"data": result.data})
    told = [errors.formatted(error, context.language) for error in result.errors or ()]
    if not shows_schema:
        told = list(map(errors.without_hints, told))
    # Variables that do not fit leave no data and no path: nothing was run.
    started = result.data is not None or any("path" in error for error in told)
    body: dict[str, Any] = {"data": result.data} if started else {}
    if told:
        body = {"errors": told, **body}
    return Outcome(body, None if started else 400)


def _undetermined(request: Request) -> Outcome:
    """The answer to a request that names no operation of its document."""
    if request.operation_name is None:
        text = "The document has several operations: `operationName` must say which."
    else:
        text = "The document has no operation of the name that `operationName` says."
    return Outcome({"errors": [errors.refusal(errors.BAD_USER_INPUT, text)]}, 422)
