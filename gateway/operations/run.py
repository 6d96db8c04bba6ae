"""Runs one operation for one caller: the checked document, on graphql-core, to a result of JSON's
own types."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    OperationType,
    execute,
    get_operation_ast,
)

from gateway.operations import errors
from gateway.operations.documents import Checked, Documents
from schema.context import Context


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller sends: a document, which of its operations, its values, and what else a client
    has to say. reads_only: the way it came by may not be used to change something."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    reads_only: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """body: the response object. status: why the operation was not run, as HTTP has it, None when
    it was; an answer with one has no data. well_formed: it was a request, and GraphQL itself
    refused what is asked. headers: for an answer over HTTP."""

    body: dict[str, Any]
    status: int | None = None
    well_formed: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def started(self) -> bool:
        """Whether the operation was run."""
        return self.status is None

    @classmethod
    def failed(
        cls, error: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None
    ) -> Outcome:
        """The answer to what was not run, for a reason outside of GraphQL."""
        return cls({"errors": [error]}, status, False, headers or {})


class Operations:
    """Everything that is needed to answer requests on one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._documents = Documents(schema)

    def checked(self, query: str) -> Checked:
        """The document of a text, parsed and validated once."""
        return self._documents.checked(query)

    async def run(self, request: Request, context: Context) -> Outcome:
        """The answer to a request."""
        checked = self.checked(request.query)
        if checked.document is None:
            return _refused(checked)
        if request.reads_only and _changes_something(checked.document, request.operation_name):
            error = errors.refusal(errors.BAD_REQUEST, "Use POST to change something.")
            return Outcome.failed(error, 405, {"allow": "POST"})
        result = execute(
            self._schema,
            checked.document,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation_name,
        )
        if inspect.isawaitable(result):
            result = await result
        return self._outcome(result, context)

    @staticmethod
    def _outcome(result: ExecutionResult, context: Context) -> Outcome:
        told = [errors.formatted(error, context.language) for error in result.errors or ()]
        # Variables that do not fit leave no data and no path: nothing was run.
        started = result.data is not None or any("path" in error for error in told)
        body: dict[str, Any] = {"data": result.data} if started else {}
        if told:
            body = {"errors": told, **body}
        return Outcome(body, None if started else 400)


def _refused(checked: Checked) -> Outcome:
    """What is told of a document that may not be run."""
    code = errors.PARSE_FAILED if checked.syntax else errors.VALIDATION_FAILED
    arguments = checked.arguments or (None,) * len(checked.errors)
    told = [
        errors.plain(error, code, argument)
        for error, argument in zip(checked.errors, arguments, strict=True)
    ]
    return Outcome({"errors": told}, 400)


def _changes_something(document: DocumentNode, operation_name: str | None) -> bool:
    """Whether the operation asked for is anything else than a query."""
    operation = get_operation_ast(document, operation_name)
    return operation is not None and operation.operation is not OperationType.QUERY
