"""Errors in the form that callers get: a code to switch on, a text to read, and what to do next.

What nobody foresaw is masked: the caller gets an errorId, the log the rest.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

from connectors.port.errors import (
    NotConfigured,
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Unavailable,
    Unreadable,
)
from gateway.operations.limits import LimitExceeded
from schema.errors import ApiError
from schema.texts import N_, say

_log = logging.getLogger("gateway.errors")

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_REQUEST = "BAD_REQUEST"
BAD_USER_INPUT = "BAD_USER_INPUT"
UNAUTHENTICATED = "UNAUTHENTICATED"
NOT_ALLOWED = "NOT_ALLOWED"
LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
COST_EXCEEDED = "COST_EXCEEDED"
RATE_LIMITED = "RATE_LIMITED"
PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
TOO_MANY_OPERATIONS = "TOO_MANY_OPERATIONS"
INTERNAL = "INTERNAL_SERVER_ERROR"

#: How the GraphQL library begins a suggestion.
_HINT = " Did you mean "

#: What a person reads when a system brought no answer; the first class that fits.
_SOURCE_TEXTS: tuple[tuple[type[SourceError], str], ...] = (
    (TimedOut, N_("{source} took too long to answer. Try again in a moment.")),
    (Unavailable, N_("{source} is not available right now. Try again in a moment.")),
    (Throttled, N_("{source} takes no more questions for now. Try again later.")),
    (Refused, N_("{source} does not let the gateway in. Its operators have to act.")),
    (Rejected, N_("{source} did not accept the question.")),
    (Unreadable, N_("{source} gave an answer that cannot be read. Its operators have to act.")),
    (NotConfigured, N_("The portal has no system behind it for this: {source}.")),
    (SourceError, N_("{source} brought no answer.")),
)


def formatted(error: GraphQLError, language: str) -> dict[str, Any]:
    """An error of running an operation. language: of the text for people."""
    original = _root(error)
    if isinstance(original, Rejected) and original.field is not None:
        # What the system points at is something that the caller gave.
        text = say(language, N_("{argument} was not accepted."), {"argument": original.field})
        return _shape(error, text, {"code": BAD_USER_INPUT, "argument": original.field})
    if isinstance(original, SourceError):
        return _shape(error, _source_text(original, language), _source_extensions(original))
    if isinstance(original, ApiError):
        text = say(language, original.text, original.values)
        return _shape(error, text, {"code": original.code, **original.extensions})
    # Without a path it is about the variables: a scalar says by a ValueError what it wants.
    of_variables = error.path is None and isinstance(original, ValueError | TypeError | None)
    if of_variables or (original is None and error.message.startswith("Argument ")):
        return _shape(error, error.message, {"code": BAD_USER_INPUT})
    return _shape(error, *_masked(original or error, language))


def plain(error: GraphQLError, code: str, argument: str | None = None) -> dict[str, Any]:
    """An error in the document itself: its text is the GraphQL library's and names places."""
    named = {"argument": argument} if argument else {}
    return _shape(error, error.message, {"code": code, **named})


def refusal(code: str, text: str, **extensions: object) -> dict[str, Any]:
    """An error of a request that was not run."""
    return {"message": text, "extensions": {"code": code, **extensions}}


def limit(exceeded: LimitExceeded) -> dict[str, Any]:
    """The error of a request that is too large."""
    code = COST_EXCEEDED if exceeded.limit in ("cost", "upstream_calls") else LIMIT_EXCEEDED
    told = {"limit": exceeded.limit, "allowed": exceeded.allowed, "value": exceeded.value}
    return refusal(code, str(exceeded), **told)


def without_hints(told: dict[str, Any]) -> dict[str, Any]:
    """An error without what the GraphQL library suggests: names of the schema that the document
    does not have."""
    message, hint, _ = told["message"].partition(_HINT)
    return {**told, "message": message} if hint else told


def masked(error: BaseException, language: str) -> dict[str, Any]:
    """An error that nobody foresaw, outside of any field."""
    text, extensions = _masked(error, language)
    return {"message": text, "extensions": extensions}


def _root(error: GraphQLError) -> BaseException | None:
    original: BaseException | None = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    return None if isinstance(original, GraphQLError) else original


def _masked(error: BaseException, language: str) -> tuple[str, Mapping[str, Any]]:
    error_id = secrets.token_hex(8)
    _log.error("unforeseen error", exc_info=error, extra={"error_id": error_id})
    text = say(
        language,
        N_("Something went wrong on our side. Quote {error_id} when you report it."),
        {"error_id": error_id},
    )
    return text, {"code": INTERNAL, "errorId": error_id}


def _source_text(error: SourceError, language: str) -> str:
    text = next(text for kind, text in _SOURCE_TEXTS if isinstance(error, kind))
    return say(language, text, {"source": error.source})


def _source_extensions(error: SourceError) -> dict[str, Any]:
    _log.warning(
        "a source brought no answer: %s",
        error.message,
        extra={"source": error.source, "outcome": error.code},
    )
    extensions: dict[str, Any] = {
        "code": error.code,
        "source": error.source,
        "retryable": error.retryable,
    }
    if error.retryable and error.retry_after is not None:
        extensions["retryAfterMs"] = round(error.retry_after * 1000)
    return extensions


def _shape(error: GraphQLError, message: str, extensions: Mapping[str, Any]) -> dict[str, Any]:
    shaped: dict[str, Any] = {"message": message}
    if error.locations:
        shaped["locations"] = [
            {"line": place.line, "column": place.column} for place in error.locations
        ]
    if error.path is not None:
        shaped["path"] = list(error.path)
    return {**shaped, "extensions": dict(extensions)}
