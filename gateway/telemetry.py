"""What the gateway tells its operators: one JSON object a line, each with the request's id.

Never in a log: tokens, credentials, variables, bodies, e-mail addresses, nor what an exception
says, which may hold any of them. Only the level DEBUG tells that, where systems are tried out.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from connectors.kit.connector import Call

#: The id of the request being answered; "-" outside of one.
request_id: ContextVar[str] = ContextVar("request_id", default="-")

#: Calls to each system by outcome since the start: {("crm", "ok"): 12}.
calls: Counter[tuple[str, str]] = Counter()

#: Seconds that those calls took, by system.
seconds: defaultdict[str, float] = defaultdict(float)

#: Operations by how they were run since the start: "compiled", or why on graphql-core:
#: "introspection", "directive", "subscription", "condition", "depth", "no_operation", "defer",
#: "off".
executions: Counter[str] = Counter()

#: Answers by what they are about and where they came from since the start: "asked" of the system,
#: "joined" a question under way, "remembered", or "stale". "answers" are whole ones of operations.
loads: Counter[tuple[str, str]] = Counter()

_log = logging.getLogger("gateway.calls")

#: Attributes of a log record that are worth a key, when somebody set them by `extra=`.
_EXTRA = (
    "source",
    "operation",
    "outcome",
    "status",
    "ms",
    "bytes",
    "error_id",
    "method",
    "path",
    "document",
)


class JsonLines(logging.Formatter):
    """A log record as one line of JSON. tells_all: with what exceptions say, which may be what a
    customer wrote; without, only what they are and where they were raised."""

    def __init__(self, *, tells_all: bool = False) -> None:
        super().__init__()
        self._tells_all = tells_all

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
        }
        line |= {name: getattr(record, name) for name in _EXTRA if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """An exception with those that led to it."""
        if self._tells_all:
            return super().formatException(ei)
        return "".join(_bare(ei[1])) if ei[1] is not None else ""


def _bare(error: BaseException) -> Iterator[str]:
    """Where an exception came from and what it is, without what it says."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _bare(cause)
        yield "\nThat led to:\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield "\nIn it:\n"
            yield from _bare(one)


def configure(level: str) -> None:
    """Sends everything from `level` up to standard error. Called once, by the command line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(tells_all=level == "DEBUG"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These repeat what `heard` says, and name whole addresses, which may hold a customer's data.
    # Migrations tell what an operator who migrates is told anyway.
    for chatty in ("httpx", "httpcore", "uvicorn.access", "uvicorn.error", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def heard(call: Call) -> None:
    """Notes one finished call to a system."""
    calls[call.source, call.outcome] += 1
    seconds[call.source] += call.seconds
    level = logging.DEBUG if call.outcome == "ok" else logging.WARNING
    if not _log.isEnabledFor(level):
        return
    _log.log(
        level,
        "call",
        extra={
            "source": call.source,
            "operation": call.operation,
            "outcome": call.outcome,
            "status": call.status,
            "ms": round(call.seconds * 1000, 1),
            "bytes": call.bytes,
        },
    )
