"""The ways a system can fail to answer, named once so that nobody above reads a status code.

    SourceError
    |-- Unavailable     it did not answer, or answered that it cannot now: try again
    |   `-- TimedOut    it did not answer before the call's deadline
    |-- Throttled       it asks us to slow down or our quota is used up: try later, see retry_after
    |-- Refused         it does not accept our credential: an operator has to act
    |-- Rejected        it says that the input is wrong: the caller has to act
    |-- Unreadable      it answered something that is not its own format
    `-- NotConfigured   there is no such system: nobody was asked

The text of an error is ours and names the operation. What the system itself said goes to the log
through `detail`, and never further: it may hold other people's data or a secret.
"""

from __future__ import annotations


class SourceError(Exception):
    """A question to a system that brought no answer.

    source: the configured name of the system ("crm"). detail: what it said, for the log alone,
    already without credentials and bounded. retry_after: seconds until a second try makes sense.
    """

    code = "SOURCE_ERROR"
    retryable = False

    def __init__(
        self,
        source: str,
        message: str,
        *,
        detail: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.source = source
        self.message = message
        self.detail = detail
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.source}: {self.message}"


class Unavailable(SourceError):
    """No connection, a 5xx, a maintenance page: nothing is known about the data."""

    code = "SOURCE_UNAVAILABLE"
    retryable = True


class TimedOut(Unavailable):
    """No complete answer before the deadline of the call."""

    code = "SOURCE_TIMED_OUT"


class Throttled(SourceError):
    """Asked too often: a rate limit or a used-up quota. `retry_after` says when, if it is known."""

    code = "SOURCE_THROTTLED"
    retryable = True


class Refused(SourceError):
    """Our own credential was not accepted, or may not do this."""

    code = "SOURCE_REFUSED"


class Rejected(SourceError):
    """The system says that what it was sent is wrong. `field` is our name of what it points at."""

    code = "SOURCE_REJECTED"

    def __init__(
        self,
        source: str,
        message: str,
        *,
        field: str | None = None,
        detail: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(source, message, detail=detail, retry_after=retry_after)
        self.field = field


class Unreadable(SourceError):
    """An answer that is not what the system documents: HTML, broken JSON, a missing field."""

    code = "SOURCE_UNREADABLE"


class NotConfigured(SourceError):
    """No system answers for this noun: an operator has to name one."""

    code = "SOURCE_NOT_CONFIGURED"
