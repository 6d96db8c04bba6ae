"""Runs one operation for one caller: the checked document, on graphql-core, to a result of JSON's
own types."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, OperationType, execute, get_operation_ast

from gateway.operations import errors
from gateway.operations.documents import Checked, Documents
from schema.context import Context


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller sends, GraphQL over HTTP: a document, which of its operations, its values."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """body: the response object. started is False when the document or its variables kept the
    operation from being run: such an answer has no data."""

    body: dict[str, Any]
    started: bool


class Operations:
    """Everything that is needed to answer requests on one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._documents = Documents(schema)

    def checked(self, query: str) -> Checked:
        """The document of a text, parsed and validated once."""
        return self._documents.checked(query)

    def changes_something(self, request: Request) -> bool:
        """Whether the operation asked for is anything else than a query."""
        document = self.checked(request.query).document
        if document is None:
            return False
        operation = get_operation_ast(document, request.operation_name)
        return operation is not None and operation.operation is not OperationType.QUERY

    async def run(self, request: Request, context: Context) -> Outcome:
        """The answer to a request."""
        checked = self.checked(request.query)
        if checked.document is None:
            code = errors.PARSE_FAILED if checked.syntax else errors.VALIDATION_FAILED
            arguments = checked.arguments or (None,) * len(checked.errors)
            told = [
                errors.plain(error, code, argument)
                for error, argument in zip(checked.errors, arguments, strict=True)
            ]
            return Outcome({"errors": told}, started=False)
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
        return Outcome(body, started)
